"""What a metric means: its definition, the query that computes it, and the rows that go into it."""

import ibis

from ecomkit.engines import to_sql
from ecomkit.example_rows import as_lines, example_rows
from ecomkit.metrics.cards import Card, cards, metric_of
from ecomkit.metrics.catalogue import METRICS
from ecomkit.metrics.metric import Metric
from ecomkit.periods import Period, iso_week
from ecomkit.query_steps import query_steps, rows_of, step_of
from ecomkit.schemas import CANONICAL
from ecomkit.settings import load_settings
from ecomkit.shop import Shop, find_shop, open_shop
from ecomkit.words import counted

# The engine of a shop itself.
OWN_DIALECT = "duckdb"

_TITLE = """# What the metrics mean

A card per metric: what it counts, the rule at its edge, and the rows it gives. The cards are the docstrings in
`ecomkit/metrics/`, and `ecomkit explain SHOP METRIC` shows one with its query, the rows at each step and five examples.
After a change there, write this page again:

    python -c "from ecomkit.explain import metrics_page; print(metrics_page(), end='')" > docs/metrics.md
"""


def explain_metric(shop_name: str, metric: str, *, week: str = "last", dialect: str = OWN_DIALECT) -> str:
    """Return a metric's definition, columns and query for one week of a shop, the rows at each step and examples.

    The query reads the canonical tables under their own names. Rows are counted
    in the shop itself; with the query for another engine they are left out,
    and a named week then needs no shop to be built.

    Parameters
    ----------
    shop_name
        A folder with a shop.toml, or the name of a fixture or example.
    metric
        A metric's name, or a headline's.
    week
        An ISO week such as `2026-W44`, or `last` for the last complete one.
    dialect
        The engine that the query is written for.

    Raises
    ------
    UsageError
        If there is no such metric, shop, week or dialect.
    """
    name = metric_of(metric)
    period = _week(shop_name, week)
    told = [card_and_query(shop_name, metric, period=period, dialect=dialect)]
    if dialect == OWN_DIALECT:
        told += _rows_told(open_shop(shop_name), METRICS[name], period)
    else:
        told.append(f"Rows are counted in the shop itself: ask without --dialect, or for {OWN_DIALECT}.")
    return "\n\n".join(told)


def card_and_query(shop_name: str, metric: str, *, period: Period, dialect: str = OWN_DIALECT) -> str:
    """Return a metric's definition, columns and query for a period, which takes no data."""
    name = metric_of(metric)
    entry, settings = METRICS[name], load_settings(find_shop(shop_name) / "shop.toml")
    tables = {table: ibis.table(CANONICAL[table][0], name=table) for table in entry.tables}
    query = to_sql(entry.build(tables, period, period.end_at, settings), dialect)
    told = [
        name if name == metric else f"{metric}: the card of {name}",
        entry.definition,
        f"Gives: {entry.returns}",
        f"Query for {_span(entry, period)}, in {dialect}:",
        str(query),
    ]
    return "\n\n".join(told)


def _week(shop_name: str, week: str) -> Period:
    # Only the last week needs the data; a named one is known without building the shop.
    if week == "last":
        return open_shop(shop_name).week("last")
    return iso_week(week, load_settings(find_shop(shop_name) / "shop.toml").time_zone)


def _span(entry: Metric, period: Period) -> str:
    asked = entry.asks(period)
    return period.label if asked == period else f"{asked.label}, as the report of {period.label} asks"


def _rows_told(shop: Shop, entry: Metric, period: Period) -> list[str]:
    """Return the rows at each step of the query, and example rows, as paragraphs."""
    tables = {table: getattr(shop, table) for table in entry.tables}
    expression = entry.build(tables, period, period.end_at, shop.settings)
    steps = query_steps(expression)
    lines = [
        f"{step.number:>3}. {step.text}: {counted(rows, 'row')}"
        for step, rows in zip(steps, rows_of(steps), strict=True)
    ]
    told = ["\n".join(["Rows at each step:", *lines])]
    examples = example_rows(expression, tables, entry.asks(period))
    if examples is None:
        return [*told, "It reads no orders, sessions or events, so there are no rows of these to show."]
    span = _span(entry, period)
    of_step = f"{examples.table} of step {step_of(examples.relation, steps)}"
    if not examples.rows:
        return [*told, f"None of the {of_step} falls into {span}."]
    return [*told, "\n".join([f"The first {of_step} that fall into {span}:", *as_lines(examples.rows)])]


def metrics_page() -> str:
    """Return the text of docs/metrics.md: a card per metric function, in the catalogue's order."""
    return "\n".join([_TITLE, *(_card(card) for card in cards())])


def _card(card: Card) -> str:
    names = f"Ask for it as {_code(card.asked)}. " if card.asked != (card.name,) else ""
    reads = f"It reads {_code(card.tables)}."
    return f"## `{card.name}`\n\n{card.definition}\n\n{names}{reads}\n\n**Gives.** {card.returns}\n"


def _code(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)
