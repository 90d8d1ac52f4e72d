"""Which part of a shop is looked at: a channel, a category, a country, a device, business customers in or out.

Filters narrow the canonical tables before any metric reads them, so that every number, picture and sentence of a
notebook is about the same part. A table that cannot tell what is asked (a session has no category) is left empty:
no number beats a number about something else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

import ibis
import ibis.expr.types as ir

from ecomkit.errors import UsageError, did_you_mean, quoted
from ecomkit.settings import Settings
from ecomkit.words import listed, short

Select = Literal["orders", "customers"]
Tables = Callable[[str], ir.Table]

# Where the values of a filter stand: (table, column). What is none of a table's filters, that table cannot tell.
_VALUES = {
    "channel": (("sessions", "channel"),),
    "category": (("order_lines", "category"), ("product_events", "category")),
    "country": (("orders", "country"),),
    "device": (("sessions", "device_type"), ("orders", "device_type")),
}
_CAN_TELL = {
    "sessions": ("channel", "device", "b2b"),
    "events": ("channel", "device", "b2b"),
    "product_events": ("channel", "category", "device", "b2b"),
    "ad_spend": ("channel",),
    "people": ("b2b",),
    "emails": ("b2b",),
    "email_clicks": ("b2b",),
}


@dataclass(frozen=True)
class Filters:
    """What is looked at: none, or some of the values of each; `b2b` False leaves business customers out, True the rest.

    `select` says what the filters are about: `orders` and the sessions, events and lines of their kind, or `customers`
    by their first order, with all that these customers ever did.
    """

    channel: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    country: tuple[str, ...] = ()
    device: tuple[str, ...] = ()
    b2b: bool | None = None
    select: Select = "orders"

    @property
    def asked(self) -> dict[str, Any]:
        """The filters that are set, by name."""
        named = {name: getattr(self, name) for name in NAMES}
        return {name: value for name, value in named.items() if value not in ((), None)}

    def cannot_tell(self) -> list[str]:
        """Name the tables that cannot tell what is asked, and so stay empty."""
        if self.select == "customers":
            return ["ad_spend"] if set(self.asked) - set(_CAN_TELL["ad_spend"]) else []
        return [table for table, able in _CAN_TELL.items() if set(self.asked) - set(able)]

    def __bool__(self) -> bool:
        return bool(self.asked)

    def __str__(self) -> str:
        """Write it as `Only channel Email or Direct, without business customers.`, or `No filter.`."""
        parts = [f"{name} {' or '.join(map(short, self.asked[name]))}" for name in _VALUES if name in self.asked]
        if self.category and self.select == "orders":
            parts[list(self.asked).index("category")] += " (an order counts with all it holds)"
        whose = "customers whose first order has " if self.select == "customers" and parts else ""
        told = f"Only {whose}{listed(parts)}" if parts else ""
        if self.b2b is not None:
            business = "without business customers" if self.b2b is False else "business customers alone"
            told = f"{told}, {business}" if told else business.capitalize()
        return f"{told}." if told else "No filter."


NAMES = tuple(field.name for field in fields(Filters) if field.name != "select")


def read_filters(given: Mapping[str, Any], select: Select = "orders") -> Filters:
    """Read a notebook's `filters`: texts or lists of them by name, and `b2b` as True or False.

    Raises
    ------
    UsageError
        If a name is no filter, or a value is no text and no list of texts; all offenders in one message.
    """
    problems, values = [], {}
    for name, value in given.items():
        texts = [value] if isinstance(value, str) else value
        if name not in NAMES:
            problems.append(f"'{name}' is no filter.{did_you_mean(name, NAMES)}")
        elif name == "b2b":
            values[name] = value
            # 0 equals False, but is read as set where the filter is written out.
            if value is not None and not isinstance(value, bool):
                problems.append(f"'b2b' is {value!r}, not True or False.")
        elif not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
            problems.append(f"'{name}' is {value!r}, not a text or a list of texts.")
        else:
            values[name] = tuple(texts)
    if problems:
        raise UsageError(f"{' '.join(problems)} The filters are {quoted(NAMES)}, as in {{'channel': 'Email'}}.")
    return Filters(**values, select=select)


def check_values(filters: Filters, tables: Tables, settings: Settings) -> None:
    """Stop where a filter names what no row has, or what the settings do not say.

    Raises
    ------
    UsageError
        Naming every such value, its near miss, and what there is.
    """
    problems = []
    if filters.b2b is not None and not (settings.b2b_order_units or settings.b2b_customers):
        problems.append(
            "This shop does not say who its business customers are. "
            "Give 'order_units' or 'customers' in [b2b] of shop.toml."
        )
    for name, places in _VALUES.items():
        asked = getattr(filters, name)
        if not asked:
            continue
        found = ibis.union(*(tables(table).select(value=column) for table, column in places)).distinct()
        known = sorted(value for value in found.to_pyarrow()["value"].to_pylist() if value is not None)
        problems += [
            f"There is no {name} '{short(value)}' in this shop.{did_you_mean(value, known)} "
            f"It has {quoted(known[:20]) or 'none'}."
            for value in asked
            if value not in known
        ]
    if problems:
        raise UsageError(" ".join(problems))
