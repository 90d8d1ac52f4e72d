"""A week beside the week before and the year before."""

from datetime import date
from types import SimpleNamespace

import pandas as pd

from ecomkit.periods import Period
from ecomkit.scoreboard import NUMBERS, of_week

W44 = Period(date(2026, 10, 26), date(2026, 11, 2), "UTC")
SHOP = SimpleNamespace(currency="EUR", first_day=date(2025, 10, 27))
WEEKS = pd.to_datetime(["2025-10-27", "2026-10-19", "2026-10-26"])


def totals(**values):
    """Weeks of totals of a hundred people who add the same each."""
    frame = pd.DataFrame({"week": WEEKS, **values})
    for name in values:
        frame[f"{name}_squares"], frame[f"{name}_clusters"] = frame[name] ** 2 / 100.0, 100
    return frame


def ratios(frame, **values):
    """Weeks of ratios of a hundred people with a denominator of ten each."""
    for name, ratio in values.items():
        x = [value * 1_000 for value in ratio]
        frame[name] = ratio
        parts = ("numerator", "denominator", "numerator_squares", "products", "denominator_squares", "clusters")
        sums = (x, 1_000, [v * v / 100 * 1.01 for v in x], [v * 10 for v in x], 10_000, 100)
        for part, value in zip(parts, sums, strict=True):
            frame[f"{name}_{part}"] = value
    return frame


def frames():
    sold = totals(net_revenue=[500.0, 1_000.0, 1_000.0], orders=[100, 100, 200], customers=[100, 100, 100])
    sold = ratios(sold, aov=[5.0, 10.0, 10.0], discount_share=[0.1, 0.1, 0.1], refund_share=[0.2, 0.1, 0.1])
    return {
        "sales": sold,
        "sizes": ratios(pd.DataFrame({"week": WEEKS}), units_per_order=[1.0, 2.0, 2.0]),
        "rates": ratios(pd.DataFrame({"week": WEEKS}), visit_to_order_rate=[0.1, 0.1, 0.1]),
        "buyers": totals(new_customers=[100, 100, 100], returning_customers=[100, 100, 100]),
    }


def board(min_group=30):
    return of_week(SHOP, W44, frames(), min_group=min_group).set_index("number")


def test_every_number_stands_beside_the_week_and_the_year_before():
    found = board()
    assert len(found) == len(NUMBERS)
    assert found.loc["net revenue", ["this week", "week before", "year before"]].tolist() == [
        "EUR 1,000.00", "EUR 1,000.00", "EUR 500.00",
    ]  # fmt: skip
    assert found.loc["orders", ["this week", "week before", "week before: verdict"]].tolist() == ["200", "100", "up"]
    assert found.loc["net revenue", ["week before: verdict", "year before: verdict"]].tolist() == ["within noise", "up"]
    assert found.loc["AOV", "year before: verdict"] == "up"
    assert found.loc["units per order", "this week"] == "2.00"
    assert found.loc["visit-to-order rate", "this week"] == "10.0 %"


def test_the_csv_of_the_table_holds_the_numbers_behind_its_text():
    numbers = of_week(SHOP, W44, frames(), min_group=30).numbers().set_index("number")
    assert numbers.loc["net revenue", ["this week", "week before", "year before"]].tolist() == [1_000, 1_000, 500]
    low, high = numbers.loc["visit-to-order rate", ["95 % interval, low", "95 % interval, high"]]
    assert 0 < low < numbers.loc["visit-to-order rate", "this week"] == 0.1 < high < 1


def test_too_few_people_get_no_verdict():
    assert set(board(min_group=101)["week before: verdict"]) == {"cannot tell"}


def test_a_share_of_money_is_not_below_nothing():
    assert board().loc["discount share", "95 % interval"].split()[0] >= "0.0"


def test_a_week_that_was_not_observed_has_a_dash():
    lonely = {name: frame.tail(1) for name, frame in frames().items()}
    found = of_week(SHOP, W44, lonely, min_group=30)
    assert set(found["week before"]) == set(found["year before"]) == {"–"}
    assert set(found["week before: verdict"]) == {"cannot tell"}


def test_a_year_before_that_began_before_the_data_is_none():
    late = SimpleNamespace(currency="EUR", first_day=date(2025, 10, 28))
    found = of_week(late, W44, frames(), min_group=30)
    assert set(found["year before"]) == {"–"}
    assert "–" not in set(found["week before"])
