"""The sums of the bridge: by hand, at the edges, and against `sales` to the cent."""

from datetime import UTC, date, datetime
from decimal import Decimal

import ibis
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecomkit.errors import UsageError
from ecomkit.frames import to_frame
from ecomkit.metrics.bridge import IN_SESSIONS, bridge_sums, bridge_sums_by, with_customer_kind
from ecomkit.metrics.bridge_of_lines import bridge_category_sums
from ecomkit.metrics.sales import sales
from ecomkit.models.revenue_bridge import revenue_bridge
from ecomkit.periods import Period
from ecomkit.schemas import ORDER_LINES, ORDERS, REFUNDS, SESSIONS
from tests.metrics.conftest import typed_table

AS_OF = datetime(2024, 1, 15, tzinfo=UTC)
BEFORE = Period(date(2024, 1, 1), date(2024, 1, 8), "UTC")
NOW = Period(date(2024, 1, 8), date(2024, 1, 15), "UTC")
BOTH = {"periods": [NOW, BEFORE], "as_of": AS_OF}
TOTALS = (
    *IN_SESSIONS,
    *("orders_outside_sessions", "revenue_outside_sessions", "refunds", "net_revenue"),
)


def in_session(number, **more):
    return {"session_id": f"s{number}", "session_rule": "same device", **more}


def test_the_bridge_sums_by_hand(order_log, refund_log, session_log, rows_of):
    sessions = session_log(
        ("ana", "2024-01-08 09:00:00Z", 2),
        ("ana", "2024-01-09 09:00:00Z", 1),
        ("ben", "2024-01-09 09:00:00Z", 0),
        ("cem", "2024-01-02 09:00:00Z", 1),
    )
    orders = order_log(
        ("ana", "2024-01-08 09:10:00Z", in_session(1, revenue=10)),
        ("ana", "2024-01-08 09:20:00Z", in_session(1, revenue=20)),
        ("ana", "2024-01-09 09:10:00Z", in_session(2, revenue=30)),
        ("dan", "2024-01-10 09:10:00Z", {"revenue": 5}),
        (None, "2024-01-10 09:20:00Z", {"revenue": 7}),
        ("cem", "2024-01-02 09:10:00Z", in_session(4, revenue=100)),
    )
    refunds = refund_log(("o6", "2024-01-11 10:00:00Z", 40), (None, "2024-01-11 10:00:00Z", 2))
    found = rows_of(bridge_sums(orders, refunds, sessions, **BOTH))
    assert [tuple(row[name] for name in ("start_date", *TOTALS)) for row in found] == [
        (BEFORE.start, 1, 1, 1, Decimal(100), 0, Decimal(0), Decimal(0), Decimal(100)),
        (NOW.start, 3, 2, 3, Decimal(60), 2, Decimal(12), Decimal(42), Decimal(30)),
    ]
    now = found[1]
    # Ana: 2 sessions, both with an order, 3 orders, 60; Ben: one session.
    assert (now["sessions_clusters"], now["orders_in_sessions_clusters"]) == (2, 1)
    assert (now["sessions_squares"], now["sessions_sessions_with_order_products"]) == (5, 4)
    assert now["orders_in_sessions_revenue_in_sessions_products"] == 180
    assert (now["revenue_in_sessions_squares"], now["sessions_revenue_in_sessions_products"]) == (3600, 120)
    assert (now["revenue_outside_sessions_clusters"], now["revenue_outside_sessions_squares"]) == (2, 25 + 49)
    assert (now["refunds_clusters"], now["refunds_squares"]) == (2, 1600 + 4)


