"""`ecomkit init`: look, write a shop.toml that loads, and say what could not be told."""

import os
from dataclasses import dataclass
from pathlib import Path

from ecomkit.errors import SourceError, UsageError, quoted
from ecomkit.init.files import look_into, shown
from ecomkit.init.found import Found
from ecomkit.init.tables import look_at
from ecomkit.init.writing import toml_of
from ecomkit.settings import load_settings
from ecomkit.source_settings import holds_secret

_DATABASES = (".duckdb", ".ddb", ".db")


@dataclass(frozen=True)
class Start:
    """A shop.toml that was written: where, what each source is, what could not be told, and what is not used."""

    path: Path
    sources: tuple[tuple[str, str], ...]
    unclear: tuple[str, ...]
    unused: tuple[str, ...]


def start_shop(source: str, *, into: Path | None = None) -> Start:
    """Write a commented shop.toml for what lies at `source`: a folder, a file, or a database's url.

    It lies in that folder, beside that file, or where one says; for a url in the
    working folder.

    Raises
    ------
    UsageError
        If there is a shop.toml already, no such place, or a secret in the url.
    SourceError
        If nothing is found that the kit can read.
    """
    place = Path(source)
    is_url = "://" in source
    if not is_url and not place.exists():
        raise UsageError(
            f"There is no file or folder '{source}'. Name a folder, a file, or a database such as "
            "'postgres://host/database'."
        )
    folder = into or (Path() if is_url else place if place.is_dir() else place.parent)
    target = folder / "shop.toml"
    if target.exists():
        raise UsageError(
            f"'{target}' is there already and is not written over. Remove it, or name another folder with --into."
        )
    found = Found()
    if is_url:
        _refuse_secrets(source)
        look_at(source, source, found)
    elif place.suffix in _DATABASES:
        look_at(f"duckdb://{place.resolve()}", shown(place.resolve(), folder.resolve()), found)
    else:
        look_into(place.resolve(), folder.resolve(), found)
    if not found.sources:
        raise SourceError(
            f"'{source}' holds nothing that the kit can read. It has {quoted(found.unused[:5]) or 'no file'}. "
            "The kit reads Segment calls (newline JSON, gzipped or not, HTTP bodies), order lines and ad spend (CSV or "
            "Parquet with a header), Shopify's orders export, and the tables of Segment's warehouses."
        )
    text = toml_of(found, folder.resolve().name)
    _write(text, target)
    places = ((_place(found_source.entries), found_source.what) for found_source in found.sources)
    return Start(target, tuple(places), tuple(found.unclear), tuple(found.unused))


def _refuse_secrets(url: str) -> None:
    if holds_secret(url):
        raise UsageError(
            "The url holds a password or another secret, which would land in shop.toml. Take it out, and give it by "
            "the environment (PGPASSWORD), in .pgpass or as application default credentials."
        )


def _place(entries: dict) -> str:
    schema = entries.get("schema")
    schemas = schema if isinstance(schema, list) else [schema] if schema else []
    return " ".join([entries.get("path") or entries["url"], *schemas])


def _write(text: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".shop.toml.{os.getpid()}")
    try:
        unfinished.write_text(text, encoding="utf-8")
        load_settings(unfinished)
        os.replace(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)
