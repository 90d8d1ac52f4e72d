"""One group against all others: by hand, and how often chance alone is taken for a find."""

import numpy as np
import pandas as pd
import pytest

from ecomkit.metrics.comparisons import compare_rates
from ecomkit.metrics.standouts import compare_with_rest


def groups(*rows):
    """One row per (name, hits, units), each unit a cluster of its own."""
    frame = pd.DataFrame(rows, columns=["channel", "numerator", "denominator"])
    return frame.assign(
        clusters=frame.denominator,
        numerator_squares=frame.numerator,
        products=frame.numerator,
        denominator_squares=frame.denominator,
        order_rate=frame.numerator / frame.denominator,
    )


def test_each_group_is_held_against_the_sum_of_the_others():
    found = compare_with_rest(groups(("a", 5, 100), ("b", 30, 100), ("c", 20, 100)), "order_rate", floor=30)
    assert found.order_rate_of_rest.tolist() == [50 / 200, 25 / 200, 35 / 200]
    assert found.verdict.tolist() == ["down", "up", "within noise"]
    rest = groups(("rest", 50, 200)).iloc[0]
    alone = compare_rates(groups(("a", 5, 100)).iloc[0], rest, "order_rate")
    assert found.adjusted_p_value[0] >= alone.p_value


def test_a_group_under_the_floor_gets_no_verdict_and_costs_the_others_nothing():
    found = compare_with_rest(groups(("a", 5, 100), ("b", 30, 100), ("few", 0, 29)), "order_rate", floor=30)
    assert found.verdict.tolist() == ["down", "up", "cannot tell"]
    assert np.isnan(found.adjusted_p_value[2])


def test_a_find_that_does_not_outlive_the_correction_is_noise():
    pair = groups(("a", 20, 200), ("b", 36, 200))
    assert compare_with_rest(pair, "order_rate", floor=30).verdict.tolist() == ["down", "up"]
    many = groups(("a", 20, 200), ("b", 36, 200), *[(f"c{number}", 28, 200) for number in range(12)])
    assert set(compare_with_rest(many, "order_rate", floor=30).verdict) == {"within noise"}


@pytest.mark.parametrize("rows", [[], [("a", 5, 100)]], ids=["none", "one"])
def test_without_others_there_is_nothing_to_compare_with(rows):
    found = compare_with_rest(groups(*rows), "order_rate", floor=30)
    assert found.verdict.tolist() == ["cannot tell"] * len(rows)


def test_among_equal_groups_some_group_stands_out_in_few_shops():
    dice = np.random.default_rng(5)
    shops = 300
    alarms = 0
    for _ in range(shops):
        hits = dice.binomial(300, 0.1, 10)
        found = compare_with_rest(groups(*[(str(n), int(x), 300) for n, x in enumerate(hits)]), "order_rate", floor=30)
        alarms += bool(set(found.verdict) - {"within noise"})
    assert alarms / shops < 0.09
