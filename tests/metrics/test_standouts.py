"""One group against all others: by hand, and how often chance alone is taken for a find."""

import numpy as np
import pandas as pd
import pytest

from ecomkit.metrics.comparisons import compare_rates
from ecomkit.metrics.standouts import compare_groups, compare_with_rest


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


def totals(*entries):
    """Totals typed as (name, total) of a hundred people who add the same each."""
    names = ("name", "revenue", "revenue_squares", "revenue_clusters")
    rows = [(name, total, total**2 / 100, 100 if total else 0) for name, total in entries]
    return pd.DataFrame(rows, columns=names)


def test_each_group_is_held_against_itself_before():
    now, before = totals(("a", 1_000), ("b", 1_000), (None, 500)), totals(("b", 2_000), ("a", 1_010), (None, 500))
    found = compare_groups(now, before, "revenue", by="name", floor=30)
    assert found.revenue_before.tolist() == [1_010, 2_000, 500]
    assert found.change.tolist() == [-10, -1_000, 0]
    assert found.verdict.tolist() == ["within noise", "down", "within noise"]


def test_a_total_that_is_gone_fell_to_zero_and_one_that_came_rose_from_it():
    found = compare_groups(totals(("new", 900)), totals(("gone", 800)), "revenue", by="name", floor=30)
    assert found[["name", "revenue", "revenue_before", "verdict"]].values.tolist() == [
        ["new", 900, 0, "up"],
        ["gone", 0, 800, "down"],
    ]


def test_who_has_nothing_has_no_mean_and_no_refunds_where_nobody_knows_them():
    columns = ["channel", "revenue", "revenue_clusters", "revenue_squares", "aov", "aov_numerator", "net_revenue"]
    now = pd.DataFrame([("a", 10.0, 1, 100.0, 10.0, 10.0, None)], columns=columns)
    before = now.assign(channel="gone")
    gone = compare_groups(now, before, "revenue", by="channel", floor=1).iloc[1]
    assert (gone.channel, gone.revenue, gone.revenue_before) == ("gone", 0, 10)
    assert np.isnan(gone.aov)
    assert pd.isna(gone.net_revenue)


def test_of_a_rate_that_is_gone_nothing_is_known():
    found = compare_groups(
        groups(("a", 20, 200)), groups(("b", 20, 200)), "order_rate", by="channel", floor=30, compare=compare_rates
    )
    assert (found.channel.tolist(), found.verdict.tolist()) == (["a"], ["cannot tell"])


def test_without_a_group_nothing_moved():
    assert compare_groups(totals(), totals(), "revenue", by="name", floor=30).empty
