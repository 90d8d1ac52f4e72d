"""A report names the past figures that it restates, and what is cheap to know of why."""

import json

import pytest

from ecomkit.report.made_from import made_from
from ecomkit.report.restated import restated

# The newest call of the tiny shop arrived on 2 November.
NOW, THEN = "2026-W44", "2026-W41"
HISTORY = [{"week": THEN, "value": 7}, {"week": "2026-W42", "value": None}, {"week": NOW, "value": 9}]
HEADLINES = [{"name": "orders", "history": HISTORY}]


@pytest.fixture(scope="module")
def made(tiny):
    return made_from(tiny, [])


@pytest.fixture
def rows(tiny, made, tmp_path):
    """Ask the report of the newest week what it restates of the reports in the test's folder."""

    def asked(parameters=None, headlines=HEADLINES, folder=NOW):
        return restated(tiny, tmp_path / folder, headlines, made, parameters or {"01_overview": {}})

    return asked


@pytest.fixture
def publish(made, tmp_path):
    """Put a report.json of a week beside the newest one's, told otherwise by `more`."""

    def write(folder, value, *, stands_on=None, **more):
        report = {
            "place": "tiny",
            "week": folder,
            "headlines": [{"name": "orders", "value": value}],
            "parameters": {"01_overview": {}},
            "made_from": made | (stands_on or {}),
        }
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "report.json").write_text(json.dumps(report | more))

    return write


def test_past_weeks_and_the_one_that_is_replaced_are_held_against_what_is_known_now(publish, rows):
    publish(THEN, 6)
    publish("2026-W42", 5)
    publish(NOW, 8)
    assert rows() == [
        {"name": "orders", "week": THEN, "published": 6, "now": 7, "reason": "cannot tell"},
        {"name": "orders", "week": NOW, "published": 8, "now": 9, "reason": "cannot tell"},
    ]


def test_one_notebook_is_held_against_its_own_past_weeks(publish, rows):
    publish(THEN, 5)
    publish(f"{THEN}-01_overview", 6, week=THEN)
    publish(f"{NOW}-01_overview", 8, week=NOW)
    found = [(row["week"], row["published"], row["now"]) for row in rows(folder=f"{NOW}-01_overview")]
    assert found == [(THEN, 6, 7), (NOW, 8, 9)]


def test_this_week_is_found_where_its_first_headline_is_unknown(publish, rows):
    publish(THEN, 6)
    publish(NOW, 8)
    first = {"name": "aov", "history": [HISTORY[0], {"week": NOW, "value": None}]}
    assert [row["week"] for row in rows(headlines=[first, *HEADLINES])] == [THEN, NOW]
    unknown = {"name": "orders", "history": [HISTORY[0], {"week": NOW, "value": None}]}
    assert [row["week"] for row in rows(headlines=[unknown])] == [THEN]


def test_what_holds_to_the_tenth_digit_is_not_restated(publish, rows):
    publish(THEN, 7)
    publish(NOW, 9.000000001)
    assert rows() == []


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"parameters": {"01_overview": {"by": "country"}}}, id="other parameters"),
        pytest.param({"parameters": {"01_overview": {"filters": {"country": "DE"}}}}, id="a part"),
        pytest.param({"place": "shop"}, id="another shop"),
        pytest.param({"week": "2026-W40"}, id="another week"),
        pytest.param({"made_from": {}}, id="an older kit"),
        pytest.param({"headlines": [{"name": "orders", "value": None}]}, id="a figure that was unknown"),
        pytest.param({"headlines": [{"name": "mine", "value": 1}]}, id="a figure of which nothing is known now"),
    ],
)
def test_what_tells_of_something_else_does_not_count(more, publish, rows):
    publish(THEN, 6, **more)
    assert rows() == []


@pytest.mark.parametrize("text", ["", "{", "[]", '"text"', '{"week": "2026-W41"}'])
def test_a_file_that_is_no_report_is_passed_over(text, rows, tmp_path):
    (tmp_path / THEN).mkdir()
    (tmp_path / THEN / "report.json").write_text(text)
    assert rows() == []


def test_notebooks_without_parameters_of_their_own_are_all_alike(publish, rows):
    publish(THEN, 6, parameters={"01_overview": {"steps": ["a"]}, "07_new": {}})
    assert len(rows(parameters={"01_overview": {"steps": ("a",)}, "02_funnel": {}})) == 1


def known(until):
    return {"known_until": f"2026-{until}+00:00"}


@pytest.mark.parametrize(
    ("stands_on", "reason"),
    [
        pytest.param({"rates": None}, "rates changed", id="rates"),
        pytest.param({"definition": "0"}, "the kit changed", id="the kit"),
        pytest.param(
            known("10-06T10:01:30"),
            "2 calls of that time arrived since; 1 refund or cancellation of that week's orders arrived since",
            id="an order of the week, told twice, and its refund weeks later",
        ),
        pytest.param(
            known("10-07T00:00:00"),
            "1 refund or cancellation of that week's orders arrived since",
            id="the refund alone",
        ),
        pytest.param(
            known("11-01T15:00:00") | {"rates": "0"},
            "rates changed",
            id="calls of later weeks are no reason beside another",
        ),
        pytest.param(
            known("11-01T15:00:00"),
            "calls that arrived since tell who was who, or the sources changed in place",
            id="but are one where there is no other",
        ),
        pytest.param({"known_until": None}, "cannot tell", id="a shop without arrivals"),
    ],
)
def test_the_reason_is_what_is_cheap_to_know(stands_on, reason, publish, rows):
    publish(THEN, 6, stands_on=stands_on)
    [row] = rows()
    assert row["reason"] == reason


def test_changed_sections_are_named_but_for_those_that_change_no_number(publish, rows, made):
    sections = made["settings"] | {"money": "0", "alerts": "0", "report": "0"}
    publish(THEN, 6, stands_on={"settings": {name: told for name, told in sections.items() if name != "margin"}})
    [row] = rows()
    assert row["reason"] == "settings changed in [margin] and [money]"


def test_every_week_has_the_reasons_since_its_own_report(publish, rows):
    publish(THEN, 6, stands_on=known("10-07T00:00:00"))
    publish(NOW, 8, stands_on=known("10-31T23:55:00") | {"definition": "0"})
    assert [row["reason"] for row in rows()] == [
        "1 refund or cancellation of that week's orders arrived since",
        "the kit changed; 4 calls of that time arrived since",
    ]
