"""A dot and its interval per group, the picture behind every comparison of groups."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from ecomkit.plots.colours import BLUE, DARK_GREY, GREY, INK
from ecomkit.plots.style import new_axes, percent_axis, without_data

_ROW_INCHES = 0.3
_FRAME_INCHES = 1.75


def dot_axes(rows: int, *, title: str, subtitle: str) -> Axes:
    """Return axes that are high enough for one dot per row."""
    return new_axes(title, subtitle, height=max(4.2, _FRAME_INCHES + _ROW_INCHES * rows))


def draw_dots(ax: Axes, frame: pd.DataFrame, value: str, *, labels: Sequence[str], is_small: Sequence[bool]) -> Axes:
    """Draw `value` with its interval per row of `frame`, the first row on top.

    Groups too small to judge are grey. A missing value leaves its row empty, a
    missing interval only its line.
    """
    if frame.empty:
        return without_data(ax)
    places = range(len(frame))
    colours = [GREY if small else BLUE for small in is_small]
    ax.hlines(places, frame[f"{value}_low"], frame[f"{value}_high"], colors=colours, linewidth=2.5)
    ax.scatter(frame[value], places, s=70, c=colours, zorder=3)
    ax.set_yticks(places, labels=list(labels))
    ax.set_ylim(len(frame) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")
    for text, small in zip(ax.get_yticklabels(), is_small, strict=True):
        text.set_color(DARK_GREY if small else INK)
    return ax


def rate_dots(
    frame: pd.DataFrame,
    rate: str,
    *,
    labels: Sequence[str],
    is_small: Sequence[bool],
    rates: str,
    groups: str,
    title: str,
    subtitle: str,
) -> Axes:
    """Return a figure of a rate with its interval per row of `frame`; `rates` and `groups` name the axes."""
    ax = dot_axes(len(frame), title=title, subtitle=subtitle)
    draw_dots(ax, frame, rate, labels=labels, is_small=is_small)
    if not frame.empty:
        percent_axis(ax.xaxis, rates)
        ax.set_xlim(left=0)
        ax.set_ylabel(groups)
    return ax


def under(floor: int, sizes: pd.Series) -> pd.Series:
    """Say which groups are too small to judge; a size that nobody knows is."""
    return sizes.fillna(0) < floor


def large_first(frame: pd.DataFrame, value: str, *, size: str, floor: int) -> pd.DataFrame:
    """Sort by `value` the groups of at least `floor`, then put the others, unranked, by name of size."""
    is_small = under(floor, frame[size])
    ranked = frame[~is_small].sort_values(value, ascending=False, kind="stable")
    return pd.concat([ranked, frame[is_small].sort_values(size, ascending=False, kind="stable")], ignore_index=True)
