"""The page that lists a shop's weeks, newest first."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ecomkit.headlines import form_of
from ecomkit.periods import iso_week
from ecomkit.report.page import render
from ecomkit.report.published import published_report
from ecomkit.report.week_report import span
from ecomkit.whole_files import appearing_whole, one_at_a_time
from ecomkit.words import counted

PAGE = "index.html"
# What stands beside each week.
_SHOWN = ("net_revenue", "orders", "visit_to_order_rate", "aov")


def write_archive(folder: Path) -> None:
    """Write the page that lists the reports in a shop's folder, whole, and one process at a time."""
    if not folder.is_dir():
        return
    with one_at_a_time(folder / ".archive.lock"), appearing_whole(folder / PAGE) as unfinished:
        unfinished.write_text(_page(_reports(folder)), encoding="utf-8")
        unfinished.chmod(0o644)


def _reports(folder: Path) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the reports of a folder by their folders' names, newest week first, the whole shop before its parts."""
    places = [one for one in folder.iterdir() if not one.name.startswith(".") and (one / PAGE).is_file()]
    found = [(one.name, told) for one in places if (told := published_report(one)) is not None]
    whole_first = sorted(found, key=lambda report: report[0])
    return sorted(whole_first, key=lambda report: report[1]["week"], reverse=True)


def _page(reports: list[tuple[str, Mapping[str, Any]]]) -> str:
    newest = reports[0][1] if reports else {"shop": "No report yet"}
    rows = [_row(name, report) for name, report in reports]
    heads = list(dict.fromkeys(label for row in rows for label in row["values"]))
    return render(
        "archive.html.j2",
        title=f"{newest['shop']}, all weeks",
        shop=newest["shop"],
        counted=counted(len(reports), "report"),
        heads=heads,
        rows=rows,
    )


def _row(name: str, report: Mapping[str, Any]) -> dict[str, Any]:
    shown = [entry for wanted in _SHOWN for entry in report["headlines"] if entry["name"] == wanted]
    failed = sum(1 for notebook in report["notebooks"] if notebook["failure"])
    # A report of an older kit knows no alerts.
    alerts = report.get("alerts", ())
    marks = [counted(len(alerts), "alert")] if alerts else []
    marks += [f"{counted(failed, 'notebook')} failed"] if failed else []
    return {
        "name": name,
        "span": span(iso_week(report["week"], report["time_zone"])),
        "light": report["trust"]["light"],
        "values": {entry["label"]: form_of(entry, report["currency"])(entry["value"]) for entry in shown},
        "marks": ", ".join(marks),
    }
