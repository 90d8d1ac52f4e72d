"""The answer of a PostgreSQL query as batches of text: copied out, so that neither side holds all of it."""

import io
from collections.abc import Iterator

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from pyarrow import csv

# Bytes parsed at once: no row may be longer.
_BLOCK = 16 << 20


class _Copied(io.RawIOBase):
    """The bytes of a COPY as a file."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self.blocks, self.left = blocks, memoryview(b"")

    def readable(self) -> bool:
        """Say that this file is for reading."""
        return True

    def readinto(self, buffer: memoryview) -> int:
        """Fill the buffer as far as one block goes."""
        if not self.left:
            self.left = memoryview(next(self.blocks, b""))
        size = min(len(buffer), len(self.left))
        buffer[:size], self.left = self.left[:size], self.left[size:]
        return size


def copied_batches(con: ibis.BaseBackend, query: ir.Table) -> Iterator[pa.RecordBatch]:
    """Run a query whose columns are all text, and hand over its rows some at a time.

    Ibis fetches rows one by one into Python, and its cursor holds the whole answer.
    """
    text = {name: pa.string() for name in query.columns}
    copy_out = f"COPY ({con.compile(query)}) TO STDOUT (FORMAT csv, HEADER)"
    with con.con.cursor() as cursor, cursor.copy(copy_out) as copy:
        yield from csv.open_csv(
            io.BufferedReader(_Copied(iter(copy)), _BLOCK),
            read_options=csv.ReadOptions(block_size=_BLOCK),
            parse_options=csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
            # PostgreSQL quotes an empty text, and writes nothing at all for null.
            convert_options=csv.ConvertOptions(
                column_types=text, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
            ),
        )
