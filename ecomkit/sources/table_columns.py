"""Which columns of a warehouse table hold what the kit reads of a call, and how each becomes text.

The columns follow from the JSON paths under which calls are sent: `$.context.page.url`
is `context_page_url`, the property `orderId` is `order_id`.
"""

import functools
import operator
from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir

from ecomkit.segment_names import RESERVED_COLUMNS, snake_case
from ecomkit.sources.calls import SENT, Reading

# Types of calls whose own words lie in columns without a prefix.
_WITH_OWN = {"properties": ("track", "page", "screen"), "traits": ("identify", "group")}
# Above this a float no longer tells one whole number from the next.
_WHOLE = 2**53


def selected_columns(table: ir.Table, call_type: str, reading: Reading, *, event: str | None = None) -> ir.Table:
    """Return what a table holds of each flat column, as text; columns that it lacks are left out.

    Parameters
    ----------
    table
        A warehouse table of calls, its columns in lower case.
    call_type
        The type of its calls.
    reading
        What every reader of calls is told.
    event
        The name of an event table's event, for rows that do not say it.

    Returns
    -------
    Table
        A row per row of the table; with `money_as_text` where money lies in columns of text.
    """
    held = {
        name: [table[column] for column in columns if column in table.columns]
        for name, columns in columns_of(call_type, reading).items()
    }
    text = {name: _first(*map(_text, columns)) for name, columns in held.items() if columns}
    text["call_type"] = ibis.literal(call_type)
    if call_type == "track":
        # The name as it was sent, else the plan's name of this table's event, else its slug.
        said = [table[name] for name in ("event_text", "event")[: 1 if event else 2] if name in table.columns]
        text["event"] = _first(*said, ibis.literal(event, "string"))
    sent = [column.notnull() for name in reading.money for column in held[name] if column.type().is_string()]
    if sent:
        text["money_as_text"] = functools.reduce(operator.or_, sent).cast(str)
    return table.select(**text)


def _first(*texts: ir.StringValue) -> ir.StringValue:
    # Snowflake wants two or more to choose from.
    return ibis.coalesce(*texts) if len(texts) > 1 else texts[0]


def columns_of(call_type: str, reading: Reading) -> dict[str, list[str]]:
    """Return each flat column with the columns that may hold it in tables of a type of call, the first found counts."""
    properties: Mapping[str, Sequence[str]] = {**reading.properties, "products": ("products",)}
    paths = {name: [f"$.properties.{key}" for key in keys] for name, keys in properties.items()}
    found = {name: [_column(path, call_type) for path in sent] for name, sent in ({**SENT, **paths}).items()}
    return {name: list(dict.fromkeys(column for column in columns if column)) for name, columns in found.items()}


def _column(path: str, call_type: str) -> str | None:
    place, _dot, rest = path.removeprefix("$.").partition(".")
    column = snake_case(rest)
    if place == "context":
        return f"context_{column}"
    if place in _WITH_OWN:
        return column if call_type in _WITH_OWN[place] and column not in RESERVED_COLUMNS else None
    return "id" if place == "messageId" else snake_case(place)


def _text(column: ir.Column) -> ir.StringValue:
    kind = column.type()
    if kind.is_string():
        return column
    if kind.is_nested():
        return ibis.null(str)
    if kind.is_floating():
        # A float column holds the order 1001 as 1001.0.
        safe = ibis.ifelse(column.abs() < _WHOLE, column, ibis.null(kind))
        return ibis.ifelse(safe == safe.floor(), safe.cast("int64").cast(str), column.cast(str))
    return column.cast(str)
