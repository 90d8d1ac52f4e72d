"""Rows per local day, week or month, and per column."""

from collections.abc import Callable, Sequence
from typing import Literal

import ibis.expr.types as ir

from ecomkit.engines import local_day, local_month, local_week
from ecomkit.errors import UsageError, quoted

Grain = Literal["day", "week", "month"]
_LOCAL = {"day": local_day, "week": local_week, "month": local_month}


def local_span(grain: str) -> Callable[[ir.TimestampValue, str], ir.DateValue]:
    """Return the function that names the local span of an instant by its first day.

    Raises
    ------
    UsageError
        If there is no such grain.
    """
    if grain not in _LOCAL:
        raise UsageError(f"'{grain}' is not a grain. Choose one of {quoted(_LOCAL)}.")
    return _LOCAL[grain]


def of_weekdays(table: ir.Table, instant: str, zone: str, weekdays: int) -> ir.Table:
    """Keep the rows of the first `weekdays` local days of each week, Monday first: what has passed of one not over.

    Raises
    ------
    UsageError
        If a week has no such number of days.
    """
    if not 1 <= weekdays <= 7:
        raise UsageError(f"A week has no {weekdays} first days. Give 1 to 7.")
    if weekdays == 7:
        return table
    day = local_day(table[instant], zone)
    return table.filter(day.delta(local_week(table[instant], zone), unit="day") < weekdays)


def grouped(
    table: ir.Table,
    instant: str,
    by: str | Sequence[str] | None,
    zone: str | None,
    grain: Grain | None,
    weekdays: int = 7,
) -> tuple[ir.Table, list[str]]:
    """Add the column of `grain`, if any, keep the first days of its weeks, and return the names a row stands for."""
    keys = [by] if isinstance(by, str) else list(by or ())
    unknown = [key for key in keys if key not in table.columns]
    if unknown:
        raise UsageError(f"'by' names {quoted(unknown)}, which the table lacks. It has {quoted(table.columns)}.")
    if grain is None:
        return table, keys
    if zone is None:
        raise UsageError(f"A row per {grain} needs the shop's time zone. Give 'zone'.")
    kept = of_weekdays(table, instant, zone, weekdays)
    return kept.mutate(local_span(grain)(kept[instant], zone).name(grain)), [*keys, grain]
