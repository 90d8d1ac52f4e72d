"""Segment's warehouse tables, written by hand and by the simulator, on DuckDB and on a real PostgreSQL."""

import os
from datetime import UTC, datetime
from decimal import Decimal

import duckdb
import ibis
import pyarrow as pa
import pytest

from ecomkit.engines import to_sql
from ecomkit.errors import SourceError
from ecomkit.pipeline import tracking_plan
from ecomkit.segment_names import snake_case
from ecomkit.settings import Source
from ecomkit.shop import open_shop
from ecomkit.sources.calls import Reading, create_calls, create_items
from ecomkit.sources.segment_tables import call_queries, read_segment_tables

SERVER = os.environ.get("ECOMKIT_TEST_POSTGRES")
# Tests of several workers share one server.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw")
WEB, APP = f"ecomkit_test_web_{WORKER}", f"ecomkit_test_app_{WORKER}"
READING = Reading(
    tracking_plan.PROPERTIES,
    tracking_plan.ITEM_PROPERTIES,
    tracking_plan.MONEY_PROPERTIES,
    tracking_plan.ID_PROPERTIES,
    salt="test",
)
TEN = datetime(2026, 10, 1, 10, tzinfo=UTC)
ELEVEN = datetime(2026, 10, 1, 11, tzinfo=UTC)
ENGINES = [
    "duckdb",
    pytest.param("postgres", marks=pytest.mark.skipif(not SERVER, reason="ECOMKIT_TEST_POSTGRES names no server")),
]


class Warehouse:
    """A database to write tables into, and to read them from as a source."""

    def __init__(self, url, connect):
        self.url, self.connect, self.made = url, connect, set()

    def write(self, schema=WEB, **tables):
        con = self.connect()
        if schema not in self.made:
            con.create_database(schema)
        self.made.add(schema)
        for name, rows in tables.items():
            con.create_table(name, rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(rows), database=schema)
        con.disconnect()

    def run(self, sql):
        con = self.connect()
        con.raw_sql(sql).close()
        con.disconnect()

    def read(self, *schemas):
        source = Source("segment_tables", None, "shop", {}, self.url, schemas or (WEB,))
        con = duckdb.connect()
        con.execute("SET TimeZone = 'UTC'")
        create_calls(con, READING)
        read_segment_tables(con, [source], READING, tracking_plan.canonical_names())
        create_items(con, READING)
        self.items = con.sql("SELECT * FROM call_items ORDER BY ALL").to_arrow_table().to_pylist()
        return con.sql("SELECT * FROM calls ORDER BY row_id").to_arrow_table().to_pylist()

    def clean(self):
        for schema in self.made:
            self.run(f"drop schema {schema} cascade")


@pytest.fixture
def warehouse(request, tmp_path):
    engine = getattr(request, "param", "duckdb")
    if engine == "duckdb":
        path = tmp_path / "warehouse.duckdb"
        made = Warehouse(f"duckdb://{path}", lambda: ibis.duckdb.connect(str(path)))
    else:
        pytest.importorskip("psycopg", reason="psycopg is not installed: pip install -e '.[postgres]'")
        made = Warehouse(SERVER, lambda: ibis.connect(SERVER))
    yield made
    made.clean()


on_both = pytest.mark.parametrize("warehouse", ENGINES, indirect=True)


def told(calls, *names):
    return [tuple(call[name] for name in names) for call in calls]


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("Order Completed", "order_completed"),
        ("sampleText", "sample_text"),
        ("samPLE text", "sam_ple_text"),
        ("SAMPLE 2 TEXT", "sample_2_text"),
        ("CStringRef", "cstring_ref"),
        ("2FA Enabled", "2fa_enabled"),
        ("something.com", "something_com"),
        ("FOO:BAR$BAZ", "foo_bar_baz"),
        ("sample___text", "sample_text"),
        ("test5", "test5"),
        ("THE5r", "the5r"),
        ("f_pX9", "f_p_x9"),
        ("checkoutID", "checkout_id"),
        ("Café Viewed", "caf_viewed"),
        ("userIDs", "user_ids"),
        ("order_completed", "order_completed"),
    ],
)
def test_names_are_as_segment_makes_them(name, column):
    assert snake_case(name) == column


