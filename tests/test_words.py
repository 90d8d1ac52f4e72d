"""Numbers to text, and event text that stays text."""

from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from nbconvert.filters import markdown2html

from ecomkit.words import (
    best_of,
    count,
    day,
    days,
    escape,
    interval,
    money,
    month,
    multiple,
    percent,
    say,
    short,
    what_is_in,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param(percent(0.0612), "6.1 %", id="percent"),
        pytest.param(percent(0.06125, 2), "6.12 %", id="percent with two digits"),
        pytest.param(percent(-0.00001), "0.0 %", id="no minus before a zero"),
        pytest.param(percent(-0.25), "-25.0 %", id="negative percent"),
        pytest.param(count(1234), "1,234", id="count"),
        pytest.param(count(np.int64(7)), "7", id="numpy count"),
        pytest.param(money(Decimal("1234.5000"), "EUR"), "EUR 1,234.50", id="decimal money"),
        pytest.param(money(-3, "USD"), "USD -3.00", id="negative money"),
        pytest.param(multiple(3.24), "3.2x", id="multiple"),
        pytest.param(days(12.46), "12.5 days", id="days"),
        pytest.param(day(date(2026, 11, 1)), "1 November 2026", id="day"),
        pytest.param(day(pd.Timestamp("2026-11-01 23:00")), "1 November 2026", id="day of an instant"),
        pytest.param(month(date(2024, 2, 1)), "February 2024", id="month"),
    ],
)
def test_numbers_have_their_unit(text, shown):
    assert text == shown


