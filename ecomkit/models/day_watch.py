"""Going through the days of many series at once, each against what is usual until then."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ecomkit.models.break_rules import Rule
from ecomkit.models.weekday_norm import Comparison, WeekdayNorm

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
    watch = _Watch(counts, weekdays, known, rule, WeekdayNorm(series), np.zeros((days, series), dtype=bool))
    for day in range(days):
        if known[day]:
            watch.look_at(day)
        watch.broken[day, list(watch.under_way)] = True
        watch.learn(day)
    return Watched(_joined(watch.over + list(watch.under_way.values())), watch.broken, watch.norm)


@dataclass
class _Watch:
    """A watch at work: the breaks under way and those over, and how strong each series' break was on the last day."""

    counts: np.ndarray
    weekdays: np.ndarray
    known: np.ndarray
    rule: Rule
    norm: WeekdayNorm
    broken: np.ndarray
    under_way: dict[int, Span] = field(default_factory=dict)
    over: list[Span] = field(default_factory=list)
    last_held: dict[int, int] = field(default_factory=dict)
    held_before: np.ndarray | None = None

    def look_at(self, day: int) -> None:
        today = self.norm.compare([self.weekdays[day]], self.counts[:, day])
        holds = self.rule.strength(today) >= _HOLDS - _TINY
        quiet = np.ones(len(holds), dtype=bool)
        quiet[list(self.under_way)] = False
        self._end(day, holds, today)
        begun = quiet & holds & self.rule.begins(today)
        self._begin(day, begun, today)
        doubtful = quiet & holds & ~begun
        if day and self.known[day - 1] and doubtful.any():
            both = [self.weekdays[day - 1], self.weekdays[day]]
            pair = self.norm.compare(both, self.counts[:, day - 1] + self.counts[:, day])
            self._begin(day, doubtful & self.rule.begins(pair), pair)
        self.held_before = holds

    def _end(self, day: int, holds: np.ndarray, today: Comparison) -> None:
        for number in list(self.under_way):
            if holds[number]:
                self.last_held[number] = day
            elif today.whole[number] > 0:
                # A series without a call today would say nothing of its break.
                self.over.append(self.under_way.pop(number)._replace(last=self.last_held[number]))

    def _begin(self, day: int, begun: np.ndarray, seen: Comparison) -> None:
        if not begun.any():
            return
        expected, observed = self.rule.measure(seen)
        for number in np.flatnonzero(begun).tolist():
            held = day > 0 and self.known[day - 1] and self.held_before[number] and not self.broken[day - 1, number]
            first = day - 1 if held else day
            self.broken[first, number], self.last_held[number] = True, day
            self.under_way[number] = Span(number, first, None, day, float(expected[number]), float(observed[number]))

    def learn(self, day: int) -> None:
        before = day - 1
        if day and self.known[before]:
            # A day later, so that a break that only two days show together is not among what is usual.
            clean = ~self.broken[before] | _comes_weekly(self.broken, before)
            self.norm.learn(self.weekdays[before], self.counts[:, before], clean)
        for number, span in list(self.under_way.items()):
            if day - span.first + 1 == NEW_NORM_DAYS:
                self.over.append(self.under_way.pop(number))
                self._learn_anew(number, day)

    def _learn_anew(self, number: int, day: int) -> None:
        """Forget what was usual before the break of one series; what its last four weeks show is usual now."""
        only = np.arange(self.counts.shape[2]) == number
        self.norm.forget(number)
        for earlier in range(day - NEW_NORM_DAYS + 1, day):
            if self.known[earlier]:
                self.norm.learn(self.weekdays[earlier], self.counts[:, earlier], only)


def _comes_weekly(broken: np.ndarray, day: int) -> np.ndarray:
    """Say which series broke on this day as a week before, and were whole in between: that is their week."""
    if day < 7 or not broken[day].any():
        return np.zeros(broken.shape[1], dtype=bool)
    return broken[day] & broken[day - 7] & ~broken[day - 6 : day].all(axis=0)


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
