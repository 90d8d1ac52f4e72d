"""CSV files as people export them: every row keeps the line it begins on, and a broken row breaks no other."""

import codecs
import csv
import io
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

import duckdb
import pyarrow as pa

from ecomkit.errors import SourceError
from ecomkit.sources.unzipped import open_unzipped

_DELIMITERS = ",;\t|"
_ROWS_AT_ONCE = 20_000
csv.field_size_limit(2**31 - 1)

# Line, its fields (None where it is no row of this table), and the text of such a line.
Row = tuple[int, list[str] | None, str]


def csv_header(path: Path) -> list[str]:
    """Return the names in the header of a CSV file, without the spaces around them; none in a file without text.

    Raises
    ------
    SourceError
        If the file cannot be read to its end.
    """
    try:
        with _opened(path) as file:
            first = file.readline()
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"The file '{path}' cannot be read to its end: {error}. Copy or export it again.") from error
    return [name.strip() for name in next(csv.reader([first], delimiter=_delimiter(first)), [])]


def csv_rows(path: Path) -> Iterator[Row]:
    """Yield the rows after the header, each with the line on which it begins; the header is line 1.

    Blank lines are no rows, but count as lines. Fields that lack at the end of a
    line are empty. A row with more fields than the header, or one whose quote closes
    nowhere, is set aside with its first line alone: reading goes on with the next line.
    """
    with _opened(path) as file:
        header = file.readline()
        delimiter = _delimiter(header)
        width = len(next(csv.reader([header], delimiter=delimiter), []))
        drawn: list[str] = []
        again: deque[str] = deque()

        def lines() -> Iterator[str]:
            while again or (line := file.readline()):
                drawn.append(again.popleft() if again else line)
                yield drawn[-1]

        number, reader = 2, csv.reader(lines(), delimiter=delimiter)
        while True:
            drawn.clear()
            try:
                row = next(reader, None)
            except csv.Error:
                row = ["?"] * (width + 1)
            if row is None:
                return
            while len(row) > width and not row[-1]:
                row.pop()
            broken = len(row) > width
            if len(drawn) > 1:
                broken = broken or len(row) < width or "".join(drawn).count('"') % 2 == 1
            if broken:
                yield number, None, drawn[0]
                again.extendleft(reversed(drawn[1:]))
                number, reader = number + 1, csv.reader(lines(), delimiter=delimiter)
                continue
            if row:
                yield number, row + [""] * (width - len(row)), ""
            number += len(drawn)


def load_csv(
    con: duckdb.DuckDBPyConnection, table: str, files: Sequence[tuple[str, Path]], columns: dict[str, str]
) -> None:
    """Create a temporary table of the rows of `files`, given with their labels, as text; empty fields are null.

    `columns` maps the names wanted to those of the header; a file without one gives
    nulls. Beside them stand `file_number, file_path, source_file, line_number`, which say
    the order of the rows, and `is_row`, false where a line is no row.
    """
    schema = pa.schema(
        [("file_number", pa.int64()), ("file_path", pa.string()), ("source_file", pa.string())]
        + [("line_number", pa.int64()), ("is_row", pa.bool_())]
        + [(name, pa.string()) for name in columns]
    )
    batches = (
        batch
        for number, (label, path) in enumerate(files, start=1)
        for batch in _batches(number, path, label, columns, schema)
    )
    con.register("incoming_rows", pa.RecordBatchReader.from_batches(schema, batches))
    con.execute(f'CREATE OR REPLACE TEMP TABLE "{table}" AS FROM incoming_rows')
    con.unregister("incoming_rows")


def _batches(
    number: int, path: Path, label: str, columns: dict[str, str], schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    header = csv_header(path)
    places = [header.index(name) if name in header else None for name in columns.values()]
    rows: list[Row] = []

    def batch() -> pa.RecordBatch:
        repeated = [[value] * len(rows) for value in (number, str(path), label)]
        fixed = [*repeated, [row[0] for row in rows], [bool(row[1]) for row in rows]]
        texts = [
            [row[1][place].replace("\0", "").strip() or None if row[1] and place is not None else None for row in rows]
            for place in places
        ]
        return pa.RecordBatch.from_arrays(
            [pa.array(values, field.type) for values, field in zip(fixed + texts, schema, strict=True)], schema=schema
        )

    for row in csv_rows(path):
        rows.append(row)
        if len(rows) == _ROWS_AT_ONCE:
            yield batch()
            rows.clear()
    if rows:
        yield batch()


def _delimiter(header: str) -> str:
    return max(_DELIMITERS, key=header.count)


def _opened(path: Path) -> TextIO:
    binary = open_unzipped(path)
    encoding = _encoding(binary)
    binary.seek(0)
    return io.TextIOWrapper(binary, encoding=encoding, errors="replace", newline="")


def _encoding(binary: io.BufferedIOBase) -> str:
    # A file that is not UTF-8 comes from a spreadsheet on Windows.
    decoder = codecs.getincrementaldecoder("utf-8")()
    if binary.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    binary.seek(0)
    try:
        while chunk := binary.read(1 << 20):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"
