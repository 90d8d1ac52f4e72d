"""The weekly report: what is published, what is refused, and that event text stays text."""

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_output
from rich.console import Console

from ecomkit.errors import EcomkitError, UsageError
from ecomkit.headlines import MIME, headline
from ecomkit.metrics.cards import cards
from ecomkit.metrics.comparisons import Comparison
from ecomkit.report import run as reports
from ecomkit.report.execute import Run
from ecomkit.report.page import notebook_body, sanitise
from ecomkit.report.publish import appearing
from ecomkit.report.published import is_published
from ecomkit.report.week_report import corrected
from tests.calls import order, page, track
from tests.conftest import TOML
from tests.notebooks import PARAMETERS, code, text, write_notebook

NAN = float("nan")
HOSTILE = "<script>alert(1)</script><img src=http://evil.example/x onerror=alert(1)>"
ROOT = Path(__file__).parent.parent

GOOD = f"""import pandas as pd
from IPython.display import HTML, display
from ecomkit.headlines import hand_over, headline
from ecomkit.metrics.comparisons import Comparison
from ecomkit.words import say
name = {HOSTILE!r}
say(f"**{{name}}** sells best in {{week}} of {{shop_name}}")
orders = Comparison(3, 1, 8, 2, -1, 4, 0.4, "within noise")
hand_over(headline("orders", orders, label=name, unit="count", definition=name))
display(HTML(name))
pd.DataFrame({{"product": [name, "Lamp"], "orders": [1, 12]}})"""


def show(console: Console) -> str:
    return console.file.getvalue()


def quiet() -> Console:
    return Console(file=StringIO(), width=100)


def comparison(value=1.0, *, p_value=NAN, verdict="cannot tell"):
    return Comparison(value, NAN, NAN, NAN, NAN, NAN, p_value, verdict)


def entry(name="orders", value=3.0, *, unit="count", p_value=NAN, verdict="cannot tell"):
    told = comparison(value, p_value=p_value, verdict=verdict)
    return headline(name, told, label=name.capitalize(), unit=unit, definition=f"What {name} are.")


def handed(*entries):
    names = ", ".join(f"headline('{one['name']}', ...)" for one in entries)
    return code(f"hand_over({names})", new_output("display_data", {MIME: list(entries), "text/plain": "Handed over."}))


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A report of the tiny shop by real kernels: one notebook works, one raises, one ends early."""
    folder = tmp_path_factory.mktemp("report")
    notebooks = folder / "notebooks"
    write_notebook(notebooks, "01_works", text("## Which product sells best?"), code(GOOD))
    lost = "open('/secret/place/orders.csv')"
    write_notebook(notebooks, "02_raises", code(lost), code("1 + 1"))
    write_notebook(notebooks, "03_exits", code("import sys\nsys.exit(0)"), code("1 + 1"))
    console = quiet()
    result = reports.run_report("tiny", out=folder / "out", console=console, notebooks=notebooks)
    return result, show(console)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder of a shop with two orders, on Wednesdays of W43 and W44; what is built of it lies beside it."""
    folder = tmp_path_factory.mktemp("shops") / "made"
    folder.mkdir()
    calls = (
        page(at="2026-10-21T10:00:00Z"),
        track("Order Completed", at="2026-10-21T10:05:00Z", user="u1", **order("o1", revenue=10)),
        page("d2", at="2026-10-28T10:00:00Z"),
        track("Order Completed", "d2", at="2026-10-28T10:05:00Z", user="u2", **order("o2", revenue=30)),
    )
    (folder / "calls.ndjson").write_text("\n".join(map(json.dumps, calls)), encoding="utf-8")
    (folder / "shop.toml").write_text(TOML, encoding="utf-8")
    return folder


@pytest.fixture
def made(written, monkeypatch):
    """That shop, built for the first test that opens it; the others read it."""
    monkeypatch.setattr(reports.shops, "STORE", written.parent / "store")
    monkeypatch.setenv("ECOMKIT_SALT", "test")
    return written


@pytest.fixture
def run_at_once(monkeypatch):
    """Take notebooks as they are instead of running them in kernels."""

    def take(paths, values, folder):
        for path in paths:
            yield Run(path, Path(shutil.copy(path, folder)), 0.1, None)

    monkeypatch.setattr("ecomkit.report.progress.run_notebooks", take)


