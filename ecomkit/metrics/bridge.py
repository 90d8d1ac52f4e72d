"""Why net revenue moved: the sums per period that a bridge between two periods is made of."""

from collections.abc import Sequence
from datetime import datetime

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.column_types import MONEY
from ecomkit.metrics.bookings import bookings_of, kept_orders
from ecomkit.metrics.bridge_rows import orders_in, person_or, start_date, visits_in, with_before
from ecomkit.metrics.grains import grouped
from ecomkit.metrics.ratio import product_sums, product_sums_before, total_sums
from ecomkit.periods import Period
from ecomkit.schemas import ORDERS, REFUNDS, SESSIONS, require

# Revenue in sessions = sessions x visit-to-order rate x orders per converting session x AOV, each the next of these
# over the one before.
IN_SESSIONS = ("sessions", "sessions_with_order", "orders_in_sessions", "revenue_in_sessions")
OUTSIDE_MONEY = ("revenue_outside_sessions", "refunds")
OUTSIDE = ("orders_outside_sessions", "revenue_outside_sessions", "refunds")
_MONEY = ("revenue_in_sessions", *OUTSIDE_MONEY)
_ZEROS = {name: ibis.literal(0, MONEY if name in _MONEY else "int64") for name in (*IN_SESSIONS, *OUTSIDE)}


def bridge_sums(
    orders: ir.Table, refunds: ir.Table, sessions: ir.Table, *, periods: Sequence[Period], as_of: datetime
) -> ir.Table:
    """Sum up per period what net revenue (cash view) is made of: sessions, orders in them, orders outside, refunds.

    A session belongs to the period in which it started, an order to the one in
    which it was placed. An order is in a session when its session started in
    the order's own period; all others, also those whose session began in the
    period before, are outside. So revenue in sessions + revenue outside -
    refunds is the net revenue of `sales`, to the cent. An order cancelled
    before `as_of` is none, and its refund is none.

    Parameters
    ----------
    orders, refunds, sessions
        The shop's tables (schemas `ORDERS`, `REFUNDS` and `SESSIONS`).
    periods
        The periods to sum up, in any order; they may not overlap.
    as_of
        The instant at which the data ends, exclusive.

    Returns
    -------
    Table
        One row per period in which something happened, in order: `start_date`
        (its first local day), `start_date_before` (that of the period before it,
        of those asked for), `net_revenue`, `sessions`, `sessions_with_order`
        (with an order of the period), `orders_in_sessions`,
        `revenue_in_sessions`, `orders_outside_sessions`,
        `revenue_outside_sessions`, `refunds`; then for the verdicts
        `<total>_clusters`, the people who add to it, and the sums over people
        of `<total>_squares`, of `<total>_<total>_products`, and of
        `<total>_<total>_before_products` with the same person's total in the
        period before. Money in the shop's currency.
    """
    require(orders, ORDERS)
    require(refunds, REFUNDS)
    require(sessions, SESSIONS)
    visits = visits_in(sessions, periods, as_of)
    bought = orders_in(orders, visits, periods, as_of)
    back = bookings_of(orders, refunds, as_of).filter(_.kind == "refund")
    back = back.mutate(start_date=start_date(back.booked_at, periods)).filter(_.start_date.notnull())
    outside = bought.filter(~bought.is_in_session)
    added = ibis.union(
        _added(visits, sessions=ibis.literal(1, "int64")),
        _added_by_orders(bought),
        _added(
            outside.mutate(cluster=person_or(outside.customer_id, "o:" + outside.order_id)),
            orders_outside_sessions=ibis.literal(1, "int64"),
            revenue_outside_sessions=outside.revenue.coalesce(0),
        ),
        _added(
            back.mutate(cluster=person_or(back.customer_id, "o:" + back.order_id, "r:" + back.refund_id)),
            refunds=back.refunds.coalesce(0),
        ),
    )
    totals = added.group_by("start_date", "cluster").aggregate(**{name: _[name].sum() for name in _ZEROS})
    totals = with_before(totals, (*IN_SESSIONS, *OUTSIDE_MONEY), periods)
    rows = totals.group_by("start_date").aggregate(
        start_date_before=_.start_date_before.max(),
        net_revenue=_.revenue_in_sessions.sum() + _.revenue_outside_sessions.sum() - _.refunds.sum(),
        **{name: _[name].sum() for name in (*IN_SESSIONS, *OUTSIDE)},
        **{f"{name}_clusters": _.count(where=_[name] != 0) for name in ("sessions", "orders_in_sessions")},
        **product_sums(totals, IN_SESSIONS),
        **{name: value for total in OUTSIDE for name, value in total_sums(totals, total).items()},
        **product_sums_before(totals, IN_SESSIONS),
        **{name: value for total in OUTSIDE_MONEY for name, value in product_sums_before(totals, [total]).items()},
    )
    return rows.order_by("start_date")


