"""Promotions seen and clicked, coupons denied, and what followed."""

import json

import pytest

from ecomkit.frames import to_frame
from ecomkit.metrics.intervals import add_rate_interval
from ecomkit.metrics.offers import denied_coupons, promotions
from ecomkit.shop import ROOT

NOON = "2026-10-27 12:00:00Z"
VIEWED, CLICKED, DENIED, APPLIED = "Promotion Viewed", "Promotion Clicked", "Coupon Denied", "Coupon Applied"


def at(session, name, instant=NOON, **more):
    return ("", name, instant, {"session_id": session, **more})


def test_promotions_by_hand(session_log, event_log, order_log, rows_of):
    sessions = session_log(("ana", NOON, 1), ("ana", NOON, 0), ("ben", NOON, 0), ("cleo", NOON, 1))
    events = event_log(
        at("s1", VIEWED, promotion_id="p1"),
        at("s1", VIEWED, promotion_id="p1"),
        at("s1", CLICKED, promotion_id="p1"),
        at("s2", VIEWED, promotion_id="p1"),
        at("s3", CLICKED, promotion_id="p2"),
        at("s4", VIEWED, promotion_id="p1"),
        at("s4", VIEWED, promotion_id=" "),
        at("s4", VIEWED),
        at("s9", VIEWED, promotion_id="p1"),
    )
    later = "2026-10-27 12:10:00Z"
    orders = order_log(("ana", later, {"session_id": "s1"}), ("cleo", later, {"session_id": "s4"}))
    rows = rows_of(promotions(sessions, events, orders))
    columns = ("promotion_id", "sessions", "sessions_clicked", "sessions_with_order_after", "people")
    assert [tuple(row[name] for name in columns) for row in rows] == [("p1", 3, 1, 1, 2), ("p2", 1, 1, 0, 1)]
    assert [(row["click_rate"], row["order_after_rate"]) for row in rows] == [(1 / 3, 1.0), (1.0, 0.0)]
    assert rows[0]["click_rate_denominator_squares"] == 5.0


AFTER = [
    pytest.param("2026-10-27 11:59:59Z", "completed", 0, id="one second before"),
    pytest.param("2026-10-27 12:00:00Z", "completed", 1, id="at its instant"),
    pytest.param("2026-10-27 12:00:01Z", "refunded", 1, id="one second after, sent back later"),
    pytest.param("2026-10-27 12:00:01Z", "cancelled", 0, id="cancelled"),
]


@pytest.mark.parametrize(("ordered_at", "status", "after"), AFTER)
def test_an_order_after_a_click_or_a_denial(session_log, event_log, order_log, rows_of, ordered_at, status, after):
    sessions = session_log(("ana", NOON, 1))
    events = event_log(at("s1", CLICKED, promotion_id="p1"), at("s1", DENIED, coupon="TEN"))
    orders = order_log(("ana", ordered_at, {"session_id": "s1", "status": status}))
    assert rows_of(promotions(sessions, events, orders), "sessions_with_order_after") == [(after,)]
    assert rows_of(denied_coupons(sessions, events, orders), "sessions_with_order_after") == [(after,)]


def test_denied_coupons_by_hand(session_log, event_log, order_log, rows_of):
    sessions = session_log(("ana", NOON, 1), ("ben", NOON, 0), ("ben", NOON, 0))
    events = event_log(
        at("s1", DENIED, coupon=" ten "),
        at("s1", DENIED, coupon="TEN"),
        at("s1", APPLIED, "2026-10-27 12:00:01Z", coupon="FIVE"),
        at("s2", APPLIED, "2026-10-27 11:59:59Z", coupon="FIVE"),
        at("s2", DENIED, coupon="Ten"),
        at("s3", DENIED),
    )
    orders = order_log(("ana", "2026-10-27 12:05:00Z", {"session_id": "s1"}))
    columns = ("coupon", "sessions", "sessions_with_coupon_after", "sessions_with_order_after", "order_after_rate")
    assert rows_of(denied_coupons(sessions, events, orders), *columns) == [("TEN", 2, 1, 1, 0.5), (None, 1, 0, 0, 0.0)]


def test_without_offers_there_are_no_rows(session_log, event_log, order_log, rows_of):
    nothing = session_log(("ana", NOON, 0)), event_log(), order_log()
    assert rows_of(promotions(*nothing)) == rows_of(denied_coupons(*nothing)) == []


def test_the_fixtures_promotions_are_clicked_as_planted_by_visits_that_go_on(shop):
    truth = json.loads((ROOT / "data/fixtures/shop/truth.json").read_text(encoding="utf-8"))
    visits = shop.sessions.filter(shop.sessions.pageviews > 1)
    rows = to_frame(promotions(visits, shop.events, shop.orders))
    rows = add_rate_interval(rows, "click_rate").set_index("promotion_id")
    for promotion, rate in truth["promotion_clicks_of_visits_that_go_on"].items():
        assert rows.click_rate_low[promotion] <= rate <= rows.click_rate_high[promotion]
    assert rows.sessions_clicked.sum() == truth["put_in"]["promotions_clicked"]


def test_the_fixtures_denials_are_all_counted(shop):
    truth = json.loads((ROOT / "data/fixtures/shop/truth.json").read_text(encoding="utf-8"))
    rows = to_frame(denied_coupons(shop.sessions, shop.events, shop.orders))
    assert rows.sessions.sum() == truth["put_in"]["coupons_denied"]
    assert set(rows.coupon) == {"SUMMER24", "WELCOME10", "50%<B>OFF</B>"}
