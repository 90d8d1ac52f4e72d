"""Which pairs of products are in one order more, or less, often than chance puts them there."""

import numpy as np
from scipy import stats

from ecomkit.metrics.limits import Z, floats
from ecomkit.metrics.standouts import FALSE_FINDS


def judge_pairs(frame):
    """Add the interval of each pair's lift, and whether it differs from the lift of all pairs.

    The interval is normal in the logarithm, by the delta method on the counts; the
    verdict holds the orders with both against Poisson's tails. Both are widened
    where these orders come from the same customers. Every pair that could have
    been shown counts as looked at, also those that were too small (Benjamini and
    Hochberg).

    Parameters
    ----------
    frame
        What `metrics.baskets.product_pairs` returns.

    Returns
    -------
    The frame with `lift_low`, `lift_high`, `adjusted_p_value` and `verdict`:
    `up` (together more often than pairs are), `down`, or `within noise`.
    """
    both, first, second, orders = (
        floats(frame[name]) for name in ("orders_with_both", "orders_with_first", "orders_with_second", "orders")
    )
    lift, usual = floats(frame["lift"]), floats(frame["lift_of_all_pairs"])
    effect = np.maximum(floats(frame["both_squares"]) / both, 1.0)
    error = np.sqrt(np.maximum(1 / both - 1 / first - 1 / second + (2 * lift - 1) / orders, 0.0) * effect)
    # How many independent orders one order with both is worth.
    worth = 1 / np.maximum((1 - first / orders) * (1 - second / orders), 1 / orders) / effect
    found, expected = both * worth, usual * first * second / orders * worth
    p_values = 2 * np.minimum(stats.gamma.cdf(expected, found), stats.gamma.sf(expected, found + 1))
    adjusted = _adjusted(np.minimum(p_values, 1.0), floats(frame["pairs_possible"]))
    return frame.assign(
        lift_low=lift * np.exp(-Z * error),
        lift_high=lift * np.exp(Z * error),
        adjusted_p_value=adjusted,
        verdict=np.where(adjusted < FALSE_FINDS, np.where(lift > usual, "up", "down"), "within noise").astype(str),
    )


def _adjusted(p_values: np.ndarray, looked_at: np.ndarray) -> np.ndarray:
    """Return p-values adjusted for all that was looked at; what is not here is taken as chance."""
    order = np.argsort(p_values, kind="stable")
    ranks = np.arange(1, len(p_values) + 1)
    raised = np.minimum(p_values[order] * looked_at[order] / ranks, 1.0)
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum.accumulate(raised[::-1])[::-1]
    return adjusted
