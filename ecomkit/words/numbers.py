"""Numbers and dates to text."""

import math
import re
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

UNKNOWN = "unknown"


def percent(value: float | None, digits: int = 1) -> str:
    """Return a rate of 0 to 1 as `6.1 %`."""
    return UNKNOWN if is_unknown(value) else f"{_fixed(float(value) * 100, digits)} %"


def count(value: float | None) -> str:
    """Return a count as `1,234`."""
    return UNKNOWN if is_unknown(value) else _fixed(value, 0)


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
    """Return an amount as `EUR 1,234.50`."""
    return UNKNOWN if is_unknown(value) else f"{currency} {_fixed(value, digits)}"


def multiple(value: float | None) -> str:
    """Return a ratio of two amounts as `3.2x`."""
    return UNKNOWN if is_unknown(value) else f"{_fixed(value, 1)}x"


def days(value: float | None) -> str:
    """Return a length of time as `12.5 days`."""
    return UNKNOWN if is_unknown(value) else f"{_fixed(value, 1)} days"


def day(value: date | None) -> str:
    """Return a date as `1 November 2026`."""
    return UNKNOWN if is_unknown(value) else f"{value.day} {value:%B} {value.year}"


def month(value: date | None) -> str:
    """Return the month of a date as `November 2026`."""
    return UNKNOWN if is_unknown(value) else f"{value:%B} {value.year}"


def interval(low: float | None, high: float | None, form: Callable[..., str], *more: Any) -> str:
    """Return two bounds as `5.6 to 6.6 %`, each written by `form(bound, *more)`.

    A unit that both bounds share is written once.
    """
    if is_unknown(low) or is_unknown(high):
        return UNKNOWN
    first, last = form(low, *more), form(high, *more)
    for unit in (" %", " days"):
        if first.endswith(unit) and last.endswith(unit):
            first = first.removesuffix(unit)
    currency = re.match(r"[A-Z]{3} ", first)
    if currency and last.startswith(currency[0]):
        last = last.removeprefix(currency[0])
    return f"{first} to {last}"


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
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text
