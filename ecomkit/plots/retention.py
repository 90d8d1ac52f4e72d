"""Pictures of customers who come back."""

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from ecomkit.plots.dots import dot_axes, draw_dots
from ecomkit.plots.style import new_axes, percent_axis, without_data
from ecomkit.words import count, short_month


def plot_repeat_purchase_rate(rates: pd.DataFrame, *, within_days: int, floor: int, title: str) -> Axes:
    """Draw each cohort's repeat purchase rate with its interval, oldest on top, cohorts under `floor` grey."""
    subtitle = f"Customers whose {within_days} days have passed. Line: 95 % interval. Grey: under {floor} customers."
    ax = dot_axes(len(rates), title=title, subtitle=subtitle)
    labels = [f"{short_month(row.cohort_month)} ({count(row.customers)})" for _, row in rates.iterrows()]
    draw_dots(ax, rates, "repeat_purchase_rate", labels=labels, is_small=rates.customers < floor)
    if not rates.empty:
        percent_axis(ax.xaxis, f"Customers who ordered again within {within_days} days")
        ax.set_xlim(left=0)
        ax.set_ylabel("Month of first order (customers)")
    return ax


def plot_cohort_retention(cells: pd.DataFrame, *, most_months: int = 12, title: str) -> Axes:
    """Draw the share of each cohort that ordered in each later month; months that are not over stay empty."""
    subtitle = "Share of each month's new customers with an order in a later month. Empty: month not over."
    later = cells[(cells.months_since >= 1) & (cells.months_since <= most_months)]
    rates = later.pivot(index="cohort_month", columns="months_since", values="retention_rate")
    rates = rates.dropna(how="all").dropna(how="all", axis="columns")
    ax = new_axes(title, subtitle, height=max(4.2, 1.7 + 0.27 * len(rates)))
    if rates.empty:
        return without_data(ax)
    rates.index = [short_month(month) for month in rates.index]
    ceiling = max(float(rates.max(axis=None)), 0.01)
    sns.heatmap(rates, ax=ax, cmap="Blues", vmin=0, vmax=ceiling, linewidths=0.5, cbar_kws={"pad": 0.02})
    percent_axis(ax.collections[0].colorbar.ax.yaxis, "Share with an order")
    ax.grid(visible=False)
    ax.set_xlabel("Months since the first order's month")
    ax.set_ylabel("Month of first order")
    ax.tick_params(axis="y", rotation=0)
    return ax
