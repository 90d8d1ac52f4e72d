"""The index's three lines, its tiles and lines through the weeks, and the brief made of them."""

import json
from datetime import date
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from ecomkit.periods import Period
from ecomkit.report.brief import brief, plain
from ecomkit.report.dress import slug
from ecomkit.report.index import index_page
from ecomkit.report.movements import NEXT, movements
from ecomkit.report.tiles import sparkline
from ecomkit.report.week_report import Entry, WeekReport, corrected
from ecomkit.trust import Light
from ecomkit.words import count, use_locale

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
CONTENTS = {
    "first_day": date(2026, 1, 5),
    "last_day": date(2026, 11, 1),
    "orders_in_period": 40,
    "sessions_in_period": 500,
}


def headline(name="orders", value=60.0, before=100.0, *, verdict="down", p_value=1e-6, **more):
    told = {
        "name": name,
        "label": name.replace("_", " ").capitalize(),
        "unit": "count",
        "definition": f"What {name} are.",
        "against": "the week before",
        "value": value,
        "low": None,
        "high": None,
        "before": before,
        "difference_low": None,
        "difference_high": None,
        "p_value": p_value,
        "verdict": verdict,
        "across": [],
        "history": [],
    }
    return told | more


def week(*headlines, **more):
    entries = [Entry("01_overview", "What did we earn?", "Lead.", None, {"why-did-it-move": "Why did it move?"})]
    told = {
        "shop": "Lantern & Leaf",
        "place": "shop",
        "currency": "EUR",
        "period": Period(date(2026, 10, 26), date(2026, 11, 2), "UTC"),
        "contents": CONTENTS,
        "light": Light("green", []),
        "entries": entries,
        "headlines": corrected(headlines),
    }
    return WeekReport(**(told | more))


class TestMovements:
    def test_what_moved_comes_first_and_within_it_the_larger_change(self):
        report = week(
            headline("orders", 99.0, 100.0, verdict="within noise", p_value=0.8),
            headline("units", 90.0, 100.0),
            headline("revenue", 200.0, 100.0, verdict="up"),
            headline("aov", 10.0, 100.0, verdict="cannot tell"),
            headline("net_revenue", 130.0, 100.0, verdict="within noise", p_value=0.3),
        )
        assert [movement.name for movement in movements(report)] == ["revenue", "units", "net_revenue"]

    def test_a_line_says_value_before_and_change(self):
        [line] = movements(week(headline(value=60.0, before=100.0)))
        assert line.sentence == "Orders: 60, down from 100 the week before (-40.0 %)."

    def test_what_is_noise_is_said_to_be(self):
        [line] = movements(week(headline(value=104.0, verdict="within noise", p_value=0.7)))
        assert line.sentence == "Orders: 104, within noise of 100 the week before (+4.0 %)."
        assert (line.moved, line.severity) == (False, "small")
        assert line.confidence == "not sure: chance alone could explain it"

    @pytest.mark.parametrize(
        ("value", "severity"),
        [
            pytest.param(75.0, "large", id="a quarter"),
            pytest.param(75.1, "medium", id="just under a quarter"),
            pytest.param(90.0, "medium", id="a tenth"),
            pytest.param(90.1, "small", id="just under a tenth"),
        ],
    )
    def test_severity_is_the_change_as_a_share_of_the_number_before(self, value, severity):
        assert movements(week(headline(value=value)))[0].severity == severity

    @pytest.mark.parametrize(
        ("p_value", "confidence"),
        [
            pytest.param(0.0009, "very sure", id="one in a thousand"),
            pytest.param(0.001, "sure", id="at it"),
            pytest.param(0.0099, "sure", id="one in a hundred"),
            pytest.param(0.01, "fairly sure", id="at that"),
        ],
    )
    def test_confidence_follows_the_corrected_p_value(self, p_value, confidence):
        assert movements(week(headline(p_value=p_value)))[0].confidence == confidence

    def test_across_a_break_in_tracking_nothing_is_sure_and_the_break_is_looked_at_first(self):
        [line] = movements(week(headline(across=["tracking outage"])))
        assert (line.confidence, line.check) == ("doubtful: 1 break in tracking between", "Did tracking break?")

    def test_from_nothing_is_large_and_has_no_share(self):
        [line] = movements(week(headline(value=5.0, before=0.0, verdict="up")))
        assert (line.sentence, line.severity) == ("Orders: 5, up from 0 the week before.", "large")

    def test_a_line_leads_to_the_question_on_its_page_where_that_is_published(self):
        report = week(headline("net_revenue"), headline("visit_to_order_rate", unit="rate", value=0.05, before=0.1))
        links = {movement.name: movement.link for movement in movements(report)}
        assert links == {"net_revenue": "01_overview.html#why-did-it-move", "visit_to_order_rate": ""}

    def test_an_analysts_own_headline_has_nothing_to_check_next(self):
        assert movements(week(headline("made_up")))[0].check == ""

    def test_every_question_to_ask_next_stands_on_its_page(self):
        for page, question in NEXT.values():
            cells = json.loads((NOTEBOOKS / f"{page}.ipynb").read_text(encoding="utf-8"))["cells"]
            headings = [line for cell in cells for line in "".join(cell["source"]).splitlines() if line[:3] == "## "]
            assert f"## {question}" in headings

    def test_every_headline_of_the_notebooks_has_a_question_to_ask_next(self):
        handed = set()
        for path in NOTEBOOKS.glob("*.ipynb"):
            for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
                for output in cell.get("outputs", []):
                    entries = output.get("data", {}).get("application/vnd.ecomkit.headlines+json", [])
                    handed |= {entry["name"] for entry in entries}
        assert handed == set(NEXT)