def test_who_comes_in_both_periods_is_counted_with_both(order_log, refund_log, session_log, rows_of):
    sessions = session_log(
        *(("ana", f"2024-01-0{day} 09:00:00Z", 0) for day in (1, 2, 3)),
        *(("ana", f"2024-01-0{day} 09:00:00Z", 0) for day in (8, 9)),
        *(("ben", "2024-01-02 09:00:00Z", 0), ("cem", "2024-01-09 09:00:00Z", 0)),
        *(("dan", "2023-12-26 09:00:00Z", 0), ("dan", "2024-01-09 09:00:00Z", 0)),
    )
    orders = order_log(
        ("ana", "2024-01-01 09:10:00Z", in_session(1, revenue=10)),
        ("ana", "2024-01-08 09:10:00Z", in_session(4, revenue=30)),
        ("eve", "2024-01-02 09:10:00Z", {"revenue": 7}),
        ("eve", "2024-01-09 09:10:00Z", {"revenue": 5}),
    )
    refunds = refund_log(("o1", "2024-01-02 10:00:00Z", 2), ("o2", "2024-01-09 10:00:00Z", 3))
    periods = [BEFORE.before(), BEFORE, NOW]
    first, middle, last = rows_of(bridge_sums(orders, refunds, sessions, periods=periods, as_of=AS_OF))
    assert [row["start_date_before"] for row in (first, middle, last)] == [None, BEFORE.before().start, BEFORE.start]
    # Ana: 3 sessions, then 2. Dan was there a period earlier, not in the one before.
    assert last["sessions_sessions_before_products"] == 6
    assert (last["sessions_revenue_in_sessions_before_products"], middle["sessions_sessions_before_products"]) == (
        20,
        0,
    )
    assert last["revenue_in_sessions_sessions_before_products"] == 90
    assert last["revenue_in_sessions_revenue_in_sessions_before_products"] == 300
    assert last["revenue_outside_sessions_revenue_outside_sessions_before_products"] == 35
    assert last["refunds_refunds_before_products"] == 6


@pytest.mark.parametrize(
    ("started", "ordered", "found"),
    [
        pytest.param("2024-01-08 00:00:00Z", "2024-01-08 00:00:00Z", (1, 1, 1, 0), id="both at the first instant"),
        pytest.param("2024-01-07 23:59:59Z", "2024-01-08 00:00:00Z", (0, 0, 0, 1), id="a session begun before it"),
        pytest.param("2024-01-14 23:59:59Z", "2024-01-14 23:59:59Z", (1, 1, 1, 0), id="both in its last second"),
    ],
)
def test_an_order_is_in_a_session_of_its_own_period(
    order_log, refund_log, session_log, rows_of, started, ordered, found
):
    sessions, orders = session_log(("ana", started, 1)), order_log(("ana", ordered, in_session(1)))
    [*_, now] = rows_of(bridge_sums(orders, refund_log(), sessions, **BOTH))
    assert now["start_date"] == NOW.start
    columns = ("sessions", "sessions_with_order", "orders_in_sessions", "orders_outside_sessions")
    assert tuple(now[name] for name in columns) == found
    assert now["net_revenue"] == 10


def test_an_order_of_the_next_period_does_not_convert_its_session(order_log, refund_log, session_log, rows_of):
    sessions = session_log(("ana", "2024-01-07 23:50:00Z", 1))
    orders = order_log(("ana", "2024-01-08 00:10:00Z", in_session(1)))
    found = rows_of(bridge_sums(orders, refund_log(), sessions, **BOTH), "sessions", *TOTALS[1:6])
    assert found == [(1, 0, 0, 0, 0, 0), (0, 0, 0, 0, 1, 10)]


def test_what_lies_at_or_after_the_end_of_the_data_is_not_there(order_log, refund_log, session_log, rows_of):
    sessions = session_log(("ana", "2024-01-09 09:00:00Z", 1), ("ben", "2024-01-10 00:00:00Z", 0))
    orders = order_log(
        ("ana", "2024-01-09 09:10:00Z", in_session(1)),
        ("ana", "2024-01-09 23:59:59Z", in_session(1)),
        ("ana", "2024-01-10 00:00:00Z", in_session(1)),
    )
    refunds = refund_log(("o1", "2024-01-09 23:59:59Z", 3), ("o1", "2024-01-10 00:00:00Z", 4))
    as_of = datetime(2024, 1, 10, tzinfo=UTC)
    [row] = rows_of(bridge_sums(orders, refunds, sessions, periods=[NOW], as_of=as_of))
    assert (row["sessions"], row["orders_in_sessions"], row["refunds"], row["net_revenue"]) == (1, 2, 3, 17)


