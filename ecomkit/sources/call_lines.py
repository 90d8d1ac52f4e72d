"""Files of calls as lines of text: newline JSON, gzipped or not, HTTP batch bodies, captured requests, JSON documents.

Files are read in portions, so that neither an archive of thousands of hourly files
nor one of a few large ones costs more than its text. Reading a portion again gives
the same lines under the same numbers.
"""

import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ecomkit.errors import SourceError
from ecomkit.settings import Source

# Bytes on disk of one portion; a gzipped file holds about ten times as many.
_PORTION = {"none": 192 << 20, "gzip": 24 << 20, "document": 24 << 20}
# A call has at most 32 KB; whoever sends more than this has no call to send.
_LONGEST_LINE = 16 << 20
_ROWS_OF_A_PORTION = 1 << 40


@dataclass(frozen=True)
class Portion:
    """Files of one source that are read together; `form` is `none` (plain lines), `gzip` or `document`."""

    number: int
    source: Source
    paths: tuple[Path, ...]
    form: str

    @property
    def row_ids(self) -> tuple[int, int]:
        """The first row id of the portion, and the first of the next."""
        return self.number * _ROWS_OF_A_PORTION, (self.number + 1) * _ROWS_OF_A_PORTION


def portions_of(files: Sequence[tuple[Source, Path]]) -> list[Portion]:
    """Put files of one source and form together until a portion is full."""
    found: list[Portion] = []
    size = 0
    for source, path in files:
        form, bytes_here = _form(path), path.stat().st_size
        last = found[-1] if found else None
        if last and last.source == source and last.form == form and size + bytes_here <= _PORTION[form]:
            found[-1] = Portion(last.number, source, (*last.paths, path), form)
            size += bytes_here
        else:
            found.append(Portion(len(found), source, (path,), form))
            size = bytes_here
    return found


def _form(path: Path) -> str:
    with path.open("rb") as opened:
        gzipped = opened.read(2) == b"\x1f\x8b"
    try:
        with (gzip.open if gzipped else open)(path, "rb") as opened:
            first = opened.read(1 << 16).lstrip()
    except (OSError, EOFError, zlib.error):
        return "gzip"
    # A document goes over several lines, so its first line is no JSON by itself.
    line, broken, _rest = first.partition(b"\n")
    if first[:1] in (b"{", b"[") and broken and not _is_json(line) and path.stat().st_size <= _PORTION["document"]:
        return "document" if _is_json(_bytes_of(path)) else ("gzip" if gzipped else "none")
    return "gzip" if gzipped else "none"


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _bytes_of(path: Path) -> bytes:
    content = path.read_bytes()
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


def lay_out_lines(con: duckdb.DuckDBPyConnection, portion: Portion, scratch: Path) -> None:
    """Create the temporary table `lines`: `source_file, line_number, row_id, raw`, one row per call sent.

    Blank lines are passed over. Calls of one HTTP body share its line number.
    Bytes that are no UTF-8 become replacement characters.

    Raises
    ------
    SourceError
        If a gzipped file was cut short or is damaged.
    """
    try:
        if portion.form == "document":
            raise duckdb.InvalidInputException
        _read(con, portion.paths, portion.form)
        if portion.form == "gzip":
            _check_whole(con, portion)
    except duckdb.InvalidInputException:
        copies = tuple(_repaired(portion, path, scratch) for path in portion.paths)
        _read(con, copies, "none")
    _unwrap(con)
    labels = [str(path.relative_to(portion.source.path.parent)) for path in portion.paths]
    con.execute(
        """CREATE OR REPLACE TEMP TABLE lines AS
        SELECT $labels[file_number] AS source_file, number - before AS line_number, $first + row AS row_id, raw
        FROM numbered_lines JOIN (
            SELECT file_number, min(number) - 1 AS before FROM numbered_lines GROUP BY file_number
        ) USING (file_number)
        WHERE trim(raw, E' \\t\\r\\n') <> ''""",
        {"labels": labels, "first": portion.row_ids[0]},
    )
    con.execute("DROP TABLE numbered_lines")


