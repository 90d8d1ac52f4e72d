"""Frames as CSV: for machines, and harmless in a spreadsheet."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pandas as pd
import pytest

from ecomkit.csv_text import ENCODING, to_csv


def read(text):
    """The rows of a CSV, by a reader of its own."""
    return list(csv.reader(io.StringIO(text)))


def cell(value, name="name"):
    """What a frame of this one value says in CSV, read again."""
    [[_head], [told]] = read(to_csv(pd.DataFrame({name: pd.Series([value], dtype="object")})))
    return told


def test_numbers_stay_numbers_under_their_names():
    frame = pd.DataFrame(
        {"week": pd.to_datetime(["2026-10-26"]), "orders": [1234], "aov": [-1.5], "channel": ["Email"]}
    )
    assert to_csv(frame) == "week,orders,aov,channel\n2026-W44,1234,-1.5,Email\n"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        pytest.param(0.1 + 0.2, "0.3", id="a sum in binary"),
        pytest.param(9_999_999_999.99, "9999999999.99", id="cents of thousands of millions"),
        pytest.param(1e-7, "0.0000001", id="small, without an exponent"),
        pytest.param(1e15, "1000000000000000", id="large, without an exponent"),
        pytest.param(-0.0, "0", id="minus zero"),
        pytest.param(-12.5, "-12.5", id="a real negative number"),
        pytest.param(Decimal("12.50"), "12.5", id="a decimal"),
        pytest.param(True, "True", id="a truth"),
        pytest.param(float("inf"), "inf", id="infinite"),
        pytest.param(float("nan"), "", id="not a number"),
        pytest.param(None, "", id="null"),
        pytest.param(pd.NA, "", id="pandas' null"),
        pytest.param(pd.NaT, "", id="no day"),
    ],
)
def test_a_number_is_written_plainly_and_what_is_not_known_is_empty(value, told):
    assert cell(value) == told


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        pytest.param("week", pd.Timestamp("2026-12-28"), "2026-W53", id="ISO week"),
        pytest.param("week", pd.Timestamp("2027-01-04"), "2027-W01", id="ISO week of the year after"),
        pytest.param("cohort_month", pd.Timestamp("2026-10-01"), "2026-10", id="month"),
        pytest.param("day", pd.Timestamp("2026-10-01"), "2026-10-01", id="day of a frame"),
        pytest.param("day", date(2026, 10, 1), "2026-10-01", id="day"),
        pytest.param("at", datetime(2026, 10, 1, tzinfo=UTC), "2026-10-01T00:00:00+00:00", id="instant at midnight"),
        pytest.param("at", pd.Timestamp("2026-10-01 12:30"), "2026-10-01T12:30:00", id="time of a day"),
    ],
)
def test_days_weeks_and_months_are_written_as_iso_does(name, value, told):
    assert cell(value, name) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0", id="equals"),
        pytest.param("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0", id="plus"),
        pytest.param("-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0", id="minus"),
        pytest.param("@SUM(1+9)", "'@SUM(1+9)", id="at"),
        pytest.param("   =1+1", "'=1+1", id="behind spaces"),
        pytest.param("\t=1+1", "'=1+1", id="behind a tab"),
        pytest.param("\r\n=1+1", "'=1+1", id="behind the end of a line"),
        pytest.param("\u202e=1+1", "'=1+1", id="behind a right-to-left mark"),
        pytest.param("\uff1d1+1", "'\uff1d1+1", id="wide equals"),
        pytest.param("Tea;=1+1", "Tea;'=1+1", id="behind a semicolon"),
        pytest.param('Tea; "=1+1', "Tea; \"'=1+1", id="behind a semicolon and a quote"),
        pytest.param("\t", "", id="a tab alone"),
    ],
)
def test_text_that_begins_like_a_formula_is_marked_as_text(text, told):
    assert cell(text) == told
    assert read(to_csv(pd.DataFrame({text: [1]}))) == [[told], ["1"]]


@pytest.mark.parametrize("text", ["-1,234.50", "-6.1 %", "+3", "-", "a=b", "1-2", "me@shop.example", "'quoted'"])
def test_text_that_is_no_formula_stays_as_it_is(text):
    assert cell(text) == ("'-" if text == "-" else text)


def test_hostile_names_stand_whole_in_a_cell_of_one_line():
    names = ['<script>alert("1")</script>', "a,b\nc", "one\u202etwo\u200f", "x" * 10_000, "Grün \N{HIBISCUS}"]
    told = to_csv(pd.DataFrame({"name": names, "orders": range(5)}))
    assert told.count("\n") == 6
    shown = ['<script>alert("1")</script>', "a,b c", "one two", "x" * 10_000, "Grün \N{HIBISCUS}"]
    assert read(told)[1:] == [[name, str(number)] for number, name in enumerate(shown)]


def test_row_labels_come_first_where_they_have_a_name():
    frame = pd.DataFrame({"orders": [3]}, index=pd.Index(["Email"], name="channel"))
    assert to_csv(frame) == "channel,orders\nEmail,3\n"
    assert to_csv(frame.rename_axis(None)) == "orders\n3\n"


def test_a_frame_without_rows_is_a_line_of_names():
    assert to_csv(pd.DataFrame({"week": [], "orders": []})) == "week,orders\n"


def test_pandas_reads_from_a_file_what_the_frame_held(tmp_path):
    frame = pd.DataFrame({"name": ["Grün", "a,b"], "orders": [1, 2], "aov": [1.25, None]})
    path = tmp_path / "table.csv"
    path.write_text(to_csv(frame), encoding=ENCODING, newline="")
    pd.testing.assert_frame_equal(pd.read_csv(path), frame)