@on_both
def test_a_row_of_an_event_table_is_a_call_with_all_it_sent(warehouse):
    row = {
        "id": "m1",
        "anonymous_id": "d1",
        "user_id": "u1",
        "event": "product_viewed",
        "event_text": "Product Viewed",
        "timestamp": TEN,
        "original_timestamp": TEN,
        "sent_at": TEN,
        "received_at": ELEVEN,
        "context_library_name": "analytics.js",
        "context_library_version": "next-1.84.3",
        "context_user_agent": "Mozilla/5.0",
        "context_page_url": "https://shop.example/products/p1?x=1#top",
        "context_page_path": "/products/p1",
        "context_page_search": "?utm_term=tea&gclid=abc",
        "context_page_referrer": "https://google.example/?q=tea",
        "context_campaign_source": "google",
        "context_campaign_medium": "cpc",
        "context_campaign_campaign": "autumn",
        "context_campaign_content": "blue",
        "context_campaign_id": "c7",
        "context_traits_email": "ana@mail.example",
        "product_id": "p1",
        "category": "Tea",
        "price": 12.5,
        "position": 3,
        "currency": "EUR",
        "something_else": "passed over",
    }
    warehouse.write(product_viewed=[row])
    [call] = warehouse.read()
    expected = {
        "source": "shop",
        "source_file": f"{WEB}.product_viewed",
        "line_number": None,
        "problem": None,
        "call_type": "track",
        "event": "Product Viewed",
        "message_id": "m1",
        "anonymous_id": "d1",
        "user_id": "u1",
        "sent_timestamp": TEN,
        "original_timestamp": TEN,
        "sent_at": TEN,
        "received_at": ELEVEN,
        "library": "analytics.js",
        "library_version": "next-1.84.3",
        "user_agent": "Mozilla/5.0",
        "page_url": "https://shop.example/products/p1",
        "page_path": "/products/p1",
        "referrer": "https://google.example/",
        "utm_source": "google",
        "utm_medium": "cpc",
        "utm_campaign": "autumn",
        "utm_term": "tea",
        "utm_content": "blue",
        "campaign_id": "c7",
        "click_id": "gclid:abc",
        "product_id": "p1",
        "category": "Tea",
        "price": Decimal("12.5"),
        "position": "3",
        "currency": "EUR",
        "money_as_text": False,
    }
    assert {name: call[name] for name in expected} == expected
    assert len(call["email_hash"]) == 64


@on_both
def test_pages_screens_and_identifies_say_their_own_in_columns_without_prefix(warehouse):
    warehouse.write(
        pages=[{"id": "m1", "anonymous_id": "d1", "timestamp": TEN, "url": "https://shop.example/a", "path": "/a",
                "search": "?utm_source=mail", "referrer": "https://news.example/"}],
        screens=[{"id": "m2", "anonymous_id": "d2", "timestamp": TEN, "name": "Home"}],
        identifies=[{"id": "m3", "user_id": "u1", "timestamp": TEN, "email": "ana@mail.example", "created_at": ELEVEN}],
        groups=[{"id": "m4", "user_id": "u1", "timestamp": TEN, "group_id": "g1"}],
        aliases=[{"id": "m5", "user_id": "u1", "timestamp": TEN, "previous_id": "d1"}],
    )  # fmt: skip
    calls = {call["message_id"]: call for call in warehouse.read()}
    assert {name: call["call_type"] for name, call in calls.items()} == {
        "m1": "page", "m2": "screen", "m3": "identify", "m4": "group", "m5": "alias",
    }  # fmt: skip
    page, identify = calls["m1"], calls["m3"]
    assert told([page], "page_url", "page_path", "referrer", "utm_source") == [
        ("https://shop.example/a", "/a", "https://news.example/", "mail")
    ]
    assert identify["created_at"] == ELEVEN
    assert len(identify["email_hash"]) == 64
    assert all(call["email_hash"] is None for name, call in calls.items() if name != "m3")


@on_both
def test_missing_columns_are_null(warehouse):
    warehouse.write(order_completed=[{"id": "m1", "timestamp": TEN}])
    [call] = warehouse.read()
    given = {"source", "source_file", "row_id", "content_hash", "message_id", "call_type", "event", "sent_timestamp"}
    assert call["event"] == "Order Completed"
    flags = {name: value for name, value in call.items() if isinstance(value, bool)}
    assert not any(flags.values())
    assert {name for name, value in call.items() if value is not None} - flags.keys() == given


