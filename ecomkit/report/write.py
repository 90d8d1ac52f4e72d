"""Every file of a report, written into one folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ecomkit.csv_text import ENCODING
from ecomkit.report.brief import brief
from ecomkit.report.cards import cards_of, cards_page
from ecomkit.report.csv_tables import tables_of
from ecomkit.report.execute import Run
from ecomkit.report.index import index_page
from ecomkit.report.page import Body, handed_over, heading, notebook_body, render
from ecomkit.report.report_json import report_json
from ecomkit.report.week_report import Entry, WeekReport, span


class Page(NamedTuple):
    """What a run becomes: its place on the index, its headlines, and its body where it is published."""

    entry: Entry
    headlines: list[dict[str, Any]]
    source: Path
    body: Body | None


def page_of(run: Run, folder: Path) -> Page:
    """Return a run as a page, and write its tables as CSV into the folder; of a run that failed only its question."""
    question, lead = heading(run.source)
    if run.failure:
        # What an error says may hold anything that the data hold: readers are told its kind.
        return Page(Entry(run.name, question, lead, run.failure.partition(": ")[0]), [], run.source, None)
    tables = tables_of(run.executed)
    body = notebook_body(run.executed, [name for name, _text in tables])
    headlines = handed_over(run.executed)
    for name, text in tables:
        (folder / name).write_text(text, encoding=ENCODING, newline="")
    return Page(Entry(run.name, question, lead, None, body.questions), headlines, run.source, body)


def write_report(folder: Path, report: WeekReport, pages: Sequence[Page], *, archive: str = "") -> None:
    """Write the pages, the index, the cards, the brief and report.json into a folder.

    Parameters
    ----------
    folder
        Where they go.
    report
        All that is told of the week.
    pages
        Those of its notebooks, in order.
    archive
        The address of the page that lists the shop's weeks, seen from the folder; empty where there is none.
    """
    published = [page for page in pages if page.body is not None]
    for number, page in enumerate(published):
        around = {
            "previous": published[number - 1].entry if number else None,
            "following": published[number + 1].entry if number + 1 < len(published) else None,
        }
        _write(folder / f"{page.entry.name}.html", _notebook_page(report, page, archive, around))
    _write(folder / "index.html", index_page(report, archive=archive))
    _write(folder / "metrics.html", cards_page(report))
    _write(folder / "brief.md", brief(report))
    _write(folder / "report.json", report_json(report))


def _notebook_page(report: WeekReport, page: Page, archive: str, around: Mapping[str, Entry | None]) -> str:
    return render(
        "page.html.j2",
        title=f"{page.entry.question} {report.shop}, week {report.period.label}",
        shop=report.shop,
        week=report.period.label,
        span=span(report.period),
        archive=archive,
        questions=page.entry.questions,
        given=report.parameters.get(page.entry.name, {}),
        body=page.body.html,
        cards=cards_of(page.source),
        **around,
    )


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
