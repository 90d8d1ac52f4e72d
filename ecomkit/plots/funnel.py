"""Pictures of the way from a visit to an order."""

from textwrap import fill, shorten

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ecomkit.plots.colours import BLUE, GREY, INK, ORANGE, PALETTE, SKY
from ecomkit.plots.dots import dot_axes, draw_dots
from ecomkit.plots.style import new_axes, number_axis, percent_axis, without_data
from ecomkit.words import count, money, percent, short

_LEGEND_LETTERS, _STEP_LETTERS = 24, 12
_Z = 1.96


def plot_funnel(steps: pd.DataFrame, *, span: str, title: str) -> Axes:
    """Draw people per step as bars, each with its share of the first step and of the step before."""
    counted = _counted(steps)
    ax = new_axes(title, f"{counted.capitalize()} by their deepest attempt, {span}.")
    if steps.empty or not steps[counted].sum():
        return without_data(ax)
    places = range(len(steps))
    ax.barh(places, steps[counted], color=BLUE, height=0.62)
    for place, (_, row) in zip(places, steps.iterrows(), strict=True):
        ax.annotate(
            _bar_label(row, counted),
            (row[counted], place),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color=INK,
        )
    _name_steps(ax, steps.step)
    ax.set_xlim(0, steps[counted].max() * 1.42)
    number_axis(ax.xaxis, f"{_whom(counted)} reached the step", unit="count")
    return ax


