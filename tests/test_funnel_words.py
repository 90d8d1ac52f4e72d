"""The sentences about funnels."""

import pandas as pd
import pytest

from ecomkit.words import duration, how_long, moves_most, outside_of, reached_by, what_is_lost

NAN = float("nan")
TIMES = pd.DataFrame(
    {
        "step": ["Product Added", "Order Completed"],
        "people": [80, 40],
        "median_seconds": [30.0, 7200.0],
        "upper_quartile_seconds": [90.0, 180_000.0],
        "median_seconds_between": [30.0, 3600.0],
    }
)
MONEY = pd.DataFrame(
    {
        "step": ["Product Viewed", "Product Added", "Product Purchased"],
        "entering": [1000.0, 400.0, 100.0],
        "lost": [600.0, 300.0, 0.0],
    }
)


def definitions(choice="unit", definition="session", rate=0.124):
    return pd.DataFrame(
        {
            "choice": ["as asked", choice],
            "definition": ["ordered, restart, person, 7 days", definition],
            "overall_rate": [0.222, rate],
            "moves_most": [0, int(rate != 0.222)],
        }
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 seconds"),
        (0.4, "0.4 seconds"),
        (59, "59.0 seconds"),
        (60, "1.0 minutes"),
        (3599, "60.0 minutes"),
        (3600, "1.0 hours"),
        (86_400, "1.0 days"),
        (-7200, "-2.0 hours"),
        (NAN, "unknown"),
        (None, "unknown"),
    ],
)
def test_a_length_of_time_in_its_largest_unit(seconds, text):
    assert duration(seconds) == text


def test_how_long_the_last_step_takes_and_which_waits_longest():
    assert how_long(TIMES, floor=30) == (
        "half of those who reached Order Completed took at most 2.0 hours from the first step, and a quarter more than "
        "2.1 days; the longest wait is for Order Completed, 1.0 hours after the step before it"
    )
    assert how_long(TIMES, floor=50).endswith("a quarter more than 2.1 days")
    nobody = TIMES.assign(people=[3, 0], median_seconds=[30.0, NAN])
    assert how_long(nobody, floor=1) == "nobody has reached Order Completed"
    assert how_long(TIMES.rename(columns={"people": "sessions"}), floor=30).startswith("half of those")


def test_which_share_came_by_when():
    curve = pd.DataFrame({"hours": [1, 30], "reached_share": [0.1, 0.25]})
    assert reached_by(curve, hours=1) == (
        "10.0 % of those who start reach the end within the first hour, 25.0 % in the whole window"
    )
    assert reached_by(curve, hours=24).startswith("10.0 % of those who start reach the end within 24 hours")
    assert reached_by(curve.iloc[1:], hours=1).startswith("0.0 % of those")
    assert reached_by(curve.head(0), hours=1) == "nobody has reached the end"


def test_where_the_most_money_goes_no_further():
    assert what_is_lost(MONEY, "EUR") == (
        "goods for EUR 1,000.00 entered and for EUR 100.00 reached Product Purchased; most went no further than "
        "Product Viewed, EUR 600.00 (60.0 % of all)"
    )
    assert what_is_lost(MONEY.assign(entering=0.0, lost=0.0), "EUR") == "no product with a price was looked at"


@pytest.mark.parametrize(
    ("choice", "definition", "told"),
    [
        ("unit", "session", "who is counted (sessions)"),
        ("order", "any", "the order of the steps (steps in any order)"),
        ("entry", "first", "what a start is (only the first start)"),
        ("window", "twice as long", "a window twice as long"),
        ("same", "product_id", "holding products apart"),
    ],
)
def test_the_choice_that_moves_a_funnel_most_is_named(choice, definition, told):
    assert moves_most(definitions(choice, definition)) == f"{told} moves it most, from 22.2 % to 12.4 %"


def test_where_no_choice_moves_anything_that_is_said():
    assert moves_most(definitions(rate=0.222)) == "every definition gives 22.2 %"
    unknown = definitions().assign(overall_rate=NAN)
    assert moves_most(unknown) == "nobody has started, so no definition tells another story"


def test_purchases_outside_are_counted_in_words():
    def outside(purchases, left_out, rate):
        return pd.DataFrame({"purchases": [purchases], "purchases_outside": [left_out], "outside_rate": [rate]})

    assert outside_of(outside(1200, 1, 1 / 1200)) == "1 purchase of 1,200 (0.1 %) did not walk the whole funnel"
    assert outside_of(outside(0, 0, NAN)) == "there were no purchases"
