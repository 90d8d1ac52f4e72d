"""What differs between engines: local days, medians, numbers, and their SQL."""

import random
import statistics
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import ibis
import pyarrow as pa
import pytest

from ecomkit.column_types import INSTANT
from ecomkit.engines import (
    ENGINES,
    epoch_ms,
    is_middle,
    local_day,
    local_month,
    local_week,
    median,
    to_sql,
    whole_numbers,
)
from ecomkit.errors import UsageError

INSTANTS = ibis.schema({"at": INSTANT})


def instants(*texts):
    column = pa.array([datetime.fromisoformat(text) for text in texts], pa.timestamp("us", tz="UTC"))
    return ibis.memtable(pa.table({"at": column}))


def values(expression):
    return expression.to_pyarrow().to_pylist()


@pytest.mark.parametrize(
    ("instant", "zone", "day"),
    [
        pytest.param("2026-11-01T03:59:59Z", "America/New_York", date(2026, 10, 31), id="before midnight, summer time"),
        pytest.param("2026-11-01T04:00:00Z", "America/New_York", date(2026, 11, 1), id="midnight, summer time"),
        pytest.param("2026-11-02T04:59:59Z", "America/New_York", date(2026, 11, 1), id="the day of 25 hours is long"),
        pytest.param("2026-11-02T05:00:00Z", "America/New_York", date(2026, 11, 2), id="and ends at 5:00 UTC"),
        pytest.param("2026-03-09T03:59:59Z", "America/New_York", date(2026, 3, 8), id="the day of 23 hours is short"),
        pytest.param("2026-03-09T04:00:00Z", "America/New_York", date(2026, 3, 9), id="and ends at 4:00 UTC"),
        pytest.param("2026-01-01T18:30:00Z", "Asia/Kolkata", date(2026, 1, 2), id="half an hour's zone"),
        pytest.param("2026-01-01T00:00:00Z", "UTC", date(2026, 1, 1), id="UTC"),
    ],
)
def test_local_day_is_the_zones(instant, zone, day):
    assert values(local_day(instants(instant).at, zone)) == [day]


def test_local_days_weeks_and_months_agree_with_python_around_every_change_of_clocks():
    start = datetime(2025, 12, 27, tzinfo=UTC)
    hours = [start + timedelta(hours=number) for number in range(0, 24 * 372, 5)]
    table = ibis.memtable(pa.table({"at": pa.array(hours, pa.timestamp("us", tz="UTC"))}))
    for zone in ("America/New_York", "Australia/Lord_Howe", "Pacific/Apia"):
        local = [instant.astimezone(ZoneInfo(zone)).date() for instant in hours]
        found = table.select(
            day=local_day(table.at, zone), week=local_week(table.at, zone), month=local_month(table.at, zone)
        ).to_pyarrow()
        assert found["day"].to_pylist() == local
        assert found["week"].to_pylist() == [day - timedelta(days=day.weekday()) for day in local]
        assert found["month"].to_pylist() == [day.replace(day=1) for day in local]


def test_milliseconds_are_whole_and_exact():
    table = instants("1970-01-01T00:00:00Z", "2026-11-01T04:00:00.123Z", "1969-12-31T23:59:59.999Z")
    assert values(epoch_ms(table.at)) == [0, 1793505600123, -1]


@pytest.mark.parametrize("engine", ENGINES)
def test_each_engine_gets_its_own_words(engine):
    table = ibis.table(INSTANTS, name="events")
    words = {
        "duckdb": ("TIMEZONE('Asia/Kolkata'", "EPOCH_MS("),
        "postgres": ("TIMEZONE('Asia/Kolkata'", "DATE_PART('epoch'"),
        "bigquery": ("DATETIME(", "UNIX_MILLIS("),
        "spark": ("FROM_UTC_TIMESTAMP(", "UNIX_MILLIS("),
        "snowflake": ("CONVERT_TIMEZONE('UTC', 'Asia/Kolkata'", "DATE_PART('epoch_millisecond'"),
    }
    sql = to_sql(table.select(day=local_day(table.at, "Asia/Kolkata"), ms=epoch_ms(table.at)), engine)
    for word in words[engine]:
        assert word.upper() in sql.upper()


def test_an_unknown_engine_names_the_known_ones():
    with pytest.raises(UsageError) as caught:
        to_sql(ibis.table(INSTANTS, name="events"), "oracle")
    assert str(caught.value) == (
        "'oracle' is not an engine that the kit compiles for. "
        "Choose one of 'duckdb', 'postgres', 'bigquery', 'spark', 'snowflake'."
    )


# medians


def priced(rows):
    return ibis.memtable(
        pa.Table.from_pylist(
            [{"channel": channel, "price": None if price is None else Decimal(price)} for channel, price in rows],
            schema=pa.schema([("channel", pa.string()), ("price", pa.decimal128(18, 4))]),
        )
    )


@pytest.mark.parametrize(
    ("prices", "middle"),
    [
        pytest.param([7], 7.0, id="one"),
        pytest.param([7, 9], 8.0, id="two"),
        pytest.param([1, 9, 2], 2.0, id="odd"),
        pytest.param([1, 2, 4, 100], 3.0, id="even"),
        pytest.param([5, 5, 5, 1, None, None], 5.0, id="ties and nulls"),
    ],
)
def test_median_by_hand(prices, middle):
    assert values(median(priced([("Email", price) for price in prices]), "price")) == [{"median": middle}]


def test_median_of_nothing_is_unknown():
    table = priced([("Email", None)])
    assert values(median(table, "price")) == [{"median": None}]


def test_medians_per_group_are_those_of_the_standard_library():
    draw = random.Random(1)
    rows = [(draw.choice(("Email", "Direct", None)), draw.choice((None, *range(30)))) for _ in range(400)]
    found = {row["channel"]: row["median"] for row in values(median(priced(rows), "price", by=["channel"]))}
    for channel in ("Email", "Direct", None):
        known = [price for name, price in rows if name == channel and price is not None]
        assert found[channel] == statistics.median(known)


def test_middle_rows_are_one_or_two_per_group():
    table = priced([("Email", 1), ("Email", 2), ("Direct", 3), ("Direct", 1), ("Direct", 2), ("Direct", None)])
    rows = table.mutate(is_middle=is_middle(table, "price", by=["channel"]))
    assert sorted((row["channel"], int(row["price"])) for row in values(rows) if row["is_middle"]) == [
        ("Direct", 2),
        ("Email", 1),
        ("Email", 2),
    ]


@pytest.mark.parametrize("below", [1, 2, 9, 10, 11, 100, 101, 1000])
def test_whole_numbers_start_at_0(below):
    assert sorted(row["number"] for row in values(whole_numbers(below))) == list(range(below))


# the warm-up of pins: what a broken set of ibis, duckdb and sqlglot could not do


def test_the_pinned_engine_does_everyday_work():
    con = ibis.duckdb.connect()
    frame = pa.table({"a": [1, 2, 3]})
    con.create_table("t", frame)
    con.create_table("t", frame, overwrite=True)
    assert con.list_tables() == ["t"]
    assert con.sql("select sum(a) as total from t").to_pyarrow().to_pylist() == [{"total": 6}]
    assert con.table("t").cache().count().to_pyarrow().as_py() == 3
    con.create_view("v", con.table("t"))
    con.drop_view("v")
    con.drop_table("t")
    assert con.list_tables() == []
