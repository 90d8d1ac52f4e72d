"""New and returning customers, and what history must be there to tell them apart."""

from datetime import UTC, date, datetime
from decimal import Decimal

import ibis
import pytest

from ecomkit.metrics.acquisition import new_customers
from ecomkit.metrics.customers import new_and_returning
from ecomkit.periods import Period
from ecomkit.schemas import ORDERS, REFUNDS

AS_OF = datetime(2024, 3, 1, tzinfo=UTC)
MONDAY = date(2024, 1, 1)


def money(*amounts):
    return [Decimal(str(amount)) for amount in amounts]


def test_new_and_returning_by_hand(order_log, refund_log, rows_of):
    orders = order_log(
        ("ana", "2024-01-02 10:00:00Z", {"revenue": 10}),
        ("ana", "2024-01-17 10:00:00Z", {"revenue": 20}),
        ("ben", "2024-01-16 10:00:00Z", {"revenue": 30}),
        ("ben", "2024-01-18 10:00:00Z", {"revenue": 40}),
        (None, "2024-01-18 11:00:00Z", {"revenue": 50}),
    )
    refunds = refund_log(("o1", "2024-01-16 09:00:00Z", 4), ("o3", "2024-01-23 09:00:00Z", 3))
    table = new_and_returning(orders, refunds, zone="UTC", as_of=AS_OF, look_back_days=13)
    counts = rows_of(table, "week", "new_customers", "returning_customers", "unknown_customers")
    # The shop's first week has no history; ben is new in the third, and his second order there is a new customer's.
    assert counts == [(MONDAY, None, 0, 1), (date(2024, 1, 15), 1, 1, 0), (date(2024, 1, 22), 0, 0, 0)]
    revenue = rows_of(table, "new_revenue", "returning_revenue", "unknown_revenue", "guest_revenue")
    assert [list(row) for row in revenue] == [money(0, 0, 10, 0), money(70, 20, 0, 50), money(0, 0, 0, 0)]
    net = rows_of(table, "new_net_revenue", "returning_net_revenue", "unknown_net_revenue", "guest_net_revenue")
    assert [list(row) for row in net] == [money(0, 0, 10, 0), money(70, 16, 0, 50), money(0, -3, 0, 0)]


@pytest.mark.parametrize(
    ("look_back_days", "kind"),
    [pytest.param(7, "new", id="history of exactly the look-back"), pytest.param(8, "unknown", id="one day short")],
)
def test_history_shorter_than_the_look_back_leaves_customers_unknown(
    order_log, refund_log, rows_of, look_back_days, kind
):
    orders = order_log(("ana", "2024-01-01 23:00:00Z"), ("ben", "2024-01-10 10:00:00Z"))
    table = new_and_returning(orders, refund_log(), zone="UTC", as_of=AS_OF, look_back_days=look_back_days)
    assert rows_of(table, f"{kind}_customers")[1] == (1,)


@pytest.mark.parametrize(
    ("first_in_shop", "is_known"),
    [
        pytest.param("2024-03-05 04:59:59Z", True, id="last second of the local day, 13 days and a lost hour before"),
        pytest.param("2024-03-05 05:00:00Z", False, id="first second of the day after"),
        pytest.param("2024-03-04 05:00:00Z", True, id="first second of the local day"),
    ],
)
def test_history_is_long_enough_by_one_rule_of_local_days(
    order_log, refund_log, session_log, rows_of, first_in_shop, is_known
):
    """The clocks of New York go forward on 10 March, between the first order and the week."""
    week = Period(date(2024, 3, 18), date(2024, 3, 25), "America/New_York")
    orders = order_log((None, first_in_shop), ("ana", "2024-03-20 10:00:00Z"))
    known = {"look_back_days": 14}
    table = new_and_returning(orders, refund_log(), zone=week.zone, as_of=week.end_at, **known)
    last = rows_of(table, "new_customers", "unknown_customers")[-1]
    assert last == ((1, 0) if is_known else (None, 1))
    assert rows_of(new_customers(orders, session_log(), period=week, **known), "is_known") == [(is_known,)]


def test_columns_are_the_documented_ones():
    tables = ibis.table(ORDERS, name="orders"), ibis.table(REFUNDS, name="refunds")
    assert new_and_returning(*tables, zone="UTC", as_of=AS_OF, look_back_days=365, grain="day").columns == (
        *("day", "new_customers", "returning_customers", "unknown_customers"),
        *(f"{kind}_revenue" for kind in ("new", "returning", "unknown", "guest")),
        *(f"{kind}_net_revenue" for kind in ("new", "returning", "unknown", "guest")),
    )
