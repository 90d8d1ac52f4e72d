"""Where the files of a source lie, and what a row says of that."""

from pathlib import Path

from ecomkit.errors import SourceError
from ecomkit.settings import Source


def check_place(source: Source) -> None:
    """Stop where there is neither a file nor a folder at a source's path.

    Raises
    ------
    SourceError
        Naming the path and the source.
    """
    if not source.path.exists():
        raise SourceError(
            f"There is no file or folder '{source.path}' (source '{source.name}'). "
            "Correct 'path' in shop.toml: it counts from the folder of the shop.toml."
        )


def source_file(source: Source, path: Path) -> str:
    """Return how accounts and quarantine name a file: its path from the folder that holds the source."""
    return str(path.relative_to(source.path.parent))