def test_a_cancelled_order_is_none_and_its_refund_is_none(order_log, refund_log, session_log, rows_of):
    cancelled = {"status": "cancelled", "cancelled_at": "2024-01-12 00:00:00Z"}
    sessions = session_log(("ana", "2024-01-09 09:00:00Z", 1))
    orders = order_log(("ana", "2024-01-09 09:10:00Z", in_session(1, **cancelled)))
    refunds = refund_log(("o1", "2024-01-12 00:00:00Z", 10))
    columns = ("sessions", "sessions_with_order", "orders_in_sessions", "refunds", "net_revenue")
    assert rows_of(bridge_sums(orders, refunds, sessions, **BOTH), *columns) == [(1, 0, 0, 0, 0)]
    kept = bridge_sums(orders, refunds, sessions, periods=[NOW], as_of=datetime(2024, 1, 12, tzinfo=UTC))
    assert rows_of(kept, *columns) == [(1, 1, 1, 0, 10)]


def test_without_anything_there_is_no_row(order_log, refund_log, session_log, rows_of):
    assert rows_of(bridge_sums(order_log(), refund_log(), session_log(), **BOTH)) == []


@pytest.mark.parametrize(
    ("periods", "found"),
    [
        pytest.param([NOW, NOW], "These overlap: 2024-W02 and 2024-W02.", id="one twice"),
        pytest.param([], "There is none.", id="none"),
    ],
)
def test_periods_that_overlap_are_refused(periods, found):
    tables = [ibis.table(schema, name=name) for name, schema in UNBOUND.items()]
    with pytest.raises(UsageError) as caught:
        bridge_sums(*tables, periods=periods, as_of=AS_OF)
    assert str(caught.value) == f"A bridge stands on periods that share no day. {found} Give each day once."


# by law: the bars sum to the change of net revenue that `sales` gives


def test_the_residual_is_zero_on_the_fixture_for_every_week(shop):
    weeks = to_frame(sales(shop.orders, shop.refunds, zone=shop.zone, as_of=shop.week("last").end_at))
    mondays = [monday.date() for monday in weeks.week]
    periods = [Period(monday, date.fromordinal(monday.toordinal() + 7), shop.zone) for monday in mondays]
    sums = to_frame(
        bridge_sums(shop.orders, shop.refunds, shop.sessions, periods=periods, as_of=shop.week("last").end_at)
    )
    net = dict(zip(mondays, weeks.net_revenue, strict=True))
    assert len(mondays) > 100
    for before, now in zip(mondays, mondays[1:], strict=False):
        bars = revenue_bridge(sums, now=now, before=before)
        cents = [round(amount * 100) for amount in bars.amount]
        assert (cents[0], cents[-1]) == (round(net[before] * 100), round(net[now] * 100))
        assert sum(cents[:-1]) == cents[-1]


INSTANTS = st.datetimes(datetime(2023, 12, 30), datetime(2024, 1, 16), timezones=st.just(UTC))
PEOPLE = st.sampled_from(["ana", "ben", "cem", None])
MONEY = st.integers(0, 20_000).map(lambda cents: Decimal(cents) / 100)
VISITS = st.lists(st.tuples(PEOPLE, INSTANTS), max_size=8)
BOUGHT = st.lists(
    st.tuples(PEOPLE, INSTANTS, MONEY, st.integers(0, 8), st.sampled_from(["completed", "cancelled"])), max_size=8
)
BACK = st.lists(st.tuples(st.sampled_from(["o1", "o2", "o3", None]), INSTANTS, MONEY), max_size=4)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(visits=VISITS, bought=BOUGHT, back=BACK)
def test_the_residual_is_zero_on_random_tables(order_log, refund_log, session_log, visits, bought, back):
    orders = order_log(
        *((who, at, in_session(visit, revenue=money, status=status)) for who, at, money, visit, status in bought)
    )
    refunds, sessions = refund_log(*back), session_log(*((who, at, 0) for who, at in visits))
    weeks = to_frame(sales(orders, refunds, zone="UTC", as_of=AS_OF)).set_index("week").net_revenue.to_dict()
    net = {start.date(): money for start, money in weeks.items()}
    bars = revenue_bridge(to_frame(bridge_sums(orders, refunds, sessions, **BOTH)), now=NOW.start, before=BEFORE.start)
    cents = [round(amount * 100) for amount in bars.amount]
    assert cents[0] == round(net.get(BEFORE.start, 0) * 100)
    assert cents[-1] == round(net.get(NOW.start, 0) * 100)
    assert sum(cents[:-1]) == cents[-1]


