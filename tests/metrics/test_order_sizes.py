"""Units per order, and how order values are spread."""

from datetime import UTC, datetime
from decimal import Decimal

import ibis
import pytest

from ecomkit.errors import UsageError
from ecomkit.metrics.order_sizes import MOST_STEPS, nice_step, order_value_steps, units_per_order
from ecomkit.metrics.ratio import SUMS
from ecomkit.schemas import ORDER_LINES, ORDERS
from tests.metrics.conftest import typed_table

AT = "2024-01-02 10:00:00Z"
AS_OF = datetime(2024, 3, 1, tzinfo=UTC)


def lines(*entries):
    """Lines typed as (order_id, quantity)."""
    return typed_table(ORDER_LINES, [{"order_id": order, "quantity": quantity} for order, quantity in entries])


def test_units_are_pieces_and_not_lines(order_log, rows_of):
    orders = order_log(("ana", AT), ("ana", AT), ("ben", AT, {"status": "cancelled"}), ("cy", AT))
    rows = units_per_order(orders, lines(("o1", 3), ("o1", 1), ("o2", 2), ("o3", 50)), as_of=AS_OF)
    assert rows_of(rows, "orders", "units", "units_per_order", "clusters") == [(3, 6, 2.0, 2)]


def test_units_without_orders_are_unknown(order_log, rows_of):
    assert rows_of(units_per_order(order_log(), lines(), as_of=AS_OF), "orders", "units", "units_per_order") == [
        (0, 0, None)
    ]


def test_units_per_country_and_week(order_log, rows_of):
    orders = order_log(("ana", AT, {"country": "DE"}), ("ben", "2024-01-09 10:00:00Z", {"country": "DE"}))
    rows = units_per_order(orders, lines(("o1", 3), ("o2", 5)), as_of=AS_OF, by="country", zone="UTC", grain="week")
    assert rows_of(rows, "country", "units_per_order") == [("DE", 3.0), ("DE", 5.0)]


@pytest.mark.parametrize(
    ("revenue", "step_number"),
    [
        pytest.param("19.99", 0, id="below the bound"),
        pytest.param("20.00", 1, id="a step holds its lower bound"),
        pytest.param("20.01", 1, id="and what is above it"),
        pytest.param("0", 0, id="free orders are in the first"),
        pytest.param("399.99", 19, id="the last closed step"),
        pytest.param("400", MOST_STEPS, id="the last one is open"),
        pytest.param("12345", MOST_STEPS, id="at the top"),
    ],
)
def test_the_step_of_a_value(order_log, rows_of, revenue, step_number):
    rows = order_value_steps(order_log(("ana", AT, {"revenue": revenue})), step=20, as_of=AS_OF)
    assert rows_of(rows, "step_number", "from_value", "orders", "order_share") == [
        (step_number, Decimal(20 * step_number), 1, 1.0)
    ]


@pytest.mark.parametrize(("revenue", "step_number"), [("0.60", 3), ("1.40", 7), ("0.5999", 2)])
def test_a_step_of_cents_holds_its_lower_bound(order_log, rows_of, revenue, step_number):
    rows = order_value_steps(order_log(("ana", AT, {"revenue": revenue})), step=0.2, as_of=AS_OF)
    assert rows_of(rows, "step_number") == [(step_number,)]


def test_steps_hold_every_order_once(shop, rows_of):
    rows = rows_of(order_value_steps(shop.orders, step=10, as_of=shop.week("last").end_at))
    kept = shop.orders.filter(shop.orders.status != "cancelled").count().to_pyarrow().as_py()
    assert sum(row["orders"] for row in rows) == kept
    assert sum(row["order_share"] for row in rows) == pytest.approx(1)


@pytest.mark.parametrize("step", [0, -5])
def test_a_step_has_a_width(order_log, step):
    with pytest.raises(UsageError) as caught:
        order_value_steps(order_log(), step=step, as_of=AS_OF)
    assert str(caught.value) == f"A step of {step} holds no order. Give the width of a step, such as 20."


@pytest.mark.parametrize(
    ("median", "step"), [(63.0, 10), (80.0, 20), (200.0, 50), (3.9, 0.5), (0.0, 1), (float("nan"), 1)]
)
def test_a_nice_step_is_about_a_quarter_of_the_median(median, step):
    assert nice_step(median) == pytest.approx(step)


def test_columns_are_the_documented_ones():
    orders, its_lines = ibis.table(ORDERS, name="orders"), ibis.table(ORDER_LINES, name="lines")
    assert units_per_order(orders, its_lines, as_of=AS_OF).columns == ("orders", "units", "units_per_order", *SUMS)
    assert order_value_steps(orders, step=1, as_of=AS_OF).columns == (
        "step_number",
        "orders",
        "from_value",
        "order_share",
    )


def test_an_order_cancelled_later_still_counts(order_log, rows_of):
    later = {"status": "cancelled", "cancelled_at": "2024-03-05 10:00:00Z"}
    orders = order_log(("ana", AT, later))
    assert rows_of(units_per_order(orders, lines(("o1", 3)), as_of=AS_OF), "orders", "units") == [(1, 3)]
    assert rows_of(order_value_steps(orders, step=20, as_of=AS_OF), "orders") == [(1,)]
