"""Raw Segment calls in files: the archive of Segment's S3 destination, or what its libraries send."""

import json
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb

from ecomkit.errors import SourceError, quoted
from ecomkit.settings import Source
from ecomkit.sources.call_lines import lay_out_lines
from ecomkit.sources.calls import MACROS, SENT, Reading, insert_calls
from ecomkit.sources.http_bodies import unwrapped
from ecomkit.sources.places import check_place
from ecomkit.sources.portions import Portion, portions_of
from ecomkit.sources.sql_text import sql_name, sql_text

SUFFIXES = (".json", ".ndjson", ".jsonl", ".json.gz", ".ndjson.gz", ".jsonl.gz", ".gz")
NO_OBJECT = "not a JSON object"
# Portions read at once: while one is unzipped, another is parsed.
_AT_ONCE = 2


def segment_file_paths(source: Source) -> list[Path]:
    """Return the files of a source, sorted; an archive's stray objects are passed over.

    Raises
    ------
    SourceError
        If the path does not exist, or holds no file of newline JSON.
    """
    check_place(source)
    if source.path.is_file():
        if source.path.stat().st_size == 0:
            raise SourceError(
                f"The file '{source.path}' (source '{source.name}') is empty. Export it again, or remove the source."
            )
        return [source.path]
    found = sorted(path for path in source.path.rglob("*") if path.is_file())
    files = [path for path in found if path.name.lower().endswith(SUFFIXES)]
    if not files:
        raise SourceError(
            f"The folder '{source.path}' (source '{source.name}') holds no file of calls; it has "
            f"{quoted(path.name for path in found[:5]) or 'no file'}. Files of calls end in {quoted(SUFFIXES)}."
        )
    # Segment leaves objects without a byte in the folders of its archive.
    return [path for path in files if path.stat().st_size]


def read_segment_files(con: duckdb.DuckDBPyConnection, sources: Sequence[Source], reading: Reading) -> list[Portion]:
    """Insert every call of all `sources` into the table `calls`; return the portions they were read in.

    `problem` in `calls` names why a line cannot be read.
    """
    portions = portions_of([(source, path) for source in sources for path in segment_file_paths(source)])
    home = con.execute("SELECT current_database()").fetchone()[0]

    def read(portion: Portion) -> None:
        cursor = con.cursor()
        cursor.execute(f"USE {sql_name(home)}; SET TimeZone = 'UTC'")
        cursor.execute(MACROS)
        lay_out_lines(cursor, portion, Path(scratch))
        _insert_portion(cursor, portion, reading)
        cursor.execute("DROP TABLE lines")
        cursor.close()

    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(read, portions))
    return portions


def _insert_portion(con: duckdb.DuckDBPyConnection, portion: Portion, reading: Reading) -> None:
    lines = f"""
        SELECT file_number, number, {portion.row_id("number")} AS row_id, raw FROM lines
        -- Blank lines are no rows.
        WHERE strlen(raw) > 64 OR trim(raw, E' \\t\\r\\n') <> ''"""
    insert_calls(con, _flat(portion.source, lines, reading), reading)
    # What names no type may be the body of an HTTP request; then its calls take its place.
    untyped = f"""
        SELECT {portion.number_of("row_id")} FROM calls
        WHERE {portion.holds("row_id")} AND (problem = '{NO_OBJECT}' OR (problem IS NULL AND call_type IS NULL))"""
    con.execute(f"CREATE OR REPLACE TEMP TABLE bodies AS {unwrapped(untyped)}")
    if con.execute("SELECT count(*) FROM bodies").fetchone()[0]:
        con.execute(f"DELETE FROM calls WHERE row_id IN (SELECT {portion.row_id('number')} FROM bodies)")
        inside = f"SELECT file_number, number, {portion.row_id('number', 'place')} AS row_id, raw FROM bodies"
        insert_calls(con, _flat(portion.source, inside, reading), reading)


def sent_text(con: duckdb.DuckDBPyConnection, portions: Sequence[Portion], wanted: str) -> None:
    """Create `sent_text`: `row_id, raw`, the masked text of the calls in the query `wanted` of row ids.

    Only the portions that hold one of them are read again.
    """
    con.execute(MACROS)
    con.execute(f"CREATE OR REPLACE TEMP TABLE wanted AS {wanted}")
    con.execute("CREATE OR REPLACE TABLE sent_text (row_id BIGINT, raw VARCHAR)")
    with tempfile.TemporaryDirectory() as scratch:
        for portion in portions:
            con.execute(
                f"""CREATE OR REPLACE TEMP TABLE wanted_here AS
                SELECT row_id, {portion.number_of("row_id")} AS number, row_id <> {portion.row_id("number")} AS in_body
                FROM wanted WHERE {portion.holds("row_id")}"""
            )
            if not con.execute("SELECT count(*) FROM wanted_here").fetchone()[0]:
                continue
            lay_out_lines(con, portion, Path(scratch), only="SELECT number FROM wanted_here")
            con.execute(
                f"""INSERT INTO sent_text
                SELECT row_id, masked_line(raw) FROM (
                    SELECT {portion.row_id("number")} AS row_id, raw FROM lines
                    UNION ALL
                    SELECT {portion.row_id("number", "place")}, raw
                    FROM ({unwrapped("SELECT DISTINCT number FROM wanted_here WHERE in_body")})
                ) SEMI JOIN wanted_here USING (row_id)"""
            )
    con.execute("DROP TABLE IF EXISTS lines; DROP TABLE wanted")


def _flat(source: Source, lines: str, reading: Reading) -> str:
    """Return the query that takes every call of `lines` apart, in one pass over its text."""
    money = reading.money
    wanted = dict(SENT) | {name: [f"$.properties.{key}" for key in keys] for name, keys in reading.properties.items()}
    shape: dict = {"properties": {"products": "JSON"}}
    for name, paths in wanted.items():
        for path in paths:
            *parents, leaf = path.split(".")[1:]
            place = shape
            for parent in parents:
                place = place.setdefault(parent, {})
            place[leaf] = "JSON" if name in money else "VARCHAR"
    fields = {
        name: [".".join(["call", *(f'"{part}"' for part in path.split(".")[1:])]) for path in paths]
        for name, paths in wanted.items()
    }
    text = {
        name: "coalesce(" + ", ".join(f"unquoted({field})" if name in money else field for field in found) + ")"
        for name, found in fields.items()
    }
    columns = ",\n            ".join(f"{sql} AS {name}" for name, sql in text.items())
    as_text = " OR ".join(f"left({field}, 1) = '\"'" for name in money for field in fields[name])
    return f"""
        SELECT {sql_text(source.name)} AS source, source_file, line_number, row_id, hash(raw) AS content_hash, problem,
            coalesce({as_text}, false) AS money_as_text,
            call.properties.products::VARCHAR AS products,
            {columns}
        FROM (
            SELECT source_file, number - before AS line_number, row_id, raw,
                CASE WHEN NOT json_valid(raw) THEN 'not JSON'
                     WHEN left(ltrim(raw), 1) <> '{{' THEN '{NO_OBJECT}' END AS problem,
                CASE WHEN problem IS NULL THEN json_transform(raw, '{json.dumps(shape)}') END AS call
            FROM ({lines}) JOIN files USING (file_number)
        )"""
