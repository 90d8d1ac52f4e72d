"""Pictures of revenue, orders and visits that become orders."""

from datetime import date, timedelta

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import num2date

from ecomkit.plots.colours import BLUE, DARK_GREY, GREY, ORANGE, PURPLE, SKY
from ecomkit.plots.dots import large_first, rate_dots
from ecomkit.plots.style import legend_above, new_axes, number_axis, percent_axis, without_data
from ecomkit.words import count, percent

_MOST_TICKS = 14
_KIND_COLOURS = {"new": ORANGE, "returning": BLUE, "unknown": GREY, "guest": PURPLE}
_KIND_LABELS = {"new": "New", "returning": "Returning", "unknown": "New or returning", "guest": "Guests"}
_BAND = "Band: 95 % interval."


def plot_weekly_net_revenue(weeks: pd.DataFrame, *, week: date, currency: str, title: str) -> Axes:
    """Draw net revenue (cash view) per week with its interval, `week` marked."""
    ax = _plot_weeks(weeks, "net_revenue", week=week, title=title, source="Orders less the refunds booked in each week")
    number_axis(ax.yaxis, "Net revenue per week", unit=currency)
    return ax


def plot_weekly_aov(weeks: pd.DataFrame, *, week: date, currency: str, title: str) -> Axes:
    """Draw revenue per order, before refunds, per week with its interval, `week` marked."""
    ax = _plot_weeks(weeks, "aov", week=week, title=title, source="Orders not cancelled, before refunds")
    number_axis(ax.yaxis, "Mean revenue per order", unit=currency)
    return ax


def plot_weekly_visit_to_order_rate(weeks: pd.DataFrame, *, week: date, title: str) -> Axes:
    """Draw the share of sessions with an order per week with its interval, `week` marked."""
    ax = _plot_weeks(weeks, "visit_to_order_rate", week=week, title=title, source="Sessions by the week they began")
    percent_axis(ax.yaxis, "Sessions with an order")
    return ax


def plot_visit_to_order_rate_by(rates: pd.DataFrame, *, by: str, floor: int, span: str, title: str) -> Axes:
    """Draw the visit-to-order rate of each group, best first, groups under `floor` sessions grey and last."""
    ordered = large_first(rates, "visit_to_order_rate", size="sessions", floor=floor)
    subtitle = f"Sessions, {span}. Line: 95 % interval. Grey: under {floor} sessions."
    labels = [f"{row[by]} ({count(row.sessions)})" for _, row in ordered.iterrows()]
    return rate_dots(
        ordered,
        "visit_to_order_rate",
        labels=labels,
        is_small=ordered.sessions < floor,
        rates="Sessions with an order",
        groups=f"{by.replace('_', ' ').capitalize()} (sessions)",
        title=title,
        subtitle=subtitle,
    )


def plot_new_and_returning(weeks: pd.DataFrame, *, week: date, currency: str, title: str) -> Axes:
    """Draw each week's revenue stacked by the customers who brought it; kinds without money stay out."""
    ax = new_axes(title, f"Revenue before refunds, {_span(weeks, week)}.")
    if weeks.empty:
        return without_data(ax)
    bottom = pd.Series(0.0, index=weeks.index)
    for kind, colour in _KIND_COLOURS.items():
        money = weeks[f"{kind}_revenue"]
        if money.any():
            ax.bar(weeks.week, money, width=5.2, bottom=bottom, label=_KIND_LABELS[kind], color=colour)
            bottom = bottom + money
    number_axis(ax.yaxis, "Revenue per week", unit=currency)
    _week_ticks(ax, weeks.week)
    if len(ax.containers) > 1:
        legend_above(ax, columns=3)
    return ax


def plot_order_links(linked: pd.DataFrame, *, span: str, title: str) -> Axes:
    """Draw how many orders each rule ties to a session, and how many none does.

    `linked` has one row per `session_rule`, null for orders without a session.
    """
    ax = new_axes(title, f"Orders not cancelled, {span}.")
    if linked.empty:
        return without_data(ax)
    ordered = linked.sort_values("orders", ascending=False, kind="stable")
    is_loose = ordered.session_rule.isna()
    places = range(len(ordered))
    bars = ax.barh(places, ordered.orders, height=0.6, color=[GREY if loose else BLUE for loose in is_loose])
    shares = ordered.orders / ordered.orders.sum()
    ax.bar_label(
        bars, [f"{count(n)} ({percent(share)})" for n, share in zip(ordered.orders, shares, strict=True)], padding=5
    )
    ax.set_yticks(places, labels=list(ordered.session_rule.where(~is_loose, "no session")))
    ax.set_ylim(max(len(ordered), 2) - 0.5, -0.5)
    ax.set_xlim(0, ordered.orders.max() * 1.25)
    ax.grid(visible=False, axis="y")
    ax.set_ylabel("How the order met its session")
    number_axis(ax.xaxis, "Orders", unit="count")
    return ax


def _plot_weeks(weeks: pd.DataFrame, value: str, *, week: date, title: str, source: str) -> Axes:
    ax = new_axes(title, f"{source}, {_span(weeks, week)}. {_BAND}")
    if weeks.empty or weeks[value].isna().all():
        return without_data(ax)
    # A week without a row is a gap in the line and not a slope.
    every_week = pd.date_range(weeks.week.min(), weeks.week.max(), freq="7D")
    drawn = weeks.set_index("week").reindex(every_week)
    ax.fill_between(drawn.index, drawn[f"{value}_low"], drawn[f"{value}_high"], color=SKY, alpha=0.35, linewidth=0)
    ax.plot(drawn.index, drawn[value], color=BLUE, marker="o", linewidth=2, label="This year")
    if f"{value}_year_before" in drawn and drawn[f"{value}_year_before"].notna().any():
        earlier = drawn[f"{value}_year_before"]
        ax.plot(drawn.index, earlier, color=DARK_GREY, linestyle="--", linewidth=1.5, label="Same week a year before")
        legend_above(ax, columns=2)
    if pd.Timestamp(week) in drawn.index:
        ax.plot([pd.Timestamp(week)], [drawn[value][pd.Timestamp(week)]], color=ORANGE, marker="o", markersize=12)
    if drawn[f"{value}_low"].min() >= 0 or drawn[value].min() >= 0:
        ax.set_ylim(bottom=0)
    _week_ticks(ax, drawn.index)
    return ax


def _week_ticks(ax: Axes, weeks: pd.Series | pd.DatetimeIndex) -> None:
    step = 1 + (len(weeks) - 1) // _MOST_TICKS
    shown = list(weeks)[::-1][::step][::-1]
    ax.set_xticks(shown, labels=[f"W{day.isocalendar().week:02d}" for day in shown])
    ax.fmt_xdata = lambda place: f"W{num2date(place):%V}"
    ax.set_xlim(min(weeks) - timedelta(days=5), max(weeks) + timedelta(days=5))
    ax.grid(visible=False, axis="x")
    ax.set_xlabel("ISO week (Monday to Sunday)")


def _span(weeks: pd.DataFrame, week: date) -> str:
    first = pd.Timestamp(week) if weeks.empty else weeks.week.min()
    last = pd.Timestamp(week) if weeks.empty else weeks.week.max()
    return f"{first:%G}-W{first:%V} to {last:%G}-W{last:%V}"
