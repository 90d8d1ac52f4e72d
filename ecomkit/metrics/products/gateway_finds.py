"""Which first products go with more, or less, than chance leaves open."""

import numpy as np
from scipy import stats

from ecomkit.metrics.comparisons import benjamini_hochberg
from ecomkit.metrics.limits import Z, divide, floats
from ecomkit.metrics.standouts import FALSE_FINDS

_DIFFERENCES = {"repeat_rate_difference": "repeat_verdict", "later_value_difference": "later_value_verdict"}


def judge_gateways(frame, *, floor: int):
    """Add the interval and the verdict of both differences of each first product.

    All products and both differences are looked at together, so that among the
    finds at most one in twenty is expected to be chance (Benjamini and Hochberg).

    Parameters
    ----------
    frame
        What `metrics.gateway.gateway_products` returns.
    floor
        Fewest customers, in strata that hold others too, for a verdict.

    Returns
    -------
    The frame with `<difference>_low`, `<difference>_high`, then `repeat_verdict`
    and `later_value_verdict`: `up`, `down`, `within noise`, or `cannot tell` under
    the floor.
    """
    is_large = floats(frame["customers_compared"]) >= floor
    found, limits = [], {}
    for name in _DIFFERENCES:
        value, error = floats(frame[name]), floats(frame[f"{name}_error"])
        limits |= {f"{name}_low": value - Z * error, f"{name}_high": value + Z * error}
        found.append(np.where(is_large, 2 * stats.norm.sf(np.abs(divide(value, error))), np.nan))
    adjusted = np.asarray(benjamini_hochberg(np.concatenate(found))).reshape(len(_DIFFERENCES), -1)
    verdicts = {
        verdict: _verdicts(floats(frame[name]), p_values)
        for (name, verdict), p_values in zip(_DIFFERENCES.items(), adjusted, strict=True)
    }
    return frame.assign(**limits, **verdicts)


def _verdicts(values: np.ndarray, adjusted: np.ndarray) -> list[str]:
    return [
        "cannot tell" if np.isnan(p_value) else "within noise" if p_value >= FALSE_FINDS else _direction(value)
        for value, p_value in zip(values, adjusted, strict=True)
    ]


def _direction(value: float) -> str:
    return "up" if value > 0 else "down"