def report_of(shop, folder, *, week="2026-W44", out=None, cells=(), **more):
    write_notebook(folder / "notebooks", "01_overview", *cells)
    console = quiet()
    result = reports.run_report(
        str(shop), week=week, out=out or folder / "out", console=console, notebooks=folder / "notebooks", **more
    )
    return result, show(console)


def page_of(folder, name):
    return BeautifulSoup((folder / name).read_text(encoding="utf-8"), "html.parser")


def index_of(folder):
    return page_of(folder, "index.html")


class TestRealKernels:
    def test_a_failing_notebook_does_not_take_the_others_with_it(self, published):
        result, _ = published
        assert result.failed == ("02_raises", "03_exits")
        assert sorted(path.name for path in result.folder.iterdir()) == [
            "01_works-01-which-product-sells-best.csv",
            "01_works.html",
            "brief.md",
            "index.html",
            "metrics.html",
            "report.json",
        ]

    def test_the_index_says_which_notebook_failed_and_why(self, published):
        index = index_of(published[0].folder)
        assert [" ".join(line.get_text().split()) for line in index.select(".questions .failed")] == [
            "02_raises failed: FileNotFoundError. Whoever runs the report finds why in its output.",
            "03_exits failed: The notebook stopped early. Whoever runs the report finds why in its output.",
        ]
        assert "2 of 3 notebooks failed: 02_raises, 03_exits. Their numbers are missing here." in index.get_text()

    def test_parameters_and_headlines_go_through(self, published):
        report = json.loads((published[0].folder / "report.json").read_text(encoding="utf-8"))
        works = BeautifulSoup((published[0].folder / "01_works.html").read_text(encoding="utf-8"), "html.parser")
        assert f"sells best in {report['week']} of tiny" in works.get_text()
        assert [found["name"] for found in report["headlines"]] == ["orders"]

    def test_event_text_is_shown_as_text(self, published):
        works = BeautifulSoup((published[0].folder / "01_works.html").read_text(encoding="utf-8"), "html.parser")
        index = index_of(published[0].folder)
        assert works.select_one(".answer strong").get_text() == HOSTILE
        assert works.select_one("tbody td").get_text() == f"{HOSTILE[:46]}..."  # pandas cuts
        assert index.select_one(".tile h3").get_text() == HOSTILE
        assert index.select_one(".tile .definition").get_text() == HOSTILE

    def test_the_card_of_a_headline_tells_it_as_text(self, published):
        card = page_of(published[0].folder, "metrics.html").select_one("#sales .headline")
        assert card.select_one("strong").get_text() == HOSTILE
        assert card.get_text() == f"{HOSTILE} on the index: {HOSTILE}"

    def test_pages_hold_no_script_and_make_no_request(self, published):
        for path in published[0].folder.glob("*.html"):
            content = path.read_text(encoding="utf-8")
            soup = BeautifulSoup(content, "html.parser")
            assert "<script" not in content.lower()
            assert not soup.find_all(["script", "link", "iframe", "object", "embed", "form", "video", "audio"])
            assert all(image["src"].startswith("data:image/png;base64,") for image in soup.find_all("img"))
            requests = ("srcset", "poster", "action", "background", "ping", "data", "style")
            assert not [tag for tag in soup.find_all() for name in tag.attrs if name in requests]
            assert not re.search(r"url\(|@import", content)
            assert not [tag for tag in soup.find_all() for name in tag.attrs if name.startswith("on")]
            policy = soup.select_one("meta[http-equiv]")["content"]
            assert policy.startswith("default-src 'none'; style-src 'sha256-")

    def test_nothing_published_names_a_place_on_this_machine(self, published):
        for path in published[0].folder.iterdir():
            content = path.read_text(encoding="utf-8")
            assert str(ROOT) not in content
            assert "/secret/place" not in content
            assert str(published[0].folder.parent) not in content

    def test_code_stands_folded_beside_its_outputs_and_what_hands_over_is_left_out(self, published):
        page = page_of(published[0].folder, "01_works.html")
        assert "import pandas" in page.get_text()
        assert all(cell.find_parent(class_="code") for cell in page.find_all(string=re.compile("import pandas")))
        assert "Handed to the report" not in page.get_text()

    def test_the_terminal_says_where_time_went_and_the_path_last(self, published):
        result, terminal = published
        for step in ("build", "01_works", "02_raises", "03_exits", "pages"):
            assert re.search(rf"│ {step} +│ +\d+\.\d │", terminal)
        assert terminal.splitlines()[-1] == str(result.folder / "index.html")


