"""A part of a shop: what filters keep of each table, and what they refuse."""

import ibis
import pytest
from ibis import _

from ecomkit.errors import UsageError
from ecomkit.filters import Filters, check_values, read_filters
from ecomkit.metrics.sales import aov, sales
from ecomkit.metrics.visits import visit_to_order_rate
from ecomkit.narrowing import Part
from ecomkit.schemas import CANONICAL
from ecomkit.settings import Settings
from ecomkit.shop import open_shop
from tests.metrics.conftest import typed_table

SETTINGS = Settings(
    folder=None, name="Typed", time_zone="UTC", currency="EUR", sources=(), b2b_order_units=10, b2b_customers=("firm",)
)
AT = "2026-10-01 10:00:00Z"


def rows(*cases, **shared):
    return [{**shared, **case} for case in cases]


@pytest.fixture(scope="module")
def tables():
    """Ana bought by email, later directly; the firm is named as business, Bo bought in bulk; a guest is unknown."""
    typed = {
        "orders": rows(
            {"order_id": "o1", "customer_id": "user:ana", "session_id": "s1", "order_number": 1, "country": "DE"},
            {"order_id": "o2", "customer_id": "user:ana", "session_id": "s2", "order_number": 2, "country": "FR"},
            {"order_id": "o3", "customer_id": "user:firm", "session_id": "s3", "order_number": 1, "country": "DE"},
            {"order_id": "o4", "customer_id": "user:bo", "session_id": None, "order_number": 1, "country": "DE"},
            {"order_id": "o5", "customer_id": "user:bo", "session_id": None, "order_number": 2, "country": "DE"},
            {"order_id": "o6", "customer_id": None, "session_id": None, "order_number": None, "country": None},
            status="completed",
            ordered_at="2026-10-01 10:05:00Z",
            device_type="mobile",
            revenue=10,
        ),
        "order_lines": rows(
            {"order_id": "o1", "category": "Teas", "quantity": 1},
            {"order_id": "o1", "category": "Pots", "quantity": 1},
            {"order_id": "o2", "category": "Pots", "quantity": 9},
            {"order_id": "o3", "category": "Teas", "quantity": 1},
            {"order_id": "o4", "category": "Teas", "quantity": 6},
            {"order_id": "o4", "category": "Pots", "quantity": 4},
            {"order_id": "o5", "category": "Pots", "quantity": 1},
            {"order_id": "o6", "category": "Pots", "quantity": 1},
        ),
        "refunds": rows({"refund_id": "r1", "order_id": "o1"}, {"refund_id": "r2", "order_id": None}),
        "refund_lines": rows({"refund_id": "r1", "product_id": "p"}, {"refund_id": "r2", "product_id": "p"}),
        "sessions": rows(
            {"session_id": "s1", "person_id": "user:ana", "channel": "Email", "device_type": "mobile"},
            {"session_id": "s2", "person_id": "user:ana", "channel": "Direct", "device_type": "desktop"},
            {"session_id": "s3", "person_id": "user:firm", "channel": "Direct", "device_type": "desktop"},
            {"session_id": "s4", "person_id": None, "channel": "Direct", "device_type": "mobile"},
            started_at=AT,
        ),
        "events": rows(
            {"message_id": "m1", "session_id": "s1", "person_id": "user:ana"},
            {"message_id": "m2", "session_id": "s3", "person_id": "user:firm"},
            {"message_id": "m3", "session_id": None, "person_id": "user:ana", "order_id": "o1"},
            {"message_id": "m4", "session_id": None, "person_id": "user:bo", "order_id": "o4"},
            {"message_id": "m5", "session_id": "s4", "person_id": None},
            occurred_at=AT,
        ),
        "product_events": rows(
            {"session_id": "s1", "person_id": "user:ana", "product_id": "p1", "category": "Teas"},
            {"session_id": "s2", "person_id": "user:ana", "product_id": "p2", "category": "Pots"},
        ),
        "ad_spend": rows(
            {"channel": "Email", "spend": 5}, {"channel": "Direct", "spend": 1}, {"channel": "Display", "spend": 2}
        ),
        "people": rows({"person_id": "user:ana"}, {"person_id": "user:firm"}, {"person_id": "user:bo"}),
    }
    made = {name: typed_table(schema, typed.get(name, [])) for name, (schema, _step) in CANONICAL.items()}
    return made.__getitem__


def kept(tables, name, column, **asked):
    select = asked.pop("select", "orders")
    part = Part(read_filters(asked, select), tables, SETTINGS)
    return sorted(str(value) for value in part.table(name).to_pyarrow()[column].to_pylist())


