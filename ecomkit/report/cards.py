"""Definition cards: of all metrics on a page of their own, and on each page those of what it shows."""

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ecomkit.metrics.cards import Card, card_name, cards
from ecomkit.report.notebook_code import nodes_of
from ecomkit.report.page import render
from ecomkit.report.week_report import WeekReport, span


def cards_page(report: WeekReport) -> str:
    """Return the page with a card per metric, each with the headlines that it explains."""
    explained: dict[str | None, list[Mapping[str, Any]]] = {}
    for entry in report.headlines:
        explained.setdefault(card_name(entry["name"]), []).append(entry)
    return render(
        "metrics.html.j2",
        title=f"What the metrics mean: {report.shop}, week {report.period.label}",
        shop=report.shop,
        place=report.place,
        week=report.period.label,
        span=span(report.period),
        cards=[told(card, explained.get(card.name, [])) for card in cards()],
    )


def told(card: Card, headlines: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Return a card as the templates show it: text and code in turns, text first."""
    return {
        "name": card.name,
        "asked": card.asked,
        "headlines": headlines,
        "definition": [_pieces(paragraph) for paragraph in card.definition.split("\n\n")],
        "returns": _pieces(card.returns),
        "tables": ", ".join(card.tables),
    }


def cards_of(notebook: Path) -> list[dict[str, Any]]:
    """Return the cards of the metrics that a notebook's code names, in the catalogue's order."""
    nodes = list(nodes_of(notebook))
    named = {node.id for node in nodes if isinstance(node, ast.Name)}
    named |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return [told(card) for card in cards() if card.name in named]


def _pieces(text: str) -> list[str]:
    return text.split("`")
