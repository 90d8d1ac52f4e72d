"""A shop's calls from the warehouse tables that Segment loads: one query per table, on the warehouse's own engine.

Each query selects the needed columns alone, as text; the rows go to DuckDB in
batches and become `calls` like the lines of files.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import NamedTuple

import duckdb
import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pyarrow as pa
from ibis import _

from ecomkit.errors import SourceError, quoted
from ecomkit.segment_names import CALL_TABLES
from ecomkit.settings import Source
from ecomkit.sources.calls import SENT, Reading, insert_calls
from ecomkit.sources.table_columns import selected_columns
from ecomkit.sources.warehouse import connect, first_line, schemas_of, table_names, text_batches, without_views

# Ids of rows of tables begin above those of the lines of any file.
_FIRST_ROW = 1 << 61
# The instants of an upserted row, the newest version last.
_VERSIONS = ("loaded_at", "uuid_ts", "received_at")


def read_segment_tables(
    con: duckdb.DuckDBPyConnection, sources: Sequence[Source], reading: Reading, events: Mapping[str, str]
) -> None:
    """Insert the calls of all tables of all `sources` into the table `calls`.

    The table of an event holds its calls with their properties; `tracks` gives those
    of events that have no table here. `source_file` is schema and table.

    Parameters
    ----------
    con
        A connection whose current schema has `calls`.
    sources
        Sources of the kind segment_tables.
    reading
        What every reader of calls is told.
    events
        The slug of every known event name, which is its table's name, with the event's V2 name.

    Raises
    ------
    SourceError
        If a schema is missing or has no table of calls, or a table cannot be read.
    """
    if not sources:
        return
    names = (*SENT, *reading.properties, "products", "money_as_text")
    refused: list[Exception] = []
    with ExitStack() as opened:
        tables = [table for source in sources for table in _tables_of(opened, source, reading, events)]
        rows = _rows(tables, names, refused)
        con.register("sent_rows", pa.RecordBatchReader.from_batches(_schema(names), rows))
        try:
            insert_calls(con, _flat(names), reading)
        except duckdb.Error as error:
            # DuckDB tells what happened in a warehouse as an error of its own.
            if refused:
                raise refused[0] from error
            raise
        finally:
            con.unregister("sent_rows")


class _Table(NamedTuple):
    """A warehouse's table of calls, ready to be read."""

    warehouse: ibis.BaseBackend
    source: str
    source_file: str
    query: ir.Table


def _tables_of(opened: ExitStack, source: Source, reading: Reading, events: Mapping[str, str]) -> Iterator[_Table]:
    warehouse = connect(source)
    opened.callback(warehouse.disconnect)
    schemas = schemas_of(warehouse, source)
    for schema in schemas:
        label = f"{source.name}/{schema}" if len(schemas) > 1 else source.name
        names = _names_of_tables(warehouse, source, schema, events)
        # Some engines give names in capitals.
        tables = {known: warehouse.table(name, database=schema).rename(str.lower) for known, name in names.items()}
        for known, query in call_queries(tables, reading, events).items():
            yield _Table(warehouse, label, f"{schema}.{names[known]}", query)


def _names_of_tables(
    warehouse: ibis.BaseBackend, source: Source, schema: str, events: Mapping[str, str]
) -> dict[str, str]:
    """Return Segment's name of each table of calls in a schema, with the name that it has there."""
    found = without_views(table_names(warehouse, schema))
    tables = {name.lower().removesuffix("_view"): name for name in found}
    known = sorted(tables.keys() & {*CALL_TABLES, *events, "tracks", "users"})
    if not set(known) - {"users", "groups", "aliases"}:
        raise SourceError(
            f"The schema '{schema}' (source '{source.name}') holds no calls: neither pages, screens, identifies nor "
            f"tracks, nor the table of an event. It has {quoted(found) or 'no table'}. "
            "Name the schema of a Segment source in shop.toml."
        )
    return {name: tables[name] for name in known}


