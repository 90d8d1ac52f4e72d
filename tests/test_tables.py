"""Frames as tables for readers."""

import pandas as pd
import pytest

from ecomkit.tables import readable, spelled
from ecomkit.words import Cell

FRAME = pd.DataFrame(
    {
        "week": pd.to_datetime(["2026-10-26"]),
        "cohort_month": pd.to_datetime(["2026-10-01"]),
        "first_order": pd.to_datetime(["2026-10-02"]),
        "channel": ["<b>Email</b>"],
        "orders": [1234],
        "revenue": [1234.5],
        "repeat_purchase_rate": [0.0612],
        "ltv_to_cac": [3.21],
        "clusters": [7],
        "aov_products": [7.0],
        "revenue_squares": [7.0],
        "revenue_low": [1000.0],
        "revenue_high": [float("nan")],
        "repeat_purchase_rate_low": [0.05],
        "repeat_purchase_rate_high": [0.07],
    }
)


def test_each_column_is_written_as_its_name_says():
    assert readable(FRAME, currency="EUR").iloc[0].to_dict() == {
        "week": "2026-W44",
        "cohort month": "October 2026",
        "first order": "2 October 2026",
        "channel": "<b>Email</b>",
        "orders": "1,234",
        "revenue (EUR)": "1,234.50",
        "revenue (EUR), 95 % interval": "–",
        "repeat purchase rate": "6.1 %",
        "repeat purchase rate, 95 % interval": "5.0 to 7.0 %",
        "ltv to cac": "3.2x",
    }


def test_chosen_columns_come_in_the_order_given_with_their_intervals():
    shown = readable(FRAME, ["orders", "repeat_purchase_rate"])
    assert list(shown.columns) == ["orders", "repeat purchase rate", "repeat purchase rate, 95 % interval"]


def test_a_count_that_is_not_always_known_is_a_count():
    bought = pd.DataFrame({"new_customers": pd.array([None, 7], dtype="Int64")})
    assert readable(bought, currency="EUR").to_dict("list") == {"new customers": ["–", "7"]}


def test_a_frame_without_rows_keeps_its_heads():
    shown = readable(FRAME.head(0), ["week", "revenue"], currency="EUR")
    assert (list(shown.columns), len(shown)) == (["week", "revenue (EUR)", "revenue (EUR), 95 % interval"], 0)


def test_the_rows_keep_their_numbers():
    assert list(readable(FRAME.set_index(pd.Index([12]))).index) == [12]


def csv_of(table):
    """The lines of the CSV that a notebook keeps beside the table."""
    _html, metadata = table._repr_html_()
    return metadata["csv"].splitlines()


NAMES = "channel,orders,revenue,repeat_purchase_rate,repeat_purchase_rate_low,repeat_purchase_rate_high"


def channels():
    """Three channels by name, orders, revenue and rate with its interval, as a table for readers."""
    frame = pd.DataFrame(
        {
            "channel": ["Email", None, "=Direct"],
            "orders": [10, 2_000, 3],
            "revenue": [1_234.5, -0.25, None],
            "repeat_purchase_rate": [0.0612, 0.5, float("nan")],
            "repeat_purchase_rate_low": [0.05, 0.4, float("nan")],
            "repeat_purchase_rate_high": [0.07, 0.6, float("nan")],
        }
    )
    return readable(frame, currency="EUR")


def test_a_table_brings_its_numbers_along_as_csv():
    assert csv_of(channels()) == [
        NAMES, "Email,10,1234.5,0.0612,0.05,0.07", ",2000,-0.25,0.5,0.4,0.6", "'=Direct,3,,,,",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("pick", "rows"),
    [
        pytest.param(lambda table: table.head(1), [0], id="head"),
        pytest.param(lambda table: table.tail(2), [1, 2], id="tail"),
        pytest.param(lambda table: table.iloc[[2, 0]], [2, 0], id="by place"),
        pytest.param(lambda table: table[table.orders == "2,000"], [1], id="by a condition"),
        pytest.param(lambda table: table.tail(1).reset_index(drop=True), [2], id="numbered anew"),
        pytest.param(lambda table: table.sort_values("orders", ignore_index=True), [0, 1, 2], id="sorted as text"),
        pytest.param(lambda table: pd.concat([table.tail(1), table.head(1)]), [2, 0], id="one below the other"),
    ],
)
def test_whatever_rows_are_picked_the_csv_has_the_same_ones(pick, rows):
    all_lines = csv_of(channels())
    assert csv_of(pick(channels()))[1:] == [all_lines[1 + row] for row in rows]


def test_the_csv_has_the_columns_that_are_shown():
    shown = channels()[["repeat purchase rate, 95 % interval", "orders"]].head(1)
    assert csv_of(shown) == ["repeat_purchase_rate_low,repeat_purchase_rate_high,orders", "0.05,0.07,10"]


def test_a_cell_that_was_overwritten_counts_as_its_text():
    table = channels().head(1)
    table.loc[0, "orders"] = "many"
    table.loc[0, "repeat purchase rate, 95 % interval"] = "wide"
    assert csv_of(table)[1] == "Email,many,1234.5,0.0612,wide,"


def test_row_labels_that_say_something_are_in_the_csv():
    assert csv_of(readable(pd.DataFrame({"orders": [3]}, index=pd.Index(["Email"], name="channel"))))[1] == "Email,3"


def test_spelled_tables_hold_their_text_and_the_numbers_of_cells_that_know_them():
    table = spelled({"rung": ["gross", "=x"], "amount": [Cell("EUR 5.00", 5.0), "-1.5 %"], "note": ["-a", "–"]})
    assert csv_of(table) == ["rung,amount,note", "gross,5,'-a", "'=x,-1.5 %,–"]


def test_an_interval_under_a_head_of_its_own_is_two_columns():
    table = spelled({"95 % interval": [Cell("5.0 to 7.0 %", 0.05, 0.07), Cell("unknown", None, None)]})
    assert list(table["95 % interval"]) == ["5.0 to 7.0 %", "–"]
    assert csv_of(table) == ['"95 % interval, low","95 % interval, high"', "0.05,0.07", ","]


def test_what_is_unknown_in_words_is_empty_in_the_csv():
    assert csv_of(readable(pd.DataFrame({"before": ["unknown", "7.9 %"]}))) == ["before", '""', "7.9 %"]


def test_a_table_looks_as_a_plain_frame_of_its_text_does():
    table = channels()
    plain = pd.DataFrame(table.to_dict("list"), dtype="str")
    assert table._repr_html_()[0] == plain._repr_html_()
    assert repr(table) == repr(plain)