# by segment


def test_an_order_goes_with_its_sessions_segment(order_log, session_log, rows_of):
    sessions = session_log(
        ("ana", "2024-01-08 09:00:00Z", 1, {"channel": "Email", "device_type": "mobile"}),
        ("ana", "2024-01-09 09:00:00Z", 0, {"channel": "Email"}),
        ("ben", "2024-01-09 09:00:00Z", 0, {"channel": None}),
    )
    orders = order_log(
        ("ana", "2024-01-08 09:10:00Z", in_session(1, device_type="desktop")), ("ben", "2024-01-09 09:10:00Z")
    )
    found = bridge_sums_by(orders, sessions, by="channel", **BOTH)
    assert sorted(rows_of(found, "channel", *IN_SESSIONS), key=str) == [("Email", 2, 1, 1, 10), (None, 1, 0, 0, 0)]
    found = bridge_sums_by(orders, sessions, by="device_type", **BOTH)
    assert sorted(rows_of(found, "device_type", *IN_SESSIONS), key=str) == [("mobile", 1, 1, 1, 10), (None, 2, 0, 0, 0)]


def test_segments_add_up_to_the_whole(shop):
    week = shop.week("last")
    told = {"periods": [week.extended_back(13)], "as_of": week.end_at}
    whole = to_frame(bridge_sums(shop.orders, shop.refunds, shop.sessions, **told)).iloc[0]
    sessions = with_customer_kind(shop.sessions, shop.orders, as_of=week.end_at)
    for by in ("channel", "device_type", "customer_kind"):
        parts = to_frame(bridge_sums_by(shop.orders, sessions, by=by, **told))
        assert len(parts) > 1
        for name in IN_SESSIONS:
            assert parts[name].sum() == pytest.approx(whole[name], abs=1e-6)


def test_a_segment_that_is_no_column_is_named():
    tables = [ibis.table(schema, name=name) for name, schema in UNBOUND.items() if name != "refunds"]
    with pytest.raises(UsageError) as caught:
        bridge_sums_by(*tables, by="country", **BOTH)
    assert str(caught.value).startswith("'by' names 'country', which the table lacks. It has 'session_id',")


@pytest.mark.parametrize(
    ("person", "started", "kind"),
    [
        pytest.param("ana", "2024-01-05 10:00:00Z", "new", id="at the instant of the first order"),
        pytest.param("ana", "2024-01-05 10:00:01Z", "returning", id="one second after it"),
        pytest.param("ana", "2024-01-05 09:59:59Z", "new", id="one second before it"),
        pytest.param("ben", "2024-01-09 10:00:00Z", "new", id="the only order was cancelled"),
        pytest.param("cem", "2024-01-09 10:00:00Z", "new", id="no order"),
        pytest.param(None, "2024-01-09 10:00:00Z", None, id="nobody knows whose it is"),
    ],
)
def test_who_ordered_before_the_session_is_returning(order_log, session_log, rows_of, person, started, kind):
    orders = order_log(
        ("ana", "2024-01-05 10:00:00Z"),
        ("ana", "2024-01-06 10:00:00Z"),
        ("ben", "2024-01-05 10:00:00Z", {"status": "cancelled"}),
        (None, "2024-01-05 10:00:00Z"),
    )
    sessions = with_customer_kind(session_log((person, started, 0)), orders, as_of=AS_OF)
    assert rows_of(sessions, "customer_kind") == [(kind,)]
    assert sessions.columns == (*SESSIONS.names, "customer_kind")


# by category


def line(order, number, category, quantity, revenue):
    names = ("order_id", "line_number", "category", "quantity", "line_revenue")
    return dict(zip(names, (order, number, category, quantity, revenue), strict=True))


