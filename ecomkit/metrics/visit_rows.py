"""A row per visit, narrowed to what rates of visits are counted from."""

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.metrics.ratio import flag, ratio_sums, share


def whose(sessions: ir.Table) -> ir.StringValue:
    """Return what sessions depend on each other by: their person, else their device, else nothing but themselves."""
    return ibis.coalesce("p:" + sessions.person_id, "a:" + sessions.anonymous_id, "s:" + sessions.session_id)


def visit_rows(sessions: ir.Table, *more: str) -> ir.Table:
    """Narrow sessions to `session_id`, the columns `more`, `cluster` (the person, else the device) and `has_order`."""
    return sessions.select(
        "session_id",
        *more,
        cluster=whose(sessions),
        has_order=flag(sessions.orders > 0),
    )


def visit_rates(visits: ir.Table, by: tuple[str, ...] = (), *, prefix: str = "") -> ir.Table:
    """Count visits and those with an order, from rows of `visit_rows`.

    Returns
    -------
    Table
        One row per `by`: `sessions`, `sessions_with_order`, `people` (with the
        devices of those whom nobody knows), `visit_to_order_rate` (0 to 1, null
        without sessions), and its cluster sums under `prefix`.
    """
    totals = visits.group_by(*by, "cluster").aggregate(sessions=_.count(), sessions_with_order=_.has_order.sum())
    return totals.aggregate(
        by=list(by),
        sessions=totals.sessions.sum().coalesce(0),
        sessions_with_order=totals.sessions_with_order.sum().coalesce(0),
        people=totals.count(),
        visit_to_order_rate=share(totals.sessions_with_order.sum(), totals.sessions.sum()),
        **ratio_sums(totals, "sessions_with_order", "sessions", prefix=prefix),
    )
