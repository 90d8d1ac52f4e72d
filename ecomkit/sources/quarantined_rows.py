"""The text of table rows that could not be used, read again from their file, without what the kit does not read."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from ecomkit.settings import Source
from ecomkit.sources import ad_spend, order_files, shopify_orders
from ecomkit.sources.csv_files import csv_header, csv_rows

_KNOWN = {"order_files": order_files.COLUMNS, "ad_spend": ad_spend.COLUMNS}


def row_texts(sources: Sequence[Source], places: Iterable[tuple[str, int]]) -> Iterator[tuple[str, int, str]]:
    """Yield the text of the rows at `places`, pairs of file and line, of CSV files.

    Fields of columns that the kit does not read are `***`: they may hold a name or a
    street. Of a line that does not fit its header only the shape is shown, each
    letter and digit an `x`.
    """
    shown = {source.path: _shown(source) for source in sources if source.path}
    for name, group in groupby(sorted(places), key=lambda place: place[0]):
        path, wanted = Path(name), {line for _name, line in group}
        if path.suffix == ".parquet":
            continue
        columns = shown.get(path) or shown.get(path.parent) or set()
        kept = [column in columns for column in csv_header(path)]
        for line, row, text in csv_rows(path):
            if line in wanted:
                yield name, line, _masked(row, kept) if row else re.sub(r"\w", "x", text.rstrip("\r\n"))


def _masked(row: list[str], kept: list[bool]) -> str:
    return ",".join(field if keep or not field else "***" for field, keep in zip(row, kept, strict=True))


def _shown(source: Source) -> set[str]:
    if source.options.get("format") == "shopify":
        return set(shopify_orders.COLUMNS.values()) - {"Email"}
    return {*source.options.get("columns", {}).values(), *_KNOWN.get(source.kind, ())}
