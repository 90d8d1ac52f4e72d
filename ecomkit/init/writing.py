"""The shop.toml of what was found, each entry with what told it."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any
from zoneinfo import available_timezones

import ibis
import pyarrow as pa

from ecomkit.column_types import MONEY
from ecomkit.init.found import Found, FoundSource
from ecomkit.pipeline.order_money import with_money_rule

_AMOUNTS = ("revenue", "subtotal", "total", "shipping", "tax", "discount", "lines_gross")
# A host of fewer pages is a mirror, a preview or a checkout elsewhere.
_LEAST_SHARE = 0.05
_NOT_TOLD = "not told by the data: correct it"


def toml_of(found: Found, name: str) -> str:
    """Return the text of a shop.toml; what the data do not tell is added to `found.unclear`."""
    told = found.told
    lines = ["# Written by 'ecomkit init' from what lies here. Correct what it could not tell.", "", "[shop]"]
    lines.append(f"name = {_text(name)}")
    lines.append(_zone(found))
    lines.append(_currency(found))
    lines += _hosts(found)
    for source in found.sources:
        lines += ["", *_source(source)]
    lines += ["", "[money]", *_money(found)]
    if found.rates:
        lines.append(f"rates = {_text(found.rates)}")
    hints = [f"# {line}" for line in _exclusions(found)]
    if hints:
        lines += ["", "[exclude]", *hints]
    if not told.calls and not any(source.entries["kind"] == "order_files" for source in found.sources):
        found.unclear.append("any order: there are neither calls nor order files, only what stands beside them")
    return "\n".join(lines) + "\n"


def _zone(found: Found) -> str:
    told = found.told
    known = available_timezones()
    counted = Counter({zone: times for zone, times in told.zones_of_orders.items() if times and zone in known})
    whose = "calls of orders"
    if not counted:
        counted, whose = Counter({zone: times for zone, times in told.zones.items() if zone in known}), "calls"
    if not counted:
        found.unclear.append("the time zone of the shop's days: 'time_zone' is UTC until you name it")
        return f'time_zone = "UTC"  # {_NOT_TOLD}'
    zone = _most(counted)
    return f"time_zone = {_text(zone)}  # of {_share(counted[zone], counted.total())} of the {whose} that name a zone"


def _currency(found: Found) -> str:
    counted = Counter({code: times for code, times in found.told.currencies.items() if len(code) == 3})
    # Rates lead to the shop's currency, which therefore has none.
    candidates = Counter({code: times for code, times in counted.items() if code not in found.rated}) or counted
    spent = {source.entries["currency"] for source in found.sources if "currency" in source.entries}
    if not candidates and len(spent) == 1:
        return f"currency = {_text(spent.pop())}  # of the ad spend"
    if not candidates:
        found.unclear.append("the shop's currency: 'currency' is EUR until you name it")
        return f'currency = "EUR"  # {_NOT_TOLD}'
    code = _most(candidates)
    foreign = sorted({*counted, *spent} - {code} - found.rated)
    if foreign:
        found.unclear.append(
            f"what {', '.join(foreign)} is worth: name a file with columns date, currency, rate as 'rates' in [money]"
        )
    return f"currency = {_text(code)}  # of {_share(counted[code], counted.total())} of the orders that name one"


def _hosts(found: Found) -> list[str]:
    hosts, pages = found.told.hosts, found.told.hosts.total()
    own = [host for host, times in _ranked(hosts) if times >= pages * _LEAST_SHARE]
    if not own:
        if found.told.calls:
            found.unclear.append("the shop's own hosts: no call names its page")
        return []
    shares = ", ".join(f"{host} {_share(hosts[host], pages)}" for host in own)
    return [f"own_hosts = [{', '.join(map(_text, own))}]  # of the pages: {shares}"]


def _source(source: FoundSource) -> Iterator[str]:
    yield "[[source]]"
    yield from (f"# {comment}" for comment in source.comments)
    mapping: dict[str, str] = {}
    for key, value in source.entries.items():
        if isinstance(value, dict):
            mapping = value
        else:
            yield f"{key} = {_value(value)}"
    if mapping:
        yield ""
        yield "[source.columns]"
        yield from (f"{key} = {_text(column)}" for key, column in mapping.items())


def _money(found: Found) -> Iterator[str]:
    drafts = found.told.drafts
    detected = detected_rules(drafts)
    for (source, rule), (fitting, orders) in sorted(detected.items()):
        told = f"{fitting:,} of {orders:,} orders looked at fit it" if fitting else "no order looked at tells"
        yield f"# {_text(source)}: {rule} ({told})"
        if not fitting:
            found.unclear.append(f"what 'revenue' holds in {source}: no order has items to compare it with")
    yield 'rule = "detect"'


def detected_rules(drafts: list[dict[str, Any]]) -> dict[tuple[str, str], tuple[int, int]]:
    """Return the money rule that a build would detect in orders, by source: how many fit it, and how many there are."""
    if not drafts:
        return {}
    kinds = {name: MONEY.to_pyarrow() for name in _AMOUNTS}
    kinds |= {"source": pa.string(), "spelling": pa.string(), "lines_priced": pa.bool_()}
    schema = pa.schema(list(kinds.items()))
    con = ibis.duckdb.connect()
    try:
        ruled = with_money_rule(
            con.create_table("drafts", pa.Table.from_pylist(drafts, schema=schema)), rule="detect", by_source={}
        )
        counted = ruled.group_by("source", "money_rule").agg(
            orders=ruled.count(), fitting=ruled.fits_rule.fill_null(False).sum()
        )
        rows = counted.to_pyarrow().to_pylist()
    finally:
        con.disconnect()
    return {(row["source"], row["money_rule"]): (row["fitting"], row["orders"]) for row in rows}


def _exclusions(found: Found) -> Iterator[str]:
    told = found.told
    own = [host for host in told.hosts if told.hosts[host] >= told.hosts.total() * _LEAST_SHARE]
    for domain, times in _ranked(told.domains):
        if any(domain == host or host.endswith(f".{domain}") for host in own):
            yield f"staff = [{_text(f'@{domain}')}]  # {times:,} calls looked at have an address of the shop's own"
    for prefix, times in _ranked(told.test_orders):
        yield f"test_orders = [{_text(f'^{prefix}')}]  # {times:,} orders looked at are named so"


def _value(value: str | list[str]) -> str:
    return f"[{', '.join(map(_text, value))}]" if isinstance(value, list) else _text(value)


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}"


def _most(counted: Counter[str]) -> str:
    return _ranked(counted)[0][0]


def _ranked(counted: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))
