"""What `ecomkit diff` shows in the terminal: each restated headline, and what each cause added to it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from ecomkit.models.revenue_bridge import in_cents
from ecomkit.words import count, days, decimal, money, percent, short

NOTHING = "Nothing was restated."


def show(found: Mapping[str, Any], console: Console) -> None:
    """Show what `diff` found: a row per headline and cause, what the causes mean, and what could not be told."""
    _say(console, f"{found['shop']}, week {found['week']}. {_known(*found['known_until'])}")
    if found["restated"]:
        console.print(_table(found["restated"], found["currency"]))
    elif not found["missing"]:
        _say(console, NOTHING)
    for cause, meaning in found["why"].items():
        _say(console, f"{cause}: {meaning}.")
    for row in found["missing"]:
        _say(console, f"{row['label']} is unknown in the {row['missing_in']} report.")
    for why_not in found["cannot_tell"]:
        _say(console, f"Cannot tell all causes apart. {why_not}")


def _known(then: str | None, now: str | None) -> str:
    if then is None or now is None:
        return "Its calls do not say when they arrived."
    first, last = (f"{datetime.fromisoformat(instant).astimezone(UTC):%Y-%m-%d %H:%M} UTC" for instant in (then, now))
    return f"Calls known until {first}, now until {last}."


def _table(rows: Sequence[Mapping[str, Any]], currency: str) -> Table:
    right = ("published", "now", "difference")
    table = Table(
        "headline", *(Column(name, justify="right") for name in right), "cause",
        Column("added", justify="right"), Column("share", justify="right"),
    )  # fmt: skip
    for row in rows:
        value, added = _forms(row["unit"], currency)
        told = [Text(short(row["label"])), value(row["published"]), value(row["now"]), added(row["difference"])]
        for cause, amount in zip(row["causes"], _rounded(row), strict=True):
            table.add_row(*told, cause["cause"], added(amount), percent(cause["share"], 0))
            told = [""] * len(told)
    return table


def _forms(unit: str, currency: str) -> tuple[Callable[[float], str], Callable[[float], str]]:
    """Return what writes a value and what writes a difference: of rates in points, since a part of 1 % is no 1 %."""
    if unit == "rate":
        return lambda rate: percent(rate, 2), lambda amount: f"{decimal(amount * 100, 2)} points"
    form = {"money": lambda amount: money(amount, currency), "count": count, "days": days}[unit]
    return form, form


def _rounded(row: Mapping[str, Any]) -> list[float]:
    """Return what the causes added, in the cents or hundredths of a point in which the difference is shown."""
    amounts, difference = np.array([cause["amount"] for cause in row["causes"]]), row["difference"]
    if row["unit"] == "money":
        return list(in_cents(amounts, round(difference * 100)))
    if row["unit"] == "rate":
        return list(in_cents(amounts * 100, round(difference * 100 * 100)) / 100)
    return list(amounts)


def _say(console: Console, line: str) -> None:
    console.print(line, soft_wrap=True, markup=False, highlight=False)
