"""What the colours, hatches and lines of a picture set off, in words."""

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes

from ecomkit.plots.marks import Mark, Series, lines_across
from ecomkit.plots.telling import Detail, explained, legend_of_colours, some_of
from ecomkit.words import listed

# Colours that judge, and are told even where all marks have them.
_JUDGING = ("green", "red")


def judged(series: Sequence[Series]) -> list[Mark]:
    """Return the marks whose colours tell more than which series they are of."""
    return [
        mark
        for one in series
        for mark in one.marks
        if one.kind in ("bars", "points") and (not one.name or len({mark.colour for mark in one.marks}) > 1)
    ]


def looks(ax: Axes, marks: Sequence[tuple[Mark, str]], detail: Detail) -> list[str]:
    """Return a sentence for each look that the picture explains, or that only some marks have."""
    meanings = explained(ax) | legend_of_colours(ax)
    groups: dict[str, list[str]] = {}
    for mark, name in marks:
        for look in filter(None, (mark.colour, "hatched" if mark.is_hatched else "")):
            groups.setdefault(look, []).append(name)
    usual = max((look for look in groups if look != "hatched"), key=lambda look: len(groups[look]), default="")
    told = []
    for look, names in groups.items():
        meaning = f" ({meanings[look]})" if look in meanings else ""
        # Where one look is explained, the others need no word.
        if meaning or look in _JUDGING or (look != usual and not meanings.keys() & groups.keys()):
            whose = f": {some_of(names, detail.names)}" if len(names) < len(marks) else ""
            told.append(f"{'' if whose else 'All '}{look}{meaning}{whose}.")
    return [one[:1].upper() + one[1:] for one in told]


def across(ax: Axes, write: Callable[[float], str]) -> list[str]:
    """Return a sentence of the lines from edge to edge: by a name that holds the value, else by the value."""
    told, meaning = [], explained(ax).get("dashed")
    for name, is_dashed, value in lines_across(ax):
        kind = f"a dashed line{f' ({meaning})' if meaning else ''}" if is_dashed else "a line"
        told.append(name or f"{kind} at {write(value)}")
    return [f"Across: {listed(told)}."] if told else []
