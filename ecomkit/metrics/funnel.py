"""Where visits stop on the way to an order."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.engines import whole_numbers
from ecomkit.errors import UsageError, did_you_mean
from ecomkit.metrics.ratio import flag, share, unit_sums
from ecomkit.periods import Period
from ecomkit.pipeline.tracking_plan import ECOMMERCE_EVENTS
from ecomkit.schemas import EVENTS, require

KNOWN_EVENTS = ("page", "screen", "identify", *ECOMMERCE_EVENTS)


def funnel(events: ir.Table, *, steps: Sequence[str], window_days: float, period: Period, as_of: datetime) -> ir.Table:
    """Count the people who reach each of several steps, in order, within a window from the first.

    An attempt starts at each step-1 event of the period and takes the earliest
    next step each time; a person's deepest attempt counts. Step k is reached
    when it comes at most `window_days` x 24 hours after step 1, that instant
    included; events of equal time stand in the order of the steps. Later steps
    may fall after the period. Only attempts whose whole window has passed by
    `as_of` compete; people without one are immature, counted apart. The funnel
    tells what people did: an order cancelled later still fills its step.

    Parameters
    ----------
    events
        The shop's events (schema `EVENTS`), not cut to the period.
    steps
        2 to 10 different event names, in order.
    window_days
        Longest time from step 1 to the last step, in days of 24 hours.
    period
        The days in which attempts start.
    as_of
        The instant at which the data ends, exclusive.

    Returns
    -------
    Table
        One row per step, in order: `step_number` (from 1), `step`, `people`,
        `step_rate` (share of the step before, null for step 1), `overall_rate`
        (share of step 1), both 0 to 1 and null without people; `immature`,
        people left out for their youth, the same on each row; then the sums of
        `cluster_sums` for both rates, prefixed with the rate's name.
    """
    require(events, EVENTS)
    steps = list(steps)
    _check_steps(steps)
    attempts = _attempts(events, steps, period, as_of)
    in_time = attempts.step_1_at + _window(window_days)
    reached = [flag(attempts[f"step_{k}_at"] <= in_time) for k in range(2, len(steps) + 1)]
    people = attempts.mutate(
        is_mature=attempts.step_1_at < as_of - timedelta(days=window_days),
        depth=1 + sum(reached, ibis.literal(0, "int64")),
    )
    people = people.group_by("person_id").aggregate(depth=_.depth.max(where=_.is_mature).coalesce(0))
    depths = people.aggregate(
        immature=people.count(where=_.depth == 0),
        **{f"people_{k}": people.count(where=people.depth >= k) for k in range(1, len(steps) + 1)},
    )
    numbers = whole_numbers(len(steps)).select(step_number=_.number + 1)
    wide = depths.cross_join(numbers)

    def on_step(value) -> ir.Value:
        return ibis.cases(*((wide.step_number == k, value(k)) for k in range(1, len(steps) + 1)))

    counted = wide.select(
        "step_number",
        step=on_step(lambda k: steps[k - 1]),
        people=on_step(lambda k: wide[f"people_{k}"]),
        before=on_step(lambda k: wide[f"people_{max(k - 1, 1)}"]),
        first="people_1",
        immature="immature",
    )
    return counted.select(
        "step_number",
        "step",
        "people",
        step_rate=ibis.ifelse(_.step_number > 1, share(_.people, _.before), ibis.null("float64")),
        overall_rate=share(_.people, _.first),
        immature=_.immature,
        **unit_sums(counted.people, counted.before, prefix="step_rate_"),
        **unit_sums(counted.people, counted.first, prefix="overall_rate_"),
    ).order_by("step_number")


def purchases_outside(
    events: ir.Table, *, steps: Sequence[str], window_days: float, period: Period, as_of: datetime
) -> ir.Table:
    """Count the purchases that no walk through the whole funnel explains.

    A purchase is a last-step event of the period, once per order. It is inside
    when its person went through every step before it, in order, at most
    `window_days` x 24 hours after step 1; a view that was not tracked puts it
    outside. Purchases of unknown people are outside. An order cancelled later
    was a purchase and counts as one.

    Parameters
    ----------
    events
        The shop's events (schema `EVENTS`), not cut to the period.
    steps
        2 to 10 different event names, in order; the last is the purchase.
    window_days
        Longest time from step 1 to the purchase, in days of 24 hours.
    period
        The days in which purchases count.
    as_of
        The instant at which the data ends, exclusive.

    Returns
    -------
    Table
        One row: `purchases`, `purchases_outside`, `outside_rate` (0 to 1, null
        without purchases).
    """
    require(events, EVENTS)
    steps = list(steps)
    _check_steps(steps)
    earlier = Period(period.start - timedelta(days=ceil(window_days)), period.end, period.zone)
    walks = _attempts(events, steps[:-1], earlier, as_of).select(
        walker="person_id", from_at=f"step_{len(steps) - 1}_at", to_at=_.step_1_at + _window(window_days)
    )
    bought = events.filter(_.event_name == steps[-1], period.holds(_.occurred_at), _.occurred_at < as_of).select(
        "person_id", "occurred_at", purchase=ibis.coalesce("o:" + _.order_id, "m:" + _.message_id)
    )
    explained = bought.left_join(
        walks,
        [
            bought.person_id == walks.walker,
            bought.occurred_at >= walks.from_at,
            bought.occurred_at <= walks.to_at,
        ],
    )
    purchases = explained.group_by("purchase").aggregate(is_inside=flag(explained.walker.notnull()).max())
    outside = purchases.count(where=purchases.is_inside == 0)
    return purchases.aggregate(
        purchases=purchases.count(), purchases_outside=outside, outside_rate=share(outside, purchases.count())
    )


def _attempts(events: ir.Table, steps: Sequence[str], period: Period, as_of: datetime) -> ir.Table:
    """One row per step-1 event of the period: `person_id`, and `step_k_at`, when each step was first reached.

    Worked from the last step back: an event of step j reaches step k at the
    earliest time at which any event of step j + 1 at or after it does.
    """
    numbers = {name: number for number, name in enumerate(steps, start=1)}
    told = events.filter(
        _.person_id.notnull(), _.event_name.isin(steps), _.occurred_at >= period.start_at, _.occurred_at < as_of
    ).select(
        "person_id",
        "occurred_at",
        "message_id",
        step_number=ibis.cases(*((_.event_name == name, number) for name, number in numbers.items())),
    )
    last = len(steps)
    for step in range(last - 1, 0, -1):
        told = told.mutate(**_reached_from(told, step, last))
    starts = told.filter(_.step_number == 1, period.holds(told.occurred_at))
    return starts.select(
        "person_id", step_1_at=_.occurred_at, **{f"step_{k}_at": _[f"step_{k}_at"] for k in range(2, last + 1)}
    )


def _reached_from(told: ir.Table, step: int, last: int) -> dict[str, ir.Value]:
    """When each later step is first reached by way of an event of the next step that follows in `told`."""
    following = ibis.rows_window(
        following=(1, None),
        group_by=told.person_id,
        order_by=[told.occurred_at, told.step_number, told.message_id],
    )
    is_next = told.step_number == step + 1

    def first(reached_at: ir.TimestampValue) -> ir.TimestampValue:
        return is_next.ifelse(reached_at, ibis.null(reached_at.type())).min().over(following)

    reached = {f"step_{k}_at": first(told[f"step_{k}_at"]) for k in range(step + 2, last + 1)}
    return {f"step_{step + 1}_at": first(told.occurred_at), **reached}


def _window(window_days: float) -> ir.IntervalScalar:
    if window_days <= 0:
        raise UsageError(f"The window is {window_days} days. Give the time from the first step to the last.")
    return ibis.interval(seconds=round(window_days * 86_400))


def _check_steps(steps: Sequence[str]) -> None:
    problems = [
        f"'{name}' is not an event of the tracking plan.{did_you_mean(name, KNOWN_EVENTS)}"
        for name in dict.fromkeys(steps)
        if name not in KNOWN_EVENTS
    ]
    twice = [name for name in dict.fromkeys(steps) if steps.count(name) > 1]
    problems += [f"'{name}' stands there {steps.count(name)} times." for name in twice]
    if not 2 <= len(steps) <= 10:
        problems.append(f"The number of steps is {len(steps)}.")
    if problems:
        raise UsageError(f"These steps are no funnel: {' '.join(problems)} Give 2 to 10 different event names.")
