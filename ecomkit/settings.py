"""shop.toml, read and checked: every problem is named at once, with its near miss."""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ecomkit.errors import SettingsError, did_you_mean, quoted

# How a sender's `revenue` and `total` are read: pipeline.money_rules says what each rule means.
MONEY_RULES = (
    "detect", "after_discount", "before_discount", "discount_ignored", "revenue_is_total", "total_is_goods",
    "tax_in_prices", "tax_in_revenue", "discount_in_prices",
)  # fmt: skip
# What a shop's own channel rule may ask of the landing, beside the `channel` that it gives.
RULE_KEYS = ("channel", "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "referrer_host")
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


@dataclass(frozen=True)
class Settings:
    """All that a shop.toml says, with the defaults filled in.

    Paths are absolute; `folder` is where the shop.toml lies.
    """

    folder: Path
    name: str
    time_zone: str
    currency: str
    sources: tuple[Source, ...]
    own_hosts: tuple[str, ...] = ()
    money_rule: str = "detect"
    rates: Path | None = None
    refund_look_back_days: int = 30
    exclude_bots: bool = True
    staff: tuple[str, ...] = ()
    test_orders: tuple[str, ...] = ()
    channel_rules: tuple[dict[str, str], ...] = ()
    margin: float = 1.0
    retargeting: tuple[str, ...] = ()
    monthly_fees: dict[str, float] = field(default_factory=dict)
    new_customer_look_back_days: int = 365
    max_quarantined_share: float = 0.05
    min_group: int = 30

    @property
    def rules_by_source(self) -> dict[str, str]:
        """The money rules that sources name for themselves, by the name of the source."""
        return {source.name: source.options["money_rule"] for source in self.sources if "money_rule" in source.options}


_URL = "postgres://host/database"
_SECRET_NAMES = re.compile("(?i)pass(?!file)|pwd|token|secret|credential|(^|_)key$")

# [section] -> {key in the file: (field of Settings, type)}
_SECTIONS: dict[str, dict[str, tuple[str, type | tuple[type, ...]]]] = {
    "shop": {
        "name": ("name", str),
        "time_zone": ("time_zone", str),
        "currency": ("currency", str),
        "own_hosts": ("own_hosts", list),
    },
    "money": {"rule": ("money_rule", str), "rates": ("rates", str)},
    "refunds": {"look_back_days": ("refund_look_back_days", int)},
    "exclude": {"bots": ("exclude_bots", bool), "staff": ("staff", list), "test_orders": ("test_orders", list)},
    "channels": {"rules": ("channel_rules", list)},
    "margin": {"default": ("margin", (int, float))},
    "spend": {"retargeting": ("retargeting", list), "monthly_fees": ("monthly_fees", dict)},
    "customers": {"look_back_days": ("new_customer_look_back_days", int)},
    "limits": {"max_quarantined_share": ("max_quarantined_share", (int, float)), "min_group": ("min_group", int)},
}


def load_settings(path: Path) -> Settings:
    """Read a shop.toml.

    Raises
    ------
    SettingsError
        If the file is missing, is not TOML, or holds an unknown key, a wrong
        type, an unknown zone or no source; all offenders in one message.
    """
    if not path.is_file():
        raise SettingsError(f"There is no settings file '{path}'. A shop is a folder with a shop.toml in it.")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"'{path}' is not TOML: {error}. Mend that line.") from error

    folder = path.parent.resolve()
    problems: list[str] = []
    values = _read_sections(content, problems)
    values["sources"] = _read_sources(content.get("source", []), folder, problems)
    for name in ("name", "time_zone", "currency"):
        if name not in values:
            problems.append(f"[shop] lacks '{name}'")
    problems += _wrong_values(values)
    if problems:
        named = "; ".join(problems)
        end = "" if named.endswith("?") else "."
        raise SettingsError(f"'{path}' cannot be used: {named}{end} Mend these and run again.")

    if "rates" in values:
        values["rates"] = folder / values["rates"]
    for key, value in values.items():
        if isinstance(value, list):
            values[key] = tuple(value)
    return Settings(folder=folder, **values)


def _read_sections(content: dict[str, Any], problems: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for section, entries in content.items():
        if section == "source":
            continue
        known = _SECTIONS.get(section)
        if known is None:
            problems.append(
                f"unknown section '[{section}]'.{did_you_mean(section, [*_SECTIONS, 'source'])}".rstrip(".")
            )
            continue
        for key, value in entries.items():
            if key not in known:
                problems.append(f"unknown key '{key}' in [{section}].{did_you_mean(key, known)}".rstrip("."))
                continue
            name, kind = known[key]
            if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
                wanted = kind.__name__ if isinstance(kind, type) else "number"
                problems.append(f"'{key}' in [{section}] is {value!r}, not of type {wanted}")
                continue
            values[name] = value
    return values


def _read_sources(entries: list[dict[str, Any]], folder: Path, problems: list[str]) -> tuple[Source, ...]:
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
    if _holds_secret(entry["url"]):
        return [
            f"'url' in {label} holds a password or another secret, which does not belong into a file: give it by the "
            "environment (PGPASSWORD), in .pgpass or as application default credentials, and take it out of the url"
        ]
    schemas = entry.get("schema", [])
    named = [schemas] if isinstance(schemas, str) else schemas
    if not isinstance(named, list) or not all(isinstance(name, str) and name for name in named):
        return [f"'schema' in {label} is {schemas!r}, not a text or a list of texts"]
    return []


def _holds_secret(url: str) -> bool:
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


def _wrong_values(values: dict[str, Any]) -> list[str]:
    problems = []
    if "time_zone" in values:
        try:
            ZoneInfo(values["time_zone"])
        except (ZoneInfoNotFoundError, ValueError):
            problems.append(f"'time_zone' is '{values['time_zone']}', which is not a zone such as 'Europe/Berlin'")
    rule = values.get("money_rule", "detect")
    if rule not in MONEY_RULES:
        problems.append(f"'rule' in [money] is '{rule}', not one of {quoted(MONEY_RULES)}")
    if not re.fullmatch("[A-Z]{3}", values.get("currency", "EUR")):
        problems.append(f"'currency' is '{values['currency']}', not a code of three capitals such as 'EUR'")
    for key in ("own_hosts", "staff", "test_orders", "retargeting"):
        wrong = [item for item in values.get(key, []) if not isinstance(item, str)]
        if wrong:
            problems.append(f"'{key}' holds {wrong}, which are not texts")
    for name, fee in values.get("monthly_fees", {}).items():
        if isinstance(fee, bool) or not isinstance(fee, int | float):
            problems.append(f"'{name}' in 'monthly_fees' of [spend] is {fee!r}, not a number")
    for rule in values.get("channel_rules", []):
        problems += _wrong_rule(rule)
    if not 0 < values.get("margin", 1.0) <= 1:
        problems.append(f"'default' in [margin] is {values['margin']}, not between 0 and 1")
    return problems


def _wrong_rule(rule: Any) -> list[str]:
    if not isinstance(rule, dict) or "channel" not in rule or len(rule) < 2:
        return [f"the rule {rule!r} in [channels] names no 'channel', or nothing of the landing to tell it by"]
    return [
        f"unknown key '{key}' in a rule of [channels].{did_you_mean(key, RULE_KEYS)}".rstrip(".")
        for key in rule
        if key not in RULE_KEYS
    ]
