"""Whether a number moved: from the sums that the metrics carry.

As with the intervals, people and not rows are what varies. A number has moved
where the 95 % interval of the difference lies on one side of zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from ecomkit.metrics.limits import (
    Z,
    cost_limits,
    divide,
    effective_n,
    floats,
    mean_limits,
    mean_variance,
    rate_limits,
    read_sums,
    read_total,
    total_limits,
)

Verdict = Literal["up", "down", "within noise", "cannot tell"]


@dataclass(frozen=True)
class Comparison:
    """A number with its interval, the same number before, and whether it moved.

    What is not known is NaN. `across` are the breaks in tracking, in words, that lie in one of
    the two: what moved may be the tracking.
    """

    value: float
    low: float
    high: float
    before: float
    difference_low: float
    difference_high: float
    p_value: float
    verdict: Verdict
    across: tuple[str, ...] = ()


def compare_rates(row, row_before, rate: str, *, min_group: int = 30, across: Sequence[str] = ()) -> Comparison:
    """Compare a rate with the same rate before.

    Parameters
    ----------
    row, row_before
        One row each of a metric with its sums (a Series or mapping), or None
        where there is no data.
    rate
        The rate's name.
    min_group
        Fewest clusters, on both sides, for a verdict.
    across
        Breaks in tracking that lie in one of the two, in words.
    """

    def read(one):
        sums = read_sums(one, rate)
        [low], [high] = rate_limits(sums)
        x, n, effective = sums["numerator"][0], sums["denominator"][0], effective_n(sums)[0]
        if not n > 0:
            return _Side(np.nan, np.nan, np.nan, np.nan, 0)
        # One hit and one miss added (Agresti and Caffo): a rate of 0 is not without variance.
        middle = (x / n * effective + 1) / (effective + 2)
        return _Side(x / n, low, high, middle * (1 - middle) / (effective + 2), sums["clusters"][0])

    return _compare(row, row_before, read, lambda now, before: min(now, before) >= min_group, across)


def compare_means(row, row_before, mean: str, *, min_group: int = 30, across: Sequence[str] = ()) -> Comparison:
    """Compare a mean, such as the average order value, with the same mean before.

    Parameters
    ----------
    row, row_before
        One row each of a metric with its sums (a Series or mapping), or None
        where there is no data.
    mean
        The mean's name.
    min_group
        Fewest clusters, on both sides, for a verdict.
    across
        Breaks in tracking that lie in one of the two, in words.
    """

    def read(one):
        sums = read_sums(one, mean)
        [low], [high] = mean_limits(sums)
        value = divide(sums["numerator"], sums["denominator"])[0]
        return _Side(value, low, high, mean_variance(sums)[0], sums["clusters"][0])

    return _compare(row, row_before, read, lambda now, before: min(now, before) >= min_group, across)


def compare_totals(row, row_before, total: str, *, min_group: int = 30, across: Sequence[str] = ()) -> Comparison:
    """Compare a total, such as revenue or orders, with the same total before.

    Parameters
    ----------
    row, row_before
        One row each of a metric with its sums (a Series or mapping), or None
        where there is no data. A total without `<total>_squares` is a count.
    total
        The total's name.
    min_group
        Fewest clusters, on at least one side, for a verdict: a total that
        falls to nothing has moved.
    across
        Breaks in tracking that lie in one of the two, in words.
    """

    def read(one):
        values, squares, clusters = read_total(one, total)
        [low], [high] = total_limits(values, squares)
        return _Side(values[0], low, high, squares[0], clusters[0])

    return _compare(row, row_before, read, lambda now, before: max(now, before) >= min_group, across)


def compare_costs(
    row,
    row_before,
    cost: str = "cac",
    *,
    spend: str = "spend",
    count: str = "new_customers",
    min_group: int = 30,
    across: Sequence[str] = (),
) -> Comparison:
    """Compare a cost per head, such as CAC, with the same cost before.

    Parameters
    ----------
    row, row_before
        One row each with the columns named below, or None where there is no
        data.
    cost
        The cost's name.
    spend, count
        The columns that it is the ratio of.
    min_group
        Smallest count, on both sides, for a verdict.
    across
        Breaks in tracking that lie in one of the two, in words.
    """

    def read(one):
        money, heads = floats(one[spend]), floats(one[count])
        [low], [high] = cost_limits(money, heads)
        value = floats(one[cost])
        return _Side(value[0], low, high, divide(value**2, heads)[0], heads[0])

    return _compare(row, row_before, read, lambda now, before: min(now, before) >= min_group, across)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for looking at many numbers at once; unknown ones stay NaN.

    Calling those below 0.05 a find keeps the expected share of false finds
    under 5 %.
    """
    given = np.asarray(p_values, dtype=float)
    known = ~np.isnan(given)
    adjusted = np.full(given.shape, np.nan)
    if known.any():
        adjusted[known] = stats.false_discovery_control(given[known], method="bh")
    return [float(value) for value in adjusted]


@dataclass(frozen=True)
class _Side:
    value: float
    low: float
    high: float
    variance: float
    clusters: float


_UNKNOWN = _Side(np.nan, np.nan, np.nan, np.nan, 0)


def _compare(row, row_before, read, enough, across: Sequence[str]) -> Comparison:
    now = _UNKNOWN if row is None else read(row)
    before = _UNKNOWN if row_before is None else read(row_before)
    difference = now.value - before.value
    error = float(np.sqrt(now.variance + before.variance))
    low, high = difference - Z * error, difference + Z * error
    p_value = float(2 * stats.norm.sf(abs(difference) / error)) if error > 0 else np.nan
    if row is None or row_before is None or np.isnan(p_value) or not enough(now.clusters, before.clusters):
        verdict: Verdict = "cannot tell"
    elif low > 0:
        verdict = "up"
    else:
        verdict = "down" if high < 0 else "within noise"
    numbers = (now.value, now.low, now.high, before.value, low, high, p_value)
    return Comparison(*(float(number) for number in numbers), verdict, tuple(across))
