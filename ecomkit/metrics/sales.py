"""What the shop earned, from how many orders."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.engines import is_middle
from ecomkit.errors import UsageError
from ecomkit.metrics.bookings import bookings_of, cluster_of, customer_or_order, kept_orders
from ecomkit.metrics.grains import Grain, grouped, local_span, of_weekdays
from ecomkit.metrics.ratio import flag, ratio_sums, share, total_sums
from ecomkit.schemas import ORDERS, REFUNDS, require


def net_revenue(orders: ir.Table, refunds: ir.Table, *, as_of: datetime, view: Literal["cash", "order"]) -> ir.Table:
    """List what orders brought in and refunds took back, as known by `as_of`.

    Revenue is after discount, before shipping and tax. The `cash` view books a
    refund on its own day; the `order` view nets it against its order. An
    order cancelled before `as_of` is not an order, and its refund is no refund.
    Orders, refunds and cancellations at or after `as_of` do not exist yet.

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


def sales(
    orders: ir.Table, refunds: ir.Table, *, zone: str, as_of: datetime, grain: Grain = "week", weekdays: int = 7
) -> ir.Table:
    """Sum up orders, revenue, refunds and net revenue per local week, day or month.

    Revenue is after discount, before refunds, shipping and tax; net revenue is
    revenue less the refunds booked in the same week (the cash view). The share
    of refunds sets those booked in the week against the week's revenue, though
    most are of older orders. A week with neither order nor refund has no row.

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
    weekdays
        How many local days of each week count, Monday first: fewer than 7 set
        the part that has passed of a week against the same part of others.

    Returns
    -------
    Table
        One row per `grain`, in order: `orders`, `customers`,
        `zero_value_orders`, `gross`, `discount`, `revenue`, `refunds`,
        `net_revenue`, `aov` (revenue / orders, null without orders),
        `discount_share` (discount / gross), `refund_share` (refunds / revenue;
        both null without money below), then the sums per customer that
        intervals read: `aov_*`, `discount_share_*` and `refund_share_*` as in
        `cluster_sums`, and `<total>_clusters`, `<total>_squares` for `orders`,
        `customers`, `revenue` and `net_revenue`. Money in the shop's currency.
    """
    require(orders, ORDERS)
    require(refunds, REFUNDS)
    local = local_span(grain)
    bookings = of_weekdays(bookings_of(orders, refunds, as_of), "booked_at", zone, weekdays)
    bookings = bookings.mutate(local(_.booked_at, zone).name(grain))
    totals = bookings.group_by(grain, cluster_of(bookings)).aggregate(
        orders=_.orders.sum(),
        customers=flag(_.orders.sum(where=_.customer_id.notnull()).coalesce(0) > 0),
        zero_value_orders=_.orders.sum(where=_.revenue == 0).coalesce(0),
        gross=_.gross.sum().coalesce(0),
        discount=_.discount.sum().coalesce(0),
        revenue=_.revenue.sum().coalesce(0),
        refunds=_.refunds.sum().coalesce(0),
        net_revenue=_.net_revenue.sum().coalesce(0),
    )
    rows = totals.group_by(grain).aggregate(
        orders=_.orders.sum(),
        customers=_.customers.sum(),
        zero_value_orders=_.zero_value_orders.sum(),
        gross=_.gross.sum(),
        discount=_.discount.sum(),
        revenue=_.revenue.sum(),
        refunds=_.refunds.sum(),
        net_revenue=_.net_revenue.sum(),
        aov=share(_.revenue.sum(), _.orders.sum()),
        discount_share=share(_.discount.sum(), _.gross.sum()),
        refund_share=share(_.refunds.sum(), _.revenue.sum()),
        **ratio_sums(totals, "revenue", "orders", prefix="aov_"),
        **ratio_sums(totals, "discount", "gross", prefix="discount_share_"),
        **ratio_sums(totals, "refunds", "revenue", prefix="refund_share_"),
        **total_sums(totals, "orders"),
        **total_sums(totals, "customers"),
        **total_sums(totals, "revenue"),
        **total_sums(totals, "net_revenue"),
    )
    return rows.order_by(grain)


def aov(
    orders: ir.Table, *, by: str | Sequence[str] | None = None, zone: str | None = None, grain: Grain | None = None
) -> ir.Table:
    """Average order value: revenue per order, with the median beside the mean.

    Revenue is after discount, before refunds, shipping and tax. Zero-value
    orders count. The winsorised mean takes the largest order of every full
    hundred for as much as the next one below those, so that a bulk order does
    not carry it.

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
        `revenue`, `aov`, `aov_median`, `aov_winsorised` (all three null without
        orders), and the sums of `cluster_sums` with the customer as cluster.
        Money in the shop's currency.
    """
    require(orders, ORDERS)
    bought, keys = grouped(orders.filter(_.status != "cancelled"), "ordered_at", by, zone, grain)
    group = ibis.window(group_by=keys)
    places = ibis.row_number().over(ibis.window(group_by=keys, order_by=bought.revenue.desc())) + 1
    bought = bought.mutate(
        cluster=customer_or_order(bought),
        # A cluster is one customer or none, so this needs no count of different ones.
        is_customer=flag(bought.customer_id.notnull()),
        is_middle=is_middle(bought, "revenue", by=keys),
        below_top=ibis.ifelse(places * 100 > bought.count().over(group), _.revenue, ibis.null(ORDERS["revenue"])),
    )
    bought = bought.mutate(winsorised=ibis.least(_.revenue, _.below_top.max().over(group)))
    middles = bought.revenue.cast("float64")
    totals = bought.group_by(*keys, "cluster").aggregate(
        orders=_.count(),
        customers=_.is_customer.max(),
        revenue=_.revenue.sum().coalesce(0),
        winsorised=_.winsorised.sum().coalesce(0),
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
        aov_winsorised=share(totals.winsorised.sum(), totals.orders.sum()),
        **ratio_sums(totals, "revenue", "orders"),
    )
    return rows.order_by(keys) if keys else rows
