"""Two reports of one week: which numbers were restated, by how much, and why."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ecomkit.errors import UsageError, quoted
from ecomkit.models.revenue_bridge import in_cents
from ecomkit.periods import iso_week
from ecomkit.report.causes import causes_of, is_restated
from ecomkit.report.ledger import folder_of
from ecomkit.report.made_from import changed_sections
from ecomkit.report.walk import DEFINITION, IDENTITY, LATE, RATES, REFUNDED, SETTINGS, SOURCES, Step, states, walk
from ecomkit.settings import load_settings
from ecomkit.shop import find_shop
from ecomkit.words import counted, listed, use_locale

_NEEDED = ("shop", "place", "week", "time_zone", "currency", "headlines", "parameters", "made_from")


def diff(
    older: Path, newer: Path, *, shop: str | None = None, progress: Callable[[str], None] = lambda step: None
) -> dict[str, Any]:
    """Return which headlines two reports of one week tell otherwise, and what each cause added.

    Parameters
    ----------
    older, newer
        Each a report's folder or its report.json; both of the same shop, week and parameters.
    shop
        The shop's folder or name; by default the reports' own.
    progress
        Told each step of the builds that this takes.

    Returns
    -------
    dict
        `shop, week, currency, known_until` (of both); `restated`, a row per headline with `name, label, unit,
        published, now, difference` and its `causes`, each with the `amount` that it added and its `share` of the
        difference in whole hundredths; `missing`, headlines that only one report knows; `why`, what each cause means
        here; `cannot_tell`, why causes could not be told apart.

    Raises
    ------
    UsageError
        If a path is no report, the two are not of the same shop, week and parameters, the newer one is named first,
        or the shop is not found.
    """
    old, new = _read(older), _read(newer)
    _refuse_unlike(old, new)
    folder = _folder(old, new, shop)
    # Not every comparison opens the shop of today, which would say so.
    use_locale(load_settings(folder / "shop.toml").locale)
    published, now = ({entry["name"]: entry for entry in report["headlines"]} for report in (old, new))
    both = [name for name in now if name in published]
    values = {name: (published[name]["value"], now[name]["value"]) for name in both}
    moved = [name for name, pair in values.items() if None not in pair and is_restated(name, *pair)]
    steps, why = [], {}
    if moved:
        path = states(old["made_from"], new["made_from"], iso_week(new["week"], new["time_zone"]).end_at)
        told = {name: value for given in new["parameters"].values() for name, value in given.items()}
        steps, calls = walk(folder, path, week=new["week"], told=told, progress=progress)
        why = _meanings(old["made_from"], new["made_from"], calls)
    rows = [_row(now[name], *values[name], steps) for name in moved]
    given = {cause for row in rows for told in row["causes"] for cause in told["cause"].split(" or ")}
    return {
        "shop": new["shop"],
        "week": new["week"],
        "currency": new["currency"],
        "known_until": [report["made_from"]["known_until"] for report in (old, new)],
        "restated": rows,
        "missing": _missing(published, now),
        "why": {cause: meaning for cause, meaning in why.items() if cause in given},
        "cannot_tell": list(dict.fromkeys(step.why_not for step in steps if step.why_not)),
    }


def _row(entry: Mapping[str, Any], published: float, now: float, steps: Sequence[Step]) -> dict[str, Any]:
    causes = causes_of(entry["name"], published, now, steps)
    difference = sum(amount for _cause, amount in causes)
    shares = in_cents([float(amount / difference) for _cause, amount in causes], 100)
    return {
        **{key: entry[key] for key in ("name", "label", "unit")},
        "published": published,
        "now": now,
        "difference": float(difference),
        "causes": [
            {"cause": cause, "amount": float(amount), "share": float(share)}
            for (cause, amount), share in zip(causes, shares, strict=True)
        ],
    }


def _missing(published: Mapping[str, Any], now: Mapping[str, Any]) -> list[dict[str, str]]:
    rows = []
    for name, entry in (published | now).items():
        known = [side.get(name, {}).get("value") is not None for side in (published, now)]
        if known[0] != known[1]:
            rows.append({"name": name, "label": entry["label"], "missing_in": "newer" if known[0] else "older"})
    return rows


def _meanings(older: Mapping[str, Any], newer: Mapping[str, Any], calls: Mapping[str, int]) -> dict[str, str]:
    sections = changed_sections(older["settings"], newer["settings"])
    arrived = {cause: counted(number, "call") for cause, number in calls.items()}
    return {
        DEFINITION: "the kit's own code changed, or what none of the other causes explains",
        SOURCES: "nothing else explains it: the sources were changed in place, or the kit of today counts otherwise",
        SETTINGS: f"shop.toml changed in {listed(f'[{section}]' for section in sections)}",
        RATES: "the file of rates changed",
        REFUNDED: f"{arrived.get(REFUNDED, 'calls')} of refunds and cancellations that arrived since",
        LATE: f"{arrived.get(LATE, 'calls')} that occurred before the end of the week and arrived since",
        IDENTITY: f"{arrived.get(IDENTITY, 'calls')} that arrived since and can only tell who was who: identify calls, "
        "and what occurred after the week",
    }


def _read(path: Path) -> dict[str, Any]:
    file = path / "report.json" if path.is_dir() else path
    if not file.is_file():
        raise UsageError(f"There is no report '{path}'. Give a report's folder, or its report.json.")
    try:
        report = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"'{file}' is no report: {error}. Give a report's folder, or its report.json.") from error
    lacks = [name for name in _NEEDED if not isinstance(report, dict) or name not in report]
    if lacks:
        raise UsageError(
            f"'{file}' lacks {quoted(lacks)}: it is no report, or one of an older kit. Publish its week anew; from "
            "then on it can be compared."
        )
    return report


def _refuse_unlike(old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    problems = []
    for what, name in (("shops", "place"), ("weeks", "week"), ("currencies", "currency")):
        if old[name] != new[name]:
            problems.append(f"They are of two {what}, '{old[name]}' and '{new[name]}'.")
    given = [
        {(notebook, name): value for notebook, told in report["parameters"].items() for name, value in told.items()}
        for report in (old, new)
    ]
    other = sorted({name for name in {*given[0], *given[1]} if given[0].get(name) != given[1].get(name)})
    if other:
        problems.append(f"They were run with other parameters: {quoted(sorted({name for _notebook, name in other}))}.")
    known = [report["made_from"]["known_until"] for report in (old, new)]
    if None not in known and datetime.fromisoformat(known[0]) > datetime.fromisoformat(known[1]):
        problems.append(f"The first knows calls until {known[0]}, the second only until {known[1]}.")
    if problems:
        raise UsageError(
            f"These two reports cannot be compared. {' '.join(problems)} "
            "Name the older and then the newer report of one week, run with the same parameters."
        )


def _folder(old: Mapping[str, Any], new: Mapping[str, Any], shop: str | None) -> Path:
    try:
        folder = find_shop(shop or folder_of(new["place"]) or new["place"])
    except UsageError as error:
        if shop:
            raise
        raise UsageError(f"{error} These reports are of a shop in a folder of that name: say where with --shop.") from (
            error
        )
    name = load_settings(folder / "shop.toml").name
    if name not in (old["shop"], new["shop"]):
        raise UsageError(f"'{folder}' is the shop '{name}', and the reports are of '{new['shop']}'. Name it by --shop.")
    return folder
