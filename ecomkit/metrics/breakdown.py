"""The group that an attempt stands in: a column's value at one of its steps, by a rule that has a name."""

from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from ecomkit.errors import UsageError, did_you_mean, quoted
from ecomkit.metrics.attempts import keys, told_steps
from ecomkit.metrics.funnel_rules import FunnelRules

# A column, or the rule and the column: {"last touch": "channel"}.
By = str | Mapping[str, str]

# Which steps of an attempt are asked for the value; of several, the latest that knows it.
TOUCHES = ("step 1", "last touch")


@dataclass(frozen=True)
class Breakdown:
    """A column of the events, and at which touch of an attempt its value counts."""

    column: str
    touch: str = TOUCHES[0]

    def add_to(self, chosen: ir.Table, events: ir.Table, rules: FunnelRules) -> ir.Table:
        """Add the column to attempts; of several values at one instant the least, null where none is known."""
        steps = [1] if self.touch == TOUCHES[0] else list(range(rules.last, 0, -1))
        told = told_steps(events, rules, value=events[self.column])
        told = told.filter(told.step_number.isin(steps), told.value.notnull())
        told = told.select(
            *(told[name].name(f"told_{name}") for name in keys(rules)), "told_at", "value", told_step=told.step_number
        )
        same = [chosen[name] == told[f"told_{name}"] for name in keys(rules)]
        met = chosen.join(told, same).filter(lambda pair: pair.told_at == _instant_of(pair, steps))
        by_step = {f"value_{k}": met.value.min(where=met.told_step == k) for k in steps}
        known = met.group_by(*keys(rules)).aggregate(**by_step)
        known = known.select(
            *(known[name].name(f"known_{name}") for name in keys(rules)),
            value=ibis.coalesce(*(known[name] for name in by_step)),
        )
        joined = chosen.left_join(known, [chosen[name] == known[f"known_{name}"] for name in keys(rules)])
        return joined.drop(*(f"known_{name}" for name in keys(rules))).rename({self.column: "value"})


def read_by(by: By | None, events: ir.Table) -> Breakdown | None:
    """Return how a funnel is broken down, checked; None where it is not.

    Raises
    ------
    UsageError
        If the rule has another name, or the table lacks the column.
    """
    if by is None:
        return None
    rule, column = (TOUCHES[0], by) if isinstance(by, str) else next(iter(by.items()), ("", ""))
    if rule not in TOUCHES or (not isinstance(by, str) and len(by) != 1):
        raise UsageError(
            f"'by' is {by!r}. Give a column, or one rule and its column, such as {{'last touch': 'device_type'}}; "
            f"the rules are {quoted(TOUCHES)}."
        )
    if column not in events.columns:
        raise UsageError(
            f"'by' names '{column}', which the table lacks.{did_you_mean(column, events.columns)} "
            f"It has {quoted(events.columns)}."
        )
    return Breakdown(column, rule)


def _instant_of(pair: ir.Table, steps: list[int]) -> ir.TimestampValue:
    return ibis.cases(*((pair.told_step == k, pair[f"step_{k}_at"]) for k in steps))
