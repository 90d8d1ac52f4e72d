"""The fixture shop in a real PostgreSQL gives the same rows for every metric as in DuckDB.

The server is named by `ECOMKIT_TEST_POSTGRES`, a URL; `.ci/run` starts one.
"""

import io
import os
from datetime import date, datetime
from decimal import Decimal

import ibis
import pyarrow.csv
import pytest

from ecomkit.engines import median, to_sql, whole_numbers
from ecomkit.metrics.catalogue import METRICS
from ecomkit.metrics.reconciliation import reconciliation
from ecomkit.schemas import CANONICAL

SERVER = os.environ.get("ECOMKIT_TEST_POSTGRES")
pytestmark = pytest.mark.skipif(
    not SERVER,
    reason="ECOMKIT_TEST_POSTGRES names no server (a URL such as postgresql://postgres@127.0.0.1:5432/postgres)",
)
SCHEMA = "ecomkit_test"
# The fixture shop has no order export; its orders stand in for one below.
WITHOUT_ROWS = ("reconciliation",)
TABLES = sorted({name for metric in METRICS.values() for name in metric.tables})
TYPES = {
    "string": "text",
    "int64": "bigint",
    "float64": "double precision",
    "boolean": "boolean",
    "date": "date",
    "timestamp('UTC')": "timestamptz",
    "decimal(18, 4)": "numeric(18, 4)",
}


@pytest.fixture(scope="module")
def server(shop):
    """A connection with the shop's tables, in a session whose zone is not the shop's nor UTC."""
    psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed: pip install -e '.[postgres]'")
    with psycopg.connect(SERVER, autocommit=True) as connection:
        connection.execute(f"drop schema if exists {SCHEMA} cascade")
        connection.execute(f"create schema {SCHEMA}")
        connection.execute(f"set search_path to {SCHEMA}")
        connection.execute("set timezone to 'Asia/Kolkata'")
        for name in TABLES:
            load(connection, name, getattr(shop, name))
        connection.execute("analyze")
        yield connection
        connection.execute(f"drop schema {SCHEMA} cascade")


def load(connection, name, table):
    schema = CANONICAL[name][0]
    columns = ", ".join(f'"{column}" {TYPES[str(kind)]}' for column, kind in schema.items())
    connection.execute(f"create table {name} ({columns})")
    content = io.BytesIO()
    pyarrow.csv.write_csv(table.select(*schema.names).to_pyarrow(), content)
    with connection.cursor().copy(f"copy {name} from stdin (format csv, header true)") as copy:
        copy.write(content.getvalue())


def ask(connection, expression):
    """Rows of a query, whole numbers as such: a sum of bigint is numeric there."""
    schema = expression.schema()
    rows = connection.execute(to_sql(expression, "postgres")).fetchall()
    return [
        {
            name: int(value) if kind.is_integer() and isinstance(value, Decimal) else value
            for (name, kind), value in zip(schema.items(), row, strict=True)
        }
        for row in rows
    ]


def comparable(rows):
    """Rows in one order, by all that is exact."""

    def key(row):
        return [str(plain(value)) for value in row.values() if not isinstance(value, float)]

    return sorted(({name: plain(value) for name, value in row.items()} for row in rows), key=key)


def plain(value):
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, Decimal):
        return value.normalize()
    return value


def assert_same(rows, others):
    assert len(rows) == len(others)
    for row, other in zip(comparable(rows), comparable(others), strict=True):
        assert row.keys() == other.keys()
        for name, value in row.items():
            if isinstance(value, float):
                assert other[name] == pytest.approx(value, rel=1e-9), (name, row)
            else:
                assert (other[name], type(other[name])) == (value, type(value)), (name, row)


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_gives_the_same_rows(server, shop, name):
    metric = METRICS[name]
    period = shop.week("last")
    tables = {table: getattr(shop, table) for table in metric.tables}
    unbound = {table: ibis.table(CANONICAL[table][0], name=table) for table in metric.tables}
    settings = shop.settings
    here = metric.build(tables, period, period.end_at, settings).to_pyarrow().to_pylist()
    there = ask(server, metric.build(unbound, period, period.end_at, settings))
    assert here or name in WITHOUT_ROWS, "a metric of the fixture shop has rows"
    assert_same(here, there)


def test_reconciliation_gives_the_same_rows(server, shop):
    def matches(orders):
        in_export = orders.revenue < 80
        return orders.select(
            "order_id",
            "ordered_at",
            calls=ibis.ifelse(orders.revenue > 50, 2, ibis.ifelse(orders.revenue > 10, 1, 0)).cast("int64"),
            in_export=in_export,
            revenue_in_calls=orders.revenue,
            revenue_in_export=ibis.ifelse(in_export, orders.gross, ibis.null(orders.gross.type())),
        )

    here = reconciliation(matches(shop.orders), shop.call_days, zone=shop.zone).to_pyarrow().to_pylist()
    unbound = matches(ibis.table(CANONICAL["orders"][0], name="orders"))
    assert len(here) > 100
    days = ibis.table(CANONICAL["call_days"][0], name="call_days")
    assert_same(here, ask(server, reconciliation(unbound, days, zone=shop.zone)))


def test_medians_are_the_same(server, shop):
    here = median(shop.orders, "revenue", by=["country"]).to_pyarrow().to_pylist()
    unbound = ibis.table(CANONICAL["orders"][0], name="orders")
    assert_same(here, ask(server, median(unbound, "revenue", by=["country"])))


def test_numbers_are_the_same(server):
    assert sorted(row["number"] for row in ask(server, whole_numbers(101))) == list(range(101))


def test_the_days_are_dates_on_both(server, shop):
    metric = METRICS["sales"]
    unbound = {table: ibis.table(CANONICAL[table][0], name=table) for table in metric.tables}
    period = shop.week("last")
    rows = ask(server, metric.build(unbound, period, period.end_at, shop.settings))
    assert {type(row["week"]) for row in rows} == {date}
    assert {row["week"].isoweekday() for row in rows} == {1}
