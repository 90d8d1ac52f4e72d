"""Past figures that a report restates: published once, and told otherwise by their own week's report today."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.periods import Period, iso_week
from ecomkit.pipeline.known import REFUNDS
from ecomkit.report.causes import is_restated
from ecomkit.report.made_from import changed_sections
from ecomkit.shop import Shop
from ecomkit.words import count, counted, listed

# What these sections say changes no headline.
_NO_NUMBERS = ("alerts", "report")
CANNOT_TELL = "cannot tell"


def restated(
    shop: Shop,
    target: Path,
    headlines: Sequence[Mapping[str, Any]],
    made: Mapping[str, Any],
    parameters: Mapping[str, Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """Return the published figures of this week and those before it that differ from what is known now.

    Only reports with the same parameters count, so that a part is never held against the whole. The reason is what
    is cheap to know; `ecomkit diff` gives each cause its share.

    Parameters
    ----------
    shop
        The opened shop.
    target
        The folder of this report, its week first in the name: the older report in it, and those of other weeks beside
        it whose names go on alike, are what was published.
    headlines
        Those of this report, each with its `history` of `week` and `value`, this week last.
    made
        What this report is made from.
    parameters
        What each notebook of it was given.

    Returns
    -------
    list
        A row per figure: `name, week, published, now, reason`, weeks in their order.
    """
    now: dict[str, dict[str, float]] = {}
    for entry in headlines:
        for one in entry.get("history", ()):
            if one["value"] is not None:
                now.setdefault(one["week"], {})[entry["name"]] = one["value"]
    rows, reports = [], {}
    this = next((entry["history"][-1]["week"] for entry in headlines if entry.get("history")), "")
    # A part, or one notebook, has its name behind the week in each of its weeks.
    behind = target.name.removeprefix(this)
    for week in sorted(now):
        report = _published(target.parent / f"{week}{behind}" / "report.json", shop.name, week)
        if report is None or _given(report["parameters"]) != _given(parameters):
            continue
        moved = [
            {"name": entry["name"], "week": week, "published": entry["value"], "now": now[week][entry["name"]]}
            for entry in report["headlines"]
            if entry["value"] is not None and entry["name"] in now[week]
        ]
        moved = [row for row in moved if is_restated(row["name"], row["published"], row["now"])]
        if moved:
            reports[week] = report["made_from"]
            rows += moved
    reasons = _reasons(shop, reports, made)
    return [row | {"reason": reasons[row["week"]]} for row in rows]


def _published(path: Path, place: str, week: str) -> Mapping[str, Any] | None:
    """Return a published report.json, None where there is none of this shop and week that says what it stands on."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        return report if (report["place"], report["week"]) == (place, week) and report["made_from"] else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _given(parameters: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    # As JSON tells them: a tuple is a list there.
    return json.loads(json.dumps({notebook: told for notebook, told in parameters.items() if told}))


def _reasons(shop: Shop, reports: Mapping[str, Mapping[str, Any]], made: Mapping[str, Any]) -> dict[str, str]:
    """Return why each week's figures may have changed since its report."""
    dated = {week: datetime.fromisoformat(then["known_until"]) for week, then in reports.items() if then["known_until"]}
    arrived = _arrived(shop, {week: (iso_week(week, shop.zone), known) for week, known in dated.items()})
    return {week: _reason(then, made, arrived.get(week, (0, 0, 0))) for week, then in reports.items()}


def _reason(then: Mapping[str, Any], made: Mapping[str, Any], arrived: tuple[int, int, int]) -> str:
    calls, refunds, others = arrived
    sections = changed_sections(then["settings"], made["settings"])
    sections = [f"[{name}]" for name in sections if name not in _NO_NUMBERS]
    told = [f"settings changed in {listed(sections)}"] if sections else []
    told += ["rates changed"] if then["rates"] != made["rates"] else []
    told += ["the kit changed"] if then["definition"] != made["definition"] else []
    if calls:
        told.append(f"{counted(calls, 'call')} of that time arrived since")
    if refunds:
        what = "1 refund or cancellation" if refunds == 1 else f"{count(refunds)} refunds or cancellations"
        told.append(f"{what} of that week's orders arrived since")
    if not told and others:
        return "calls that arrived since tell who was who, or the sources changed in place"
    return "; ".join(told) or CANNOT_TELL


def _arrived(shop: Shop, weeks: Mapping[str, tuple[Period, datetime]]) -> dict[str, tuple[int, int, int]]:
    """Count per week what arrived since its report: calls of that time, refunds of its orders, all other calls."""
    if not weeks:
        return {}
    whole = shop.whole
    placed = whole.orders.select("order_id", "ordered_at")
    events = whole.events.select("event_name", "order_id", "occurred_at", "received_at")
    since = events.filter(_.received_at > min(known for _period, known in weeks.values())).left_join(placed, "order_id")
    counts: dict[str, ir.IntegerScalar] = {}
    for number, (period, known) in enumerate(weeks.values()):
        late, refund = since.received_at > known, since.event_name.isin(REFUNDS)
        of_then, of_its = since.occurred_at < period.end_at, refund & period.holds(since.ordered_at)
        kinds = (of_then & ~of_its.fill_null(False), of_its.fill_null(False), ibis.literal(True))
        counts |= {f"{kind}_{number}": (late & what).sum() for kind, what in enumerate(kinds)}
    [row] = since.agg(**counts).to_pyarrow().to_pylist()
    return {week: tuple(row[f"{kind}_{number}"] or 0 for kind in range(3)) for number, week in enumerate(weeks)}
