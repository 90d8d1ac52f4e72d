"""What a picture shows, in words, for those who cannot see it."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import FillBetweenPolyCollection, LineCollection, QuadMesh

from ecomkit.plots.heat_text import heat_map
from ecomkit.plots.looks import across, judged, looks
from ecomkit.plots.marks import (
    Mark,
    Series,
    is_across,
    is_numeric,
    is_stacked,
    label_of,
    marked_places,
    names_of,
    series_of,
    texts_of,
    together,
)
from ecomkit.plots.telling import (
    Detail,
    lowered,
    meaning_of_texts,
    namer_of,
    series_name,
    source_of,
    subtitle_of,
    writer_of,
)
from ecomkit.words import count, counted, decimal, listed, short

LONGEST = 500
# From the most to the least that is told: the first that fits is taken.
_DETAILS = (
    Detail(40, 9, 3),
    Detail(32, 5, 2),
    Detail(24, 2, 1),
    Detail(32, 2, 1, is_brief=True),
    Detail(16, 2, 1, is_brief=True),
)
_KINDS = {"bars": "bars", "points": "points", "line": "line", "steps": "stepped line", "marks": "marks"}
_NOUNS = {"bars": "bar", "points": "point", "line": "point", "steps": "step", "marks": "mark"}


def describe(ax: Axes) -> str:
    """Return in a few plain sentences what is drawn on Axes of the kit, in at most 500 characters.

    They name the kind of picture and its axes with their units; of each series
    its name, how many marks it has, the first and last, the lowest and highest with
    their places, few marks one by one; what is written beside marks; what
    colours and lines across set off; and source and span. Where 500
    characters are not enough, less is told of each, and names get shorter.

    Parameters
    ----------
    ax
        The Axes of the picture, its ticks and labels in place.
    """
    if not ax.axison:
        return f"{short(' '.join(text for _x, _y, text in texts_of(ax)) or 'Nothing is drawn', LONGEST - 1)}."
    mesh = next((one for one in ax.collections if isinstance(one, QuadMesh)), None)
    for detail in _DETAILS:
        sentences = _picture(ax, detail) if mesh is None else heat_map(ax, mesh, detail)
        text = " ".join(sentences)
        if len(text) <= LONGEST:
            break
    source = source_of(ax)
    return f"{text} {source}." if len(f"{text} {source}.") <= LONGEST else short(text, LONGEST)


class Ways(NamedTuple):
    """How a picture's values are written and its places named, and what its lowest and highest values are called."""

    write: Callable[[float], str]
    name: Callable[[float], str]
    extremes: tuple[str, str]
    has_numbers_for_places: bool


def _picture(ax: Axes, detail: Detail) -> list[str]:
    drawn = [one._replace(name=series_name(ax, one.name)) for one in series_of(ax)]
    # A series without any value is in the legend alone.
    series = [one for one in drawn if not all(math.isnan(mark.value) for mark in one.marks)] or drawn[:1]
    values, places = _axes(ax)
    if _are_paths(series):
        return [_head(ax, series), *_paths(ax, series, detail)]
    # Where no number is written on an axis, its values are only far or near.
    extremes = ("furthest left", "furthest right") if names_of(values) else ("lowest", "highest")
    ways = Ways(writer_of(values), namer_of(places, detail.letters), extremes, is_numeric(places))
    notes = _notes(ax, series)
    bars = [one for one in series if one.kind == "bars"]
    sums = [together(bars)._replace(name="Together")] if is_stacked(bars) else []
    told = [_series(one, notes if len(series) == 1 else {}, ways, detail) for one in [*series, *sums]]
    if detail.is_brief and len(series) > 1:
        told = [_in_brief([*series, *sums], ways)]
    if len(series) > 1:
        told += _beside(ax, series, notes, ways, detail)
    elif any("(" in note or f"({note})" in told[0] for note in notes.values()) and (meaning := meaning_of_texts(ax)):
        told.append(f"In brackets: {meaning}.")
    marked = [ways.name(place) for place in marked_places(ax)]
    set_off = looks(ax, [(mark, ways.name(mark.place)) for mark in judged(series)], detail)
    return [_head(ax, series), *told, *set_off, *across(ax, ways.write), *(f"Marked: {one}." for one in marked)]


def _are_paths(series: Sequence[Series]) -> bool:
    """Say whether there are only lines without names: each is named by what is written at its ends."""
    return len(series) > 1 and all(one.kind == "line" and not one.name for one in series)


def _axes(ax: Axes) -> tuple[Axis, Axis]:
    """Return the axis of values and the axis of places."""
    return (ax.xaxis, ax.yaxis) if is_across(ax) else (ax.yaxis, ax.xaxis)


def _head(ax: Axes, series: Sequence[Series]) -> str:
    values, places = _axes(ax)
    kinds = [one.kind for one in series]
    words = [_KINDS[kind] + ("s" if kind in ("line", "steps") and kinds.count(kind) > 1 else "") for kind in kinds]
    drawn = ("stacked " if is_stacked(series) else "") + listed(dict.fromkeys(words))
    scale = f" ({' to '.join(names_of(values).values())})" if names_of(values) else ""
    spans = f" ({' and '.join(names_of(places).values())})" if _are_paths(series) else ""
    intervals = ", with 95 % intervals" if "95 % interval" in subtitle_of(ax) and _has_intervals(ax) else ""
    of, by = lowered(values.get_label_text()), lowered(places.get_label_text())
    return f"{drawn[:1].upper()}{drawn[1:]}: {of}{scale} by {by}{spans}{intervals}."


def _has_intervals(ax: Axes) -> bool:
    kinds = (LineCollection, FillBetweenPolyCollection)
    return any(isinstance(one, kinds) and not label_of(one) for one in ax.collections)


