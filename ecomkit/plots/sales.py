"""Pictures of revenue, orders and visits that become orders."""

from datetime import date, timedelta

import pandas as pd
from matplotlib.axes import Axes

from ecomkit.plots.dots import dot_axes, draw_dots, large_first
from ecomkit.plots.style import BLUE, GREY, ORANGE, SKY, new_axes, number_axis, percent_axis, without_data

_MOST_TICKS = 14
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
    subtitle = f"Sessions, {span}. Line: 95 % interval. Grey: fewer than {floor} sessions."
    ax = dot_axes(len(ordered), title=title, subtitle=subtitle)
    labels = [f"{row[by]} ({row.sessions:,})" for _, row in ordered.iterrows()]
    draw_dots(ax, ordered, "visit_to_order_rate", labels=labels, is_small=ordered.sessions < floor)
    if not ordered.empty:
        percent_axis(ax.xaxis, "Sessions with an order")
        ax.set_xlim(left=0)
        ax.set_ylabel(f"{by.replace('_', ' ').capitalize()} (sessions)")
    return ax


def plot_new_and_returning(weeks: pd.DataFrame, *, week: date, currency: str, title: str) -> Axes:
    """Draw each week's revenue stacked by new, returning and unknown customers."""
    ax = new_axes(title, f"Revenue before refunds, {_span(weeks, week)}.")
    if weeks.empty:
        return without_data(ax)
    parts = [
        ("new_revenue", "New", ORANGE),
        ("returning_revenue", "Returning", BLUE),
        ("unknown_revenue", "Not known", GREY),
    ]
    bottom = pd.Series(0.0, index=weeks.index)
    for column, label, colour in parts:
        if column in weeks and weeks[column].sum() > 0:
            ax.bar(weeks.week, weeks[column], width=5.2, bottom=bottom, label=label, color=colour)
            bottom = bottom + weeks[column].fillna(0.0)
    number_axis(ax.yaxis, "Revenue per week", unit=currency)
    _week_ticks(ax, weeks.week)
    if len(ax.containers) > 1:
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0, ncols=3, frameon=False)
    return ax


def _plot_weeks(weeks: pd.DataFrame, value: str, *, week: date, title: str, source: str) -> Axes:
    ax = new_axes(title, f"{source}, {_span(weeks, week)}. {_BAND}")
    if weeks.empty or weeks[value].isna().all():
        return without_data(ax)
    # A week without a row is a gap in the line and not a slope.
    every_week = pd.date_range(weeks.week.min(), weeks.week.max(), freq="7D")
    drawn = weeks.set_index("week").reindex(every_week)
    ax.fill_between(drawn.index, drawn[f"{value}_low"], drawn[f"{value}_high"], color=SKY, alpha=0.35, linewidth=0)
    ax.plot(drawn.index, drawn[value], color=BLUE, marker="o", linewidth=2)
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
    ax.set_xlim(min(weeks) - timedelta(days=5), max(weeks) + timedelta(days=5))
    ax.grid(visible=False, axis="x")
    ax.set_xlabel("ISO week (Monday to Sunday)")


def _span(weeks: pd.DataFrame, week: date) -> str:
    first = pd.Timestamp(week) if weeks.empty else weeks.week.min()
    last = pd.Timestamp(week) if weeks.empty else weeks.week.max()
    return f"{first:%G}-W{first:%V} to {last:%G}-W{last:%V}"
