"""A frame as CSV: numbers as they are, and text that no spreadsheet takes for a formula.

Commas, quotes where needed, a line (LF) per row. A file of it is written in
`ENCODING`: without a byte order mark, Excel reads UTF-8 as its machine's own code.
"""

import csv
import io
import math
import re
from datetime import date, datetime, time
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import pandas as pd

from ecomkit.words import short

ENCODING = "utf-8-sig"
# Exact to the cent below ten thousand millions, and free of what sums in binary leave behind.
_DIGITS = 12
# Spreadsheets take the wide signs for the narrow ones.
_SIGNS = "=+@\uff1d\uff0b\uff0d\uff20-"
_FORMULA = re.compile(rf"[{_SIGNS}]")
_NUMBER = re.compile(r"[-+][\d.,\s]*\d\s?%?")
# Where a comma is the decimal sign, spreadsheets part cells at semicolons, quoted or not.
_FORMULA_WITHIN = re.compile(rf"(;[\s\"]*)(?=[{_SIGNS}])")


def to_csv(frame: pd.DataFrame) -> str:
    """Return `frame` as CSV under a line of names.

    Rates stay 0 to 1 and money a plain number, to 12 digits; days are ISO days,
    the column `week` holds ISO weeks, one that ends in `month` ISO months. Null
    is an empty cell, infinity `inf`. Text stands whole and on one line, without
    characters that nobody sees; where it begins like a formula, also behind a
    semicolon, a `'` is put before, unless it is a number. Row labels come first
    where they have a name.
    """
    named = frame.reset_index() if any(name is not None for name in frame.index.names) else frame
    names = [str(name) for name in named.columns]
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(map(_text, names))
    for row in named.itertuples(index=False, name=None):
        writer.writerow([_cell(value, name) for value, name in zip(row, names, strict=True)])
    return lines.getvalue()


def _cell(value: Any, name: str) -> str:
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return ""
    if isinstance(value, date):
        return _day(value, name)
    if isinstance(value, Integral):
        return str(value)
    if isinstance(value, (Real, Decimal)):
        return _plain(float(value))
    return _text(str(value))


def _day(value: date, name: str) -> str:
    if name == "week":
        return f"{value:%G}-W{value:%V}"
    if name.endswith("month"):
        return f"{value:%Y-%m}"
    is_day = not isinstance(value, datetime) or (value.time() == time() and value.tzinfo is None)
    return f"{value:%Y-%m-%d}" if is_day else value.isoformat()


def _plain(value: float) -> str:
    """Return a number without an exponent."""
    if math.isinf(value):
        return str(value)
    text = format(Decimal(f"{value:.{_DIGITS}g}"), "f")
    return "0" if text == "-0" else text


def _text(text: str) -> str:
    line = _FORMULA_WITHIN.sub(r"\1'", short(text, max(len(text), 1)))
    return f"'{line}" if _FORMULA.match(line) and not _NUMBER.fullmatch(line) else line