def _series(series: Series, notes: Mapping[float, str], ways: Ways, detail: Detail) -> str:
    """Return a sentence about a series: all of its few marks, else the ends and extremes of many."""
    marks = [mark for mark in series.marks if not math.isnan(mark.value) or mark.place in notes]
    told = [_merged(mark, ways.write(mark.value), notes.get(mark.place, "")) for mark in marks]
    names = [ways.name(mark.place) for mark in marks]
    name = f"{short(series.name, detail.letters)}, " if series.name else ""
    head = f"{name}{counted(len(marks), _NOUNS[series.kind])}"
    where = "from" if ways.has_numbers_for_places and series.kind in ("bars", "steps") else "at"
    if len(marks) <= detail.marks:
        # A number would run into the number that follows.
        is_worded = not ways.has_numbers_for_places and all(any(map(str.isalpha, one)) for one in names)
        named = [f"from {one}" if where == "from" else one for one in names]
        pairs = zip(named, told, strict=True)
        return f"{head}: {'; '.join(f'{one} {text}' if is_worded else f'{one}: {text}' for one, text in pairs)}."
    if len(set(told)) == 1:
        return f"{head}, {names[0]} to {names[-1]}, all {told[0]}."
    parts = [
        f"{' and '.join(roles)} {told[number]} {where} {names[number]}{f' and {count(ties)} more' if ties else ''}"
        for number, roles, ties in _ends_and_extremes([mark.value for mark in marks], ways)
    ]
    return f"{head}: {'; '.join(parts)}."


def _in_brief(series: Sequence[Series], ways: Ways) -> str:
    """Return one sentence about several series: the ends and extremes of each, the places of their ends once."""
    told, rows = [], [[mark for mark in one.marks if not math.isnan(mark.value)] for one in series]
    for one, marks in zip(series, rows, strict=True):
        known = [mark.value for mark in marks]
        first, last, low, high = map(ways.write, (known[0], known[-1], min(known), max(known)))
        between = "" if {low, high} == {first, last} else f", {ways.extremes[0]} {low}, {ways.extremes[1]} {high}"
        told.append(f"{one.name} all {low}" if low == high else f"{one.name} {first} to {last}{between}")
    most = max(rows, key=len)
    each = f"{'' if len(most) == min(map(len, rows)) else 'Up to '}{counted(len(most), 'value')} each"
    return f"{each}, {ways.name(most[0].place)} to {ways.name(most[-1].place)}: {'; '.join(told)}."


def _ends_and_extremes(values: Sequence[float], ways: Ways) -> list[tuple[int, list[str], int]]:
    """Return which marks are told, as what, and how many others are as low or as high."""
    roles: dict[int, list[str]] = {0: ["first"], len(values) - 1: ["last"]}
    ties = dict.fromkeys(roles, 0)
    known = [value for value in values if not math.isnan(value)]
    for role, value in zip(ways.extremes, (min(known), max(known)) if known else (), strict=False):
        same = [number for number, one in enumerate(values) if one == value]
        chosen = next((number for number in same if number in roles), same[0])
        roles.setdefault(chosen, []).append(role)
        ties[chosen] = len(same) - 1
    return [(number, of, ties[number]) for number, of in roles.items()]


def _merged(mark: Mark, value: str, note: str) -> str:
    """Return a value and what is written beside it, once where both say the same."""
    if not note or not value or math.isnan(mark.value):
        return note or value
    return note if _repeats(mark, value, note) else f"{value} ({note})"


def _repeats(mark: Mark, value: str, note: str) -> bool:
    forms = (value, count(abs(mark.value)), decimal(abs(mark.value), 2))
    return any(re.match(rf"[-+\u2212]?{re.escape(form)}(?![\d.,]*\d)", note) for form in forms)


def _notes(ax: Axes, series: Sequence[Series]) -> dict[float, str]:
    """Return what is written beside marks, by the place of the nearest mark."""
    places = [mark.place for one in series for mark in one.marks]
    notes: dict[float, str] = {}
    for x, y, text in texts_of(ax):
        at = y if is_across(ax) else x
        nearest = min(places, key=lambda place: abs(place - at), default=at)
        notes[nearest] = f"{notes[nearest]}; {text}" if nearest in notes else text
    return notes


def _beside(ax: Axes, series: Sequence[Series], notes: Mapping[float, str], ways: Ways, detail: Detail) -> list[str]:
    """Return a sentence of what is written beside the marks of several series, unless it repeats their values."""
    marks = [(mark, ways.write(mark.value)) for one in series for mark in one.marks if not math.isnan(mark.value)]
    left = [
        f"{ways.name(place)} {note}"
        for place, note in notes.items()
        if not any(abs(mark.place - place) < 0.5 and _repeats(mark, value, note) for mark, value in marks)
    ]
    if not left:
        return []
    meaning = meaning_of_texts(ax)
    shown = left if len(left) <= detail.marks else [left[0], left[-1]]
    return [f"Beside{f' ({meaning})' if meaning else ''}: {'; '.join(shown)}."]


def _paths(ax: Axes, paths: Sequence[Series], detail: Detail) -> list[str]:
    """Return sentences about lines that are named by what is written at their ends."""
    at = {(x, y): text for x, y, text in texts_of(ax)}
    ends = [[short(at.get((mark.place, mark.value), ""), detail.letters) for mark in one.marks] for one in paths]
    told = f"{counted(len(paths), 'line')}: {'; '.join(f'{one[0]} to {one[-1]}' for one in ends)}."
    marks = [(one.marks[-1], end[-1]) for one, end in zip(paths, ends, strict=True)]
    return [told, *looks(ax, marks, detail)]
