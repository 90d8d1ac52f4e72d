"""Each bar of the bridge taken apart by segment: what the mix of visits did to it, and what happened within each."""

from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd

from ecomkit.metrics.bridge_of_lines import LINE_TOTALS
from ecomkit.metrics.comparisons import benjamini_hochberg
from ecomkit.metrics.limits import read_covariance, read_covariance_before
from ecomkit.metrics.standouts import FALSE_FINDS
from ecomkit.models.revenue_bridge import FACTORS, TOTALS, filled, in_cents, judged, shapley_weights, slope

MIX, RATE, VISITS = "mix", "rate", "sessions"
# Of the parts that are said to have moved net revenue, at most this share is expected to be chance.
_COLUMNS = ["bar", "by", "segment", "part", "amount", "amount_low", "amount_high", "p_value", "adjusted_p_value"]
_COLUMNS += ["verdict", "factor_before", "factor_now"]


def bridge_parts(
    bars: pd.DataFrame, sums: pd.DataFrame, by: str, *, now: date, before: date, min_group: int = 30
) -> pd.DataFrame:
    """Take the bars of the four factors apart by segment of the sessions; the parts of a bar add up to it, to the cent.

    A ratio such as the visit-to-order rate is the sum over segments of share x
    rate. `mix` is the change of a segment's share x how far its rate lies from
    that of all (means of both periods); `rate` is the change of its rate x its
    mean share; both in the money of the bar. Sessions differ by their number
    alone. A segment that one period lacks has the rate of the other there, so
    that its coming or going is mix.

    A part's interval takes the other factors as given, and people in different
    segments as different people. One of many parts is far off by chance, so the
    p-values are adjusted for their number (Benjamini and Hochberg).

    Parameters
    ----------
    bars
        What `revenue_bridge` returns.
    sums
        One row per period and segment, as `metrics.bridge.bridge_sums_by`
        returns it.
    by
        The column of the segments: `channel`, `device_type`, `customer_kind`.
    now, before
        First days of the two periods.
    min_group
        Fewest people of a segment for a verdict: on both sides for rates, on the
        larger one for mix and sessions.

    Returns
    -------
    DataFrame
        One row per bar, segment and part: `bar`, `by`, `segment` (null where it
        is not known), `part` (`sessions`, `mix` or `rate`), `amount` in money,
        `amount_low`, `amount_high`, `p_value`, `adjusted_p_value`, `verdict`,
        and `factor_before`, `factor_now`: sessions, shares or rates of the
        segment, null where there are none.
    """
    rows = sums[sums["start_date"].isin([pd.Timestamp(before), pd.Timestamp(now)])]
    segments = sorted(rows[by].unique(), key=lambda name: (pd.isna(name), str(name)))
    sides = [_by_segment(rows, by, segments, start, list(TOTALS)) for start in (before, now)]
    totals = np.array([side[list(TOTALS)].to_numpy(dtype=float) for side in sides])
    covariances = [[read_covariance(row, TOTALS) for row in side.to_dict("records")] for side in sides]
    is_next = rows[rows["start_date"] == pd.Timestamp(now)]["start_date_before"].eq(pd.Timestamp(before)).any()
    across = [read_covariance_before(row, TOTALS) * is_next for row in sides[1].to_dict("records")]
    clusters = {
        name: np.array([side[name].to_numpy(dtype=float) for side in sides])
        for name in ("sessions_clusters", "orders_in_sessions_clusters")
    }
    found = []
    for number, (bar, weight, cents) in enumerate(_bars_and_weights(bars)):
        people = clusters["sessions_clusters" if number < 2 else "orders_in_sessions_clusters"]
        if not number:
            parts = {VISITS: lambda totals: totals[1, :, 0] - totals[0, :, 0]}
            factors = {VISITS: totals[:, :, 0]}
        else:
            parts = {MIX: _mix_of(number), RATE: _rate_of(number)}
            shares, rates, _overall = _shares_and_rates(totals, number)
            factors = {MIX: shares, RATE: rates}
        of_bar = []
        for part, function in parts.items():
            enough = (people.min(axis=0) if part == RATE else people.max(axis=0)) >= min_group
            variances = _variances(function, totals, covariances, across)
            changes = judged(function(totals) * weight, variances * weight**2, enough)
            values = {"bar": bar, "by": by, "segment": segments, "part": part, "amount": function(totals) * weight}
            of_bar.append(pd.DataFrame({**values, **changes} | _factor_columns(factors[part])))
        found.append(_in_cents_of(pd.concat(of_bar, ignore_index=True), cents))
    return _adjusted(pd.concat(found, ignore_index=True))


