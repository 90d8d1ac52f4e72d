"""Sentences of the overview."""

import pandas as pd
import pytest

from ecomkit.words import differs_most, largest_of, moved_most, partial_week


def test_a_whole_week_needs_no_word_and_a_part_names_its_days():
    assert partial_week("2026-W45", 7) == ""
    assert partial_week("2026-W45", 3) == "2026-W45 is not over, so weeks count their first 3 days alone."
    assert partial_week("2026-W45", 1) == "2026-W45 is not over, so weeks count their first 1 day alone."


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        pytest.param([("Email", 0.6), ("Direct", 0.4)], "Email makes up the most, 60.0 % of the revenue", id="a name"),
        pytest.param([(None, 0.6), ("**x**", 0.4)], "No session makes up the most, 60.0 % of the revenue", id="none"),
        pytest.param([("Email", float("nan"))], "there is nothing to split", id="nothing"),
    ],
)
def test_the_largest_group(rows, sentence):
    frame = pd.DataFrame(rows, columns=["channel", "revenue_share"])
    assert largest_of(frame, "revenue_share", by="channel", unknown="no session") == sentence


def moved(*rows):
    return pd.DataFrame(rows, columns=["category", "revenue", "revenue_before", "change", "verdict"])


@pytest.mark.parametrize(
    ("frame", "sentence"),
    [
        pytest.param(
            moved(
                ("Teas", 9.0, 5.0, 4.0, "up"), ("Pots", 1.0, 7.0, -6.0, "down"), ("x", 90.0, 1.0, 89.0, "within noise")
            ),
            "Pots is down, at EUR 1.00 after EUR 7.00",
            id="the largest that is no noise",
        ),
        pytest.param(
            moved(("Teas", 9.0, 5.0, 4.0, "within noise")), "no category moved by more than chance", id="noise"
        ),
        pytest.param(
            moved(("Teas", 9.0, 5.0, 4.0, "cannot tell")),
            "no category is large enough to tell whether it moved",
            id="too small",
        ),
        pytest.param(
            moved((None, 9.0, 5.0, 4.0, "up")), "Not known is up, at EUR 9.00 after EUR 5.00", id="nobody knows which"
        ),
    ],
)
def test_what_moved_most(frame, sentence):
    assert moved_most(frame, "revenue", by="category", currency="EUR") == sentence


@pytest.mark.parametrize(
    ("verdicts", "sentence"),
    [
        pytest.param(
            ("up", "down"), "on Teas they spend more of it than all others, 30.0 % against 20.0 %", id="the furthest"
        ),
        pytest.param(
            ("within noise", "cannot tell"),
            "on no category do they spend another share than all others, by more than chance",
            id="noise",
        ),
        pytest.param(
            ("cannot tell", "cannot tell"),
            "no category has enough buyers among them to compare with all others",
            id="too few",
        ),
    ],
)
def test_what_high_value_customers_buy_otherwise(verdicts, sentence):
    frame = pd.DataFrame(
        {"category": ["Teas", "Pots"], "share": [0.3, 0.1], "share_before": [0.2, 0.15], "verdict": verdicts}
    )
    assert differs_most(frame, "share", by="category") == sentence
