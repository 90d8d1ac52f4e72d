"""Why net revenue moved, in one sentence."""

from typing import Any

import pandas as pd

from ecomkit.words.cells import Cell
from ecomkit.words.markup import short
from ecomkit.words.numbers import UNKNOWN, count, decimal, is_unknown, listed, money, percent

_MOST_BARS = 3
_NAMES = {"visit-to-order rate": "the visit-to-order rate"}
_SHARES_OF = {
    "visit-to-order rate": "sessions",
    "orders per converting session": "converting sessions",
    "AOV": "orders",
}


def why_it_moved(bars: Any, parts: Any, change: Any, currency: str, *, when: str = "the week before") -> str:
    """Say how far net revenue moved, which bars of the bridge are more than noise, and the largest part of them.

    Parameters
    ----------
    bars
        What `models.revenue_bridge.revenue_bridge` returns.
    parts
        What `models.bridge_parts.bridge_parts` and `bridge_category_parts`
        return, one below the other.
    change
        What `metrics.comparisons.compare_totals` says of net revenue, so that
        page and bridge give one verdict.
    currency
        The shop's.
    when
        What the bridge begins with.
    """
    rows = [dict(zip(bars.columns, row, strict=True)) for row in bars.itertuples(index=False)]
    before, *inner, now = rows
    if not any(row["amount"] for row in rows) and not any(_is_there(row) for row in inner):
        return f"**{UNKNOWN}**"
    moved = now["amount"] - before["amount"]
    size = "no more and no less" if not round(moved, 2) else f"{money(abs(moved), currency)} {_more(moved)}"
    whole = f"**{size}** net revenue than {when}, {_in_all(change)}"
    found = sorted((row for row in inner if row["verdict"] in ("up", "down")), key=lambda row: -abs(row["amount"]))
    if not found:
        if all(row["verdict"] == "cannot tell" for row in inner):
            return f"{whole}; there are too few people to tell which bar moved it."
        untold = [row for row in inner if row["verdict"] == "cannot tell" and row["amount"]]
        if untold:
            largest = _bar(max(untold, key=lambda row: abs(row["amount"])), currency)
            return (
                f"{whole}; none of the bars that can be judged is more than noise. "
                f"Too few people to judge is the largest of the others: {largest}."
            )
        return f"{whole}; no bar is more than noise, so there is nothing to explain."
    told = listed(_bar(row, currency) for row in found[:_MOST_BARS])
    linked = "yet " if getattr(change, "verdict", None) == "within noise" else ""
    return f"{whole}; {linked}{told}. {_largest(parts, currency)}"


def told_factors(bars: Any, currency: str) -> dict[str, pd.Series]:
    """Return what each bar is about, before and now, as text: columns `before` and `now` for a table."""
    told = {}
    for name in ("before", "now"):
        factors = zip(bars["bar"], bars[f"factor_{name}"], strict=True)
        cells = [Cell(_factor(bar, value, currency), value) for bar, value in factors]
        told[name] = pd.Series(cells, index=bars.index, dtype="object")
    return told


def _is_there(row: dict) -> bool:
    return any(row[name] and not is_unknown(row[name]) for name in ("factor_before", "factor_now"))


def _in_all(change: Any) -> str:
    verdict = getattr(change, "verdict", "cannot tell")
    broken = ", across a break in tracking" if getattr(change, "across", ()) else ""
    if verdict == "within noise":
        return f"within noise{broken}"
    if verdict == "cannot tell":
        return f"too little to compare{broken}"
    return f"more than chance explains{broken}"


def _bar(row: dict, currency: str) -> str:
    name, amount = row["bar"], row["amount"]
    if name == "refunds":
        return f"{'fewer' if amount > 0 else 'more'} refunds {_did(amount, currency)}"
    span = f"{_factor(name, row['factor_before'], currency)} to {_factor(name, row['factor_now'], currency)}"
    return f"{_NAMES.get(name, name)} ({span}) {_did(amount, currency)}"


def _largest(parts: Any, currency: str) -> str:
    rows = [dict(zip(parts.columns, row, strict=True)) for row in parts.itertuples(index=False)]
    if not any(row["verdict"] != "cannot tell" for row in rows):
        return "No segment is large enough to say where."
    found = [row for row in rows if row["verdict"] in ("up", "down")]
    if not found:
        return "No segment alone moved it by more than chance."
    row = max(found, key=lambda row: abs(row["amount"]))
    return f"The largest part is {_part(row, currency)}, which {_did(row['amount'], currency)}."


def _part(row: dict, currency: str) -> str:
    segment = "not known" if is_unknown(row["segment"]) else short(row["segment"]).replace("**", "* *")
    whose = f"{segment} ({row['by'].replace('_', ' ')})"
    bar, part = row["bar"], row["part"]
    if part == "sessions":
        return f"the number of sessions of {whose}, {_span(row, count)}"
    if row["by"] == "category":
        if part == "mix":
            return f"units of {whose} per order, {_span(row, decimal, 2)}"
        return f"revenue per unit of {whose}, {_span(row, money, currency)}"
    if part == "mix":
        return f"the share of {whose} in {_SHARES_OF[bar]}, {_span(row, percent)}"
    return f"{_NAMES.get(bar, bar)} of {whose}, {_span(row, lambda value: _factor(bar, value, currency))}"


def _span(row: dict, form, *more: Any) -> str:
    return f"{form(row['factor_before'], *more)} to {form(row['factor_now'], *more)}"


def _factor(bar: str, value: float, currency: str) -> str:
    if bar in ("AOV", "refunds"):
        return money(value, currency)
    if bar == "visit-to-order rate":
        return percent(value)
    return decimal(value, 2) if bar == "orders per converting session" else count(value)


def _did(amount: float, currency: str) -> str:
    return f"{'added' if amount > 0 else 'took'} {money(abs(amount), currency)}"


def _more(amount: float) -> str:
    return "more" if amount > 0 else "less"