def bridge_category_parts(
    bars: pd.DataFrame, sums: pd.DataFrame, *, now: date, before: date, min_group: int = 30
) -> pd.DataFrame:
    """Take the bar of AOV apart by category of the lines; the parts add up to it, to the cent.

    AOV is the sum over categories of units per order x revenue per unit: `mix`
    is the change of units per order x the mean revenue per unit, `rate` the
    change of revenue per unit x the mean units per order. What the lines of
    orders do not explain is a row `not in any line`, where there is any.

    Parameters
    ----------
    bars
        What `revenue_bridge` returns.
    sums
        One row per period and category, as
        `metrics.bridge_of_lines.bridge_category_sums` returns it.
    now, before
        First days of the two periods.
    min_group
        Fewest buyers of a category for a verdict: on both sides for rates, on the
        larger one for mix.

    Returns
    -------
    DataFrame
        One row per category and part, with the columns of `bridge_parts`, `by`
        being `category`; `factor_before` and `factor_now` are units per order
        and revenue per unit.
    """
    rows = sums[sums["start_date"].isin([pd.Timestamp(before), pd.Timestamp(now)])]
    categories = sorted(rows["category"].unique(), key=lambda name: (pd.isna(name), str(name)))
    sides = [_by_segment(rows, "category", categories, start, list(LINE_TOTALS)) for start in (before, now)]
    # A category that nobody bought in one period still divides by all orders of it.
    for side, start in zip(sides, (before, now), strict=True):
        of_period = rows[rows["start_date"] == pd.Timestamp(start)]
        for name in ("orders_in_sessions", "orders_in_sessions_squares"):
            side[name] = float(of_period[name].max()) if len(of_period) else 0.0
    totals = np.array([side[list(LINE_TOTALS)].to_numpy(dtype=float) for side in sides])
    covariances = [[read_covariance(row, LINE_TOTALS) for row in side.to_dict("records")] for side in sides]
    people = np.array([side["units_clusters"].to_numpy(dtype=float) for side in sides])
    bar, weight, cents = _bars_and_weights(bars)[-1]
    units_per_order, revenue_per_unit = _units_and_prices(totals)
    parts = {
        MIX: (lambda t: _change_and_mean(*_filled_units_and_prices(t))[0], people.max(axis=0), units_per_order),
        RATE: (lambda t: _change_and_mean(*_filled_units_and_prices(t))[1], people.min(axis=0), revenue_per_unit),
    }
    found = []
    for part, (function, buyers, factor) in parts.items():
        amounts = function(totals) * weight
        changes = judged(amounts, _variances(function, totals, covariances) * weight**2, buyers >= min_group)
        values = {"bar": bar, "by": "category", "segment": categories, "part": part, "amount": amounts}
        found.append(pd.DataFrame({**values, **changes} | _factor_columns(factor)))
    table = pd.concat(found, ignore_index=True)
    explained = table["amount"].sum()
    if abs(cents / 100 - explained) >= _LEAST_UNEXPLAINED:
        rest = {"bar": bar, "by": "category", "segment": "not in any line", "part": MIX}
        rest |= {"amount": cents / 100 - explained, "verdict": "cannot tell"}
        table = pd.concat([table, pd.DataFrame([rest])], ignore_index=True)
    return _adjusted(_in_cents_of(table, cents))


# Less is what rounding the bars to cents may do.
_LEAST_UNEXPLAINED = 0.02


def _bars_and_weights(bars: pd.DataFrame) -> list[tuple[str, float, int]]:
    """Return each factor's name, by what its change is multiplied, and its bar in cents."""
    of_factors = bars.set_index("bar").loc[list(FACTORS)]
    factors = filled(of_factors[["factor_before", "factor_now"]].to_numpy(dtype=float).T)
    cents = [round(amount * 100) for amount in of_factors["amount"]]
    return list(zip(FACTORS, shapley_weights(factors), cents, strict=True))


