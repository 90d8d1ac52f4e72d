"""Volumes, libraries, filled properties and visits per day."""

from datetime import date

import ibis
import pytest

from ecomkit.engines import to_sql
from ecomkit.metrics.quality import daily_visits, daily_volumes, filled_properties, library_days
from ecomkit.schemas import CALL_DAYS, EVENTS, PROPERTY_DAYS, SESSIONS
from tests.metrics.conftest import typed_table

DAY, NEXT = "2026-10-01", "2026-10-02"
FIRST, SECOND = date(2026, 10, 1), date(2026, 10, 2)


def calls(*entries):
    """Rows of `call_days` typed as (day, event, calls, {column: value})."""
    rows = []
    for day, event, number, *rest in entries:
        row = {"day": day, "event_name": event, "side": "client", "library": "js", "library_version": "1"}
        rows.append(row | {"outcome": "kept", "calls": number, "late": 0} | (rest[0] if rest else {}))
    return typed_table(CALL_DAYS, rows)


def test_volumes_are_the_kept_calls_of_all_libraries(rows_of):
    table = calls(
        (NEXT, "page", 4),
        (DAY, "page", 7, {"late": 2}),
        (DAY, "page", 3, {"library_version": "2", "late": 1}),
        (DAY, "page", 90, {"outcome": "excluded", "reason": "bot"}),
        (DAY, "page", 5, {"side": "server"}),
    )
    assert rows_of(daily_volumes(table), "day", "event_name", "side", "calls", "late") == [
        (FIRST, "page", "client", 10, 3),
        (FIRST, "page", "server", 5, 0),
        (SECOND, "page", "client", 4, 0),
    ]


def test_libraries_count_the_kept_calls_of_all_events(rows_of):
    table = calls(
        (DAY, "page", 7),
        (DAY, "Product Viewed", 2),
        (DAY, "page", 3, {"library_version": "2"}),
        (DAY, "page", 1, {"library_version": None}),
        (DAY, "page", 9, {"library": None}),
        (DAY, "page", 8, {"outcome": "duplicate"}),
    )
    found = rows_of(library_days(table), "library", "library_version", "calls")
    assert sorted(found, key=str) == [("js", "1", 9), ("js", "2", 3), ("js", None, 1)]


def test_filled_rate_is_filled_of_calls(rows_of):
    row = {"day": DAY, "event_name": "page", "property": "utm_source", "calls": 4, "filled": 1}
    assert rows_of(filled_properties(typed_table(PROPERTY_DAYS, [row])), "filled_rate") == [(0.25,)]


@pytest.mark.parametrize(
    ("pageviews", "event", "engaged"),
    [
        pytest.param(1, None, 0, id="one page is no engagement"),
        pytest.param(2, None, 1, id="a second page is"),
        pytest.param(1, ("Product Viewed", "client"), 1, id="so is a track call"),
        pytest.param(0, ("Product Viewed", "client"), 1, id="of an app without page calls too"),
        pytest.param(1, ("page", "client"), 0, id="the page itself is none"),
        pytest.param(1, ("identify", "client"), 0, id="to be known is none"),
        pytest.param(1, ("Order Completed", "server"), 0, id="what the server tells is none"),
    ],
)
def test_an_engaged_session_did_more_than_land(session_log, rows_of, pageviews, event, engaged):
    sessions = session_log(("ana", "2026-10-01T10:00:00Z", 0, {"pageviews": pageviews}))
    rows = [{"session_id": "s1", "event_name": event[0], "side": event[1]}] * 2 if event else []
    visits = daily_visits(sessions, typed_table(EVENTS, rows), zone="UTC")
    assert rows_of(visits, "day", "sessions", "engaged_sessions") == [(FIRST, 1, engaged)]


def test_visits_count_on_the_local_day_with_the_campaigns_they_name(session_log, rows_of):
    sessions = session_log(
        ("ana", "2026-10-02T03:59:59Z", 0, {"pageviews": 1, "utm_source": "news", "utm_medium": "email"}),
        ("ben", "2026-10-02T03:59:59Z", 0, {"pageviews": 1, "utm_source": "flyer"}),
        ("cem", "2026-10-02T04:00:00Z", 0, {"pageviews": 1}),
    )
    visits = daily_visits(sessions, typed_table(EVENTS, []), zone="America/New_York")
    assert rows_of(visits, "day", "sessions", "utm_source", "utm_medium", "utm_campaign") == [
        (FIRST, 2, 2, 1, 0),
        (SECOND, 1, 0, 0, 0),
    ]


def test_columns_are_the_documented_ones_on_every_engine():
    names = {"calls": CALL_DAYS, "properties": PROPERTY_DAYS, "sessions": SESSIONS, "events": EVENTS}
    calls, properties, sessions, events = (ibis.table(schema, name=name) for name, schema in names.items())
    expected = {
        daily_volumes(calls): ("day", "event_name", "side", "calls", "late"),
        library_days(calls): ("day", "library", "library_version", "calls"),
        filled_properties(properties): ("day", "event_name", "property", "calls", "filled", "filled_rate"),
        daily_visits(sessions, events, zone="UTC"): (
            *("day", "sessions", "engaged_sessions", "utm_source", "utm_medium", "utm_campaign"),
        ),
    }
    for table, columns in expected.items():
        assert table.columns == columns
        assert all(to_sql(table, engine) for engine in ("duckdb", "postgres", "bigquery", "spark", "snowflake"))
