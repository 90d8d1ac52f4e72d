"""Pictures of what a new customer costs and brings."""

import pandas as pd
from matplotlib.axes import Axes

from ecomkit.plots.colours import BLUE, GREY, INK, RED, SKY
from ecomkit.plots.dots import dot_axes, draw_dots, large_first, under
from ecomkit.plots.style import legend_above, number_axis, without_data
from ecomkit.words import count, interval, money, multiple


def plot_new_customers(won: pd.DataFrame, *, span: str, title: str) -> Axes:
    """Draw how many new customers each channel brought, the most on top."""
    ordered = won[won.new_customers > 0].sort_values("new_customers", ascending=False, kind="stable")
    ax = dot_axes(len(ordered), title=title, subtitle=f"Customers who first ordered {span}. Line: 95 % interval.")
    draw_dots(ax, ordered, "new_customers", labels=list(ordered.channel), is_small=[False] * len(ordered))
    if not ordered.empty:
        number_axis(ax.xaxis, "New customers", unit="count")
        ax.set_xlim(left=0)
        ax.set_ylabel("Channel credited")
    return ax


def plot_kinds_of_cac(kinds: pd.DataFrame, *, currency: str, floor: int, span: str, title: str) -> Axes:
    """Draw the four CACs side by side; those on fewer than `floor` new customers grey."""
    known = kinds[kinds.cac.notna()]
    subtitle = f"Spend / new customers, {span}. Line: 95 % interval. Grey: under {floor}."
    ax = dot_axes(len(known), title=title, subtitle=subtitle)
    labels = [f"{row.kind.replace('_', ' ').capitalize()} ({count(row.new_customers)})" for _, row in known.iterrows()]
    draw_dots(ax, known, "cac", labels=labels, is_small=under(floor, known.new_customers))
    if not known.empty:
        number_axis(ax.xaxis, "Spend per new customer", unit=currency)
        ax.set_xlim(left=0)
        ax.set_ylabel("Kind of CAC (new customers)")
    return ax


def plot_cac(costs: pd.DataFrame, *, currency: str, floor: int, span: str, title: str) -> Axes:
    """Draw spend per new customer of each channel with spend, the dearest on top.

    A channel that spent and won nobody has no dot: its row says so.
    """
    paid = costs[costs.spend > 0]
    ordered = large_first(paid, "cac", size="new_customers", floor=floor)
    subtitle = f"Spend / new customers, {span}. Line: 95 % interval. Grey: under {floor}."
    ax = dot_axes(len(ordered), title=title, subtitle=subtitle)
    labels = [f"{row.channel} ({count(row.new_customers)})" for _, row in ordered.iterrows()]
    draw_dots(ax, ordered, "cac", labels=labels, is_small=under(floor, ordered.new_customers))
    if ordered.empty:
        return ax
    number_axis(ax.xaxis, "Spend per new customer", unit=currency)
    ax.set_xlim(left=0)
    ax.set_ylabel("Channel (new customers)")
    for place, (_, row) in enumerate(ordered.iterrows()):
        if row.spend_without_customers:
            words = f"{money(row.spend, currency)} spent, no new customer"
            ax.text(0.02, place, words, transform=ax.get_yaxis_transform(), va="center", color=RED)
    return ax


def plot_lifetime_value_to_cac(values: pd.DataFrame, *, currency: str, floor: int, span: str, title: str) -> Axes:
    """Draw what a new customer of each channel brings, earned and expected, against what he cost."""
    paid = values[values.spend > 0]
    ordered = large_first(paid, "ltv_to_cac", size="customers", floor=floor)
    subtitle = f"New customers, {span}. Beside the bar: value / cost (95 % interval)."
    ax = dot_axes(2 * len(ordered), title=title, subtitle=subtitle)
    if ordered.empty:
        return without_data(ax)
    places = range(len(ordered))
    ax.barh(places, ordered.realised_per_customer, color=BLUE, height=0.6, label="Earned so far")
    ax.barh(
        places,
        ordered.expected_per_customer.fillna(0.0),
        left=ordered.realised_per_customer,
        color=SKY,
        height=0.6,
        label="Expected",
    )
    ax.vlines(ordered.cac, [p - 0.4 for p in places], [p + 0.4 for p in places], colors=RED, linewidth=3, label="CAC")
    ends = ordered[["lifetime_value_per_customer", "cac"]].max(axis=1).fillna(0.0)
    for place, (_, row) in enumerate(ordered.iterrows()):
        colour = GREY if row.customers < floor else INK
        ax.annotate(
            _multiple_label(row),
            (ends[place], place),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color=colour,
        )
    ax.set_yticks(places, labels=[f"{row.channel} ({count(row.customers)})" for _, row in ordered.iterrows()])
    ax.set_ylim(len(ordered) - 0.5, -0.5)
    ax.set_xlim(0, max(ends.max(), 1.0) * 1.5)
    ax.grid(visible=False, axis="y")
    ax.set_ylabel("Channel (new customers)")
    number_axis(ax.xaxis, "Value and cost per new customer", unit=currency)
    legend_above(ax, columns=3)
    return ax


def _multiple_label(row: pd.Series) -> str:
    if not row.customers:
        return "nobody known to be new"
    return f"{multiple(row.ltv_to_cac)} ({interval(row.ltv_to_cac_low, row.ltv_to_cac_high, multiple)})"
