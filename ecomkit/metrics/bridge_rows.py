"""Which sessions and orders a bridge between periods stands on, and whose they are."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.errors import UsageError
from ecomkit.metrics.bookings import kept_orders
from ecomkit.metrics.visit_rows import whose
from ecomkit.periods import Period


def start_date(instant: ir.TimestampValue, periods: Sequence[Period]) -> ir.DateValue:
    """Return the first day of the period in which an instant falls, null in none.

    Raises
    ------
    UsageError
        If two of the periods overlap, or there is none.
    """
    ordered = _in_order(periods)
    twice = [f"{one.label} and {two.label}" for one, two in pairwise(ordered) if two.start < one.end]
    if twice or not ordered:
        found = f"These overlap: {'; '.join(twice)}." if twice else "There is none."
        raise UsageError(f"A bridge stands on periods that share no day. {found} Give each day once.")
    return ibis.cases(*((period.holds(instant), ibis.literal(period.start)) for period in ordered))


def with_before(totals: ir.Table, names: Sequence[str], periods: Sequence[Period], *keys: str) -> ir.Table:
    """Add to the totals of each person and period those of the same person in the period before, of those asked for.

    Named `<total>_before`, 0 where he had none; `start_date_before` is that period's first day, null for the first.
    """
    ordered = _in_order(periods)
    following = [(totals.start_date == now.start, ibis.literal(before.start)) for before, now in pairwise(ordered)]
    start_before = ibis.cases(*following) if following else ibis.null("date")
    one_before = ibis.window(group_by=[*keys, "cluster"], order_by="start_date")
    is_there = (totals.start_date.lag().over(one_before) == start_before).fill_null(False)
    return totals.mutate(
        start_date_before=start_before,
        **{f"{name}_before": is_there.ifelse(totals[name].lag().over(one_before), 0) for name in names},
    )


def _in_order(periods: Sequence[Period]) -> list[Period]:
    return sorted(periods, key=lambda period: period.start)


def visits_in(sessions: ir.Table, periods: Sequence[Period], as_of: datetime) -> ir.Table:
    """Return the sessions that started in one of the periods, with its `start_date` and the person as `cluster`."""
    started = sessions.filter(_.started_at < as_of)
    started = started.mutate(
        start_date=start_date(started.started_at, periods),
        cluster=whose(started),
    )
    return started.filter(_.start_date.notnull())


def orders_in(orders: ir.Table, visits: ir.Table, periods: Sequence[Period], as_of: datetime) -> ir.Table:
    """Return the kept orders of the periods, with `start_date` and `is_in_session`.

    An order is in a session when its session is among `visits` and started in the order's own period. Then
    `visit_id`, `cluster` and, where `visits` has it, `segment` are the session's own.
    """
    kept = kept_orders(orders, as_of)
    kept = kept.select(
        "order_id", "customer_id", "session_id", "revenue", placed_in=start_date(kept.ordered_at, periods)
    )
    of_visit = ["session_id", "start_date", "cluster", *(["segment"] if "segment" in visits.columns else [])]
    seen = visits.select(*of_visit).rename(visit_id="session_id", started_in="start_date")
    kept = kept.filter(_.placed_in.notnull())
    joined = kept.left_join(seen, [kept.session_id == seen.visit_id, kept.placed_in == seen.started_in])
    return joined.mutate(start_date=_.placed_in, is_in_session=_.visit_id.notnull())


def person_or(person: ir.StringValue, *others: ir.StringValue) -> ir.StringValue:
    """Return whose rows vary together: a person's, else those of the first of the others that is known."""
    return ibis.coalesce("p:" + person, *others)
