"""Raw Segment calls in files: the archive of Segment's S3 destination, or what its libraries send."""

import json
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb

from ecomkit.errors import SourceError, quoted
from ecomkit.settings import Source
from ecomkit.sources.call_lines import Portion, lay_out_lines, portions_of
from ecomkit.sources.calls import MACROS, SENT, Reading, insert_calls

SUFFIXES = (".json", ".ndjson", ".jsonl", ".json.gz", ".ndjson.gz", ".jsonl.gz", ".gz")
# Portions read at once: while one is unzipped, another is parsed.
_AT_ONCE = 2


def segment_file_paths(source: Source) -> list[Path]:
    """Return the files of a source, sorted; an archive's stray objects are passed over.

    Raises
    ------
    SourceError
        If the path does not exist, or holds no file of newline JSON.
    """
    if source.path.is_file():
        if source.path.stat().st_size == 0:
            raise SourceError(
                f"The file '{source.path}' (source '{source.name}') is empty. Export it again, or remove the source."
            )
        return [source.path]
    if not source.path.is_dir():
        raise SourceError(
            f"There is no file or folder '{source.path}' (source '{source.name}'). "
            "Correct 'path' in shop.toml: it counts from the folder of the shop.toml."
        )
    found = sorted(path for path in source.path.rglob("*") if path.is_file())
    files = [path for path in found if path.name.endswith(SUFFIXES)]
    if not files:
        raise SourceError(
            f"The folder '{source.path}' (source '{source.name}') holds no file of calls; it has "
            f"{quoted(path.name for path in found[:5]) or 'no file'}. Files of calls end in {quoted(SUFFIXES)}."
        )
    # Segment leaves objects without a byte in the folders of its archive.
    return [path for path in files if path.stat().st_size]


def read_segment_files(
    con: duckdb.DuckDBPyConnection,
    sources: Sequence[Source],
    reading: Reading,
) -> list[Portion]:
    """Insert every call of all `sources` into the table `calls`; return the portions they were read in.

    `problem` in `calls` names why a line cannot be read.
    """
    portions = portions_of([(source, path) for source in sources for path in segment_file_paths(source)])
    flat = _flat(reading)
    own_schema = con.execute("SELECT current_database()").fetchone()[0]

    def read(portion: Portion) -> None:
        cursor = con.cursor()
        cursor.execute(f"USE \"{own_schema}\"; SET TimeZone = 'UTC'")
        cursor.execute(MACROS)
        lay_out_lines(cursor, portion, Path(scratch))
        named = flat.replace("$source", "'" + portion.source.name.replace("'", "''") + "'")
        insert_calls(cursor, named, reading)
        cursor.execute("DROP TABLE lines")
        cursor.close()

    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(read, portions))
    return portions


def sent_text(con: duckdb.DuckDBPyConnection, portions: Sequence[Portion], wanted: str) -> None:
    """Create `sent_text`: `row_id, raw`, the masked text of the calls in the query `wanted` of row ids.

    Only the portions that hold one of them are read again.
    """
    con.execute(MACROS)
    con.execute(f"CREATE OR REPLACE TEMP TABLE wanted AS {wanted}")
    con.execute("CREATE OR REPLACE TABLE sent_text (row_id BIGINT, raw VARCHAR)")
    with tempfile.TemporaryDirectory() as scratch:
        for portion in portions:
            first, after = portion.row_ids
            held = con.execute("SELECT count(*) FROM wanted WHERE row_id >= $1 AND row_id < $2", [first, after])
            if held.fetchone()[0]:
                lay_out_lines(con, portion, Path(scratch))
                con.execute(
                    "INSERT INTO sent_text SELECT row_id, masked(raw) FROM lines SEMI JOIN wanted USING (row_id)"
                )
    con.execute("DROP TABLE IF EXISTS lines; DROP TABLE wanted")


def _flat(reading: Reading) -> str:
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
        SELECT $source AS source, source_file, line_number, row_id, hash(raw) AS content_hash, problem,
            coalesce({as_text}, false) AS money_as_text,
            call.properties.products::VARCHAR AS products,
            {columns}
        FROM (
            SELECT source_file, line_number, row_id, raw,
                CASE WHEN NOT json_valid(raw) THEN 'not JSON'
                     WHEN left(ltrim(raw), 1) <> '{{' THEN 'not a JSON object' END AS problem,
                CASE WHEN problem IS NULL THEN json_transform(raw, '{json.dumps(shape)}') END AS call
            FROM lines
        )"""