def _read(con: duckdb.DuckDBPyConnection, paths: Sequence[Path], compression: str) -> None:
    # Unit separator and no quotes: a line is one value whatever it holds.
    con.execute(
        """CREATE OR REPLACE TEMP TABLE numbered_lines AS
        SELECT *, number AS row FROM (
            SELECT list_position($paths, filename) AS file_number, row_number() OVER () AS number, line AS raw
            FROM read_csv($paths, columns = {'line': 'VARCHAR'}, delim = '\x1f', quote = '', escape = '',
                header = false, auto_detect = false, strict_mode = false, compression = $compression,
                max_line_size = 16777216, buffer_size = 33554432, filename = true)
        )""",
        {"paths": [str(path) for path in paths], "compression": compression},
    )


def _check_whole(con: duckdb.DuckDBPyConnection, portion: Portion) -> None:
    # DuckDB reads a file that was cut in half as far as it goes, and says nothing. Where the length is
    # not the one that the file ends with, other line ends can be why, so it is read once more to be sure.
    lengths = dict(
        con.execute("SELECT file_number, sum(strlen(raw) + 1) FROM numbered_lines GROUP BY file_number").fetchall()
    )
    for number, path in enumerate(portion.paths, start=1):
        with path.open("rb") as opened:
            opened.seek(-4, 2)
            told = int.from_bytes(opened.read(), "little")
        if (lengths.get(number, 0) - told) % (1 << 32) <= 1:
            continue
        try:
            with gzip.open(path) as opened:
                while opened.read(1 << 20):
                    pass
        except (OSError, EOFError, zlib.error) as error:
            raise SourceError(
                f"The file '{path}' (source '{portion.source.name}') cannot be read to its end: {error}. "
                "Copy or export it again."
            ) from error


def _repaired(portion: Portion, path: Path, scratch: Path) -> Path:
    """Copy a file that DuckDB cannot read: broken bytes replaced, endless lines cut, a document in one line."""
    copy = scratch / f"{portion.number}-{portion.paths.index(path)}.ndjson"
    with copy.open("wb") as written:
        for line in _lines(path, as_one=portion.form == "document"):
            written.write(line.decode("utf-8", errors="replace").encode()[: _LONGEST_LINE - 2] + b"\n")
    return copy


def _lines(path: Path, *, as_one: bool) -> Iterator[bytes]:
    content = _bytes_of(path)
    if as_one:
        # Line breaks of a document stand between values, never within one.
        yield content.replace(b"\r", b" ").replace(b"\n", b" ")
    else:
        yield from content.split(b"\n")


def _unwrap(con: duckdb.DuckDBPyConnection) -> None:
    """Replace HTTP bodies and lists of calls by their calls, with the body's `sentAt` and `context`."""
    con.execute(
        """CREATE OR REPLACE TEMP TABLE wrapped AS
        WITH bodies AS (
            SELECT file_number, number, CASE json_type(raw, '$.body')
                    WHEN 'OBJECT' THEN raw->'$.body' WHEN 'VARCHAR' THEN TRY_CAST(raw->>'$.body' AS JSON) ELSE raw
                END AS body
            FROM numbered_lines
            WHERE (left(ltrim(raw), 1) = '[' OR contains(raw, '"batch"') OR contains(raw, '"body"'))
                AND json_valid(raw) AND json_type(raw, '$.type') IS NULL
        ), lists AS (
            SELECT *, CASE WHEN json_type(body) = 'ARRAY' THEN body WHEN json_type(body, '$.batch') = 'ARRAY'
                THEN body->'$.batch' WHEN json_type(body, '$.type') IS NOT NULL THEN json_array(body) END AS calls
            FROM bodies
        )
        SELECT file_number, number, place, json_merge_patch(
            json_object('sentAt', body->'$.sentAt', 'context', coalesce(body->'$.context', '{}')),
            coalesce(call, 'null')) AS raw
        FROM (
            SELECT file_number, number, body, unnest(from_json(calls, '["JSON"]')) AS call,
                generate_subscripts(from_json(calls, '["JSON"]'), 1) AS place
            FROM lists WHERE json_array_length(calls) > 0 AND json_type(calls, '$[0]') = 'OBJECT'
        )"""
    )
    if con.execute("SELECT count(*) FROM wrapped").fetchone()[0]:
        con.execute(
            """CREATE OR REPLACE TEMP TABLE numbered_lines AS
            SELECT file_number, number, row_number() OVER (ORDER BY number, place) AS row, raw FROM (
                SELECT file_number, number, 0 AS place, raw FROM numbered_lines
                WHERE number NOT IN (SELECT number FROM wrapped)
                UNION ALL SELECT file_number, number, place, raw FROM wrapped
            )"""
        )
    con.execute("DROP TABLE wrapped")
