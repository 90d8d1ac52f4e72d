"""Numbers to text, and the sentences that notebooks print."""

from ecomkit.words.answers import against, best_of, costs_of, stands_out, what_is_in, where_it_stops, who_pays_back
from ecomkit.words.bridge import told_factors, why_it_moved
from ecomkit.words.markup import LONGEST_NAME, LONGEST_TEXT, NO_DATA, escape, say, short
from ecomkit.words.numbers import (
    UNKNOWN,
    count,
    counted,
    day,
    days,
    interval,
    listed,
    money,
    month,
    multiple,
    or_more,
    percent,
)
from ecomkit.words.overview import largest_of, moved_most, partial_week

__all__ = [
    "partial_week",
    "moved_most",
    "largest_of",
    "LONGEST_NAME",
    "LONGEST_TEXT",
    "NO_DATA",
    "UNKNOWN",
    "against",
    "best_of",
    "costs_of",
    "count",
    "counted",
    "day",
    "days",
    "escape",
    "interval",
    "listed",
    "money",
    "month",
    "multiple",
    "or_more",
    "percent",
    "say",
    "short",
    "stands_out",
    "told_factors",
    "what_is_in",
    "where_it_stops",
    "who_pays_back",
    "why_it_moved",
]
