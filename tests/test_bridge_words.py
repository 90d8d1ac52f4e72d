"""What the bridge says in words: the change, what is more than noise, and honestly where nothing is."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from ecomkit.models.revenue_bridge import revenue_bridge
from ecomkit.words import told_factors, why_it_moved
from tests.bridge import BEFORE, NOW, period_of

NOBODY = pd.DataFrame(columns=["bar", "by", "segment", "part", "amount", "verdict", "factor_before", "factor_now"])


def bars(**changed):
    rows = [
        ("net revenue before", 1000.0, None, None, None),
        ("sessions", 200.0, "up", 1000.0, 1200.0),
        ("visit-to-order rate", -50.0, "within noise", 0.05, 0.0475),
        ("orders per converting session", 0.0, "within noise", 1.0, 1.0),
        ("AOV", 30.0, "within noise", 60.0, 61.5),
        ("orders outside sessions", 0.0, "cannot tell", 0.0, 0.0),
        ("refunds", -80.0, "down", 20.0, 100.0),
        ("net revenue now", 1100.0, None, None, None),
    ]
    frame = pd.DataFrame(rows, columns=["bar", "amount", "verdict", "factor_before", "factor_now"])
    for bar, verdict in changed.get("verdicts", {}).items():
        frame.loc[frame.bar == bar, "verdict"] = verdict
    return frame


def part(**told):
    row = {"bar": "visit-to-order rate", "by": "channel", "segment": "Email", "part": "rate", "amount": -70.0}
    row |= {"verdict": "down", "factor_before": 0.16, "factor_now": 0.12}
    return pd.DataFrame([row | told])


def change(verdict, across=()):
    return SimpleNamespace(verdict=verdict, across=across)


def test_the_sentence_names_what_is_more_than_noise_the_largest_first():
    said = why_it_moved(bars(), NOBODY, change("up"), "EUR")
    assert said == (
        "**EUR 100.00 more** net revenue than the week before, more than chance explains; sessions (1,000 to 1,200) "
        "added EUR 200.00 and more refunds took EUR 80.00. No segment is large enough to say where."
    )


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        pytest.param(
            part(),
            "The largest part is the visit-to-order rate of Email (channel), 16.0 % to 12.0 %, which took EUR 70.00.",
            id="a rate",
        ),
        pytest.param(
            part(part="mix", factor_before=0.1, factor_now=0.2, amount=12.0),
            "The largest part is the share of Email (channel) in sessions, 10.0 % to 20.0 %, which added EUR 12.00.",
            id="a mix",
        ),
        pytest.param(
            part(bar="sessions", part="sessions", factor_before=10.0, factor_now=1200.0, segment=None, amount=90.0),
            "The largest part is the number of sessions of not known (channel), 10 to 1,200, which added EUR 90.00.",
            id="sessions of a segment that nobody knows",
        ),
        pytest.param(
            part(bar="AOV", by="category", segment="Teas", part="mix", factor_before=1.0, factor_now=1.5, amount=5.0),
            "The largest part is units of Teas (category) per order, 1.00 to 1.50, which added EUR 5.00.",
            id="units of a category",
        ),
        pytest.param(
            part(bar="AOV", by="category", segment="Teas", factor_before=10.0, factor_now=9.0, amount=-5.0),
            "The largest part is revenue per unit of Teas (category), EUR 10.00 to EUR 9.00, which took EUR 5.00.",
            id="price of a category",
        ),
        pytest.param(
            pd.concat([part(verdict="within noise"), part(verdict="cannot tell")]),
            "No segment alone moved it by more than chance.",
            id="none by more than chance",
        ),
        pytest.param(part(verdict="cannot tell"), "No segment is large enough to say where.", id="none large enough"),
    ],
)
def test_the_largest_part_that_is_more_than_noise_is_named(parts, said):
    assert why_it_moved(bars(), parts, change("up"), "EUR").endswith(said)


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        pytest.param(
            {"sessions": "within noise", "refunds": "within noise"},
            "within noise; no bar is more than noise, so there is nothing to explain.",
            id="all are noise",
        ),
        pytest.param(
            {"sessions": "within noise", "refunds": "cannot tell"},
            "within noise; none of the bars that can be judged is more than noise. "
            "Too few people to judge is the largest of the others: more refunds took EUR 80.00.",
            id="noise, and too few to judge the rest",
        ),
        pytest.param(
            dict.fromkeys(bars().bar[1:-1], "cannot tell"),
            "within noise; there are too few people to tell which bar moved it.",
            id="too few people",
        ),
        pytest.param(
            {"refunds": "within noise"},
            "within noise; yet sessions (1,000 to 1,200) added EUR 200.00. No segment is large enough to say where.",
            id="a bar moved and the whole did not",
        ),
    ],
)
def test_the_sentence_is_honest_where_there_is_little_to_say(verdicts, said):
    found = why_it_moved(bars(verdicts=verdicts), NOBODY, change("within noise"), "EUR")
    assert found == f"**EUR 100.00 more** net revenue than the week before, {said}"


def test_a_break_in_tracking_is_named():
    found = why_it_moved(bars(), NOBODY, change("cannot tell", across=("an outage",)), "EUR")
    assert "too little to compare, across a break in tracking; sessions" in found


def test_less_is_less_and_fewer_refunds_add():
    turned = bars()
    turned["amount"] = [1100.0, -200.0, 50.0, 0.0, -30.0, 0.0, 80.0, 1000.0]
    found = why_it_moved(turned, NOBODY, change("down"), "EUR", when="a year before")
    assert found.startswith("**EUR 100.00 less** net revenue than a year before, more than chance explains; sessions")
    assert "took EUR 200.00 and fewer refunds added EUR 80.00" in found


def test_without_anything_on_both_sides_there_is_no_answer():
    nothing = revenue_bridge(pd.DataFrame(columns=["start_date", *period_of()]), now=NOW, before=BEFORE)
    assert why_it_moved(nothing, NOBODY, change("cannot tell"), "EUR") == "**unknown**"


def test_a_name_from_outside_stays_a_name():
    found = why_it_moved(bars(), part(segment="**Bold** <b>"), change("up"), "EUR")
    assert "* *Bold* * <b> (channel)" in found


def test_the_factors_are_told_in_their_own_units():
    told = bars().assign(**told_factors(bars(), "EUR"))
    assert told.before.tolist()[1:-1] == ["1,000", "5.0 %", "1.00", "EUR 60.00", "0", "EUR 20.00"]
    assert told.now.tolist()[0] == "–"
    assert np.array_equal(told.columns[-2:], ["before", "now"])
    assert [cell.values for cell in told.before[1:-1]] == [(1000,), (0.05,), (1.0,), (60.0,), (0.0,), (20.0,)]
