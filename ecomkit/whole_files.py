"""A file or folder appears whole or not at all, and one process at a time makes it."""

import fcntl
import glob
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_UNFINISHED = ".unfinished"


@contextmanager
def one_at_a_time(lock: Path, *, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Let one process at a time into the block; the next calls `waiting` once and waits for its turn.

    The system frees the lock of a process that was killed.
    """
    with lock.open("w") as held:
        if not _locked(held.fileno()):
            waiting()
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


@contextmanager
def appearing_whole(target: Path) -> Iterator[Path]:
    """Give the path of a file to write that takes the place of `target` when the block ends well.

    When the block raises, or its process is killed, `target` stays as it was. What a
    killed process has left of `target` is removed by the next.
    """
    remove_leftovers(target.parent, target.name)
    with own_folder(target) as folder:
        unfinished = folder / target.name
        yield unfinished
        # A rename can reach the disk before the bytes that it names: after a power cut the file would be empty.
        with unfinished.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(unfinished, target)


def remove_leftovers(folder: Path, beginning: str) -> None:
    """Remove what processes that were killed have left in `folder` of files whose names begin so."""
    for left in folder.glob(f"{glob.escape(beginning)}*{_UNFINISHED}"):
        # The lock tells the dead from the living; a number of a process would be given to another one day.
        with _opened(left) as descriptor:
            if descriptor is not None and _locked(descriptor):
                shutil.rmtree(left, ignore_errors=True)


@contextmanager
def own_folder(target: Path) -> Iterator[Path]:
    """Give a locked folder beside `target` to work in, which vanishes with the block.

    A folder, so that the files an engine keeps beside its own go with it.
    """
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f"{target.name}.", suffix=_UNFINISHED, dir=target.parent))
        with _opened(folder) as descriptor:
            # Another process may have taken it for a leftover before it was locked.
            if descriptor is None or not _locked(descriptor) or not folder.exists():
                continue
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            return


@contextmanager
def _opened(folder: Path) -> Iterator[int | None]:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
