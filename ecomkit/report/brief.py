"""brief.md: the week in a few lines, for mail or chat."""

import re
from collections.abc import Mapping
from typing import Any

from ecomkit.headlines import form_of
from ecomkit.report.index import notices
from ecomkit.report.movements import Movement, movements
from ecomkit.report.tiles import MARKS, in_words
from ecomkit.report.week_report import WeekReport, span
from ecomkit.words import LONGEST_TEXT, counted, interval, short

_MOST_RESTATED = 5
# What Markdown would take for its own, addresses that readers turn into links included.
_MARKUP = re.compile(r"&(?=#?\w+;)|[\\`*_<>#|~@]|(?<=\])[(\[:]|:(?=//)|(?<=\bwww)\.", re.IGNORECASE)


def brief(report: WeekReport) -> str:
    """Return the week as Markdown: alerts first, then the three lines, the light, the headlines, what was restated.

    Names from outside appear letter by letter.
    """
    moved = movements(report)
    blocks = [
        [f"# {plain(report.shop)}, week {report.period.label}", f"From {span(report.period)}."],
        [f"- **Alert.** {plain(alert['sentence'])}" for alert in report.alerts],
        [f"- {plain(notice)}" for notice in notices(report)],
        [f"{number}. {_line(movement)}" for number, movement in enumerate(moved, start=1)]
        or ["Nothing is compared here, or on too few people to say what moved."],
        [f"Data: **{report.light.colour}**.", *(f"- {plain(reason)}" for reason in report.light.reasons)],
        [_headline(entry, report.currency) for entry in report.headlines],
        _restated(report),
        ["The pages: index.html. What each number means: metrics.html."],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _line(movement: Movement) -> str:
    check = f" Next: {movement.check}" if movement.check else ""
    return f"{plain(movement.sentence)} {movement.severity.capitalize()}; {movement.confidence}.{check}"


def _headline(entry: Mapping[str, Any], currency: str) -> str:
    form = form_of(entry, currency)
    has_ends = entry["low"] is not None and entry["high"] is not None
    ends = f" (95 %: {interval(entry['low'], entry['high'], form)})" if has_ends else ""
    verdict = f", {MARKS[entry['verdict']]} {entry['verdict']}" if entry["verdict"] else ""
    return f"- {plain(entry['label'])}: **{form(entry['value'])}**{ends}{verdict}"


def _restated(report: WeekReport) -> list[str]:
    if not report.restated:
        return []
    told = [in_words(row, report.headlines, report.currency) for row in report.restated]
    lines = [f"- {plain(row['label'])}, {row['week']}: {row['published']}, now {row['now']}" for row in told]
    more = len(lines) - _MOST_RESTATED
    return ["Restated since they were published:", *lines[:_MOST_RESTATED]] + (
        [f"- and {counted(more, 'figure')} more, on index.html"] if more > 0 else []
    )


def plain(text: str) -> str:
    """Return Markdown that shows a text letter by letter, and reads well where Markdown is not known."""
    return _MARKUP.sub(r"\\\g<0>", short(text, LONGEST_TEXT))
