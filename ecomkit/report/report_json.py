"""report.json: the report for machines, of the form that report.schema.json holds it to."""

import json
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from ecomkit.headlines import ten_digits
from ecomkit.report.movements import movements
from ecomkit.report.week_report import WeekReport

SCHEMA = Path(__file__).parent / "report.schema.json"


def report_json(report: WeekReport) -> str:
    """Return the report for machines: the same text for the same input, whenever and wherever it is made."""
    period, contents = report.period, report.contents
    told = {
        "shop": report.shop,
        "place": report.place,
        "week": period.label,
        "first_day": period.start,
        "last_day": period.end - timedelta(days=1),
        "time_zone": period.zone,
        "currency": report.currency,
        "trust": {"light": report.light.colour, "reasons": report.light.reasons},
        "movements": [movement._asdict() for movement in movements(report)],
        "alerts": report.alerts,
        "headlines": report.headlines,
        "has_history": report.has_history,
        "restated": report.restated,
        "notebooks": [
            {"name": entry.name, "question": entry.question, "failure": entry.failure} for entry in report.entries
        ],
        "parameters": report.parameters,
        "data": {**contents, "set_aside": set_aside(contents)},
        "made_from": report.made_from,
    }
    return json.dumps(told, indent=2, ensure_ascii=False, default=_as_json) + "\n"


def set_aside(contents: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what was set aside or changed, by outcome and then the most first."""
    rows = [
        {"outcome": outcome, "reason": reason, "rows": rows, "amount": ten_digits(amount)}
        for outcome, reason, rows, amount in contents.get("set_aside", ())
    ]
    return sorted(rows, key=lambda row: (row["outcome"], -row["rows"], row["reason"]))


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else ten_digits(value)
