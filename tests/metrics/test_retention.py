"""Repeat purchase rate and cohort retention: each edge by hand, the laws, the shape."""

import random
from datetime import UTC, date, datetime, timedelta

import ibis
import pytest

from ecomkit.errors import TableError, UsageError
from ecomkit.metrics.ratio import SUMS
from ecomkit.metrics.retention import cohort_retention, repeat_purchase_rate, retention_curve
from ecomkit.schemas import ORDERS

AS_OF = datetime(2024, 3, 1, tzinfo=UTC)
UNBOUND = ibis.table(ORDERS, name="orders")
COUNTS = ("customers", "repeat_customers", "same_day_only_customers", "repeat_purchase_rate")


def repeat(orders, *, within_days=30, as_of=AS_OF, zone="UTC", by=None):
    return repeat_purchase_rate(orders, within_days=within_days, as_of=as_of, zone=zone, by=by)


@pytest.mark.parametrize(
    ("second_order", "counts"),
    [
        pytest.param("2024-01-31 09:59:59Z", (1, 1, 0, 1.0), id="one second before the window ends"),
        pytest.param("2024-01-31 10:00:00Z", (1, 1, 0, 1.0), id="last instant of the window counts"),
        pytest.param("2024-01-31 10:00:01Z", (1, 0, 0, 0.0), id="one second later does not"),
        pytest.param("2024-01-01 23:59:59Z", (1, 0, 1, 0.0), id="later the same local day does not"),
        pytest.param("2024-01-02 00:00:00Z", (1, 1, 0, 1.0), id="the first instant of the next day does"),
    ],
)
def test_edges_of_the_window(order_log, rows_of, second_order, counts):
    orders = order_log(("ana", "2024-01-01 10:00:00Z"), ("ana", second_order))
    assert rows_of(repeat(orders), *COUNTS) == [counts]


@pytest.mark.parametrize(
    ("first_order", "customers"),
    [
        pytest.param("2024-01-30 23:59:59Z", 1, id="the whole window is in the data"),
        pytest.param("2024-01-31 00:00:00Z", 0, id="its last instant is as_of"),
        pytest.param("2024-01-31 00:00:01Z", 0, id="it ends after the data"),
    ],
)
def test_only_customers_whose_window_has_passed_count(order_log, rows_of, first_order, customers):
    assert rows_of(repeat(order_log(("ana", first_order))), "customers") == [(customers,)]


def test_the_later_day_is_a_local_one(order_log, rows_of):
    # 23:30 and 00:30 in New York, the same day in UTC.
    orders = order_log(("ana", "2024-01-02 04:30:00Z"), ("ana", "2024-01-02 05:30:00Z"))
    assert rows_of(repeat(orders, zone="America/New_York"), *COUNTS) == [(1, 1, 0, 1.0)]
    assert rows_of(repeat(orders), *COUNTS) == [(1, 0, 1, 0.0)]


def test_days_of_the_window_have_24_hours_over_the_clock_change(order_log, rows_of):
    # New York loses an hour on 10 March: 10 x 24 hours end at 11:00 local time.
    last_instant = datetime(2024, 3, 4, 15, tzinfo=UTC) + timedelta(hours=240)
    as_of = datetime(2024, 6, 1, tzinfo=UTC)
    for later, repeats in ((timedelta(0), 1), (timedelta(seconds=1), 0)):
        orders = order_log(("ana", "2024-03-04 15:00:00Z"), ("ana", last_instant + later))
        rates = repeat(orders, within_days=10, zone="America/New_York", as_of=as_of)
        assert rows_of(rates, "repeat_customers") == [(repeats,)]


