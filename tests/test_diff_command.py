"""`ecomkit diff` at the command line: what it shows, what it refuses, and where it looks for the shop."""

import json
import sys

import pytest

from ecomkit import cli
from ecomkit.report import diff as comparing
from ecomkit.report.walk import Step
from tests.conftest import TOML
from tests.published import headline

MADE = {"settings": {}, "rates": None, "definition": "k", "data": "d", "known_until": "2026-11-02T05:00:00+00:00"}
REPORT = {
    "shop": "Lantern & Leaf, tiny",
    "place": "tiny",
    "week": "2026-W44",
    "time_zone": "America/New_York",
    "currency": "EUR",
    "headlines": [headline("orders", 3), headline("aov", 20.0), headline("repeat_purchase_rate", 0.25)],
    "parameters": {"01_overview": {}},
    "made_from": MADE,
}
FOUND = {
    "shop": "Lantern & Leaf",
    "week": "2026-W44",
    "currency": "EUR",
    "known_until": [None, None],
    "restated": [
        headline("net_revenue", None)
        | {
            "published": 100,
            "now": 100.01,
            "difference": 0.01,
            "causes": [
                {"cause": "settings or rates", "amount": 0.005, "share": 0.5},
                {"cause": "refunds", "amount": 0.005, "share": 0.5},
            ],
        },
        headline("repeat_purchase_rate", None)
        | {
            "published": 0.25,
            "now": 0.26208,
            "difference": 0.01208,
            "causes": [
                {"cause": "late events", "amount": 0.01154, "share": 0.96},
                {"cause": "identity", "amount": 0.00054, "share": 0.04},
            ],
        },
        headline("orders", None)
        | {
            "published": 1300,
            "now": 1200,
            "difference": -100,
            "causes": [{"cause": "definition", "amount": -100, "share": 1.0}],
        },
    ],
    "missing": [{"name": "cac_blended", "label": "CAC", "missing_in": "older"}],
    "why": {"rates": "the file of rates changed"},
    "cannot_tell": ["The settings of then are not on this machine."],
}


