"""New customers, the channel credited, and the four kinds of CAC."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import ibis
import pytest

from ecomkit.errors import TableError, UsageError
from ecomkit.metrics.acquisition import KINDS, cac, cac_of_every_kind, new_customers
from ecomkit.periods import Period
from ecomkit.schemas import AD_SPEND, ORDERS, SESSIONS

WEEK = Period(date(2024, 1, 8), date(2024, 1, 15), "UTC")
UNBOUND = tuple(
    ibis.table(schema, name=name)
    for name, schema in (("orders", ORDERS), ("sessions", SESSIONS), ("ad_spend", AD_SPEND))
)
# An order long ago, so that the shop's history is long enough.
OLD = ("old", "2023-01-01 10:00:00Z")


def channels(rows_of, orders, sessions, **arguments):
    table = new_customers(orders, sessions, period=WEEK, look_back_days=365, **arguments)
    return dict(rows_of(table, "customer_id", "channel"))


# new_customers


@pytest.mark.parametrize(
    ("ordered_at", "is_new"),
    [
        pytest.param("2024-01-07 23:59:59Z", False, id="one second before the period"),
        pytest.param("2024-01-08 00:00:00Z", True, id="its first instant"),
        pytest.param("2024-01-14 23:59:59Z", True, id="one second before its end"),
        pytest.param("2024-01-15 00:00:00Z", False, id="its end"),
    ],
)
def test_the_first_order_ever_falls_into_the_period(order_log, session_log, rows_of, ordered_at, is_new):
    orders = order_log(OLD, ("ana", ordered_at), ("ana", "2024-03-01 10:00:00Z"))
    assert ("ana" in channels(rows_of, orders, session_log())) is is_new


def test_guests_cancelled_orders_and_customers_of_old_are_not_new(order_log, session_log, rows_of):
    orders = order_log(
        OLD,
        ("old", "2024-01-10 10:00:00Z"),
        (None, "2024-01-10 10:00:00Z", {"order_number": 1}),
        ("ben", "2024-01-10 10:00:00Z", {"status": "cancelled"}),
    )
    assert channels(rows_of, orders, session_log()) == {}


@pytest.mark.parametrize(
    ("first_in_shop", "is_known"),
    [
        pytest.param("2023-01-08 23:59:59Z", True, id="last second of the day that is the look-back ago"),
        pytest.param("2023-01-09 00:00:00Z", False, id="first second of the day after"),
    ],
)
def test_a_short_history_leaves_all_unknown(order_log, session_log, rows_of, first_in_shop, is_known):
    orders = order_log(("old", first_in_shop), ("ana", "2024-01-10 10:00:00Z"))
    table = new_customers(orders, session_log(), period=WEEK, look_back_days=365)
    assert rows_of(table, "customer_id", "is_known") == [("ana", is_known)]


def test_the_last_session_that_was_not_direct_earns_the_credit(order_log, session_log, rows_of):
    orders = order_log(
        OLD, ("ana", "2024-01-10 10:00:00Z"), ("ben", "2024-01-10 10:00:00Z"), ("cleo", "2024-01-11 10:00:00Z")
    )
    sessions = session_log(
        ("ana", "2024-01-02 10:00:00Z", 0, {"channel": "Paid Search"}),
        ("ana", "2024-01-05 10:00:00Z", 0, {"channel": "Email"}),
        ("ana", "2024-01-10 09:50:00Z", 1, {"channel": "Direct"}),
        ("ana", "2024-01-10 10:00:01Z", 0, {"channel": "Affiliates"}),
        ("ben", "2024-01-10 09:50:00Z", 1, {"channel": "Direct"}),
    )
    assert channels(rows_of, orders, sessions) == {"ana": "Email", "ben": "Direct", "cleo": "Unknown"}


@pytest.mark.parametrize(
    ("started_at", "channel"),
    [
        pytest.param("2023-12-11 09:59:59Z", "Unknown", id="one second too early"),
        pytest.param("2023-12-11 10:00:00Z", "Email", id="exactly 30 days before"),
        pytest.param("2024-01-10 10:00:00Z", "Email", id="at the order itself"),
        pytest.param("2024-01-10 10:00:01Z", "Unknown", id="one second after"),
    ],
)
def test_edges_of_the_lookback(order_log, session_log, rows_of, started_at, channel):
    orders = order_log(OLD, ("ana", "2024-01-10 10:00:00Z"))
    sessions = session_log(("ana", started_at, 0, {"channel": "Email"}))
    assert channels(rows_of, orders, sessions) == {"ana": channel}


def test_sessions_of_equal_time_are_told_apart_by_their_id(order_log, session_log, rows_of):
    orders = order_log(OLD, ("ana", "2024-01-10 10:00:00Z"))
    rows = [("ana", "2024-01-09 10:00:00Z", 0, {"channel": name, "session_id": name}) for name in ("b", "c", "a")]
    for order in (rows, rows[::-1]):
        assert channels(rows_of, orders, session_log(*order)) == {"ana": "c"}


# cac


@pytest.fixture
def shop(order_log, session_log, spend_log):
    """Four new customers: two by Paid Search, one by Email, one by nobody known; spend on three channels."""
    orders = order_log(OLD, *((name, "2024-01-10 10:00:00Z") for name in ("ana", "ben", "cleo", "dan")))
    sessions = session_log(
        ("ana", "2024-01-09 10:00:00Z", 1, {"channel": "Paid Search"}),
        ("ben", "2024-01-09 10:00:00Z", 1, {"channel": "Paid Search"}),
        ("cleo", "2024-01-09 10:00:00Z", 1, {"channel": "Email"}),
    )
    spend = spend_log(
        ("2024-01-07", "Paid Search", 1000),
        ("2024-01-08", "Paid Search", 60),
        ("2024-01-14", "Paid Search", 30, {"purpose": "retargeting"}),
        ("2024-01-15", "Paid Search", 1000),
        ("2024-01-09", "Display", 40),
        ("2024-01-09", "Email", 5, {"purpose": "crm"}),
    )
    return orders, sessions, spend


def ask(shop, kind, **arguments):
    return cac(*shop, period=WEEK, look_back_days=365, kind=kind, **arguments)


COLUMNS = ("channel", "spend", "new_customers", "cac", "spend_without_customers")


def test_blended_cac_is_all_spend_over_all_new_customers(shop, rows_of):
    assert rows_of(ask(shop, "blended"), *COLUMNS) == [
        ("Display", Decimal(40), 0, None, True),
        ("Email", Decimal(5), 1, 5.0, False),
        ("Paid Search", Decimal(90), 2, 45.0, False),
        ("Unknown", None, 1, None, False),
    ]
    assert rows_of(ask(shop, "blended", by=None)) == [
        {
            "spend": Decimal(135),
            "new_customers": 4,
            "unknown_customers": 0,
            "cac": 33.75,
            "spend_without_customers": False,
        }
    ]


def test_paid_cac_leaves_out_customers_that_no_spend_brought(shop, rows_of):
    assert rows_of(ask(shop, "paid"), *COLUMNS) == [
        ("Display", Decimal(40), 0, None, True),
        ("Email", Decimal(5), 1, 5.0, False),
        ("Paid Search", Decimal(90), 2, 45.0, False),
        ("Unknown", None, 1, None, False),
    ]
    assert rows_of(ask(shop, "paid", by=None), "spend", "new_customers", "cac") == [(Decimal(135), 3, 45.0)]


def test_prospecting_cac_leaves_out_spend_on_people_who_know_the_shop(shop, rows_of):
    assert rows_of(ask(shop, "prospecting"), *COLUMNS) == [
        ("Display", Decimal(40), 0, None, True),
        ("Email", Decimal(0), 1, 0.0, False),
        ("Paid Search", Decimal(60), 2, 30.0, False),
        ("Unknown", None, 1, None, False),
    ]
    [total] = rows_of(ask(shop, "prospecting", by=None), "spend", "new_customers", "cac")
    assert total == (Decimal(100), 3, 100 / 3)


def test_fully_loaded_cac_adds_the_periods_share_of_the_fees(shop, rows_of):
    fees = {"Paid_Search": 304.375, "Affiliates": 60.875}
    rows = rows_of(ask(shop, "fully_loaded", monthly_fees=fees), *COLUMNS)
    # Seven days of a month of 30.4375.
    assert rows[0] == ("Affiliates", Decimal(14), 0, None, True)
    assert rows[3] == ("Paid Search", Decimal(160), 2, 80.0, False)
    assert rows_of(ask(shop, "paid", monthly_fees=fees)) == rows_of(ask(shop, "paid"))


def test_without_a_long_history_no_cac_is_named(order_log, session_log, spend_log, rows_of):
    shop = order_log(("ana", "2024-01-10 10:00:00Z")), session_log(), spend_log(("2024-01-08", "Display", 60))
    [total] = rows_of(ask(shop, "blended", by=None))
    assert total == {
        "spend": Decimal(60),
        "new_customers": None,
        "unknown_customers": 1,
        "cac": None,
        "spend_without_customers": False,
    }


@pytest.mark.parametrize("kind", KINDS)
def test_a_shop_without_spend_and_one_without_anything(order_log, session_log, spend_log, rows_of, kind):
    orders = order_log(OLD, ("ana", "2024-01-10 10:00:00Z"))
    [row] = rows_of(ask((orders, session_log(), spend_log()), kind), *COLUMNS)
    assert row == ("Unknown", None, 1, None, False)
    assert rows_of(ask((order_log(), session_log(), spend_log()), kind)) == []
    [total] = rows_of(ask((order_log(), session_log(), spend_log()), kind, by=None))
    assert (total["spend"], total["new_customers"], total["cac"]) == (None, 0, None)


def random_shop(order_log, session_log, spend_log, seed):
    draw, shuffled = random.Random(5), random.Random(seed)
    names = ("Paid Search", "Email", "Direct", "Display", None)
    start = datetime(2024, 1, 1, tzinfo=UTC)
    logs = (
        [(f"c{draw.randint(1, 60)}", start + timedelta(minutes=draw.randint(0, 20_000))) for _ in range(90)],
        [
            (
                f"c{draw.randint(1, 60)}",
                start + timedelta(minutes=draw.randint(0, 20_000)),
                0,
                {"channel": draw.choice(names)},
            )
            for _ in range(200)
        ],
        [
            (
                f"2024-01-{draw.randint(1, 20):02d}",
                draw.choice(names),
                draw.randint(0, 50),
                {"purpose": draw.choice(("crm", None))},
            )
            for _ in range(60)
        ],
    )
    orders, sessions, spend = (shuffled.sample(log, len(log)) for log in logs)
    for row in sessions:
        row[3]["session_id"] = f"{row[0]} {row[1]} {row[3]['channel']}"
    return order_log(OLD, *orders), session_log(*sessions), spend_log(*spend)


@pytest.mark.parametrize("kind", KINDS)
def test_channels_add_up_to_the_total_and_the_order_of_rows_does_not_matter(
    order_log, session_log, spend_log, rows_of, kind
):
    one, other = (random_shop(order_log, session_log, spend_log, seed) for seed in (1, 2))
    rows = rows_of(ask(one, kind))
    assert rows == rows_of(ask(other, kind))
    [total] = rows_of(ask(one, kind, by=None))
    counted = [row for row in rows if kind == "blended" or row["spend"] is not None]
    assert total["spend"] == sum(row["spend"] or 0 for row in counted)
    assert total["new_customers"] == sum(row["new_customers"] for row in counted) > 0
    everyone = rows_of(new_customers(*one[:2], period=WEEK, look_back_days=365))
    assert sum(row["new_customers"] for row in rows) == len(everyone)


# by shape, and at the door


@pytest.mark.parametrize("kind", KINDS)
def test_columns_are_the_documented_ones(kind):
    columns = ("spend", "new_customers", "unknown_customers", "cac", "spend_without_customers")
    assert ask(UNBOUND, kind, monthly_fees={"Email": 10}).columns == ("channel", *columns)
    assert ask(UNBOUND, kind, by=None).columns == columns
    people = new_customers(*UNBOUND[:2], period=WEEK, look_back_days=365)
    assert people.columns == ("customer_id", "first_order_at", "channel", "is_known")


def test_an_unknown_kind_names_the_four():
    with pytest.raises(UsageError) as caught:
        ask(UNBOUND, "marginal")
    message = "'marginal' is not a kind of CAC. Choose one of 'blended', 'paid', 'prospecting', 'fully_loaded'."
    assert str(caught.value) == message


def test_each_table_is_checked_at_the_door():
    for place in range(3):
        shop = [*UNBOUND]
        shop[place] = ibis.table({"currency": "string"}, name="t")
        with pytest.raises(TableError, match="^The table lacks"):
            ask(shop, "paid")


# cac_of_every_kind


def test_kinds_side_by_side_are_the_totals_of_each(shop, rows_of):
    fees = {"Paid Search": 304.375}
    rows = rows_of(cac_of_every_kind(*shop, period=WEEK, look_back_days=365, monthly_fees=fees))
    assert [row.pop("kind") for row in rows] == list(KINDS)
    assert rows == [rows_of(ask(shop, kind, monthly_fees=fees, by=None))[0] for kind in KINDS]
