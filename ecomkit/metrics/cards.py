"""The definition cards: what a metric counts, the rule at its edge, the rows it gives; and the card of a headline."""

from collections.abc import Mapping
from dataclasses import dataclass

from ecomkit.errors import UsageError, did_you_mean, quoted
from ecomkit.metrics.catalogue import METRICS

# Headline -> the metric that its card is of, where they differ by name.
HEADLINES: Mapping[str, str] = {
    "revenue": "sales",
    "orders": "sales",
    "funnel_overall_rate": "funnel",
    "view_to_order_rate": "product_path_of_all",
    "units": "product_path_of_all",
    "clv_per_customer": "clv_summary",
    "identified_orders_share": "identity_coverage",
    "identified_sessions_share": "identity_coverage",
}


@dataclass(frozen=True)
class Card:
    """One card: the function's name, the names under which it is asked, and what its docstring says."""

    name: str
    asked: tuple[str, ...]
    definition: str
    tables: tuple[str, ...]
    returns: str


def cards() -> list[Card]:
    """Return a card per metric function, in the catalogue's order."""
    asked: dict[str, list[str]] = {}
    for name, entry in METRICS.items():
        asked.setdefault(entry.function.__name__, []).append(name)
    first = {function: METRICS[names[0]] for function, names in asked.items()}
    return [
        Card(function, tuple(names), first[function].definition, first[function].tables, first[function].returns)
        for function, names in asked.items()
    ]


def metric_of(name: str) -> str:
    """Return the metric that a name asks for: its own, or that of a headline.

    Raises
    ------
    UsageError
        If there is neither such a metric nor such a headline.
    """
    metric = HEADLINES.get(name, name)
    if metric not in METRICS:
        near = did_you_mean(name, (*METRICS, *HEADLINES))
        raise UsageError(
            f"There is no metric '{name}'.{near} The metrics are {quoted(METRICS)}; "
            f"of headlines with other names {quoted(HEADLINES)}."
        )
    return metric


def card_name(headline: str) -> str | None:
    """Return the name of a headline's card, None where it has none: a notebook may hand over anything."""
    metric = HEADLINES.get(headline, headline)
    return METRICS[metric].function.__name__ if metric in METRICS else None
