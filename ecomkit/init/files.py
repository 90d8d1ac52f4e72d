"""What lies in a folder: files of calls, order lines, Shopify's export, ad spend, rates of currencies."""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ecomkit.errors import SourceError
from ecomkit.init.calls import calls_in, listen, money
from ecomkit.init.columns import (
    ORDER_NAMES,
    SHIPPING_CODES,
    SPEND_NAMES,
    is_orders,
    is_spend,
    likely_columns,
    platform_of,
    spend_currency,
)
from ecomkit.init.found import Found, FoundSource
from ecomkit.sources.mapped_files import sample_rows
from ecomkit.sources.segment_files import SUFFIXES
from ecomkit.sources.shopify_orders import is_shopify_export

LINES_OF_A_FILE = 20_000
# Lines of calls in all: of an archive of many files each gives its part.
LINES = 100_000
_MOST_GROUPS = 8
_TABLES = (".csv", ".csv.gz", ".tsv", ".parquet")

Row = dict[str, str]


def look_into(place: Path, into: Path, found: Found) -> None:
    """Add the sources that lie at `place`, a file or a folder; paths count from the folder `into`."""
    files = [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file())
    files = [path for path in files if not any(part.startswith(".") for part in path.relative_to(place.parent).parts)]
    tables = [path for path in files if path.name.lower().endswith(_TABLES)]
    rest = [path for path in files if path not in set(tables)]
    maybe = [path for path in rest if path.name.endswith(SUFFIXES)]
    calls = [path for path in maybe if next(calls_in(path, lines=3), None)]
    for path in _call_sources(place, calls, maybe):
        _add_calls(found, path, [file for file in calls if path in (file, *file.parents)], into)
    exports: list[Path] = []
    for path in tables:
        _add_table(found, path, into, exports)
    _add_exports(found, exports, tables, into)
    ours = {*calls, *tables}
    found.unused += [shown(path, into) for path in files if path not in ours and path.name not in ("shop.toml", "salt")]


def shown(path: Path, into: Path) -> str:
    """Return a path as shop.toml writes it."""
    return Path(os.path.relpath(path, into)).as_posix()


def _call_sources(place: Path, calls: Sequence[Path], maybe: Sequence[Path]) -> Iterator[Path]:
    """Yield the folders or files that hold calls and nothing else that would be read as such."""
    if place.is_file() or not calls:
        yield from calls
        return
    groups = {path.relative_to(place).parts[0] for path in calls}
    # Folders of days, or a great many: one archive of one source.
    is_archive = len(groups) > _MOST_GROUPS or all(name.isdigit() for name in groups)
    tops = [place] if is_archive else sorted(place / name for name in groups)
    for top in tops:
        others = [path for path in maybe if path not in set(calls) and top in path.parents]
        yield from [path for path in calls if top in path.parents] if others else [top]


