"""Calls per day and event, and which properties they filled: by hand, and against a plain count of the lines."""

import gzip
import json
from collections import Counter
from contextlib import suppress
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import ibis
import pytest
from ibis import _

from ecomkit.engines import to_sql
from ecomkit.pipeline import daily_counts
from ecomkit.schemas import CALL_DAYS, PROPERTY_DAYS
from ecomkit.shop import ROOT, open_shop
from tests.calls import page, server, track
from tests.conftest import TOML
from tests.tables import rows

NEW_YORK = TOML.replace('"UTC"', '"America/New_York"')
BOT = {"library": {"name": "analytics.js", "version": "2"}, "userAgent": "Googlebot/2.1", "page": {}}
FIRST, SECOND = date(2026, 10, 1), date(2026, 10, 2)
CAMPAIGN = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "campaign_id", "click_id")


def filled(shop, *, event):
    """Property -> (calls, filled) of an event, over all days."""
    found = shop.property_days.filter(_.event_name == event)
    found = found.group_by("property").agg(calls=_.calls.sum(), filled=_.filled.sum())
    return {row["property"]: (row["calls"], row["filled"]) for row in rows(found)}


def test_calls_count_on_the_local_day_whatever_became_of_them(make_shop):
    twice = page("d1", "2026-10-02T03:59:59Z")
    calls = [
        twice,
        twice,
        page("d1", "2026-10-02T04:00:00Z"),
        page("d2", "2026-10-01T12:00:00Z") | {"context": BOT},
        server("Order Completed", "2026-10-01T12:00:00Z", user="u1"),
        page("d1", "not a time") | {"receivedAt": None, "sentAt": None},
    ]
    shop = open_shop(make_shop(*calls, toml=NEW_YORK))
    names = ("day", "event_name", "side", "library", "library_version", "outcome", "reason", "calls")
    found = [tuple(row[name] for name in names) for row in rows(shop.call_days)]
    assert sorted(found, key=str) == sorted(
        [
            # A second before midnight in New York, and midnight itself.
            (FIRST, "page", "client", "analytics.js", None, "kept", None, 1),
            (FIRST, "page", "client", "analytics.js", None, "duplicate", "message id seen before", 1),
            (SECOND, "page", "client", "analytics.js", None, "kept", None, 1),
            (FIRST, "page", "client", "analytics.js", "2", "excluded", "bot", 1),
            (FIRST, "Order Completed", "server", "analytics-python", "2.4.0", "quarantined",
             "order call without an order id", 1),
        ],
        key=str,
    )  # fmt: skip
    [step] = rows(shop.build_log.filter(_.step == "calls per day"))
    assert (step["rows_in"], step["rows_out"]) == (5, 5)


def test_a_call_that_waited_for_more_than_a_day_is_late(make_shop):
    received = ("2026-10-02T10:00:00Z", "2026-10-02T10:00:01Z", None)
    calls = [
        track(f"Event {number}", at="2026-10-01T10:00:00Z") | {"receivedAt": arrival}
        for number, arrival in enumerate(received)
    ]
    shop = open_shop(make_shop(*calls))
    # A day later is in time, one second more is late, an arrival unknown is not.
    found = rows(shop.call_days.order_by("event_name"))
    assert [(row["calls"], row["late"]) for row in found] == [(1, 0), (1, 1), (1, 0)]


def test_properties_are_counted_as_they_were_sent(make_shop):
    calls = [
        track("Product Added", product_id="p1", price=5),
        track("Product Added", product_id="p1", price=None, quantity=2),
        track("Product Added", product_id="p1", price="on request"),
        # The spec's first version says `id`.
        track("Added Product", id="p1", price="5.00"),
        track("Checkout Started", value=7, products=[{"product_id": "p1", "price": 7}, {"product_id": "p2"}]),
    ]
    shop = open_shop(make_shop(*calls))
    assert filled(shop, event="Product Added") == {"price": (4, 2), "product_id": (4, 4), "quantity": (4, 1)}
    # `total` is not what `value` says in its place; items have counts of their own.
    assert filled(shop, event="Checkout Started") == {
        "value": (1, 1),
        "products": (1, 1),
        "products.price": (2, 1),
        "products.product_id": (2, 2),
    }


