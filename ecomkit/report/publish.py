"""A report's folder appears whole or not at all."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ecomkit.errors import UsageError
from ecomkit.whole_files import own_folder, remove_leftovers

# A folder that holds these is a report, and only a report is ever replaced.
MARKS = ("index.html", "report.json")

# Linux's numbers: paths as they are given, and two names that change places.
_HERE, _EXCHANGE = -100, 2


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

    When the block raises, or its process is killed, `target` stays as it was. Of two
    reports of one week at once the later one stays, whole.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    hidden = target.with_name(f".{target.name}")
    remove_leftovers(target.parent, f"{hidden.name}.")
    with own_folder(hidden) as scratch:
        # The mode of the scratch folder would hide the report from the web server that shows it.
        new = scratch / "new"
        new.mkdir()
        yield new
        _put_in_place(new, target)


def _put_in_place(new: Path, target: Path) -> None:
    # A folder that is not empty is never renamed over: then it is there, and the two are swapped.
    with suppress(OSError):
        os.rename(new, target)
        return
    if not _swapped(new, target):
        _swap_in_steps(new, target)


def _swapped(one: Path, other: Path) -> bool:
    """Swap two folders in one step, so that no moment is without a report; False where the system cannot."""
    renameat2 = getattr(ctypes.CDLL(None), "renameat2", None)
    if renameat2 is None:
        return False
    return renameat2(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0


def _swap_in_steps(new: Path, target: Path) -> None:
    old = new.with_name("old")
    os.rename(target, old)
    try:
        os.rename(new, target)
    except OSError:
        os.rename(old, target)
        raise
