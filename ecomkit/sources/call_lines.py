"""The lines of a portion of files as text, each under its number: whatever a line holds, no other suffers."""

import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from ecomkit.errors import SourceError
from ecomkit.settings import Source
from ecomkit.sources.places import source_file
from ecomkit.sources.portions import Portion
from ecomkit.sources.unzipped import open_unzipped

# What DuckDB reads as one line at most. A call has 32 KB: whoever sends more has no call to send.
_LINE_LIMIT = 16 << 20
# What is left of a longer line: a broken byte that is replaced becomes three.
_LONGEST_LINE = _LINE_LIMIT // 3 - 2


def lay_out_lines(con: duckdb.DuckDBPyConnection, portion: Portion, scratch: Path, *, only: str = "") -> None:
    """Create the temporary tables `lines`: `file_number, number, raw`, and `files`: `file_number, source_file, before`.

    A line's place in its file is `number - before`. Bytes that are no UTF-8 become
    replacement characters. With `only`, a query of numbers, no other lines are laid out.

    Raises
    ------
    SourceError
        If a gzipped file was cut short or is damaged.
    """
    if portion.form == "document":
        _read_repaired(con, portion, scratch, only)
    else:
        try:
            _read(con, portion.paths, portion.form, only)
            if portion.form == "gzip" and not only:
                _check_whole(con, portion)
        except (duckdb.InvalidInputException, duckdb.IOException):
            if portion.form == "gzip":
                for path in portion.paths:
                    _read_through(portion.source, path)
            _read_repaired(con, portion, scratch, only)
    labels = [source_file(portion.source, path) for path in portion.paths]
    con.execute(
        """CREATE OR REPLACE TEMP TABLE files AS
        SELECT file_number, $labels[file_number] AS source_file, min(number) - 1 AS before
        FROM lines GROUP BY file_number""",
        {"labels": labels},
    )


def _read(con: duckdb.DuckDBPyConnection, paths: Sequence[Path], compression: str, only: str) -> None:
    # A separator that Unicode gives to no character, and no quotes: a line is one value whatever it holds.
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE lines AS
        SELECT * FROM (
            SELECT file_index::BIGINT + 1 AS file_number, row_number() OVER () AS number, line AS raw
            FROM read_csv($paths, columns = {{'line': 'VARCHAR'}}, delim = '\U0010ffff', quote = '', escape = '',
                header = false, auto_detect = false, strict_mode = false, compression = $compression,
                max_line_size = {_LINE_LIMIT}, buffer_size = {2 * _LINE_LIMIT})
        ) {f"WHERE number IN ({only})" if only else ""}""",
        # To DuckDB a path is a pattern.
        {"paths": [re.sub(r"([*?\[])", r"[\1]", str(path)) for path in paths], "compression": compression},
    )


def _check_whole(con: duckdb.DuckDBPyConnection, portion: Portion) -> None:
    # DuckDB reads a file that was cut in half as far as it goes, and says nothing. Where the length is
    # not the one that the file ends with, other line ends can be why, so it is read once more to be sure.
    lengths = dict(con.execute("SELECT file_number, sum(strlen(raw) + 1) FROM lines GROUP BY file_number").fetchall())
    for number, path in enumerate(portion.paths, start=1):
        with path.open("rb") as file:
            file.seek(-4, 2)
            told = int.from_bytes(file.read(), "little")
        if (lengths.get(number, 0) - told) % (1 << 32) > 1:
            _read_through(portion.source, path)


def _read_through(source: Source, path: Path) -> None:
    try:
        with open_unzipped(path) as file:
            while file.read(1 << 20):
                pass
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(
            f"The file '{path}' (source '{source.name}') cannot be read to its end: {error}. Copy or export it again."
        ) from error


def _read_repaired(con: duckdb.DuckDBPyConnection, portion: Portion, scratch: Path, only: str) -> None:
    """Read copies: broken bytes replaced, endless lines cut, a document in one line."""
    copies = []
    for place, path in enumerate(portion.paths):
        copies.append(scratch / f"{portion.number}-{place}.ndjson")
        with copies[-1].open("wb") as written:
            for line in _lines(path, as_one=portion.form == "document"):
                written.write(line.decode("utf-8", errors="replace").encode() + b"\n")
    _read(con, copies, "none", only)


def _lines(path: Path, *, as_one: bool) -> Iterator[bytes]:
    with open_unzipped(path) as file:
        if as_one:
            # Line breaks of a document stand between values, never within one.
            yield file.read().replace(b"\r", b" ").replace(b"\n", b" ")
        while line := file.readline(_LONGEST_LINE):
            yield line.rstrip(b"\r\n")
            while not line.endswith(b"\n") and line:
                line = file.readline(_LONGEST_LINE)
