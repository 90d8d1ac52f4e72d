"""Earned and expected value against cost."""

import numpy as np
import pandas as pd
import pytest

from ecomkit.models.clv import fit_clv
from ecomkit.models.payback import lifetime_value_to_cac, lifetime_values


def summary_of(customers=600, seed=1):
    random = np.random.default_rng(seed)
    rows = []
    for number in range(customers):
        rate, dropout, span = random.gamma(0.9, 1 / 60), random.beta(1.0, 2.0), int(random.integers(200, 700))
        day, days = 0.0, []
        while random.random() > dropout and (day := day + 1 + random.exponential(1 / rate)) <= span:
            days.append(int(day))
        spend = 6 / random.gamma(4, 1 / 15) * random.gamma(6 * max(len(days), 1)) / max(len(days), 1) if days else 0.0
        rows.append((f"c{number}", len(days), max(days, default=0), span, round(spend, 2)))
    return pd.DataFrame(rows, columns=["customer_id", "frequency", "recency", "T", "monetary_value"])


def contributions_of(summary, days_left):
    return pd.DataFrame(
        {
            "customer_id": summary.customer_id,
            "channel": "Email",
            "days_left": days_left,
            "realised": 50.0,
        }
    )


def test_what_is_expected_is_the_models_orders_times_spend_times_margin():
    summary = summary_of()
    values = lifetime_values(contributions_of(summary, 90.0), summary, yearly_discount_rate=0.0, margin=0.5)
    model = fit_clv(summary)
    expected = model.clv(90, 0.0, 0.5)["clv"].to_numpy()
    np.testing.assert_allclose(values.expected, expected, rtol=1e-9)
    np.testing.assert_allclose(values.lifetime_value, 50.0 + expected, rtol=1e-9)


def test_a_discount_from_the_middle_of_the_rest_is_near_the_weekly_one():
    summary = summary_of()
    values = lifetime_values(contributions_of(summary, 365.0), summary, yearly_discount_rate=0.1, margin=1.0)
    weekly = fit_clv(summary).clv(365, 0.1)["clv"]
    assert values.expected.sum() == pytest.approx(weekly.sum(), rel=0.01)


def test_a_horizon_that_has_passed_leaves_nothing_to_expect():
    summary = summary_of()
    values = lifetime_values(contributions_of(summary, 0.0), summary, yearly_discount_rate=0.1, margin=1.0)
    assert (values.expected == 0).all()


def test_rows_keep_their_order_and_customers_of_other_periods_stay_out():
    summary = summary_of()
    some = contributions_of(summary, 90.0).iloc[[7, 3]]
    values = lifetime_values(some, summary, yearly_discount_rate=0.1, margin=1.0)
    assert list(values.customer_id) == ["c7", "c3"]


def test_too_few_buyers_for_a_model_leave_what_was_earned():
    summary = summary_of(customers=5)
    values = lifetime_values(contributions_of(summary, 90.0), summary, yearly_discount_rate=0.1, margin=1.0)
    assert values.expected.isna().all()
    assert list(values.lifetime_value) == [50.0] * 5


COSTS = pd.DataFrame(
    {
        "channel": ["Display", "Email", "Paid Search"],
        "spend": [20.0, None, 60.0],
        "cac": [None, None, 30.0],
        "spend_without_customers": [True, False, False],
    }
)
VALUES = pd.DataFrame(
    {
        "customer_id": ["ana", "bo", "cy"],
        "channel": ["Paid Search", "Paid Search", "Email"],
        "realised": [100.0, 50.0, 10.0],
        "expected": [20.0, 10.0, 0.0],
        "lifetime_value": [120.0, 60.0, 10.0],
    }
)


def test_value_per_channel_by_hand():
    rows = lifetime_value_to_cac(VALUES, COSTS).set_index("channel")
    search = rows.loc["Paid Search"]
    assert (search.customers, search.realised_per_customer, search.expected_per_customer) == (2, 75.0, 15.0)
    assert (search.lifetime_value_per_customer, search.ltv_to_cac) == (90.0, 3.0)
    assert search.ltv_to_cac_low < 3.0 < search.ltv_to_cac_high
    assert rows.loc["Display", ["customers", "ltv_to_cac"]].tolist() == [0, 0.0]
    assert np.isnan(rows.loc["Display", "lifetime_value_per_customer"])
    assert np.isnan(rows.loc["Email", "ltv_to_cac"])


def test_the_interval_covers_chance_in_customers_and_in_value():
    random = np.random.default_rng(3)
    hits = 0
    for _ in range(200):
        worth = random.gamma(1.5, 40, random.poisson(60))
        values = pd.DataFrame(
            {"customer_id": [str(n) for n in range(len(worth))], "channel": "Email", "realised": worth}
        ).assign(expected=0.0, lifetime_value=worth)
        costs = COSTS.iloc[[1]].assign(spend=1000.0)
        [row] = lifetime_value_to_cac(values, costs).to_dict("records")
        hits += row["ltv_to_cac_low"] <= 60 * 60 / 1000 <= row["ltv_to_cac_high"]
    assert hits / 200 > 0.92


def test_unknown_expectations_stay_unknown():
    rows = lifetime_value_to_cac(VALUES.assign(expected=np.nan), COSTS)
    assert rows.expected_per_customer.isna().all()


def test_without_customers_or_costs_there_are_rows_without_values_or_none():
    assert lifetime_value_to_cac(VALUES.head(0), COSTS).customers.tolist() == [0, 0, 0]
    assert lifetime_value_to_cac(VALUES, COSTS.head(0)).empty
    assert lifetime_value_to_cac(VALUES.head(0), COSTS.head(0)).empty


def test_without_new_customers_there_is_nothing_to_value():
    summary = summary_of()
    values = lifetime_values(contributions_of(summary, 90.0).head(0), summary, yearly_discount_rate=0.1, margin=1.0)
    assert (list(values.columns[-2:]), len(values)) == (["expected", "lifetime_value"], 0)


def test_spend_on_customers_who_may_be_old_ones_has_no_multiple():
    rows = lifetime_value_to_cac(VALUES.head(0), COSTS.assign(spend_without_customers=False))
    assert rows.ltv_to_cac.isna().all()
