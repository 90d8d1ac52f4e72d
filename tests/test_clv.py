"""The CLV models against published numbers, against lifetimes, and against logs whose parameters are known."""

import re
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecomkit.errors import NotEnoughDataError, UsageError
from ecomkit.models.clv import DAYS_PER_YEAR, fit_clv

with warnings.catch_warnings():
    # The import warns under pandas 3.
    warnings.simplefilter("ignore")
    import lifetimes
    from lifetimes.utils import calibration_and_holdout_data

HOLDOUT_DAYS = 273
FITTERS = {"bg": lifetimes.BetaGeoFitter, "mbg": lifetimes.ModifiedBetaGeoFitter}
TOO_FEW = (
    "A CLV model needs 30 customers who paid on a second day; there are {}, among {} in all. "
    "Choose a later week or a longer history."
)


@pytest.fixture(scope="module")
def cdnow():
    """Summary of the calibration and what the holdout brought, by lifetimes' own function on the raw log."""
    path = Path(find_spec("lifetimes").origin).parent / "datasets" / "CDNOW_sample.txt"
    names = ["master_id", "customer_id", "day", "quantity", "amount"]
    log = pd.read_csv(path, sep=r"\s+", header=None, names=names, dtype={"customer_id": str, "day": str})
    frame = calibration_and_holdout_data(
        log,
        "customer_id",
        "day",
        datetime_format="%Y%m%d",
        calibration_period_end="19970930",
        observation_period_end="19980630",
        monetary_value_col="amount",
    )
    return frame.rename(columns=lambda name: name.removesuffix("_cal")).reset_index()


@pytest.fixture(scope="module")
def bg(cdnow):
    return fit_clv(cdnow, model="bg")


@pytest.fixture(scope="module")
def mbg(cdnow):
    return fit_clv(cdnow, model="mbg")


def history(frequency, recency_weeks, weeks):
    return pd.DataFrame({"frequency": [frequency], "recency": [recency_weeks * 7], "T": [weeks * 7]})


def in_weeks(model):
    params = model.params | {"alpha": model.params["alpha"] / 7}
    log_likelihood = model.log_likelihood + model.summary.frequency.sum() * np.log(7)
    return [round(params[name], 6) for name in ("r", "alpha", "a", "b")], round(log_likelihood, 4)


def test_bg_nbd_finds_the_published_parameters_of_cdnow(bg):
    params, log_likelihood = in_weeks(bg)
    assert params == pytest.approx([0.242594, 4.413602, 0.792922, 2.425906], abs=2e-6)
    assert log_likelihood == -9582.4292


def test_mbg_nbd_finds_the_published_parameters_of_cdnow(mbg):
    params, log_likelihood = in_weeks(mbg)
    assert params == pytest.approx([0.5248, 6.1831, 0.8914, 1.6140], abs=5e-5)
    assert log_likelihood == -9582.1357


def test_gamma_gamma_finds_the_published_parameters_of_cdnow(bg):
    p, q, gamma = (bg.params[name] for name in ("p", "q", "gamma"))
    assert (p, q, gamma) == pytest.approx((6.24957, 3.74422, 15.44352), abs=1e-5)
    assert round(bg.spend_log_likelihood, 4) == -4055.9177
    assert round(p * gamma / (q - 1), 2) == 35.17


def test_expected_spend_of_the_first_ten_customers_is_the_published_one(bg):
    expected = [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17]
    assert bg.expected_spend().head(10).tolist() == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize(
    ("weeks", "orders"),
    [(1, 0.0532), (3, 0.1506), (31.857, 1.0405), (32, 1.0437), (52, 1.444004), (78, 1.8576)],
)
def test_a_new_customer_orders_as_often_as_in_hardies_sheet(bg, weeks, orders):
    # The sheet's own fit stops a little earlier, which shows in the fourth digit after 78 weeks.
    assert bg.expected_orders(weeks * 7, history(0, 0, 0))[0] == pytest.approx(orders, rel=2e-4, abs=6e-5)


@pytest.mark.parametrize(
    ("customer", "weeks", "orders"),
    [
        pytest.param((26, 30.857, 31), 52, 25.757, id="loyal"),
        pytest.param((2, 30.43, 38.86), 39, 1.226, id="of Fader, Hardie and Lee"),
        pytest.param((10, 20, 39), 52, 0.34746, id="more past"),
        pytest.param((15, 20, 39), 52, 0.042834, id="even more past"),
        pytest.param((20, 20, 39), 52, 0.0041590, id="less future"),
        pytest.param((25, 20, 39), 52, 0.00035837, id="even less future"),
    ],
)
def test_a_customers_next_orders_are_those_published(bg, customer, weeks, orders):
    assert bg.expected_orders(weeks * 7, history(*customer))[0] == pytest.approx(orders, rel=4e-4)


def test_p_alive_is_the_published_one(bg, mbg):
    assert round(bg.p_alive(history(26, 30.857, 31))[0], 5) == 0.96885
    assert (round(bg.p_alive().mean(), 4), round(mbg.p_alive().mean(), 4)) == (0.8134, 0.4487)


