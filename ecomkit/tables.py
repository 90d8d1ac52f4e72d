"""Frames as tables for readers: units in the heads, intervals in one column, no sums."""

import re
from collections.abc import Mapping, Sequence
from functools import partial

import pandas as pd

from ecomkit.metrics.ratio import SUMS
from ecomkit.words import UNKNOWN, count, day, decimal, interval, month, multiple, percent, short

_FOR_INTERVALS = re.compile(rf"(.+_)?({'|'.join(SUMS)}|squares)")


def readable(frame: pd.DataFrame, columns: Sequence[str] | None = None, *, currency: str = "") -> pd.DataFrame:
    """Return `frame` as text, each column written as its name says.

    Rates become percent, whole numbers counts, other numbers money in
    `currency`; `<name>_low` and `<name>_high` become one interval beside
    `<name>`; null becomes a dash. The sums that intervals are made of stay out.

    Parameters
    ----------
    frame
        A metric's rows, with or without intervals.
    columns
        What to show, and in which order; all by default.
    currency
        The shop's, for the heads of money.
    """
    shown = {}
    for name in columns or frame.columns:
        if _FOR_INTERVALS.fullmatch(name) or re.fullmatch(r".+_(low|high)", name):
            continue
        head, form = _form(frame[name], currency)
        shown[head] = [known(form(value)) for value in frame[name]]
        if f"{name}_low" in frame and f"{name}_high" in frame:
            ends = zip(frame[f"{name}_low"], frame[f"{name}_high"], strict=True)
            shown[f"{head}, 95 % interval"] = [known(interval(low, high, form)) for low, high in ends]
    return pd.DataFrame(shown, index=frame.index, dtype="str")


def spelled(columns: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Return columns that are text already as a table."""
    return pd.DataFrame(columns, dtype="str")


def known(text: str) -> str:
    """Return a dash for what is not known, else the text."""
    return "–" if text == UNKNOWN else text


def _form(column: pd.Series, currency: str):
    """Return the head of a column, and what writes its values."""
    words = str(column.name).replace("_", " ")
    if column.name == "week":
        return words, lambda value: f"{value:%G}-W{value:%V}"
    if str(column.name).endswith("month"):
        return words, month
    if pd.api.types.is_datetime64_any_dtype(column):
        return words, day
    if str(column.name).endswith(("_rate", "_share")):
        return words, percent
    if str(column.name).endswith("_to_cac"):
        return words, multiple
    if pd.api.types.is_integer_dtype(column):
        return words, count
    # A column of nothing but gaps may be of anything: no money.
    if pd.api.types.is_float_dtype(column) and (column.empty or column.notna().any()):
        return f"{words} ({currency})" if currency else words, partial(decimal, digits=2)
    return words, short
