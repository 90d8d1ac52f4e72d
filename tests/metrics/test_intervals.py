"""Intervals: against known limits, and over many simulated weeks with a known truth."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ecomkit.errors import TableError
from ecomkit.metrics.intervals import add_cost_interval, add_mean_interval, add_rate_interval, add_total_interval
from ecomkit.metrics.ratio import SUMS
from tests.clusters import buyers, poisson_limits, sums, totals, units, visitors

# rates


@pytest.mark.parametrize(("hits", "n"), [(0, 40), (1, 40), (13, 200), (40, 40), (1, 1)])
def test_with_one_row_each_the_limits_are_wilsons_own(hits, n):
    frame = add_rate_interval(pd.DataFrame([units(hits, n)]), "rate")
    known = stats.binomtest(hits, n).proportion_ci(0.95, method="wilson")
    assert frame[["rate_low", "rate_high"]].iloc[0].tolist() == pytest.approx([known.low, known.high], abs=1e-12)


def test_rows_told_twice_do_not_make_a_rate_surer():
    once = units(13, 200)
    x, y = np.repeat([2.0, 0.0], [13, 187]), np.full(200, 2.0)
    frame = add_rate_interval(pd.DataFrame([once, sums(x, y)]), "rate")
    assert frame.rate_low[0] == pytest.approx(frame.rate_low[1], abs=1e-12)
    assert frame.rate_high[0] == pytest.approx(frame.rate_high[1], abs=1e-12)


def test_at_a_rate_of_zero_a_persons_rows_count_as_one():
    frame = add_rate_interval(pd.DataFrame([units(0, 50), sums(np.zeros(50), np.full(50, 3.0))]), "rate")
    assert frame.rate_low.tolist() == [0.0, 0.0]
    assert frame.rate_high[0] == pytest.approx(frame.rate_high[1])


def test_without_rows_limits_are_unknown():
    frame = add_rate_interval(pd.DataFrame([dict.fromkeys(SUMS, 0.0)]), "rate")
    assert frame[["rate_low", "rate_high"]].isna().all(axis=None)


def test_prefixed_sums_are_read_before_bare_ones():
    row = units(13, 200) | {f"overall_rate_{name}": value for name, value in units(100, 200).items()}
    frame = add_rate_interval(pd.DataFrame([row]), "overall_rate")
    assert frame.overall_rate_low[0] > 0.4


def test_missing_sums_are_named():
    frame = pd.DataFrame([units(1, 9)]).drop(columns=["products", "clusters"])
    with pytest.raises(TableError) as caught:
        add_rate_interval(frame, "rate")
    assert str(caught.value) == "The rows lack 'clusters', 'products', the sums that the interval of 'rate' needs."


# means


def test_a_mean_of_one_order_each_has_students_limits():
    values = np.array([10.0, 20.0, 20.0, 30.0, 95.0])
    frame = add_mean_interval(pd.DataFrame([sums(values, np.ones(5), "aov_")]), "aov")
    known = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (frame.aov_low[0], frame.aov_high[0]) == pytest.approx((known.low, known.high))


def test_a_mean_of_one_customer_has_no_limits():
    frame = add_mean_interval(pd.DataFrame([sums(np.array([10.0]), np.array([2.0]), "aov_")]), "aov")
    assert frame[["aov_low", "aov_high"]].isna().all(axis=None)


# totals


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [(0, 0.0, 3.6889), (1, 0.0253, 5.5716), (10, 4.7954, 18.3904), (100, 81.3640, 121.6268)],
)
def test_limits_of_a_count_are_the_published_poisson_ones(count, low, high):
    frame = add_total_interval(pd.DataFrame({"customers": [count]}), "customers")
    assert (frame.customers_low[0], frame.customers_high[0]) == pytest.approx((low, high), abs=1e-4)


def test_a_total_of_clusters_that_add_1_has_the_limits_of_a_count():
    row = {"orders": 10, "orders_clusters": 10, "orders_squares": 10.0, "customers": 10}
    frame = add_total_interval(add_total_interval(pd.DataFrame([row]), "orders"), "customers")
    for name in ("orders", "customers"):
        assert (frame[f"{name}_low"][0], frame[f"{name}_high"][0]) == pytest.approx(poisson_limits(10))


def test_limits_of_a_total_scale_with_its_unit():
    row = {"revenue": 250.0, "revenue_clusters": 10, "revenue_squares": 10 * 25.0**2}
    frame = add_total_interval(pd.DataFrame([row]), "revenue")
    assert (frame.revenue_low[0], frame.revenue_high[0]) == pytest.approx([25 * limit for limit in poisson_limits(10)])


def test_a_total_below_zero_has_normal_limits():
    rows = [
        {"net_revenue": -10.0, "net_revenue_clusters": 1, "net_revenue_squares": 100.0},
        {"net_revenue": 5.0, "net_revenue_clusters": 2, "net_revenue_squares": 15.0**2 + 10.0**2},
    ]
    frame = add_total_interval(pd.DataFrame(rows), "net_revenue")
    reach = [1.959964 * 10, 1.959964 * math.sqrt(325)]
    assert frame.net_revenue_low.tolist() == pytest.approx([-10 - reach[0], 5 - reach[1]], rel=1e-6)
    assert frame.net_revenue_high.tolist() == pytest.approx([-10 + reach[0], 5 + reach[1]], rel=1e-6)


def test_money_of_nobody_has_no_upper_limit_that_we_know():
    row = {"revenue": 0.0, "revenue_clusters": 0, "revenue_squares": 0.0}
    frame = add_total_interval(pd.DataFrame([row]), "revenue")
    assert frame.revenue_low[0] == 0
    assert math.isnan(frame.revenue_high[0])


@pytest.mark.parametrize("kind", ["Int64", "float64"])
def test_an_unknown_count_has_unknown_limits(kind):
    rows = pd.DataFrame({"new_customers": pd.array([10, None], dtype=kind)})
    frame = add_total_interval(rows, "new_customers")
    assert (frame.new_customers_low[0], frame.new_customers_high[0]) == pytest.approx(poisson_limits(10))
    assert frame.loc[1].isna().all()


def test_a_total_that_is_not_a_count_needs_its_squares():
    with pytest.raises(TableError) as caught:
        add_total_interval(pd.DataFrame({"revenue": [12.5]}), "revenue")
    message = "The rows lack 'revenue_squares', which the interval of 'revenue' needs: it is not a count."
    assert str(caught.value) == message


# costs


def test_limits_of_a_cost_are_spend_over_the_limits_of_the_count():
    frame = pd.DataFrame({"spend": [500.0, 500.0, np.nan], "new_customers": [10, 0, 3], "cac": [50.0, np.nan, np.nan]})
    frame = add_cost_interval(frame)
    assert frame.cac_low.tolist() == pytest.approx([500 / 18.39036, 500 / 3.688879, np.nan], nan_ok=True, rel=1e-6)
    assert frame.cac_high.tolist() == pytest.approx([500 / 4.795389, np.nan, np.nan], nan_ok=True, rel=1e-6)


# by simulation: people, not rows, are drawn

DRAWS = 2000


RATE = 0.07
AOV_CUT = stats.norm.sf((math.log(60) - 4.0) / 0.5)
NOISE = math.exp(0.15**2 / 2)
REVENUE_PER_BUYER = NOISE * (
    1.2 * math.exp(4 + 0.125) + 0.1 * math.exp(4 + 0.125) * stats.norm.sf((math.log(60) - 4.0) / 0.5 - 0.5)
)
AOV = REVENUE_PER_BUYER / (1.2 + 0.1 * AOV_CUT)


def covered(frame, name, truth):
    return float(((frame[f"{name}_low"] <= truth) & (truth <= frame[f"{name}_high"])).mean())


@pytest.mark.parametrize("people", [60, 250, 1000])
def test_rate_intervals_hold_the_truth(people):
    rng = np.random.default_rng(people)
    frame = pd.DataFrame([sums(*visitors(rng, people)) for _ in range(DRAWS)])
    assert 0.93 <= covered(add_rate_interval(frame, "rate"), "rate", RATE) <= 0.985


def test_intervals_that_take_rows_for_people_do_not():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame([sums(*visitors(rng)) for _ in range(DRAWS)])
    naive = frame.assign(
        numerator_squares=frame.numerator, products=frame.numerator, denominator_squares=frame.denominator
    )
    assert covered(add_rate_interval(naive, "rate"), "rate", RATE) < 0.92


@pytest.mark.parametrize("people", [60, 120, 500])
def test_mean_intervals_hold_the_truth(people):
    rng = np.random.default_rng(people)
    frame = pd.DataFrame([sums(*buyers(rng, people), "aov_") for _ in range(DRAWS)])
    assert 0.93 <= covered(add_mean_interval(frame, "aov"), "aov", AOV) <= 0.97


@pytest.mark.parametrize("people", [30, 120, 500])
def test_total_intervals_hold_the_truth(people):
    rng = np.random.default_rng(people)
    frame = pd.DataFrame([totals(rng, people) for _ in range(DRAWS)])
    truths = {
        "orders": people * (1.2 + 0.1 * AOV_CUT),
        "revenue": people * REVENUE_PER_BUYER,
        "net_revenue": people * REVENUE_PER_BUYER * 0.9,
    }
    for name, truth in truths.items():
        assert 0.93 <= covered(add_total_interval(frame, name), name, truth) <= 0.98, name
