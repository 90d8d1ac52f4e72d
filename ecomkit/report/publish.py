"""A report's folder appears whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ecomkit.errors import UsageError

# A folder that holds these is a report, and only a report is ever replaced.
MARKS = ("index.html", "report.json")


def refuse_foreign_folder(target: Path) -> None:
    """Stop before a folder that holds something else than a report would be replaced.

    Raises
    ------
    UsageError
        If `target` is a file, or a folder with files that are not a report's.
    """
    if target.is_dir() and (not any(target.iterdir()) or all((target / mark).is_file() for mark in MARKS)):
        return
    if target.exists():
        raise UsageError(
            f"'{target}' exists and is not a report, so it is not replaced. Name another folder with --out."
        )


@contextmanager
def appearing(target: Path) -> Iterator[Path]:
    """Give a folder to write into that takes the place of `target` when the block ends well.

    When the block raises, `target` stays as it was.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    # The mode of a folder made by mkdtemp would hide the report from the web server that shows it.
    scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    new, old = scratch / "new", scratch / "old"
    try:
        new.mkdir()
        yield new
        _swap(new, target, old)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _swap(new: Path, target: Path, old: Path) -> None:
    if not target.exists():
        os.rename(new, target)
        return
    os.rename(target, old)
    try:
        os.rename(new, target)
    except OSError:
        os.rename(old, target)
        raise
