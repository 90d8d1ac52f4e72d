"""A warehouse that holds a shop's tables: connected to, never written, asked for names, state and rows."""

from collections.abc import Iterator
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from ecomkit.errors import SourceError, did_you_mean, quoted
from ecomkit.segment_names import ARRIVALS
from ecomkit.settings import Source
from ecomkit.sources.postgres_rows import copied_batches

# The beginning of a url -> the name that Ibis and the kit's extras have for the engine.
_ENGINES = {"postgresql": "postgres", "spark": "pyspark"}
_EXTRAS = {"pyspark": "spark"}
_ROWS_AT_ONCE = 50_000
# Ibis itself sets the others to UTC.
_SESSION = {"pyspark": {"spark.sql.session.timeZone": "UTC"}}


def connect(source: Source) -> ibis.BaseBackend:
    """Return a connection to the database at a source's `url`, in UTC; a DuckDB file is opened read-only.

    Raises
    ------
    SourceError
        If the engine is unknown or not installed, there is no such file, or the server cannot be reached.
    """
    scheme, _mark, place = source.url.partition("://")
    if scheme == "duckdb":
        return _open_file(source, Path(place))
    engine = _ENGINES.get(scheme, scheme)
    try:
        con = ibis.connect(f"{engine}://{place}", **_SESSION.get(engine, {}))
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get(engine, engine)
        raise SourceError(
            f"Reading '{source.url}' (source '{source.name}') needs the package '{error.name}', which is not "
            f"installed. Install it: pip install -e '.[{extra}]'."
        ) from error
    except ValueError as error:
        if "Don't know how to connect" not in str(error):
            raise _unreachable(source, error) from error
        raise SourceError(
            f"'{scheme}' in '{source.url}' (source '{source.name}') is no database that the kit knows. "
            "A url is such as 'postgres://host/database', 'bigquery://project/dataset', 'spark://' or 'shop.duckdb'."
        ) from error
    except Exception as error:  # each engine has errors of its own
        raise _unreachable(source, error) from error
    if engine == "postgres":
        con.raw_sql("SET default_transaction_read_only = on").close()
    return con


def _open_file(source: Source, path: Path) -> ibis.BaseBackend:
    if not path.is_file():
        raise SourceError(
            f"There is no DuckDB file '{path}' (source '{source.name}'). "
            "Correct 'url' in shop.toml: it counts from the folder of the shop.toml."
        )
    try:
        con = ibis.duckdb.connect(str(path), read_only=True)
    except Exception as error:  # not a database, of a newer version, or locked by who writes it
        raise SourceError(
            f"The DuckDB file '{path}' (source '{source.name}') cannot be opened: {first_line(error)}. "
            "Close who else writes it, or correct 'url' in shop.toml."
        ) from error
    con.raw_sql("SET TimeZone = 'UTC'")
    return con


def _unreachable(source: Source, error: Exception) -> SourceError:
    return SourceError(
        f"'{source.url}' (source '{source.name}') cannot be connected to: {first_line(error)}. "
        "Check that the server runs and that you may read it; a password comes from PGPASSWORD, .pgpass or the "
        "application default credentials."
    )


def first_line(error: Exception) -> str:
    """Return what an engine says of an error, in one line."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def schemas_of(con: ibis.BaseBackend, source: Source) -> tuple[str, ...]:
    """Return the schemas that a source names, else the one that its url leads to."""
    if source.schemas:
        return source.schemas
    if not con.current_database:
        raise SourceError(
            f"'{source.url}' (source '{source.name}') names no schema. Name one in shop.toml: schema = \"...\"."
        )
    return (con.current_database,)


def schema_names(con: ibis.BaseBackend) -> list[str]:
    """Return the names of the schemas of a database that are not the engine's own, sorted."""
    return sorted(name for name in con.list_databases() if not name.startswith(("pg_", "information_schema")))


def table_names(con: ibis.BaseBackend, schema: str) -> list[str]:
    """Return the names of all tables and views of a schema, sorted.

    Raises
    ------
    SourceError
        If there is no such schema, naming those there are.
    """
    known = schema_names(con)
    if schema not in known:
        raise SourceError(
            f"There is no schema '{schema}' in the warehouse.{did_you_mean(schema, known)} "
            f"It has {quoted(known) or 'none'}. Correct 'schema' in shop.toml."
        )
    return sorted(con.list_tables(database=schema))


def without_views(names: list[str]) -> list[str]:
    """Leave out each `x_view` beside its table `x`: in BigQuery it holds the last 60 days of loads alone."""
    return [name for name in names if not (name.endswith("_view") and name.removesuffix("_view") in names)]


def state_of(source: Source) -> str:
    """Return a text that changes when the tables of a source do.

    For a DuckDB file its size and time of change; for a server the number of rows
    and the newest arrival of every table.
    """
    scheme, _mark, place = source.url.partition("://")
    if scheme == "duckdb":
        files = [Path(place), Path(f"{place}.wal")]
        found = [(file, file.stat()) for file in files if file.is_file()]
        return "\n".join(f"{file} {status.st_size} {status.st_mtime_ns}" for file, status in found)
    con = connect(source)
    try:
        parts = [
            _state_of_table(con.table(name, database=schema), f"{schema}.{name}")
            for schema in schemas_of(con, source)
            for name in without_views(table_names(con, schema))
        ]
        states = con.to_pyarrow(ibis.union(*parts)).to_pylist() if parts else []
    finally:
        con.disconnect()
    return "\n".join(sorted(f"{state['name']} {state['rows']} {state['newest']}" for state in states))


def _state_of_table(table: ir.Table, name: str) -> ir.Table:
    newest = [table[column].max().cast(str) for column in ARRIVALS if column in table.columns]
    joined = ibis.literal(" ").join([text.fill_null("") for text in newest]) if newest else ibis.literal("")
    return table.agg(name=ibis.literal(name), rows=table.count(), newest=joined)


def text_batches(con: ibis.BaseBackend, query: ir.Table) -> Iterator[pa.RecordBatch]:
    """Run a query whose columns are all text, and hand over its rows some at a time."""
    if con.name == "postgres":
        yield from copied_batches(con, query)
    else:
        yield from con.to_pyarrow_batches(query, chunk_size=_ROWS_AT_ONCE)