def _add_calls(found: Found, path: Path, files: Sequence[Path], into: Path) -> None:
    name = shown(path, into)
    before = found.told.calls
    # Evenly spread, so that an archive's beginning and end both speak.
    step = max(len(files) * 200 // LINES, 1)
    chosen = files[::step]
    for file in chosen:
        for call in calls_in(file, lines=min(LINES_OF_A_FILE, LINES // len(chosen))):
            listen(found.told, call, name)
    entries = {"kind": "segment_files", "path": name + ("/" if path.is_dir() else "")}
    if name == ".":
        entries = {"kind": "segment_files", "path": ".", "name": "segment"}
    number = f"{len(files)} file{'s' if len(files) > 1 else ''}"
    found.sources.append(
        FoundSource(entries, f"Segment calls, {number}, {found.told.calls - before:,} calls looked at")
    )


def _add_table(found: Found, path: Path, into: Path, exports: list[Path]) -> None:
    try:
        columns, rows = sample_rows(path, LINES_OF_A_FILE)
    except SourceError:
        found.unused.append(f"{shown(path, into)} (cannot be read)")
        return
    orders, spend = likely_columns(columns, ORDER_NAMES), likely_columns(columns, SPEND_NAMES)
    if is_shopify_export(columns):
        exports.append(path)
        found.told.currencies.update(row["Currency"] for row in rows if row.get("Currency"))
    elif {name.lower() for name in columns} == {"date", "currency", "rate"}:
        found.rates = shown(path, into)
        found.rated |= {row.get("currency", "").upper() for row in rows}
    elif is_spend(spend) and "order_id" not in orders:
        _add_spend(found, path, into, spend)
    elif is_orders(orders):
        _add_orders(found, path, into, orders, rows, columns)
    else:
        found.unused.append(f"{shown(path, into)} (columns {', '.join(columns[:8])})")


def _add_spend(found: Found, path: Path, into: Path, columns: dict[str, str]) -> None:
    name, platform = shown(path, into), platform_of(shown(path, into))
    if platform is None:
        platform = path.stem
        found.unclear.append(f"the platform of {name}: its name tells none, so its own name stands in shop.toml")
    entries = {"kind": "ad_spend", "platform": platform, "path": name}
    currency = spend_currency(columns["spend"])
    if currency:
        entries["currency"] = currency
    found.sources.append(FoundSource(entries | _mapping(columns), f"ad spend of {platform}"))


def _add_orders(
    found: Found, path: Path, into: Path, columns: dict[str, str], rows: Sequence[Row], header: Sequence[str]
) -> None:
    name = shown(path, into)
    source = FoundSource({"kind": "order_files", "path": name}, "order lines")
    prefix = _refund_prefix(rows, columns)
    if prefix:
        source.entries["refund_prefix"] = prefix
    codes = Counter(row.get(columns.get("product_id", ""), "") for row in rows)
    postage = [code for code in codes if code.upper() in SHIPPING_CODES]
    if postage:
        source.comments.append(f"shipping_codes = {json.dumps(postage)}  # looks like postage, not a product")
    source.entries |= _mapping(columns)
    found.sources.append(source)
    if "currency" in columns:
        found.told.currencies.update(row.get(columns["currency"], "").upper() for row in rows)
    unused = [column for column in header if column not in columns.values()]
    if unused:
        found.unclear.append(f"what the columns {', '.join(unused)} of {name} are; they are not read")
    if "customer_id" not in columns:
        found.unclear.append(f"who bought: no column of {name} looks like a customer's id")
    if columns.get("line_total", "").lower() == "total":
        found.unclear.append(f"whether 'total' in {name} is the line's or its whole order's; it is read as the line's")


def _add_exports(found: Found, exports: Sequence[Path], tables: Sequence[Path], into: Path) -> None:
    folders = {path.parent for path in exports}
    for folder in sorted(folders):
        parts = [path for path in exports if path.parent == folder]
        others = [path for path in tables if folder in path.parents and path not in parts]
        whole = len(parts) > 1 and not others
        if len(parts) > 1 and others:
            found.unclear.append(
                f"whether the exports in {shown(folder, into)} hold the same orders: give them a folder of their own"
            )
        for path in [folder] if whole else parts:
            entries = {"kind": "order_files", "format": "shopify", "path": shown(path, into)}
            if entries["path"] == ".":
                entries["name"] = "shopify"
            number = f", {len(parts)} files" if whole else ""
            found.sources.append(FoundSource(entries, f"Shopify's orders export{number}"))


def _mapping(columns: dict[str, str]) -> dict[str, dict[str, str]]:
    same = all(name == column for name, column in columns.items())
    return {} if same else {"columns": columns}


def _refund_prefix(rows: Iterable[Row], columns: dict[str, str]) -> str | None:
    """Return the letter that begins the ids of most rows that take units back, and of hardly any other."""
    if "quantity" not in columns:
        return None
    back, forth = Counter(), Counter()
    for row in rows:
        units = money(row.get(columns["quantity"], ""))
        letter = row.get(columns["order_id"], "")[:1]
        if units is not None and letter.isalpha():
            (back if units < 0 else forth)[letter] += 1
    letter, times = max(back.items(), key=lambda item: item[1], default=("", 0))
    return letter if times and forth[letter] * 10 < times else None
