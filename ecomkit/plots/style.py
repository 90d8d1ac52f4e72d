"""The look that all pictures share: fonts, colours, head lines, units."""

import sys
from collections.abc import Callable
from functools import partial
from textwrap import fill
from typing import Any

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ecomkit.plots.alt_text import describe
from ecomkit.plots.colours import DARK_GREY, GREY, INK, PALETTE
from ecomkit.words import percent_tick, tick

WIDTH, HEIGHT, DPI = 8.0, 4.2, 110
_TITLE_SIZE, _TEXT_SIZE = 15, 12
_TITLE_LETTERS, _SUBTITLE_LETTERS = 64, 92
_NO_DATA = "No data for this question"
_OURS = "ecomkit"
# What every later figure says of the part of the shop that it shows.
_CAPTION: list[str] = []


def use_style() -> None:
    """Give every later figure the kit's fonts, colours and size, and no caption."""
    _CAPTION.clear()
    sns.set_theme(
        style="whitegrid",
        palette=list(PALETTE),
        rc={
            "figure.figsize": (WIDTH, HEIGHT),
            "figure.dpi": DPI,
            "figure.constrained_layout.use": True,
            "font.size": _TEXT_SIZE,
            "axes.labelsize": _TEXT_SIZE,
            "xtick.labelsize": _TEXT_SIZE,
            "ytick.labelsize": _TEXT_SIZE,
            "legend.fontsize": _TEXT_SIZE,
            "axes.edgecolor": GREY,
            "axes.labelcolor": INK,
            "text.color": INK,
            "axes.spines.top": False,
            "axes.spines.right": False,
            # A channel called "$ale" is a name and no formula.
            "text.parse_math": False,
        },
    )


def caption(filters: object) -> None:
    """Say under the title of every later figure which part of the shop it shows."""
    _CAPTION[:] = [str(filters)]


def new_axes(title: str, subtitle: str, *, height: float = HEIGHT) -> Axes:
    """Return the axes of a new figure under a title and a line that tells source and span.

    Both lines start at the figure's left edge and wrap at its right one.
    `height` is in inches.
    """
    figure, ax = plt.subplots(figsize=(WIDTH, height), layout="constrained")
    # A notebook draws what it shows. pyplot, which the first figure hooks in, would draw it once before, for nobody.
    plt.uninstall_repl_displayhook()
    title, subtitle = fill(title, _TITLE_LETTERS), fill(" ".join([subtitle, *_CAPTION]), _SUBTITLE_LETTERS)
    below_title = 0.06 + _lines_height(title, _TITLE_SIZE)
    figure.suptitle(title, x=0.01, y=1 - 0.06 / height, ha="left", va="top", size=_TITLE_SIZE, weight="bold")
    figure.text(0.01, 1 - below_title / height, subtitle, va="top", color=DARK_GREY)
    heading = below_title + _lines_height(subtitle, _TEXT_SIZE) + 0.08
    figure.get_layout_engine().set(rect=(0, 0, 1, 1 - heading / height))
    figure.set_gid(_OURS)
    _keep_words_beside_pictures()
    return ax


def _keep_words_beside_pictures() -> None:
    """Let a notebook keep what each picture of the kit shows as its alternative text.

    The inline backend says how figures are drawn when it is loaded, which the first
    figure does; that way is wrapped, once. Elsewhere nothing happens.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    ways = shell.display_formatter.formatters["image/png"].type_printers if shell else {}
    if Figure in ways and getattr(ways[Figure], "func", None) is not _drawn_and_told:
        ways[Figure] = partial(_drawn_and_told, ways[Figure])


def _drawn_and_told(draw: Callable[[Figure], Any], figure: Figure) -> Any:
    """Return a figure as `draw` does, with its alternative text in the metadata if it is one of the kit's."""
    drawn = draw(figure)
    if drawn is None or figure.get_gid() != _OURS:
        return drawn
    data, metadata = drawn if isinstance(drawn, tuple) else (drawn, {})
    return data, {**metadata, "alt": describe(figure.axes[0])}


def _lines_height(text: str, size: int) -> float:
    return size / 72 * (1.3 * (text.count("\n") + 1) + 0.2)


def without_data(ax: Axes) -> Axes:
    """Say on the empty `ax` that there is nothing to draw."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, _NO_DATA, transform=ax.transAxes, ha="center", va="center", color=DARK_GREY)
    return ax


def legend_above(ax: Axes, *, columns: int) -> None:
    """Name the series of `ax` in a line above it, from its left edge on."""
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0, ncols=columns, frameon=False)


def percent_axis(axis: Axis, label: str) -> None:
    """Write the ticks of an axis of rates (0 to 1) as percent."""
    axis.set_label_text(f"{label} (%)")
    axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda rate, _: percent_tick(rate)))


def number_axis(axis: Axis, label: str, *, unit: str) -> None:
    """Write the ticks of an axis of money or counts with thousands apart, its unit in the label."""
    axis.set_label_text(f"{label} ({unit})")
    axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: tick(value)))
