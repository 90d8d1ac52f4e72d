"""Sales by what an order is, and by what it holds."""

from datetime import UTC, date, datetime
from decimal import Decimal

import ibis
import pytest

from ecomkit.errors import UsageError
from ecomkit.metrics.ratio import SUMS
from ecomkit.metrics.sales import sales
from ecomkit.metrics.sales_by import OF_LINES, OF_ORDERS, sales_by
from ecomkit.periods import Period
from ecomkit.schemas import ORDER_LINES, ORDERS, REFUNDS, SESSIONS
from tests.metrics.conftest import typed_table

WEEK = Period(date(2024, 1, 1), date(2024, 1, 8), "UTC")
AS_OF = datetime(2024, 2, 1, tzinfo=UTC)


@pytest.fixture
def tables(order_log, refund_log, session_log):
    """Ana bought by email in Germany; Ben twice, once without a session; Cy cancelled; Dee's order is a week older."""
    orders = order_log(
        ("ana", "2024-01-02 10:00:00Z", {"revenue": 80, "country": "DE", "session_id": "s1"}),
        ("ben", "2024-01-03 10:00:00Z", {"revenue": 20, "country": "DE", "session_id": "s2"}),
        ("ben", "2024-01-04 10:00:00Z", {"revenue": 30, "session_id": None}),
        ("cy", "2024-01-04 10:00:00Z", {"revenue": 99, "status": "cancelled", "country": "DE"}),
        ("dee", "2023-12-31 23:59:59Z", {"revenue": 50, "country": "FR", "session_id": "s1"}),
    )
    lines = [
        {"order_id": "o1", "line_number": 1, "category": "Teas", "quantity": 2, "line_revenue": 50},
        {"order_id": "o1", "line_number": 2, "category": "Pots", "quantity": 1, "line_revenue": 30},
        {"order_id": "o2", "line_number": 1, "category": "Teas", "quantity": 1, "line_revenue": 20},
        {"order_id": "o5", "line_number": 1, "category": "Teas", "quantity": 9, "line_revenue": 50},
    ]
    refunds = refund_log(("o5", "2024-01-05 10:00:00Z", 15), ("o4", "2024-01-05 10:00:00Z", 99))
    sessions = session_log(
        ("ana", "2024-01-02 09:50:00Z", 1, {"channel": "Email"}), ("ben", "2024-01-03 09:50:00Z", 1, {})
    )
    return orders, typed_table(ORDER_LINES, lines), refunds, sessions


def split(tables, rows_of, by, *columns):
    return rows_of(sales_by(*tables, by=by, period=WEEK, as_of=AS_OF), by, *columns)


def test_by_country_orders_and_net_revenue_add_up(tables, rows_of):
    columns = ("orders", "customers", "units", "revenue", "refunds", "net_revenue", "aov")
    assert split(tables, rows_of, "country", *columns) == [
        ("DE", 2, 2, 4, Decimal(100), 0, Decimal(100), 50.0),
        (None, 1, 1, 0, Decimal(30), 0, Decimal(30), 30.0),
        ("FR", 0, 0, 0, Decimal(0), Decimal(15), Decimal(-15), None),
    ]


def test_by_channel_an_order_has_that_of_its_session(tables, rows_of):
    rows = split(tables, rows_of, "channel", "orders", "revenue", "revenue_share", "refunds")
    assert rows == [("Email", 1, 80, 80 / 130, 15), (None, 2, 50, 50 / 130, 0)]


def test_by_category_orders_overlap_and_revenue_adds_up(tables, rows_of):
    columns = ("orders", "customers", "units", "revenue", "aov", "net_revenue")
    assert split(tables, rows_of, "category", *columns) == [
        ("Teas", 2, 2, 3, Decimal(70), 50.0, None),
        ("Pots", 1, 1, 1, Decimal(30), 80.0, None),
        (None, 1, 1, 0, Decimal(30), 30.0, None),
    ]


@pytest.mark.parametrize("by", OF_ORDERS + OF_LINES)
def test_the_parts_are_the_weeks_revenue_to_the_cent(shop, rows_of, by):
    period = shop.week("last").extended_back(4)
    tables = (shop.orders, shop.order_lines, shop.refunds, shop.sessions)
    rows = rows_of(sales_by(*tables, by=by, period=period, as_of=period.end_at))
    weeks = rows_of(sales(shop.orders, shop.refunds, zone=shop.zone, as_of=period.end_at))[-4:]
    assert sum(row["revenue"] for row in rows) == sum(week["revenue"] for week in weeks) > 0
    assert sum(row["revenue_share"] for row in rows) == pytest.approx(1)
    if by in OF_ORDERS:
        assert sum(row["orders"] for row in rows) == sum(week["orders"] for week in weeks)
        assert sum(row["net_revenue"] for row in rows) == sum(week["net_revenue"] for week in weeks)
    else:
        assert sum(row["orders"] for row in rows) > sum(week["orders"] for week in weeks)


def test_the_order_of_rows_does_not_matter(tables, rows_of):
    shuffled = [table.order_by(ibis.random()) for table in tables]
    assert split(shuffled, rows_of, "category", "orders", "revenue") == split(
        tables, rows_of, "category", "orders", "revenue"
    )


def test_other_columns_are_refused_with_a_near_miss(tables):
    with pytest.raises(UsageError) as caught:
        sales_by(*tables, by="categories", period=WEEK, as_of=AS_OF)
    assert str(caught.value) == (
        "Sales are not split by 'categories'. Did you mean 'category'? Choose one of 'channel', 'device_type', "
        "'country', 'coupon', 'product_id', 'sku', 'category', 'brand'."
    )


@pytest.mark.parametrize("by", ["channel", "category"])
def test_columns_are_the_documented_ones(by):
    schemas = (ORDERS, ORDER_LINES, REFUNDS, SESSIONS)
    unbound = [ibis.table(schema, name=f"t{number}") for number, schema in enumerate(schemas)]
    assert sales_by(*unbound, by=by, period=WEEK, as_of=AS_OF).columns == (
        *(by, "orders", "customers", "units", "revenue", "revenue_share", "refunds", "net_revenue", "aov"),
        *(f"aov_{name}" for name in SUMS),
        *("orders_clusters", "orders_squares", "revenue_clusters", "revenue_squares"),
    )