@pytest.mark.slow
def test_the_same_input_gives_the_same_bytes_in_every_time_zone(tmp_path):
    sums = (
        "from ecomkit.shop import open_shop\n"
        "from ecomkit.metrics.sales import sales\n"
        "from ecomkit.headlines import hand_over, headline\n"
        "from types import SimpleNamespace\n"
        "shop = open_shop(shop_name)\n"
        "as_of = shop.week(week).end_at\n"
        "rows = sales(shop.orders, shop.refunds, zone=shop.zone, as_of=as_of).to_pyarrow().to_pylist()\n"
        "hand_over(*[headline(f'aov_{n}', SimpleNamespace(value=row['aov']), label=str(row['week']), unit='money',"
        " definition='x') for n, row in enumerate(rows)])"
    )
    write_notebook(tmp_path / "notebooks", "01_overview", code(sums))
    program = (
        "import sys; from pathlib import Path; from ecomkit.report.run import run_report\n"
        "run_report('tiny', out=Path(sys.argv[1]), notebooks=Path(sys.argv[2]))"
    )
    zones = {"middle": "UTC", "east": "Asia/Tokyo", "west": "America/Los_Angeles"}
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / name), str(tmp_path / "notebooks")],
            env=os.environ | {"TZ": zone},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, zone in zones.items()
    ]
    assert [(run.communicate()[1], run.returncode) for run in runs] == [("", 0)] * len(runs)
    reports_made = {(tmp_path / name / "report.json").read_bytes() for name in zones}
    indexes = {(tmp_path / name / "index.html").read_bytes() for name in zones}
    assert len(reports_made) == len(indexes) == 1
    assert json.loads(reports_made.pop())["headlines"]


class TestReportJson:
    def test_it_holds_headlines_data_and_notebooks(self, made, tmp_path, run_at_once):
        cells = [handed(entry("orders", 1), entry("aov", 1 / 3, unit="money"))]
        result, _ = report_of(made, tmp_path, cells=cells)
        report = json.loads((result.folder / "report.json").read_text(encoding="utf-8"))
        assert {name: report[name] for name in list(report)[:7]} == {
            "shop": "Test shop",
            "place": "made",
            "week": "2026-W44",
            "first_day": "2026-10-26",
            "last_day": "2026-11-01",
            "time_zone": "UTC",
            "currency": "EUR",
        }
        assert [(found["name"], found["value"]) for found in report["headlines"]] == [
            ("orders", 1),
            ("aov", 0.3333333333),
        ]
        assert report["notebooks"] == [
            {"name": "01_overview", "question": "What does 01_overview say?", "failure": None}
        ]
        assert report["data"]["orders_in_period"] == 1
        assert (report["data"]["first_day"], report["data"]["last_day"]) == ("2026-10-21", "2026-10-28")

    def test_a_second_run_gives_the_same_bytes(self, made, tmp_path, run_at_once):
        first, _ = report_of(made, tmp_path, out=tmp_path / "first", cells=[handed(entry())])
        second, _ = report_of(made, tmp_path, out=tmp_path / "second", cells=[handed(entry())])
        for name in ("report.json", "index.html", "01_overview.html"):
            assert (first.folder / name).read_bytes() == (second.folder / name).read_bytes()


class TestVerdicts:
    def test_verdicts_hold_for_all_headlines_at_once(self):
        told = [
            entry("a", p_value=0.001, verdict="up"),
            entry("b", p_value=0.04, verdict="down"),
            entry("c", p_value=0.5, verdict="within noise"),
            entry("d", p_value=0.01, verdict="cannot tell"),
            entry("e"),
        ]
        # Benjamini-Hochberg by hand over a, b, c: 0.001 x 3, 0.04 x 3 / 2, 0.5.
        assert [(found["verdict"], found["p_value_corrected"]) for found in corrected(told)] == [
            ("up", 0.003),
            ("within noise", 0.06),
            ("within noise", 0.5),
            ("cannot tell", None),
            ("cannot tell", None),
        ]

    def test_no_headline_is_no_error(self):
        assert corrected([]) == []

    def test_tiles_show_value_interval_week_before_and_verdict(self, made, tmp_path, run_at_once):
        told = Comparison(0.0612, 0.056, 0.066, 0.07, -0.02, -0.001, 0.001, "down")
        words = {"label": "Visit-to-order rate", "unit": "rate", "definition": "Sessions with an order."}
        tile = headline("rate", told, against="the 4 weeks before", **words)
        result, _ = report_of(made, tmp_path, cells=[handed(tile)])
        [shown] = index_of(result.folder).select(".tile")
        assert [line.get_text() for line in shown.find_all(["h3", "p"])] == [
            "Visit-to-order rate",
            "6.1 %",
            "95 %: 5.6 to 6.6 %",
            "The 4 weeks before: 7.0 %",
            "▼ down",
            "Sessions with an order.",
        ]