@pytest.mark.parametrize(
    ("asked", "orders"),
    [
        pytest.param({}, "o1 o2 o3 o4 o5 o6", id="no filter"),
        pytest.param({"channel": "Email"}, "o1", id="the channel of the order's session"),
        pytest.param({"channel": ["Email", "Direct"]}, "o1 o2 o3", id="any of several, none without a session"),
        pytest.param({"category": "Teas"}, "o1 o3 o4", id="orders with a line of the category"),
        pytest.param({"country": "FR"}, "o2", id="country"),
        pytest.param({"country": "DE", "category": "Pots"}, "o1 o4 o5", id="both at once"),
        pytest.param({"device": "desktop"}, "o2 o3", id="the device of its session"),
        pytest.param({"device": "mobile"}, "o1 o4 o5 o6", id="or without one its own"),
        pytest.param({"b2b": False}, "o1 o2 o6", id="neither the firm named nor anything of who bought in bulk"),
        pytest.param({"b2b": True}, "o3 o4 o5", id="business customers alone"),
        pytest.param({"channel": "Email", "select": "customers"}, "o1 o2", id="customers credited to the channel"),
        pytest.param({"category": "Teas", "select": "customers"}, "o1 o2 o3 o4 o5", id="customers by first order"),
        pytest.param({"country": "FR", "select": "customers"}, "", id="a later order decides nothing"),
        pytest.param({"b2b": False, "select": "customers"}, "o1 o2 o6", id="guests are no business"),
    ],
)
def test_which_orders_are_kept(tables, asked, orders):
    assert kept(tables, "orders", "order_id", **asked) == orders.split()


@pytest.mark.parametrize(
    ("table", "column", "asked", "values"),
    [
        pytest.param("order_lines", "order_id", {"category": "Teas"}, "o1 o3 o4", id="lines of the category alone"),
        pytest.param(
            "order_lines",
            "category",
            {"country": "FR", "select": "customers"},
            "",
            id="no customer",
        ),
        pytest.param(
            "order_lines",
            "category",
            {"channel": "Email", "select": "customers"},
            "Pots Pots Teas",
            id="all theirs",
        ),
        pytest.param("refunds", "refund_id", {"channel": "Email"}, "r1", id="refunds of kept orders"),
        pytest.param("refund_lines", "refund_id", {"channel": "Email"}, "r1", id="lines of kept refunds"),
        pytest.param("sessions", "session_id", {"channel": "Direct"}, "s2 s3 s4", id="sessions of the channel"),
        pytest.param("sessions", "session_id", {"channel": "Direct", "device": "mobile"}, "s4", id="and device"),
        pytest.param("sessions", "session_id", {"b2b": False}, "s1 s2 s4", id="sessions of nobody's business"),
        pytest.param("sessions", "session_id", {"country": "DE"}, "", id="a session has no country"),
        pytest.param(
            "sessions", "session_id", {"country": "DE", "select": "customers"}, "s1 s2 s3", id="its customer has one"
        ),
        pytest.param("events", "message_id", {"channel": "Email"}, "m1 m3", id="calls by session or order"),
        pytest.param("events", "message_id", {"b2b": False}, "m1 m3 m5", id="calls of nobody's business"),
        pytest.param("events", "message_id", {"category": "Teas"}, "", id="a call has no category"),
        pytest.param("product_events", "product_id", {"category": "Teas", "channel": "Email"}, "p1", id="products"),
        pytest.param("ad_spend", "channel", {"channel": "Email"}, "Email", id="spend of the channel"),
        pytest.param("ad_spend", "channel", {"device": "mobile"}, "", id="spend has no device"),
        pytest.param("ad_spend", "channel", {"country": "DE", "select": "customers"}, "", id="nor a country"),
        pytest.param("ad_spend", "channel", {"b2b": False}, "", id="nor a kind of customer"),
        pytest.param("people", "person_id", {"b2b": False}, "user:ana", id="people"),
    ],
)
def test_which_rows_of_other_tables_are_kept(tables, table, column, asked, values):
    assert kept(tables, table, column, **asked) == values.split()


def test_business_is_who_is_named_before_ordering_and_the_visit_of_a_guest_who_orders_in_bulk(tables):
    """Else the rate of visits would count an order that no table of the part has."""
    typed = {
        "orders": rows({"order_id": "o1", "customer_id": None, "session_id": "guest"}, status="completed"),
        "order_lines": rows({"order_id": "o1", "quantity": 10}),
        "sessions": rows(
            {"session_id": "guest", "person_id": None, "orders": 1},
            {"session_id": "firm", "person_id": "user:firm", "orders": 0},
            {"session_id": "ana", "person_id": "user:ana", "orders": 0},
        ),
    }
    made = {name: typed_table(CANONICAL[name][0], typed[name]) for name in typed}
    assert kept(made.__getitem__, "sessions", "session_id", b2b=False) == ["ana"]
    assert kept(made.__getitem__, "sessions", "session_id", b2b=True) == ["firm", "guest"]


@pytest.mark.parametrize("value", [0, 1])
def test_a_number_does_not_say_whether_business_customers_count(value):
    """0 equals False, and the tables would leave out whom the caption says they hold."""
    with pytest.raises(UsageError, match=f"^'b2b' is {value}, not True or False."):
        read_filters({"b2b": value})


