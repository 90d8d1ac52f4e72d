"""By which rules a funnel counts: one checked value that every question about it is asked with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations
from typing import Literal

import ibis.expr.types as ir

from ecomkit.errors import UsageError, did_you_mean, quoted
from ecomkit.metrics.funnel_steps import Step, StepLiteral, read_steps
from ecomkit.periods import Period
from ecomkit.schemas import EVENTS, PRODUCT_EVENTS, require

Order = Literal["ordered", "strict", "any"]
Entry = Literal["restart", "first"]
Unit = Literal["person", "session"]
Same = Literal["product_id", "cart_id"]

# A century: no shop's data are longer, and no engine's instants reach much further.
_MOST_DAYS = 36_525

# What each rule may say.
CHOICES = {
    "order": ("ordered", "strict", "any"),
    "entry": ("restart", "first"),
    "unit": ("person", "session"),
    "same": (None, "product_id", "cart_id"),
}


@dataclass(frozen=True)
class FunnelRules:
    """Steps, window, span and rules of a funnel; `window` is None for sessions, which end by themselves."""

    steps: tuple[Step, ...]
    window: timedelta | None
    period: Period
    as_of: datetime
    order: Order
    entry: Entry
    unit: Unit
    same: Same | None

    @property
    def last(self) -> int:
        """The number of the last step."""
        return len(self.steps)

    @property
    def counted(self) -> str:
        """What a funnel counts, in the plural."""
        return "people" if self.unit == "person" else "sessions"

    @property
    def share_events(self) -> bool:
        """Whether one event can fit two of the steps."""
        return any(one.may_share(other) for one, other in combinations(self.steps, 2))


def read_rules(
    events: ir.Table,
    *,
    steps: Sequence[StepLiteral],
    window_days: float | None,
    period: Period,
    as_of: datetime,
    order: str = "ordered",
    entry: str = "restart",
    unit: str = "person",
    same: str | None = None,
) -> FunnelRules:
    """Return the rules of a funnel over `events`, checked.

    Raises
    ------
    TableError
        If `events` is not the table that `same` asks for.
    UsageError
        If the steps, the window or a rule cannot be used.
    """
    require(events, PRODUCT_EVENTS if same in CHOICES["same"][1:] else EVENTS)
    chosen = {"order": order, "entry": entry, "unit": unit, "same": same}
    problems = [
        f"'{name}' is {value!r}, which is no rule of a funnel.{did_you_mean(str(value), _names(name))} "
        f"Choose one of {quoted(_names(name))}{' or None' if name == 'same' else ''}."
        for name, value in chosen.items()
        if value not in CHOICES[name]
    ]
    if problems:
        raise UsageError(" ".join(problems))
    read = read_steps(steps, events, of_products=same is not None)
    rules = FunnelRules(read, _window(window_days, unit), period, as_of, **chosen)
    if rules.share_events and order != "ordered":
        raise UsageError(
            f"One event can fit two of the steps {quoted(step.label for step in read)}, which only the order 'ordered' "
            f"tells apart; '{order}' was asked. Filter the steps by different values of one column."
        )
    return rules


def _names(rule: str) -> list[str]:
    return [value for value in CHOICES[rule] if value is not None]


def _window(window_days: float | None, unit: str) -> timedelta | None:
    if unit == "session":
        if window_days is not None:
            raise UsageError(
                f"A session ends by itself, so its funnel has no window; window_days is {window_days}. Give None."
            )
        return None
    if window_days is None or not 0 < window_days <= _MOST_DAYS:
        raise UsageError(f"The window is {window_days} days. Give the time from the first step to the last.")
    return timedelta(seconds=round(window_days * 86_400))
