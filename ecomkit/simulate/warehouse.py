"""A made-up shop's calls as the tables that Segment loads into a warehouse."""

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa

from ecomkit.segment_names import CALL_TABLES, RESERVED_COLUMNS, snake_case

Row = dict[str, Any]

_TABLE_OF = {call_type: table for table, call_type in CALL_TABLES.items()}
_CLOCKS = {
    "timestamp": "timestamp",
    "originalTimestamp": "original_timestamp",
    "sentAt": "sent_at",
    "receivedAt": "received_at",
}
# What a view of BigQuery covers, counted by the day of loading.
_VIEW_DAYS = 60
_LOADED_AFTER = timedelta(hours=1)
# In a raw table of BigQuery that repeats itself, every so manieth row is there again.
_REPEATED = 7
_INSTANT = pa.timestamp("us", tz="UTC")
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*")


def write_warehouse(folder: Path, con: ibis.BaseBackend, schema: str, *, duplicates: bool = False) -> list[str]:
    """Write the calls of a shop's folder into the tables of a new schema, and return their names.

    As Segment does: one table per event beside `tracks`, snake_case columns typed by
    the first value that came, lists as JSON text, nothing that is no call. A message
    id is there once.

    Parameters
    ----------
    folder
        A shop written by `simulate`.
    con
        The warehouse, through Ibis.
    schema
        The schema to make.
    duplicates
        Load as into BigQuery: repeated message ids and every version of a user stay,
        and each table has a view of the last 60 days of loads.
    """
    con.create_database(schema)
    tables = _tables(_usable(_lines(folder)), keep_all=duplicates)
    newest = max(row["loaded_at"] for rows in tables.values() for row in rows)
    for name, rows in sorted(tables.items()):
        written = con.create_table(name, _typed(rows), database=schema)
        if duplicates:
            since = ibis.literal(newest - timedelta(days=_VIEW_DAYS), type="timestamp('UTC')")
            latest = ibis.row_number().over(ibis.window(group_by="id", order_by=ibis.desc("loaded_at")))
            shown = written.filter(written.loaded_at >= since).mutate(number=latest)
            con.create_view(f"{name}_view", shown.filter(shown.number == 0).drop("number"), database=schema)
    return sorted(tables)


def _lines(folder: Path) -> Iterator[str]:
    for path in sorted((folder / "segment").glob("*.ndjson.gz")):
        yield from gzip.decompress(path.read_bytes()).decode("utf-8", errors="replace").splitlines()


def _usable(lines: Iterable[str]) -> Iterator[Row]:
    """Return the calls that Segment takes: those with a type, ids, readable clocks, and a name where one is due."""
    for line in lines:
        try:
            call = json.loads(line)
        except ValueError:
            continue
        known = isinstance(call, dict) and call.get("type") in {"track", *_TABLE_OF}
        if not known or (call["type"] == "track" and not call.get("event")):
            continue
        if not (call.get("userId") or call.get("anonymousId")) or not call.get("messageId"):
            continue
        if all(_instant(call[clock]) is not None for clock in _CLOCKS if clock in call):
            yield call


def _tables(calls: Iterable[Row], *, keep_all: bool) -> dict[str, list[Row]]:
    tables: dict[str, list[Row]] = defaultdict(list)
    users: dict[str, Row] = {}
    seen: set[str] = set()
    for number, call in enumerate(calls):
        if call["messageId"] in seen and not keep_all:
            continue
        seen.add(call["messageId"])
        common = _common(call)
        own = {name: value for name, value in _flat(call.get("properties")) if name not in RESERVED_COLUMNS}
        traits = {name: value for name, value in _flat(call.get("traits")) if name not in RESERVED_COLUMNS}
        times = 2 if keep_all and number % _REPEATED == 0 else 1
        for load in range(times):
            row = common | {"loaded_at": common["received_at"] + _LOADED_AFTER * (load + 1)}
            if call["type"] == "track":
                named = row | {"event": snake_case(call["event"]), "event_text": call["event"]}
                tables["tracks"].append(named)
                tables[named["event"]].append(own | named)
            else:
                tables[_TABLE_OF[call["type"]]].append(own | traits | row)
            if call["type"] == "identify" and call.get("userId"):
                known = {
                    name: value for name, value in row.items() if name.startswith(("context_", "received", "load"))
                }
                users[call["userId"]] = users.get(call["userId"], {}) | traits | known | {"id": call["userId"]}
                if keep_all:
                    tables["users"].append(users[call["userId"]])
    if users and not keep_all:
        tables["users"] = list(users.values())
    return dict(tables)


def _common(call: Row) -> Row:
    """Return the columns that every table of calls has."""
    row = {"id": call["messageId"], "anonymous_id": call.get("anonymousId"), "user_id": call.get("userId")}
    row |= {column: _instant(call[clock]) for clock, column in _CLOCKS.items() if clock in call}
    row |= {"uuid_ts": row["received_at"] + _LOADED_AFTER, "previous_id": call.get("previousId")}
    row |= {"group_id": call.get("groupId")}
    return row | {f"context_{name}": value for name, value in _flat(call.get("context"))}


def _flat(sent: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Return the columns of nested objects; a list is one column of JSON text."""
    for key, value in (sent if isinstance(sent, dict) else {}).items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key} ")
        elif isinstance(value, list):
            yield snake_case(prefix + key), json.dumps(value, ensure_ascii=False)
        elif value is not None:
            yield snake_case(prefix + key), value


def _typed(rows: list[Row]) -> pa.Table:
    """Return rows as a table whose columns have the type of the first value each saw."""
    first: Row = {}
    for row in rows:
        for name, value in row.items():
            if value is not None:
                first.setdefault(name, value)
    kinds = {name: _kind(value) for name, value in first.items()}
    columns = {name: pa.array([_cast(row.get(name), kind) for row in rows], kind) for name, kind in kinds.items()}
    return pa.table(columns)


def _kind(value: Any) -> pa.DataType:
    if isinstance(value, bool):
        return pa.bool_()
    if isinstance(value, int):
        return pa.int64()
    if isinstance(value, float):
        return pa.float64()
    return pa.string() if _instant(value) is None else _INSTANT


def _cast(value: Any, kind: pa.DataType) -> Any:
    """Return a value in the type of its column; what does not fit is dropped, and decimals of whole numbers too."""
    if value is None or kind == _INSTANT:
        return _instant(value)
    if kind == pa.string():
        return value if isinstance(value, str) else json.dumps(value, default=str)
    if kind == pa.bool_():
        return value if isinstance(value, bool) else None
    try:
        return int(float(value)) if kind == pa.int64() else float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _instant(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _ISO.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None
