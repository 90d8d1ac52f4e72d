"""Headlines: what a notebook hands to the report."""

import json
from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from ecomkit.errors import UsageError
from ecomkit.headlines import MIME, hand_over, headline, ten_digits
from ecomkit.metrics.comparisons import Comparison

NAN = float("nan")


def test_a_headline_holds_what_was_compared():
    comparison = Comparison(1 / 3, 0.3, np.float64(0.4), NAN, NAN, NAN, NAN, "cannot tell")
    assert headline("aov", comparison, label="AOV", unit="money", definition="Revenue over orders.") == {
        "name": "aov",
        "label": "AOV",
        "unit": "money",
        "definition": "Revenue over orders.",
        "against": "the week before",
        "value": 0.3333333333,
        "low": 0.3,
        "high": 0.4,
        "before": None,
        "difference_low": None,
        "difference_high": None,
        "p_value": None,
        "verdict": "cannot tell",
        "across": [],
    }


def test_a_number_without_a_comparison_has_no_verdict():
    entry = headline("clv", SimpleNamespace(value=12.5), label="CLV", unit="money", definition="Expected.")
    assert (entry["value"], entry["low"], entry["verdict"]) == (12.5, None, None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param(
            {"name": "Net revenue"},
            "'Net revenue' is not a headline's name. Names are small letters, digits and '_'.",
            id="name",
        ),
        pytest.param(
            {"unit": "euro"},
            "'euro' is not a unit of headlines. Choose one of 'money', 'count', 'rate', 'days'.",
            id="unit",
        ),
        pytest.param(
            {"comparison": SimpleNamespace(value=1, verdict="better")},
            "'better' is not a verdict. Choose one of 'up', 'down', 'within noise', 'cannot tell'.",
            id="verdict",
        ),
    ],
)
def test_a_wrong_headline_is_refused(changes, message):
    given = {"name": "aov", "comparison": SimpleNamespace(value=1), "unit": "money"} | changes
    with pytest.raises(UsageError) as caught:
        headline(given["name"], given["comparison"], label="x", unit=given["unit"], definition="y")
    assert str(caught.value) == message


def test_headlines_travel_as_json_of_their_own_kind(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    entries = [
        headline(name, SimpleNamespace(value=Decimal("1.50")), label=name.upper(), unit="count", definition="d")
        for name in ("orders", "aov")
    ]
    hand_over(*entries)
    assert shown == [{MIME: entries, "text/plain": "Handed to the report: ORDERS, AOV."}]
    assert json.loads(json.dumps(shown[0][MIME])) == entries


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        (0.1 + 0.2, 0.3),
        (123456.789012345, 123456.789),
        (1e-20 / 3, 3.333333333e-21),
        (np.int64(7), 7),
        (Decimal("12.3400"), 12.34),
        (None, None),
        (pd.NA, None),
        (NAN, None),
        (float("inf"), None),
    ],
    ids=repr,
)
def test_numbers_keep_ten_significant_digits(value, rounded):
    assert ten_digits(value) == rounded