@pytest.mark.parametrize("value", [None, float("nan"), np.nan, pd.NA, pd.NaT, float("inf")], ids=repr)
@pytest.mark.parametrize("form", [percent, count, multiple, days, day, month, lambda value: money(value, "EUR")])
def test_what_is_not_known_is_called_unknown(form, value):
    assert form(value) == "unknown"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param(interval(0.056, 0.066, percent), "5.6 to 6.6 %", id="percent once"),
        pytest.param(interval(10, 12.5, money, "EUR"), "EUR 10.00 to 12.50", id="currency once"),
        pytest.param(interval(1, 3, days), "1.0 to 3.0 days", id="days once"),
        pytest.param(interval(1, 3000, count), "1 to 3,000", id="no unit"),
        pytest.param(interval(None, 3, count), "unknown", id="one bound unknown"),
    ],
)
def test_an_interval_says_its_unit_once(text, shown):
    assert text == shown


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![picture](http://evil.example/x.png)",
    "see http://evil.example and www.evil.example or a@evil.example",
    "<http://evil.example>",
    "$E=mc^2$ and $$x$$ and \\(y\\) and \\[z\\]",
    "`code` ``more``",
    "_emphasis_ *emphasis* ~~gone~~",
    "***three stars*** and ** lone **",
    "&amp; &lt;b&gt; &#60;b&#62; &#x27;",
    "\"double\" and 'single'",
    "# heading",
    "- item",
    "+ item",
    "1. item",
    "12) item",
    "> quote",
    "---",
    "===",
    "| a | b | --- | --- | 1 | 2 |",
    "[1]: http://evil.example",
    "[^1] footnote",
    "<!-- comment -->",
    ":smile: ==mark== H~2~O x^2^",
    "back\\slash \\* \\<b\\>",
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("frame", ["{}", "The best product is {}, at 9.1 %"], ids=["alone", "in a sentence"])
def test_event_text_is_shown_letter_by_letter(text, frame):
    sentence = frame.format(text)
    page = BeautifulSoup(markdown2html(escape(sentence)), "html.parser")
    assert page.get_text().strip() == sentence
    assert {tag.name for tag in page.find_all()} <= {"p", "span"}


def test_lines_become_one_and_controls_vanish():
    assert escape("one\n\n- two\r\n\tthree\x00\u202efour") == "one - two three four"


def test_bold_stays_bold_and_its_content_is_escaped():
    page = BeautifulSoup(markdown2html(escape("**6.1 %** of **<b>x</b>**, not 2 ** 3 ** 4")), "html.parser")
    assert [tag.get_text() for tag in page.find_all("strong")] == ["6.1 %", "<b>x</b>"]
    assert page.get_text().strip() == "6.1 % of <b>x</b>, not 2 ** 3 ** 4"


def test_say_displays_markdown_and_plain_text(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    say("**6.1 %** of <visits>")
    assert shown == [{"text/markdown": "**6.1 %** of &lt;visits&gt;", "text/plain": "6.1 % of <visits>"}]


def test_long_names_and_texts_are_cut(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    name = "x" * 10_000
    assert short(name) == "x" * 79 + "…"
    say(f"The best is {name}")
    assert len(shown[0]["text/plain"]) == 2_000


CHANNELS = pd.DataFrame(
    {
        "channel": ["Email", "Direct", "Tiny", "Unmeasured"],
        "visit_to_order_rate": [0.091, 0.05, 0.9, None],
        "sessions": [120, 400, 5, 900],
    }
)


def test_the_best_group_must_be_large_enough():
    best = best_of(CHANNELS, "visit_to_order_rate", label="channel", floor=30, size="sessions")
    assert best == "Email is the best channel, at 9.1 %"


def test_a_group_alone_is_not_called_the_best():
    only = best_of(CHANNELS, "visit_to_order_rate", label="channel", floor=200, size="sessions")
    assert only == "Direct is the only channel with at least 200 sessions, at 5.0 %"


def test_without_a_large_group_none_is_named():
    none = best_of(CHANNELS, "visit_to_order_rate", label="channel", floor=1000, size="sessions")
    assert none == "no channel has 1,000 sessions yet"
    assert best_of(CHANNELS[:0], "visit_to_order_rate", label="channel", floor=30, size="sessions") == (
        "no channel has 30 sessions yet"
    )


def test_cohorts_are_named_by_their_month():
    cohorts = pd.DataFrame(
        {
            "cohort_month": [datetime(2024, 1, 1), datetime(2024, 2, 1)],
            "repeat_purchase_rate": [0.3, 0.404],
            "customers": [90, 80],
        }
    )
    assert best_of(cohorts, "repeat_purchase_rate", label="cohort_month", floor=30, size="customers") == (
        "February 2024 is the best month, at 40.4 %"
    )


def test_a_hostile_group_name_opens_no_bold_text():
    frame = pd.DataFrame({"channel": ["**a**", "b"], "rate": [0.2, 0.1], "sessions": [50, 50]})
    assert best_of(frame, "rate", label="channel", floor=30, size="sessions").startswith("* *a* * is the best")


CONTENTS = {
    "orders": 1234,
    "customers": 800,
    "guest_orders": 1,
    "sessions": 5678,
    "ad_spend": 0,
    "orders_in_period": 12,
    "sessions_in_period": 300,
    "first_day": date(2024, 8, 1),
    "last_day": date(2026, 11, 1),
    "set_aside": [
        ("duplicate", "same message again", 40, None),
        ("excluded", "bot", 5, None),
        ("excluded", "staff", 3, None),
        ("quarantined", "not JSON", 2, None),
        ("corrected", "old event name", 900, None),
    ],
}


def test_what_is_in_the_data_is_one_account():
    assert what_is_in(CONTENTS, needs=("orders", "sessions")) == (
        "**1,234 orders** by 800 customers, 1 order of guests among them (0.1 %), and 5,678 sessions, "
        "from 1 August 2024 to 1 November 2026. The period itself holds 12 orders and 300 sessions. "
        "50 rows set aside: 40 duplicate (same message again), 5 excluded (bot), 3 excluded (staff), "
        "and 2 for other reasons."
    )


@pytest.mark.parametrize(
    ("changes", "needs", "last"),
    [
        pytest.param({}, ("ad_spend",), "This shop has no ad spend, so what needs it stays empty.", id="one"),
        pytest.param(
            {"sessions": 0},
            ("orders", "sessions", "ad_spend"),
            "This shop has no sessions and no ad spend, so what needs them stays empty.",
            id="two",
        ),
    ],
)
def test_a_table_that_is_missing_is_named(changes, needs, last):
    assert what_is_in(CONTENTS | changes | {"set_aside": []}, needs).endswith(f"No row was set aside. {last}")


def test_an_empty_shop_has_a_sentence_too():
    assert what_is_in({"orders": 0, "set_aside": []}) == (
        "No row was set aside. This shop has no orders, so what needs them stays empty."
    )


def test_what_is_in_names_the_filter_and_what_it_cannot_be_told_of():
    contents = CONTENTS | {"filters": "Only country DE.", "cannot_tell": ["sessions", "events"], "sessions": 0}
    said = what_is_in(contents, needs=("orders", "sessions"))
    assert said.startswith("Only country DE. ")
    assert said.endswith("The filter cannot be told of sessions, so what needs them stays empty.")