class TestCards:
    def test_every_tile_with_a_card_leads_to_it(self, made, tmp_path, run_at_once):
        names = ("net_revenue", "revenue", "cac_blended", "made_up_by_an_analyst")
        result, _ = report_of(made, tmp_path, cells=[handed(*(entry(name) for name in names))])
        links = [tile.select_one("h3 a") for tile in index_of(result.folder).select(".tile")]
        found = [link and link["href"] for link in links]
        assert found == ["metrics.html#net_revenue", "metrics.html#sales", "metrics.html#cac", None]
        cards = page_of(result.folder, "metrics.html")
        assert all(cards.find(id=link.partition("#")[2]) for link in found if link)

    def test_cards_are_those_of_the_documentation(self, made, tmp_path, run_at_once):
        result, _ = report_of(made, tmp_path)
        shown = page_of(result.folder, "metrics.html").select(".card")
        assert [card["id"] for card in shown] == [card.name for card in cards()]
        told = " ".join(shown[0].get_text().split())
        [first, *_] = cards()
        assert " ".join(first.definition.replace("`", "").split()) in told
        assert " ".join(first.returns.replace("`", "").split()) in told

    def test_a_card_says_how_to_ask_for_its_query(self, made, tmp_path, run_at_once):
        result, _ = report_of(made, tmp_path)
        [command, also] = page_of(result.folder, "metrics.html").select("#net_revenue .command")
        assert command.get_text() == (
            f"It reads orders, refunds. ecomkit explain {Path(made).name} net_revenue --week 2026-W44"
        )
        assert also.get_text() == "Also asked as net_revenue_by_order."


