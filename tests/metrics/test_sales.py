"""Revenue, net revenue and AOV."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import ibis
import pytest

from ecomkit.errors import TableError, UsageError
from ecomkit.metrics.customers import new_and_returning
from ecomkit.metrics.ratio import SUMS
from ecomkit.metrics.sales import aov, net_revenue, sales
from ecomkit.schemas import ORDERS, REFUNDS

AS_OF = datetime(2024, 3, 1, tzinfo=UTC)
MONDAY = date(2024, 1, 1)
UNBOUND = ibis.table(ORDERS, name="orders"), ibis.table(REFUNDS, name="refunds")


def money(*amounts):
    return [Decimal(str(amount)) for amount in amounts]


# net_revenue


def test_cash_view_books_a_refund_on_its_own_day(order_log, refund_log, rows_of):
    orders = order_log(("ana", "2024-01-31 23:00:00Z", {"revenue": 80}))
    refunds = refund_log(("o1", "2024-02-03 09:00:00Z", 30))
    booked = rows_of(
        net_revenue(orders, refunds, as_of=AS_OF, view="cash"), "kind", "customer_id", "booked_at", "amount"
    )
    assert sorted(booked) == [
        ("order", "ana", datetime(2024, 1, 31, 23, tzinfo=UTC), Decimal(80)),
        ("refund", "ana", datetime(2024, 2, 3, 9, tzinfo=UTC), Decimal(-30)),
    ]


def test_order_view_nets_a_refund_against_its_order(order_log, refund_log, rows_of):
    orders = order_log(("ana", "2024-01-31 23:00:00Z", {"revenue": 80}), ("ben", "2024-01-31 23:00:00Z"))
    refunds = refund_log(("o1", "2024-02-03 09:00:00Z", 30), ("o1", "2024-02-04 09:00:00Z", 5))
    rows = rows_of(
        net_revenue(orders, refunds, as_of=AS_OF, view="order"), "order_id", "revenue", "refunded", "net_revenue"
    )
    assert sorted(rows) == [("o1", *money(80, 35, 45)), ("o2", *money(10, 0, 10))]


@pytest.mark.parametrize(
    ("refunded_at", "refunded"),
    [
        pytest.param("2024-02-29 23:59:59Z", 30, id="one second before as_of counts"),
        pytest.param("2024-03-01 00:00:00Z", 0, id="the instant of as_of does not"),
        pytest.param("2024-03-01 00:00:01Z", 0, id="one second after does not"),
    ],
)
def test_refunds_at_or_after_as_of_do_not_exist(order_log, refund_log, rows_of, refunded_at, refunded):
    orders = order_log(("ana", "2024-01-31 23:00:00Z", {"revenue": 80}))
    refunds = refund_log(("o1", refunded_at, 30))
    [(by_order,)] = rows_of(net_revenue(orders, refunds, as_of=AS_OF, view="order"), "net_revenue")
    by_cash = sum(amount for (amount,) in rows_of(net_revenue(orders, refunds, as_of=AS_OF, view="cash"), "amount"))
    assert by_order == by_cash == 80 - refunded


@pytest.mark.parametrize("view", ["cash", "order"])
@pytest.mark.parametrize(
    ("ordered_at", "rows"),
    [
        pytest.param("2024-02-29 23:59:59Z", 1, id="one second before"),
        pytest.param("2024-03-01 00:00:00Z", 0, id="at as_of"),
        pytest.param("2024-03-01 00:00:01Z", 0, id="one second after"),
    ],
)
def test_orders_at_or_after_as_of_do_not_exist(order_log, refund_log, rows_of, view, ordered_at, rows):
    assert len(rows_of(net_revenue(order_log(("ana", ordered_at)), refund_log(), as_of=AS_OF, view=view))) == rows


@pytest.mark.parametrize("view", ["cash", "order"])
def test_a_cancelled_order_and_its_refund_bring_and_take_nothing(order_log, refund_log, rows_of, view):
    orders = order_log(("ana", "2024-01-02 10:00:00Z", {"status": "cancelled"}))
    refunds = refund_log(("o1", "2024-01-02 10:12:00Z", 10))
    assert rows_of(net_revenue(orders, refunds, as_of=AS_OF, view=view)) == []


@pytest.mark.parametrize("view", ["cash", "order"])
@pytest.mark.parametrize(
    ("cancelled_at", "rows"),
    [
        pytest.param("2024-02-29 23:59:59Z", 0, id="one second before as_of"),
        pytest.param("2024-03-01 00:00:00Z", 1, id="at as_of"),
        pytest.param("2024-03-01 00:00:01Z", 1, id="one second after"),
        pytest.param(None, 0, id="nobody knows when"),
    ],
)
def test_an_order_counts_until_it_is_cancelled(order_log, refund_log, rows_of, view, cancelled_at, rows):
    cancelled = {"status": "cancelled", "cancelled_at": cancelled_at}
    orders = order_log(("ana", "2024-01-02 10:00:00Z", cancelled))
    assert len(rows_of(net_revenue(orders, refund_log(), as_of=AS_OF, view=view))) == rows


def test_a_refund_of_an_order_cancelled_later_is_booked_until_then(order_log, refund_log, rows_of):
    cancelled = {"status": "cancelled", "cancelled_at": "2024-02-10 10:00:00Z", "revenue": 80}
    tables = order_log(("ana", "2024-01-02 10:00:00Z", cancelled)), refund_log(("o1", "2024-02-01 10:00:00Z", 30))

    def net(day):
        as_of = datetime(2024, 2, day, tzinfo=UTC)
        by_order = rows_of(net_revenue(*tables, as_of=as_of, view="order"), "net_revenue")
        by_cash = rows_of(net_revenue(*tables, as_of=as_of, view="cash"), "amount")
        return sum(amount for (amount,) in by_order), sum(amount for (amount,) in by_cash)

    assert [net(1), net(2), net(11)] == [(80, 80), (50, 50), (0, 0)]


def test_a_refund_dated_before_its_order_has_no_customer_until_the_order_exists(order_log, refund_log, rows_of):
    tables = order_log(("ana", "2024-03-02 10:00:00Z")), refund_log(("o1", "2024-02-01 10:00:00Z", 3))
    assert rows_of(net_revenue(*tables, as_of=AS_OF, view="cash"), "customer_id", "amount") == [(None, Decimal(-3))]
    assert rows_of(net_revenue(*tables, as_of=AS_OF, view="order")) == []


@pytest.mark.parametrize("seed", range(3))
def test_nothing_at_or_after_as_of_changes_what_was_known(order_log, refund_log, rows_of, seed):
    told = random.Random(seed)

    def instant(first, last):
        return datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=told.randint(first, last), hours=told.randint(0, 23))

    people = ["ana", "ben", "cleo", None]
    orders = [(told.choice(people), instant(0, 59), {"revenue": told.randint(0, 90)}) for _number in range(60)]
    refunds = [(f"o{told.randint(1, 60)}", instant(0, 59), told.randint(1, 9)) for _number in range(20)]
    # What the future brings: refunds and cancellations of old orders, and new orders; the end of January is as_of.
    as_of = datetime(2024, 1, 31, tzinfo=UTC)
    later_orders = [(told.choice(people), instant(30, 90)) for _number in range(20)]
    later_refunds = [(f"o{told.randint(1, 80)}", instant(30, 90), told.randint(1, 9)) for _number in range(20)]
    cancelled_later = [
        (person, at, columns | {"status": "cancelled", "cancelled_at": max(as_of, at)})
        if number % 3 == 0
        else (person, at, columns)
        for number, (person, at, columns) in enumerate(orders)
    ]
    then = order_log(*orders), refund_log(*refunds)
    now = order_log(*cancelled_later, *later_orders), refund_log(*refunds, *later_refunds)

    def ask(tables):
        found = [rows_of(net_revenue(*tables, as_of=as_of, view=view)) for view in ("cash", "order")]
        found.append(rows_of(sales(*tables, zone="UTC", as_of=as_of)))
        found.append(rows_of(new_and_returning(*tables, zone="UTC", as_of=as_of, look_back_days=14)))
        return [sorted(rows, key=str) for rows in found]

    assert ask(then) == ask(now)
    assert len(ask(now)[1]) == sum(at < as_of for _person, at, _columns in orders) > 5


def test_a_refund_of_an_unknown_order_is_booked_in_the_cash_view(order_log, refund_log, rows_of):
    refunds = refund_log((None, "2024-01-02 10:00:00Z", 7), ("gone", "2024-01-03 10:00:00Z", 8))
    rows = rows_of(net_revenue(order_log(), refunds, as_of=AS_OF, view="cash"), "order_id", "customer_id", "amount")
    assert sorted(rows, key=str) == [("gone", None, Decimal(-8)), (None, None, Decimal(-7))]


def test_an_unknown_view_names_the_two():
    with pytest.raises(UsageError) as caught:
        net_revenue(*UNBOUND, as_of=AS_OF, view="gross")
    assert str(caught.value) == "'gross' is not a view of net revenue. Choose 'cash' or 'order'."


def test_a_table_without_the_columns_stops_at_the_door():
    with pytest.raises(TableError) as caught:
        net_revenue(ibis.table({"order_id": "string"}, name="t"), UNBOUND[1], as_of=AS_OF, view="cash")
    assert str(caught.value).startswith("The table lacks 'customer_id', 'session_id'")
    assert str(caught.value).endswith("It has 'order_id'. The step 'pipeline.orders' makes this table.")


# sales


def test_sales_by_hand(order_log, refund_log, rows_of):
    orders = order_log(
        ("ana", "2024-01-01 10:00:00Z", {"revenue": 100, "discount": 5}),
        ("ana", "2024-01-02 10:00:00Z", {"revenue": 50}),
        ("ben", "2024-01-03 10:00:00Z", {"revenue": 0}),
        (None, "2024-01-04 10:00:00Z", {"revenue": 30}),
        ("cleo", "2024-01-05 10:00:00Z", {"revenue": 999, "status": "cancelled"}),
    )
    refunds = refund_log(("o1", "2024-01-07 23:59:59Z", 20), ("o1", "2024-01-08 00:00:00Z", 10))
    first, second = rows_of(sales(orders, refunds, zone="UTC", as_of=AS_OF))
    names = ("week", "orders", "customers", "zero_value_orders", "revenue", "discount", "refunds", "net_revenue", "aov")
    assert tuple(first[name] for name in names) == (MONDAY, 4, 2, 1, *money(180, 5, 20, 160), 45.0)
    assert tuple(second[name] for name in names) == (date(2024, 1, 8), 0, 0, 0, *money(0, 0, 10, -10), None)
    # Per customer: ana 150 of 2 orders (130 net), ben 0 of 1, the guest's order 30 of 1.
    assert [first[f"aov_{name}"] for name in SUMS] == [3, 180, 4, 150**2 + 30**2, 150 * 2 + 30, 2**2 + 1 + 1]
    assert (first["orders_clusters"], first["orders_squares"]) == (3, 6.0)
    assert (first["revenue_clusters"], first["revenue_squares"]) == (2, 150.0**2 + 30**2)
    assert (first["net_revenue_clusters"], first["net_revenue_squares"]) == (2, 130.0**2 + 30**2)
    assert (second["net_revenue_clusters"], second["net_revenue_squares"]) == (1, 100.0)


@pytest.mark.parametrize(
    ("instant", "week"),
    [
        pytest.param("2024-01-08 04:59:59Z", date(2024, 1, 1), id="Sunday 23:59:59 in New York"),
        pytest.param("2024-01-08 05:00:00Z", date(2024, 1, 8), id="Monday 00:00:00 in New York"),
        pytest.param("2024-01-08 05:00:01Z", date(2024, 1, 8), id="one second later"),
        pytest.param("2024-12-30 05:00:00Z", date(2024, 12, 30), id="the week over the year's end is one week"),
        pytest.param("2025-01-05 05:00:00Z", date(2024, 12, 30), id="and ends on 5 January"),
    ],
)
def test_weeks_are_local_and_begin_on_monday(order_log, refund_log, rows_of, instant, week):
    as_of = datetime(2026, 1, 1, tzinfo=UTC)
    table = sales(order_log(("ana", instant)), refund_log(), zone="America/New_York", as_of=as_of)
    assert rows_of(table, "week", "orders") == [(week, 1)]


@pytest.mark.parametrize(("grain", "label"), [("day", date(2024, 1, 18)), ("month", date(2024, 1, 1))])
def test_grain_names_its_column(order_log, refund_log, rows_of, grain, label):
    table = sales(order_log(("ana", "2024-01-18 10:00:00Z")), refund_log(), zone="UTC", as_of=AS_OF, grain=grain)
    assert rows_of(table, grain, "orders") == [(label, 1)]


def test_an_unknown_grain_names_the_known_ones():
    with pytest.raises(UsageError) as caught:
        sales(*UNBOUND, zone="UTC", as_of=AS_OF, grain="quarter")
    assert str(caught.value) == "'quarter' is not a grain. Choose one of 'day', 'week', 'month'."


def many_orders(order_log, refund_log, seed):
    """About 200 random orders with cancelled ones, guests and refunds; each call shuffles the rows anew."""
    told = random.Random(7)
    entries = []
    for _number in range(200):
        day, hour = told.randint(1, 60), told.randint(0, 23)
        instant = datetime.fromordinal(datetime(2024, 1, 1).toordinal() + day - 1).replace(hour=hour, tzinfo=UTC)
        entries.append(
            (
                told.choice(["ana", "ben", "cleo", "dan", None]),
                instant,
                {
                    "order_id": f"x{_number}",
                    "revenue": told.randint(0, 90),
                    "status": told.choice(["completed"] * 5 + ["cancelled"]),
                },
            )
        )
    refunds = [(f"x{told.randint(0, 199)}", "2024-02-20 10:00:00Z", told.randint(1, 9)) for _ in range(30)]
    shuffled = random.Random(seed)
    shuffled.shuffle(entries)
    shuffled.shuffle(refunds)
    return order_log(*entries), refund_log(*refunds)


def test_the_order_of_rows_does_not_matter(order_log, refund_log, rows_of):
    def ask(seed):
        tables = many_orders(order_log, refund_log, seed)
        return [
            rows_of(sales(*tables, zone="Asia/Kolkata", as_of=AS_OF)),
            rows_of(new_and_returning(*tables, zone="Asia/Kolkata", as_of=AS_OF, look_back_days=14)),
            rows_of(aov(tables[0], by="customer_id").drop("numerator_squares")),
        ]

    assert ask(1) == ask(2)


def test_parts_add_up_to_the_whole(order_log, refund_log, rows_of):
    tables = many_orders(order_log, refund_log, 1)
    booked = rows_of(net_revenue(*tables, as_of=AS_OF, view="cash"), "amount")
    for grain in ("day", "week", "month"):
        whole = rows_of(sales(*tables, zone="UTC", as_of=AS_OF, grain=grain))
        assert sum(row["net_revenue"] for row in whole) == sum(amount for (amount,) in booked)
        assert all(row["revenue"] - row["refunds"] == row["net_revenue"] for row in whole)
        parts = rows_of(new_and_returning(*tables, zone="UTC", as_of=AS_OF, look_back_days=14, grain=grain))
        kinds = ("new", "returning", "unknown", "guest")
        for row, part in zip(whole, parts, strict=True):
            assert row[grain] == part[grain]
            assert row["customers"] == sum(part[f"{kind}_customers"] or 0 for kind in kinds[:3])
            assert row["revenue"] == sum(part[f"{kind}_revenue"] for kind in kinds)
            assert row["net_revenue"] == sum(part[f"{kind}_net_revenue"] for kind in kinds)


# aov


def test_aov_by_hand(order_log, rows_of):
    orders = order_log(
        ("ana", "2024-01-01 10:00:00Z", {"revenue": 10, "country": "US"}),
        ("ana", "2024-01-02 10:00:00Z", {"revenue": 20, "country": "US"}),
        ("ben", "2024-01-03 10:00:00Z", {"revenue": 90, "country": "US"}),
        (None, "2024-01-03 10:00:00Z", {"revenue": 5}),
        ("dan", "2024-01-03 10:00:00Z", {"revenue": 400, "country": "US", "status": "cancelled"}),
    )
    columns = ("orders", "customers", "revenue", "aov", "aov_median")
    assert rows_of(aov(orders), *columns) == [(4, 2, Decimal(125), 31.25, 15.0)]
    by_country = sorted(rows_of(aov(orders, by="country"), "country", *columns), key=str)
    assert by_country == [("US", 3, 2, Decimal(120), 40.0, 20.0), (None, 1, 0, Decimal(5), 5.0, 5.0)]
    assert rows_of(aov(orders, zone="UTC", grain="day"), "day", "orders")[0] == (MONDAY, 1)


def test_aov_without_orders_is_unknown(order_log, rows_of):
    assert rows_of(aov(order_log()), "orders", "revenue", "aov", "aov_median", "clusters") == [(0, 0, None, None, 0)]


def test_aov_names_the_columns_that_are_not_there():
    with pytest.raises(UsageError) as caught:
        aov(UNBOUND[0].select(*ORDERS.names), by=("channel", "city"))
    assert str(caught.value).startswith("'by' names 'channel', 'city', which the table lacks. It has 'order_id',")


def test_a_grain_needs_a_zone():
    with pytest.raises(UsageError) as caught:
        aov(UNBOUND[0], grain="week")
    assert str(caught.value) == "A row per week needs the shop's time zone. Give 'zone'."


# the parts of a week, shares, the winsorised mean


@pytest.mark.parametrize(
    ("weekdays", "orders", "refunded"),
    [
        pytest.param(1, 1, 0, id="Monday alone"),
        pytest.param(2, 2, 3, id="to the end of Tuesday"),
        pytest.param(6, 2, 3, id="all but Sunday"),
        pytest.param(7, 3, 8, id="the whole week"),
    ],
)
def test_the_first_days_of_a_week_count_by_local_days(order_log, refund_log, rows_of, weekdays, orders, refunded):
    """In Berlin, 22:59 UTC is the last minute of the day, 23:00 UTC the first of the next."""
    sold = order_log(("ana", "2024-01-01 22:59:59Z"), ("ben", "2024-01-01 23:00:00Z"), ("cy", "2024-01-06 23:00:00Z"))
    refunds = refund_log(("o1", "2024-01-02 22:59:59Z", 3), ("o1", "2024-01-07 22:59:59Z", 5))
    rows = sales(sold, refunds, zone="Europe/Berlin", as_of=AS_OF, weekdays=weekdays)
    assert rows_of(rows, "week", "orders", "refunds") == [(MONDAY, orders, refunded)]
    seen = new_and_returning(sold, refunds, zone="Europe/Berlin", as_of=AS_OF, look_back_days=0, weekdays=weekdays)
    assert rows_of(seen, "new_customers") == [(orders,)]


@pytest.mark.parametrize("weekdays", [0, 8])
def test_a_week_has_one_to_seven_first_days(weekdays):
    with pytest.raises(UsageError) as caught:
        sales(*UNBOUND, zone="UTC", as_of=AS_OF, weekdays=weekdays)
    assert str(caught.value) == f"A week has no {weekdays} first days. Give 1 to 7."


def test_whoever_bought_before_elsewhere_is_not_new(order_log, refund_log, rows_of):
    everything = order_log(("ana", "2023-12-01 10:00:00Z", {"country": "DE"}), ("ana", "2024-01-02 10:00:00Z"))
    part = everything.filter(everything.country.isnull())
    told = {"zone": "UTC", "as_of": AS_OF, "look_back_days": 0}
    columns = ("unknown_customers", "returning_customers")
    assert rows_of(new_and_returning(part, refund_log(), **told), *columns) == [(1, 0)]
    assert rows_of(new_and_returning(part, refund_log(), history=everything, **told), *columns) == [(0, 1)]


def test_discounts_are_a_share_of_gross_and_refunds_of_revenue(order_log, refund_log, rows_of):
    orders = order_log(
        ("ana", "2024-01-02 10:00:00Z", {"gross": 100, "discount": 20, "revenue": 80}),
        ("ben", "2024-01-03 10:00:00Z", {"gross": 20, "discount": 0, "revenue": 20}),
    )
    sold = sales(orders, refund_log(("o1", "2024-01-04 10:00:00Z", 25)), zone="UTC", as_of=AS_OF)
    columns = ("gross", "discount", "discount_share", "revenue", "refunds", "refund_share", "discount_share_clusters")
    assert rows_of(sold, *columns) == [(120, 20, 20 / 120, 100, 25, 0.25, 2)]


def test_a_refund_without_revenue_has_no_share(order_log, refund_log, rows_of):
    orders = order_log(("ana", "2023-12-02 10:00:00Z"))
    sold = sales(orders, refund_log(("o1", "2024-01-04 10:00:00Z", 5)), zone="UTC", as_of=AS_OF)
    assert rows_of(sold, "refunds", "refund_share", "discount_share")[-1] == (5, None, None)


@pytest.mark.parametrize(
    ("cheap", "mean"),
    [
        pytest.param(98, (98 * 10 + 1_000) / 99, id="under a hundred orders nothing is cut"),
        pytest.param(99, 10, id="of a hundred the largest counts as the next one"),
        pytest.param(198, (198 * 10 + 1_000) / 199, id="of 199 one is cut, and the other large one stays"),
    ],
)
def test_the_winsorised_mean_cuts_the_largest_of_every_full_hundred(order_log, rows_of, cheap, mean):
    large = [("bulk", "2024-01-02 10:00:00Z", {"revenue": 1_000})] * (2 if cheap == 198 else 1)
    if cheap == 198:
        mean = (198 * 10 + 2 * 1_000) / 200
        large = [*large, ("bulk", "2024-01-02 10:00:00Z", {"revenue": 9_000})]
        mean = (198 * 10 + 3 * 1_000) / 201
    orders = order_log(*[(f"c{n}", "2024-01-02 10:00:00Z") for n in range(cheap)], *large)
    [(found, raw)] = rows_of(aov(orders), "aov_winsorised", "aov")
    assert found == pytest.approx(mean)
    assert raw >= found


# by shape


def test_columns_are_the_documented_ones():
    assert net_revenue(*UNBOUND, as_of=AS_OF, view="cash").columns == (
        *("order_id", "refund_id", "customer_id", "booked_at", "kind", "amount"),
    )
    assert net_revenue(*UNBOUND, as_of=AS_OF, view="order").columns == (
        *("order_id", "customer_id", "ordered_at", "revenue", "refunded", "net_revenue"),
    )
    assert sales(*UNBOUND, zone="UTC", as_of=AS_OF).columns == (
        *("week", "orders", "customers", "zero_value_orders", "gross", "discount", "revenue", "refunds", "net_revenue"),
        *("aov", "discount_share", "refund_share"),
        *(f"{ratio}_{name}" for ratio in ("aov", "discount_share", "refund_share") for name in SUMS),
        *(
            f"{total}_{part}"
            for total in ("orders", "customers", "revenue", "net_revenue")
            for part in ("clusters", "squares")
        ),
    )
    assert aov(UNBOUND[0], by="country", zone="UTC", grain="week").columns == (
        *("country", "week", "orders", "customers", "revenue", "aov", "aov_median", "aov_winsorised"),
        *SUMS,
    )