def weeks(*values):
    return [{"week": f"2026-W{40 + number}", "value": value} for number, value in enumerate(values)]


class TestSparkline:
    def test_it_runs_from_the_lowest_to_the_highest_and_says_both(self):
        line = sparkline(weeks(10, 30, 20), count)
        assert line.stretches == ["4.0,32.0 100.0,4.0 196.0,18.0"]
        assert line.dot == (196.0, 18.0)
        assert line.words == "3 weeks to 2026-W42: lowest 10 in 2026-W40, highest 30 in 2026-W41."

    def test_a_week_that_is_not_known_breaks_the_line(self):
        line = sparkline(weeks(10, None, 20), count)
        assert line.stretches == ["4.0,32.0", "196.0,4.0"]

    def test_where_this_week_is_not_known_there_is_no_dot(self):
        assert sparkline(weeks(10, 20, None), count).dot is None

    def test_what_never_moves_is_a_line_in_the_middle(self):
        assert sparkline(weeks(5, 5), count).stretches == ["4.0,18.0 196.0,18.0"]

    @pytest.mark.parametrize("values", [(), (5,), (None, 5), (None, None)], ids=str)
    def test_fewer_than_two_known_weeks_make_no_line(self, values):
        assert sparkline(weeks(*values), count) is None


class TestIndex:
    def test_alerts_stand_before_all_else(self):
        page = BeautifulSoup(index_page(week(alerts=[{"sentence": "Orders fell <b>hard</b>."}])), "html.parser")
        assert page.select_one("main section")["class"] == ["alerts"]
        assert page.select_one(".alerts li").get_text() == "Orders fell <b>hard</b>."

    def test_restated_figures_show_both_values_and_the_reason(self):
        row = {"name": "orders", "week": "2026-W43", "published": 40, "now": 41, "reason": "1 call arrived since"}
        page = BeautifulSoup(index_page(week(headline(), restated=[row])), "html.parser")
        cells = [cell.get_text() for cell in page.select("[aria-label='Restated figures'] tbody td")]
        assert cells == ["2026-W43", "Orders", "40", "41", "1 call arrived since"]

    def test_without_an_archive_no_link_leads_out_of_the_folder(self):
        assert "../" not in index_page(week())
        assert '<a href="../index.html">Lantern &amp; Leaf</a>' in index_page(week(), archive="../index.html")

    def test_a_line_has_words_for_those_who_cannot_see_it(self):
        page = BeautifulSoup(index_page(week(headline(history=weeks(1, 2)))), "html.parser")
        assert page.select_one("svg[role=img]")["aria-label"].startswith("2 weeks to 2026-W41: lowest 1 in 2026-W40")


class TestBrief:
    def test_it_is_the_week_in_a_few_lines(self):
        report = week(
            headline(low=50.0, high=70.0),
            light=Light("amber", ["late calls: 3.0 %"]),
            alerts=[{"sentence": "Orders fell by 40 %."}],
            restated=[{"name": "orders", "week": "2026-W43", "published": 40, "now": 41, "reason": "late"}],
        )
        assert brief(report) == (
            "# Lantern & Leaf, week 2026-W44\nFrom 26 October to 1 November 2026.\n\n"
            "- **Alert.** Orders fell by 40 %.\n\n"
            "1. Orders: 60, down from 100 the week before (-40.0 %). Large; very sure. "
            "Next: Who bought: new customers or returning ones?\n\n"
            "Data: **amber**.\n- late calls: 3.0 %\n\n"
            "- Orders: **60** (95 %: 50 to 70), ▼ down\n\n"
            "Restated since they were published:\n- Orders, 2026-W43: 40, now 41\n\n"
            "The pages: index.html. What each number means: metrics.html.\n"
        )

    def test_a_date_that_begins_with_its_day_and_a_point_opens_no_list(self):
        use_locale("de_DE")
        assert "\nFrom 26. Oktober to 1. November 2026.\n" in brief(week())

    def test_many_restated_figures_are_counted(self):
        rows = [
            {"name": "orders", "week": f"2026-W{30 + n}", "published": 1, "now": 2, "reason": "x"} for n in range(8)
        ]
        assert "- and 3 figures more, on index.html" in brief(week(headline(), restated=rows))

    def test_a_week_of_nothing_says_so(self):
        assert "Nothing is compared here, or on too few people to say what moved." in brief(week())

    def test_names_from_outside_appear_letter_by_letter(self):
        assert plain("**a** [b](http://c) <script> @all www.d") == (
            r"\*\*a\*\* [b]\(http\://c) \<script\> \@all www\.d"
        )


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param("Why did it move?", "why-did-it-move", id="question"),
        pytest.param(
            "Who bought: new customers or returning ones?", "who-bought-new-customers-or-returning-ones", id="colon"
        ),
        pytest.param("?!", "section", id="nothing to name it by"),
    ],
)
def test_a_heading_is_found_by_its_words(text, name):
    assert slug(text) == name
