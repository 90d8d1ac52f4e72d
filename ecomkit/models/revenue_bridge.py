"""Why net revenue moved between two periods: one bar per reason, to the cent."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from ecomkit.metrics.limits import Z, floats, read_covariance, read_covariance_before

# Each is the next total of `TOTALS` over the one before.
FACTORS = ("sessions", "visit-to-order rate", "orders per converting session", "AOV")
TOTALS = ("sessions", "sessions_with_order", "orders_in_sessions", "revenue_in_sessions")
OUTSIDE, REFUNDS = "orders outside sessions", "refunds"
BARS = (*FACTORS, OUTSIDE, REFUNDS)
BEFORE, NOW = "net revenue before", "net revenue now"

# A step so small that the derivative has no error but that of the machine.
_STEP = 1e-30
# Whose number decides whether a bar may be judged, and whether on both sides.
_CLUSTERS = {
    "sessions": ("sessions_clusters", max),
    "visit-to-order rate": ("sessions_clusters", min),
    "orders per converting session": ("orders_in_sessions_clusters", min),
    "AOV": ("orders_in_sessions_clusters", min),
    OUTSIDE: ("revenue_outside_sessions_clusters", max),
    REFUNDS: ("refunds_clusters", max),
}


def revenue_bridge(sums: pd.DataFrame, *, now: date, before: date, min_group: int = 30) -> pd.DataFrame:
    """Explain the change of net revenue (cash view) between two periods by six bars that add up to it.

    Revenue in sessions is sessions x visit-to-order rate x orders per converting
    session x AOV. Each of the four gets the mean of what its change adds over
    all 24 orders in which they can change (Shapley), so that no order is
    preferred. Orders outside sessions and refunds are bars of their own. Where
    one period lacks a factor (a rate without sessions, an AOV without orders),
    it takes the other period's value, so that the change falls on what is
    known. Bars are whole cents by largest remainder.

    Whether a bar is more than noise is asked by the delta method, with persons
    as what varies: a bar has moved net revenue `up` or `down` where its 95 %
    interval lies on one side of zero. Who comes in both periods, and is alike in
    both, makes a change surer. `cannot tell`: fewer than `min_group`
    people with sessions, with orders or with refunds, on both sides for ratios,
    on the larger one for totals.

    Parameters
    ----------
    sums
        One row per period, as `metrics.bridge.bridge_sums` returns it. A period
        without a row had nothing.
    now, before
        First days of the two periods.
    min_group
        Fewest people for a verdict.

    Returns
    -------
    DataFrame
        Eight rows in order: `net revenue before`, the six bars, `net revenue
        now`. `bar`; `amount` in money (a total, or what the bar adds to it),
        `amount_low`, `amount_high`, `p_value`, `verdict` (null for the two
        totals); `factor_before` and `factor_now`, what the bar is about: counts,
        a rate, orders per session, money. Unknown factors are null.
    """
    sides = [_side(sums, start) for start in (before, now)]
    totals = np.array([floats([side[name] for name in TOTALS]) for side in sides])
    factors = _factors(totals)
    amounts = np.array(
        [
            *_bars_of_factors(totals),
            sides[1]["revenue_outside_sessions"] - sides[0]["revenue_outside_sessions"],
            sides[0]["refunds"] - sides[1]["refunds"],
        ]
    )
    is_next = follows(sides[1], before)
    across = read_covariance_before(sides[1], TOTALS) if is_next else np.zeros((len(TOTALS), len(TOTALS)))
    variances = [
        *_variances(_bars_of_factors, totals, [read_covariance(side, TOTALS) for side in sides], across),
        *(_variance_of_change(sides, name, is_next) for name in ("revenue_outside_sessions", "refunds")),
    ]
    enough = [side_of(sides[0][name], sides[1][name]) >= min_group for name, side_of in _CLUSTERS.values()]
    bars = pd.DataFrame({"bar": BARS, "amount": amounts, **judged(amounts, np.array(variances), np.array(enough))})
    for name, side, of_four in zip(("factor_before", "factor_now"), sides, factors, strict=True):
        bars[name] = [*of_four, side["orders_outside_sessions"], side["refunds"]]
    ends = [side["net_revenue"] for side in sides]
    cents = [round(end * 100) for end in ends]
    bars["amount"] = in_cents(bars["amount"].to_numpy(), cents[1] - cents[0])
    bars["amount_low"] += bars["amount"] - amounts
    bars["amount_high"] += bars["amount"] - amounts
    first, last = (
        pd.DataFrame({"bar": [name], "amount": [end]}) for name, end in zip((BEFORE, NOW), ends, strict=True)
    )
    return pd.concat([first, bars, last], ignore_index=True)


def judged(amounts: np.ndarray, variances: np.ndarray, enough: np.ndarray) -> dict[str, Any]:
    """Return `amount_low`, `amount_high`, `p_value` and `verdict` of each amount."""
    error = np.sqrt(variances)
    low, high = amounts - Z * error, amounts + Z * error
    certain = error > 0
    p_values = np.where(certain, 2 * stats.norm.sf(np.abs(amounts) / np.where(certain, error, 1.0)), np.nan)
    # What is the same for everybody on both sides has no variance, and has not moved.
    can_tell = enough & (certain | (amounts == 0))
    verdicts = np.select([~can_tell, low > 0, high < 0], ["cannot tell", "up", "down"], default="within noise")
    return {"amount_low": low, "amount_high": high, "p_value": p_values, "verdict": verdicts.astype(object)}


def in_cents(amounts: np.ndarray, cents: int) -> np.ndarray:
    """Round amounts to the cent so that they sum to so many cents: the largest remainders are rounded up."""
    # Beyond a millionth of a cent lies only what binary numbers cannot say.
    exact = np.round(np.asarray(amounts, dtype=float) * 100, 6)
    floor = np.floor(exact)
    short = int(cents - floor.sum())
    by_remainder = np.argsort(floor - exact, kind="stable")
    # More than one cent each only where the amounts do not sum to the cents in the first place.
    every, some = divmod(short, max(len(exact), 1))
    floor += every
    floor[by_remainder[:some]] += 1
    return floor / 100


def shapley_weights(factors: np.ndarray) -> np.ndarray:
    """Return by what the change of each of four factors is multiplied to give its bar.

    The mean, over all orders in which the four can change, of the product of
    the other three: those that changed earlier with their value now, the others
    with the one before.
    """
    before, now = factors
    weights = []
    for one in range(len(before)):
        others = [other for other in range(len(before)) if other != one]
        a, b, c = ((before[other], now[other]) for other in others)
        one_changed = a[1] * b[0] * c[0] + a[0] * b[1] * c[0] + a[0] * b[0] * c[1]
        two_changed = a[1] * b[1] * c[0] + a[1] * b[0] * c[1] + a[0] * b[1] * c[1]
        ends = a[0] * b[0] * c[0] + a[1] * b[1] * c[1]
        weights.append(ends / 4 + (one_changed + two_changed) / 12)
    return np.array(weights)


def _side(sums: pd.DataFrame, start: date) -> Mapping[str, Any]:
    rows = sums[sums["start_date"] == pd.Timestamp(start)]
    return dict.fromkeys(sums.columns, 0) if rows.empty else rows.iloc[0].to_dict()


def _factors(totals: np.ndarray) -> np.ndarray:
    """Return the four factors of both periods, NaN where there is nothing to divide by."""
    known = totals[:, :-1].real > 0
    ratios = np.where(known, totals[:, 1:] / np.where(known, totals[:, :-1], 1.0), np.nan)
    return np.concatenate([totals[:, :1], ratios], axis=1)


def filled(factors: np.ndarray) -> np.ndarray:
    """Give a factor that one period lacks the other period's value, 0 where both lack it."""
    known = np.where(np.isnan(factors.real), factors[::-1], factors)
    return np.where(np.isnan(known.real), 0.0, known)


