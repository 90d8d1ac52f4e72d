"""Files that may be gzipped, whatever their name says: some clients hand Segment's `.gz` objects back unzipped."""

import gzip
from pathlib import Path
from typing import BinaryIO


def is_gzipped(path: Path) -> bool:
    """Tell a gzipped file by its first two bytes."""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def open_unzipped(path: Path) -> BinaryIO:
    """Open a file for reading its bytes, unzipped where they are gzipped."""
    return gzip.open(path) if is_gzipped(path) else path.open("rb")
