"""The [[source]] entries of a shop.toml: where each lies and how it is read."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ecomkit.errors import did_you_mean, quoted

# How a sender's `revenue` and `total` are read: pipeline.money_rules says what each rule means.
MONEY_RULES = (
    "detect", "after_discount", "before_discount", "discount_ignored", "revenue_is_total", "total_is_goods",
    "tax_in_prices", "tax_in_revenue", "discount_in_prices",
)  # fmt: skip
SOURCE_KINDS = ("segment_files", "segment_tables", "order_files", "ad_spend")

# Exports that order files may be as they come; others map their columns.
ORDER_FORMATS = ("shopify",)
# Where each kind of source may lie; what it may say beyond that, its `kind` and the `schema` of a `url`.
_PLACES = {
    "segment_files": ("path",),
    "segment_tables": ("url",),
    "order_files": ("path",),
    "ad_spend": ("path", "url"),
}
_SOURCE_KEYS = {
    "segment_files": ("name", "money_rule"),
    "segment_tables": ("name", "money_rule"),
    "order_files": (
        "name",
        "format",
        "money_rule",
        "time_zone",
        "currency",
        "columns",
        "refund_prefix",
        "shipping_codes",
        "not_products",
    ),
    "ad_spend": ("name", "platform", "channel", "currency", "currencies", "columns"),
}

_URL = "postgres://host/database"
_SECRET_NAMES = re.compile("(?i)pass(?!file)|pwd|token|secret|credential|(^|_)key$")


@dataclass(frozen=True)
class Source:
    """One [[source]] of a shop: where it lies and how it is read.

    It lies in files at `path`, else in the `schemas` of the database at `url`; no
    schema means the database's own.
    """

    kind: str
    path: Path | None
    name: str
    options: dict[str, Any] = field(default_factory=dict)
    url: str | None = None
    schemas: tuple[str, ...] = ()


def read_sources(entries: list[dict[str, Any]], folder: Path, problems: list[str]) -> tuple[Source, ...]:
    """Return the shop's sources; what is wrong with an entry is added to `problems`."""
    sources = []
    for number, entry in enumerate(entries, start=1):
        kind = entry.get("kind")
        if kind not in SOURCE_KINDS:
            problems.append(f"[[source]] {number} has kind {kind!r}, not one of {quoted(SOURCE_KINDS)}")
            continue
        wrong = _wrong_place(entry, number)
        if wrong:
            problems += wrong
            continue
        options = {key: value for key, value in entry.items() if key not in ("kind", "name", *_places_of(kind))}
        for key in options:
            if key not in _SOURCE_KEYS[kind]:
                hint = did_you_mean(key, (*_SOURCE_KEYS[kind], *_places_of(kind)))
                problems.append(f"unknown key '{key}' in [[source]] {number} ({kind}).{hint}".rstrip("."))
        problems += _wrong_format(options, number)
        own_rule = options.get("money_rule", "detect")
        if own_rule not in MONEY_RULES:
            problems.append(f"'money_rule' in [[source]] {number} is {own_rule!r}, not one of {quoted(MONEY_RULES)}")
        problems += _wrong_currencies(options.get("currencies", {}), number)
        sources.append(_source(entry, options, folder))
    names = [source.name for source in sources if source.kind.startswith("segment")]
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        problems.append(f"{names.count(name)} [[source]] of calls are named '{name}', so give each a 'name' of its own")
    if not entries:
        problems.append("there is no [[source]]")
    return tuple(sources)


def _wrong_format(options: dict[str, Any], number: int) -> list[str]:
    if "format" not in options:
        return []
    if options["format"] not in ORDER_FORMATS:
        return [f"'format' in [[source]] {number} is {options['format']!r}, not one of {quoted(ORDER_FORMATS)}"]
    needless = [key for key in options if key not in ("format", "name", "time_zone", "currency")]
    return [f"'{key}' in [[source]] {number} does not go with 'format', which knows its columns" for key in needless]


def _wrong_currencies(currencies: Any, number: int) -> list[str]:
    where = f"'currencies' in [[source]] {number}"
    if not isinstance(currencies, dict):
        return [f"{where} is {currencies!r}, not accounts with their currency such as {{123 = 'USD'}}"]
    return [
        f"{where} gives '{account}' the currency {code!r}, not a code of three capitals such as 'EUR'"
        for account, code in currencies.items()
        if not isinstance(code, str) or not re.fullmatch("[A-Z]{3}", code)
    ]


def _places_of(kind: str) -> tuple[str, ...]:
    return (*_PLACES[kind], "schema") if "url" in _PLACES[kind] else _PLACES[kind]


def _wrong_place(entry: dict[str, Any], number: int) -> list[str]:
    """Say what is wrong with where a source lies; never with the words of its `url`, which may hold a secret."""
    places = _PLACES[entry["kind"]]
    given = [place for place in places if place in entry]
    label = f"[[source]] {number}"
    if not given:
        return [f"{label} lacks {' or '.join(quoted([place]) for place in places)}"]
    if len(given) > 1:
        return [f"{label} has both 'path' and 'url', of which one must go"]
    [place] = given
    if not isinstance(entry[place], str) or not entry[place]:
        # A source without a usable path has none.
        return [f"{label} lacks 'path'" if place == "path" else f"'url' in {label} is not a text such as '{_URL}'"]
    if place == "path":
        return [f"'schema' in {label} belongs to a 'url', and there is none"] if "schema" in entry else []
    if holds_secret(entry["url"]):
        return [
            f"'url' in {label} holds a password or another secret, which does not belong into a file: give it by the "
            "environment (PGPASSWORD), in .pgpass or as application default credentials, and take it out of the url"
        ]
    schemas = entry.get("schema", [])
    named = [schemas] if isinstance(schemas, str) else schemas
    if not isinstance(named, list) or not all(isinstance(name, str) and name for name in named):
        return [f"'schema' in {label} is {schemas!r}, not a text or a list of texts"]
    return []


def holds_secret(url: str) -> bool:
    """Say whether a url holds a password, token or key."""
    place = url.partition("://")[2] or url
    # Whatever follows a colon before an @ is a password, slashes and question marks in it as well.
    user, at, _host = place.rpartition("@")
    names = [pair.partition("=")[0] for pair in re.split("[?&;]", place)[1:]]
    return bool(at and ":" in user) or any(_SECRET_NAMES.search(name) for name in names)


def _source(entry: dict[str, Any], options: dict[str, Any], folder: Path) -> Source:
    kind, path, url = entry["kind"], entry.get("path"), entry.get("url")
    if url is None:
        return Source(kind, folder / path, entry.get("name", Path(path).stem), options)
    schemas = entry.get("schema", [])
    schemas = (schemas,) if isinstance(schemas, str) else tuple(dict.fromkeys(schemas))
    scheme, mark, place = url.partition("://")
    if not mark or scheme == "duckdb":
        # A bare name is a file of DuckDB, which lies in the shop's folder as every other file.
        url = f"duckdb://{folder / (place if mark else url)}"
    name = schemas[0] if len(schemas) == 1 else Path(urlsplit(url).path).stem or kind
    return Source(kind, None, entry.get("name", name), options, url, schemas)
