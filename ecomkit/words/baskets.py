"""Sentences about what is bought with what, and first."""

from typing import Any

from ecomkit.words.numbers import count, counted, decimal, listed, percent
from ecomkit.words.products import name_of, noun_of, rows_of


def bought_together(pairs: Any) -> str:
    """Name the two pairs whose lift is highest at its lower limit, among those above all pairs by more than chance.

    Parameters
    ----------
    pairs
        What `metrics.products.judge_pairs` returns.
    """
    columns = ("lift", "first_name", "second_name", "orders_with_both", "lift_low", "verdict")
    found = sorted((row for row in rows_of(pairs, *columns) if row[-1] == "up"), key=lambda row: -row[-2])
    if not found:
        return "no pair is bought together more often than pairs are"
    told = [
        f"{name_of(first)} with {name_of(second)} ({count(both)} orders, lift {decimal(lift)})"
        for lift, first, second, both, *_ in found[:2]
    ]
    return f"{listed(told)} {'go' if len(told) > 1 else 'goes'} together most clearly"


def hidden_pairs(looked_at: Any, *, floor: int) -> str:
    """Count the pairs that are not shown, and the orders that are too large to pair.

    Parameters
    ----------
    looked_at
        The row of `metrics.products.pairs_looked_at`.
    floor
        Fewest orders with both for a pair to be shown.
    """
    hidden = f"hidden for being in fewer than {counted(floor, 'order')}: {counted(looked_at.pairs_hidden, 'pair')}"
    large = looked_at.orders_too_large
    return f"{hidden}; left out for too many products: {counted(large, 'order')}" if large else hidden


def gateways(frame: Any, *, by: str, floor: int) -> str:
    """Name the first products whose customers come back more, or less, than others of their channel and month.

    Parameters
    ----------
    frame
        What `metrics.products.judge_gateways` returns.
    by
        What the rows stand for.
    floor
        Fewest customers for a verdict.
    """
    if not any(verdict != "cannot tell" for verdict in frame["repeat_verdict"]):
        return f"no first {noun_of(by)} has {counted(floor, 'customer')} to compare yet"
    columns = ("repeat_rate_difference", "name", "repeat_purchase_rate", "expected_repeat_rate", "repeat_verdict")
    rows = rows_of(frame, *columns)
    told = []
    for verdict, word in (("up", "more"), ("down", "less")):
        found = sorted((row for row in rows if row[-1] == verdict), key=lambda row: -abs(row[0]))
        told += [
            f"who first bought {name_of(name)} came back {word} often, {percent(rate)} against {percent(expected)} "
            "of new customers of the same channel and month"
            for _, name, rate, expected, _ in found[:1]
        ]
    return "; ".join(told) or f"no first {noun_of(by)} goes with coming back by more than chance"
