"""Carts and checkouts left behind: by hand, at each edge, by law."""

import ibis
import pytest

from ecomkit.errors import TableError, UsageError
from ecomkit.metrics.abandonment import STEPS, abandonment, abandonment_by_step
from ecomkit.schemas import EVENTS, SESSIONS

NOON = "2026-10-27 12:00:00Z"
ADD, CART, START, STEP, DONE, PAID = STEPS
COLUMNS = ("step", "sessions", "sessions_seen", "sessions_left", "sessions_with_order")


def shown(session, *names):
    return [("", name, NOON, {"session_id": session}) for name in names]


def test_abandonment_by_hand(session_log, event_log, rows_of):
    sessions = session_log(
        ("ana", NOON, 0), ("ben", NOON, 0), ("cleo", NOON, 1), ("cleo", NOON, 0), ("dan", NOON, 0), ("eve", NOON, 2)
    )
    events = event_log(
        *shown("s1", ADD),
        *shown("s2", ADD, CART, START, STEP),
        *shown("s3", ADD, START, PAID),
        *shown("s4", "Product Viewed", "page"),
        *shown("s5", "Wishlist Product Added to Cart", CART),
        *shown("s6", START),
        *shown("s7", ADD, PAID),
        ("ana", PAID, NOON),
    )
    rows = rows_of(abandonment_by_step(sessions, events))
    assert [tuple(row[name] for name in COLUMNS) for row in rows] == [
        (ADD, 5, 4, 1, 2),
        (CART, 4, 2, 1, 2),
        (START, 3, 3, 0, 2),
        (STEP, 3, 1, 1, 2),
        (DONE, 2, 0, 0, 2),
        (PAID, 2, 1, 0, 2),
    ]
    assert [row["abandonment_rate"] for row in rows] == [1 / 5, 1 / 4, 0, 1 / 3, 0, 0]
    assert [row["step_number"] for row in rows] == [1, 2, 3, 4, 5, 6]
    first = rows[0]
    assert (first["people"], first["clusters"], first["numerator"], first["denominator"]) == (5, 5, 1, 5)


@pytest.mark.parametrize(
    ("stage", "came", "left"),
    [
        pytest.param("cart", 4, 2, id="a cart, with or without a checkout"),
        pytest.param("checkout", 3, 1, id="a checkout, from its start or a later step"),
    ],
)
def test_stages_by_hand(session_log, event_log, rows_of, stage, came, left):
    sessions = session_log(("ana", NOON, 0), ("ana", NOON, 1), ("ben", NOON, 0), ("cleo", NOON, 1), ("dan", NOON, 1))
    events = event_log(
        *shown("s1", ADD, CART),
        *shown("s2", ADD, START),
        *shown("s3", ADD, PAID),
        *shown("s4", START),
        *shown("s5", "page"),
    )
    [row] = rows_of(abandonment(sessions, events, stage=stage))
    assert (row["sessions"], row["sessions_left"], row["abandonment_rate"]) == (came, left, left / came)
    assert row["people"] == 3


def test_abandonment_per_week_and_device(session_log, event_log, rows_of):
    monday, before = "2026-10-26 04:00:00Z", "2026-10-26 03:59:59Z"
    sessions = session_log(("ana", before, 0, {"device_type": "mobile"}), ("ben", monday, 1, {"device_type": "mobile"}))
    events = event_log(*shown("s1", ADD), *shown("s2", ADD))
    table = abandonment(sessions, events, by="device_type", grain="week", zone="America/New_York")
    found = [(row[0], str(row[1]), row[2]) for row in rows_of(table, "device_type", "week", "abandonment_rate")]
    assert found == [("mobile", "2026-10-19", 1.0), ("mobile", "2026-10-26", 0.0)]


def test_without_a_cart_every_step_is_there_and_no_rate(session_log, event_log, rows_of):
    rows = rows_of(abandonment_by_step(session_log(("ana", NOON, 1)), event_log(*shown("s1", "page"))))
    assert [(row["step"], row["sessions"], row["abandonment_rate"]) for row in rows] == [(s, 0, None) for s in STEPS]
    [row] = rows_of(abandonment(session_log(), event_log()))
    assert (row["sessions"], row["abandonment_rate"]) == (0, None)


def test_who_left_and_who_ordered_are_all_who_had_a_cart(shop):
    rows = abandonment_by_step(shop.sessions, shop.events).to_pyarrow().to_pylist()
    [whole] = abandonment(shop.sessions, shop.events).to_pyarrow().to_pylist()
    assert sum(row["sessions_left"] for row in rows) == whole["sessions_left"] > 1000
    assert rows[0]["sessions"] == whole["sessions"] == whole["sessions_left"] + rows[0]["sessions_with_order"]
    for before, row in zip(rows, rows[1:], strict=False):
        assert row["sessions"] == before["sessions"] - before["sessions_left"]
        assert row["sessions_seen"] <= row["sessions"]


def test_neither_order_nor_repetition_of_calls_matters(session_log, event_log, rows_of):
    sessions = session_log(("ana", NOON, 0), ("ben", NOON, 1))
    calls = [*shown("s1", ADD, CART, START), *shown("s2", ADD, START, PAID)]
    once = rows_of(abandonment_by_step(sessions, event_log(*calls)))
    assert rows_of(abandonment_by_step(sessions, event_log(*calls[::-1], *calls))) == once


def test_an_unknown_stage_and_a_wrong_table_are_refused():
    events, sessions = ibis.table(EVENTS, name="events"), ibis.table(SESSIONS, name="sessions")
    with pytest.raises(UsageError) as error:
        abandonment(sessions, events, stage="basket")
    assert str(error.value) == ("'basket' is not a stage that can be abandoned. Choose one of 'cart', 'checkout'.")
    with pytest.raises(TableError, match="lacks"):
        abandonment_by_step(events, sessions)
