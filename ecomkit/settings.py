"""shop.toml, read and checked: every problem is named at once, with its near miss."""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ecomkit.alert_settings import read_alerts
from ecomkit.errors import SettingsError, did_you_mean, quoted
from ecomkit.source_settings import MONEY_RULES, Source, read_sources
from ecomkit.words import HOUSE, is_locale, locales_near

# What a shop's own channel rule may ask of the landing, beside the `channel` that it gives.
RULE_KEYS = (
    "channel", "source", "medium", "campaign", "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content",
    "referrer_host",
)  # fmt: skip

# Above the first a share turns the data's light amber, above the second red. The kit's own judgement: a shop that knows
# its data better says so in [limits].
TRUST_LIMITS = {
    "silent_days_share": (0.0, 0.2),
    "duplicate_share": (0.02, 0.10),
    "late_share": (0.02, 0.10),
    "money_rule_share": (0.01, 0.05),
    "unlinked_orders_share": (0.20, 0.50),
    "unknown_customers_share": (0.10, 0.50),
    "unassigned_share": (0.10, 0.30),
    "unmatched_spend_share": (0.05, 0.25),
    "unreconciled_share": (0.02, 0.10),
}

# What an entry of the undo list begins with, beside the types of external ids; a person's name is no identifier.
_UNDONE = ("anonymous_id", "email", "user_id")
_NO_IDENTIFIERS = ("user", "guest", "visitor", "person")


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
    locale: str = HOUSE
    own_hosts: tuple[str, ...] = ()
    money_rule: str = "detect"
    rates: Path | None = None
    refund_look_back_days: int = 30
    exclude_bots: bool = True
    staff: tuple[str, ...] = ()
    test_orders: tuple[str, ...] = ()
    b2b_order_units: int | None = None
    b2b_customers: tuple[str, ...] = ()
    channel_rules: tuple[dict[str, str], ...] = ()
    margin: float = 1.0
    retargeting: tuple[str, ...] = ()
    monthly_fees: dict[str, float] = field(default_factory=dict)
    undo: tuple[str, ...] = ()
    identity_look_back_days: int = 365
    new_customer_look_back_days: int = 365
    max_quarantined_share: float = 0.05
    min_group: int = 30
    report_wait_hours: int = 0
    alerts: dict[str, dict[str, float | bool]] = field(default_factory=dict)
    trust_limits: dict[str, tuple[float, float]] = field(default_factory=lambda: dict(TRUST_LIMITS))

    @property
    def rules_by_source(self) -> dict[str, str]:
        """The money rules that sources name for themselves, by the name of the source."""
        return {source.name: source.options["money_rule"] for source in self.sources if "money_rule" in source.options}


# [section] -> {key in the file: (field of Settings, type)}
_SECTIONS: dict[str, dict[str, tuple[str, type | tuple[type, ...]]]] = {
    "shop": {
        "name": ("name", str),
        "time_zone": ("time_zone", str),
        "currency": ("currency", str),
        "locale": ("locale", str),
        "own_hosts": ("own_hosts", list),
    },
    "money": {"rule": ("money_rule", str), "rates": ("rates", str)},
    "refunds": {"look_back_days": ("refund_look_back_days", int)},
    "exclude": {"bots": ("exclude_bots", bool), "staff": ("staff", list), "test_orders": ("test_orders", list)},
    "b2b": {"order_units": ("b2b_order_units", int), "customers": ("b2b_customers", list)},
    "channels": {"rules": ("channel_rules", list)},
    "margin": {"default": ("margin", (int, float))},
    "spend": {"retargeting": ("retargeting", list), "monthly_fees": ("monthly_fees", dict)},
    "identity": {"undo": ("undo", list), "look_back_days": ("identity_look_back_days", int)},
    "customers": {"look_back_days": ("new_customer_look_back_days", int)},
    "report": {"wait_hours": ("report_wait_hours", int)},
    "limits": {
        "max_quarantined_share": ("max_quarantined_share", (int, float)),
        "min_group": ("min_group", int),
        **{name: (name, list) for name in TRUST_LIMITS},
    },
}
# Whose keys are names, or come more than once.
_READ_APART = ("source", "alerts")


