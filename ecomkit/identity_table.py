"""What `ecomkit identity` shows in the terminal: what merging did, and single suspects with what undoes them."""

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from ecomkit.frames import to_frame
from ecomkit.metrics.identity_audit import links_by_rule, merging_effect, suspects
from ecomkit.pipeline.identifiers import NAMES
from ecomkit.shop import Shop
from ecomkit.words import UNKNOWN, count, percent, short

MOST_SUSPECTS = 20
_COUNTED = ("people", "devices", "calls")


def show(shop: Shop, console: Console) -> None:
    """Show what each rule linked, people and customers before merging and after it, and the first suspects."""
    console.print(_links(shop))
    console.print(_effect(shop))
    found = suspects(shop.events, shop.identity_links)
    number = to_frame(found.count().as_table()).iloc[0, 0]
    if not number:
        _say(console, "No identifier is shared by several people.")
        return
    table = Table("suspect", "entry for the undo list", *(Column(name, justify="right") for name in _COUNTED))
    for row in to_frame(found.limit(MOST_SUSPECTS)).itertuples():
        table.add_row(
            row.why,
            Text(_entry(row.identifier_type, row.identifier)),
            *(_told(getattr(row, name)) for name in _COUNTED),
        )
    console.print(table)
    if number > MOST_SUSPECTS:
        _say(console, f"and {count(number - MOST_SUSPECTS)} more")
    _say(
        console,
        "An entry in `undo` of [identity] in shop.toml takes an identifier out of every merge; its calls stay. "
        "These are single people's: they belong in the terminal, not in a report.",
    )


def _links(shop: Shop) -> Table:
    table = Table("identifier", "rule", *(Column(name, justify="right") for name in ("identifiers", "people", "calls")))
    for row in to_frame(links_by_rule(shop.events, shop.identity_links)).itertuples():
        table.add_row(row.identifier_type, row.rule, count(row.identifiers), count(row.people), count(row.calls))
    return table


def _effect(shop: Shop) -> Table:
    rows = to_frame(merging_effect(shop.events, shop.orders))
    table = Table("", *(Column(f"{merging} merging", justify="right") for merging in rows.merging))
    for name in ("people", "customers", "repeat_buyers"):
        table.add_row(name.replace("_", " "), *(count(value) for value in rows[name]))
    table.add_row("of customers", *(percent(value) for value in rows.repeat_buyers_share))
    return table


def _entry(kind: str, identifier: str) -> str:
    """Return what takes an identifier out of every merge; of a person, the identifier that names him."""
    if kind == "person":
        name, _colon, identifier = identifier.partition(":")
        kind = next((kind for kind, its_name in NAMES.items() if its_name == name), name)
    return f"{kind}:{identifier}"


def _told(value: float) -> str:
    told = count(value)
    return "" if told == UNKNOWN else short(told)


def _say(console: Console, line: str) -> None:
    console.print(line, soft_wrap=True, markup=False, highlight=False)
