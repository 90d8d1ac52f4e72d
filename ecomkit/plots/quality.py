"""Pictures of the data itself: what arrived, what broke, what was set aside."""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.dates import MonthLocator, WeekdayLocator, date2num, num2date
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter

from ecomkit.plots.colours import BLUE, DARK_GREY, GREEN, GREY, INK, ORANGE, PURPLE, RED, SKY
from ecomkit.plots.dots import dot_axes
from ecomkit.plots.style import legend_above, new_axes, percent_axis, without_data
from ecomkit.words import day, decimal, percent, short, short_day, short_month

_LIGHT = {"green": GREEN, "amber": ORANGE, "red": RED, "cannot tell": GREY}
# A share of this many times its red limit stands at the right edge, however large it is.
_EDGE = 1.5
# Events with the most calls; more rows are no picture.
_MOST_EVENTS = 12
_FEWEST_A_DAY = 5
# A day is drawn as what its event usually has, times a power of two from a quarter to four.
_STEPS = 2
_LESS_TO_MORE = LinearSegmentedColormap.from_list("less to more", [RED, "#F4F4F4", BLUE])
_SET_ASIDE = {"duplicates": SKY, "excluded": GREY, "quarantined": RED, "late": PURPLE}


def plot_checks(checks: pd.DataFrame, *, span: str, title: str) -> Axes:
    """Draw each check's share against its limits: green below amber, red above red, grey where it cannot be told."""
    shown = checks[checks.bad_share.notna()]
    subtitle = (
        f"{span}. Each share is drawn against its own limits; the right edge is more than {decimal(_EDGE)} x red."
    )
    ax = dot_axes(len(shown), title=title, subtitle=subtitle)
    if shown.empty:
        return without_data(ax)
    for place, row in enumerate(shown.itertuples()):
        amber = row.amber_above_share / row.red_above_share if row.red_above_share else 0
        for start, end, colour in ((0, amber, GREEN), (amber, 1, ORANGE), (1, _EDGE, RED)):
            ax.barh(place, end - start, left=start, height=0.5, color=colour, alpha=0.25, linewidth=0)
        at = min(row.bad_share / row.red_above_share, _EDGE) if row.red_above_share else _EDGE * (row.bad_share > 0)
        ax.scatter(at, place, s=90, color=_LIGHT[row.state], edgecolor=INK, linewidth=0.8, zorder=3, clip_on=False)
        told = percent(row.bad_share) + ("" if row.state != "cannot tell" else " (too few)")
        ax.text(_EDGE + 0.04, place, told, va="center", color=INK if row.state != "cannot tell" else DARK_GREY)
    ax.set_yticks(range(len(shown)), labels=list(shown.definition))
    ax.set_ylim(len(shown) - 0.5, -0.5)
    ax.set_xlim(0, _EDGE)
    ax.set_xticks([0, 1], labels=["none", "red above"])
    ax.set_xlabel("Share, against its own limits")
    ax.set_ylabel("What may go wrong")
    ax.grid(visible=False)
    return ax


def plot_daily_volumes(volumes: pd.DataFrame, breaks: pd.DataFrame, *, first_day: date, end: date, title: str) -> Axes:
    """Draw every day of the largest events against what the event usually has, and frame the breaks.

    `volumes` has `day, event_name, calls`; `breaks` has `events, first_day, last_day`; `end` is the day after the last.
    """
    days = pd.date_range(first_day, end, freq="D", inclusive="left")
    # Emails go out in waves, and events of a few calls a day are mostly chance: neither is watched in this picture.
    watched = volumes[volumes.side.isin(["client", "server"])]
    totals = watched.pivot_table(index="event_name", columns="day", values="calls", aggfunc="sum")
    totals = totals.reindex(columns=days).fillna(0)
    totals = totals.loc[totals.sum(axis=1).sort_values(ascending=False, kind="stable").index[:_MOST_EVENTS]]
    totals = totals[totals.median(axis=1) >= _FEWEST_A_DAY]
    subtitle = (
        f"Calls kept per local day, {first_day} to {days[-1].date()}, against the event's median day. "
        "Red: a quarter or less, blue: four times or more. Framed: a break."
    )
    ax = dot_axes(len(totals), title=title, subtitle=subtitle)
    if totals.empty:
        return without_data(ax)
    usual = totals.where(totals > 0).median(axis=1).to_numpy()[:, None]
    with np.errstate(divide="ignore"):
        steps = np.log2(totals.to_numpy() / usual).clip(-_STEPS, _STEPS)
    edges = date2num([*days, days[-1] + timedelta(days=1)])
    ax.pcolormesh(
        edges, np.arange(len(totals) + 1), steps, cmap=_LESS_TO_MORE, vmin=-_STEPS, vmax=_STEPS, rasterized=True
    )
    names = list(totals.index)
    for one in breaks.itertuples():
        # What is no single event's is a break of them all.
        rows = [names.index(event) for event in one.events or names if event in names]
        left = max(date2num(one.first_day), edges[0])
        right = edges[-1] if pd.isna(one.last_day) else min(date2num(one.last_day) + 1, edges[-1])
        if left < right and rows:
            box = Rectangle((left, min(rows)), right - left, max(rows) - min(rows) + 1, fill=False)
            box.set(edgecolor=INK, linewidth=2, clip_on=False)
            ax.add_patch(box)
    ax.set_yticks(np.arange(len(names)) + 0.5, labels=[short(name, 28) for name in names])
    ax.set_ylim(len(names), 0)
    date_ticks(ax, days)
    ax.set_xlabel("Local day")
    ax.set_ylabel("Event")
    ax.grid(visible=False)
    return ax


def plot_set_aside(days: pd.DataFrame, *, first_day: date, end: date, title: str) -> Axes:
    """Draw, per week, the share of calls that were set aside, by outcome, and that were kept and came late.

    `days` is what `metrics.quality.daily_outcomes` returns.
    """
    ax = new_axes(title, f"Share of the calls of each week, {first_day} to {end - timedelta(days=1)}.")
    shown = days[(days.day >= pd.Timestamp(first_day)) & (days.day < pd.Timestamp(end))]
    if shown.empty:
        return without_data(ax)
    mondays = shown.day - pd.to_timedelta(shown.day.dt.day_of_week, unit="D")
    weeks = shown.drop(columns="day").groupby(mondays).sum()
    for name, colour in _SET_ASIDE.items():
        ax.plot(weeks.index, weeks[name] / weeks.calls, color=colour, marker="o", label=name)
    percent_axis(ax.yaxis, "Of the calls of the week")
    ax.set_ylim(bottom=0)
    date_ticks(ax, weeks.index)
    ax.set_xlabel("Week, by its Monday")
    legend_above(ax, columns=4)
    return ax


def date_ticks(ax: Axes, days: Sequence) -> None:
    """Write months under a long span of days, and every second Monday under a short one."""
    is_long = (max(days) - min(days)).days > 120
    ax.xaxis.set_major_locator(MonthLocator() if is_long else WeekdayLocator(byweekday=0, interval=2))
    form = short_month if is_long else short_day
    ax.xaxis.set_major_formatter(FuncFormatter(lambda place, _: form(num2date(place))))
    ax.fmt_xdata = lambda place: day(num2date(place))
