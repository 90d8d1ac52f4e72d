"""Pairs of products in one order: by hand, by law, and a planted pair."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from ecomkit.metrics.products import judge_pairs, pairs_looked_at, product_pairs
from ecomkit.metrics.products.baskets import MOST_PRODUCTS
from ecomkit.periods import Period

WEEK = Period(date(2026, 10, 5), date(2026, 10, 12), "UTC")
AT = "2026-10-06 10:00:00Z"


@pytest.fixture
def pairs_of(order_log, line_log, rows_of):
    """Return a function that pairs baskets typed as one text of products per order, of one customer each."""

    def run(*baskets, min_group=1, at=AT, by="product_id", status="completed", customers=None):
        people = customers or [f"c{number}" for number in range(len(baskets))]
        orders = order_log(*((person, at, {"status": status}) for person in people))
        lines = line_log(
            *((f"o{number}", key, 1) for number, basket in enumerate(baskets, start=1) for key in basket.split())
        )
        asked = {"by": by, "period": WEEK, "as_of": WEEK.end_at, "min_group": min_group}
        [told] = rows_of(pairs_looked_at(orders, lines, **asked))
        return rows_of(product_pairs(orders, lines, **asked)), told

    return run


def test_support_confidence_and_lift_of_a_pair(pairs_of):
    [pair, *_], told = pairs_of("a b", "b a", "a c", "a", "d")
    assert (pair["first"], pair["second"]) == ("a", "b")
    assert (pair["orders_with_both"], pair["orders_with_first"], pair["orders_with_second"]) == (2, 4, 2)
    assert (pair["orders"], pair["support_share"]) == (5, 2 / 5)
    assert (pair["second_given_first_rate"], pair["first_given_second_rate"]) == (2 / 4, 1.0)
    assert pair["lift"] == pytest.approx(2 * 5 / (4 * 2))
    assert told == {
        "orders": 5,
        "orders_of_several": 3,
        "orders_too_large": 0,
        "pairs_seen": 2,
        "pairs_shown": 2,
        "pairs_hidden": 0,
    }


def test_the_lift_of_all_pairs_is_pairs_there_are_over_pairs_by_chance(pairs_of):
    pairs, _ = pairs_of("a b", "a b c", "a", "c")
    by_chance = (3 * 2 + 3 * 2 + 2 * 2) / 4
    assert [pair["lift_of_all_pairs"] for pair in pairs] == pytest.approx([4 / by_chance] * 3)
    weighted = sum(pair["orders_with_first"] * pair["orders_with_second"] * pair["lift"] / 4 for pair in pairs)
    assert weighted / by_chance == pytest.approx(4 / by_chance)


def test_a_product_on_two_lines_of_an_order_counts_once_and_pairs_not_with_itself(pairs_of):
    pairs, told = pairs_of("a a b", "a a")
    assert [(pair["first"], pair["second"], pair["orders_with_both"]) for pair in pairs] == [("a", "b", 1)]
    assert (told["orders"], told["orders_of_several"]) == (2, 1)


def test_pairs_in_fewer_orders_than_the_floor_are_hidden_and_counted(pairs_of):
    baskets = ["a b", "a b", "a b", "a c", "a c", "c"]
    pairs, told = pairs_of(*baskets, min_group=3)
    assert [(pair["first"], pair["second"]) for pair in pairs] == [("a", "b")]
    assert (told["pairs_seen"], told["pairs_shown"], told["pairs_hidden"]) == (2, 1, 1)
    assert pairs[0]["pairs_possible"] == 3, "a, b and c are each in three orders or more"
    assert pairs_of(*baskets, min_group=2)[1]["pairs_hidden"] == 0


def test_orders_of_too_many_products_are_left_out_and_counted(pairs_of):
    keys = [f"p{number:02d}" for number in range(MOST_PRODUCTS + 1)]
    at_most, above = " ".join(keys[:-1]), " ".join(keys)
    pairs, told = pairs_of(at_most, above, min_group=1)
    assert (told["orders"], told["orders_too_large"]) == (1, 1)
    assert len(pairs) == told["pairs_shown"] == MOST_PRODUCTS * (MOST_PRODUCTS - 1) // 2
    assert {pair["orders"] for pair in pairs} == {1}


@pytest.mark.parametrize(
    ("about", "is_shown"),
    [
        pytest.param({}, True, id="in the period"),
        pytest.param({"at": "2026-10-04 23:59:59Z"}, False, id="a second before"),
        pytest.param({"at": "2026-10-05 00:00:00Z"}, True, id="its first instant"),
        pytest.param({"at": "2026-10-12 00:00:00Z"}, False, id="the instant after"),
        pytest.param({"status": "cancelled"}, False, id="cancelled"),
    ],
)
def test_which_orders_count(pairs_of, about, is_shown):
    pairs, told = pairs_of("a b", **about)
    assert (len(pairs), told["orders"]) == (is_shown, is_shown)


def test_repeated_orders_of_one_customer_are_squared(pairs_of):
    [pair], _ = pairs_of("a b", "a b", "a b", customers=["ana", "ana", "bea"])
    assert pair["both_squares"] == 2**2 + 1


def frame_of(*rows):
    """One row per (both, first, second, orders), each order of another customer."""
    frame = pd.DataFrame(rows, columns=["orders_with_both", "orders_with_first", "orders_with_second", "orders"])
    frame["lift"] = frame.orders_with_both * frame.orders / (frame.orders_with_first * frame.orders_with_second)
    return frame.assign(lift_of_all_pairs=1.0, pairs_possible=len(frame), both_squares=frame.orders_with_both)


def test_the_verdict_holds_a_pair_against_all_pairs():
    pairs = frame_of((60, 200, 200, 1000), (40, 200, 200, 1000), (10, 200, 200, 1000))
    assert judge_pairs(pairs).verdict.tolist() == ["up", "within noise", "down"]
    assert judge_pairs(pairs.assign(lift_of_all_pairs=1.5)).verdict.tolist() == ["within noise", "down", "down"]
    assert judge_pairs(frame_of()).verdict.tolist() == []


def test_more_pairs_looked_at_and_fewer_customers_make_a_find_harder():
    pair = frame_of((52, 200, 200, 1000))
    assert judge_pairs(pair).verdict.tolist() == ["up"]
    assert judge_pairs(pair.assign(pairs_possible=500)).verdict.tolist() == ["within noise"]
    assert judge_pairs(pair.assign(both_squares=52 * 4)).verdict.tolist() == ["within noise"]


def test_the_interval_covers_the_true_lift():
    dice, orders, shops = np.random.default_rng(4), 3000, 2000
    shares = [0.04, 0.11, 0.16, 0.69]
    both, first, second, _ = dice.multinomial(orders, shares, shops).T
    counts = zip(both, first + both, second + both, [orders] * shops, strict=True)
    found = judge_pairs(frame_of(*counts))
    true = 0.04 / (0.15 * 0.20)
    covered = ((found.lift_low <= true) & (true <= found.lift_high)).mean()
    assert 0.935 <= covered <= 0.965


def shop_of_baskets(dice, *, orders=1500, products=25, rate=0.12, planted=0.0):
    """Counts of all pairs where products are bought by chance, but for the first two in a share of orders."""
    bought = dice.random((orders, products)) < rate
    together = dice.random(orders) < planted
    bought[together, :2] = True
    counts = bought.T.astype(int) @ bought.astype(int)
    alone = counts.diagonal()
    a, b = np.triu_indices(products, 1)
    frame = frame_of(*zip(counts[a, b], alone[a], alone[b], [orders] * len(a), strict=True))
    by_chance = (frame.orders_with_first * frame.orders_with_second).sum() / orders
    possible = int((alone >= 30).sum() * ((alone >= 30).sum() - 1) / 2)
    usual = frame.orders_with_both.sum() / by_chance
    shown = frame.assign(first=a, second=b, lift_of_all_pairs=usual, pairs_possible=possible)
    return shown[shown.orders_with_both >= 30].reset_index(drop=True)


def test_where_products_are_bought_by_chance_few_shops_see_a_pair():
    """With 21.6 orders of a pair expected, those shown are shown by luck: what was hidden must count as looked at."""
    dice, shops = np.random.default_rng(5), 100
    alarms = sum("up" in set(judge_pairs(shop_of_baskets(dice)).verdict) for _ in range(shops))
    assert alarms / shops <= 0.06


def test_a_planted_pair_is_the_one_that_is_found():
    dice, shops = np.random.default_rng(6), 20
    hits = 0
    for _ in range(shops):
        found = judge_pairs(shop_of_baskets(dice, planted=0.03))
        found = found[found.verdict == "up"].sort_values("lift", ascending=False)
        hits += len(found) > 0 and tuple(found.iloc[0][["first", "second"]]) == (0, 1)
    assert hits / shops >= 0.9