@on_both
def test_tracks_give_the_calls_of_events_without_a_table(warehouse):
    common = {"anonymous_id": "d1", "timestamp": TEN}
    warehouse.write(
        tracks=[
            common | {"id": "m1", "event": "order_completed", "event_text": "Order Completed"},
            common | {"id": "m2", "event": "quiz_taken", "event_text": "Quiz Taken"},
            common | {"id": "m3", "event": "cart_viewed", "event_text": None},
            common | {"id": "m4", "event": None, "event_text": None},
        ],
        order_completed=[common | {"id": "m1", "event_text": "Order Completed", "order_id": "o1"}],
        quiz_taken=[common | {"id": "m2", "event_text": "Quiz Taken", "points": 4}],
    )
    assert sorted(told(warehouse.read(), "message_id", "event", "order_id", "source_file")) == [
        ("m1", "Order Completed", "o1", f"{WEB}.order_completed"),
        ("m2", "Quiz Taken", None, f"{WEB}.tracks"),
        ("m3", "cart_viewed", None, f"{WEB}.tracks"),
        ("m4", None, None, f"{WEB}.tracks"),
    ]


def test_old_and_new_names_of_an_event_stand_side_by_side(warehouse):
    common = {"anonymous_id": "d1", "timestamp": TEN, "received_at": TEN}
    warehouse.write(
        completed_order=[common | {"id": "m1", "event_text": "Completed Order", "order_id": "o1"}],
        order_completed=[
            common | {"id": "m1", "event_text": "Order Completed", "order_id": "o1"},
            common | {"id": "m2", "event_text": "order completed", "order_id": "o2"},
        ],
        tracks=[
            common | {"id": "m1", "event": "completed_order", "event_text": "Completed Order"},
            common | {"id": "m2", "event": "order_completed", "event_text": "order completed"},
        ],
    )
    calls = warehouse.read()
    assert sorted(told(calls, "event", "order_id")) == [
        ("Completed Order", "o1"), ("Order Completed", "o1"), ("order completed", "o2"),
    ]  # fmt: skip
    assert len({call["row_id"] for call in calls}) == 3


@on_both
@pytest.mark.parametrize(
    ("values", "money", "as_text"),
    [
        pytest.param(pa.array([30, None], pa.int64()), [Decimal(30), None], [False, False], id="whole numbers"),
        pytest.param(pa.array([0.1, 1e6], pa.float64()), [Decimal("0.1"), Decimal(10**6)], [False, False], id="floats"),
        pytest.param(
            pa.array([Decimal("22.50"), None], pa.decimal128(18, 2)),
            [Decimal("22.5"), None],
            [False, False],
            id="decimals",
        ),
        pytest.param(pa.array([float("nan"), 1e300], pa.float64()), [None, None], [False, False], id="no numbers"),
        pytest.param(pa.array(["$8.50", None]), [Decimal("8.5"), None], [True, False], id="text"),
    ],
)
def test_money_is_read_from_columns_of_any_type(warehouse, values, money, as_text):
    warehouse.write(order_completed=pa.table({"id": ["m1", "m2"], "revenue": values}))
    calls = sorted(warehouse.read(), key=lambda call: call["message_id"])
    assert told(calls, "revenue", "money_as_text") == list(zip(money, as_text, strict=True))


@on_both
@pytest.mark.parametrize(
    ("values", "order_id"),
    [
        pytest.param(pa.array([1001], pa.int64()), "1001", id="whole number"),
        pytest.param(pa.array([1001.0], pa.float64()), "1001", id="a float that is whole"),
        pytest.param(pa.array([1001.5], pa.float64()), "1001.5", id="a float"),
        pytest.param(pa.array(["001"]), "001", id="text"),
    ],
)
def test_an_id_is_the_same_in_columns_of_any_type(warehouse, values, order_id):
    warehouse.write(order_completed=pa.table({"id": ["m1"], "order_id": values}))
    assert told(warehouse.read(), "order_id") == [(order_id,)]


@on_both
@pytest.mark.parametrize(
    "value",
    [
        pytest.param(pa.array([TEN], pa.timestamp("us", tz="UTC")), id="with a zone"),
        pytest.param(pa.array([TEN.replace(tzinfo=None)], pa.timestamp("us")), id="without one, which is UTC"),
        pytest.param(pa.array(["2026-10-01T12:00:00+02:00"]), id="text with an offset"),
    ],
)
def test_instants_are_read_from_columns_of_any_type(warehouse, value):
    warehouse.write(pages=pa.table({"id": ["m1"], "timestamp": value}))
    [call] = warehouse.read()
    assert call["sent_timestamp"] == TEN


