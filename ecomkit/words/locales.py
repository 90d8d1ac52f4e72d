"""The locale in use: how it writes numbers, amounts and dates, read from Babel once.

The words around a number stay English. Babel knows the signs, the places and the patterns; the kit puts numbers into
them itself, because Babel's own formatter rounds what a number looks like in decimals where Python rounds the number,
so that one report would show other digits in another locale, and because it takes several times as long.

`HOUSE` is written in the house's own style, which sets a space before the percent sign and shortens September to Sep.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import DateTimePattern, match_skeleton
from babel.localedata import locale_identifiers

HOUSE = "en_GB"

# Spaces that do not break, and marks that turn the direction of reading: sentences are English and `say` shows neither.
_TIDY = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u200e": None, "\u200f": None, "\u061c": None})
_PLAIN_NUMBER = r"[-+]?\d+(\.\d+)?(e[-+]?\d+)?"


@dataclass(frozen=True)
class Habits:
    """How one locale writes.

    `signs` turns the signs of Python's `-1,234.5` into the locale's; `grouping` is how many digits stand together,
    the last ones and all others; `percent` and `money` are templates; `unit_before` and `unit_behind` find what two
    bounds may share, `number` a whole number with its unit; `patterns` are those of dates, `names` knows the months.
    """

    signs: Mapping[int, str]
    grouping: tuple[int, int]
    percent: str
    money: str
    unit_before: re.Pattern
    unit_behind: re.Pattern
    number: re.Pattern
    patterns: Mapping[str, DateTimePattern]
    names: Locale


def use_locale(name: str) -> None:
    """Write every later number and date of this process as a locale does; `open_shop` says which."""
    global _used
    _used = name
    habits_of(name)


def habits() -> Habits:
    """Return how the locale in use writes."""
    return habits_of(_used)


def is_locale(name: str) -> bool:
    """Say whether Babel knows a locale such as `de_DE`."""
    try:
        Locale.parse(name)
    except (ValueError, UnknownLocaleError):
        return False
    return True


def locales_near(name: str) -> list[str]:
    """Return the locales that a misspelt one may mean: those of its language, all if it names none."""
    language = name.replace("-", "_").partition("_")[0].lower()
    known = sorted(locale_identifiers())
    return [one for one in known if one.partition("_")[0] == language] or known


def localised(number: str) -> str:
    """Return Python's `-1,234.5` as the locale in use writes it: `-1.234,5`."""
    used = habits_of(_used)
    if used.grouping != (3, 3):
        number = _grouped_anew(number, *used.grouping)
    return number.translate(used.signs)


def dated(value: date, pattern: str) -> str:
    """Return a date as the locale in use writes it: `day`, `month`, `day of year`, `short month` or `short day`."""
    return _dated(_used, pattern, date(value.year, value.month, value.day))


@cache
def habits_of(name: str) -> Habits:
    """Return how a locale writes.

    Raises
    ------
    ValueError, UnknownLocaleError
        If Babel does not know it.
    """
    locale = Locale.parse(name)
    is_house = str(locale) == HOUSE
    # Babel writes the digits 0 to 9 in every locale, so the signs are those that go with them.
    symbols = {sign: text.translate(_TIDY) for sign, text in locale.number_symbols["latn"].items()}
    decimal, group, minus = (symbols[sign] for sign in ("decimal", "group", "minusSign"))
    rate, amount = locale.percent_formats[None], locale.currency_formats["standard"]
    percent = f"{rate.prefix[0]}{{}}{rate.suffix[0]}".translate(_TIDY).replace("%", symbols["percentSign"])
    percent = "{} %" if is_house else percent
    is_before = "¤" in amount.prefix[0]
    money = "{currency} {number}" if is_before else "{number} {currency}"
    sign_before, sign_behind = map(re.escape, percent.split("{}"))
    before = "|".join(filter(None, [sign_before, "[A-Z]{3} " if is_before else ""]))
    behind = "|".join(filter(None, [sign_behind, "" if is_before else " [A-Z]{3}", " days"]))
    digits = rf"(\d{{1,3}}({re.escape(group)}\d{{2,3}})+|\d+)({re.escape(decimal)}\d+)?(e[-+{minus}]?\d+)?"
    one = rf"({before})?[-+{minus}]?{digits}({behind}|x)?"
    return Habits(
        signs=str.maketrans({",": group, ".": decimal, "-": minus}),
        grouping=locale.decimal_formats[None].grouping,
        percent=percent,
        money=money,
        unit_before=re.compile(rf"({before})"),
        unit_behind=re.compile(rf"({behind})$"),
        number=re.compile(rf"{one}( to {one})?|{_PLAIN_NUMBER}"),
        patterns=_patterns(locale),
        names=Locale("en") if is_house else locale,
    )


def _patterns(locale: Locale) -> dict[str, DateTimePattern]:
    # Where Babel has no short names, it would write M09.
    short = "MMMM" if re.match(r"M\d", locale.months["format"]["abbreviated"][9]) else "MMM"
    asked = {"month": "yMMMM", "day of year": "MMMMd", "short month": f"y{short}", "short day": f"{short}d"}
    known = locale.datetime_skeletons
    nearest = {name: one if one in known else match_skeleton(one, known) for name, one in asked.items()}
    return {"day": locale.date_formats["long"], **{name: known[one] for name, one in nearest.items()}}


@lru_cache(maxsize=10_000)
def _dated(name: str, pattern: str, value: date) -> str:
    used = habits_of(name)
    return used.patterns[pattern].apply(value, used.names).translate(_TIDY)


def _grouped_anew(number: str, last: int, others: int) -> str:
    """Set the groups of `1,234,567.8` apart as elsewhere: `12,34,567.8`."""
    whole, point, part = number.partition(".")
    digits = whole.replace(",", "")
    return re.sub(rf"(?<=\d)(?=(\d{{{others}}})*\d{{{last}}}$)", ",", digits) + point + part


_used = HOUSE
