"""Which weeks a report publishes: the last settled one, many at once, one notebook; and when nothing is new."""

import json
import shutil
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from nbformat.v4 import new_output
from rich.console import Console

from ecomkit.errors import UsageError
from ecomkit.headlines import MIME, headline
from ecomkit.metrics.comparisons import Comparison
from ecomkit.periods import iso_week
from ecomkit.report import run as reports
from ecomkit.report.execute import Run
from ecomkit.report.report_json import SCHEMA
from ecomkit.report.weeks import is_settled, weeks_between
from tests.calls import order, page, track
from tests.conftest import TOML
from tests.notebooks import PARAMETERS, code, write_notebook

WEEKS = ("2026-10-14", "2026-10-21", "2026-10-28")


def orders_of(label="Orders", value=1):
    told = Comparison(value, 0, 3, 1, -2, 2, 0.9, "within noise")
    entry = headline("orders", told, label=label, unit="count", definition="Orders not cancelled")
    handed = new_output("display_data", {MIME: [entry], "text/plain": "Handed over."})
    return code(f"hand_over(headline('orders', label={label!r}))", handed)


@pytest.fixture
def kit(tmp_path, monkeypatch):
    """A kit in a folder of the test, with one notebook that is taken as it is; return its runs."""
    monkeypatch.setattr("ecomkit.shop.ROOT", tmp_path / "kit")
    write_notebook(tmp_path / "notebooks", "01_overview", orders_of())
    ran = []

    def take(paths, values, folder):
        for path in paths:
            ran.append((path.stem, values[path.stem]))
            yield Run(path, Path(shutil.copy(path, folder)), 0.1, None)

    monkeypatch.setattr("ecomkit.report.progress.run_notebooks", take)
    return ran


def calls(*days):
    for number, day in enumerate(days):
        yield page(f"d{number}", at=f"{day}T10:00:00Z")
        bought = order(f"o{number}", revenue=10)
        yield track("Order Completed", f"d{number}", at=f"{day}T10:05:00Z", user=f"u{number}", **bought)


def report(shop, tmp_path, *, run=reports.run_report, weeks=(), **more):
    console = Console(file=StringIO(), width=100)
    result = run(str(shop), *weeks, console=console, notebooks=tmp_path / "notebooks", **more)
    return result, console.file.getvalue().splitlines()


def folders(tmp_path, shop):
    return sorted(path.name for path in (tmp_path / "kit" / "reports" / Path(shop).name).iterdir() if path.is_dir())


def told_of(folder):
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def test_many_weeks_are_published_from_one_shop_and_listed(kit, make_shop, tmp_path, monkeypatch):
    shop = make_shop(*calls(*WEEKS, "2026-11-03"))
    opened = []
    open_shop = reports.shops.open_shop
    monkeypatch.setattr("ecomkit.shop.open_shop", lambda *told, **more: opened.append(told) or open_shop(*told, **more))
    published, lines = report(shop, tmp_path, run=reports.run_reports, weeks=("2026-W41", "2026-W44"))
    assert [one.folder and one.folder.name for one in published] == [None, "2026-W42", "2026-W43", "2026-W44"]
    assert len(opened) == 1
    assert [values["week"] for _name, values in kit] == ["2026-W42", "2026-W43", "2026-W44"]
    assert "Week 2026-W44, 4 of 4" in lines
    listed = (tmp_path / "kit" / "reports" / "made" / "index.html").read_text(encoding="utf-8")
    assert listed.index("2026-W44/index.html") < listed.index("2026-W42/index.html")


def test_what_was_published_and_still_holds_is_not_run_again(kit, make_shop, tmp_path):
    shop = make_shop(*calls(*WEEKS))
    report(shop, tmp_path, run=reports.run_reports, weeks=("2026-W42", "2026-W43"))
    _, lines = report(shop, tmp_path, run=reports.run_reports, weeks=("2026-W42", "2026-W44"))
    assert [values["week"] for _name, values in kit] == ["2026-W42", "2026-W43", "2026-W44"]
    assert (
        "Nothing new since the report of week 2026-W42: data, settings and notebooks are the same. "
        "Nothing was published." in lines
    )


@pytest.mark.slow
def test_the_last_week_is_run_again_once_something_is_new(kit, make_shop, tmp_path):
    shop = make_shop(*calls(*WEEKS, "2026-11-03"))
    for expected in (1, 1):
        report(shop, tmp_path)
        assert len(kit) == expected
    late = track("Order Completed", "d9", at="2026-10-28T10:05:00Z", user="u9", **order("o9", revenue=10))
    make_shop(*calls(*WEEKS, "2026-11-03"), late | {"receivedAt": "2026-11-03T12:00:00Z"})
    result, _ = report(shop, tmp_path)
    assert len(kit) == 2
    assert told_of(result.folder)["data"]["orders_in_period"] == 2


@pytest.mark.slow
def test_a_changed_notebook_is_something_new(kit, make_shop, tmp_path):
    shop = make_shop(*calls(*WEEKS, "2026-11-03"))
    report(shop, tmp_path)
    write_notebook(tmp_path / "notebooks", "01_overview", orders_of(label="All orders"))
    report(shop, tmp_path)
    assert len(kit) == 2


@pytest.mark.slow
def test_a_week_asked_for_is_always_run(kit, make_shop, tmp_path):
    shop = make_shop(*calls(*WEEKS))
    for _ in range(2):
        report(shop, tmp_path, week="2026-W44")
    assert len(kit) == 2