def test_one_time_buyers_are_alive_for_certain_under_bg_nbd_only(bg, mbg):
    once = history(0, 0, 39)
    assert bg.p_alive(once)[0] == 1.0
    assert 0 < mbg.p_alive(once)[0] < 1


def test_a_year_of_clv_adds_up_to_the_published_sum(bg):
    # The published sum discounts by .001 a week at the end of each week, the kit from its middle.
    yearly_rate = 1.001 ** (DAYS_PER_YEAR / 7) - 1
    value = bg.clv(364, yearly_rate)
    assert value.clv.sum() / 1.001**0.5 == pytest.approx(73_894.7, abs=0.1)
    assert value.clv_undiscounted.sum() > value.clv.sum()


def test_clv_without_discount_is_orders_times_spend_times_margin(mbg):
    value = mbg.clv(100, 0.0, margin=0.4)
    expected = mbg.expected_orders(100) * mbg.expected_spend() * 0.4
    pd.testing.assert_series_equal(value.clv, expected, check_names=False, rtol=1e-12)
    pd.testing.assert_series_equal(value.clv_undiscounted, expected, check_names=False, rtol=1e-12)


def test_the_holdout_of_cdnow_matches_the_published_table(cdnow, bg, mbg):
    expected = bg.expected_orders(HOLDOUT_DAYS)
    by_frequency = expected.groupby(cdnow.frequency.clip(upper=7)).mean()
    published = [0.2251, 0.5231, 1.0441, 1.5203, 2.1638, 2.6538, 3.5040, 6.1570]
    assert by_frequency.tolist() == pytest.approx(published, rel=1e-4)
    assert round(expected.sum(), 1) == 1653.4
    assert round(mbg.expected_orders(HOLDOUT_DAYS).sum(), 1) == 1576.7
    actual = cdnow.frequency_holdout
    assert actual.sum() == 1882
    assert (expected - actual).abs().mean() == pytest.approx(0.786, abs=1e-3)
    assert (mbg.expected_orders(HOLDOUT_DAYS) - actual).abs().mean() == pytest.approx(0.765, abs=1e-3)
    naive = cdnow.frequency / cdnow["T"] * HOLDOUT_DAYS
    assert (round(naive.sum(), 1), round((naive - actual).abs().mean(), 3)) == (2930.1, 1.024)


@pytest.mark.parametrize(("days_later", "orders"), [(0, 2501.5), (HOLDOUT_DAYS, 4165.7)])
def test_tracking_of_the_whole_cohort_is_the_published_one(cdnow, bg, days_later, orders):
    # Week 39 ends after its last day, which is one day more than T counts.
    ages = (cdnow["T"] + 1 + days_later).value_counts()
    expected = sum(bg.expected_orders(age, history(0, 0, 0))[0] * customers for age, customers in ages.items())
    assert expected == pytest.approx(orders, abs=0.06)


@pytest.mark.parametrize(
    ("model", "fitter"), [("bg", lifetimes.BetaGeoFitter), ("mbg", lifetimes.ModifiedBetaGeoFitter)]
)
def test_predictions_agree_with_lifetimes_where_that_stays_finite(cdnow, bg, mbg, model, fitter):
    ours = {"bg": bg, "mbg": mbg}[model]
    theirs = fitter()
    theirs.params_ = pd.Series({name: ours.params[name] for name in ("r", "alpha", "a", "b")})
    columns = cdnow.frequency, cdnow.recency, cdnow["T"]
    orders = theirs.conditional_expected_number_of_purchases_up_to_time(200, *columns)
    assert ours.expected_orders(200).tolist() == pytest.approx(list(orders), rel=1e-9)
    assert ours.p_alive().tolist() == pytest.approx(list(theirs.conditional_probability_alive(*columns)), rel=1e-9)


@pytest.mark.parametrize("recency_weeks", [1, 38, 39])
def test_heavy_buyers_stay_finite(bg, mbg, recency_weeks):
    heavy = history(2_000, recency_weeks, 39)
    for model in (bg, mbg):
        assert 0 <= model.p_alive(heavy)[0] <= 1
        assert 0 <= model.expected_orders(364, heavy)[0] < 2_000 * 364 / (39 * 7) * 1.01


def test_the_order_of_rows_changes_nothing(cdnow, bg):
    shuffled = fit_clv(cdnow.sample(frac=1, random_state=7), model="bg")
    digits = {name: f"{value:.10g}" for name, value in bg.params.items()}
    assert {name: f"{value:.10g}" for name, value in shuffled.params.items()} == digits
    value = shuffled.clv(365, 0.1).clv.sort_index()
    pd.testing.assert_series_equal(value, bg.clv(365, 0.1).clv, rtol=1e-10)


def test_the_unit_of_money_changes_nothing_but_the_unit(cdnow, bg):
    in_cents = fit_clv(cdnow.assign(monetary_value=cdnow.monetary_value * 100), model="bg")
    assert in_cents.params["gamma"] == pytest.approx(bg.params["gamma"] * 100, rel=1e-6)
    assert in_cents.params["p"] == pytest.approx(bg.params["p"], rel=1e-6)


