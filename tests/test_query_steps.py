"""The steps of a query in words, their rows, and examples of what went in."""

from datetime import date

import ibis
import pytest
from ibis import _

from ecomkit.example_rows import as_lines, example_rows
from ecomkit.metrics.catalogue import METRICS
from ecomkit.periods import Period
from ecomkit.query_steps import columns_read, query_steps, rows_of, step_of

WEEK = Period(date(2026, 10, 26), date(2026, 11, 2), "America/New_York")


@pytest.fixture(scope="module")
def con():
    con = ibis.duckdb.connect()
    con.raw_sql("SET TimeZone = 'UTC'")
    con.raw_sql("""
        create table orders as select * from (values
            ('o1', 'ana', timestamptz '2026-10-26 03:59:59Z', 10.00::decimal(18, 4), 'completed'),
            ('o2', 'ana', timestamptz '2026-10-26 04:00:00Z', 20, 'completed'),
            ('o3', 'ben', timestamptz '2026-11-02 04:59:59Z', 30, 'refunded'),
            ('o4', 'ben', timestamptz '2026-11-02 05:00:00Z', 40, 'completed'),
            ('o5', null, timestamptz '2026-10-28 12:00:00Z', 50, 'cancelled')
        ) t(order_id, customer_id, ordered_at, revenue, status)""")
    con.raw_sql("""
        create table refunds as select * from (values
            ('r1', 'o1', timestamptz '2026-10-27 12:00:00Z'), ('r2', 'o3', timestamptz '2026-11-20 12:00:00Z')
        ) t(refund_id, order_id, refunded_at)""")
    return con


def told(expression):
    steps = query_steps(expression)
    return [(step.text, rows) for step, rows in zip(steps, rows_of(steps), strict=True)]


def test_steps_by_hand(con):
    orders = con.table("orders")
    kept = orders.filter(_.status != "cancelled", _.revenue > 10).mutate(day=_.ordered_at.date())
    assert told(kept.group_by("customer_id").agg(revenue=_.revenue.sum()).order_by("customer_id")) == [
        ("the table orders", 5),
        ("kept by status, revenue", 3),
        ("one row per customer_id", 2),
    ]


@pytest.mark.parametrize(
    ("how", "words", "rows"),
    [
        ("inner", "joined with", 2),
        ("left", "joined, where there is one, with", 5),
        ("semi", "only those found in", 2),
        ("anti", "only those not found in", 3),
    ],
)
def test_joins_name_the_step_that_they_join(con, how, words, rows):
    orders, refunds = con.table("orders"), con.table("refunds")
    expected = [("the table orders", 5), ("the table refunds", 2), (f"step 1, {words} step 2 by order_id", rows)]
    assert told(orders.join(refunds, "order_id", how=how)) == expected


def test_what_is_put_together_names_both(con):
    orders = con.table("orders").select("order_id")
    refunds = con.table("refunds").select("order_id")
    assert told(orders.union(refunds).distinct().limit(3))[2:] == [
        ("step 1 and step 2, put together", 7),
        ("each row once", 5),
        ("the first 3", 3),
    ]
    assert told(orders.intersect(refunds))[-1] == ("step 1 and step 2, in both", 2)
    assert told(orders.difference(refunds))[-1] == ("step 1 and step 2, in the first alone", 3)


def test_lists_without_data_are_no_steps(con):
    two = ibis.union(ibis.literal(1).name("n").as_table(), ibis.literal(2).name("n").as_table())
    wide = con.table("refunds").cross_join(two).filter(ibis.literal(True))
    assert told(wide) == [
        ("the table refunds", 2),
        ("repeated for each row of a fixed list", 4),
        ("kept by a condition", 4),
    ]
    assert told(con.table("refunds").agg(refunds=_.count()))[-1] == ("one row over all", 1)


def test_columns_that_are_handed_on_are_not_read(con):
    orders = con.table("orders")
    seen = orders.mutate(name=_.customer_id).filter(_.status != "cancelled").select("order_id", "name", "ordered_at")
    assert columns_read(seen, "orders") == {"status"}
    assert columns_read(seen.group_by("name").agg(last=_.ordered_at.max()), "orders") == {
        "status",
        "customer_id",
        "ordered_at",
    }
    assert columns_read(seen.group_by("name").agg(last=_.ordered_at.max()), "refunds") == set()


def test_examples_are_the_weeks_rows_that_went_in(con):
    tables = {name: con.table(name) for name in ("orders", "refunds")}
    kept = tables["orders"].filter(_.status != "cancelled")
    examples = example_rows(kept.group_by("customer_id").agg(revenue=_.revenue.sum()), tables, WEEK)
    assert as_lines(examples.rows) == [
        "order_id  day         revenue  customer_id  status",
        "o2        2026-10-26  20.00    ana          completed",
        "o3        2026-11-01  30.00    ben          refunded",
    ]
    assert step_of(examples.relation, query_steps(kept)) == 2


def test_a_refund_brings_the_order_into_the_week_in_which_it_is_booked(con):
    orders, refunds = con.table("orders"), con.table("refunds")
    booked = ibis.union(
        orders.select("order_id", booked_at=_.ordered_at), refunds.select("order_id", booked_at=_.refunded_at)
    )
    examples = example_rows(booked.agg(bookings=_.count()), {"orders": orders}, WEEK)
    assert [row["order_id"] for row in examples.rows] == ["o1", "o2", "o5", "o3"]


def test_of_two_parts_the_one_with_more_orders_is_shown(con):
    orders, refunds = con.table("orders"), con.table("refunds")
    back = orders.inner_join(refunds, "order_id").agg(rows=_.count())
    bought = orders.filter(_.revenue > 0).agg(rows=_.count())
    examples = example_rows(back.union(bought), {"orders": orders}, WEEK)
    assert [row["order_id"] for row in examples.rows] == ["o2", "o5", "o3"]


def test_text_from_outside_stays_on_its_line():
    assert as_lines([{"order_id": "a\n\x1b[31mb", "day": None}]) == ["order_id  day", "a [31mb   –"]
    assert as_lines([]) == []


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_tells_its_steps(tiny, name):
    metric, period = METRICS[name], tiny.week("2026-W44")
    tables = {table: getattr(tiny, table) for table in metric.tables}
    expression = metric.build(tables, period, period.end_at, tiny.settings)
    steps = query_steps(expression)
    read = {step.text.removeprefix("the table ") for step in steps if step.text.startswith("the table ")}
    assert read <= set(metric.tables)
    rows = rows_of(steps)
    assert rows[-1] == expression.count().to_pyarrow().as_py()
    for step, count in zip(steps, rows, strict=True):
        if step.text.startswith("the table "):
            assert count == tables[step.text.removeprefix("the table ")].count().to_pyarrow().as_py()
