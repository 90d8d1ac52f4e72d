"""Weeks without a row, and the row of one week."""

from datetime import date

import ibis
import pandas as pd
import pyarrow as pa
import pytest

from ecomkit.frames import beside_year_before, observed, row_of_week, to_frame, trailing_weeks
from ecomkit.periods import Period

W44 = Period(date(2026, 10, 26), date(2026, 11, 2), "America/New_York")
SOLD = pd.DataFrame({"week": pd.to_datetime(["2026-10-05", "2026-10-19"]), "orders": [3, 4], "aov": [10.0, 20.0]})


def test_a_week_without_a_row_counts_zero_and_its_rates_are_null():
    shown = trailing_weeks(SOLD, W44, weeks=13, rates=["aov"])
    assert [f"{week:%G-W%V}" for week in shown.week] == ["2026-W41", "2026-W42", "2026-W43", "2026-W44"]
    assert shown.orders.tolist() == [3, 0, 4, 0]
    assert shown.aov.fillna(-1).tolist() == [10.0, -1, 20.0, -1]
    assert shown.orders.dtype == SOLD.orders.dtype


@pytest.mark.parametrize("kind", ["Int64", "float64"])
def test_what_a_week_does_not_know_stays_unknown(kind):
    bought = SOLD.assign(new_customers=pd.array([None, 2], dtype=kind))
    shown = trailing_weeks(bought, W44, weeks=13)
    assert shown.new_customers.fillna(-1).tolist() == [-1, 0, 2, 0]
    assert shown.new_customers.dtype == kind


def test_only_the_weeks_asked_for_are_shown_and_none_before_the_first_row():
    assert trailing_weeks(SOLD, W44, weeks=2).orders.tolist() == [4, 0]
    assert len(trailing_weeks(SOLD, W44, weeks=100)) == 4
    assert trailing_weeks(SOLD, W44.before(10), weeks=3).empty


def test_an_empty_frame_stays_empty_with_its_columns():
    shown = trailing_weeks(SOLD.head(0), W44, weeks=13)
    assert (len(shown), list(shown.columns)) == (0, ["week", "orders", "aov"])


def test_the_row_of_a_week_is_none_where_there_is_none():
    assert row_of_week(SOLD, W44.before(1)).orders == 4
    assert row_of_week(SOLD, W44) is None
    assert row_of_week(SOLD.head(0), W44) is None


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        pytest.param([1, None], "Int64", id="some null"),
        pytest.param([None, None], "Int64", id="all null"),
        pytest.param([1, 2**53 + 1], "int64", id="none null"),
    ],
)
def test_whole_numbers_stay_whole_numbers(values, kind):
    frame = to_frame(ibis.memtable(pa.table({"new_customers": pa.array(values, pa.int64())})))
    assert frame.new_customers.dtype == kind
    assert [None if pd.isna(value) else value for value in frame.new_customers] == values


def test_four_weeks_that_end_some_days_earlier_hold_28_whole_days():
    attempts = W44.four_weeks_before(days=7)
    assert (attempts.start, attempts.end, attempts.days) == (date(2026, 9, 28), date(2026, 10, 26), 28)


def test_a_week_stands_beside_the_same_week_a_year_before():
    sold = pd.DataFrame(
        {
            "week": pd.to_datetime(["2025-10-27", "2026-10-19", "2026-10-26"]),
            "orders": [7, 4, 5],
            "aov": [1.0, 2.0, 3.0],
        }
    )
    shown = beside_year_before(trailing_weeks(sold, W44, weeks=2), sold, ["orders"])
    assert shown.orders.tolist() == [4, 5]
    assert shown.orders_year_before.fillna(-1).tolist() == [-1, 7]
    assert "aov_year_before" not in shown


@pytest.mark.parametrize(("first_day", "weeks"), [(date(2026, 10, 5), 2), (date(2026, 10, 6), 1), (None, 2)])
def test_a_week_that_began_before_the_data_was_not_observed(first_day, weeks):
    assert len(observed(SOLD, first_day)) == weeks


def test_rows_come_in_the_order_of_the_query_also_where_a_later_step_drops_what_they_are_ordered_by():
    rows = ibis.memtable({"name": ["b", "c", "a"], "rank": [2, 3, 1]})
    assert list(to_frame(rows.order_by("rank").select("name").filter(lambda row: row.name != "b")).name) == ["a", "c"]


def test_what_ibis_was_told_of_queries_holds_after_one_that_fails():
    merges = ibis.options.sql.fuse_selects
    with pytest.raises(Exception, match="nowhere"):
        to_frame(ibis.duckdb.connect().sql("SELECT 1 AS one").mutate(two=ibis.literal("nowhere").cast("int64")))
    assert ibis.options.sql.fuse_selects is merges
