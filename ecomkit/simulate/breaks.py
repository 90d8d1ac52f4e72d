"""What breaks in a shop's tracking, planted into calls that are already sent: lost, doubled, emptied, invented.

The draws come from a stream of their own, so that a shop without breaks keeps its bytes.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np

from ecomkit.periods import day_start
from ecomkit.simulate.calendar import OPENING_HOUR, ZONE, milliseconds
from ecomkit.simulate.calls import Archive, iso, to_line
from ecomkit.simulate.catalogue import DESKTOPS, PHONES, PRODUCTS
from ecomkit.simulate.dice import chance, pick, uniforms, whole
from ecomkit.simulate.oddities import bare_page
from ecomkit.simulate.people import new_device

_STREAM = 5  # of the seed
BOTS_A_DAY = 400
NEW_VERSION = "next-1.85.0"
_BROWSER = "analytics.js"
_HOUR_MS = 3_600_000

Call = dict[str, Any]


class Break(NamedTuple):
    """One break: its kind, the first local day, how many days it lasts, and what is broken where that is a choice.

    `what` is an event for a doubled event, and `event.property` for a property
    that turned null. A new library version stays whatever `days` says.
    """

    kind: str
    first_day: date
    days: int
    what: str = ""


# What the command plants: nothing that moves another truth, so that a page on the data has something to show.
SMALL_BREAKS = (
    Break("property turned null", date(2026, 9, 15), 3, "Product Viewed.category"),
    Break("doubled event", date(2026, 10, 6), 3, "Product Viewed"),
    Break("new library version", date(2026, 10, 28), 1),
)


def plant_breaks(archive: Archive, breaks: Sequence[Break], *, seed: int) -> list[dict]:
    """Break the tracking in an archive, and return what was planted, one entry per break."""
    uniform = uniforms(np.random.default_rng([seed, _STREAM]))
    told = []
    # A new call is numbered by the lines there are: bots come before any line is lost.
    for planted in sorted(breaks, key=lambda planted: planted.kind != "bot wave"):
        end = planted.first_day + timedelta(days=planted.days)
        begin_ms, end_ms = (milliseconds(day_start(day, ZONE)) for day in (planted.first_day, end))
        if planted.kind == "tracking outage":
            begin_ms += whole(uniform, OPENING_HOUR + 1, 22) * _HOUR_MS
        if planted.kind == "new library version":
            end_ms = archive.end_ms
        lines = len(archive.lines)
        if planted.kind == "bot wave":
            _send_bots(replace(archive, uniform=uniform, oddities=False), begin_ms, end_ms)
        else:
            _rewrite(archive, begin_ms, end_ms, KINDS[planted.kind], planted.what)
        came = {"from": iso(begin_ms), "before": iso(end_ms), "lines_added": len(archive.lines) - lines}
        told.append({"kind": planted.kind, "what": planted.what, **came})
    return sorted(told, key=lambda planted: planted["from"])


def _rewrite(
    archive: Archive, begin_ms: int, end_ms: int, change: Callable[[Call, str], Iterator[Call]], what: str
) -> None:
    """Put what `change` makes of it in place of each browser call made between two instants."""
    sent, archive.lines[:] = list(archive.lines), []
    for received_ms, _number, line in sent:
        call = _browser_call(line) if received_ms >= begin_ms else None
        if call is None or not begin_ms <= milliseconds(datetime.fromisoformat(call["timestamp"])) < end_ms:
            archive.receive(received_ms, line)
            continue
        for number, changed in enumerate(change(call, what)):
            archive.receive(received_ms + number, to_line(changed))


def _browser_call(line: str) -> Call | None:
    try:
        call = json.loads(line)
    except ValueError:
        return None
    return call if call["context"].get("library", {}).get("name") == _BROWSER else None


def _lost(call: Call, what: str) -> Iterator[Call]:
    yield from ()


def _doubled(call: Call, what: str) -> Iterator[Call]:
    yield call
    if call.get("event") == what:
        yield call | {"messageId": f"{call['messageId']}-again"}


def _emptied(call: Call, what: str) -> Iterator[Call]:
    event, _dot, name = what.partition(".")
    if call.get("event") == event:
        call["properties"][name] = None
    yield call


def _upgraded(call: Call, what: str) -> Iterator[Call]:
    call["context"]["library"]["version"] = NEW_VERSION
    yield call


def _without_campaign(call: Call, what: str) -> Iterator[Call]:
    # A redirect that drops the query takes the campaign with it, wherever the library puts it.
    call["context"].pop("campaign", None)
    for place in (call["context"].get("page"), call.get("properties")):
        if place and place.get("search"):
            place["url"] = place["url"].removesuffix(place["search"])
            place["search"] = ""
    yield call


def _send_bots(archive: Archive, begin_ms: int, end_ms: int) -> None:
    """Let a program that calls itself an ordinary browser fetch one page at a time."""
    days = round((end_ms - begin_ms) / (24 * _HOUR_MS))
    for _ in range(BOTS_A_DAY * days):
        agent = pick(archive.uniform, PHONES if chance(archive.uniform, 0.5) else DESKTOPS)
        product = pick(archive.uniform, PRODUCTS)
        at_ms = whole(archive.uniform, begin_ms, end_ms - _HOUR_MS)
        device = new_device(archive.uniform, agent)
        bare_page(archive, device, at_ms, f"/products/{product.product_id}", product.name, "en-US")


# Kind -> what becomes of a browser call made while the break lasts.
KINDS: dict[str, Callable[[Call, str], Iterator[Call]] | None] = {
    "tracking outage": _lost,
    "doubled event": _doubled,
    "property turned null": _emptied,
    "new library version": _upgraded,
    "UTM stopped parsing": _without_campaign,
    "bot wave": None,
}