def test_cancelled_orders_guests_and_the_future_do_not_count(order_log, rows_of):
    orders = order_log(
        ("ana", "2024-01-01 10:00:00Z"),
        ("ana", "2024-01-03 10:00:00Z", {"status": "cancelled"}),
        ("ben", "2023-12-01 10:00:00Z", {"status": "cancelled"}),
        ("ben", "2024-01-04 10:00:00Z"),
        (None, "2024-01-04 10:00:00Z"),
        (None, "2024-01-05 10:00:00Z"),
        ("cleo", "2024-02-01 10:00:00Z"),
        ("cleo", "2024-03-01 00:00:00Z"),
    )
    assert rows_of(repeat(orders, within_days=20), *COUNTS) == [(3, 0, 0, 0.0)]


def test_groups_are_those_of_the_first_order(order_log, rows_of):
    orders = order_log(
        ("ana", "2024-01-01 10:00:00Z", {"country": "US"}),
        ("ana", "2024-01-05 10:00:00Z", {"country": "DE"}),
        ("ben", "2023-12-31 10:00:00Z", {"country": "DE"}),
    )
    by_country = rows_of(repeat(orders, by="country"), "country", *COUNTS[:2])
    assert by_country == [("DE", 1, 0), ("US", 1, 1)]
    by_cohort = rows_of(repeat(orders, by="cohort_month"), "cohort_month", *COUNTS[:2])
    assert by_cohort == [(date(2023, 12, 1), 1, 0), (date(2024, 1, 1), 1, 1)]


def test_each_customer_is_a_cluster(order_log, rows_of):
    orders = order_log(
        ("ana", "2024-01-01 10:00:00Z"), ("ana", "2024-01-05 10:00:00Z"), ("ben", "2024-01-01 10:00:00Z")
    )
    assert rows_of(repeat(orders), *SUMS) == [(2, 1, 2, 1.0, 1.0, 2.0)]


def test_without_customers_the_rate_is_unknown(order_log, rows_of):
    assert rows_of(repeat(order_log()), *COUNTS) == [(0, 0, 0, None)]
    assert rows_of(repeat(order_log(), by="cohort_month")) == []


def test_an_unknown_column_is_named():
    with pytest.raises(UsageError) as caught:
        repeat(UNBOUND, by="city")
    message = (
        "'by' names 'city', which the table lacks. Give 'cohort_month', None or one of 'order_id', 'customer_id', "
    )
    assert str(caught.value).startswith(message)


# cohort_retention


def test_cohort_retention_by_hand(order_log, rows_of):
    orders = order_log(
        ("ana", "2024-01-05 10:00:00Z"),
        ("ana", "2024-01-20 10:00:00Z"),
        ("ana", "2024-03-02 10:00:00Z"),
        ("ben", "2024-01-31 10:00:00Z"),
        ("cleo", "2024-03-01 10:00:00Z"),
        (None, "2024-02-01 10:00:00Z"),
    )
    table = cohort_retention(orders, as_of=datetime(2024, 3, 10, tzinfo=UTC), zone="UTC")
    january, march = date(2024, 1, 1), date(2024, 3, 1)
    # February saw no order at all and still has its zero; March is not over.
    assert [tuple(row.values()) for row in rows_of(table)] == [
        (january, 0, 2, 2, 1.0),
        (january, 1, 2, 0, 0.0),
        (january, 2, 2, 1, None),
        (march, 0, 1, 1, None),
    ]


@pytest.mark.parametrize(
    ("as_of", "rates"),
    [
        pytest.param("2024-03-01 04:59:59Z", [1.0, None], id="one second before the month is over"),
        pytest.param("2024-03-01 05:00:00Z", [1.0, 0.0], id="the month has just ended, and the next has no data"),
        pytest.param("2024-03-01 05:00:01Z", [1.0, 0.0, None], id="one second into the next"),
    ],
)
def test_a_month_that_is_not_over_has_no_rate(order_log, rows_of, as_of, rates):
    orders = order_log(("ana", "2024-01-05 10:00:00Z"))
    table = cohort_retention(orders, as_of=datetime.fromisoformat(as_of), zone="America/New_York")
    assert [rate for (rate,) in rows_of(table, "retention_rate")] == rates


