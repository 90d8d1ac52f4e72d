"""How values, places and names of a picture are written in its alternative text."""

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator

from ecomkit.plots.marks import colour_of, label_of, names_of
from ecomkit.words import count, counted, decimal, money, percent, short

# From here on an amount is told without its cents.
_LARGE = 1_000


class Detail(NamedTuple):
    """How much is told: letters of a name, marks one by one, names behind a colour; series all in one sentence."""

    letters: int
    marks: int
    names: int
    is_brief: bool = False


def writer_of(axis: Axis) -> Callable[[float], str]:
    """Return what writes a value of an axis, by the unit in its label; nothing where ticks are names, not numbers."""
    unit = (re.findall(r"\(([^()]*)\)$", axis.get_label_text()) or [""])[0]
    if isinstance(axis.get_major_locator(), FixedLocator):
        return lambda value: ""
    if unit == "%":
        return percent
    if unit == "count":
        return count
    if re.fullmatch(r"[A-Z]{3}", unit):
        digits = 0 if max(map(abs, axis.get_view_interval())) >= _LARGE else 2
        return lambda value: money(value, unit, digits)
    # `hours` and `days` are words for a sentence; `per customer` is not.
    noun = unit if unit in ("hours", "days") else ""
    return partial(_plain, noun=noun)


def _plain(value: float, noun: str) -> str:
    if not float(value).is_integer():
        return f"{decimal(value, 2)} {noun}".rstrip()
    return counted(value, noun.removesuffix("s")) if noun else count(value)


def namer_of(axis: Axis, letters: int) -> Callable[[float], str]:
    """Return what names a place on an axis: its tick, what the picture says of any place, else the number there."""
    names, write = names_of(axis), writer_of(axis)
    of_any = axis.axes.fmt_xdata if axis is axis.axes.xaxis else axis.axes.fmt_ydata

    def name(place: float) -> str:
        nearest = min(names, key=lambda tick: abs(tick - place), default=None)
        if nearest is not None and abs(nearest - place) < 0.5:
            return short(names[nearest].replace("-\n", "-"), letters) or "no name"
        return of_any(place) if of_any else write(place)

    return name


def series_name(ax: Axes, label: str) -> str:
    """Return the label of a series behind the title of the legend, where there is one: `Channel Direct`."""
    legend = ax.get_legend()
    return f"{legend.get_title().get_text() if legend else ''} {label}".strip() if label else ""


def subtitle_of(ax: Axes) -> str:
    """Return the line below the title, as one line."""
    return " ".join(" ".join(text.get_text() for text in ax.figure.texts[1:]).split())


def source_of(ax: Axes) -> str:
    """Return the first sentence of the subtitle, which tells source and span, without its full stop."""
    # `1. November` is a day and no end.
    return re.split(r"(?<! \d)(?<! \d\d)\. ", subtitle_of(ax), maxsplit=1)[0].removesuffix(".")


def explained(ax: Axes) -> dict[str, str]:
    """Return what the subtitle says of looks and texts, such as `grey`: `under 30 sessions`."""
    found = re.findall(r"(?:^|\. )([A-Z][a-z ]*)(, hatched)?: ([^.]+)(?=\.|$)", subtitle_of(ax))
    return {"hatched" if hatched else key.lower(): meaning for key, hatched, meaning in found}


def meaning_of_texts(ax: Axes) -> str:
    """Return what the subtitle says of the texts beside marks; nothing where it does not."""
    return next((meaning for key, meaning in explained(ax).items() if key.startswith(("beside", "on the"))), "")


def legend_of_colours(ax: Axes) -> dict[str, str]:
    """Return what a legend made for colours alone says of them."""
    legend = ax.get_legend()
    drawn = {label_of(one) for one in (*ax.containers, *ax.collections, *ax.lines)}
    entries = zip(legend.legend_handles, legend.get_texts(), strict=True) if legend else ()
    return {
        colour_of(handle.get_facecolor()): text.get_text()
        for handle, text in entries
        if isinstance(handle, Patch) and text.get_text() not in drawn
    }


def some_of(names: Iterable[str], most: int) -> str:
    """Return the first names, and how many more there are."""
    named = list(dict.fromkeys(names))
    rest = [f"{count(len(named) - most)} more"] if len(named) > most else []
    return "; ".join([*named[:most], *rest])


def lowered(label: str) -> str:
    """Return a label as part of a sentence; `AOV` and `ISO week` keep their capitals."""
    line = short(label, 80) if label else ""
    return line[:1].lower() + line[1:] if line[1:2].islower() or line[1:2] == " " else line
