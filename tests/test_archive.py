"""The page that lists a shop's weeks."""

import json

from bs4 import BeautifulSoup

from ecomkit.report.archive import write_archive


def publish(folder, name, week, *, orders=3, light="green", **more):
    told = {
        "shop": "Lantern & Leaf",
        "week": week,
        "time_zone": "UTC",
        "currency": "EUR",
        "trust": {"light": light, "reasons": []},
        "headlines": [{"name": "orders", "label": "Orders", "unit": "count", "value": orders}],
        "notebooks": [{"name": "01_overview", "question": "?", "failure": None}],
        "alerts": [],
    }
    (folder / name).mkdir(parents=True)
    (folder / name / "index.html").write_text("page", encoding="utf-8")
    (folder / name / "report.json").write_text(json.dumps(told | more), encoding="utf-8")


def rows(folder):
    page = BeautifulSoup((folder / "index.html").read_text(encoding="utf-8"), "html.parser")
    return [
        [" ".join(cell.get_text().split()) for cell in row.find_all(["th", "td"])] for row in page.select("tbody tr")
    ]


def test_the_newest_week_comes_first_and_the_whole_before_its_parts(tmp_path):
    publish(tmp_path, "2026-W43", "2026-W43", orders=1_200)
    publish(tmp_path, "2026-W44-part", "2026-W44")
    publish(tmp_path, "2026-W44", "2026-W44", light="red")
    write_archive(tmp_path)
    assert rows(tmp_path) == [
        ["2026-W44", "26 October to 1 November 2026", "red", "3", ""],
        ["2026-W44-part", "26 October to 1 November 2026", "green", "3", ""],
        ["2026-W43", "19 October to 25 October 2026", "green", "1,200", ""],
    ]


def test_alerts_and_failures_are_marked(tmp_path):
    failed = [{"name": "01_overview", "question": "?", "failure": "ValueError"}]
    publish(tmp_path, "2026-W44", "2026-W44", alerts=[{"sentence": "x"}], notebooks=failed)
    write_archive(tmp_path)
    assert rows(tmp_path)[0][-1] == "1 alert, 1 notebook failed"


def test_a_report_of_an_older_kit_is_listed_and_what_is_no_report_is_passed_over(tmp_path):
    publish(tmp_path, "2026-W44", "2026-W44")
    told = json.loads((tmp_path / "2026-W44" / "report.json").read_text(encoding="utf-8"))
    del told["alerts"]
    (tmp_path / "2026-W44" / "report.json").write_text(json.dumps(told), encoding="utf-8")
    publish(tmp_path, "2026-W43", "2026-W43")
    (tmp_path / "2026-W43" / "report.json").write_text("", encoding="utf-8")
    (tmp_path / "notes").mkdir()
    (tmp_path / ".2026-W45.x.unfinished").mkdir()
    write_archive(tmp_path)
    assert [row[0] for row in rows(tmp_path)] == ["2026-W44"]


def test_its_links_lead_to_the_reports(tmp_path):
    publish(tmp_path, "2026-W44", "2026-W44")
    write_archive(tmp_path)
    page = BeautifulSoup((tmp_path / "index.html").read_text(encoding="utf-8"), "html.parser")
    assert [(tmp_path / link["href"]).read_text(encoding="utf-8") for link in page.select("tbody a")] == ["page"]