class TestNotices:
    def test_a_week_that_the_data_does_not_fill_is_called_partial(self, made, tmp_path, run_at_once):
        result, _ = report_of(made, tmp_path)
        assert index_of(result.folder).select_one(".notice").get_text() == (
            "The data ends on 28 October 2026, before the week does: its numbers are partial. Weeks on 01 and 02, this "
            "one and those it is held against, count their first 2 days alone."
        )

    def test_a_week_without_an_order_says_so(self, make_shop, tmp_path, run_at_once):
        gap = make_shop(*(page(at=f"2026-10-{day}T10:00:00Z") for day in ("01", "14", "30")))
        result, _ = report_of(gap, tmp_path, week="2026-W42")
        assert [notice.get_text() for notice in index_of(result.folder).select(".notice")] == [
            "No order falls in this week."
        ]

    def test_a_week_within_the_data_that_holds_none_publishes_no_zeros(self, make_shop, tmp_path, run_at_once):
        gap = make_shop(page(at="2026-10-01T10:00:00Z"), page(at="2026-10-30T10:00:00Z"))
        result, terminal = report_of(gap, tmp_path, week="2026-W42")
        assert result.folder is None
        assert terminal.splitlines()[-1] == (
            "Week 2026-W42 holds no visit, no order and no refund of Test shop. Nothing was published."
        )

    def test_a_week_that_begins_before_the_data_is_called_partial(self, made, tmp_path, run_at_once):
        result, _ = report_of(made, tmp_path, week="2026-W43")
        assert index_of(result.folder).select_one(".notice").get_text() == (
            "The data begin on 21 October 2026, after the week did: its numbers are partial."
        )

    def test_a_page_that_cannot_be_made_is_a_failure_and_the_others_are_published(
        self, made, tmp_path, run_at_once, monkeypatch
    ):
        def spoil(path):
            raise ValueError("the table of ana@example.com is ragged")

        monkeypatch.setattr("ecomkit.report.write.tables_of", spoil)
        result, terminal = report_of(made, tmp_path)
        assert result.failed == ("01_overview",)
        assert "01_overview failed: ValueError: the table of ana@example.com is ragged" in terminal
        assert "ana@example.com" not in (result.folder / "index.html").read_text(encoding="utf-8")
        assert "ana@example.com" not in (result.folder / "report.json").read_text(encoding="utf-8")

    def test_a_history_that_fails_is_said_and_asked_again_the_next_time(self, made, tmp_path, run_at_once, monkeypatch):
        def fail(*told, **more):
            raise ValueError("no history")

        monkeypatch.setattr("ecomkit.report.aside.headline_history", fail)
        result, terminal = report_of(made, tmp_path, cells=[handed(entry())])
        assert result.failed == ("history",)
        assert "history failed: ValueError: no history" in terminal
        assert "no lines, no bands, no restated figures" in index_of(result.folder).get_text()
        told = json.loads((result.folder / "report.json").read_text(encoding="utf-8"))
        assert not is_published(result.folder, told["made_from"], told["parameters"])
        whole = told | {"has_history": True}
        (result.folder / "report.json").write_text(json.dumps(whole), encoding="utf-8")
        assert is_published(result.folder, told["made_from"], told["parameters"])

    @pytest.mark.parametrize("week", ["2020-W01", "2026-W45"])
    def test_a_week_outside_the_data_publishes_nothing(self, made, tmp_path, run_at_once, week):
        result, terminal = report_of(made, tmp_path, week=week)
        assert (result.folder, result.failed) == (None, ())
        assert terminal.splitlines()[-1] == (
            f"Week {week} lies outside the data of Test shop, which spans 21 October 2026 to 28 October 2026. "
            "Nothing was published."
        )
        assert not (tmp_path / "out").exists()

    def test_a_shop_without_data_publishes_nothing(self, make_shop, tmp_path, run_at_once):
        bare = make_shop(page(at="2026-10-01T10:00:00Z") | {"type": "group"})
        result, terminal = report_of(bare, tmp_path)
        assert result.folder is None
        assert terminal.splitlines()[-1] == "Test shop has no data yet. Nothing was published."


class TestRefusals:
    @pytest.mark.parametrize("week", ["2026-44", "W44", "2026-W60", "next"])
    def test_an_ill_formed_week_is_a_wrong_use(self, made, tmp_path, week):
        with pytest.raises(UsageError) as caught:
            report_of(made, tmp_path, week=week)
        assert str(caught.value) == (
            f"'{week}' is not an ISO week. Weeks are written like '2026-W44' and end with W52 or W53."
        )

    def test_parameters_are_checked_before_anything_runs(self, made, tmp_path, own_store):
        with pytest.raises(UsageError) as caught:
            report_of(made, tmp_path, parameters={"weeks": 3})
        assert str(caught.value) == "'weeks' is a parameter of no notebook. The notebooks take no parameters."
        assert not own_store.exists()

    def test_too_many_quarantined_rows_stop_the_report(self, make_shop, tmp_path, run_at_once):
        broken = make_shop(
            *(page(at=f"2026-10-{day}T10:00:00Z") for day in range(20, 29)), "not json", '{"cut": ', "[1, 2]"
        )
        with pytest.raises(EcomkitError) as caught:
            report_of(broken, tmp_path)
        assert re.fullmatch(
            r"25\.0 % of the rows could not be used, more than the 5\.0 % that 'max_quarantined_share' in \[limits\] "
            r"allows: \d .+\. The first is calls\.ndjson:10; the table 'quarantine' has them all, and "
            r"`ecomkit check` shows an example of each\. "
            r"Mend these rows at their source, or raise the limit if the rest is enough to decide on\.",
            str(caught.value),
        )
        assert not isinstance(caught.value, UsageError)
        assert not (tmp_path / "out").exists()

    def test_a_folder_without_notebooks_is_named(self, made, tmp_path):
        with pytest.raises(UsageError) as caught:
            reports.run_report(str(made), notebooks=tmp_path, console=quiet())
        assert str(caught.value) == f"'{tmp_path}' holds no notebook. A report runs every '*.ipynb' there."

    def test_a_folder_with_other_files_is_not_replaced(self, made, tmp_path, run_at_once):
        precious = tmp_path / "thesis"
        precious.mkdir()
        (precious / "chapter.txt").write_text("years of work", encoding="utf-8")
        with pytest.raises(UsageError) as caught:
            report_of(made, tmp_path, out=precious)
        assert str(caught.value) == (
            f"'{precious}' exists and is not a report, so it is not replaced. Name another folder with --out."
        )
        assert (precious / "chapter.txt").read_text(encoding="utf-8") == "years of work"


