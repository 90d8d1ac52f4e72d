"""Headline numbers: how a notebook hands them to the weekly report."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ecomkit.errors import UsageError, quoted
from ecomkit.words import days, decimal, listed, money, percent, say

MIME = "application/vnd.ecomkit.headlines+json"
UNITS = ("money", "count", "rate", "days")
VERDICTS = ("up", "down", "within noise", "cannot tell")
_WHOLE_MONEY = 1_000
NUMBERS = ("value", "low", "high", "before", "difference_low", "difference_high", "p_value")


def headline(
    name: str, comparison: Any, *, label: str, unit: str, definition: str, against: str = "the week before"
) -> dict[str, Any]:
    """Return one number of the report, with its interval, the week before and the verdict.

    Parameters
    ----------
    name
        The number's name in `report.json`, as in the glossary: `visit_to_order_rate`.
    comparison
        What `metrics.comparisons.compare_rates` and its like return. What it
        lacks, or has as None, is not observed; without a verdict none is shown.
        A number that nothing is compared with may stand alone.
    label
        The number's name for a reader.
    unit
        One of `money`, `count`, `rate` (0 to 1), `days`.
    definition
        What is counted, over what; stands beside the number.
    against
        What it is compared with: `the 13 weeks before`.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise UsageError(f"'{name}' is not a headline's name. Names are small letters, digits and '_'.")
    if unit not in UNITS:
        raise UsageError(f"'{unit}' is not a unit of headlines. Choose one of {quoted(UNITS)}.")
    verdict = getattr(comparison, "verdict", None)
    if verdict is not None and verdict not in VERDICTS:
        raise UsageError(f"'{verdict}' is not a verdict. Choose one of {quoted(VERDICTS)}.")
    numbers = {part: ten_digits(getattr(comparison, part, None)) for part in NUMBERS}
    if not hasattr(comparison, "value"):
        numbers["value"] = ten_digits(comparison)
    told = {"name": name, "label": label, "unit": unit, "definition": definition, "against": against}
    return {**told, **numbers, "verdict": verdict, "across": list(getattr(comparison, "across", ()))}


def hand_over(*headlines: dict[str, Any]) -> None:
    """Display headlines in a form that the report collects, with a line for the reader."""
    from IPython.display import display

    labels = ", ".join(entry["label"] for entry in headlines)
    display({MIME: list(headlines), "text/plain": f"Handed to the report: {labels}."}, raw=True)


def form_of(entry: Mapping[str, Any], currency: str) -> Callable[..., str]:
    """Return what writes a headline's numbers, large money without cents; a second argument asks for `more` digits."""
    if entry["unit"] == "money":
        digits = 0 if abs(entry["value"] or 0) >= _WHOLE_MONEY else 2
        return lambda value, more=0: money(value, currency, digits + more)
    write, digits = {"count": (decimal, 0), "rate": (percent, 1), "days": (days, 1)}[entry["unit"]]
    return lambda value, more=0: write(value, digits + more)


def mark(breaks: Sequence[str]) -> None:
    """Say which breaks in tracking hit what a notebook shows."""
    line = f"⚠ Marked: {listed(breaks)}. What is compared across it tells of the tracking, too."
    say(line if breaks else "No break in tracking touches what is shown here.")


def ten_digits(value: Any) -> float | int | None:
    """Round to 10 significant digits, so that the same data gives the same bytes; null if not finite."""
    if value is None or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except TypeError:
        return None  # pandas.NA
    if number != number or number in (float("inf"), float("-inf")):
        return None
    rounded = float(f"{number:.10g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 2**53 else rounded
