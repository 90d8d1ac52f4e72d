"""The steps of a funnel: event names with filters, checked at the door."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from operator import and_
from typing import Any

import ibis.expr.types as ir

from ecomkit.errors import UsageError, did_you_mean
from ecomkit.pipeline.tracking_plan import ECOMMERCE_EVENTS, PRODUCT_EVENTS, PRODUCT_LIST_EVENTS, PRODUCT_PURCHASED

KNOWN_EVENTS = ("page", "screen", "identify", *ECOMMERCE_EVENTS)
# What `product_events` tells of one product; there an order is its lines.
KNOWN_OF_PRODUCTS = (*PRODUCT_LIST_EVENTS, *PRODUCT_EVENTS, PRODUCT_PURCHASED)
_ORDER = "Order Completed"

# A step as a notebook's parameter holds it: "Product Viewed", or {"event": "Product Viewed", "category": "Teas"}.
StepLiteral = str | Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """A step: the event that fills it, under what name it is shown, and the values that its columns must have."""

    event: str
    label: str
    only: tuple[tuple[str, tuple], ...] = ()

    def fits(self, events: ir.Table) -> ir.BooleanValue:
        """Say which rows fill the step."""
        return reduce(and_, (_is_one_of(events[name], values) for name, values in self.only), self.named(events))

    def named(self, events: ir.Table) -> ir.BooleanValue:
        """Say which rows bear the step's event name."""
        return events.event_name == self.event

    def may_share(self, other: "Step") -> bool:
        """Say whether one event can fit both steps."""
        theirs = dict(other.only)
        return self.event == other.event and not any(
            name in theirs and not set(values) & set(theirs[name]) for name, values in self.only
        )


def read_steps(steps: Sequence[StepLiteral], events: ir.Table, *, of_products: bool = False) -> tuple[Step, ...]:
    """Return the steps of a funnel over `events`, each checked.

    Raises
    ------
    UsageError
        If they are no funnel, naming all that is wrong with them.
    """
    known = (*KNOWN_OF_PRODUCTS, _ORDER) if of_products else KNOWN_EVENTS
    problems: dict[str, None] = {}
    read = []
    for literal in steps:
        name, filters = _parts(literal)
        if name is None:
            problems[f"{literal!r} names no event."] = None
            continue
        if name not in known:
            problems[f"'{name}' is not an event of {_book(name, of_products)}.{did_you_mean(name, known)}"] = None
        problems |= dict.fromkeys(_filter_problems(name, filters, events))
        event = PRODUCT_PURCHASED if of_products and name == _ORDER else name
        read.append(Step(event, _label(name, filters), tuple(sorted(filters.items()))))
    labels = [step.label for step in read]
    doubled = {label: labels.count(label) for label in labels if labels.count(label) > 1}
    problems |= dict.fromkeys(f"'{label}' stands there {times} times." for label, times in doubled.items())
    if not 2 <= len(steps) <= 10:
        problems[f"The number of steps is {len(steps)}."] = None
    if problems:
        raise UsageError(f"These steps are no funnel: {' '.join(problems)} Give 2 to 10 different event names.")
    return tuple(read)


def steps_of_products(steps: Sequence[StepLiteral]) -> list[StepLiteral]:
    """Return those of a funnel's steps that tell of one product: a checkout does not, an order does by its lines."""
    known = (*KNOWN_OF_PRODUCTS, _ORDER)
    return [step for step in steps if _parts(step)[0] in known]


def columns_asked(steps: Sequence[StepLiteral]) -> set[str]:
    """Return the columns by which any of the steps is filtered."""
    return {column for step in steps for column in _parts(step)[1]}


def _parts(literal: StepLiteral) -> tuple[str | None, dict[str, tuple]]:
    if isinstance(literal, str):
        return literal, {}
    if not isinstance(literal, Mapping):
        return None, {}
    filters = {
        name: tuple(values) if isinstance(values, list | tuple | set) else (values,)
        for name, values in literal.items()
        if name != "event"
    }
    name = literal.get("event")
    return (name if isinstance(name, str) else None), filters


def _label(name: str, filters: Mapping[str, tuple]) -> str:
    told = [f"{column}: {' or '.join(map(str, values))}" for column, values in filters.items()]
    return f"{name} ({', '.join(told)})" if told else name


def _book(name: str, of_products: bool) -> str:
    return "product_events, which tells of one product" if of_products and name in KNOWN_EVENTS else "the tracking plan"


def _filter_problems(name: str, filters: Mapping[str, tuple], events: ir.Table) -> list[str]:
    problems = []
    for column, values in filters.items():
        if column not in events.columns:
            near = did_you_mean(column, events.columns)
            problems.append(f"'{name}' is filtered by '{column}', which the table lacks.{near}")
            continue
        kind = events[column].type()
        wrong = [value for value in values if value is not None and not _suits(value, kind)]
        problems += [
            f"'{name}' is filtered by '{column}', of type {kind}, which is never {value!r}." for value in wrong
        ]
        if not values:
            problems.append(f"'{name}' is filtered by '{column}', which may have no value at all.")
    return problems


def _suits(value: Any, kind: Any) -> bool:
    if isinstance(value, bool):
        return kind.is_boolean()
    return (isinstance(value, str) and kind.is_string()) or (
        isinstance(value, int | float | Decimal) and kind.is_numeric()
    )


def _is_one_of(column: ir.Value, values: tuple) -> ir.BooleanValue:
    said = [value for value in values if value is not None]
    if len(said) == len(values):
        return column.isin(said)
    return column.isnull() | column.isin(said) if said else column.isnull()