class TestPublishing:
    def test_an_older_report_is_replaced_whole(self, made, tmp_path, run_at_once):
        result, _ = report_of(made, tmp_path)
        (result.folder / "gone.html").write_text("old page", encoding="utf-8")
        again, _ = report_of(made, tmp_path)
        assert sorted(path.name for path in again.folder.iterdir()) == [
            "01_overview.html",
            "brief.md",
            "index.html",
            "metrics.html",
            "report.json",
        ]

    def test_an_older_report_survives_a_crash_in_the_middle(self, made, tmp_path, run_at_once, monkeypatch):
        result, _ = report_of(made, tmp_path)
        before = {path.name: path.read_bytes() for path in result.folder.iterdir()}

        def crash(*arguments, **more):
            raise RuntimeError("the disk is full")

        monkeypatch.setattr("ecomkit.report.write.report_json", crash)
        with pytest.raises(RuntimeError, match="the disk is full"):
            report_of(made, tmp_path)
        assert {path.name: path.read_bytes() for path in result.folder.iterdir()} == before
        assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".out")) == []

    def test_a_failed_swap_puts_the_older_folder_back(self, tmp_path, monkeypatch):
        target = tmp_path / "W44"
        target.mkdir()
        (target / "index.html").write_text("old", encoding="utf-8")
        rename = os.rename
        monkeypatch.setattr("ecomkit.report.publish._swapped", lambda one, other: False)

        def refuse_new(source, goal):
            if Path(source).name == "new":
                raise OSError("no space left")
            rename(source, goal)

        monkeypatch.setattr(os, "rename", refuse_new)
        with pytest.raises(OSError, match="no space left"), appearing(target) as new:
            (new / "index.html").write_text("new", encoding="utf-8")
        assert (target / "index.html").read_text(encoding="utf-8") == "old"
        assert list(tmp_path.iterdir()) == [target]

    def test_a_report_lies_under_its_shop_and_week(self, made, tmp_path, run_at_once, monkeypatch):
        monkeypatch.setattr("ecomkit.shop.ROOT", tmp_path / "kit")
        write_notebook(tmp_path / "notebooks", "01_overview")
        result = reports.run_report(str(made), week="2026-W44", console=quiet(), notebooks=tmp_path / "notebooks")
        assert result.folder == tmp_path / "kit" / "reports" / "made" / "2026-W44"
        assert (result.folder / "index.html").is_file()