def _by_segment(rows: pd.DataFrame, by: str, segments: list, start: date, totals: list[str]) -> pd.DataFrame:
    """Return one row per segment for the period, zeros where it has none."""
    of_period = rows[rows["start_date"] == pd.Timestamp(start)].drop(columns="start_date")
    places = {_key(name): place for place, name in enumerate(segments)}
    placed = of_period.assign(place=[places[_key(name)] for name in of_period[by]])
    numbers = placed.drop(columns=[by, "start_date_before"], errors="ignore").set_index("place").astype(float)
    return numbers.reindex(range(len(segments)), fill_value=0.0)


def _key(name):
    return None if pd.isna(name) else name


def _divided(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    known = below.real > 0
    return np.where(known, above / np.where(known, below, 1.0), np.nan)


def _shares_and_rates(totals: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return shares and rates per period and segment, and the overall rate per period, NaN where there is none."""
    below, above = totals[:, :, number - 1], totals[:, :, number]
    shares = _divided(below, below.sum(axis=1, keepdims=True))
    return shares, _divided(above, below), _divided(above.sum(axis=1), below.sum(axis=1))


def _mix_of(number: int) -> Callable[[np.ndarray], np.ndarray]:
    def mix(totals: np.ndarray) -> np.ndarray:
        shares, rates, overall = (filled(one) for one in _shares_and_rates(totals, number))
        return (shares[1] - shares[0]) * (rates.mean(axis=0) - overall.mean())

    return mix


def _rate_of(number: int) -> Callable[[np.ndarray], np.ndarray]:
    def rate(totals: np.ndarray) -> np.ndarray:
        shares, rates, _overall = (filled(one) for one in _shares_and_rates(totals, number))
        return shares.mean(axis=0) * (rates[1] - rates[0])

    return rate


def _units_and_prices(totals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return _divided(totals[:, :, 1], totals[:, :, 0]), _divided(totals[:, :, 2], totals[:, :, 1])


def _filled_units_and_prices(totals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    units, prices = _units_and_prices(totals)
    return filled(units), filled(prices)


def _change_and_mean(amounts: np.ndarray, prices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return (amounts[1] - amounts[0]) * prices.mean(axis=0), amounts.mean(axis=0) * (prices[1] - prices[0])


def _variances(
    function, totals: np.ndarray, covariances: list[list[np.ndarray]], across: list[np.ndarray] | None = None
) -> np.ndarray:
    """Return the variance of each segment's part: each segment's people vary apart from the others'.

    `across` is, per segment, the covariance of its totals now with those before.
    """
    variances = np.zeros(totals.shape[1])
    for segment, pair in enumerate(zip(*covariances, strict=True)):
        gradients = [
            np.array([slope(function, totals, (side, segment, n)) for n in range(totals.shape[2])]) for side in (0, 1)
        ]
        for gradient, covariance in zip(gradients, pair, strict=True):
            variances += np.einsum("is,ij,js->s", gradient, covariance, gradient)
        if across:
            variances += 2 * np.einsum("is,ij,js->s", gradients[1], across[segment], gradients[0])
    return np.maximum(variances, 0.0)


def _factor_columns(factor: np.ndarray) -> dict[str, np.ndarray]:
    return {"factor_before": factor[0], "factor_now": factor[1]}


def _in_cents_of(parts: pd.DataFrame, cents: int) -> pd.DataFrame:
    rounded = in_cents(parts["amount"].to_numpy(dtype=float), cents) if len(parts) else parts["amount"]
    moved = rounded - parts["amount"]
    return parts.assign(
        amount=rounded, amount_low=parts["amount_low"] + moved, amount_high=parts["amount_high"] + moved
    )


def _adjusted(parts: pd.DataFrame) -> pd.DataFrame:
    judgeable = parts["p_value"].astype(float).where(parts["verdict"] != "cannot tell")
    adjusted = np.array(benjamini_hochberg(judgeable.tolist()))
    is_chance = parts["verdict"].isin(["up", "down"]) & ~(adjusted < FALSE_FINDS)
    verdicts = parts["verdict"].mask(is_chance, "within noise")
    return parts.assign(adjusted_p_value=adjusted, verdict=verdicts)[_COLUMNS]
