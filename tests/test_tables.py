"""Frames as tables for readers."""

import pandas as pd

from ecomkit.tables import readable

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
