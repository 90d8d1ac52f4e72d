"""Pictures of what the data can be told by: persons, channels, spend, and the shop's own export."""

import pandas as pd
from matplotlib.axes import Axes

from ecomkit.plots.colours import BLUE, GREY, ORANGE, RED
from ecomkit.plots.dots import dot_axes
from ecomkit.plots.quality import date_ticks
from ecomkit.plots.style import legend_above, new_axes, number_axis, percent_axis, without_data
from ecomkit.words import count, percent, short

_MOST_CAMPAIGNS = 12


def plot_first_touch(credit: pd.DataFrame, *, title: str) -> Axes:
    """Draw each channel's share of first touches before merging identities and after it."""
    ordered = credit.sort_values("after_share", ascending=False, kind="stable")
    ax = dot_axes(len(ordered), title=title, subtitle="All customers, by the channel of their first session.")
    if ordered.empty:
        return without_data(ax)
    places = range(len(ordered))
    ax.hlines(places, ordered.before_share, ordered.after_share, color=GREY, linewidth=2.5)
    ax.scatter(ordered.before_share, places, s=70, color=GREY, label="before merging", zorder=3)
    ax.scatter(ordered.after_share, places, s=70, color=BLUE, label="after", zorder=4)
    ax.set_yticks(places, labels=[short(name, 28) for name in ordered.channel])
    ax.set_ylim(max(len(ordered), 2) - 0.5, -0.5)
    ax.set_xlim(left=-0.01)
    ax.grid(visible=False, axis="y")
    ax.set_ylabel("Channel")
    percent_axis(ax.xaxis, "Customers whose first touch it was")
    legend_above(ax, columns=2)
    return ax


def plot_sessions_by_channel(channels: pd.DataFrame, *, span: str, title: str) -> Axes:
    """Draw how many sessions each channel has, with what no rule could assign set off."""
    ordered = channels.sort_values("sessions", ascending=False, kind="stable")
    is_open = ordered.channel == "Unassigned"
    ax = dot_axes(len(ordered), title=title, subtitle=f"Sessions by channel, {span}. Orange: in no channel group.")
    if ordered.empty:
        return without_data(ax)
    bars = ax.barh(
        range(len(ordered)), ordered.sessions, height=0.6, color=[ORANGE if one else BLUE for one in is_open]
    )
    ax.bar_label(bars, [percent(share) for share in ordered.sessions / ordered.sessions.sum()], padding=5)
    _name_bars(ax, [short(name, 28) for name in ordered.channel], ordered.sessions.max())
    ax.set_ylabel("Channel")
    number_axis(ax.xaxis, "Sessions", unit="count")
    return ax


def plot_spend_seen(spend: pd.DataFrame, *, span: str, currency: str, title: str) -> Axes:
    """Draw each campaign's spend, set off where no session came by its channel."""
    shown = spend.head(_MOST_CAMPAIGNS)
    subtitle = f"Spend by campaign, {span}. Orange: no session came by its channel."
    ax = dot_axes(len(shown), title=title, subtitle=subtitle)
    if shown.empty:
        return without_data(ax)
    colours = [BLUE if sessions else ORANGE for sessions in shown.sessions_of_channel]
    bars = ax.barh(range(len(shown)), shown.spend, height=0.6, color=colours)
    ax.bar_label(bars, [f"{count(sessions)} sessions" for sessions in shown.sessions_of_campaign], padding=5)
    _name_bars(ax, [short(name, 32) for name in shown.campaign_name], shown.spend.max())
    ax.set_ylabel("Campaign")
    number_axis(ax.xaxis, "Spend", unit=currency)
    return ax


def plot_reconciliation(weeks: pd.DataFrame, *, title: str) -> Axes:
    """Draw the orders of each week: in calls and export, only in the export, only in calls."""
    ax = new_axes(title, "Orders of the days that both the calls and the export span.")
    if weeks.empty:
        return without_data(ax)
    # A week without an order of either has no bar.
    parts = {
        "in both": (weeks.orders_in_both, BLUE),
        "in the export only": (weeks.missing_in_calls, RED),
        "in calls only": (weeks.missing_in_export, ORANGE),
    }
    bottom = pd.Series(0, index=weeks.index)
    for label, (orders, colour) in parts.items():
        ax.bar(weeks.week, orders, width=5.2, bottom=bottom, label=label, color=colour)
        bottom = bottom + orders
    number_axis(ax.yaxis, "Orders per week", unit="count")
    date_ticks(ax, weeks.week)
    ax.set_xlabel("Week, by its Monday")
    legend_above(ax, columns=3)
    return ax


def _name_bars(ax: Axes, labels: list[str], longest: float) -> None:
    ax.set_yticks(range(len(labels)), labels=labels)
    ax.set_ylim(max(len(labels), 2) - 0.5, -0.5)
    ax.set_xlim(0, longest * 1.25)
    ax.grid(visible=False, axis="y")
