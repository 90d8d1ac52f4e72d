"""What the fitted models say: sums, tenths, a holdout, and how far to believe them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ecomkit.models import clv_value
from ecomkit.models.clv import fit_clv

HORIZON = {"horizon_days": 365, "yearly_discount_rate": 0.1, "margin": 0.5}


def summary_of(customers, *, seed=1, spend=None):
    """Draw customers of very different zeal, half of whom leave."""
    rng = np.random.default_rng(seed)
    ages = rng.integers(100, 700, customers)
    recency = (ages * rng.random(customers)).astype(int)
    frequency = np.where(rng.random(customers) < 0.5, 0, rng.poisson(recency / rng.choice([30, 200], customers)))
    means = rng.gamma(3, 10, customers) * (1 if spend is None else 0) + (spend or 0)
    values = rng.gamma(4 * np.maximum(frequency, 1), means / 4 / np.maximum(frequency, 1))
    return pd.DataFrame(
        {
            "customer_id": [f"c{number:04d}" for number in range(customers)],
            "frequency": frequency,
            "recency": np.where(frequency > 0, recency, 0),
            "T": ages,
            "monetary_value": np.where(frequency > 0, values, 0.0),
            "net_revenue": values * (frequency + 1),
        }
    )


@pytest.fixture(scope="module")
def models():
    fitted, reason = clv_value.fit_both(summary_of(600))
    assert reason == ""
    return fitted


def test_both_models_are_fitted_and_the_one_that_lets_one_time_buyers_leave_comes_first(models):
    assert [model.model for model in models] == ["mbg", "bg"]


def test_too_few_customers_give_no_model_and_the_reason():
    fitted, reason = clv_value.fit_both(summary_of(20))
    assert fitted == []
    assert reason.startswith("A CLV model needs 30 customers who paid on a second day; there are ")


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(clv_value.value_by_model([], **HORIZON), id="by model"),
        pytest.param(clv_value.value_path([], **HORIZON), id="path"),
        pytest.param(clv_value.value_by_tenth([], **HORIZON), id="tenths"),
        pytest.param(clv_value.holdout_by_frequency(pd.DataFrame(), [], days=90), id="holdout"),
    ],
)
def test_without_a_model_frames_are_empty_and_nothing_is_said(frame):
    assert frame.empty
    assert len(frame.columns) >= 3
    assert clv_value.limits([]) == ""


def test_value_by_model_adds_up_what_customers_are_expected_to_bring(models):
    rows = clv_value.value_by_model(models, **HORIZON)
    value = models[0].clv(365, 0.1, 0.5)
    assert rows.model.tolist() == ["MBG/NBD", "BG/NBD"]
    first = rows.iloc[0]
    assert (first.customers, first.expected_orders) == (600, round(value.expected_orders.sum()))
    assert (first.clv, first.clv_per_customer) == pytest.approx((value.clv.sum(), value.clv.mean()))
    assert first.clv_undiscounted > first.clv > 0


def test_the_path_starts_at_zero_grows_and_ends_at_the_sum(models):
    path = clv_value.value_path(models, **HORIZON)
    sums = clv_value.value_by_model(models, **HORIZON).set_index("model").clv
    for model, line in path.groupby("model"):
        assert (line.days.iloc[0], line.clv.iloc[0], line.days.iloc[-1]) == (0, 0, 365)
        assert line.clv.is_monotonic_increasing
        assert line.clv.iloc[-1] == pytest.approx(sums[model])


def test_a_horizon_of_one_day_has_a_path_too(models):
    path = clv_value.value_path(models[:1], horizon_days=1, yearly_discount_rate=0.1, margin=1.0)
    assert path.days.tolist() == [0, 1]


def test_tenths_split_customers_evenly_and_their_shares_add_up_to_one(models):
    tenths = clv_value.value_by_tenth(models, **HORIZON)
    assert tenths.tenth.tolist() == list(range(1, 11))
    assert tenths.customers.tolist() == [60] * 10
    assert tenths.clv.is_monotonic_decreasing
    assert (tenths.clv_share.sum(), tenths.net_revenue_share.sum()) == pytest.approx((1, 1))
    assert tenths.net_revenue.sum() == pytest.approx(models[0].summary.net_revenue.sum())


def test_tenths_do_not_depend_on_the_order_of_rows(models):
    shuffled = replace(models[0], summary=models[0].summary.sample(frac=1, random_state=3))
    pd.testing.assert_frame_equal(
        clv_value.value_by_tenth([shuffled], **HORIZON), clv_value.value_by_tenth(models, **HORIZON)
    )


def test_fewer_than_ten_customers_leave_tenths_empty_but_lose_nobody(models):
    few = replace(models[0], summary=models[0].summary.head(4))
    tenths = clv_value.value_by_tenth([few], **HORIZON)
    assert tenths.customers.sum() == 4


def test_the_holdout_sums_purchase_days_by_repeats(models):
    holdout = models[0].summary.assign(frequency_holdout=1)
    rows = clv_value.holdout_by_frequency(holdout, models, days=90)
    assert rows.repeats.tolist() == [0, 1, 2, 3, 4, 5]
    assert rows.customers.sum() == rows.actual.sum() == 600
    once = holdout[holdout.frequency == 0]
    assert rows.expected_mbg[0] == round(models[0].expected_orders(90, once).sum())
    assert rows.expected_bg.sum() == pytest.approx(models[1].expected_orders(90).sum(), abs=3)


def test_limits_tell_the_correlation_and_whether_it_matters(models):
    repeat_buyers = models[0].summary.query("frequency > 0")
    related = repeat_buyers.frequency.corr(repeat_buyers.monetary_value)
    assert clv_value.limits(models[:1]) == (
        f"Among repeat buyers frequency and spend correlate at {related:.2f}, weak enough for Gamma-Gamma, "
        "which takes them as unrelated."
    )
    tied = models[0].summary.assign(monetary_value=models[0].summary.frequency * 10.0)
    assert "correlate at 1.00, too strong to ignore for" in clv_value.limits([replace(models[0], summary=tied)])


def test_customers_of_equal_spend_are_each_expected_to_spend_the_mean_and_the_limit_is_said():
    summary = summary_of(600, spend=40.0)
    fitted, _ = clv_value.fit_both(summary)
    expected = fitted[0].expected_spend()
    repeat_mean = np.average(summary.monetary_value, weights=summary.frequency)
    assert expected.tolist() == pytest.approx([repeat_mean] * 600, rel=0.1)
    assert "Customers hardly differ in what they spend, so that each is expected" in clv_value.limits(fitted)


def test_a_shop_that_nobody_leaves_is_fitted_and_the_limit_is_said():
    rng = np.random.default_rng(4)
    ages = rng.integers(100, 400, 400)
    frequency = rng.poisson(ages * rng.gamma(2, 0.01, 400))
    recency = np.where(frequency > 0, (ages * rng.beta(np.maximum(frequency, 1), 1)).astype(int), 0)
    summary = summary_of(400).assign(frequency=frequency, recency=recency, T=ages)
    summary["monetary_value"] = np.where(frequency > 0, rng.gamma(3, 10, 400), 0.0)
    model = fit_clv(summary, model="mbg")
    assert np.isfinite(list(model.params.values())).all()
    assert model.p_alive().mean() > 0.98
    assert model.expected_orders(365).sum() == pytest.approx(0.02 * 365 * 400, rel=0.15)
    assert "The models see nobody leave" in clv_value.limits([model])


def test_a_fit_that_would_run_away_is_held_and_that_is_said():
    summary = summary_of(400).assign(monetary_value=0.0)
    repeats = summary.frequency > 0
    # Means of many draws from one distribution: the more days, the closer to the mean, and no customer differs.
    share = np.sqrt(1 / summary.frequency[repeats]) * np.where(np.arange(repeats.sum()) % 2, 0.3, -0.3)
    summary.loc[repeats, "monetary_value"] = 40 * (1 + share)
    model = fit_clv(summary)
    assert model.is_held
    assert model.params["q"] < 1000
    assert clv_value.limits([model]).endswith("A small penalty holds parameters that these data leave open.")
