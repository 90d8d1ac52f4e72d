"""Files of calls as lines of text: newline JSON, gzipped or not, HTTP batch bodies, captured requests, JSON documents.

Files are read in portions, so that neither an archive of thousands of hourly files
nor one of a few large ones costs more than its text. Reading a portion again gives
the same lines under the same numbers.
"""

import gzip
import json
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ecomkit.errors import SourceError
from ecomkit.settings import Source

# Bytes on disk of one portion; a gzipped file holds about ten times as many.
_PORTION = {"none": 192 << 20, "gzip": 24 << 20, "document": 24 << 20}
# A call has at most 32 KB; whoever sends more than this has no call to send. A byte that is replaced becomes three.
_LONGEST_LINE = (16 << 20) // 3 - 2
# A row id holds the portion, the line in it, and the place in an HTTP body of several calls (0 for a line of its own).
_PORTION_BITS, _LINE_BITS = 50, 24


@dataclass(frozen=True)
class Portion:
    """Files of one source that are read together; `form` is `none` (plain lines), `gzip` or `document`."""

    number: int
    source: Source
    paths: tuple[Path, ...]
    form: str

    def row_id(self, number: str, place: str = "0") -> str:
        """Return the SQL of the row id of a line, or of a call within it."""
        return f"(({self.number}::BIGINT << {_PORTION_BITS}) | ({number}::BIGINT << {_LINE_BITS}) | {place}::BIGINT)"

    def number_of(self, row_id: str) -> str:
        """Return the SQL of the number of the line that a row id of this portion holds."""
        return f"(({row_id} - ({self.number}::BIGINT << {_PORTION_BITS})) >> {_LINE_BITS})"

    def place_of(self, row_id: str) -> str:
        """Return the SQL of a call's place within its line, 0 for the line itself."""
        return f"({row_id} & ((1::BIGINT << {_LINE_BITS}) - 1))"

    def holds(self, row_id: str) -> str:
        """Return the SQL that says whether a row id is one of this portion."""
        first = f"({self.number}::BIGINT << {_PORTION_BITS})"
        return f"({row_id} >= {first} AND {row_id} < {first} + (1::BIGINT << {_PORTION_BITS}))"


def portions_of(files: Sequence[tuple[Source, Path]]) -> list[Portion]:
    """Put files of one source and form together until a portion is full."""
    sources = list(dict.fromkeys(source.name for source, _path in files))
    formed = [(source, path, _form(path)) for source, path in files]
    found: list[Portion] = []
    size = 0
    for source, path, form in sorted(formed, key=lambda file: (sources.index(file[0].name), file[2])):
        last, bytes_here = found[-1] if found else None, path.stat().st_size
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


def lay_out_lines(con: duckdb.DuckDBPyConnection, portion: Portion, scratch: Path, *, only: str = "") -> None:
    """Create the temporary tables `lines`: `file_number, number, raw`, and `files`: `file_number, source_file, before`.

    A line's place in its file is `number - before`. Bytes that are no UTF-8 become
    replacement characters. With `only`, a query of numbers, no other lines are laid out.

    Raises
    ------
    SourceError
        If a gzipped file was cut short or is damaged.
    """
    try:
        if portion.form == "document":
            raise duckdb.InvalidInputException
        _read(con, portion.paths, portion.form, only)
        if portion.form == "gzip" and not only:
            _check_whole(con, portion)
    except (duckdb.InvalidInputException, duckdb.IOException):
        if portion.form == "gzip":
            for path in portion.paths:
                _read_through(portion.source, path)
        _read(con, [_repaired(portion, path, scratch) for path in portion.paths], "none", only)
    labels = [str(path.relative_to(portion.source.path.parent)) for path in portion.paths]
    con.execute(
        """CREATE OR REPLACE TEMP TABLE files AS
        SELECT file_number, $labels[file_number] AS source_file, min(number) - 1 AS before
        FROM lines GROUP BY file_number""",
        {"labels": labels},
    )


