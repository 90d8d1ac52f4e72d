"""A few rows that went into a number, to look them up in the shop."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ibis.expr.types as ir

from ecomkit.engines import local_day
from ecomkit.periods import Period
from ecomkit.query_steps import columns_read, relations
from ecomkit.words import decimal

EXAMPLES = 5
_MOST_COLUMNS = 9


@dataclass(frozen=True)
class _Unit:
    """Rows that can be looked up: the column that names one, its instant, and what is always shown of it."""

    id: str
    at: str
    shown: tuple[str, ...]


# By how near they are to money: the first that a metric reads is shown.
_UNITS = {
    "orders": _Unit("order_id", "ordered_at", ("revenue",)),
    "sessions": _Unit("session_id", "started_at", ("channel", "orders")),
    "events": _Unit("message_id", "occurred_at", ("event_name",)),
}
# When rows that are made of orders count, where that is not the order's own instant.
_BOOKED = ("booked_at", "refunded_at")


@dataclass(frozen=True)
class Examples:
    """Rows of one canonical table that are still told apart in `relation`, a part of the query."""

    table: str
    relation: ir.Table
    rows: list[dict[str, Any]]


def example_rows(expression: ir.Table, tables: dict[str, ir.Table], period: Period) -> Examples | None:
    """Return the first five orders of a period that went into a number, else sessions, else events.

    They come from the last part of the query that still tells them apart, and of
    several such parts from the one with most of them. Their columns are the id,
    the local `day`, what is always shown of such a row, and what else of it the
    query reads. None where the query reads none of these tables.
    """
    name = next((name for name in _UNITS if name in tables), None)
    if name is None:
        return None
    unit, whole = _UNITS[name], tables[name]
    parts = _last_with(expression, whole, unit.id)
    held = [_of_period(part, whole, unit, period) for part in parts]
    counts = [int(rows.count().to_pyarrow().as_py()) for rows in held]
    relation, rows = max(zip(counts, parts, held, strict=True), key=lambda part: part[0])[1:]
    worked_with = columns_read(expression, name)
    read = [column for column in whole.columns if column in worked_with]
    columns = [column for column in dict.fromkeys([*unit.shown, *read]) if column not in (unit.id, unit.at)]
    told = rows.select(unit.id, unit.at, *columns[: _MOST_COLUMNS - 2], day=local_day(rows[unit.at], period.zone))
    first = told.order_by(unit.at, unit.id).limit(EXAMPLES).relocate("day", after=unit.id).drop(unit.at)
    return Examples(name, relation, first.to_pyarrow().to_pylist())


def as_lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return rows as lines of text in columns, the names above; nothing is a dash."""
    if not rows:
        return []
    cells = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in cells]


def _last_with(expression: ir.Table, table: ir.Table, column: str) -> list[ir.Table]:
    """Return the parts of a query that are made of a table and still have a column, none of them within another."""
    stored = table.op()
    below = {node: set(relations(node.to_expr())) for node in relations(expression) if column in node.schema}
    made_of_it = [node for node, nodes in below.items() if stored in nodes]
    return [
        node.to_expr()
        for node in made_of_it
        if not any(node in below[other] for other in made_of_it if other is not node)
    ]


def _of_period(part: ir.Table, whole: ir.Table, unit: _Unit, period: Period) -> ir.Table:
    counts_at = next((at for at in (*_BOOKED, unit.at) if at in part.columns), None)
    if counts_at:
        return whole.semi_join(part.filter(period.holds(part[counts_at])), unit.id)
    return whole.filter(period.holds(whole[unit.at])).semi_join(part, unit.id)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    text = decimal(value, 2) if hasattr(value, "as_tuple") else str(value)
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:40]