def plot_funnel_by(steps: pd.DataFrame, *, by: str, floor: int, span: str, title: str) -> Axes:
    """Draw each group's share of its first step, step by step; of groups of at least `floor` the six largest."""
    counted = _counted(steps)
    noun = by.replace("_", " ")
    subtitle = f"{counted.capitalize()} by {noun} at step 1, {span}. Only groups of {floor} {counted} and more."
    ax = new_axes(title, subtitle)
    first = steps[steps.step_number == 1]
    large = first[first[counted] >= floor].sort_values(counted, ascending=False, kind="stable")
    if large.empty:
        return without_data(ax)
    for colour, (_, entry) in zip(PALETTE, large.iterrows(), strict=False):
        rows = steps[steps[by].isna()] if pd.isna(entry[by]) else steps[steps[by] == entry[by]]
        label = f"{shorten(short(entry[by]), _LEGEND_LETTERS, placeholder='…')} ({count(entry[counted])})"
        ax.plot(rows.step_number, rows.overall_rate, color=colour, marker="o", linewidth=2, label=label)
    names = steps.drop_duplicates("step_number")
    ax.set_xticks(names.step_number, labels=[fill(short(name), _STEP_LETTERS) for name in names.step])
    ax.set_xlim(0.8, names.step_number.max() + 0.2)
    ax.set_ylim(0, 1.03)
    ax.grid(visible=False, axis="x")
    ax.set_xlabel("Step of the funnel")
    percent_axis(ax.yaxis, f"{counted.capitalize()} of the first step")
    if len(ax.lines) > 1:
        ax.legend(title=noun.capitalize(), frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return ax


def plot_funnel_curve(curve: pd.DataFrame, *, window_days: float, span: str, title: str) -> Axes:
    """Draw the share of those who start that has reached the last step by each hour, with its interval."""
    ax = new_axes(title, f"Attempts from {span}; those too young leave when the data ends. Band: 95 % interval.")
    if curve.empty:
        return without_data(ax)
    end = window_days * 24
    hours = np.array([0.0, *curve.hours, end])
    share = np.array([0.0, *curve.reached_share, curve.reached_share.iloc[-1]])
    error = _Z * np.sqrt(np.array([0.0, *curve.variance, curve.variance.iloc[-1]]))
    low, high = np.clip(share - error, 0, 1), np.clip(share + error, 0, 1)
    ax.fill_between(hours, low, high, step="post", color=SKY, alpha=0.35, linewidth=0)
    ax.step(hours, share, where="post", color=BLUE, linewidth=2)
    ax.set_xlim(0, end)
    ax.set_ylim(bottom=0)
    number_axis(ax.xaxis, "Time since the first step", unit="hours")
    percent_axis(ax.yaxis, "Have reached the last step")
    return ax


def plot_funnel_trend(weeks: pd.DataFrame, *, title: str) -> Axes:
    """Draw the overall rate of each week of entry with its interval; weeks with attempts too young are grey.

    `weeks` has one row per week: the last step.
    """
    ax = new_axes(
        title,
        "Share of the first step that reached the last, by week of start. Line: 95 % interval. Grey: partly too young.",
    )
    known = weeks[weeks.overall_rate.notna()]
    if known.empty:
        return without_data(ax)
    places = range(len(known))
    colours = [BLUE if whole else GREY for whole in known.is_mature]
    ax.vlines(places, known.overall_rate_low, known.overall_rate_high, colors=colours, linewidth=2.5)
    ax.scatter(places, known.overall_rate, s=70, c=colours, zorder=3)
    step = 1 + (len(known) - 1) // 14
    shown = list(places)[::-1][::step][::-1]
    ax.set_xticks(shown, labels=[f"{known.week.iloc[place]:W%V}" for place in shown])
    ax.fmt_xdata = lambda place: f"{known.week.iloc[round(place)]:W%V}"
    ax.set_xlim(-0.7, max(len(known), 2) - 0.3)
    ax.set_ylim(bottom=0)
    ax.grid(visible=False, axis="x")
    ax.set_xlabel("ISO week in which attempts started")
    percent_axis(ax.yaxis, "Reached the last step")
    return ax


def plot_funnel_money(steps: pd.DataFrame, *, currency: str, span: str, title: str) -> Axes:
    """Draw the money that entered each step, and the part of it that went no further."""
    ax = new_axes(title, f"Price x quantity per person and product, {span}. Orange: went no further.")
    if steps.empty or not steps.entering.sum():
        return without_data(ax)
    places = range(len(steps))
    went_on = steps.entering - steps.lost
    ax.barh(places, went_on, color=BLUE, height=0.62)
    ax.barh(places, steps.lost, left=went_on, color=ORANGE, height=0.62)
    for place, (_, row) in zip(places, steps.iterrows(), strict=True):
        ax.annotate(
            _money_label(row, currency, last=place == len(steps) - 1),
            (row.entering, place),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color=INK,
        )
    _name_steps(ax, steps.step)
    ax.set_xlim(0, steps.entering.max() * 1.65)
    number_axis(ax.xaxis, "Money that entered the step", unit=currency)
    return ax


def plot_funnel_sensitivity(definitions: pd.DataFrame, *, span: str, title: str) -> Axes:
    """Draw the overall rate under each definition with its interval, the one asked on top, the furthest next."""
    ax = dot_axes(
        len(definitions), title=title, subtitle=f"Attempts from {span}. Line: 95 % interval. Dashed: as asked."
    )
    if definitions.overall_rate.isna().all():
        return without_data(ax)
    labels = [
        f"asked: {definition}" if choice == "as asked" else f"{choice}: {definition.replace('_', ' ')}"
        for choice, definition in zip(definitions.choice, definitions.definition, strict=True)
    ]
    draw_dots(ax, definitions, "overall_rate", labels=labels, is_small=[False] * len(definitions))
    ax.axvline(definitions.overall_rate.iloc[0], color=GREY, linestyle="--", linewidth=1.5, zorder=1)
    percent_axis(ax.xaxis, "Share of the first step that reached the last")
    ax.set_xlim(left=0)
    ax.set_ylabel("Definition")
    return ax


def _counted(steps: pd.DataFrame) -> str:
    return "people" if "people" in steps else "sessions"


def _whom(counted: str) -> str:
    return "People who" if counted == "people" else "Sessions that"


def _name_steps(ax: Axes, names: pd.Series) -> None:
    ax.set_yticks(range(len(names)), labels=[_broken(name) for name in names])
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(visible=False)
    ax.set_ylabel("Step of the funnel")


def _broken(name: str) -> str:
    """Put a step's filters on a line of their own."""
    return short(name).replace(" (", "\n(", 1)


def _bar_label(row: pd.Series, counted: str) -> str:
    if row.step_number == 1:
        return count(row[counted])
    return f"{count(row[counted])}: {percent(row.step_rate)} of step before,\n{percent(row.overall_rate)} of first step"


def _money_label(row: pd.Series, currency: str, *, last: bool) -> str:
    entered = money(row.entering, currency, 0)
    return (
        entered if last else f"{entered}: {money(row.lost, currency, 0)}\nwent no further ({percent(row.lost_share)})"
    )
