"""Verdicts: by hand, and over many simulated weeks with a known truth."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ecomkit.metrics.comparisons import (
    benjamini_hochberg,
    compare_costs,
    compare_means,
    compare_rates,
    compare_totals,
)
from ecomkit.metrics.ratio import SUMS
from tests.clusters import buyers, poisson_limits, sums, totals, units, visitors


def test_a_comparison_by_hand():
    now, before = units(80, 400), units(40, 400)
    found = compare_rates(pd.Series(now), pd.Series(before), "rate")
    low, high = stats.binomtest(80, 400).proportion_ci(0.95, method="wilson")
    assert (found.value, found.low, found.high, found.before) == pytest.approx((0.2, low, high, 0.1))
    error = math.sqrt(81 / 402 * (1 - 81 / 402) / 402 + 41 / 402 * (1 - 41 / 402) / 402)
    limits = (0.1 - 1.959964 * error, 0.1 + 1.959964 * error)
    assert (found.difference_low, found.difference_high) == pytest.approx(limits, rel=1e-6)
    assert found.p_value == pytest.approx(2 * stats.norm.sf(0.1 / error))
    assert found.verdict == "up"
    back = compare_rates(before, now, "rate")
    assert (back.verdict, back.difference_low) == ("down", pytest.approx(-limits[1]))
    assert compare_rates(now, now, "rate").verdict == "within noise"


@pytest.mark.parametrize(
    ("now", "before", "verdict"),
    [
        pytest.param(units(30, 30), units(0, 30), "up", id="30 on both sides are enough"),
        pytest.param(units(29, 29), units(0, 300), "cannot tell", id="29 now are not"),
        pytest.param(units(300, 300), units(0, 29), "cannot tell", id="nor 29 before"),
        pytest.param(None, units(0, 300), "cannot tell", id="no data now"),
        pytest.param(units(0, 300), None, "cannot tell", id="no data before"),
        pytest.param(units(9, 300), dict.fromkeys(SUMS, 0.0), "cannot tell", id="nobody before"),
    ],
)
def test_a_verdict_needs_enough_on_both_sides(now, before, verdict):
    assert compare_rates(now, before, "rate").verdict == verdict


def test_without_data_what_is_known_stays_known():
    found = compare_rates(units(13, 200), None, "rate")
    assert (found.value, found.verdict) == (0.065, "cannot tell")
    assert math.isnan(found.before)
    assert math.isnan(found.p_value)
    empty = compare_means(None, None, "aov")
    assert empty.verdict == "cannot tell"
    assert math.isnan(empty.value)


def test_orders_that_fall_to_nothing_have_moved():
    before = {"orders": 100, "orders_clusters": 90, "orders_squares": 120.0}
    nothing = {"orders": 0, "orders_clusters": 0, "orders_squares": 0.0}
    assert compare_totals(nothing, before, "orders").verdict == "down"
    assert compare_totals(before, nothing, "orders").verdict == "up"
    assert compare_totals(nothing, nothing, "orders").verdict == "cannot tell"
    few = {"orders": 29, "orders_clusters": 29, "orders_squares": 29.0}
    assert compare_totals(nothing, few, "orders").verdict == "cannot tell"


def test_a_count_needs_no_squares():
    found = compare_totals({"new_customers": 150}, {"new_customers": 100}, "new_customers")
    assert (found.low, found.high) == pytest.approx(poisson_limits(150))
    assert found.p_value == pytest.approx(2 * stats.norm.sf(50 / math.sqrt(250)))
    assert found.verdict == "up"


@pytest.mark.parametrize("nothing", [None, math.nan, pd.NA], ids=repr)
def test_an_unknown_count_compares_with_nothing(nothing):
    found = compare_totals({"new_customers": 150}, {"new_customers": nothing}, "new_customers")
    assert (found.value, found.verdict) == (150, "cannot tell")
    assert math.isnan(found.before)


def test_costs_compare_by_the_chance_of_their_counts():
    now = {"spend": 1000.0, "new_customers": 100, "cac": 10.0}
    found = compare_costs(now, {"spend": 2000.0, "new_customers": 100, "cac": 20.0})
    assert found.p_value == pytest.approx(2 * stats.norm.sf(10 / math.sqrt(1 + 4)))
    assert found.verdict == "down"
    assert compare_costs(now, {"spend": 200.0, "new_customers": 10, "cac": 20.0}).verdict == "cannot tell"
    assert compare_costs(now, {"spend": 200.0, "new_customers": 0, "cac": None}).verdict == "cannot tell"


def test_benjamini_hochberg_by_hand():
    # 0.01 x 4 / 1, 0.02 x 4 / 2, min(0.03 x 4 / 3, ...), 0.5 x 4 / 4; what is unknown stays so.
    assert benjamini_hochberg([0.02, 0.01, 0.5, math.nan, 0.03]) == pytest.approx(
        [0.04, 0.04, 0.5, math.nan, 0.04], nan_ok=True
    )
    assert benjamini_hochberg([]) == []


# by simulation: people, not rows, are drawn


def verdicts(compare, draw, name, rng, draws=800):
    found = [compare(draw(rng), draw(rng), name).verdict for _ in range(draws)]
    return sum(verdict in ("up", "down") for verdict in found) / draws


@pytest.mark.parametrize(
    ("compare", "draw", "name"),
    [
        pytest.param(compare_rates, lambda rng: sums(*visitors(rng)), "rate", id="rates"),
        pytest.param(compare_rates, lambda rng: sums(*visitors(rng, 60)), "rate", id="rates of few"),
        pytest.param(compare_means, lambda rng: sums(*buyers(rng), "aov_"), "aov", id="means"),
        pytest.param(compare_totals, lambda rng: totals(rng, 120), "revenue", id="revenue"),
        pytest.param(compare_totals, lambda rng: totals(rng, 40), "orders", id="orders"),
        pytest.param(compare_totals, lambda rng: totals(rng, 120), "net_revenue", id="net revenue"),
        pytest.param(compare_totals, lambda rng: {"n": int(rng.poisson(50))}, "n", id="counts"),
    ],
)
def test_false_alarms_are_as_rare_as_they_claim(compare, draw, name):
    assert verdicts(compare, draw, name, np.random.default_rng(11)) <= 0.07


def test_a_planted_change_is_found():
    rng = np.random.default_rng(2)
    found = [
        compare_rates(sums(*visitors(rng, 1500, 0.10)), sums(*visitors(rng, 1500, 0.05)), "rate").verdict
        for _ in range(100)
    ]
    assert found.count("up") >= 98
