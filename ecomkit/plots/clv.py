"""Pictures of what customers have brought and are expected to bring."""

from datetime import date

import pandas as pd
from matplotlib.axes import Axes

from ecomkit.plots.colours import BLUE, GREY, INK, ORANGE
from ecomkit.plots.style import new_axes, number_axis, percent_axis, without_data
from ecomkit.words import count, day, or_more, percent

_COLOURS = {"MBG/NBD": BLUE, "BG/NBD": ORANGE}
_LEGEND = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0, "ncols": 3, "frameon": False}


def plot_realised_value(groups: pd.DataFrame, *, currency: str, span: str, title: str) -> Axes:
    """Draw the net revenue so far of customers by purchase days, each bar with its share of customers."""
    ax = new_axes(title, f"Orders less refunds, {span}. On the bars: share of customers.")
    if groups.empty:
        return without_data(ax)
    places = range(len(groups))
    ax.bar(places, groups.net_revenue, color=BLUE, width=0.62)
    for place, (_, row) in zip(places, groups.iterrows(), strict=True):
        label = percent(row.customers_share, 0)
        # A bar below zero would hide its label under the axis.
        top = max(row.net_revenue, 0)
        ax.annotate(label, (place, top), xytext=(0, 4), textcoords="offset points", ha="center", color=INK)
    ax.set_xticks(places, labels=or_more(groups.purchase_days))
    ax.margins(y=0.12)
    ax.grid(visible=False, axis="x")
    ax.set_xlabel("Days on which the customer has ordered")
    number_axis(ax.yaxis, "Net revenue so far", unit=currency)
    return ax


def plot_holdout(groups: pd.DataFrame, *, span: str, title: str) -> Axes:
    """Draw purchase days per customer in a holdout beside what each model expected."""
    ax = new_axes(title, f"Purchase days per customer, {span}, unknown to the models.")
    if groups.empty:
        return without_data(ax)
    parts = [
        ("actual", "What customers did", GREY),
        ("expected_mbg", "MBG/NBD expected", BLUE),
        ("expected_bg", "BG/NBD expected", ORANGE),
    ]
    places = range(len(groups))
    for number, (column, label, colour) in enumerate(parts):
        shifted = [place + (number - 1) * 0.27 for place in places]
        ax.bar(shifted, groups[column] / groups.customers, width=0.25, label=label, color=colour)
    ax.set_xticks(places, labels=or_more(groups.repeats))
    ax.grid(visible=False, axis="x")
    ax.set_xlabel("Repeat purchase days before (calibration)")
    number_axis(ax.yaxis, "Purchase days", unit="per customer")
    ax.legend(**_LEGEND)
    return ax


def plot_clv_path(path: pd.DataFrame, *, currency: str, rate: float, last_day: date, title: str) -> Axes:
    """Draw how the expected value of all customers grows over the horizon, one line per model."""
    ax = new_axes(title, f"Customers up to {day(last_day)}, discounted by {percent(rate)} a year.")
    if path.empty:
        return without_data(ax)
    for model, line in path.groupby("model", sort=False):
        ax.plot(line.days, line.clv, color=_COLOURS[model], linewidth=2.5, label=model)
    ax.set_ylim(bottom=0)
    ax.set_xlim(left=0)
    number_axis(ax.xaxis, "Time from the end of the data", unit="days")
    number_axis(ax.yaxis, "Expected so far", unit=currency)
    ax.legend(**_LEGEND)
    return ax


def plot_value_by_tenth(tenths: pd.DataFrame, *, last_day: date, title: str) -> Axes:
    """Draw each tenth's share of the value to come, and of what the same customers brought so far."""
    ax = new_axes(title, f"{count(tenths.customers.sum())} customers up to {day(last_day)}, expected by MBG/NBD.")
    if tenths.empty:
        return without_data(ax)
    places = range(len(tenths))
    ax.bar(places, tenths.clv_share, color=BLUE, width=0.62, label="Expected from here on")
    ax.scatter(places, tenths.net_revenue_share, color=ORANGE, s=70, zorder=3, label="Brought so far")
    ax.set_xticks(places, labels=[f"{tenth}" for tenth in tenths.tenth])
    ax.grid(visible=False, axis="x")
    ax.set_xlabel("Tenth of customers (1: highest expected value)")
    percent_axis(ax.yaxis, "Share of the total")
    ax.legend(**_LEGEND)
    return ax
