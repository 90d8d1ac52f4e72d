"""What a sample of Segment calls tells about a shop."""

import io
import json
import re
import zlib
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ecomkit.init.found import Told
from ecomkit.pipeline.senders import CLIENT_LIBRARIES
from ecomkit.pipeline.tracking_plan import CALL_TYPES, PROPERTIES, canonical_names
from ecomkit.segment_names import snake_case
from ecomkit.sources.unzipped import open_unzipped

# A document over many lines is read whole, up to this many bytes.
_LARGEST_DOCUMENT = 24 << 20
_NAMES = canonical_names()


def calls_in(path: Path, *, lines: int) -> Iterator[dict[str, Any]]:
    """Yield the calls in the first `lines` lines of a file: newline JSON, HTTP bodies, captured requests, documents.

    What is no call is passed over; a file of something else, or a damaged one, yields nothing more.
    """
    try:
        with io.TextIOWrapper(open_unzipped(path), encoding="utf-8", errors="replace") as file:
            first = next((line for line in file if line.strip()), "")
            value = _parsed(first)
            if value is None and first.lstrip()[:1] in ("{", "["):
                value = _parsed(first + file.read(_LARGEST_DOCUMENT))
            yield from calls_of(value)
            for line in islice(file, lines - 1):
                yield from calls_of(_parsed(line))
    except (OSError, EOFError, zlib.error):
        return


def calls_of(value: Any) -> list[dict[str, Any]]:
    """Return the calls in a JSON value: a call, a list, an HTTP body with its `batch`, a captured request's `body`."""
    if isinstance(value, list):
        return [call for item in value for call in calls_of(item)]
    if not isinstance(value, dict):
        return []
    if value.get("type") in CALL_TYPES:
        return [value]
    if isinstance(value.get("batch"), list):
        return calls_of(value["batch"])
    body = value.get("body")
    return calls_of(_parsed(body) if isinstance(body, str) else body)


def listen(told: Told, call: dict[str, Any], source: str) -> None:
    """Add what a call says of hosts, zones, currencies, staff and its order's money."""
    told.calls += 1
    context, properties = _dict(call, "context"), _dict(call, "properties")
    page, library = _dict(context, "page"), _dict(context, "library")
    spelling = str(call.get("event", ""))
    is_order = _NAMES.get(snake_case(spelling)) == "Order Completed"
    host = urlsplit(str(page.get("url") or "")).hostname if "://" in str(page.get("url")) else None
    if host:
        told.hosts[host.removeprefix("www.")] += 1
    zone = context.get("timezone")
    if isinstance(zone, str) and re.match(CLIENT_LIBRARIES, str(library.get("name") or "analytics.js")):
        told.zones[zone] += 1
        told.zones_of_orders[zone] += is_order
    email = _dict(call, "traits").get("email") or _dict(context, "traits").get("email")
    if isinstance(email, str) and email.count("@") == 1:
        told.domains[email.split("@")[1].strip().lower()] += 1
    if not is_order:
        return
    order_id = next((str(properties[key]) for key in PROPERTIES["order_id"] if properties.get(key)), "")
    if order_id[:4].upper() == "TEST":
        told.test_orders[order_id[:5] if order_id[4:5] in ("-", "_") else order_id[:4]] += 1
    currency = str(properties.get("currency") or "").strip().upper()
    if len(currency) == 3 and currency.isalpha():
        told.currencies[currency] += 1
    told.drafts.append(_draft(properties, source, spelling))


def _draft(properties: dict[str, Any], source: str, spelling: str) -> dict[str, Any]:
    names = ("revenue", "subtotal", "total", "shipping", "tax", "discount")
    lines = properties.get("products")
    lines = [line for line in lines if isinstance(line, dict)] if isinstance(lines, list) else []
    prices = [(money(line.get("price")), money(line.get("quantity", 1))) for line in lines]
    priced = bool(prices) and all(price is not None and units is not None for price, units in prices)
    gross = sum((price * units for price, units in prices), Decimal(0)) if priced else None
    amounts = {name: money(properties.get(name)) for name in names}
    return {"source": source, "spelling": spelling, **amounts, "lines_gross": gross, "lines_priced": priced}


def money(value: Any) -> Decimal | None:
    """Return a number, or a text that is one, to four digits."""
    try:
        found = Decimal(str(value).strip().lstrip("$€£"))
        return round(found, 4) if found.is_finite() and abs(found) < 10**12 else None
    except InvalidOperation:
        return None


def _parsed(text: str | None) -> Any:
    try:
        return json.loads(text or "")
    except (ValueError, RecursionError):
        return None


def _dict(value: dict[str, Any], key: str) -> dict[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}