def simulated_summary(rng, customers, *, r, alpha, a, b, p, q, gamma, first_is_safe):
    """Draw order days by the story of the model itself: gamma rates, beta drop-out, gamma spend."""
    rate = rng.gamma(r, 1 / alpha, customers)
    leaves = rng.beta(a, b, customers)
    scale = rng.gamma(q, 1 / gamma, customers)
    ages = rng.uniform(189, 273, customers)
    rows = []
    for lam, drop, nu, age in zip(rate, leaves, scale, ages, strict=True):
        frequency, recency, at = 0, 0.0, 0.0
        alive = first_is_safe or rng.random() >= drop
        while alive:
            at += rng.exponential(1 / lam)
            if at > age:
                break
            frequency, recency = frequency + 1, at
            alive = rng.random() >= drop
        spend = rng.gamma(p * frequency, 1 / (nu * frequency)) if frequency else 0.0
        rows.append((frequency, recency, age, spend))
    return pd.DataFrame(rows, columns=["frequency", "recency", "T", "monetary_value"])


TRUTHS = {
    "bg": {"r": 0.25, "alpha": 30.0, "a": 0.8, "b": 2.5},
    "mbg": {"r": 0.55, "alpha": 43.0, "a": 0.9, "b": 1.6},
}


@pytest.mark.parametrize("model", TRUTHS)
def test_parameters_of_a_simulated_log_come_back_within_their_errors(model):
    truths = TRUTHS[model] | {"p": 6.0, "q": 4.0, "gamma": 15.0}
    rng = np.random.default_rng(20261101)
    summary = simulated_summary(rng, 12_000, **truths, first_is_safe=model == "bg")
    found = fit_clv(summary, model=model).params
    # Standard errors by lifetimes: the diagonal of its covariances is right, the rest is not read.
    errors = dict(FITTERS[model]().fit(summary.frequency, summary.recency, summary["T"]).standard_errors_)
    repeats = summary[summary.frequency > 0]
    errors |= dict(lifetimes.GammaGammaFitter().fit(repeats.frequency, repeats.monetary_value).standard_errors_)
    errors["gamma"] = errors.pop("v")
    for name, truth in truths.items():
        assert abs(found[name] - truth) < 3 * errors[name], name
        assert errors[name] < 0.25 * truth, f"the log is too short to tell {name}"


def test_a_customer_whose_refunds_outweigh_the_orders_is_expected_to_spend_little(cdnow):
    worst = cdnow.assign(monetary_value=cdnow.monetary_value.where(cdnow.index != 0, -5.0))
    model = fit_clv(worst, model="mbg")
    assert 0 < model.expected_spend()[0] < model.expected_spend()[cdnow.frequency == 0].iloc[0]


@pytest.mark.parametrize("customers", [0, 1, 2, 3, 10, 20])
def test_few_customers_are_refused_in_words(cdnow, customers):
    few = cdnow[cdnow.frequency > 0].head(customers)
    with pytest.raises(NotEnoughDataError, match=f"^{re.escape(TOO_FEW.format(customers, customers))}$"):
        fit_clv(few)


def test_customers_who_all_bought_once_are_refused_in_words(cdnow):
    once = cdnow[cdnow.frequency == 0]
    with pytest.raises(NotEnoughDataError, match=f"^{re.escape(TOO_FEW.format(0, 1411))}$"):
        fit_clv(once, model="bg")


def test_spend_without_a_mean_is_refused_in_words(cdnow):
    rng = np.random.default_rng(3)
    wild = cdnow.assign(monetary_value=np.where(cdnow.frequency > 0, rng.pareto(0.5, len(cdnow)) + 0.01, 0))
    text = (
        r"^The Gamma-Gamma model found q = 0\.\d{3}: at or below 1 the mean spend of a customer does not exist\. "
        r"A few very large orders do this; exclude them as test orders or judge the shop by realised value\.$"
    )
    with pytest.raises(NotEnoughDataError, match=text):
        fit_clv(wild)


def test_a_fit_that_runs_away_is_refused_in_words():
    # Everybody orders every day and nobody leaves: no rate and no drop-out can be told.
    clockwork = pd.DataFrame({"frequency": 50, "recency": 50, "T": 50, "monetary_value": 9.0}, index=range(40))
    text = (
        "The MBG/NBD model found no stable parameters for 40 customers from 3 starts. "
        "Choose a later week or a longer history, or judge the shop by realised value."
    )
    with pytest.raises(NotEnoughDataError, match=f"^{re.escape(text)}$"):
        fit_clv(clockwork)


def test_an_unknown_model_is_refused_with_those_known(cdnow):
    with pytest.raises(UsageError, match=r"^'pareto' is not an order model\. Choose one of 'bg', 'mbg'\.$"):
        fit_clv(cdnow, model="pareto")


def test_importing_the_models_leaves_the_warning_filters_alone():
    before = list(warnings.filters)
    import ecomkit.models.clv  # noqa: F401

    assert warnings.filters == before