class TestPages:
    @pytest.mark.parametrize(
        ("dirty", "clean"),
        [
            pytest.param("<p onclick='x()'>a</p>", "<p>a</p>", id="handler"),
            pytest.param("<script>alert(1)</script>", "alert(1)", id="script"),
            pytest.param('<img src="http://evil.example/x.png" alt="a">', '<img alt="a">', id="picture from elsewhere"),
            pytest.param('<img src="data:text/html;base64,PHA+">', "<img>", id="data that is no picture"),
            pytest.param(
                '<img src="data:image/png;base64,iVBO=">', '<img src="data:image/png;base64,iVBO=">', id="png"
            ),
            pytest.param('<a href="javascript:alert(1)">a</a>', "<a>a</a>", id="javascript link"),
            pytest.param('<a href="data:text/html,x">a</a>', "<a>a</a>", id="data link"),
            pytest.param('<a href="https://x.example/">a</a>', '<a href="https://x.example/">a</a>', id="link"),
            pytest.param('<p style="background:url(http://evil.example)">a</p>', "<p>a</p>", id="style"),
            pytest.param("<iframe src='http://evil.example'></iframe>b", "b", id="frame"),
            pytest.param("<svg><a xlink:href='javascript:x'>c</a></svg>", "<a>c</a>", id="svg"),
        ],
    )
    def test_only_allowed_tags_and_attributes_remain(self, dirty, clean):
        assert sanitise(dirty) == clean

    def test_pictures_tell_their_question_to_those_who_cannot_see_them(self, tmp_path):
        picture = new_output("display_data", {"image/png": "iVBORw0KGgo=", "text/plain": "<Figure>"})
        path = write_notebook(tmp_path, "n", text('## Where do "visits" stop?\n\nWhy.'), code("plot()", picture))
        body = BeautifulSoup(notebook_body(path).html, "html.parser")
        assert body.select_one("figure img")["alt"] == 'Picture for the question: Where do "visits" stop?'

    def test_errors_on_the_side_are_left_out(self, tmp_path):
        noise = new_output("stream", name="stderr", text="/home/ana/x.py: UserWarning")
        said = new_output("stream", name="stdout", text="<b>said</b>")
        body = notebook_body(write_notebook(tmp_path, "n", code("run()", noise, said))).html
        assert "UserWarning" not in body
        assert "&lt;b&gt;said&lt;/b&gt;" in body

    def test_tables_scroll_in_their_box_without_row_numbers(self, tmp_path):
        table = (
            '<div><style scoped>x{}</style><table border="1" class="dataframe"><thead><tr style="text-align: right;">'
            "<th></th><th>channel</th><th>rate</th><th>95 %</th><th>week</th></tr></thead><tbody>"
            "<tr><th>7</th><td>Email</td><td>6.1 %</td><td>5.6 to 6.6 %</td><td>2026-W44</td></tr>"
            "<tr><th>8</th><td>Direct</td><td>unknown</td><td>unknown</td><td>2026-W43</td></tr></tbody></table></div>"
        )
        body = BeautifulSoup(
            notebook_body(
                write_notebook(tmp_path, "n", code("frame", new_output("execute_result", {"text/html": table})))
            ).html,
            "html.parser",
        )
        assert body.select_one("div.table[tabindex] table") is not None
        assert [cell.get_text() for cell in body.select("tbody tr")[0].find_all(["th", "td"])] == [
            "Email",
            "6.1 %",
            "5.6 to 6.6 %",
            "2026-W44",
        ]
        assert [cell.get_text() for cell in body.select(".number")] == [
            *("rate", "95 %"),
            *("6.1 %", "5.6 to 6.6 %"),
            *("unknown", "unknown"),
        ]
        assert [cell.get_text() for cell in body.select("tbody .short")] == ["Email", "2026-W44", "Direct", "2026-W43"]
        assert "x{}" not in str(body)

    def test_an_index_with_a_name_stays(self, tmp_path):
        table = (
            "<table><thead><tr><th></th><th>rate</th></tr><tr><th>month</th><th></th></tr></thead>"
            "<tbody><tr><th>0</th><td>1</td></tr></tbody></table>"
        )
        path = write_notebook(tmp_path, "n", code("frame", new_output("execute_result", {"text/html": table})))
        body = BeautifulSoup(notebook_body(path).html, "html.parser")
        assert body.select_one("tbody th").get_text() == "0"

    def test_caveats_are_marked(self, tmp_path):
        path = write_notebook(tmp_path, "n", text("**Caveat.** Few orders."))
        assert BeautifulSoup(notebook_body(path).html, "html.parser").select_one("section.caveat") is not None


def test_dates_in_the_report_are_days(made, tmp_path, run_at_once):
    result, _ = report_of(made, tmp_path)
    data = json.loads((result.folder / "report.json").read_text(encoding="utf-8"))["data"]
    assert date.fromisoformat(data["first_day"]) == date(2026, 10, 21)


def test_a_report_of_a_part_says_so_and_stands_beside_that_of_the_whole(made, tmp_path, run_at_once, monkeypatch):
    write_notebook(tmp_path / "notebooks", "01_overview", parameters=f"{PARAMETERS}\nfilters: dict = {{}}  # a part")
    monkeypatch.setattr(reports.shops, "ROOT", tmp_path)
    told = {"console": quiet(), "notebooks": tmp_path / "notebooks", "week": "2026-W44"}
    result = reports.run_report(str(made), parameters={"filters": "{'channel': 'Direct'}"}, **told)
    assert result.folder == tmp_path / "reports" / "made" / "2026-W44-part"
    assert "A part of the shop. Only channel Direct." in index_of(result.folder).get_text()
    with pytest.raises(UsageError) as caught:
        reports.run_report(str(made), parameters={"filters": "{'channel': 'Email'}"}, **told)
    assert str(caught.value) == "There is no channel 'Email' in this shop. It has 'Direct'."
