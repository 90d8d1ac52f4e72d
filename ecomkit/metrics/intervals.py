"""How sure a number is, and whether it moved: from the sums that the metrics carry.

Every interval is a 95 % interval. People, not rows, are what varies: the sums
are per person, so that one keen visitor does not look like many.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import stats

from ecomkit.errors import TableError, quoted
from ecomkit.metrics.ratio import SUMS

LEVEL = 0.95
_TAIL = (1 - LEVEL) / 2
_Z = float(stats.norm.ppf(1 - _TAIL))

Verdict = Literal["up", "down", "within noise", "cannot tell"]


@dataclass(frozen=True)
class Comparison:
    """A number with its interval, the same number before, and whether it moved.

    What is not known is NaN.
    """

    value: float
    low: float
    high: float
    before: float
    difference_low: float
    difference_high: float
    p_value: float
    verdict: Verdict


def add_rate_interval(frame, rate: str):
    """Add `<rate>_low` and `<rate>_high`, Wilson's limits on n / design effect.

    The design effect is how much wider the rate varies because one person has
    several rows; it is at least 1. With one row each it is 1, and the limits
    are Wilson's own.

    Parameters
    ----------
    frame
        Rows of a metric with its cluster sums, named as in `cluster_sums` or
        prefixed with the rate's name.
    rate
        The rate's name.
    """
    low, high = _rate_limits(_sums(frame, rate))
    return frame.assign(**{f"{rate}_low": low, f"{rate}_high": high})


def add_mean_interval(frame, mean: str):
    """Add `<mean>_low` and `<mean>_high`, by the delta method with the person as cluster.

    Null with fewer than two clusters.

    Parameters
    ----------
    frame
        Rows of a metric with its cluster sums, named as in `cluster_sums` or
        prefixed with the mean's name.
    mean
        The mean's name: a ratio of two totals such as `aov`.
    """
    low, high = _mean_limits(_sums(frame, mean))
    return frame.assign(**{f"{mean}_low": low, f"{mean}_high": high})


def add_total_interval(frame, total: str):
    """Add `<total>_low` and `<total>_high`, limits of a total that chance clusters add up to.

    The total is a sum over a Poisson number of clusters. Its gamma limits rest
    on the effective count, total squared / sum of squares; where every cluster
    adds 1, they are the exact Poisson limits. A sum whose clusters cancel out
    (effective count below 1) gets normal limits.

    Parameters
    ----------
    frame
        Rows of a metric with `<total>` and `<total>_squares`. A whole-number
        column without squares is a count of clusters that add 1 each.
    total
        The total's name.
    """
    values, squares, _clusters = _total_sums(frame, total)
    low, high = _total_limits(values, squares)
    if f"{total}_squares" in frame:
        # Without a single cluster nothing shows how much one brings.
        high = np.where(squares > 0, high, np.nan)
    return frame.assign(**{f"{total}_low": low, f"{total}_high": high})


def add_cost_interval(frame, cost: str = "cac", *, spend: str = "spend", count: str = "new_customers"):
    """Add `<cost>_low` and `<cost>_high`: spend over the exact Poisson limits of the count.

    The spend is known; how many customers it brought is chance. The upper limit
    is infinite, shown as null, without customers.

    Parameters
    ----------
    frame
        Rows with the columns named below.
    cost
        The cost per head's name.
    spend, count
        The columns that it is the ratio of.
    """
    low, high = _cost_limits(_floats(frame[spend]), _floats(frame[count]))
    return frame.assign(**{f"{cost}_low": low, f"{cost}_high": high})


def poisson_interval(count: int) -> tuple[float, float]:
    """Return the exact 95 % limits of the mean of a Poisson count."""
    values = np.atleast_1d(np.asarray(count, dtype=float))
    low, high = _total_limits(values, values)
    return float(low[0]), float(high[0])


def compare_rates(row, row_before, rate: str, *, min_group: int = 30) -> Comparison:
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
    """

    def read(one):
        sums = _sums(one, rate)
        [low], [high] = _rate_limits(sums)
        x, n, effective = sums["numerator"][0], sums["denominator"][0], _effective_n(sums)[0]
        if not n > 0:
            return _Side(np.nan, np.nan, np.nan, np.nan, 0)
        # One hit and one miss added (Agresti and Caffo): a rate of 0 is not without variance.
        middle = (x / n * effective + 1) / (effective + 2)
        return _Side(x / n, low, high, middle * (1 - middle) / (effective + 2), sums["clusters"][0])

    return _compare(row, row_before, read, lambda now, before: min(now, before) >= min_group)


def compare_means(row, row_before, mean: str, *, min_group: int = 30) -> Comparison:
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
    """

    def read(one):
        sums = _sums(one, mean)
        [low], [high] = _mean_limits(sums)
        value = _divide(sums["numerator"], sums["denominator"])[0]
        return _Side(value, low, high, _mean_variance(sums)[0], sums["clusters"][0])

    return _compare(row, row_before, read, lambda now, before: min(now, before) >= min_group)


def compare_totals(row, row_before, total: str, *, min_group: int = 30) -> Comparison:
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
    """

    def read(one):
        values, squares, clusters = _total_sums(one, total)
        [low], [high] = _total_limits(values, squares)
        return _Side(values[0], low, high, squares[0], clusters[0])

    return _compare(row, row_before, read, lambda now, before: max(now, before) >= min_group)


