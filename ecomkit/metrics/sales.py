"""What the shop earned, from how many orders and visits."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.engines import is_middle, local_day
from ecomkit.errors import UsageError
from ecomkit.metrics.bookings import bookings_of, cluster_of, customer_or_order, kept_orders
from ecomkit.metrics.grains import Grain, grouped, local_span
from ecomkit.metrics.ratio import flag, ratio_sums, share, total_sums
from ecomkit.schemas import ORDERS, REFUNDS, SESSIONS, require


def net_revenue(orders: ir.Table, refunds: ir.Table, *, as_of: datetime, view: Literal["cash", "order"]) -> ir.Table:
    """List what orders brought in and refunds took back, as known by `as_of`.

    Revenue is after discount, before shipping and tax. The `cash` view books a
    refund on its own day; the `order` view nets it against its order. A
    cancelled order is not an order, and its refund is no refund. Orders and
    refunds at or after `as_of` do not exist yet.

    Parameters
    ----------
    orders, refunds
        The shop's tables (schemas `ORDERS` and `REFUNDS`).
    as_of
        The instant at which the data ends, exclusive.
    view
        `cash` or `order`.

    Returns
    -------
    Table
        `cash`: one row per booking: `order_id` (null for a refund of an unknown
        order), `refund_id` (null for an order), `customer_id`, `booked_at`,
        `kind` (`order` or `refund`), `amount` (negative for a refund).
        `order`: one row per order: `order_id`, `customer_id`, `ordered_at`,
        `revenue`, `refunded`, `net_revenue`. Money in the shop's currency.
    """
    require(orders, ORDERS)
    require(refunds, REFUNDS)
    if view == "cash":
        return bookings_of(orders, refunds, as_of).select(
            "order_id", "refund_id", "customer_id", "booked_at", "kind", amount=_.net_revenue
        )
    if view == "order":
        refunded = refunds.filter(_.refunded_at < as_of).group_by("order_id").aggregate(refunded=_.amount.sum())
        bought = kept_orders(orders, as_of)
        return (
            bought.left_join(refunded, "order_id")
            .select("order_id", "customer_id", "ordered_at", "revenue", refunded=_.refunded.coalesce(0))
            .mutate(net_revenue=_.revenue - _.refunded)
        )
    raise UsageError(f"'{view}' is not a view of net revenue. Choose 'cash' or 'order'.")


def sales(orders: ir.Table, refunds: ir.Table, *, zone: str, as_of: datetime, grain: Grain = "week") -> ir.Table:
    """Sum up orders, revenue, refunds and net revenue per local week, day or month.

    Revenue is after discount, before refunds, shipping and tax; net revenue is
    revenue less the refunds booked in the same week (the cash view). A week
    with neither order nor refund has no row.

    Parameters
    ----------
    orders, refunds
        The shop's tables (schemas `ORDERS` and `REFUNDS`). Cancelled orders are
        left out; orders of unknown guests count, but not as customers.
    zone
        The shop's time zone.
    as_of
        The instant at which the data ends, exclusive.
    grain
        `day`, `week` (named by its Monday) or `month` (by its first day).

    Returns
    -------
    Table
        One row per `grain`, in order: `orders`, `customers`,
        `zero_value_orders`, `revenue`, `discount`, `refunds`, `net_revenue`,
        `aov` (revenue / orders, null without orders), then the sums per
        customer that intervals read: `aov_*` as in `cluster_sums`, and
        `<total>_clusters`, `<total>_squares` for `orders`, `revenue` and
        `net_revenue`. Money in the shop's currency.
    """
    require(orders, ORDERS)
    require(refunds, REFUNDS)
    local = local_span(grain)
    bookings = bookings_of(orders, refunds, as_of).mutate(local(_.booked_at, zone).name(grain))
    totals = bookings.group_by(grain, cluster_of(bookings)).aggregate(
        orders=_.orders.sum(),
        is_customer=_.orders.sum(where=_.customer_id.notnull()).coalesce(0) > 0,
        zero_value_orders=_.orders.sum(where=_.revenue == 0).coalesce(0),
        revenue=_.revenue.sum().coalesce(0),
        discount=_.discount.sum().coalesce(0),
        refunds=_.refunds.sum().coalesce(0),
        net_revenue=_.net_revenue.sum().coalesce(0),
    )
    rows = totals.group_by(grain).aggregate(
        orders=_.orders.sum(),
        customers=_.is_customer.sum(),
        zero_value_orders=_.zero_value_orders.sum(),
        revenue=_.revenue.sum(),
        discount=_.discount.sum(),
        refunds=_.refunds.sum(),
        net_revenue=_.net_revenue.sum(),
        aov=share(_.revenue.sum(), _.orders.sum()),
        **ratio_sums(totals, "revenue", "orders", prefix="aov_"),
        **total_sums(totals, "orders"),
        **total_sums(totals, "revenue"),
        **total_sums(totals, "net_revenue"),
    )
    return rows.order_by(grain)


def aov(
    orders: ir.Table, *, by: str | Sequence[str] | None = None, zone: str | None = None, grain: Grain | None = None
) -> ir.Table:
    """Average order value: revenue per order, with the median beside the mean.

    Revenue is after discount, before refunds, shipping and tax. Zero-value
    orders count.

    Parameters
    ----------
    orders
        The orders that count (schema `ORDERS`), of one period say. Cancelled
        ones are left out.
    by
        A column of `orders`, or several.
    zone, grain
        The shop's time zone, and `day`, `week` or `month`, for a row per span.

    Returns
    -------
    Table
        One row per `by` and `grain`, in order: `orders`, `customers`,
        `revenue`, `aov`, `aov_median` (both null without orders), and the sums
        of `cluster_sums` with the customer as cluster. Money in the shop's
        currency.
    """
    require(orders, ORDERS)
    bought, keys = grouped(orders.filter(_.status != "cancelled"), "ordered_at", by, zone, grain)
    bought = bought.mutate(cluster=customer_or_order(bought), is_middle=is_middle(bought, "revenue", by=keys))
    middles = bought.revenue.cast("float64")
    totals = bought.group_by(*keys, "cluster").aggregate(
        orders=_.count(),
        customers=_.customer_id.nunique(),
        revenue=_.revenue.sum().coalesce(0),
        middle_sum=middles.sum(where=bought.is_middle).coalesce(0.0),
        middles=bought.is_middle.sum().coalesce(0),
    )
    rows = totals.aggregate(
        by=keys,
        orders=totals.orders.sum().coalesce(0),
        customers=totals.customers.sum().coalesce(0),
        revenue=totals.revenue.sum().coalesce(0),
        aov=share(totals.revenue.sum(), totals.orders.sum()),
        aov_median=share(totals.middle_sum.sum(), totals.middles.sum()),
        **ratio_sums(totals, "revenue", "orders"),
    )
    return rows.order_by(keys) if keys else rows


def visit_to_order_rate(
    sessions: ir.Table, *, by: str | Sequence[str] | None = None, grain: Grain | None = None, zone: str | None = None
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

    Returns
    -------
    Table
        One row per `by` and `grain`, in order: `sessions`,
        `sessions_with_order`, `people`, `visit_to_order_rate` (0 to 1, null
        without sessions), and the sums of `cluster_sums` with the person as
        cluster.
    """
    require(sessions, SESSIONS)
    visits, keys = grouped(sessions, "started_at", by, zone, grain)
    visits = visits.mutate(
        cluster=ibis.coalesce("p:" + _.person_id, "a:" + _.anonymous_id, "s:" + _.session_id),
        has_order=flag(sessions.orders > 0),
    )
    totals = visits.group_by(*keys, "cluster").aggregate(
        sessions=_.count(), sessions_with_order=_.has_order.sum(), people=_.person_id.nunique()
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


def new_and_returning(
    orders: ir.Table,
    refunds: ir.Table,
    *,
    zone: str,
    as_of: datetime,
    look_back_days: int,
    grain: Grain = "week",
) -> ir.Table:
    """Split customers and what they spent into new ones and returning ones.

    New: the first order ever falls into the week. Returning: it fell before.
    Unknown: it falls into the week, but the shop's history before that week is
    shorter than `look_back_days`, so an older order may be missing. The three
    kinds of customers, with guests, add up to all orders and all money.

    Parameters
    ----------
    orders, refunds
        The shop's tables (schemas `ORDERS` and `REFUNDS`), with their whole
        history. Cancelled orders are left out.
    zone
        The shop's time zone.
    as_of
        The instant at which the data ends, exclusive.
    look_back_days
        How much history makes a first order the first ever.
    grain
        `day`, `week` (named by its Monday) or `month` (by its first day).

    Returns
    -------
    Table
        One row per `grain`, in order: `new_customers` (null where none is known
        to be new and some may be), `returning_customers`,
        `unknown_customers` (customers with an order in the span), then
        `new_revenue`, `returning_revenue`, `unknown_revenue`, `guest_revenue`,
        and the same four ending in `_net_revenue` (the cash view: a refund
        counts in the span of its own day). Money in the shop's currency.
    """
    require(orders, ORDERS)
    require(refunds, REFUNDS)
    local = local_span(grain)
    customer = ibis.window(group_by="customer_id")
    bookings = bookings_of(orders, refunds, as_of).mutate(local(_.booked_at, zone).name(grain))
    bookings = bookings.mutate(
        first_at=(_.order_number == 1).ifelse(_.booked_at, ibis.null(ORDERS["ordered_at"])).min().over(customer),
        history_from=(_.orders == 1).ifelse(_.booked_at, ibis.null(ORDERS["ordered_at"])).min().over(ibis.window()),
    )
    history_from = local_day(bookings.history_from, zone)
    is_first = local(bookings.first_at, zone) == bookings[grain]
    is_known = bookings[grain].delta(history_from, unit="day") >= look_back_days
    kinds = bookings.mutate(
        kind=ibis.cases(
            (_.customer_id.isnull(), "guest"),
            (is_first & is_known, "new"),
            (is_first, "unknown"),
            else_="returning",
        )
    )

    def customers(kind: str) -> ir.Value:
        return _.customer_id.nunique(where=(_.kind == kind) & (_.orders == 1))

    def total(column: str, kind: str) -> ir.Value:
        return _[column].sum(where=_.kind == kind).coalesce(0)

    with_guests = ("new", "returning", "unknown", "guest")
    rows = kinds.group_by(grain).aggregate(
        **{f"{kind}_customers": customers(kind) for kind in ("new", "returning", "unknown")},
        **{f"{kind}_revenue": total("revenue", kind) for kind in with_guests},
        **{f"{kind}_net_revenue": total("net_revenue", kind) for kind in with_guests},
    )
    # None known to be new, and some who may be: nobody can say that there were none.
    nobody_knows = (rows.new_customers == 0) & (rows.unknown_customers > 0)
    return rows.mutate(new_customers=nobody_knows.ifelse(ibis.null("int64"), rows.new_customers)).order_by(grain)