@pytest.mark.slow
def test_a_week_waits_for_its_late_calls(kit, make_shop, tmp_path):
    waits = TOML + "[report]\nwait_hours = 72\n"
    shop = make_shop(*calls(*WEEKS, "2026-11-03"), toml=waits)
    result, _ = report(shop, tmp_path)
    assert result.folder.name == "2026-W43"
    make_shop(*calls(*WEEKS, "2026-11-05"), toml=waits)
    result, _ = report(shop, tmp_path)
    assert result.folder.name == "2026-W44"


@pytest.mark.parametrize(
    ("reached", "settled"),
    [
        pytest.param(datetime(2026, 11, 5, tzinfo=UTC), True, id="at the instant"),
        pytest.param(datetime(2026, 11, 4, 23, 59, 59, tzinfo=UTC), False, id="one second before"),
    ],
)
def test_a_week_is_settled_once_the_data_reach_so_far(reached, settled):
    assert is_settled(iso_week("2026-W44", "UTC"), reached, 72) == settled


def test_weeks_between_cross_the_year():
    labels = [week.label for week in weeks_between("2026-W52", "2027-W02", "UTC")]
    assert labels == ["2026-W52", "2026-W53", "2027-W01", "2027-W02"]


def test_weeks_the_wrong_way_round_are_a_wrong_use():
    with pytest.raises(UsageError) as caught:
        weeks_between("2026-W44", "2026-W43", "UTC")
    assert str(caught.value) == (
        "The weeks from '2026-W44' to '2026-W43' are none: the last lies before the first. Swap them."
    )


@pytest.mark.slow
def test_one_notebook_runs_beside_the_whole_report_with_a_breakdown_by_any_name(kit, make_shop, tmp_path):
    shop = make_shop(*calls(*WEEKS))
    breakdown = f'{PARAMETERS}\nvisits_by: str = "channel"  # a column'
    write_notebook(tmp_path / "notebooks", "02_funnel", parameters=breakdown)
    given = {"only": "02_funnel", "parameters": {"by": "device"}, "week": "2026-W44"}
    result, _ = report(shop, tmp_path, **given)
    assert result.folder.name == "2026-W44-02_funnel"
    assert [(name, values["visits_by"]) for name, values in kit] == [("02_funnel", "device_type")]
    page_text = (result.folder / "02_funnel.html").read_text(encoding="utf-8")
    assert "<code>visits_by = device_type</code>" in page_text


def test_an_unknown_notebook_is_a_wrong_use(kit, make_shop, tmp_path):
    with pytest.raises(UsageError) as caught:
        report(make_shop(*calls(*WEEKS)), tmp_path, only="01_overwiev")
    assert str(caught.value) == (
        "There is no notebook '01_overwiev' in 'notebooks'. Did you mean '01_overview'? It has '01_overview'."
    )


def test_an_alert_stands_on_the_index_in_the_brief_and_in_report_json(kit, make_shop, tmp_path):
    shop = make_shop(*calls(*WEEKS), toml=TOML + "[alerts]\norders = {below = 2}\n")
    result, lines = report(shop, tmp_path, week="2026-W44")
    sentence = "Orders: 1, less than the 2 that [alerts] asks for."
    assert result.alerts == (sentence,)
    assert f"Alert: {sentence}" in lines
    assert sentence in (result.folder / "index.html").read_text(encoding="utf-8")
    assert "- **Alert.** Orders: 1, less than the 2 that [alerts] asks for." in (
        (result.folder / "brief.md").read_text(encoding="utf-8")
    )
    assert [alert["sentence"] for alert in told_of(result.folder)["alerts"]] == [sentence]


@pytest.mark.slow
def test_a_restated_figure_is_named_and_the_older_report_kept(kit, make_shop, tmp_path):
    shop = make_shop(*calls(*WEEKS, "2026-11-03"))
    first, _ = report(shop, tmp_path, week="2026-W44")
    published = told_of(first.folder)
    write_notebook(tmp_path / "notebooks", "01_overview", orders_of(value=2))
    late = track("Order Completed", "d9", at="2026-10-28T10:05:00Z", user="u9", **order("o9", revenue=10))
    make_shop(*calls(*WEEKS, "2026-11-03"), late | {"receivedAt": "2026-11-03T12:00:00Z"})
    again, _ = report(shop, tmp_path, week="2026-W44")
    [row] = told_of(again.folder)["restated"]
    assert {name: row[name] for name in ("name", "week", "published", "now")} == {
        "name": "orders",
        "week": "2026-W44",
        "published": 1,
        "now": 2,
    }
    assert json.loads((again.folder / "earlier" / "1.json").read_text(encoding="utf-8")) == published
    third, _ = report(shop, tmp_path, week="2026-W44")
    assert sorted(path.name for path in (third.folder / "earlier").iterdir()) == ["1.json"]


def test_report_json_keeps_to_its_schema(kit, make_shop, tmp_path):
    validator = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    validator.check_schema(validator.schema)
    shop = make_shop(
        *calls(*WEEKS),
        "not json",
        toml=TOML + "[alerts]\norders = {below = 2}\n[limits]\nmax_quarantined_share = 1.0\n",
    )
    for given in ({}, {"only": "01_overview"}):
        result, _ = report(shop, tmp_path, week="2026-W44", **given)
        assert [error.message for error in validator.iter_errors(told_of(result.folder))] == []
    spoilt = told_of(result.folder) | {"week": "W44"}
    assert [error.message for error in validator.iter_errors(spoilt)] == ["'W44' does not match '^\\\\d{4}-W\\\\d{2}$'"]
