"""Files of calls in portions: neither an archive of thousands of hourly files nor one of a few large ones is slow.

A row id names the portion, the line in it and the place in the line, so that
reading a portion again gives the same calls under the same ids.
"""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ecomkit.settings import Source
from ecomkit.sources.unzipped import is_gzipped, open_unzipped

# Bytes on disk of one portion; a gzipped file holds about ten times as many.
_BYTES = {"none": 192 << 20, "gzip": 24 << 20, "document": 24 << 20}
# The bits below a portion's number, and below the number of a line in it; a line of its own has place 0.
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
        return f"({self._first} | ({number}::BIGINT << {_LINE_BITS}) | {place}::BIGINT)"

    def number_of(self, row_id: str) -> str:
        """Return the SQL of the number of the line that a row id of this portion holds."""
        return f"(({row_id} - {self._first}) >> {_LINE_BITS})"

    def holds(self, row_id: str) -> str:
        """Return the SQL that says whether a row id is one of this portion."""
        return f"({row_id} >= {self._first} AND {row_id} < {self._first} + (1::BIGINT << {_PORTION_BITS}))"

    @property
    def _first(self) -> str:
        return f"({self.number}::BIGINT << {_PORTION_BITS})"


def portions_of(files: Sequence[tuple[Source, Path]]) -> list[Portion]:
    """Put files of one source and form together until a portion is full."""
    sources = list(dict.fromkeys(source.name for source, _path in files))
    formed = [(source, path, _form(path)) for source, path in files]
    found: list[Portion] = []
    size = 0
    for source, path, form in sorted(formed, key=lambda file: (sources.index(file[0].name), file[2])):
        last, bytes_here = found[-1] if found else None, path.stat().st_size
        if last and last.source == source and last.form == form and size + bytes_here <= _BYTES[form]:
            found[-1] = Portion(last.number, source, (*last.paths, path), form)
            size += bytes_here
        else:
            found.append(Portion(len(found), source, (path,), form))
            size = bytes_here
    return found


def _form(path: Path) -> str:
    lines = "gzip" if is_gzipped(path) else "none"
    try:
        with open_unzipped(path) as file:
            start = file.read(1 << 16).lstrip()
            first_line, broken, _rest = start.partition(b"\n")
            # A document goes over several lines, so its first line is no JSON by itself.
            maybe = start[:1] in (b"{", b"[") and broken and path.stat().st_size <= _BYTES["document"]
            if not maybe or _is_json(first_line):
                return lines
        with open_unzipped(path) as file:
            return "document" if _is_json(file.read()) else lines
    except (OSError, EOFError, zlib.error):
        # A damaged file is named when it is read.
        return lines


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