def test_parts_add_up_to_the_whole(shop):
    """Every session has one channel; an order's channel is its session's, or nobody knows it."""
    channels = [value for value in shop.sessions.channel.to_pyarrow().unique().to_pylist() if value]
    parts = [open_shop("shop", filters={"channel": channel}) for channel in channels]
    for name in ("sessions", "product_events"):
        found = [getattr(part, name).filter(_.session_id.notnull()).count().to_pyarrow().as_py() for part in parts]
        whole = getattr(shop, name).filter(_.session_id.notnull()).count().to_pyarrow().as_py()
        assert sum(found) == whole > 1_000
    revenues = [part.orders.revenue.sum().to_pyarrow().as_py() for part in parts]
    loose = shop.orders.filter(_.session_id.isnull()).revenue.sum().to_pyarrow().as_py() or 0
    assert sum(revenues) + loose == shop.orders.revenue.sum().to_pyarrow().as_py()


@pytest.mark.parametrize(
    "filters",
    [{"device": "mobile", "b2b": False}, {"channel": ["Email", "Direct"], "device": "mobile"}, {"b2b": False}],
)
def test_visits_that_ended_in_an_order_hold_an_order_of_the_part(filters):
    part = open_shop("shop", filters=filters)
    placed = part.orders.filter(_.status != "cancelled", _.session_id.notnull())
    told = part.sessions.orders.sum().to_pyarrow().as_py()
    assert placed.semi_join(part.sessions, "session_id").count().to_pyarrow().as_py() == told > 100


def test_metrics_of_a_part_are_those_of_the_rows_picked_by_hand(shop):
    part = open_shop("shop", filters={"channel": "Email"})
    [rate] = visit_to_order_rate(part.sessions).to_pyarrow().to_pylist()
    by_channel = visit_to_order_rate(shop.sessions, by="channel").to_pyarrow().to_pylist()
    [email] = [row for row in by_channel if row.pop("channel") == "Email"]
    assert rate == email
    sold = sales(part.orders, part.refunds, zone=shop.zone, as_of=shop.week("last").end_at).to_pyarrow().to_pylist()
    by_hand = shop.con.sql(
        "select count(*) n, sum(o.revenue) revenue from orders o join sessions s using (session_id) "
        "where s.channel = 'Email' and o.status <> 'cancelled'"
    )
    assert [(sum(row["orders"] for row in sold), sum(row["revenue"] for row in sold))] == [
        tuple(row.values()) for row in by_hand.to_pyarrow().to_pylist()
    ]
    assert aov(part.orders).orders.sum().to_pyarrow().as_py() == sum(row["orders"] for row in sold)


def test_the_whole_shop_stays_at_hand(shop):
    part = open_shop("shop", filters={"device": "mobile"})
    count = ibis.expr.types.Table.count
    assert count(part.orders).to_pyarrow().as_py() < count(part.whole.orders).to_pyarrow().as_py()
    assert (part.first_day, part.data_end) == (shop.first_day, shop.data_end)


@pytest.mark.parametrize(
    ("filters", "text"),
    [
        pytest.param(Filters(), "No filter.", id="none"),
        pytest.param(Filters(channel=("Email", "Direct")), "Only channel Email or Direct.", id="several"),
        pytest.param(
            Filters(channel=("Email",), country=("DE",), b2b=False),
            "Only channel Email and country DE, without business customers.",
            id="two and no business",
        ),
        pytest.param(Filters(b2b=True), "Business customers alone.", id="business"),
        pytest.param(
            Filters(category=("Teas",), select="customers"),
            "Only customers whose first order has category Teas.",
            id="customers",
        ),
        pytest.param(
            Filters(category=("Teas",)), "Only category Teas (an order counts with all it holds).", id="whole orders"
        ),
    ],
)
def test_filters_say_themselves(filters, text):
    assert str(filters) == text


def test_every_wrong_filter_is_named():
    with pytest.raises(UsageError) as error:
        read_filters({"devices": "mobile", "channel": 3, "b2b": "no"})
    assert str(error.value) == (
        "'devices' is no filter. Did you mean 'device'? 'channel' is 3, not a text or a list of texts. 'b2b' is 'no', "
        "not True or False. The filters are 'channel', 'category', 'country', 'device', 'b2b', as in "
        "{'channel': 'Email'}."
    )


def test_values_that_no_row_has_are_named_with_those_that_there_are(tables):
    with pytest.raises(UsageError) as error:
        check_values(read_filters({"channel": "Emial", "country": ["DE", "XX"]}), tables, SETTINGS)
    assert str(error.value) == (
        "There is no channel 'Emial' in this shop. Did you mean 'Email'? It has 'Direct', 'Email'. "
        "There is no country 'XX' in this shop. It has 'DE', 'FR'."
    )


def test_business_customers_need_a_definition(tables):
    nobody = Settings(folder=None, name="x", time_zone="UTC", currency="EUR", sources=())
    with pytest.raises(UsageError) as error:
        check_values(Filters(b2b=False), tables, nobody)
    assert str(error.value) == (
        "This shop does not say who its business customers are. "
        "Give 'order_units' or 'customers' in [b2b] of shop.toml."
    )
