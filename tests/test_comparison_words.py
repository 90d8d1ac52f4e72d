"""The words for numbers that moved, groups that differ, funnels that leak, channels that pay back."""

from types import SimpleNamespace

import pandas as pd
import pytest

from ecomkit.words import NO_DATA, against, costs_of, counted, money, say, stands_out, where_it_stops, who_pays_back


@pytest.mark.parametrize(
    ("verdict", "before", "words"),
    [
        pytest.param("up", 900, "up from EUR 900.00 the week before", id="up"),
        pytest.param("down", 900, "down from EUR 900.00 the week before", id="down"),
        pytest.param("within noise", 900, "within noise of EUR 900.00 the week before", id="noise"),
        pytest.param("cannot tell", 900, "too little to compare with EUR 900.00 the week before", id="too little"),
        pytest.param("cannot tell", float("nan"), "with nothing before to compare with", id="nothing"),
    ],
)
def test_a_comparison_is_said_with_its_verdict(verdict, before, words):
    assert against(SimpleNamespace(verdict=verdict, before=before), money, "EUR") == words


def test_what_came_before_is_said_in_its_own_words():
    comparison = SimpleNamespace(verdict="up", before=900)
    assert against(comparison, money, "EUR", when="the 13 weeks before") == "up from EUR 900.00 the 13 weeks before"


COHORTS = pd.DataFrame(
    {
        "cohort_month": pd.to_datetime(["2026-01-01", "2026-02-01", "2026-03-01"]),
        "repeat_purchase_rate": [0.05, 0.02, 0.4],
        "repeat_purchase_rate_of_rest": [0.25, 0.26, 0.1],
        "adjusted_p_value": [0.001, float("nan"), 0.02],
        "verdict": ["down", "cannot tell", "up"],
    }
)


@pytest.mark.parametrize(
    ("rows", "direction", "words"),
    [
        pytest.param([0, 1, 2], "down", "January 2026 stands out below the others, at 5.0 % against 25.0 %", id="down"),
        pytest.param([0, 1, 2], "up", "March 2026 stands out above the others, at 40.0 % against 10.0 %", id="up"),
        pytest.param([2], "down", "no month stands out below the others by more than chance", id="nobody"),
        pytest.param([1], "down", "no month is large enough to compare with the others", id="too small"),
        pytest.param([], "down", "no month is large enough to compare with the others", id="none"),
    ],
)
def test_only_a_group_with_a_verdict_stands_out(rows, direction, words):
    found = stands_out(COHORTS.iloc[rows], "repeat_purchase_rate", label="cohort_month", direction=direction)
    assert found == words


def test_the_clearest_group_is_named_and_not_the_lowest():
    lower = COHORTS.iloc[[0]].assign(
        cohort_month=pd.Timestamp("2026-05-01"), repeat_purchase_rate=0.01, adjusted_p_value=0.04
    )
    found = stands_out(pd.concat([lower, COHORTS]), "repeat_purchase_rate", label="cohort_month")
    assert found == "January 2026 stands out below the others, at 5.0 % against 25.0 %"


def test_a_funnel_is_said_by_its_narrowest_step():
    steps = pd.DataFrame({"step": ["View", "Add", "Buy"], "step_rate": [None, 0.2, 0.5]})
    assert where_it_stops(steps) == "most stop between View and Add, which 20.0 % reach"
    nobody = steps.assign(step_rate=None)
    assert where_it_stops(nobody) == "nobody has walked far enough to say where people stop"


def test_each_channel_with_spend_is_judged_by_its_whole_interval():
    values = pd.DataFrame(
        [
            ("Search", 10.0, 50, 3.0, 2.5, 3.5),
            ("Social", 10.0, 50, 0.5, 0.4, 0.6),
            ("Video", 10.0, 50, 1.0, 0.8, 1.2),
            ("Display", 10.0, 5, 3.0, 2.0, 4.0),
            ("Email", None, 50, None, None, None),
        ],
        columns=["channel", "spend", "customers", "ltv_to_cac", "ltv_to_cac_low", "ltv_to_cac_high"],
    )
    assert who_pays_back(values, floor=30) == (
        "Search pays back, at 3.0x (2.5x to 3.5x); Social does not pay back, at 0.5x (0.4x to 0.6x); "
        "Video may pay back or not, at 1.0x (0.8x to 1.2x); Display has too few new customers to judge"
    )
    assert who_pays_back(values.tail(1), floor=30) == "no channel has spend in this period"


def test_costs_are_said_from_the_dearest_and_small_channels_without_a_cost():
    costs = pd.DataFrame(
        [
            ("Search", 1000.0, 50, 20.0, 15.0, 27.0),
            ("Social", 3000.0, 40, 75.0, 55.0, 105.0),
            ("Display", 99.5, 0, None, 27.0, None),
            ("Video", 100.0, 4, 25.0, 9.8, 91.8),
            ("Email", None, 50, None, None, None),
        ],
        columns=["channel", "spend", "new_customers", "cac", "cac_low", "cac_high"],
    )
    assert costs_of(costs, "EUR", floor=30) == (
        "Social EUR 75.00 (EUR 55.00 to 105.00); Search EUR 20.00 (EUR 15.00 to 27.00); "
        "on fewer than 30 new customers, so not ranked: Display spent EUR 99.50 and won nobody, "
        "Video EUR 25.00 (EUR 9.80 to 91.80)"
    )
    assert costs_of(costs.tail(1), "EUR", floor=30) == "no channel has spend in this period"


@pytest.mark.parametrize("kind", ["Int64", "float64"])
def test_spend_on_customers_who_may_be_new_is_named(kind):
    costs = pd.DataFrame({"channel": ["Search", "Social"], "spend": [1000.0, 70.0], "new_customers": [50, None]})
    costs = costs.astype({"new_customers": kind}).assign(cac=[20.0, None], cac_low=[15.0, None], cac_high=[27.0, None])
    assert costs_of(costs, "EUR", floor=30) == (
        "Search EUR 20.00 (EUR 15.00 to 27.00); on fewer than 30 new customers, so not ranked: "
        "Social spent EUR 70.00 on customers who may be new"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("**unknown** of 0 visits", NO_DATA, id="an unknown answer"),
        pytest.param("**unknown orders** came", NO_DATA, id="an unknown number of things"),
        pytest.param("**0 orders**, worth **unknown**", "0 orders, worth unknown", id="a known answer"),
        pytest.param("The unknown ones are **5**", "The unknown ones are 5", id="the word elsewhere"),
    ],
)
def test_a_sentence_without_an_answer_says_that_there_is_no_data(text, shown, monkeypatch):
    heard = []
    monkeypatch.setattr("IPython.display.display", lambda data, **more: heard.append(data["text/plain"]))
    say(text)
    assert heard == [shown]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        *((0, "0 orders"), (1, "1 order"), (1.0, "1 order"), (1234, "1,234 orders")),
        *((float("nan"), "unknown orders"), (None, "unknown orders"), (pd.NA, "unknown orders")),
    ],
)
def test_a_count_agrees_with_its_noun(value, words):
    assert counted(value, "order") == words
