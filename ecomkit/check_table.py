"""What `ecomkit check` shows: tables and a verdict for the terminal, one object for a script."""

import json
from typing import Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from ecomkit.check import Verdict, orders_told, place, verdict
from ecomkit.shop import Shop
from ecomkit.words import count, counted, money, short

_COUNTS = {
    "rows_in": "rows in",
    "rows_kept": "kept",
    "rows_corrected": "corrected",
    "duplicates": "duplicates",
    "rows_excluded": "excluded",
    "rows_quarantined": "quarantined",
}
BARE = (
    "'{}' has no shop.toml: its calls are read with days in UTC and the default rules and limits, "
    "and its orders are not priced. `ecomkit init` writes a shop.toml."
)


def as_json(shop: Shop, *, bare: bool) -> tuple[str, bool]:
    """Return the accounts as one JSON object, and whether the shop may be trusted."""
    judged, orders = verdict(shop), orders_told(shop)
    told = {
        "shop": shop.settings.name,
        "bare": bare,
        "ok": judged.ok,
        "quarantined_share": judged.quarantined_share,
        "limit": judged.limit,
        **judged.totals,
        "reasons": [row | {"amount": _number(row["amount"])} for row in judged.reasons],
        "steps": judged.steps,
        "orders": orders,
    }
    return json.dumps(told, indent=2), judged.ok


def show(shop: Shop, console: Console, *, bare: bool) -> bool:
    """Show the accounts, the reasons with examples, the orders and the verdict; return whether it is a good one."""
    judged, orders = verdict(shop), orders_told(shop)
    if bare:
        _say(console, BARE.format(shop.settings.sources[0].path))
    console.print(_steps(judged))
    if judged.reasons:
        console.print(_reasons(judged, shop.currency))
    for row in judged.quarantined:
        _show_example(console, row)
    if orders["told"]:
        _say(
            console,
            f"{counted(orders['orders'], 'order')} came in {count(orders['told'])} calls and rows. "
            f"With an order id seen before: {count(orders['duplicates'])}; the first to arrive counts.",
        )
    if orders["money_rules"]:
        rules = "; ".join(
            f"{short(row['money_rule'])} for {counted(row['orders'], 'order')}" for row in orders["money_rules"]
        )
        _say(console, f"Money is read by the rules: {rules}.")
    _say(console, judged.sentence)
    return judged.ok


def _steps(judged: Verdict) -> Table:
    together = [{"step": "together"} | judged.totals] if len(judged.steps) != 1 else []
    steps = [*judged.steps, *together]
    table = Table("", *(Column(Text(short(step["step"])), justify="right") for step in steps))
    for name, told in _COUNTS.items():
        table.add_row(told, *(count(step[name]) for step in steps))
    return table


def _reasons(judged: Verdict, currency: str) -> Table:
    table = Table("outcome", "reason", Column("rows", justify="right"), Column("money", justify="right"))
    for row in judged.reasons:
        amount = "" if row["amount"] is None else money(row["amount"], currency)
        table.add_row(row["outcome"], Text(short(row["reason"])), count(row["rows"]), amount)
    return table


def _show_example(console: Console, row: dict[str, Any]) -> None:
    if row["example"] is None:
        return
    _say(console, f"{short(row['reason'])}, first at {place(row['example'])}")
    if row["example"]["raw"] is not None:
        _say(console, f"    {row['example']['raw']}")


def _say(console: Console, line: str) -> None:
    console.print(line, soft_wrap=True, markup=False, highlight=False)


def _number(amount: Any) -> float | None:
    return None if amount is None else float(amount)
