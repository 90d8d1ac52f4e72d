"""The index page and report.json: the same numbers for readers and for machines."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from ecomkit.headlines import ten_digits
from ecomkit.metrics.cards import card_name
from ecomkit.metrics.comparisons import benjamini_hochberg
from ecomkit.periods import Period
from ecomkit.report.page import render
from ecomkit.trust import Light
from ecomkit.words import count, counted, day, days, interval, money, percent, short

_LEVEL = 0.05
_MARKS = {"up": "▲", "down": "▼", "within noise": "≈", "cannot tell": "?"}
_TABLES = ("events", "people", "sessions", "orders", "guest_orders", "customers", "ad_spend")


@dataclass(frozen=True)
class Entry:
    """One notebook as the index lists it; `failure` is None where its page is published."""

    name: str
    question: str
    lead: str
    failure: str | None


def corrected(headlines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return headlines whose verdicts hold for all of them at once.

    Only numbers with a p-value and a verdict other than `cannot tell` count as
    looked at. `up` and `down` become `within noise` where the corrected
    p-value passes 0.05.
    """
    tested = [entry["p_value"] for entry in headlines if _is_tested(entry)]
    adjusted = iter(benjamini_hochberg(tested))
    result = []
    for entry in headlines:
        p_value = ten_digits(next(adjusted)) if _is_tested(entry) else None
        noise = p_value is not None and p_value > _LEVEL and entry["verdict"] in ("up", "down")
        result.append({**entry, "p_value_corrected": p_value} | ({"verdict": "within noise"} if noise else {}))
    return result


def _is_tested(entry: Mapping[str, Any]) -> bool:
    return entry["p_value"] is not None and entry["verdict"] not in (None, "cannot tell")


def span(period: Period) -> str:
    """Return the first and last day of a period in words, the year once if it is one."""
    first, last = day(period.start), day(period.end - timedelta(days=1))
    return f"{first.removesuffix(last[-5:])} to {last}"


def report_json(
    *,
    shop: str,
    currency: str,
    period: Period,
    contents: Mapping[str, Any],
    headlines: Sequence[Mapping[str, Any]],
    entries: Sequence[Entry],
    light: Light,
) -> str:
    """Return the report for machines: the same text for the same input, whenever and wherever it is made."""
    report = {
        "shop": shop,
        "week": period.label,
        "first_day": period.start,
        "last_day": period.end - timedelta(days=1),
        "time_zone": period.zone,
        "currency": currency,
        "trust": {"light": light.colour, "reasons": light.reasons},
        "headlines": headlines,
        "notebooks": [{"name": entry.name, "question": entry.question, "failure": entry.failure} for entry in entries],
        "data": {**contents, "set_aside": _set_aside(contents)},
    }
    return json.dumps(report, indent=2, ensure_ascii=False, default=_as_json) + "\n"


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else ten_digits(value)


def _set_aside(contents: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = [
        {"outcome": outcome, "reason": reason, "rows": rows, "amount": ten_digits(amount)}
        for outcome, reason, rows, amount in contents.get("set_aside", ())
    ]
    return sorted(rows, key=lambda row: (row["outcome"], -row["rows"], row["reason"]))


def index_page(
    *,
    shop: str,
    currency: str,
    period: Period,
    contents: Mapping[str, Any],
    headlines: Sequence[Mapping[str, Any]],
    entries: Sequence[Entry],
    light: Light,
) -> str:
    """Return the page that opens a report: headline tiles, questions, and what the data holds."""
    rows = [
        {
            "outcome": short(row["outcome"]),
            "reason": short(row["reason"]),
            "rows": count(row["rows"]),
            "amount": "" if row["amount"] is None else money(row["amount"], currency),
        }
        for row in _set_aside(contents)
    ]
    return render(
        "index.html.j2",
        title=f"{shop}, week {period.label}",
        shop=shop,
        week=period.label,
        span=span(period),
        light=light.colour,
        reasons=light.reasons,
        notices=_notices(period, contents, entries),
        # What moved comes first; what nothing is compared with stands behind.
        tiles=[_tile(entry, currency) for entry in sorted(headlines, key=lambda entry: entry["verdict"] is None)],
        tests=sum(_is_tested(entry) for entry in headlines),
        notebooks=entries,
        standing=f"Data from {day(contents['first_day'])} to {day(contents['last_day'])}, days of {period.zone}. "
        f"The week itself holds {count(contents['orders_in_period'])} orders and "
        f"{count(contents['sessions_in_period'])} sessions.",
        tables=[(name.replace("_", " ").capitalize(), count(contents.get(name, 0))) for name in _TABLES],
        set_aside=rows,
    )


def _notices(period: Period, contents: Mapping[str, Any], entries: Sequence[Entry]) -> list[str]:
    notices = [f"A part of the shop. {contents['filters']}"] if contents.get("filters") else []
    failed = [entry.name for entry in entries if entry.failure]
    if failed:
        notices.append(
            f"{len(failed)} of {len(entries)} notebooks failed: {', '.join(failed)}. Their numbers are missing here."
        )
    if contents["last_day"] < period.end - timedelta(days=1):
        days = counted(period.weekdays_over(contents["last_day"] + timedelta(days=1)), "day")
        notices.append(
            f"The data ends on {day(contents['last_day'])}, before the week does: its numbers are partial. "
            f"Weeks on 01 and 02, this one and those it is held against, count their first {days} alone."
        )
    if not contents["orders_in_period"]:
        notices.append("No order falls in this week.")
    return notices


def _tile(entry: Mapping[str, Any], currency: str) -> dict[str, Any]:
    def form(value: float | None) -> str:
        if entry["unit"] == "money":
            return money(value, currency, 0 if abs(entry["value"] or 0) >= 1_000 else 2)
        return {"count": count, "rate": percent, "days": days}[entry["unit"]](value)

    has_interval = entry["low"] is not None and entry["high"] is not None
    return {
        "label": entry["label"],
        "card": card_name(entry["name"]),
        "value": form(entry["value"]),
        "interval": interval(entry["low"], entry["high"], form) if has_interval else "",
        "before": "" if entry["before"] is None else form(entry["before"]),
        "against": entry["against"][:1].upper() + entry["against"][1:],
        "verdict": entry["verdict"],
        "mark": _MARKS.get(entry["verdict"], ""),
        "definition": entry["definition"],
        "across": counted(len(entry["across"]), "break") if entry["across"] else "",
    }