def _read(con: duckdb.DuckDBPyConnection, paths: Sequence[Path], compression: str, only: str) -> None:
    # A separator that Unicode gives to no character, and no quotes: a line is one value whatever it holds.
    con.execute(
        """CREATE OR REPLACE TEMP TABLE lines AS
        SELECT * FROM (
            SELECT file_index::BIGINT + 1 AS file_number, row_number() OVER () AS number, line AS raw
            FROM read_csv($paths, columns = {'line': 'VARCHAR'}, delim = '\U0010ffff', quote = '', escape = '',
                header = false, auto_detect = false, strict_mode = false, compression = $compression,
                max_line_size = 16777216, buffer_size = 33554432)
        )"""
        + (f" WHERE number IN ({only})" if only else ""),
        {"paths": [re.sub(r"([*?\[])", r"[\1]", str(path)) for path in paths], "compression": compression},
    )


def _check_whole(con: duckdb.DuckDBPyConnection, portion: Portion) -> None:
    # DuckDB reads a file that was cut in half as far as it goes, and says nothing. Where the length is
    # not the one that the file ends with, other line ends can be why, so it is read once more to be sure.
    lengths = dict(con.execute("SELECT file_number, sum(strlen(raw) + 1) FROM lines GROUP BY file_number").fetchall())
    for number, path in enumerate(portion.paths, start=1):
        with path.open("rb") as opened:
            opened.seek(-4, 2)
            told = int.from_bytes(opened.read(), "little")
        if (lengths.get(number, 0) - told) % (1 << 32) <= 1:
            continue
        _read_through(portion.source, path)


def _read_through(source: Source, path: Path) -> None:
    try:
        with gzip.open(path) as opened:
            while opened.read(1 << 20):
                pass
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(
            f"The file '{path}' (source '{source.name}') cannot be read to its end: {error}. Copy or export it again."
        ) from error


def _repaired(portion: Portion, path: Path, scratch: Path) -> Path:
    """Copy a file that DuckDB cannot read: broken bytes replaced, endless lines cut, a document in one line."""
    copy = scratch / f"{portion.number}-{portion.paths.index(path)}.ndjson"
    with copy.open("wb") as written:
        for line in _lines(path, as_one=portion.form == "document"):
            written.write(line.decode("utf-8", errors="replace").encode() + b"\n")
    return copy


def _lines(path: Path, *, as_one: bool) -> Iterator[bytes]:
    if as_one:
        # Line breaks of a document stand between values, never within one.
        yield _bytes_of(path).replace(b"\r", b" ").replace(b"\n", b" ")
        return
    with path.open("rb") as opened:
        gzipped = opened.read(2) == b"\x1f\x8b"
    with (gzip.open if gzipped else open)(path, "rb") as opened:
        while line := opened.readline(_LONGEST_LINE):
            whole = line.endswith(b"\n")
            yield line.rstrip(b"\r\n")
            while not whole and (rest := opened.readline(_LONGEST_LINE)):
                whole = rest.endswith(b"\n")


def unwrapped(numbers: str) -> str:
    """Return the query of the calls in HTTP bodies and lists of calls: `file_number, number, place, raw`.

    Each has the `sentAt` and `context` of its body where it has none of its own.
    The query `numbers` names the lines to look into.
    """
    return f"""
        WITH bodies AS (
            SELECT file_number, number, CASE json_type(raw, '$.body')
                    WHEN 'OBJECT' THEN raw->'$.body' WHEN 'VARCHAR' THEN TRY_CAST(raw->>'$.body' AS JSON) ELSE raw
                END AS body
            FROM lines SEMI JOIN (SELECT * FROM ({numbers}) AS wanted(number)) USING (number) WHERE json_valid(raw)
        ), lists AS (
            SELECT *, CASE WHEN json_type(body) = 'ARRAY' THEN body
                WHEN json_type(body, '$.batch') = 'ARRAY' THEN body->'$.batch'
                WHEN json_type(body, '$.type') IS NOT NULL THEN json_array(body) END AS calls
            FROM bodies
        ), members AS (
            SELECT file_number, number, body, unnest(from_json(calls, '["JSON"]')) AS call,
                generate_subscripts(from_json(calls, '["JSON"]'), 1) AS place
            FROM lists WHERE json_type(calls, '$[0]') = 'OBJECT'
        )
        SELECT file_number, number, place, json_merge_patch(
            json_object('sentAt', body->'$.sentAt', 'context', coalesce(body->'$.context', '{{}}')),
            coalesce(call, 'null'))::VARCHAR AS raw
        FROM members"""
