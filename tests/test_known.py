"""What a build knows: each kind of call until an instant of its own."""

from datetime import UTC, date, datetime

import ibis
import pytest

from ecomkit.column_types import INSTANT
from ecomkit.pipeline.known import Known, first_unknown_day, known_at, later_calls

THEN, NOW, END = (datetime(2026, 10, day, tzinfo=UTC) for day in (6, 9, 5))
COLUMNS = {"row_id": "int64", "event_name": "string", "occurred_at": INSTANT}
ARRIVALS = ("received_at", "sent_at", "original_timestamp", "sent_timestamp")
BEFORE_END, AT_END = "2026-10-04T23:59:59Z", "2026-10-05T00:00:00Z"
JUST_KNOWN, TOO_LATE = "2026-10-05T23:59:59Z", "2026-10-06T00:00:00Z"


def is_forgotten(known, event, *, occurred=BEFORE_END, **arrival):
    row = {"row_id": 1, "event_name": event, "occurred_at": occurred, **dict.fromkeys(ARRIVALS), **arrival}
    row = {name: datetime.fromisoformat(at) if at and name not in COLUMNS else at for name, at in row.items()}
    row["occurred_at"] = row["occurred_at"] and datetime.fromisoformat(row["occurred_at"])
    named = ibis.memtable([row], schema=ibis.schema(COLUMNS | dict.fromkeys(ARRIVALS, INSTANT)))
    return later_calls(named, known).count().to_pyarrow().as_py() == 1


@pytest.mark.parametrize(
    ("event", "occurred", "kept_by"),
    [
        pytest.param("Order Refunded", BEFORE_END, "refunds", id="a refund of the week"),
        pytest.param("Order Cancelled", AT_END, "refunds", id="a cancellation after the week"),
        pytest.param("Order Completed", BEFORE_END, "occurred", id="an order at the week's last instant"),
        pytest.param("Order Completed", AT_END, "names", id="an order at the first instant after it"),
        pytest.param("identify", BEFORE_END, "names", id="an identify call within the week"),
        pytest.param(None, None, "occurred", id="a call without a name or an instant"),
    ],
)
def test_each_kind_of_call_is_known_until_its_own_instant(event, occurred, kept_by):
    for kind in ("refunds", "occurred", "names"):
        known = Known(**({"refunds": THEN, "occurred": THEN, "names": THEN, "end": END} | {kind: NOW}))
        assert is_forgotten(known, event, occurred=occurred, received_at=TOO_LATE) == (kind != kept_by)
        assert not is_forgotten(known, event, occurred=occurred, received_at=JUST_KNOWN)


@pytest.mark.parametrize("column", ARRIVALS)
def test_without_an_arrival_the_next_best_instant_counts(column):
    assert is_forgotten(known_at(THEN), "page", **{column: TOO_LATE})
    assert not is_forgotten(known_at(THEN), "page", **{column: JUST_KNOWN})


def test_a_call_without_any_instant_is_known():
    assert not is_forgotten(known_at(THEN), "page")


@pytest.mark.parametrize(
    ("newest", "day"),
    [
        pytest.param("2026-10-04T23:59:58Z", date(2026, 10, 5), id="within the week its last day counts whole"),
        pytest.param("2026-10-05T00:00:00Z", date(2026, 10, 5), id="after the week the newest day does not count"),
        pytest.param("2026-10-07T12:00:00Z", date(2026, 10, 7), id="nor later"),
    ],
)
def test_the_first_day_of_spend_that_is_not_known(newest, day):
    known = datetime.fromisoformat(newest)
    assert first_unknown_day(Known(known, known, known, END), "UTC") == day


def test_as_of_the_end_of_a_day_the_next_one_is_not_known():
    midnight_in_berlin = datetime(2026, 10, 3, 22, tzinfo=UTC)
    assert first_unknown_day(known_at(midnight_in_berlin), "Europe/Berlin") == date(2026, 10, 4)