def test_the_category_sums_by_hand(order_log, session_log, rows_of):
    sessions = session_log(("ana", "2024-01-08 09:00:00Z", 2), ("ben", "2024-01-09 09:00:00Z", 1))
    orders = order_log(
        ("ana", "2024-01-08 09:10:00Z", in_session(1, revenue=30)),
        ("ana", "2024-01-08 09:20:00Z", in_session(1, revenue=20)),
        ("ben", "2024-01-09 09:10:00Z", in_session(2, revenue=5)),
        ("dan", "2024-01-09 09:10:00Z", {"revenue": 99}),
    )
    lines = typed_table(
        ORDER_LINES,
        [
            line("o1", 1, "Tea", 2, 12),
            line("o1", 2, "Tea", 1, 8),
            line("o1", 3, None, 1, 10),
            line("o2", 1, "Tea", 4, 20),
            line("o3", 1, "Tea", 1, 5),
            line("o4", 1, "Tea", 9, 99),
        ],
    )
    found = rows_of(bridge_category_sums(orders, lines, sessions, **BOTH))
    tea, unnamed = sorted(found, key=lambda row: str(row["category"]), reverse=True)
    assert (tea["category"], tea["orders_in_sessions"], tea["units"], tea["line_revenue"]) == ("Tea", 3, 8, 45)
    assert (tea["units_clusters"], tea["units_squares"], tea["orders_in_sessions_squares"]) == (2, 49 + 1, 4 + 1)
    # Ana: 2 orders, 7 units of tea, 40; Ben: 1 order, 1 unit, 5.
    assert tea["orders_in_sessions_units_products"] == 2 * 7 + 1
    assert tea["orders_in_sessions_line_revenue_products"] == 2 * 40 + 5
    assert (tea["units_line_revenue_products"], tea["line_revenue_squares"]) == (7 * 40 + 5, 1600 + 25)
    assert (unnamed["category"], unnamed["orders_in_sessions"], unnamed["units"]) == (None, 3, 1)


# by shape

UNBOUND = {"orders": ORDERS, "refunds": REFUNDS, "sessions": SESSIONS}


def test_columns_are_the_documented_ones():
    orders, refunds, sessions = (ibis.table(schema, name=name) for name, schema in UNBOUND.items())
    products = (
        *("sessions_squares", "sessions_sessions_with_order_products", "sessions_orders_in_sessions_products"),
        *("sessions_revenue_in_sessions_products", "sessions_with_order_squares"),
        *("sessions_with_order_orders_in_sessions_products", "sessions_with_order_revenue_in_sessions_products"),
        *("orders_in_sessions_squares", "orders_in_sessions_revenue_in_sessions_products"),
        "revenue_in_sessions_squares",
    )
    people = ("sessions_clusters", "orders_in_sessions_clusters")
    before = tuple(f"{a}_{b}_before_products" for a in IN_SESSIONS for b in IN_SESSIONS)
    assert bridge_sums(orders, refunds, sessions, **BOTH).columns == (
        *("start_date", "start_date_before", "net_revenue", *IN_SESSIONS),
        *("orders_outside_sessions", "revenue_outside_sessions", "refunds", *people, *products),
        *("orders_outside_sessions_clusters", "orders_outside_sessions_squares"),
        *("revenue_outside_sessions_clusters", "revenue_outside_sessions_squares"),
        *("refunds_clusters", "refunds_squares", *before),
        *("revenue_outside_sessions_revenue_outside_sessions_before_products", "refunds_refunds_before_products"),
    )
    assert bridge_sums_by(orders, sessions, by="channel", **BOTH).columns == (
        *("start_date", "channel", "start_date_before", *IN_SESSIONS, *people, *products, *before),
    )
    lines = ibis.table(ORDER_LINES, name="order_lines")
    assert bridge_category_sums(orders, lines, sessions, **BOTH).columns == (
        *("start_date", "category", "orders_in_sessions", "units", "line_revenue", "units_clusters"),
        *("orders_in_sessions_units_products", "orders_in_sessions_line_revenue_products", "units_squares"),
        *("units_line_revenue_products", "line_revenue_squares", "orders_in_sessions_squares"),
    )
