"""Pictures of the way from a visit to an order."""

import pandas as pd
from matplotlib.axes import Axes

from ecomkit.plots.style import BLUE, INK, new_axes, number_axis, without_data
from ecomkit.words import count, percent


def plot_funnel(steps: pd.DataFrame, *, span: str, title: str) -> Axes:
    """Draw people per step as bars, each with its share of the first step and of the step before."""
    ax = new_axes(title, f"People by their deepest attempt, {span}.")
    if steps.empty or not steps.people.sum():
        return without_data(ax)
    places = range(len(steps))
    ax.barh(places, steps.people, color=BLUE, height=0.62)
    for place, (_, row) in zip(places, steps.iterrows(), strict=True):
        ax.annotate(
            _bar_label(row), (row.people, place), xytext=(6, 0), textcoords="offset points", va="center", color=INK
        )
    ax.set_yticks(places, labels=list(steps.step))
    ax.set_ylim(len(steps) - 0.5, -0.5)
    ax.set_xlim(0, steps.people.max() * 1.42)
    ax.grid(visible=False)
    ax.set_ylabel("Step of the funnel")
    number_axis(ax.xaxis, "People who reached the step", unit="count")
    return ax


def _bar_label(row: pd.Series) -> str:
    if row.step_number == 1:
        return count(row.people)
    return f"{count(row.people)}: {percent(row.step_rate)} of step before,\n{percent(row.overall_rate)} of first step"
