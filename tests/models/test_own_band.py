"""The band of a headline's own past: by hand, and by the chance that it claims."""

import numpy as np
import pytest

from ecomkit.models.own_band import FEWEST, LEVEL, WEEKS, own_band

WEEKS_OF_CHANCE = 4000


def test_both_intervals_are_covered():
    # Twelve weeks, the last one of the higher kind. t of 11 degrees at 99.8 % is 4.0247.
    past = [20.0, 21.0] * 6
    low, high = own_band(past, "count")
    step = np.log(21 / 20)
    assert low == pytest.approx(21 * np.exp(-4.0247 * step), rel=1e-4)
    assert high == pytest.approx(21 * np.exp(4.0247 * step), rel=1e-4)


def test_weeks_that_jump_once_are_judged_by_their_levels():
    past = [10.0] * 6 + [20.0] * 6
    low, high = own_band(past, "count")
    # Levels: log 10 and log 20 six times each, so the mean is log sqrt(200) and s is log(2) / 2 x sqrt(12 / 11).
    reach = 4.0247 * np.log(2) / 2 * np.sqrt(12 / 11) * np.sqrt(13 / 12)
    assert low == pytest.approx(np.sqrt(200) * np.exp(-reach), rel=1e-4)
    # The jump is the only step of eleven: their root mean square is log(2) / sqrt(11), from the last week on.
    near = 20 * np.exp(4.0247 * np.log(2) / np.sqrt(11))
    assert high == pytest.approx(max(np.sqrt(200) * np.exp(reach), near), rel=1e-4)


@pytest.mark.parametrize(
    ("past", "unit"),
    [
        pytest.param([], "count", id="no week"),
        pytest.param([20, 21] * 3 + [20], "count", id="seven weeks"),
        pytest.param([20, 21] * 6 + [None], "count", id="the week before is not known"),
        pytest.param([20] * 5 + [None] + [20, 21] * 3, "count", id="a gap leaves too few"),
        pytest.param([1.0] * 12, "rate", id="never moved"),
    ],
)
def test_too_little_gives_no_band(past, unit):
    assert own_band(past, unit) is None


def test_eight_weeks_after_a_gap_are_enough():
    assert own_band([500.0, None, *[20.0, 21.0] * 4], "count") == own_band([20.0, 21.0] * 4, "count") is not None
    assert FEWEST == 8


def test_weeks_beyond_the_twelfth_do_not_count():
    assert own_band([900.0, *[20.0, 21.0] * 6], "count") == own_band([20.0, 21.0] * 6, "count")
    assert WEEKS == 12


@pytest.mark.parametrize(
    ("past", "unit", "ends"),
    [
        pytest.param([0, 1] * 6, "count", (0, None), id="a count is never below nothing"),
        pytest.param([0.9, 1.0] * 6, "rate", (None, 1), id="a rate is never above all"),
        pytest.param([0.0, 0.1] * 6, "rate", (0, None), id="a rate is never below none"),
        pytest.param([-5.0, 5.0] * 6, "money", (None, None), id="net revenue may be below nothing"),
    ],
)
def test_a_band_stays_on_its_scale(past, unit, ends):
    low, high = own_band(past, unit)
    assert low < min(past) or low == ends[0]
    assert high > max(past) or high == ends[1]


@pytest.mark.parametrize("unit", ["money", "rate"])
def test_the_unit_of_the_numbers_does_not_matter_to_money_nor_the_side_to_rates(unit):
    rng = np.random.default_rng(4)
    past = rng.uniform(0.2, 0.4, 12)
    low, high = own_band(list(past), unit)
    if unit == "money":
        assert own_band(list(past * 100), unit) == pytest.approx((low * 100, high * 100))
    else:
        assert own_band(list(1 - past), unit) == pytest.approx((1 - high, 1 - low))


def outside(weeks, unit="money"):
    """The share of weeks outside the band of the twelve before, of many shops' thirteen weeks each."""
    bands = [own_band(list(row[:-1]), unit) for row in weeks]
    return np.mean([not low <= row[-1] <= high for row, (low, high) in zip(weeks, bands, strict=True)])


def test_on_white_noise_and_on_random_walks_fewer_weeks_lie_outside_than_either_interval_claims():
    rng = np.random.default_rng(11)
    noise = rng.normal(0, 0.2, (WEEKS_OF_CHANCE, 13))
    mixed = noise + np.cumsum(rng.normal(0, 0.1, noise.shape), axis=1)
    claimed = 1 - LEVEL
    assert outside(100 * np.exp(noise)) <= claimed
    assert outside(100 * np.exp(np.cumsum(noise, axis=1))) <= claimed
    assert outside(100 * np.exp(mixed)) <= claimed


@pytest.mark.parametrize(("orders", "seen"), [(30, 0.1), (100, 0.6), (300, 0.95)], ids="{} orders a week".format)
def test_half_of_the_orders_gone_is_seen_where_there_are_enough(orders, seen):
    rng = np.random.default_rng(5)
    weeks = rng.poisson(orders, (500, 13)).astype(float)
    weeks[:, -1] = rng.poisson(orders / 2, 500)
    assert outside(weeks, "count") >= seen
