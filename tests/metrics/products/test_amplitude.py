"""What Amplitude shows: by hand, each figure and its rule, and by law."""

from datetime import date

import pytest

from ecomkit.metrics.products import amplitude_reconciliation
from ecomkit.metrics.products.amplitude import FIGURES
from ecomkit.periods import Period
from ecomkit.pipeline.money_rules import RULES

WEEK = Period(date(2026, 10, 5), date(2026, 10, 12), "UTC")
AT = "2026-10-06 10:00:00Z"
MONEY = {"gross": 25, "discount": 5, "revenue": 20, "shipping": 3, "tax": 2, "order_total": 25}


@pytest.fixture
def figures_of(order_log, line_log, rows_of):
    def run(orders, lines):
        rows = rows_of(
            amplitude_reconciliation(order_log(*orders), line_log(*lines), period=WEEK, as_of=WEEK.end_at),
        )
        assert [row["figure"] for row in rows] == list(FIGURES)
        assert [row["rule"] for row in rows] == list(FIGURES.values())
        assert all((row["events"] is None) != (row["amount"] is None) for row in rows)
        return {row["figure"]: row["events"] if row["amount"] is None else row["amount"] for row in rows}

    return run


def test_the_example_of_the_spec_differs_by_its_discount(figures_of):
    lines = [("o1", "p1", 20, {"quantity": 2}), ("o1", "p2", 5)]
    assert figures_of([("ana", AT, MONEY | {"money_rule": "after_discount"})], lines) == {
        "order_completed_events": 1,
        "product_purchased_events": 2,
        "revenue_by_default": 20,
        "cancelled_in_it": 0,
        "not_revenue_in_it": 0,
        "revenue_of_the_kit": 20,
        "revenue_per_product": 25,
        "order_discounts": 5,
        "other_difference": 0,
    }


def test_cancelled_orders_stay_in_what_amplitude_shows(figures_of):
    orders = [("ana", AT, MONEY), ("ana", AT, MONEY | {"status": "cancelled"})]
    found = figures_of(orders, [("o1", "p1", 25), ("o2", "p1", 25)])
    assert (found["order_completed_events"], found["product_purchased_events"]) == (2, 2)
    assert (found["revenue_by_default"], found["cancelled_in_it"], found["revenue_of_the_kit"]) == (40, 20, 20)


@pytest.mark.parametrize(
    ("rule", "sent"),
    [
        pytest.param("after_discount", 20, id="after discount"),
        pytest.param("before_discount", 25, id="the discount left in"),
        pytest.param("discount_ignored", 25, id="the discount not known"),
        pytest.param("revenue_is_total", 25, id="shipping and tax left in"),
        pytest.param("total_is_goods", 20, id="total of the goods"),
        pytest.param("tax_in_prices", 20, id="tax in prices, revenue without"),
        pytest.param("tax_in_revenue", 22, id="tax left in"),
        pytest.param("discount_in_prices", 20, id="prices after discount"),
        pytest.param(None, 20, id="no rule"),
    ],
)
def test_revenue_as_sent_is_rebuilt_by_the_orders_money_rule(figures_of, rule, sent):
    found = figures_of([("ana", AT, MONEY | {"money_rule": rule})], [("o1", "p1", 25)])
    assert (found["revenue_by_default"], found["revenue_of_the_kit"]) == (sent, 20)
    assert found["not_revenue_in_it"] == sent - 20
    assert rule is None or rule in {known.name for known in RULES}


def test_every_money_rule_is_tried():
    [mark] = test_revenue_as_sent_is_rebuilt_by_the_orders_money_rule.pytestmark
    assert {case.values[0] for case in mark.args[1]} == {rule.name for rule in RULES} | {None}


@pytest.mark.parametrize(
    ("at", "orders"),
    [("2026-10-04 23:59:59Z", 0), ("2026-10-05 00:00:00Z", 1), ("2026-10-11 23:59:59Z", 1), ("2026-10-12 00:00Z", 0)],
    ids=["a second before", "the first instant", "the last second", "the instant after"],
)
def test_the_period_is_half_open(figures_of, at, orders):
    found = figures_of([("ana", at, MONEY)], [("o1", "p1", 25)])
    assert (found["order_completed_events"], found["product_purchased_events"]) == (orders, orders)


def test_the_rows_tie(shop):
    span = shop.week("last").extended_back(100)
    rows = amplitude_reconciliation(shop.orders, shop.order_lines, period=span, as_of=span.end_at)
    found = {row["figure"]: row["amount"] for row in rows.to_pyarrow().to_pylist()}
    inside = found["cancelled_in_it"] + found["not_revenue_in_it"] + found["revenue_of_the_kit"]
    assert inside == found["revenue_by_default"]
    above = found["revenue_by_default"] + found["order_discounts"] + found["other_difference"]
    assert above == found["revenue_per_product"]
    assert abs(found["other_difference"]) < 1 < found["order_discounts"], "the settings differ by the discount"
