"""What new customers have brought since they came, by hand."""

from datetime import UTC, datetime

import ibis
import pyarrow as pa
import pytest

from ecomkit.engines import ENGINES, to_sql
from ecomkit.errors import TableError
from ecomkit.metrics.payback import NEW_CUSTOMERS, contribution_so_far
from ecomkit.schemas import ORDERS, REFUNDS


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def table(schema, rows):
    full = [{name: row.get(name) for name in schema.names} for row in rows]
    return ibis.memtable(pa.Table.from_pylist(full, schema=schema.to_pyarrow()))


def order(order_id, customer, at, revenue, status="completed"):
    return {"order_id": order_id, "customer_id": customer, "ordered_at": utc(at), "revenue": revenue, "status": status}


ANA = {"customer_id": "ana", "first_order_at": utc("2026-01-01 10:00:00"), "channel": "Email"}


def contributions(orders, refunds=(), *, customers=(ANA,), margin=1.0, as_of="2026-03-01", horizon_days=30):
    rows = contribution_so_far(
        table(NEW_CUSTOMERS, customers),
        table(ORDERS, orders),
        table(REFUNDS, refunds),
        horizon_days=horizon_days,
        margin=margin,
        as_of=utc(as_of),
    )
    return rows.to_pyarrow().to_pylist()


FIRST = order("o1", "ana", "2026-01-01 10:00:00", 40)


@pytest.mark.parametrize(
    ("at", "realised"),
    [
        pytest.param("2026-01-31 10:00:00", 65.0, id="last instant of the horizon counts"),
        pytest.param("2026-01-31 10:00:01", 40.0, id="one second later does not"),
    ],
)
def test_the_first_order_counts_and_later_ones_up_to_the_horizon(at, realised):
    [row] = contributions([FIRST, order("o2", "ana", at, 25)])
    assert row["realised"] == realised


@pytest.mark.parametrize(
    ("as_of", "realised", "days_left"),
    [
        pytest.param("2026-01-11 10:00:00", 40.0, 20.0, id="ten days gone"),
        pytest.param("2026-01-31 10:00:00", 65.0, 0.0, id="the horizon has passed"),
        pytest.param("2026-06-01 10:00:00", 65.0, 0.0, id="long passed"),
    ],
)
def test_nothing_after_as_of_counts_and_the_rest_of_the_horizon_is_told(as_of, realised, days_left):
    [row] = contributions([FIRST, order("o2", "ana", "2026-01-20 10:00:00", 25)], as_of=as_of)
    assert (row["realised"], row["days_left"]) == (realised, days_left)


def test_refunds_margin_and_cancelled_orders_are_taken_off():
    refund = {"refund_id": "r1", "order_id": "o1", "refunded_at": utc("2026-02-20 00:00:00"), "amount": 10}
    cancelled = order("o2", "ana", "2026-01-05 10:00:00", 99, status="cancelled")
    [row] = contributions([FIRST, cancelled], [refund], margin=0.5)
    assert row["realised"] == 15.0


def test_other_customers_orders_and_guests_count_for_nobody():
    [row] = contributions(
        [FIRST, order("o2", "bo", "2026-01-02 10:00:00", 7), order("o3", None, "2026-01-02 10:00:00", 7)]
    )
    assert (row["customer_id"], row["channel"], row["realised"]) == ("ana", "Email", 40.0)


def test_without_new_customers_there_is_no_row():
    assert contributions([FIRST], customers=()) == []


def test_a_table_without_channels_is_refused():
    customers = table(NEW_CUSTOMERS, [ANA]).drop("channel")
    with pytest.raises(TableError) as stop:
        contribution_so_far(
            customers, table(ORDERS, []), table(REFUNDS, []), horizon_days=30, margin=1.0, as_of=utc("2026-03-01")
        )
    assert str(stop.value) == "The table lacks 'channel'. It has 'customer_id', 'first_order_at'."


@pytest.mark.parametrize("engine", ENGINES)
def test_the_question_compiles_for_every_engine(engine):
    rows = contribution_so_far(
        ibis.table(NEW_CUSTOMERS, name="customers"),
        ibis.table(ORDERS, name="orders"),
        ibis.table(REFUNDS, name="refunds"),
        horizon_days=365,
        margin=0.4,
        as_of=utc("2026-03-01"),
    )
    assert to_sql(rows, engine).startswith(("WITH", "SELECT"))
