"""The headline tiles of the index: value, interval, 13 weeks as a line, verdict."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ecomkit.headlines import form_of
from ecomkit.metrics.cards import card_name
from ecomkit.words import counted, interval

MARKS = {"up": "▲", "down": "▼", "within noise": "≈", "cannot tell": "?"}
# Size of a sparkline, and the rim that keeps its dot inside.
_WIDTH, _HEIGHT, _RIM = 200, 36, 4


class Sparkline(NamedTuple):
    """A line through the weeks: its unbroken stretches and the last week's dot as SVG coordinates, and it in words."""

    stretches: list[str]
    dot: tuple[float, float] | None
    words: str


def tiles(headlines: Sequence[Mapping[str, Any]], currency: str) -> list[dict[str, Any]]:
    """Return the headlines as the index shows them: what is compared comes first."""
    return [_tile(entry, currency) for entry in sorted(headlines, key=lambda entry: entry["verdict"] is None)]


def _tile(entry: Mapping[str, Any], currency: str) -> dict[str, Any]:
    form = form_of(entry, currency)
    has_interval = entry["low"] is not None and entry["high"] is not None
    return {
        "label": entry["label"],
        "card": card_name(entry["name"]),
        "value": form(entry["value"]),
        "interval": interval(entry["low"], entry["high"], form) if has_interval else "",
        "before": "" if entry["before"] is None else form(entry["before"]),
        "against": entry["against"][:1].upper() + entry["against"][1:],
        "sparkline": sparkline(entry.get("history", ()), form),
        "verdict": entry["verdict"],
        "mark": MARKS.get(entry["verdict"], ""),
        "definition": entry["definition"],
        "across": counted(len(entry["across"]), "break") if entry["across"] else "",
    }


def sparkline(history: Sequence[Mapping[str, Any]], form: Callable[[float | None], str]) -> Sparkline | None:
    """Return the line through a headline's weeks, None where fewer than two are known.

    A week that is not known breaks the line. The scale runs from the lowest to the
    highest week, so it shows movement and no proportion; the words say both ends.

    Parameters
    ----------
    history
        `week` and `value` of each week, oldest first.
    form
        What writes a value.
    """
    known = [one for one in history if one["value"] is not None]
    if len(known) < 2:
        return None
    lowest, highest = (end(known, key=lambda one: one["value"]) for end in (min, max))
    height = (highest["value"] - lowest["value"]) or 1.0
    step = (_WIDTH - 2 * _RIM) / (len(history) - 1)
    stretches: list[list[tuple[float, float]]] = [[]]
    for number, one in enumerate(history):
        if one["value"] is None:
            stretches.append([])
            continue
        share = (one["value"] - lowest["value"]) / height if highest["value"] > lowest["value"] else 0.5
        stretches[-1].append((round(_RIM + number * step, 1), round(_HEIGHT - _RIM - share * (_HEIGHT - 2 * _RIM), 1)))
    ends = [f"{word} {form(one['value'])} in {one['week']}" for word, one in (("lowest", lowest), ("highest", highest))]
    return Sparkline(
        stretches=[" ".join(f"{x},{y}" for x, y in points) for points in stretches if points],
        dot=stretches[-1][-1] if stretches[-1] else None,
        words=f"{counted(len(history), 'week')} to {history[-1]['week']}: {', '.join(ends)}.",
    )


def in_words(row: Mapping[str, Any], headlines: Sequence[Mapping[str, Any]], currency: str) -> dict[str, str]:
    """Return a restated figure as readers see it: its headline's label, both values, and the reason.

    Parameters
    ----------
    row
        A row of what the report restates: `name`, `week`, `published`, `now`, `reason`.
    headlines
        Those of the report.
    currency
        The shop's.
    """
    entry = next(one for one in headlines if one["name"] == row["name"])
    published, now = (form_of(entry | {"value": row[when]}, currency)(row[when]) for when in ("published", "now"))
    return {"label": entry["label"], "week": row["week"], "published": published, "now": now, "reason": row["reason"]}
