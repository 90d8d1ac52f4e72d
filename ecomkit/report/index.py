"""The page that opens a report: the week in three lines, the light, the tiles, the questions."""

from datetime import timedelta

from ecomkit.report.movements import movements
from ecomkit.report.page import render
from ecomkit.report.report_json import set_aside
from ecomkit.report.tiles import in_words, tiles
from ecomkit.report.week_report import WeekReport, span
from ecomkit.words import count, counted, day, money, short

_TABLES = ("events", "people", "sessions", "orders", "guest_orders", "customers", "ad_spend")


def index_page(report: WeekReport, *, archive: str = "") -> str:
    """Return the page that opens a report.

    Parameters
    ----------
    report
        All that is told of the week.
    archive
        The address of the page that lists the shop's weeks, seen from here; empty where there is none.
    """
    period, contents = report.period, report.contents
    rows = [
        {
            "outcome": short(row["outcome"]),
            "reason": short(row["reason"]),
            "rows": count(row["rows"]),
            "amount": "" if row["amount"] is None else money(row["amount"], report.currency),
        }
        for row in set_aside(contents)
    ]
    return render(
        "index.html.j2",
        title=f"{report.shop}, week {period.label}",
        shop=report.shop,
        week=period.label,
        span=span(period),
        archive=archive,
        movements=movements(report),
        alerts=[alert["sentence"] for alert in report.alerts],
        light=report.light.colour,
        reasons=report.light.reasons,
        notices=notices(report),
        tiles=tiles(report.headlines, report.currency),
        tests=report.tests,
        restated=[in_words(row, report.headlines, report.currency) for row in report.restated],
        notebooks=report.entries,
        standing=f"Data from {day(contents['first_day'])} to {day(contents['last_day'])}, days of {period.zone}. "
        f"The week itself holds {count(contents['orders_in_period'])} orders and "
        f"{count(contents['sessions_in_period'])} sessions.",
        tables=[(name.replace("_", " ").capitalize(), count(contents.get(name, 0))) for name in _TABLES],
        set_aside=rows,
    )


def notices(report: WeekReport) -> list[str]:
    """Say what a reader must know first: that it is a part, that a page failed, that the week is not over or empty."""
    period, contents = report.period, report.contents
    told = [f"A part of the shop. {contents['filters']}"] if contents.get("filters") else []
    failed = [entry.name for entry in report.entries if entry.failure]
    if failed:
        told.append(
            f"{len(failed)} of {len(report.entries)} notebooks failed: {', '.join(failed)}. "
            "Their numbers are missing here."
        )
    if contents["last_day"] < period.end - timedelta(days=1):
        days = counted(period.weekdays_over(contents["last_day"] + timedelta(days=1)), "day")
        told.append(
            f"The data ends on {day(contents['last_day'])}, before the week does: its numbers are partial. "
            f"Weeks on 01 and 02, this one and those it is held against, count their first {days} alone."
        )
    if contents["first_day"] > period.start:
        told.append(f"The data begin on {day(contents['first_day'])}, after the week did: its numbers are partial.")
    if not report.has_history:
        told.append("What the headlines were in earlier weeks is not known: no lines, no bands, no restated figures.")
    if not contents["orders_in_period"]:
        told.append("No order falls in this week.")
    return told
