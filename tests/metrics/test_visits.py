"""Visits that end in an order."""

from datetime import date

import ibis

from ecomkit.metrics.ratio import SUMS
from ecomkit.metrics.visits import visit_to_order_rate
from ecomkit.schemas import SESSIONS

MONDAY = date(2024, 1, 1)


def test_visit_to_order_rate_by_hand(session_log, rows_of):
    sessions = session_log(
        ("ana", "2024-01-01 10:00:00Z", 2, {"channel": "Email"}),
        ("ana", "2024-01-02 10:00:00Z", 0, {"channel": "Email"}),
        ("ben", "2024-01-03 10:00:00Z", 0, {"channel": "Direct"}),
        (None, "2024-01-04 10:00:00Z", 1, {"channel": "Direct"}),
        (None, "2024-01-09 10:00:00Z", 0, {"channel": "Direct"}),
    )
    [row] = rows_of(visit_to_order_rate(sessions))
    columns = ("sessions", "sessions_with_order", "people", "visit_to_order_rate")
    # An order twice in one session is one session with an order; two persons are known.
    assert tuple(row[name] for name in columns) == (5, 2, 2, 0.4)
    # Clusters: ana 1 of 2, ben 0 of 1, the unknown device 1 of 2.
    assert [row[name] for name in SUMS] == [3, 2, 5, 2.0, 4.0, 9.0]
    by_channel = rows_of(visit_to_order_rate(sessions, by="channel"), "channel", *columns)
    assert by_channel == [("Direct", 3, 1, 1, 1 / 3), ("Email", 2, 1, 1, 0.5)]
    by_week = rows_of(visit_to_order_rate(sessions, grain="week", zone="UTC"), "week", "sessions")
    assert by_week == [(MONDAY, 4), (date(2024, 1, 8), 1)]


def test_without_sessions_the_rate_is_unknown(session_log, rows_of):
    assert rows_of(visit_to_order_rate(session_log()), "sessions", "visit_to_order_rate") == [(0, None)]


def test_columns_are_the_documented_ones():
    sessions = ibis.table(SESSIONS, name="sessions")
    assert visit_to_order_rate(sessions, by=("channel", "device_type")).columns == (
        *("channel", "device_type", "sessions", "sessions_with_order", "people", "visit_to_order_rate"),
        *SUMS,
    )
