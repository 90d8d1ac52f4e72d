"""How many visits end in an order."""

from collections.abc import Sequence

import ibis.expr.types as ir
from ibis import _

from ecomkit.metrics.grains import Grain, grouped
from ecomkit.metrics.ratio import flag, ratio_sums, share
from ecomkit.metrics.visit_rows import whose
from ecomkit.schemas import SESSIONS, require


def visit_to_order_rate(
    sessions: ir.Table,
    *,
    by: str | Sequence[str] | None = None,
    grain: Grain | None = None,
    zone: str | None = None,
    weekdays: int = 7,
) -> ir.Table:
    """Share of sessions that ended in at least one order.

    A session with two orders counts once; an order without a session counts
    nowhere here. Neither orders / sessions nor buyers / visitors is this rate.

    Parameters
    ----------
    sessions
        The sessions that count (schema `SESSIONS`), of one period say.
    by
        A column of `sessions`, or several.
    grain, zone
        `day`, `week` or `month` of the session's start, and the shop's time
        zone, for a row per span.
    weekdays
        How many local days of each week count, Monday first; read with `grain`.

    Returns
    -------
    Table
        One row per `by` and `grain`, in order: `sessions`,
        `sessions_with_order`, `people`, `visit_to_order_rate` (0 to 1, null
        without sessions), and the sums of `cluster_sums` with the person as
        cluster.
    """
    require(sessions, SESSIONS)
    visits, keys = grouped(sessions, "started_at", by, zone, grain, weekdays)
    visits = visits.mutate(
        cluster=whose(visits),
        has_order=flag(visits.orders > 0),
        # A cluster is one person or none, so this needs no count of different ones, which takes several times as long.
        is_person=flag(visits.person_id.notnull()),
    )
    totals = visits.group_by(*keys, "cluster").aggregate(
        sessions=_.count(), sessions_with_order=_.has_order.sum(), people=_.is_person.max()
    )
    rows = totals.aggregate(
        by=keys,
        sessions=totals.sessions.sum().coalesce(0),
        sessions_with_order=totals.sessions_with_order.sum().coalesce(0),
        people=totals.people.sum().coalesce(0),
        visit_to_order_rate=share(totals.sessions_with_order.sum(), totals.sessions.sum()),
        **ratio_sums(totals, "sessions_with_order", "sessions"),
    )
    return rows.order_by(keys) if keys else rows
