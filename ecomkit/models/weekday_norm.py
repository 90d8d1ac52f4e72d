"""What a day is usually like: the last clean days of its weekday, as parts of a whole.

A newsletter that goes out on Mondays and a shop that is closed on Sundays are like
themselves a week before, not like the day before.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

# Four weeks: long enough to see how days differ by chance, short enough to follow a season.
WEEKS = 4
# What a series did on fewer days says too little of the next.
FEWEST_DAYS = 14
# Below this z nothing is worth a second look.
NOTABLE_Z = 3.0
# A weekday is known by two of its days or more.
_FEWEST_OF_A_WEEKDAY = 2


class Comparison(NamedTuple):
    """Days against what is usual on them, per series: counts of the part and of the rest, and how unlikely that is.

    Where too little is known, nothing is usual and `z` is 0.
    """

    part: np.ndarray
    rest: np.ndarray
    usual_part: np.ndarray
    usual_rest: np.ndarray
    unsigned_z: Callable[[], np.ndarray]

    @property
    def z(self) -> np.ndarray:
        """Signed root of the likelihood ratio for one share in both, over the dispersion of the usual days.

        Above 0 where the part is larger than usual. It takes most of the time of a comparison, and most
        days differ too little for anyone to ask: it is computed when asked for, before the norm learns more.
        """
        z = self.unsigned_z()
        return np.where(self.part * self.usual_rest >= self.rest * self.usual_part, z, -z)

    @property
    def whole(self) -> np.ndarray:
        """Part and rest."""
        return self.part + self.rest

    @property
    def usual_whole(self) -> np.ndarray:
        """Part and rest of the usual days."""
        return self.usual_part + self.usual_rest

    @property
    def share(self) -> np.ndarray:
        """Part of the whole."""
        return divided(self.part, self.whole)

    @property
    def usual_share(self) -> np.ndarray:
        """Part of the whole on the usual days."""
        return divided(self.usual_part, self.usual_whole)

    @property
    def per_rest(self) -> np.ndarray:
        """Part per rest: calls per session, say."""
        return divided(self.part, self.rest)

    @property
    def usual_per_rest(self) -> np.ndarray:
        """Part per rest on the usual days."""
        return divided(self.usual_part, self.usual_rest)


class WeekdayNorm:
    """The last four clean days of each weekday, for many series at once."""

    def __init__(self, series: int) -> None:
        # Axes: the part and the rest; weekday; how many of its days ago; series. Zero where nothing is known.
        self.counts = np.zeros((2, 7, WEEKS, series))
        self.is_known = np.zeros((7, WEEKS, series), dtype=bool)
        # Whole over usual whole, of each of the last seven clean days.
        self.recent = np.ones((7, series))
        self._level = np.ones(series)
        # Of each weekday: how many of its days are known, and their mean.
        self._known_days, self._means = np.zeros((7, series), dtype=int), np.zeros((2, 7, series))

    def learn(self, weekday: int, counts: np.ndarray, clean: np.ndarray) -> None:
        """Take in one day, part and rest of each series, for the series that are clean."""
        held, known = self.counts[:, weekday], self.is_known[weekday]
        usual = self._means[:, weekday].sum(axis=0)
        latest = divided(counts.sum(axis=0), usual)
        told = clean & self._enough([weekday]) & (usual > 0)
        self.recent = np.where(told, np.concatenate([latest[None], self.recent[:-1]]), self.recent)
        # How much more than usual came of late: at Christmas a day is like its weekday, and a busier one. The median
        # of a week, which a single day of crowds does not move.
        self._level = np.partition(self.recent, 3, axis=0)[3]
        self.counts[:, weekday] = np.where(clean, np.concatenate([counts[:, None], held[:, :-1]], axis=1), held)
        self.is_known[weekday] = np.where(clean, np.concatenate([clean[None], known[:-1]]), known)
        self._known_days[weekday] = self.is_known[weekday].sum(axis=0)
        self._means[:, weekday] = self.counts[:, weekday].sum(axis=1) / np.maximum(self._known_days[weekday], 1)

    def forget(self, series: int) -> None:
        """Drop what is known of one series."""
        self.counts[..., series], self.is_known[..., series], self.recent[..., series] = 0.0, False, 1.0
        self._level[series], self._known_days[:, series], self._means[..., series] = 1.0, 0, 0.0

    def known_days(self) -> np.ndarray:
        """Return how many days are known of each series."""
        return self._known_days.sum(axis=0)

    def compare(self, weekdays: list[int], counts: np.ndarray) -> Comparison:
        """Set the sums of a few days, part and rest of each series, beside the usual days of their weekdays."""
        enough = self._enough(weekdays)
        usual = np.where(enough, self._means[:, weekdays].sum(axis=1) * self._level, 0.0)

        def unsigned_z() -> np.ndarray:
            z = np.sqrt(likelihood_ratio(counts, self.counts[:, weekdays].sum(axis=(1, 2)))) * enough
            # Dispersion only makes z smaller: what is small already is left as it is, to save time.
            notable = np.flatnonzero(z >= NOTABLE_Z)
            if len(notable):
                z[notable] /= np.sqrt(self.dispersion(notable))
            return z

        return Comparison(*counts, *usual, unsigned_z)

    def dispersion(self, series: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Return how much more clean days differ than draws from one share per weekday would; at least 1."""
        part, known = self.counts[0][..., series], self.is_known[..., series]
        whole = part + self.counts[1][..., series]
        share = divided(part.sum(axis=1), whole.sum(axis=1))[:, None]
        squares = divided((part - whole * share) ** 2, whole * share * (1 - share)).sum(axis=(0, 1))
        freedom = known.sum(axis=(0, 1)) - known.any(axis=1).sum(axis=0)
        return np.maximum(1.0, squares / np.maximum(freedom, 1))

    def _enough(self, weekdays: list[int]) -> np.ndarray:
        known = self._known_days[weekdays] >= _FEWEST_OF_A_WEEKDAY
        return known.all(axis=0) & (self.known_days() >= FEWEST_DAYS)


def likelihood_ratio(counts: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """Return twice the log-likelihood that two shares gain over one, both with the uncertainty of their counts."""
    observed = np.stack([counts, usual])
    wholes = observed.sum(axis=1, keepdims=True)
    expected = divided(wholes * observed.sum(axis=0, keepdims=True), wholes.sum(axis=0, keepdims=True))
    safe = (observed > 0) & (expected > 0)
    terms = observed * np.log(np.where(safe, observed, 1.0) / np.where(safe, expected, 1.0))
    return np.maximum(0.0, 2 * np.where(safe, terms, 0.0).sum(axis=(0, 1)))


def divided(above: np.ndarray, below: np.ndarray, *, without: float = 0.0) -> np.ndarray:
    """Return above / below, and `without` where there is nothing to divide by."""
    some = below > 0
    return np.where(some, above / np.where(some, below, 1.0), without)
