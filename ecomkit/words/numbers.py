"""Numbers to text, as the locale in use writes them; the examples are those of `en_GB`."""

import math
from collections.abc import Callable, Iterable
from typing import Any

from ecomkit.words.locales import habits, localised

UNKNOWN = "unknown"
# What pandas and `tables` write where there is no number.
_NO_NUMBERS = {UNKNOWN, "NaN", "nan", "None", "NaT", "<NA>", "–"}


def percent(value: float | None, digits: int = 1) -> str:
    """Return a rate of 0 to 1 as `6.1 %`."""
    return UNKNOWN if is_unknown(value) else habits().percent.format(_fixed(float(value) * 100, digits))


def count(value: float | None) -> str:
    """Return a count as `1,234`."""
    return decimal(value, 0)


def decimal(value: float | None, digits: int = 1) -> str:
    """Return a number without a unit as `1,234.5`."""
    return UNKNOWN if is_unknown(value) else _fixed(value, digits)


def counted(value: float | None, noun: str) -> str:
    """Return a count with its noun: `1 order`, `1,234 orders`."""
    number = count(value)
    return f"{number} {noun}{'' if number == '1' else 's'}"


def listed(names: Iterable[str]) -> str:
    """Return names as `a, b and c`; an empty text for none."""
    *first, last = list(names) or [""]
    return f"{', '.join(first)} and {last}" if first else last


def or_more(counts: Iterable[float]) -> list[str]:
    """Return counts as text, the last of them open at the top: `5 or more`."""
    labels = [count(value) for value in counts]
    return [*labels[:-1], f"{labels[-1]} or more"] if len(labels) > 1 else labels


def money(value: float | None, currency: str, digits: int = 2) -> str:
    """Return an amount as `EUR 1,234.50`, in other locales as `1.234,50 EUR`."""
    return UNKNOWN if is_unknown(value) else habits().money.format(currency=currency, number=_fixed(value, digits))


def multiple(value: float | None) -> str:
    """Return a ratio of two amounts as `3.2x`."""
    return UNKNOWN if is_unknown(value) else f"{_fixed(value, 1)}x"


def days(value: float | None, digits: int = 1) -> str:
    """Return a length of time as `12.5 days`."""
    return UNKNOWN if is_unknown(value) else f"{_fixed(value, digits)} days"


def tick(value: float) -> str:
    """Return a number of an axis with no more digits than it has: `1,000`, `2.5`."""
    return localised(f"{value:,.10g}")


def percent_tick(rate: float) -> str:
    """Return a rate of an axis, 0 to 1, with no more digits than it has: `2.5 %`, `1000 %`."""
    return habits().percent.format(localised(f"{rate * 100:.10g}"))


def interval(low: float | None, high: float | None, form: Callable[..., str], *more: Any) -> str:
    """Return two bounds as `5.6 to 6.6 %`, each written by `form(bound, *more)`.

    A unit that both bounds share is written once, before the first or behind the last.
    """
    if is_unknown(low) or is_unknown(high):
        return UNKNOWN
    first, last = form(low, *more), form(high, *more)
    behind, before = habits().unit_behind.search(last), habits().unit_before.match(first)
    if behind and first.endswith(behind[0]):
        first = first.removesuffix(behind[0])
    if before and last.startswith(before[0]):
        last = last.removeprefix(before[0])
    return f"{first} to {last}"


def is_number(text: str) -> bool:
    """Say whether a text is a number as the kit writes it in the locale in use, or as Python does, or stands for none.

    An interval, and a number with its sign, currency, `%`, `x` or `days`, is one, too.
    """
    return text in _NO_NUMBERS or habits().number.fullmatch(text) is not None


def is_unknown(value: Any) -> bool:
    """Say whether a value is None, NaN, NaT or infinite: nothing that can be written."""
    if value is None:
        return True
    try:
        # Only NaN, NaT and the like differ from themselves.
        return bool(value != value) or (isinstance(value, float) and math.isinf(value))
    except TypeError:
        return True  # pandas.NA refuses to be a truth value


def _fixed(value: Any, digits: int) -> str:
    text = f"{float(value):,.{digits}f}"
    return localised(text.removeprefix("-") if float(text.replace(",", "")) == 0 else text)
