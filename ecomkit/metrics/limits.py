"""The limits themselves: numpy in, numpy out, from the sums that metrics carry."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import stats

from ecomkit.errors import TableError, quoted
from ecomkit.metrics.ratio import SUMS, pairs_of, product_name, product_name_before

LEVEL = 0.95
_TAIL = (1 - LEVEL) / 2
Z = float(stats.norm.ppf(1 - _TAIL))

Sums = Mapping[str, np.ndarray]


def rate_limits(sums: Sums) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's limits of numerator / denominator, on rows / design effect."""
    rate, n = divide(sums["numerator"], sums["denominator"]), effective_n(sums)
    middle = (rate + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z * np.sqrt(rate * (1 - rate) / n + (Z / (2 * n)) ** 2) / (1 + Z**2 / n)
    # Rounding must not put the limit of a rate of 0 or 1 beside it.
    return np.where(rate == 0, 0.0, middle - half), np.where(rate == 1, 1.0, middle + half)


def effective_n(sums: Sums) -> np.ndarray:
    """Rows / design effect: how many independent rows would say as much."""
    x, n = sums["numerator"], sums["denominator"]
    rate = divide(x, n)
    binomial = rate * (1 - rate) * n
    # At 0 or 1 nothing shows how alike a person's rows are: take them as wholly alike.
    effect = np.where(binomial > 0, divide(_residual_squares(sums), binomial), divide(sums["denominator_squares"], n))
    return divide(n, np.maximum(effect, 1.0))


def mean_limits(sums: Sums) -> tuple[np.ndarray, np.ndarray]:
    """Student's limits of numerator / denominator, NaN with fewer than two clusters."""
    value, error = divide(sums["numerator"], sums["denominator"]), np.sqrt(mean_variance(sums))
    reach = stats.t.ppf(1 - _TAIL, np.maximum(sums["clusters"] - 1, 1)) * error
    return value - reach, value + reach


def mean_variance(sums: Sums) -> np.ndarray:
    """Variance of numerator / denominator by the delta method."""
    clusters = sums["clusters"]
    spread = _residual_squares(sums) * divide(clusters, clusters - 1)
    return divide(spread, sums["denominator"] ** 2)


def _residual_squares(sums: Sums) -> np.ndarray:
    """Sum over clusters of (numerator - ratio x denominator) squared."""
    ratio = divide(sums["numerator"], sums["denominator"])
    squares = sums["numerator_squares"] - 2 * ratio * sums["products"] + ratio**2 * sums["denominator_squares"]
    return np.maximum(squares, 0.0)


def total_limits(values: np.ndarray, squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gamma limits of sums with these sums of squares, Poisson's own where each cluster adds 1."""
    effective = np.where(squares > 0, divide(values**2, squares), 0.0)
    effective = np.where(np.isnan(values), np.nan, effective)
    size = np.where(squares > 0, divide(squares, values), 1.0)
    low = np.where(effective == 0, 0.0, stats.gamma.ppf(_TAIL, np.maximum(effective, 1e-9)) * size)
    high = stats.gamma.ppf(1 - _TAIL, effective + 1) * size
    reach = Z * np.sqrt(squares)
    # Below 1 some clusters are negative, as refunds are: only then can the sum of squares exceed the square.
    is_mixed = (squares > 0) & ((values <= 0) | (effective < 1 - 1e-9))
    return np.where(is_mixed, values - reach, low), np.where(is_mixed, values + reach, high)


def cost_limits(spend: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Spend over the Poisson limits of the count, NaN where that is without bound."""
    low, high = total_limits(count, count)
    return divide(spend, high), divide(spend, low)


def read_sums(source, name: str) -> dict[str, np.ndarray]:
    """Read the cluster sums of a frame or a row, prefixed with the name or bare."""
    prefix = sums_prefix(source, name)
    missing = [prefix + part for part in SUMS if prefix + part not in source]
    if missing:
        raise TableError(f"The rows lack {quoted(missing)}, the sums that the interval of '{name}' needs.")
    return {part: floats(source[prefix + part]) for part in SUMS}


def sums_prefix(source, name: str) -> str:
    """Return what stands before the names of a rate's sums in a frame or a row: its own name or nothing."""
    return f"{name}_" if f"{name}_clusters" in source and f"{name}_products" in source else ""


def read_total(source, total: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read a total, the sum of its clusters' squares and their number; a count is all three."""
    values = floats(source[total])
    if f"{total}_squares" in source:
        squares, clusters = floats(source[f"{total}_squares"]), floats(source[f"{total}_clusters"])
        return values, squares, clusters
    if np.any(np.mod(values[~np.isnan(values)], 1)):
        raise TableError(f"The rows lack '{total}_squares', which the interval of '{total}' needs: it is not a count.")
    return values, values, values


def read_covariance(source, names: Sequence[str]) -> np.ndarray:
    """Read the covariance of several totals of a row, each a sum over a Poisson number of clusters."""
    found = np.zeros((len(names), len(names)))
    for a, b in pairs_of(names):
        i, j = names.index(a), names.index(b)
        found[i, j] = found[j, i] = source[product_name(a, b)]
    return found


def read_covariance_before(source, names: Sequence[str]) -> np.ndarray:
    """Read the covariance of several totals of a row (down) with those of the span before (across)."""
    return np.array([[float(source[product_name_before(a, b)]) for b in names] for a in names])


def floats(values: Any) -> np.ndarray:
    """Read a number or a column as an array, null as NaN."""
    if hasattr(values, "to_numpy"):
        return values.to_numpy(dtype=float, na_value=np.nan)
    try:
        return np.atleast_1d(np.asarray(values, dtype=float))
    except TypeError:
        return np.array([np.nan])  # pandas.NA refuses to be a float


def divide(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Divide, with NaN where there is nothing to divide by."""
    return np.divide(above, below, out=np.full(np.broadcast(above, below).shape, np.nan), where=np.asarray(below) > 0)
