"""What is drawn on Axes, read back from them: series of marks, what is written beside them, lines across."""

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.container import BarContainer
from matplotlib.lines import Line2D
from matplotlib.text import Annotation
from matplotlib.ticker import FixedLocator

from ecomkit.plots.colours import BLUE, DARK_GREY, GREEN, GREY, INK, ORANGE, PURPLE, RED, SKY

COLOURS = {
    BLUE: "blue",
    ORANGE: "orange",
    GREEN: "green",
    RED: "red",
    SKY: "light blue",
    PURPLE: "purple",
    GREY: "grey",
    DARK_GREY: "dark grey",
    INK: "black",
}
# The names that Matplotlib gives to what has none.
_NAMELESS = re.compile(r"_(child|container)\d+|_nolegend_|")


class Mark(NamedTuple):
    """One bar, point or corner of a line: where it stands, how far it reaches, and its look."""

    place: float
    value: float
    colour: str = ""
    is_hatched: bool = False


class Series(NamedTuple):
    """Marks that belong together: `kind` is `bars`, `points`, `line`, `steps` or `marks`; no name without a label."""

    name: str
    kind: str
    marks: Sequence[Mark]


def is_across(ax: Axes) -> bool:
    """Say whether groups stand one below the other and values run to the right."""
    for bars in _bars(ax):
        return bars.orientation == "horizontal"
    return bool(names_of(ax.yaxis)) and not _lines(ax)


def names_of(axis: Axis) -> dict[float, str]:
    """Return the places of an axis whose ticks are written by hand, by their names; nothing of an axis of numbers."""
    if not isinstance(axis.get_major_locator(), FixedLocator):
        return {}
    places = axis.get_majorticklocs()
    names = map(str, axis.get_major_formatter().format_ticks(places))
    return dict(zip(map(float, places), names, strict=True))


def is_numeric(axis: Axis) -> bool:
    """Say whether places on an axis are numbers, and neither names nor days."""
    of_any = axis.axes.fmt_xdata if axis is axis.axes.xaxis else axis.axes.fmt_ydata
    return not isinstance(axis.get_major_locator(), FixedLocator) and of_any is None


def series_of(ax: Axes) -> list[Series]:
    """Return the series that are drawn, in the order of drawing.

    Bars behind points, lines that join bars, intervals and lines across are no
    series. Points without a name are one, and so are stacked bars without names.
    """
    points, bars = _points(ax), [_series_of_bars(ax, one) for one in _bars(ax)]
    if points:
        bars = [one for one in bars if one.name]
    if is_stacked(bars) and not any(one.name for one in bars):
        bars = [together(bars)]
    lines = [one for one in _lines(ax) if label_of(one) or not bars]
    return [*bars, *(_series_of_line(one) for one in lines), *points, *_ticks(ax)]


def is_stacked(bars: Sequence[Series]) -> bool:
    """Say whether bars stand on one another: several at one place."""
    places = [{mark.place for mark in one.marks} for one in bars if one.kind == "bars"]
    return len(places) > 1 and any(places[0] & other for other in places[1:])


def together(bars: Sequence[Series]) -> Series:
    """Return the sums of stacked bars as a series without a name."""
    sums: dict[float, float] = {}
    for mark in (mark for one in bars for mark in one.marks if not math.isnan(mark.value)):
        sums[mark.place] = sums.get(mark.place, 0.0) + mark.value
    return Series("", "bars", [Mark(place, value) for place, value in sums.items()])


def marked_places(ax: Axes) -> list[float]:
    """Return the places that a single point of its own sets off."""
    alone = [line for line in ax.lines if not label_of(line) and len(line.get_xdata()) == 1]
    return [float(line.get_xdata(orig=False)[0]) for line in alone]


def lines_across(ax: Axes) -> list[tuple[str, bool, float]]:
    """Return name, whether it is dashed, and value of each line from edge to edge but those at zero."""
    across = []
    for line in (line for line in ax.lines if line.get_transform() != ax.transData):
        (x, end), y = line.get_xdata(), line.get_ydata()
        value = float(x if x == end else y[0])
        across += [(label_of(line), line.get_linestyle() == "--", value)] if value else []
    return across


def texts_of(ax: Axes) -> list[tuple[float, float, str]]:
    """Return what is written among the marks, each text with the point that it belongs to."""
    placed = [(text.xy if isinstance(text, Annotation) else text.get_position(), text) for text in ax.texts]
    return [(float(x), float(y), " ".join(text.get_text().split())) for (x, y), text in placed]


def label_of(artist: object) -> str:
    """Return what a legend calls it, or would: an underscore before a name keeps it out of the legend."""
    label = str(artist.get_label() or "")
    return "" if _NAMELESS.fullmatch(label) else label.removeprefix("_")


def colour_of(rgba: Sequence[float]) -> str:
    """Return the name of one of the kit's colours, however pale; an empty text for any other."""
    return COLOURS.get(to_hex(rgba[:3]).upper(), "")


def _bars(ax: Axes) -> list[BarContainer]:
    return [one for one in ax.containers if isinstance(one, BarContainer)]


def _series_of_bars(ax: Axes, bars: BarContainer) -> Series:
    is_upright = bars.orientation == "vertical"
    # On an axis of numbers a bar is a step that begins at its edge.
    middle = 0.0 if is_upright and is_numeric(ax.xaxis) else 0.5
    marks = []
    for bar in bars:
        place = bar.get_x() + middle * bar.get_width() if is_upright else bar.get_y() + middle * bar.get_height()
        value = bar.get_height() if is_upright else bar.get_width()
        marks.append(Mark(float(place), float(value), colour_of(bar.get_facecolor()), bool(bar.get_hatch())))
    return Series(label_of(bars), "bars", marks)


def _points(ax: Axes) -> list[Series]:
    found: dict[str, list[Mark]] = {}
    for points in ax.collections:
        if isinstance(points, PathCollection) and len(points.get_offsets()):
            colours = [colour_of(rgba) for rgba in points.get_facecolor()]
            # A point without a value is masked, and keeps its place.
            for number, (x, y) in enumerate(np.ma.getdata(points.get_offsets()).tolist()):
                place, value = (y, x) if is_across(ax) else (x, y)
                mark = Mark(place, value, colours[number % len(colours)] if colours else "")
                found.setdefault(label_of(points), []).append(mark)
    return [Series(name, "points", marks) for name, marks in found.items()]


def _lines(ax: Axes) -> list[Line2D]:
    return [line for line in ax.lines if line.get_transform() == ax.transData and len(line.get_xdata()) > 1]


def _series_of_line(line: Line2D) -> Series:
    # Dates are numbers of days here, as on the axis.
    places, values = line.get_xdata(orig=False), line.get_ydata(orig=False)
    colour = colour_of((*to_rgb(line.get_color()), 1.0))
    marks = [Mark(float(place), float(value), colour) for place, value in zip(places, values, strict=True)]
    return Series(label_of(line), "steps" if line.get_drawstyle().startswith("steps") else "line", marks)


def _ticks(ax: Axes) -> list[Series]:
    """Return the short lines with a name that set a value off at each place."""
    found = []
    for lines in ax.collections:
        if isinstance(lines, LineCollection) and label_of(lines):
            ends = [segment.mean(axis=0).tolist() for segment in lines.get_segments() if len(segment)]
            marks = [Mark(y, x) if is_across(ax) else Mark(x, y) for x, y in ends]
            found.append(Series(label_of(lines), "marks", marks))
    return found
