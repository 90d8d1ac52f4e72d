"""What a metric means: its definition, what it returns, and the query that computes it."""

import ibis

from ecomkit.engines import to_sql
from ecomkit.errors import UsageError, did_you_mean, quoted
from ecomkit.metrics.catalogue import METRICS, Metric
from ecomkit.periods import iso_week
from ecomkit.schemas import CANONICAL
from ecomkit.settings import load_settings
from ecomkit.shop import find_shop, open_shop

_TITLE = """# What the metrics mean

A card per metric: what it counts, the rule at its edge, and the rows it gives. The cards are the docstrings in
`ecomkit/metrics/`, and `ecomkit explain SHOP METRIC` shows one with its query. After a change there, write this page
again:

    python -c "from ecomkit.explain import metrics_page; print(metrics_page(), end='')" > docs/metrics.md
"""


def explain_metric(shop_name: str, metric: str, *, week: str = "last", dialect: str = "duckdb") -> str:
    """Return a metric's definition, columns and query for one week of a shop.

    The query reads the canonical tables under their own names.

    Raises
    ------
    UsageError
        If there is no such metric, shop, week or dialect.
    """
    if metric not in METRICS:
        raise UsageError(
            f"There is no metric '{metric}'.{did_you_mean(metric, METRICS)} The metrics are {quoted(METRICS)}."
        )
    settings = load_settings(find_shop(shop_name) / "shop.toml")
    # Only the last week needs the data; a named one is known without building the shop.
    period = open_shop(shop_name).week("last") if week == "last" else iso_week(week, settings.time_zone)
    entry = METRICS[metric]
    tables = {name: ibis.table(CANONICAL[name][0], name=name) for name in entry.tables}
    query = to_sql(entry.build(tables, period, period.end_at, settings), dialect)
    asked = entry.asks(period)
    span = period.label if asked == period else f"{asked.label}, as the report of {period.label} asks"
    return "\n\n".join(
        [metric, entry.definition, f"Gives: {entry.returns}", f"Query for {span}, in {dialect}:", str(query)]
    )


def metrics_page() -> str:
    """Return the text of docs/metrics.md: a card per metric function, in the catalogue's order."""
    cards: dict[str, list[str]] = {}
    entries: dict[str, Metric] = {}
    for name, entry in METRICS.items():
        function = entry.function.__name__
        cards.setdefault(function, []).append(name)
        entries.setdefault(function, entry)
    return "\n".join([_TITLE, *(_card(name, entries[name], asked) for name, asked in cards.items())])


def _card(function: str, entry: Metric, asked: list[str]) -> str:
    names = f"Ask for it as {_code(asked)}. " if asked != [function] else ""
    reads = f"It reads {_code(entry.tables)}."
    return f"## `{function}`\n\n{entry.definition}\n\n{names}{reads}\n\n**Gives.** {entry.returns}\n"


def _code(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)
