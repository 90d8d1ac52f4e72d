"""What a built shop is found again by, and the salt of its hashed addresses."""

import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ecomkit.settings import Settings
from ecomkit.sources.warehouse import state_of

# A change of these rebuilds every shop.
MAKERS = ("column_types.py", "row_accounts.py", "schemas.py", "segment_names.py", "engines.py", "pipeline", "sources")


def fingerprint_of(settings: Settings, salt: str) -> str:
    """Return a hash over settings, input files (name, size, time of change), salt and the kit's own build code."""
    parts = [repr(settings), salt]
    inputs = [source.path for source in settings.sources if source.path] + ([settings.rates] if settings.rates else [])
    for path in inputs:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file():
                status = file.stat()
                parts.append(f"{file} {status.st_size} {status.st_mtime_ns}")
    parts += [state_of(source) for source in settings.sources if source.url]
    return hashlib.sha256("\n".join([*parts, *code_of(MAKERS)]).encode()).hexdigest()


def code_of(makers: Iterable[str]) -> list[str]:
    """Return the text of the kit's own modules and rule files, given by file or by room."""
    texts = []
    for maker in makers:
        place = Path(__file__).parent / maker
        files = sorted([*place.rglob("*.py"), *place.rglob("*.toml")]) if place.is_dir() else [place]
        texts += [file.read_text(encoding="utf-8") for file in files]
    return texts


def salt_of(folder: Path) -> str:
    """Return the salt of hashed addresses: ECOMKIT_SALT, else the shop's file `salt`, made at the first build."""
    given = os.environ.get("ECOMKIT_SALT")
    if given:
        return given
    path = folder / "salt"
    if not path.is_file():
        _write_once(path, secrets.token_hex(32))
    return path.read_text(encoding="utf-8").strip()


def _write_once(path: Path, text: str) -> None:
    """Write a secret file, whole; of two processes at once the first one's text stays."""
    descriptor, unfinished = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        with suppress(FileExistsError):
            os.link(unfinished, path)
    finally:
        os.unlink(unfinished)
