"""The simulator's warehouse tables have the shape that Segment gives them."""

import gzip
import json
from datetime import UTC, datetime

import ibis
import pytest

from ecomkit.simulate.warehouse import write_warehouse
from tests.calls import identify, page, track


@pytest.fixture
def written(tmp_path):
    """Return a function that writes calls into an empty DuckDB and gives its tables."""

    def write(*calls, duplicates=False):
        (tmp_path / "segment").mkdir()
        lines = "\n".join(call if isinstance(call, str) else json.dumps(call) for call in calls)
        (tmp_path / "segment" / "2026-10.ndjson.gz").write_bytes(gzip.compress(lines.encode()))
        con = ibis.duckdb.connect()
        names = write_warehouse(tmp_path, con, "web", duplicates=duplicates)
        return {
            name: con.table(name, database="web") for name in (con.list_tables(database="web") if duplicates else names)
        }

    return write


def rows(table, *names):
    return table.select(*names).to_pyarrow().to_pylist()


def test_a_track_call_is_a_row_of_tracks_and_of_its_events_table(written):
    call = track(
        "Order Completed", orderId="o1", revenue=12.5, products=[{"productId": "p1"}], shipping={"zone": "a b"}
    )
    tables = written(call)
    assert sorted(tables) == ["order_completed", "tracks"]
    assert rows(
        tables["order_completed"], "id", "event", "event_text", "order_id", "revenue", "products", "shipping_zone"
    ) == [
        {
            "id": call["messageId"],
            "event": "order_completed",
            "event_text": "Order Completed",
            "order_id": "o1",
            "revenue": 12.5,
            "products": '[{"productId": "p1"}]',
            "shipping_zone": "a b",
        }
    ]
    common = {"context_library_name", "context_user_agent", "timestamp", "received_at", "uuid_ts", "anonymous_id"}
    assert common <= set(tables["tracks"].columns)
    assert not {"revenue", "order_id", "user_id", "type"} & set(tables["tracks"].columns)


def test_the_first_value_gives_a_column_its_type(written):
    tables = written(
        track("Quiz Taken", points=30, share=0.5, code="7", done=True, at_="2026-10-01T10:00:00Z"),
        track("Quiz Taken", points=27.5, share="half", code=8, done="yes", at_="later"),
        track("Quiz Taken", points="x", share=2, code=True, done=False, at_=None),
    )
    at = datetime(2026, 10, 1, 10, tzinfo=UTC)
    assert rows(tables["quiz_taken"], "points", "share", "code", "done", "at") == [
        {"points": 30, "share": 0.5, "code": "7", "done": True, "at": at},
        {"points": 27, "share": None, "code": "8", "done": None, "at": None},
        {"points": None, "share": 2.0, "code": "true", "done": False, "at": None},
    ]


def test_a_property_named_like_a_column_of_segment_is_not_loaded(written):
    call = track("Viewed Product", id="p1", sentAt="x", name="Tea")
    [row] = rows(written(call)["viewed_product"], "id", "event", "name")
    assert row == {"id": call["messageId"], "event": "viewed_product", "name": "Tea"}


def test_users_hold_what_is_known_last_and_identifies_what_was_said(written):
    tables = written(identify("u1", email="a@mail.example", plan="free"), identify("u1", email="b@mail.example"))
    assert rows(tables["users"], "id", "email", "plan") == [{"id": "u1", "email": "b@mail.example", "plan": "free"}]
    assert rows(tables["identifies"], "user_id", "plan") == [
        {"user_id": "u1", "plan": "free"},
        {"user_id": "u1", "plan": None},
    ]
    assert "anonymous_id" not in tables["users"].columns


def test_what_is_no_call_never_arrives_and_a_message_id_arrives_once(written):
    call = page()
    nameless = track("x") | {"event": None}
    nobody = page(None)
    undated = page() | {"timestamp": "yesterday"}
    tables = written(call, call, '{"type": "page"', "[]", nameless, nobody, undated, page() | {"type": "dance"})
    assert {name: table.count().to_pyarrow().as_py() for name, table in tables.items()} == {"pages": 1}


def test_as_into_bigquery_rows_repeat_and_views_hold_sixty_days_of_loads_once(written):
    old, edge, new = page(at="2026-07-01T10:00:00Z"), page(at="2026-08-02T10:00:00Z"), page(at="2026-10-01T10:00:00Z")
    tables = written(old, edge, new, new, duplicates=True)
    assert sorted(tables) == ["pages", "pages_view"]
    # Every seventh call is loaded twice, the first among them.
    assert sorted(row["id"] for row in rows(tables["pages"], "id")) == sorted(
        call["messageId"] for call in (old, old, edge, new, new)
    )
    shown = {row["id"] for row in rows(tables["pages_view"], "id")}
    assert shown == {edge["messageId"], new["messageId"]}
    assert tables["pages_view"].count().to_pyarrow().as_py() == 2