def test_cohorts_are_local_months_over_the_years_end(order_log, rows_of):
    # 31 December 23:30 in New York.
    orders = order_log(("ana", "2024-01-01 04:30:00Z"), ("ana", "2024-01-01 05:30:00Z"))
    table = cohort_retention(orders, as_of=AS_OF, zone="America/New_York")
    rows = rows_of(table, "cohort_month", "months_since", "active_customers")
    assert rows == [(date(2023, 12, 1), 0, 1), (date(2023, 12, 1), 1, 1), (date(2023, 12, 1), 2, 0)]


def random_orders(order_log, seed):
    draw = random.Random(3)
    start = datetime(2023, 1, 1, tzinfo=UTC)
    log = [(f"c{draw.randint(1, 60)}", start + timedelta(hours=draw.randint(0, 24 * 420))) for _ in range(300)]
    random.Random(seed).shuffle(log)
    return order_log(*log)


def test_month_0_is_everyone_and_cohorts_add_up_to_all_customers(order_log, rows_of):
    orders = random_orders(order_log, 1)
    rows = rows_of(cohort_retention(orders, as_of=AS_OF, zone="UTC"))
    assert {row["retention_rate"] for row in rows if row["months_since"] == 0} == {1.0}
    assert all(row["active_customers"] <= row["customers"] for row in rows)
    first_cells = [row["customers"] for row in rows if row["months_since"] == 0]
    assert sum(first_cells) == orders.customer_id.nunique().to_pyarrow().as_py()


def test_cohorts_add_up_to_the_row_over_all(order_log, rows_of):
    orders = random_orders(order_log, 1)
    parts = rows_of(repeat(orders, by="cohort_month"), *COUNTS[:3])
    [whole] = rows_of(repeat(orders), *COUNTS[:3])
    assert tuple(map(sum, zip(*parts, strict=True))) == whole


def test_the_order_of_rows_does_not_matter(order_log, rows_of):
    def ask(seed):
        orders = random_orders(order_log, seed)
        return rows_of(cohort_retention(orders, as_of=AS_OF, zone="UTC")), rows_of(repeat(orders, by="cohort_month"))

    assert ask(1) == ask(2)


# by shape


def test_columns_are_the_documented_ones():
    assert repeat(UNBOUND, by="country").columns == ("country", *COUNTS, *SUMS)
    assert repeat(UNBOUND).columns == (*COUNTS, *SUMS)
    columns = ("cohort_month", "months_since", "customers", "active_customers", "retention_rate")
    assert cohort_retention(UNBOUND, as_of=AS_OF, zone="UTC").columns == columns


@pytest.mark.parametrize("ask", [repeat, lambda orders: cohort_retention(orders, as_of=AS_OF, zone="UTC")])
def test_a_table_without_the_columns_stops_at_the_door(ask):
    with pytest.raises(TableError, match="^The table lacks 'order_id', 'session_id'"):
        ask(ibis.table({"customer_id": "string"}, name="t"))


# retention_curve


def test_the_curve_rests_on_the_cohorts_for_which_the_month_is_over(order_log, rows_of):
    orders = order_log(
        ("ana", "2024-01-05 10:00:00Z"),
        ("ana", "2024-02-20 10:00:00Z"),
        ("ben", "2024-01-31 10:00:00Z"),
        ("cleo", "2024-02-01 10:00:00Z"),
        ("cleo", "2024-03-01 10:00:00Z"),
    )
    curve = retention_curve(cohort_retention(orders, as_of=datetime(2024, 3, 10, tzinfo=UTC), zone="UTC"))
    columns = ("months_since", "customers", "active_customers", "retention_rate")
    assert rows_of(curve, *columns) == [(0, 3, 3, 1.0), (1, 2, 1, 0.5)]
    assert rows_of(curve, *SUMS)[1] == (2, 1, 2, 1.0, 1.0, 2.0)


def test_the_curve_of_no_customers_is_empty(order_log, rows_of):
    assert rows_of(retention_curve(cohort_retention(order_log(), as_of=AS_OF, zone="UTC"))) == []