def compare_costs(
    row, row_before, cost: str = "cac", *, spend: str = "spend", count: str = "new_customers", min_group: int = 30
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
    """

    def read(one):
        money, heads = _floats(one[spend]), _floats(one[count])
        [low], [high] = _cost_limits(money, heads)
        value = _floats(one[cost])
        return _Side(value[0], low, high, _divide(value**2, heads)[0], heads[0])

    return _compare(row, row_before, read, lambda now, before: min(now, before) >= min_group)


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


def _compare(row, row_before, read, enough) -> Comparison:
    now = _UNKNOWN if row is None else read(row)
    before = _UNKNOWN if row_before is None else read(row_before)
    difference = now.value - before.value
    error = float(np.sqrt(now.variance + before.variance))
    low, high = difference - _Z * error, difference + _Z * error
    p_value = float(2 * stats.norm.sf(abs(difference) / error)) if error > 0 else np.nan
    if row is None or row_before is None or np.isnan(p_value) or not enough(now.clusters, before.clusters):
        verdict: Verdict = "cannot tell"
    elif low > 0:
        verdict = "up"
    else:
        verdict = "down" if high < 0 else "within noise"
    numbers = (now.value, now.low, now.high, before.value, low, high, p_value)
    return Comparison(*(float(number) for number in numbers), verdict)


def _rate_limits(sums: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    rate, n = _divide(sums["numerator"], sums["denominator"]), _effective_n(sums)
    middle = (rate + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z * np.sqrt(rate * (1 - rate) / n + (_Z / (2 * n)) ** 2) / (1 + _Z**2 / n)
    # Rounding must not put the limit of a rate of 0 or 1 beside it.
    return np.where(rate == 0, 0.0, middle - half), np.where(rate == 1, 1.0, middle + half)


def _effective_n(sums: Mapping[str, np.ndarray]) -> np.ndarray:
    """Rows / design effect: how many independent rows would say as much."""
    x, n = sums["numerator"], sums["denominator"]
    rate = _divide(x, n)
    binomial = rate * (1 - rate) * n
    # At 0 or 1 nothing shows how alike a person's rows are: take them as wholly alike.
    effect = np.where(binomial > 0, _divide(_residual_squares(sums), binomial), _divide(sums["denominator_squares"], n))
    return _divide(n, np.maximum(effect, 1.0))


def _mean_limits(sums: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    value, error = _divide(sums["numerator"], sums["denominator"]), np.sqrt(_mean_variance(sums))
    reach = stats.t.ppf(1 - _TAIL, np.maximum(sums["clusters"] - 1, 1)) * error
    return value - reach, value + reach


def _mean_variance(sums: Mapping[str, np.ndarray]) -> np.ndarray:
    clusters = sums["clusters"]
    spread = _residual_squares(sums) * _divide(clusters, clusters - 1)
    return _divide(spread, sums["denominator"] ** 2)


def _residual_squares(sums: Mapping[str, np.ndarray]) -> np.ndarray:
    """Sum over clusters of (numerator - ratio x denominator) squared."""
    ratio = _divide(sums["numerator"], sums["denominator"])
    squares = sums["numerator_squares"] - 2 * ratio * sums["products"] + ratio**2 * sums["denominator_squares"]
    return np.maximum(squares, 0.0)


def _total_limits(values: np.ndarray, squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    effective = np.where(squares > 0, _divide(values**2, squares), 0.0)
    size = np.where(squares > 0, _divide(squares, values), 1.0)
    low = np.where(effective > 0, stats.gamma.ppf(_TAIL, np.maximum(effective, 1e-9)) * size, 0.0)
    high = stats.gamma.ppf(1 - _TAIL, effective + 1) * size
    reach = _Z * np.sqrt(squares)
    # Below 1 some clusters are negative, as refunds are: only then can the sum of squares exceed the square.
    is_mixed = (squares > 0) & ((values <= 0) | (effective < 1 - 1e-9))
    return np.where(is_mixed, values - reach, low), np.where(is_mixed, values + reach, high)


def _cost_limits(spend: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    low, high = _total_limits(count, count)
    return _divide(spend, high), _divide(spend, low)


def _sums(source, name: str) -> dict[str, np.ndarray]:
    """Read the cluster sums of a frame or a row, prefixed with the name or bare."""
    prefix = f"{name}_" if f"{name}_clusters" in source and f"{name}_products" in source else ""
    missing = [prefix + part for part in SUMS if prefix + part not in source]
    if missing:
        raise TableError(f"The rows lack {quoted(missing)}, the sums that the interval of '{name}' needs.")
    return {part: _floats(source[prefix + part]) for part in SUMS}


def _total_sums(source, total: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    values = _floats(source[total])
    if f"{total}_squares" in source:
        squares, clusters = _floats(source[f"{total}_squares"]), _floats(source[f"{total}_clusters"])
        return values, squares, clusters
    if np.any(values != np.round(values)):
        raise TableError(f"The rows lack '{total}_squares', which the interval of '{total}' needs: it is not a count.")
    return values, values, values


def _floats(values: Any) -> np.ndarray:
    return np.atleast_1d(np.asarray(values, dtype=float))


def _divide(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Divide, with NaN where there is nothing to divide by."""
    return np.divide(above, below, out=np.full(np.broadcast(above, below).shape, np.nan), where=np.asarray(below) > 0)