def call_queries(tables: Mapping[str, ir.Table], reading: Reading, events: Mapping[str, str]) -> dict[str, ir.Table]:
    """Return the query of each of a schema's tables of calls, by Segment's name of the table.

    Each gives the flat columns that its table holds, as text.
    """
    own = {name: tables[name] for name in tables if name in events}
    queries = {name: selected_columns(tables[name], "track", reading, event=events[name]) for name in own}
    for name, call_type in CALL_TABLES.items():
        if name in tables:
            queries[name] = selected_columns(tables[name], call_type, reading)
    if "tracks" in tables:
        queries["tracks"] = selected_columns(_without_events(tables["tracks"], own), "track", reading)
    if "users" in tables:
        upserted = _users_as_calls(tables["users"], tables.get("identifies"))
        queries["users"] = selected_columns(upserted, "identify", reading)
    return queries


def _without_events(tracks: ir.Table, events: Mapping[str, ir.Table]) -> ir.Table:
    """Leave out the calls that a table of their own event holds."""
    held = [table.select(held_id=table.id.cast(str)) for table in events.values() if "id" in table.columns]
    if not held or "id" not in tracks.columns:
        return tracks
    ids = ibis.union(*held) if len(held) > 1 else held[0]
    return tracks.anti_join(ids, tracks.id.cast(str) == ids.held_id)


def _users_as_calls(users: ir.Table, identifies: ir.Table | None) -> ir.Table:
    """Return the newest version of each user without an identify call, in the form of `identifies`.

    `users` has neither a message id nor a time of its own: the id is made from the
    user's, the time is that of the row's arrival.
    """
    users = users.filter(_.id.notnull())
    versions = [column for column in _VERSIONS if column in users.columns]
    if versions:
        # Versions that arrived together are told apart by what they say, so that chance decides nothing.
        others = [name for name, kind in sorted(users.schema().items()) if name not in versions and _is_plain(kind)]
        latest = [users[column].desc(nulls_first=False) for column in (*versions, *others)]
        number = ibis.row_number().over(ibis.window(group_by="id", order_by=latest))
        users = users.mutate(version_number=number).filter(_.version_number == 0).drop("version_number")
    if identifies is not None and "user_id" in identifies.columns:
        known = identifies.select(known_id=identifies.user_id.cast(str))
        users = users.anti_join(known, users.id.cast(str) == known.known_id)
    arrived = users[versions[-1]] if versions else ibis.null("timestamp('UTC')")
    return users.mutate(id="users-" + users.id.cast(str), user_id=users.id.cast(str), timestamp=arrived)


def _is_plain(kind: dt.DataType) -> bool:
    # Not every engine can put lists and JSON in order.
    return kind.is_string() or kind.is_numeric() or kind.is_temporal() or kind.is_boolean()


def _rows(tables: Sequence[_Table], names: Sequence[str], refused: list[Exception]) -> Iterator[pa.RecordBatch]:
    """Hand over the rows of all tables in one shape, numbered; an error that stops this is kept in `refused`."""
    schema, row_id = _schema(names), _FIRST_ROW
    for table in tables:
        try:
            for batch in text_batches(table.warehouse, table.query):
                rows = batch.num_rows
                origin = [pa.repeat(pa.scalar(name, pa.string()), rows) for name in (table.source, table.source_file)]
                held = dict(zip(batch.schema.names, batch.columns, strict=True))
                sent = [held.get(name, pa.nulls(rows, pa.string())) for name in names]
                numbers = pa.array(range(row_id, row_id + rows), pa.int64())
                yield pa.RecordBatch.from_arrays([numbers, *origin, *sent], schema=schema)
                row_id += rows
        except Exception as error:  # each engine has errors of its own
            refused.append(
                SourceError(
                    f"The table '{table.source_file}' (source '{table.source}') cannot be read: {first_line(error)}. "
                    "Check that you may read it, and run again."
                )
            )
            raise


def _schema(names: Sequence[str]) -> pa.Schema:
    text = [(name, pa.string()) for name in ("source", "source_file", *names)]
    return pa.schema([("row_id", pa.int64()), *text])


def _flat(names: Sequence[str]) -> str:
    """Return the query that completes the rows of `sent_rows` to flat calls."""
    text = ", ".join(name for name in names if name != "money_as_text")
    return f"""
        SELECT source, source_file, NULL::BIGINT AS line_number, row_id, hash({text}) AS content_hash,
            NULL::VARCHAR AS problem,
            coalesce(money_as_text::BOOLEAN, false) AS money_as_text, {text}
        FROM sent_rows"""
