"""The words for a number that moved, or did not."""

from types import SimpleNamespace

import pytest

from ecomkit.words import against, money


@pytest.mark.parametrize(
    ("verdict", "before", "words"),
    [
        pytest.param("up", 900, "up from EUR 900.00 the week before", id="up"),
        pytest.param("down", 900, "down from EUR 900.00 the week before", id="down"),
        pytest.param("within noise", 900, "within noise of EUR 900.00 the week before", id="noise"),
        pytest.param("cannot tell", 900, "too little to compare with EUR 900.00 the week before", id="too little"),
        pytest.param("cannot tell", float("nan"), "with no number from the week before to compare with", id="nothing"),
    ],
)
def test_a_comparison_is_said_with_its_verdict(verdict, before, words):
    assert against(SimpleNamespace(verdict=verdict, before=before), money, "EUR") == words


def test_what_came_before_is_said_in_its_own_words():
    comparison = SimpleNamespace(verdict="up", before=900)
    assert against(comparison, money, "EUR", when="the 13 weeks before") == "up from EUR 900.00 the 13 weeks before"