def load_settings(path: Path, *, folder: Path | None = None) -> Settings:
    """Read a shop.toml; its paths are read from the folder it lies in, or from `folder` where it is a copy.

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

    folder = (folder or path.parent).resolve()
    problems = _take_misshapen(content)
    values = _read_sections(content, problems)
    values["alerts"] = read_alerts(content.get("alerts", {}), problems)
    values["sources"] = read_sources(content.get("source", []), folder, problems)
    for name in ("name", "time_zone", "currency"):
        if name not in values:
            problems.append(f"[shop] lacks '{name}'")
    problems += _wrong_values(values)
    if problems:
        named = "; ".join(problems)
        end = "" if named.endswith("?") else "."
        raise SettingsError(f"'{path}' cannot be used: {named}{end} Mend these and run again.")

    given = {name: tuple(values.pop(name)) for name in TRUST_LIMITS if name in values}
    values["trust_limits"] = TRUST_LIMITS | given
    if "rates" in values:
        values["rates"] = folder / values["rates"]
    for key, value in values.items():
        if isinstance(value, list):
            values[key] = tuple(value)
    return Settings(folder=folder, **values)


def _take_misshapen(content: dict[str, Any]) -> list[str]:
    """Take out what is no section, or no list of them where it must be, and say so; never what a source holds."""
    problems = []
    for name, told in list(content.items()):
        if name == "source":
            is_right = isinstance(told, list) and all(isinstance(entry, dict) for entry in told)
            problem = "'source' is not a list of sections: write [[source]], in double brackets, above each"
        else:
            is_right = isinstance(told, dict) or name not in (*_SECTIONS, *_READ_APART)
            found = "a list" if isinstance(told, list) else repr(told)
            problem = f"'{name}' is {found}, not a section: write [{name}], in single brackets, once above its keys"
        if not is_right:
            problems.append(problem)
            del content[name]
    return problems


def _read_sections(content: dict[str, Any], problems: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for section, entries in content.items():
        if section in _READ_APART:
            continue
        known = _SECTIONS.get(section)
        if known is None:
            problems.append(
                f"unknown section '[{section}]'.{did_you_mean(section, [*_SECTIONS, *_READ_APART])}".rstrip(".")
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
    locale = values.get("locale", HOUSE)
    if not is_locale(locale):
        near = did_you_mean(locale.replace("-", "_"), locales_near(locale))
        problems.append(f"'locale' is '{locale}', which is not a locale such as 'de_DE'.{near}".rstrip("."))
    for key in ("own_hosts", "staff", "test_orders", "retargeting", "undo", "b2b_customers"):
        wrong = [item for item in values.get(key, []) if not isinstance(item, str)]
        if wrong:
            problems.append(f"'{key.removeprefix('b2b_')}' holds {wrong}, which are not texts")
    if values.get("b2b_order_units", 1) < 1:
        problems.append(f"'order_units' in [b2b] is {values['b2b_order_units']}, not 1 or more")
    for entry in values.get("undo", []):
        kind, colon, _value = entry.partition(":") if isinstance(entry, str) else ("email", ":", "")
        if not colon or not re.fullmatch("[a-z0-9_.]+", kind):
            problems.append(f"'{entry}' in 'undo' of [identity] is not of the form 'anonymous_id:...' or 'email:...'")
        elif kind not in _UNDONE and (kind in _NO_IDENTIFIERS or did_you_mean(kind, _UNDONE)):
            problems.append(
                f"'{kind}' of '{entry}' in 'undo' of [identity] is no type of identifier. "
                f"Write {quoted(_UNDONE)}, or the type of an external id"
            )
    if values.get("identity_look_back_days", 0) < 0:
        problems.append(f"'look_back_days' in [identity] is {values['identity_look_back_days']}, not 0 or more")
    if values.get("report_wait_hours", 0) < 0:
        problems.append(f"'wait_hours' in [report] is {values['report_wait_hours']}, not 0 or more")
    for name, fee in values.get("monthly_fees", {}).items():
        if isinstance(fee, bool) or not isinstance(fee, int | float):
            problems.append(f"'{name}' in 'monthly_fees' of [spend] is {fee!r}, not a number")
    if values.get("min_group", 1) < 1:
        problems.append(f"'min_group' in [limits] is {values['min_group']}, not 1 or more")
    for name in TRUST_LIMITS:
        problems += _wrong_limits(name, values.get(name, [0, 1]))
    for rule in values.get("channel_rules", []):
        problems += _wrong_rule(rule)
    if not 0 < values.get("margin", 1.0) <= 1:
        problems.append(f"'default' in [margin] is {values['margin']}, not between 0 and 1")
    return problems


def _wrong_limits(name: str, limits: list[Any]) -> list[str]:
    numbers = [limit for limit in limits if isinstance(limit, int | float) and not isinstance(limit, bool)]
    if len(numbers) == len(limits) == 2 and 0 <= limits[0] <= limits[1] <= 1:
        return []
    return [f"'{name}' in [limits] is {limits!r}, not two shares such as [0.02, 0.10]: above them amber, and red"]


def _wrong_rule(rule: Any) -> list[str]:
    if not isinstance(rule, dict) or "channel" not in rule or len(rule) < 2:
        return [f"the rule {rule!r} in [channels] names no 'channel', or nothing of the landing to tell it by"]
    wrong = [key for key, value in rule.items() if not isinstance(value, str) or not value.strip()]
    if wrong:
        return [f"{quoted(wrong)} of the rule {rule!r} in [channels] must be text, such as 'creator' or '*sale*'"]
    return [
        f"unknown key '{key}' in a rule of [channels].{did_you_mean(key, RULE_KEYS)}".rstrip(".")
        for key in rule
        if key not in RULE_KEYS
    ]
