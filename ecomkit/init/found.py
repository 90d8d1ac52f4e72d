"""What was found of a shop: its sources, and what their rows tell about its settings."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any


@dataclass
class FoundSource:
    """One [[source]] to be written: its entries in order, what it is in words, and comments that stand above it."""

    entries: dict[str, Any]
    what: str
    comments: list[str] = field(default_factory=list)


@dataclass
class Told:
    """What rows tell about a shop, counted; nothing of it is an address or a name."""

    calls: int = 0
    hosts: Counter[str] = field(default_factory=Counter)
    zones: Counter[str] = field(default_factory=Counter)
    zones_of_orders: Counter[str] = field(default_factory=Counter)
    currencies: Counter[str] = field(default_factory=Counter)
    domains: Counter[str] = field(default_factory=Counter)
    test_orders: Counter[str] = field(default_factory=Counter)
    drafts: list[dict[str, Decimal | str | bool | None]] = field(default_factory=list)


@dataclass
class Found:
    """All that `ecomkit init` knows after looking: sources, the file of rates, what rows tell, what is unclear."""

    sources: list[FoundSource] = field(default_factory=list)
    rates: str | None = None
    rated: set[str] = field(default_factory=set)
    told: Told = field(default_factory=Told)
    unclear: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