def test_a_property_has_a_row_on_each_day_of_its_event_once_it_was_ever_filled(make_shop):
    calls = [
        page(at="2026-10-01T10:00:00Z", search="?utm_source=news"),
        page(at="2026-10-02T10:00:00Z"),
        page("d2", at="2026-10-02T10:00:00Z") | {"context": BOT},
    ]
    shop = open_shop(make_shop(*calls))
    assert sorted(tuple(row.values()) for row in rows(shop.property_days)) == [
        (FIRST, "page", "utm_source", 1, 1),
        (SECOND, "page", "utm_source", 1, 0),
    ]


def test_a_shop_without_calls_has_empty_counts(make_shop):
    toml = TOML.replace("segment_files", "order_files").replace("calls.ndjson", "orders.csv")
    files = {"orders.csv": "order_id,ordered_at,customer_id,product_id,quantity,unit_price\no1,2026-10-01,c1,p1,1,5\n"}
    shop = open_shop(make_shop(toml=toml, files=files))
    assert (rows(shop.call_days), rows(shop.property_days)) == ([], [])


@pytest.mark.parametrize("engine", ["duckdb", "postgres", "bigquery", "spark", "snowflake"])
def test_the_counts_compile_for_every_engine(engine):
    call = {"row_id": "int64", "occurred_at": "timestamp('UTC')", "event_name": "string"}
    kept = ibis.table(call | dict.fromkeys(daily_counts.CALL_PROPERTIES.values(), "string"), name="kept")
    items = ibis.table({"row_id": "int64"} | dict.fromkeys(daily_counts.ITEM_PROPERTIES.values(), "string"), name="i")
    counted = daily_counts.property_days(kept, items, zone="UTC")
    assert counted.columns == PROPERTY_DAYS.names
    verdicts = ibis.table(call | dict.fromkeys(("side", "outcome", "reason"), "string"), name="verdicts")
    sent = {"row_id": "int64", "received_at": "timestamp('UTC')", "library": "string", "library_version": "string"}
    days = daily_counts.call_days(verdicts, ibis.table(sent, name="calls"), zone="UTC")
    assert days.columns == CALL_DAYS.names
    assert to_sql(counted, engine)
    assert to_sql(days, engine)


def fixture_calls():
    """The calls of the fixture shop that are fit for use, in the order of their arrival."""
    for path in sorted((ROOT / "data/fixtures/shop/segment").glob("*.gz")):
        for line in gzip.decompress(path.read_bytes()).decode().splitlines():
            with suppress(ValueError):
                call = json.loads(line)
                if not call.get("messageId", "").startswith("broken"):
                    yield call


def local_day(call):
    at = datetime.fromisoformat(call["timestamp"]).astimezone(UTC)
    return at.astimezone(ZoneInfo("America/New_York")).date()


def test_a_plain_count_of_the_lines_gives_the_same_volumes(shop):
    counted, seen = Counter(), set()
    for call in fixture_calls():
        if call["type"] != "page" or call["messageId"] in seen:
            continue
        seen.add(call["messageId"])
        counted[local_day(call), call["context"]["library"]["version"]] += 1
    days = shop.call_days.filter(_.event_name == "page", _.outcome != "duplicate")
    days = days.group_by("day", "library_version").agg(calls=_.calls.sum())
    assert {(row["day"], row["library_version"]): row["calls"] for row in rows(days)} == counted


def test_a_plain_count_of_the_lines_gives_the_same_filled_prices(shop):
    calls, with_price, seen = Counter(), Counter(), set()
    for call in fixture_calls():
        if call.get("event") not in ("Product Viewed", "Viewed Product") or call["messageId"] in seen:
            continue
        seen.add(call["messageId"])
        calls[local_day(call)] += 1
        with_price[local_day(call)] += call["properties"].get("price") is not None
    found = rows(shop.property_days.filter(_.event_name == "Product Viewed", _.property == "price"))
    assert {row["day"]: row["calls"] for row in found} == calls
    assert {row["day"]: row["filled"] for row in found} == with_price


def test_all_calls_of_the_fixture_shop_are_counted_once(shop):
    [read] = rows(shop.build_log.filter(_.step == "read calls"))
    undated = shop.quarantine.count().to_pyarrow().as_py() - sum(
        row["calls"] for row in rows(shop.call_days.filter(_.outcome == "quarantined"))
    )
    assert sum(row["calls"] for row in rows(shop.call_days)) == read["rows_in"] - undated
    kept = rows(shop.call_days.filter(_.outcome == "kept"))
    assert sum(row["calls"] for row in kept) == read["rows_out"]


def test_campaigns_of_pages_are_among_the_properties(shop):
    assert set(CAMPAIGN) - {"utm_term", "utm_content"} == filled(shop, event="page").keys()
