"""The page of definition cards, to which every headline of the index leads."""

from collections.abc import Mapping, Sequence
from typing import Any

from ecomkit.metrics.cards import Card, card_name, cards
from ecomkit.periods import Period
from ecomkit.report.index import span
from ecomkit.report.page import render


def cards_page(*, shop: str, place: str, period: Period, headlines: Sequence[Mapping[str, Any]]) -> str:
    """Return the page with a card per metric, each with the headlines that it explains.

    Parameters
    ----------
    shop
        The shop's name for readers.
    place
        Its name for commands.
    period
        The week of the report.
    headlines
        What the notebooks handed over.
    """
    explained: dict[str | None, list[Mapping[str, Any]]] = {}
    for entry in headlines:
        explained.setdefault(card_name(entry["name"]), []).append(entry)
    return render(
        "metrics.html.j2",
        title=f"What the metrics mean: {shop}, week {period.label}",
        shop=shop,
        place=place,
        week=period.label,
        span=span(period),
        cards=[_told(card, explained.get(card.name, [])) for card in cards()],
    )


def _told(card: Card, headlines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "name": card.name,
        "asked": card.asked,
        "headlines": headlines,
        "definition": [_pieces(paragraph) for paragraph in card.definition.split("\n\n")],
        "returns": _pieces(card.returns),
        "tables": ", ".join(card.tables),
    }


def _pieces(text: str) -> list[str]:
    """Return plain text and code in turns, plain text first."""
    return text.split("`")