def test_products_lie_in_a_column_of_json_text(warehouse):
    sent = '[{"productId": "p1", "price": "3.50", "quantity": 2}, {"product_id": "p2", "price": 4}]'
    warehouse.write(
        order_completed=[{"id": "m1", "products": sent}, {"id": "m2", "products": "[507f1, 505bd]"}, {"id": "m3"}]
    )
    calls = warehouse.read()
    assert len(calls) == 3
    assert told(warehouse.items, "product_id", "price", "quantity", "line_number") == [
        ("p1", Decimal("3.5"), "2", 1),
        ("p2", Decimal(4), None, 2),
    ]


def test_a_view_of_sixty_days_is_read_only_where_there_is_no_table(warehouse):
    warehouse.write(
        pages=[{"id": "m1"}, {"id": "m2"}],
        pages_view=[{"id": "m2"}],
        order_completed_view=[{"id": "m3", "order_id": "o1"}],
    )
    assert sorted(told(warehouse.read(), "message_id", "source_file")) == [
        ("m1", f"{WEB}.pages"),
        ("m2", f"{WEB}.pages"),
        ("m3", f"{WEB}.order_completed_view"),
    ]


def test_what_a_raw_table_repeats_is_read_each_time(warehouse):
    warehouse.write(pages=[{"id": "m1", "loaded_at": TEN}, {"id": "m1", "loaded_at": ELEVEN}])
    assert told(warehouse.read(), "message_id") == [("m1",), ("m1",)]


@on_both
def test_a_user_without_an_identify_call_is_one_by_the_newest_row(warehouse):
    warehouse.write(
        identifies=[{"id": "m1", "user_id": "u1", "timestamp": TEN}, {"id": "m2", "user_id": None, "timestamp": TEN}],
        users=[
            {"id": "u1", "received_at": TEN, "loaded_at": TEN, "email": "a@mail.example", "created_at": TEN},
            {"id": "u2", "received_at": TEN, "loaded_at": TEN, "email": "b@mail.example", "created_at": None},
            {"id": "u2", "received_at": ELEVEN, "loaded_at": ELEVEN, "email": "b@mail.example", "created_at": TEN},
            {"id": None, "received_at": TEN, "loaded_at": TEN, "email": None, "created_at": None},
        ],
    )
    calls = [call for call in warehouse.read() if call["source_file"] == f"{WEB}.users"]
    names = ("message_id", "call_type", "user_id", "anonymous_id", "sent_timestamp", "received_at", "created_at")
    assert told(calls, *names) == [("users-u2", "identify", "u2", None, ELEVEN, ELEVEN, TEN)]
    assert calls[0]["email_hash"] is not None


@on_both
def test_several_schemas_are_several_sources(warehouse):
    warehouse.write(WEB, pages=[{"id": "m1"}], completed_order=[{"id": "m2"}])
    warehouse.write(APP, screens=[{"id": "m3"}], order_completed=[{"id": "m4"}])
    calls = warehouse.read(WEB, APP)
    assert sorted(told(calls, "message_id", "source", "source_file")) == [
        ("m1", f"shop/{WEB}", f"{WEB}.pages"),
        ("m2", f"shop/{WEB}", f"{WEB}.completed_order"),
        ("m3", f"shop/{APP}", f"{APP}.screens"),
        ("m4", f"shop/{APP}", f"{APP}.order_completed"),
    ]
    assert len({call["row_id"] for call in calls}) == 4
    assert min(call["row_id"] for call in calls) > 1 << 60


def test_names_in_capitals_are_the_same_names(warehouse):
    warehouse.write(ORDER_COMPLETED=[{"ID": "m1", "ORDER_ID": "o1", "TIMESTAMP": TEN}])
    assert told(warehouse.read(), "message_id", "order_id", "sent_timestamp") == [("m1", "o1", TEN)]


def test_a_schema_without_calls_says_what_it_holds(warehouse):
    warehouse.write(WEB, invoices=[{"id": "i1"}], users=[{"id": "u1"}])
    with pytest.raises(SourceError) as caught:
        warehouse.read()
    assert str(caught.value) == (
        f"The schema '{WEB}' (source 'shop') holds no calls: neither pages, screens, identifies nor tracks, "
        "nor the table of an event. It has 'invoices', 'users'. Name the schema of a Segment source in shop.toml."
    )


