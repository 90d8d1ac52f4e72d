"""Dates to text, as the locale in use writes them; the examples are those of `en_GB`.

A week is written as ISO 8601 does, `2026-W44`, in every locale.
"""

from datetime import date

from ecomkit.words.locales import dated
from ecomkit.words.numbers import UNKNOWN, is_unknown


def day(value: date | None) -> str:
    """Return a date as `1 November 2026`."""
    return UNKNOWN if is_unknown(value) else dated(value, "day")


def month(value: date | None) -> str:
    """Return the month of a date as `November 2026`."""
    return UNKNOWN if is_unknown(value) else dated(value, "month")


def short_day(value: date | None) -> str:
    """Return a date for an axis as `1 Nov`."""
    return UNKNOWN if is_unknown(value) else dated(value, "short day")


def short_month(value: date | None) -> str:
    """Return the month of a date for an axis as `Nov 2026`."""
    return UNKNOWN if is_unknown(value) else dated(value, "short month")


def span_of_days(first: date, last: date) -> str:
    """Return a first and a last day as `26 October to 1 November 2026`.

    The year is written once if it is one: where the reader meets it first in a locale that begins with it, else last.
    """
    ends = [day(first), day(last)]
    if first.year == last.year:
        year_leads = ends[0].startswith(str(first.year))
        ends[year_leads] = dated(last if year_leads else first, "day of year")
    return f"{ends[0]} to {ends[1]}"
