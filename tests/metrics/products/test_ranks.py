"""Risen and fallen: by hand, by law, and how often chance alone is called a move."""

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from ecomkit.metrics.products import judge_ranks, product_ranks
from ecomkit.periods import Period

WEEK = Period(date(2026, 10, 5), date(2026, 10, 12), "UTC")
NOW, BEFORE = "2026-10-06 10:00:00Z", "2026-09-29 10:00:00Z"


@pytest.fixture
def ranks_of(order_log, line_log, rows_of):
    def run(orders, lines):
        rows = product_ranks(order_log(*orders), line_log(*lines), period=WEEK, as_of=WEEK.end_at)
        return rows_of(rows, "product_id", "rank", "rank_before", "rank_change", "revenue", "revenue_before")

    return run


def test_rank_one_brought_most_and_a_positive_change_is_a_rise(ranks_of):
    lines = [("o1", "p1", 5), ("o1", "p2", 9), ("o2", "p1", 8), ("o2", "p2", 2), ("o2", "p3", 1)]
    assert ranks_of([("ana", NOW), ("ana", BEFORE)], lines) == [
        ("p2", 1, 2, 1, 9, 2),
        ("p1", 2, 1, -1, 5, 8),
        ("p3", None, 3, None, 0, 1),
    ]


def test_equal_revenue_shares_a_rank_and_free_goods_have_one(ranks_of):
    lines = [("o1", "p1", 5), ("o1", "p2", 5), ("o1", "p3", 0)]
    assert [row[:3] for row in ranks_of([("ana", NOW)], lines)] == [("p1", 1, None), ("p2", 1, None), ("p3", 3, None)]


def test_both_periods_are_half_open(ranks_of):
    at = {
        "a second before the period before": "2026-09-27 23:59:59Z",
        "first instant of the period before": "2026-09-28 00:00:00Z",
        "its last second": "2026-10-04 23:59:59Z",
        "first instant of the period": "2026-10-05 00:00:00Z",
        "the instant after it": "2026-10-12 00:00:00Z",
    }
    lines = [(f"o{number}", case, 5) for number, case in enumerate(at, start=1)]
    assert {row[0]: row[4:] for row in ranks_of([("ana", instant) for instant in at.values()], lines)} == {
        "first instant of the period before": (0, 5),
        "its last second": (0, 5),
        "first instant of the period": (5, 0),
    }


def test_cancelled_orders_and_lines_without_a_product_have_no_rank(ranks_of):
    orders = [("ana", NOW, {"status": "cancelled"}), ("ana", NOW)]
    assert ranks_of(orders, [("o1", "p1", 5), ("o2", None, 5)]) == []


def test_revenue_of_all_ranks_is_that_of_the_two_quarters(shop):
    span = shop.week("last").extended_back(13)
    rows = product_ranks(shop.orders, shop.order_lines, period=span, as_of=span.end_at).to_pyarrow().to_pylist()
    kept = shop.orders.filter(shop.orders.status != "cancelled")
    for name, period in (("revenue", span), ("revenue_before", span.before())):
        total = kept.filter(period.holds(kept.ordered_at)).revenue.sum().to_pyarrow().as_py()
        assert sum(row[name] for row in rows) == pytest.approx(total, abs=Decimal(1))


def moved(*pairs, clusters=40):
    """One row per (revenue, revenue before), of so many customers who spent alike."""
    frame = pd.DataFrame(pairs, columns=["revenue", "revenue_before"], dtype=float)
    for name in ("revenue", "revenue_before"):
        frame[f"{name}_clusters"], frame[f"{name}_squares"] = clusters, frame[name] ** 2 / clusters
    return frame


def test_only_a_move_beyond_chance_gets_a_direction():
    frame = judge_ranks(moved((400, 1000), (1000, 400), (1000, 980)), floor=30)
    assert frame.verdict.tolist() == ["down", "up", "within noise"]
    assert judge_ranks(moved((400, 1000), clusters=29), floor=30).verdict.tolist() == ["cannot tell"]
    assert judge_ranks(moved(), floor=30).verdict.tolist() == []


def test_where_nothing_moved_few_shops_see_a_move():
    dice, alarms, shops = np.random.default_rng(3), 0, 100
    for _ in range(shops):
        buyers = dice.poisson(60, (2, 12))
        frame = moved(*(buyers * 20.0).T)
        for name, heads in zip(("revenue", "revenue_before"), buyers, strict=True):
            frame[f"{name}_clusters"], frame[f"{name}_squares"] = heads, heads * 400.0
        alarms += bool(set(judge_ranks(frame, floor=30).verdict) - {"within noise"})
    assert alarms / shops <= 0.08
