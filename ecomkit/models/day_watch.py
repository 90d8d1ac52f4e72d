"""Going through the days of many series at once, each against what is usual until then."""

from typing import NamedTuple

import numpy as np

from ecomkit.models.break_rules import Rule
from ecomkit.models.weekday_norm import WeekdayNorm

# As long as a day is this much of a break, in the rule's strength, the break holds on.
_HOLDS = 0.5
# What has lasted for four weeks is what is usual.
NEW_NORM_DAYS = 28
# A thin series may look whole for a day or two within a break.
_PAUSE_DAYS = 2
# So that an edge that is met exactly is met in binary fractions too.
_TINY = 1e-9


class Span(NamedTuple):
    """A break of one series, in numbers of days: `last` is None where it has not ended.

    `found` is the day after which it was known; `expected` and `observed` are
    the rule's measure of then.
    """

    series: int
    first: int
    last: int | None
    found: int
    expected: float
    observed: float


class Watched(NamedTuple):
    """The breaks that a rule found, whether each day was part of one, by series, and what is usual at the end."""

    spans: list[Span]
    broken: np.ndarray
    norm: WeekdayNorm


def watch(counts: np.ndarray, weekdays: np.ndarray, known: np.ndarray, rule: Rule) -> Watched:
    """Find the breaks of one kind.

    Each day, and each day with the one before it, is set beside the last four
    clean days of its weekday. Days of a break are not clean; a break that has
    lasted for four weeks becomes the norm, and its end is not looked for.

    Parameters
    ----------
    counts
        Part and rest, by day, by series.
    weekdays
        The weekday of each day, 0 to 6.
    known
        Whether a day may be looked at: not where a break of another kind explains it.
    rule
        The kind to look for.
    """
    _two, days, series = counts.shape
    norm, broken = WeekdayNorm(series), np.zeros((days, series), dtype=bool)
    felt_before, last_felt = np.zeros(series), np.zeros(series, dtype=int)
    open_spans: dict[int, Span] = {}
    spans: list[Span] = []
    for day in range(days):
        is_open = np.isin(np.arange(series), list(open_spans))
        if known[day]:
            today = norm.compare([weekdays[day]], counts[:, day])
            felt = rule.strength(today)
            holds = felt >= _HOLDS - _TINY
            last_felt[holds] = day
            # A series without a call today says nothing of its break.
            for number in np.flatnonzero(is_open & ~holds & (today.whole > 0)):
                spans.append(open_spans.pop(number)._replace(last=int(last_felt[number])))
            found = ~is_open & holds & rule.begins(today)
            views = [(found, today)]
            if day and known[day - 1]:
                pair = norm.compare([weekdays[day - 1], weekdays[day]], counts[:, day - 1] + counts[:, day])
                views.append((~is_open & holds & ~found & rule.begins(pair), pair))
            for begun, seen in views:
                expected, observed = rule.measure(seen)
                for number in np.flatnonzero(begun):
                    began_before = day > 0 and felt_before[number] >= _HOLDS - _TINY and not broken[day - 1, number]
                    first = day - 1 if began_before else day
                    broken[first, number] = True
                    open_spans[number] = Span(
                        number, first, None, day, float(expected[number]), float(observed[number])
                    )
            felt_before = felt
        else:
            felt_before = np.zeros(series)
        broken[day, list(open_spans)] = True
        if day and known[day - 1]:
            # A day later, so that a break that two days show together is not among what is usual.
            norm.learn(weekdays[day - 1], counts[:, day - 1], ~broken[day - 1] | _comes_weekly(broken, day - 1))
        for number in [number for number, span in open_spans.items() if day - span.first + 1 >= NEW_NORM_DAYS]:
            spans.append(open_spans.pop(number))
            _learn_anew(norm, number, counts[:, : day + 1], weekdays, known)
    return Watched(_joined(spans + list(open_spans.values())), broken, norm)


def _comes_weekly(broken: np.ndarray, day: int) -> np.ndarray:
    """Say which series broke on this day as a week before, and were whole in between: that is their week."""
    if day < 7:
        return np.zeros(broken.shape[1], dtype=bool)
    return broken[day] & broken[day - 7] & ~broken[day - 6 : day].all(axis=0)


def _learn_anew(norm: WeekdayNorm, number: int, counts: np.ndarray, weekdays: np.ndarray, known: np.ndarray) -> None:
    """Forget what was usual before the break of one series; what its last four weeks show is usual now."""
    only = np.arange(counts.shape[2]) == number
    norm.forget(number)
    end = counts.shape[1]
    for day in range(end - NEW_NORM_DAYS, end - 1):
        if known[day]:
            norm.learn(weekdays[day], counts[:, day], only)


def _joined(spans: list[Span]) -> list[Span]:
    """Join breaks of one series with a pause so short that it is none."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.series, span.first)):
        before = joined[-1] if joined else None
        has_ended = before is not None and before.series == span.series and before.last is not None
        if has_ended and span.first - before.last - 1 <= _PAUSE_DAYS:
            joined[-1] = before._replace(last=span.last)
        else:
            joined.append(span)
    return joined
