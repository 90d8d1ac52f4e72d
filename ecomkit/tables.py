"""Frames as tables for readers: units in the heads, intervals in one column, no sums.

Every cell of such a table is text that knows what it was written from, so that
whatever rows and columns are picked, the CSV of them holds the numbers.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd

from ecomkit.csv_text import to_csv
from ecomkit.metrics.ratio import SUMS
from ecomkit.words import Cell, count, day, decimal, interval, month, multiple, percent, short, values_of

_FOR_INTERVALS = re.compile(rf"(.+_)?({'|'.join(SUMS)}|squares)")


class Readable(pd.DataFrame):
    """A table of text. A notebook shows it, and keeps the numbers behind it as CSV beside what it shows.

    `names` holds for each head the columns of the frame that it was written
    from. A cell that knows no values counts as its text.
    """

    _metadata = ["names"]
    names: Mapping[str, Sequence[str]] = {}

    @property
    def _constructor(self) -> type["Readable"]:
        return Readable

    def _repr_html_(self) -> tuple[str, dict[str, str]]:
        return super()._repr_html_(), {"csv": to_csv(self.numbers())}

    def numbers(self) -> pd.DataFrame:
        """Return the values behind the rows and columns that are here; an interval is two columns, low and high."""
        columns = {}
        for head in self.columns:
            rows = [values_of(cell) for cell in self[head]]
            is_interval = max(map(len, rows), default=1) > 1
            names = self.names.get(head) or ([f"{head}, low", f"{head}, high"] if is_interval else [head])
            for place, name in enumerate(names):
                columns[name] = [row[place] if place < len(row) else None for row in rows]
        return pd.DataFrame(columns, index=self.index, dtype="object")


def readable(frame: pd.DataFrame, columns: Sequence[str] | None = None, *, currency: str = "") -> Readable:
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
    shown, names = {}, {}
    for name in columns or frame.columns:
        if _FOR_INTERVALS.fullmatch(name) or re.fullmatch(r".+_(low|high)", name):
            continue
        head, form = _form(frame[name], currency)
        shown[head], names[head] = [Cell(form(value), *values_of(value)) for value in frame[name]], [name]
        if f"{name}_low" in frame and f"{name}_high" in frame:
            ends = list(zip(frame[f"{name}_low"], frame[f"{name}_high"], strict=True))
            shown[f"{head}, 95 % interval"] = [Cell(interval(*both, form), *both) for both in ends]
            names[f"{head}, 95 % interval"] = [f"{name}_low", f"{name}_high"]
    return _table(shown, names, frame.index)


def spelled(columns: Mapping[str, Sequence[str]]) -> Readable:
    """Return columns that are text already as a table; cells that know their values may be among them."""
    return _table(columns, {}, None)


def _table(columns: Mapping[str, Sequence[str]], names: Mapping[str, Sequence[str]], rows: pd.Index | None) -> Readable:
    table = Readable(columns, index=rows, dtype="object")
    table.names = names
    return table


def _form(column: pd.Series, currency: str) -> tuple[str, Callable[[Any], str]]:
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