def bridge_sums_by(
    orders: ir.Table, sessions: ir.Table, *, by: str, periods: Sequence[Period], as_of: datetime
) -> ir.Table:
    """Sum up sessions and the orders in them per period and per segment of the sessions.

    An order goes with its session, whatever its own device or country says. The
    rows of a period add up to its row in `bridge_sums`; orders outside sessions
    and refunds are in none.

    Parameters
    ----------
    orders, sessions
        The shop's tables (schemas `ORDERS` and `SESSIONS`).
    by
        A column of `sessions`: `channel`, `device_type`, or the `customer_kind` of
        `with_customer_kind`. Null is a segment of its own.
    periods
        The periods to sum up, in any order; they may not overlap.
    as_of
        The instant at which the data ends, exclusive.

    Returns
    -------
    Table
        One row per period and segment with sessions, in order: `start_date`, `by`,
        `start_date_before`, `sessions`, `sessions_with_order`, `orders_in_sessions`,
        `revenue_in_sessions`, and as in `bridge_sums` `<total>_clusters` and the
        sums over people of `<total>_squares`, `<total>_<total>_products` and
        `<total>_<total>_before_products`.
    """
    require(orders, ORDERS)
    require(sessions, SESSIONS)
    _table, [key] = grouped(sessions, "started_at", by, None, None)
    visits = visits_in(sessions, periods, as_of)
    bought = orders_in(orders, visits.rename(segment=key), periods, as_of)
    added = ibis.union(
        _added(visits.rename(segment=key), "segment", sessions=ibis.literal(1, "int64")),
        _added_by_orders(bought, "segment"),
    )
    totals = added.group_by("start_date", "segment", "cluster").aggregate(**{name: _[name].sum() for name in _ZEROS})
    totals = with_before(totals, IN_SESSIONS, periods, "segment")
    rows = totals.group_by("start_date", "segment").aggregate(
        start_date_before=_.start_date_before.max(),
        **{name: _[name].sum() for name in IN_SESSIONS},
        **{f"{name}_clusters": _.count(where=_[name] != 0) for name in ("sessions", "orders_in_sessions")},
        **product_sums(totals, IN_SESSIONS),
        **product_sums_before(totals, IN_SESSIONS),
    )
    return rows.rename({key: "segment"}).order_by("start_date", key)


def with_customer_kind(sessions: ir.Table, orders: ir.Table, *, as_of: datetime) -> ir.Table:
    """Add to each session whether its person had ordered before it started.

    `returning`: an order placed before the session's first instant, and not
    cancelled by `as_of`; `new`: none; null: nobody knows whose session it is. A
    customer on a device where he never logged in looks new, and so does one
    whose orders lie before the shop's data.

    Parameters
    ----------
    sessions, orders
        The shop's tables (schemas `SESSIONS` and `ORDERS`), the orders with their
        whole history.
    as_of
        The instant at which the data ends, exclusive.

    Returns
    -------
    Table
        The rows of `sessions` with `customer_kind`.
    """
    require(sessions, SESSIONS)
    require(orders, ORDERS)
    bought = kept_orders(orders, as_of).filter(_.customer_id.notnull())
    firsts = bought.group_by(buyer=_.customer_id).aggregate(first_order_at=_.ordered_at.min())
    joined = sessions.left_join(firsts, sessions.person_id == firsts.buyer)
    kind = ibis.cases(
        (_.person_id.isnull(), ibis.null("string")),
        ((_.first_order_at < _.started_at).fill_null(False), "returning"),
        else_="new",
    )
    return joined.mutate(customer_kind=kind).drop("buyer", "first_order_at")


def _added_by_orders(bought: ir.Table, *keys: str) -> ir.Table:
    """Return what each converting session adds."""
    per_visit = bought.filter(_.is_in_session).group_by("start_date", "cluster", "visit_id", *keys)
    summed = per_visit.aggregate(orders=_.count(), revenue=_.revenue.sum())
    return _added(
        summed,
        *keys,
        sessions_with_order=ibis.literal(1, "int64"),
        orders_in_sessions=summed.orders,
        revenue_in_sessions=summed.revenue.coalesce(0),
    )


def _added(table: ir.Table, *keys: str, **amounts: ir.Value) -> ir.Table:
    """Return rows of one shape, whatever adds to a total: 0 for what these rows add nothing to."""
    typed = {name: amount.cast(_ZEROS[name].type()) for name, amount in amounts.items()}
    return table.select("start_date", *keys, "cluster", **(_ZEROS | typed))