def _bars_of_factors(totals: np.ndarray) -> np.ndarray:
    factors = filled(_factors(totals))
    return (factors[1] - factors[0]) * shapley_weights(factors)


def follows(side: Mapping[str, Any], before: date) -> bool:
    """Say whether the products with the period before, in a row of sums, are those with the one that began `before`."""
    return bool(side["start_date_before"]) and pd.Timestamp(side["start_date_before"]) == pd.Timestamp(before)


def _variance_of_change(sides: list[Mapping[str, Any]], total: str, is_next: bool) -> float:
    alike = float(sides[1][f"{total}_{total}_before_products"]) if is_next else 0.0
    return max(sum(float(side[f"{total}_squares"]) for side in sides) - 2 * alike, 0.0)


def _variances(
    function: Callable[[np.ndarray], np.ndarray],
    totals: np.ndarray,
    covariances: list[np.ndarray],
    across: np.ndarray,
) -> np.ndarray:
    """Return the variance of each value of `function`, by the delta method over the totals of both periods.

    `across` is the covariance of the totals now with those before: the same people come in both.
    """
    gradients = [
        np.array([slope(function, totals, (side, number)) for number in range(totals.shape[1])]) for side in (0, 1)
    ]
    variances = 2 * np.einsum("ib,ij,jb->b", gradients[1], across, gradients[0])
    for gradient, covariance in zip(gradients, covariances, strict=True):
        variances = variances + np.einsum("ib,ij,jb->b", gradient, covariance, gradient)
    return np.maximum(variances, 0.0)


def slope(function: Callable[[np.ndarray], np.ndarray], totals: np.ndarray, place: tuple[int, ...]) -> np.ndarray:
    """Return the derivative of each value of `function` with respect to one total, by a complex step."""
    moved = totals.astype(complex)
    moved[place] += _STEP * 1j
    return function(moved).imag / _STEP