@on_both
def test_a_table_that_cannot_be_read_is_named_with_the_engines_own_words(warehouse):
    warehouse.write(pages=[{"id": "m1", "n": 0}])
    warehouse.run(
        f"create view {WEB}.order_completed as select id, cast('x' || id as integer) as order_id from {WEB}.pages"
    )
    with pytest.raises(SourceError) as caught:
        warehouse.read()
    text = str(caught.value)
    assert text.startswith(f"The table '{WEB}.order_completed' (source 'shop') cannot be read: ")
    assert "xm1" in text
    assert text.endswith(". Check that you may read it, and run again.")


COLUMNS = {
    "id": "string", "anonymous_id": "string", "user_id": "string", "event": "string", "event_text": "string",
    "timestamp": "timestamp('UTC')", "received_at": "timestamp('UTC')", "loaded_at": "timestamp('UTC')",
    "context_page_url": "string", "revenue": "float64", "total": "string", "quantity": "int64", "products": "string",
    "email": "string", "created_at": "timestamp('UTC')", "url": "string",
}  # fmt: skip


@pytest.mark.parametrize("engine", ["duckdb", "postgres", "bigquery", "snowflake", "spark"])
def test_every_query_compiles(engine):
    names = ["pages", "screens", "identifies", "aliases", "groups", "tracks", "users", "order_completed"]
    tables = {name: ibis.table(COLUMNS, name=name) for name in names}
    queries = call_queries(tables, READING, tracking_plan.canonical_names())
    assert sorted(queries) == sorted(names)
    for name, query in queries.items():
        assert set(query.schema().types) == {ibis.dtype("string")}, name
        assert name in to_sql(query, engine)


@on_both
def test_a_call_of_tracks_that_its_event_table_lacks_is_read_from_tracks(warehouse):
    row = {"anonymous_id": "d1", "timestamp": TEN, "event": "order_completed", "event_text": "Order Completed"}
    warehouse.write(
        tracks=[row | {"id": "m0"}, row | {"id": "m1"}], order_completed=[row | {"id": "m1", "order_id": "o1"}]
    )
    told_by = {call["message_id"]: call["source_file"] for call in warehouse.read()}
    assert told_by == {"m0": f"{WEB}.tracks", "m1": f"{WEB}.order_completed"}


@on_both
def test_users_whose_ids_are_numbers_are_read(warehouse):
    warehouse.write(
        users=[{"id": 7, "received_at": TEN}, {"id": 8, "received_at": TEN}],
        identifies=[{"id": "m1", "user_id": "8", "timestamp": TEN}],
    )
    assert {call["message_id"]: call["user_id"] for call in warehouse.read()} == {"users-7": "7", "m1": "8"}


@pytest.mark.parametrize("order", [1, -1])
def test_of_a_users_versions_that_arrived_together_the_same_counts_in_any_order(warehouse, order):
    rows = [{"id": "u1", "received_at": TEN, "created_at": created} for created in (TEN, ELEVEN, None)]
    warehouse.write(pages=[{"id": "m1"}], users=rows[::order])
    assert [call["created_at"] for call in warehouse.read() if call["user_id"]] == [ELEVEN]


def test_the_money_rule_of_a_source_holds_for_each_of_its_schemas(warehouse, make_shop):
    order = {"anonymous_id": "d1", "event_text": "Order Completed", "timestamp": TEN, "revenue": 30.0, "discount": 5.0}
    warehouse.write(WEB, order_completed=[order | {"id": "m1", "order_id": "o1"}])
    warehouse.write(APP, order_completed=[order | {"id": "m2", "order_id": "o2"}])
    toml = (
        '[shop]\nname = "Test shop"\ntime_zone = "UTC"\ncurrency = "EUR"\n[[source]]\nkind = "segment_tables"\n'
        f'url = "../warehouse.duckdb"\nschema = ["{WEB}", "{APP}"]\nmoney_rule = "before_discount"\n'
    )
    orders = open_shop(make_shop(toml=toml)).orders.order_by("order_id").to_pyarrow().to_pylist()
    assert told(orders, "order_id", "revenue") == [("o1", Decimal(25)), ("o2", Decimal(25))]
