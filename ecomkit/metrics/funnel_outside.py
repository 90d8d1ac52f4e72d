"""Purchases that a funnel does not see."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import ceil

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.engines import join_key
from ecomkit.metrics.attempts import attempts
from ecomkit.metrics.funnel_rules import read_rules
from ecomkit.metrics.funnel_steps import StepLiteral
from ecomkit.metrics.ratio import flag, share
from ecomkit.periods import Period


def purchases_outside(
    events: ir.Table, *, steps: Sequence[StepLiteral], window_days: float, period: Period, as_of: datetime
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
        2 to 10 different steps, as `funnel` takes them, in order; the last is
        the purchase.
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
    rules = read_rules(events, steps=steps, window_days=window_days, period=period, as_of=as_of)
    last = rules.steps[-1]
    # A day more: local days of 23 hours are shorter than those of the window.
    earlier = Period(period.start - timedelta(days=ceil(window_days) + 1), period.end, period.zone)
    walks = attempts(events, replace(rules, steps=rules.steps[:-1], period=earlier))
    walks = walks.filter(walks.depth == rules.last - 1).select(
        walker="unit",
        from_at=f"step_{rules.last - 1}_at",
        to_at=_.started_at + ibis.interval(seconds=int(rules.window.total_seconds())),
    )
    bought = events.filter(last.fits(events), period.holds(events.occurred_at), events.occurred_at < as_of)
    bought = bought.select(
        "occurred_at", buyer=join_key(bought.person_id), purchase=ibis.coalesce("o:" + _.order_id, "m:" + _.message_id)
    )
    follows = bought.occurred_at > walks.from_at if rules.share_events else bought.occurred_at >= walks.from_at
    explained = bought.left_join(walks, [bought.buyer == walks.walker, follows, bought.occurred_at <= walks.to_at])
    purchases = explained.group_by("purchase").aggregate(is_inside=flag(explained.walker.notnull()).max())
    outside = purchases.count(where=purchases.is_inside == 0)
    return purchases.aggregate(
        purchases=purchases.count(), purchases_outside=outside, outside_rate=share(outside, purchases.count())
    )
