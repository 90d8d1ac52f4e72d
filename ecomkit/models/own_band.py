"""Where a headline may lie next week, told from its own weeks before."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from scipy import stats
from scipy.special import expit, logit

# The newest weeks that a band stands on, and the fewest.
WEEKS, FEWEST = 12, 8
# Chance that each of the two intervals holds the next week, where the weeks are as it takes them.
LEVEL = 0.998


def own_band(past: Sequence[float | None], unit: str) -> tuple[float, float] | None:
    """Return the lowest and the highest value that a headline's past lets expect of the week after it.

    Two prediction intervals of Student's t make the band, and it covers both. One takes the weeks as scattered about
    their mean; the other takes each week as starting from the one before, as windows of 13 weeks, cohorts and a growing
    shop do. A week outside both is neither like the others nor near the last one. Money and counts are judged by their
    logarithms, rates by their log odds; money, counts and rates that touch an end of their scale are judged as they
    are. The band never leaves the scale of the unit.

    Parameters
    ----------
    past
        The weeks before, oldest first. The unbroken run of known weeks at its end counts, as far as `WEEKS` back.
    unit
        `money`, `count`, `rate` or `days`, as headlines have it.

    Returns
    -------
    tuple or None
        The two ends, a value at either of which is within; None with fewer than `FEWEST` known weeks in a row before,
        or where all of them are equal: what never moved has shown no band.
    """
    known = _newest_run(past)
    if len(known) < FEWEST or np.ptp(known) == 0:
        return None
    there, back = _scale(known, unit)
    weeks = there(known)
    levels = _reach(len(weeks) - 1) * weeks.std(ddof=1) * np.sqrt(1 + 1 / len(weeks))
    steps = np.diff(weeks)
    near = _reach(len(steps)) * np.sqrt(np.mean(steps**2))
    low = back(min(weeks.mean() - levels, weeks[-1] - near))
    high = back(max(weeks.mean() + levels, weeks[-1] + near))
    if unit == "rate":
        low, high = max(low, 0.0), min(high, 1.0)
    if unit in ("count", "days"):
        low = max(low, 0.0)
    return float(low), float(high)


def _newest_run(past: Sequence[float | None]) -> np.ndarray:
    """Return the known weeks at the end of the past, back to the first unknown one."""
    run = []
    for value in reversed(past[-WEEKS:]):
        if value is None:
            break
        run.append(value)
    return np.array(run[::-1], dtype="float64")


def _scale(known: np.ndarray, unit: str):
    """Return what takes values to the scale on which they scatter evenly, and what takes them back."""
    if unit == "rate" and known.min() > 0 and known.max() < 1:
        return logit, expit
    if unit != "rate" and known.min() > 0:
        return np.log, np.exp
    return np.asarray, float


@cache
def _reach(degrees: int) -> float:
    return float(stats.t.ppf((1 + LEVEL) / 2, degrees))
