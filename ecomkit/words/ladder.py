"""The ladder from gross to net in a sentence, and rung by rung for a table."""

from typing import Any

from ecomkit.words.cells import Cell
from ecomkit.words.numbers import UNKNOWN, money, percent

_RUNGS = {
    "gross": "gross",
    "discount": "less discount",
    "other_reductions": "less other reductions",
    "revenue": "revenue",
    "refunds": "less refunds booked",
    "net_revenue": "net revenue",
    "contribution": "contribution",
}
# Less of gross is cents of rounding: the table has them, a sentence needs no word for them.
_LEAST_TOLD = 0.001
_TAKEN = ("discount", "other_reductions", "refunds")


def rungs_of(row: Any, currency: str) -> dict[str, list]:
    """Return the columns `rung`, `amount` and `share of gross` of a table, gross first.

    Other reductions are left out where there are none. Without a margin the
    rung of the contribution says so.

    Parameters
    ----------
    row
        A row of `metrics.order_ladder.order_ladder`, or None without one.
    currency
        The shop's.
    """
    names = [name for name in _RUNGS if name != "other_reductions" or (row is not None and row[name])]
    told = {"rung": [_RUNGS[name] for name in names], "amount": [], "share of gross": []}
    for name in names:
        amount = None if row is None else row[name]
        is_given = amount is not None and amount == amount
        without = "no margin given" if name == "contribution" and row is not None else UNKNOWN
        signed = (-1 if name in _TAKEN else 1) * float(amount) if is_given else None
        share = signed / float(row["gross"]) if is_given and row["gross"] else None
        told["amount"].append(Cell(money(signed, currency) if is_given else without, signed))
        told["share of gross"].append(Cell(percent(share), share))
    return told


def from_gross_to_net(row: Any, currency: str) -> str:
    """Say how much of gross is left as net revenue, what was taken off, and the contribution where a margin is given.

    Parameters
    ----------
    row
        A row of `metrics.order_ladder.order_ladder`, or None without one.
    currency
        The shop's.
    """
    if row is None:
        return f"**{UNKNOWN}**"
    gross = float(row["gross"])

    def share_of_gross(name: str) -> str:
        return f" ({percent(float(row[name]) / gross)} of it)" if gross else ""

    other = f", {money(row['other_reductions'], currency)} of reductions that no discount explains"
    parts = [
        f"Of **{money(gross, currency)} gross**, {money(row['discount'], currency)} was discount",
        share_of_gross("discount"),
        other if abs(float(row["other_reductions"])) >= _LEAST_TOLD * gross and row["other_reductions"] else "",
        f" and {money(row['refunds'], currency)} went back{share_of_gross('refunds')}: ",
        f"{money(row['net_revenue'], currency)} net",
    ]
    is_given = row["contribution"] == row["contribution"] and row["contribution"] is not None
    left = f", {money(row['contribution'], currency)} of contribution" if is_given else "; no margin is given"
    return f"{''.join(parts)}{left}."
