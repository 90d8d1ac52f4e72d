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
        """Return `unit`, `cluster`, `is_mature` and `depth` of attempts with the column.

        Of several values at one instant it is the least, null where none is known.
        """
        steps = [1] if self.touch == TOUCHES[0] else list(range(rules.last, 0, -1))
        told = told_steps(events, rules, value=events[self.column])
        told = told.filter(told.step_number.isin(steps), told.value.notnull())
        told = told.select(
            *(told[name].name(f"told_{name}") for name in keys(rules)), "told_at", "value", told_step=told.step_number
        )
        at_step = ibis.cases(*((told.told_step == k, chosen[f"step_{k}_at"]) for k in steps))
        same = [chosen[name] == told[f"told_{name}"] for name in keys(rules)]
        met = chosen.left_join(told, [*same, told.told_at == at_step])
        # One use of the attempts, so that they are computed once.
        whose = [name for name in ("unit", "cluster", "is_mature", "depth") if name in chosen.columns]
        known = met.group_by(*whose).aggregate(**{f"value_{k}": met.value.min(where=met.told_step == k) for k in steps})
        return known.select(*whose, **{self.column: ibis.coalesce(*(known[f"value_{k}"] for k in steps))})


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