@pytest.fixture
def run(monkeypatch, capsys):
    """Run `ecomkit diff` in this process; return exit status, output and errors."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["ecomkit", "diff", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "200")
        with pytest.raises(SystemExit) as left:
            cli.main()
        told = capsys.readouterr()
        return left.value.code or 0, told.out, told.err

    return run


@pytest.fixture
def write(tmp_path):
    """Write a report.json into a folder of its own, and return the folder."""

    def write(name, **more):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "report.json").write_text(json.dumps(REPORT | more))
        return folder

    return write


@pytest.fixture
def found(monkeypatch):
    monkeypatch.setattr(comparing, "diff", lambda older, newer, *, shop, progress: FOUND)


def cells(line):
    return [cell.strip() for cell in line[1:-1].split("│")]


def test_the_table_adds_up_in_cents_and_in_hundredths_of_a_point(run, found):
    status, out, err = run("older", "newer")
    rows = [cells(line) for line in out.splitlines() if line.startswith("│")]
    assert rows == [
        ["Net revenue", "EUR 100.00", "EUR 100.01", "EUR 0.01", "settings or rates", "EUR 0.01", "50 %"],
        ["", "", "", "", "refunds", "EUR 0.00", "50 %"],
        ["Repeat purchase rate", "25.00 %", "26.21 %", "1.21 points", "late events", "1.16 points", "96 %"],
        ["", "", "", "", "identity", "0.05 points", "4 %"],
        ["Orders", "1,300", "1,200", "-100", "definition", "-100", "100 %"],
    ]
    lines = out.splitlines()
    first = "Lantern & Leaf, week 2026-W44. Its calls do not say when they arrived."
    assert (status, err, lines[0]) == (0, "", first)
    assert lines[-3:] == [
        "rates: the file of rates changed.",
        "CAC is unknown in the older report.",
        "Cannot tell all causes apart. The settings of then are not on this machine.",
    ]


def test_numbers_are_written_as_the_shop_writes_them_whether_or_not_it_is_opened(run, write, tmp_path, monkeypatch):
    (tmp_path / "tiny").mkdir()
    told = TOML.replace("Test shop", REPORT["shop"]).replace("[shop]", '[shop]\nlocale = "de_DE"')
    (tmp_path / "tiny" / "shop.toml").write_text(told)
    monkeypatch.setattr(comparing, "walk", lambda folder, path, **told: ([Step("sources", None)], {}))
    older, newer = write("older"), write("newer", headlines=[headline("aov", 1021.5)])
    _status, out, _err = run(older, newer, "--shop", tmp_path / "tiny")
    [row] = [cells(line) for line in out.splitlines() if line.startswith("│")]
    assert row == ["Aov", "20,00 EUR", "1.021,50 EUR", "1.001,50 EUR", "sources", "1.001,50 EUR", "100 %"]


def test_json_is_one_object_and_nothing_else(run, found):
    status, out, err = run("older", "newer", "--json")
    assert (status, json.loads(out), err) == (0, FOUND, "")


def test_nothing_restated_says_so_and_is_no_failure(run, write):
    status, out, err = run(write("older"), write("newer"))
    known = "2026-11-02 05:00 UTC"
    assert (status, err) == (0, "")
    assert out == (
        f"Lantern & Leaf, tiny, week 2026-W44. Calls known until {known}, now until {known}.\nNothing was restated.\n"
    )


def test_a_headline_of_one_report_alone_is_told(run, write):
    older = write("older", headlines=[headline("orders", 3), headline("units", 5)])
    newer = write("newer", headlines=[headline("orders", None), headline("units", 5), headline("aov", 1.0)])
    _status, out, _err = run(older, newer)
    assert out.splitlines()[1:] == ["Orders is unknown in the newer report.", "Aov is unknown in the older report."]


def test_what_is_no_report_is_named(run, write, tmp_path):
    report, missing, broken = write("report"), tmp_path / "missing", tmp_path / "broken.json"
    assert run(missing, report) == (
        2,
        "",
        f"There is no report '{missing}'. Give a report's folder, or its report.json.\n",
    )
    broken.write_text("{")
    assert run(report, broken) == (
        2,
        "",
        f"'{broken}' is no report: Expecting property name enclosed in double quotes: line 1 column 2 (char 1). "
        "Give a report's folder, or its report.json.\n",
    )
    broken.write_text(json.dumps({name: told for name, told in REPORT.items() if name not in ("place", "made_from")}))
    assert run(report, broken) == (
        2,
        "",
        f"'{broken}' lacks 'place', 'made_from': it is no report, or one of an older kit. Publish its week anew; from "
        "then on it can be compared.\n",
    )


def test_reports_of_two_things_are_refused_with_all_that_differs(run, write):
    older = write("older", place="shop", week="2026-W43", currency="USD", parameters={"02_funnel": {"weeks": 8}})
    newer = write("newer", made_from=MADE | {"known_until": "2026-11-01T05:00:00+00:00"})
    assert run(older, newer) == (
        2,
        "",
        "These two reports cannot be compared. They are of two shops, 'shop' and 'tiny'. They are of two weeks, "
        "'2026-W43' and '2026-W44'. They are of two currencies, 'USD' and 'EUR'. They were run with other parameters: "
        "'weeks'. The first knows calls until 2026-11-02T05:00:00+00:00, the second only until "
        "2026-11-01T05:00:00+00:00. Name the older and then the newer report of one week, run with the same "
        "parameters.\n",
    )


def test_a_shop_that_lies_elsewhere_is_asked_for(run, write):
    report = write("report", place="far-away")
    status, out, err = run(report, report)
    assert (status, out) == (2, "")
    assert err.startswith("There is no shop 'far-away': no folder of that name holds a shop.toml. The shops here are ")
    assert err.endswith(". These reports are of a shop in a folder of that name: say where with --shop.\n")


def test_another_shop_is_not_taken_for_the_reports_own(run, write, tmp_path):
    report = write("report")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "shop.toml").write_text(TOML)
    assert run(report, report, "--shop", tmp_path / "mine") == (
        2,
        "",
        f"'{tmp_path / 'mine'}' is the shop 'Test shop', and the reports are of 'Lantern & Leaf, tiny'. "
        "Name it by --shop.\n",
    )


def test_a_shop_that_is_not_there_is_refused_as_everywhere(run, write):
    report = write("report")
    status, _out, err = run(report, report, "--shop", "tinny")
    assert status == 2
    assert err.startswith("There is no shop 'tinny': no folder of that name holds a shop.toml. Did you mean 'tiny'? ")
