"""The way of each product from a view to an order, and back."""

from datetime import datetime

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.column_types import INSTANT, MONEY
from ecomkit.metrics.bookings import customer_or_order
from ecomkit.metrics.products.grouping import (
    ADDED,
    VIEWED,
    By,
    check_by,
    events_of,
    named,
    product_catalogue,
    sold_lines,
)
from ecomkit.metrics.products.line_refunds import line_refunds
from ecomkit.metrics.ratio import flag, ratio_sums, share, total_sums
from ecomkit.periods import Period
from ecomkit.schemas import ORDER_LINES, ORDERS, PRODUCT_EVENTS, require

_COUNTS = ("views", "adds", "orders", "units")
_MONEY = ("revenue", "refunded")


def product_path(
    product_events: ir.Table,
    orders: ir.Table,
    order_lines: ir.Table,
    refunds: ir.Table,
    refund_lines: ir.Table,
    *,
    by: By | None = "product_id",
    period: Period,
    as_of: datetime,
) -> ir.Table:
    """Follow each product from Product Viewed over Product Added to its orders and refunds, within a period.

    People are those who viewed it in the period; they added or ordered it when
    that came at or after their first view of it, still in the period, so whoever
    viewed late had less time. Orders without a view count as orders, not as
    people. Revenue is that of the lines, after discount; refunds are what of
    these orders was sent back before `as_of`. Cancelled orders are no orders.

    Parameters
    ----------
    product_events, orders, order_lines, refunds, refund_lines
        The shop's tables (schemas `PRODUCT_EVENTS`, `ORDERS`, `ORDER_LINES`,
        `REFUNDS`, `REFUND_LINES`) with their whole history.
    by
        `product_id`, `sku`, `category` or `brand`; None for one row over all,
        in which each person counts once per product.
    period
        The days in which views, adds and orders count.
    as_of
        The instant at which the data ends, exclusive.

    Returns
    -------
    Table
        One row per `by` (null for what nobody could name), most revenue first:
        `by`'s column, `name`, `views`, `adds`, `orders` (with the product),
        `units`, `revenue`, `refunded`, `refund_rate` (refunded / revenue),
        `people_viewed`, `people_added`, `people_ordered`, `view_to_add_rate`,
        `view_to_order_rate` (both / `people_viewed`). Rates are null without a
        denominator. Then the sums of `cluster_sums` with the person as cluster,
        prefixed with each rate's name, and those of `total_sums` for `units` and
        `revenue`. Money in the shop's currency.
    """
    require(product_events, PRODUCT_EVENTS)
    require(orders, ORDERS)
    require(order_lines, ORDER_LINES)
    group = by or "product_id"
    check_by(group)
    catalogue = product_catalogue(orders, order_lines)
    seen = events_of(product_events, catalogue, by=group, names=(VIEWED, ADDED), span=period, as_of=as_of)
    sold = sold_lines(orders, order_lines, by=group, as_of=as_of, period=period)
    back = line_refunds(orders, order_lines, refunds, refund_lines, as_of=as_of)
    within = ["order_id", "product"] if by else ["order_id"]
    steps = _views_and_adds(seen).union(_orders(sold, back, within), distinct=False)
    walks = steps.group_by("product", "cluster").aggregate(
        **{name: _[name].sum().coalesce(0) for name in (*_COUNTS, *_MONEY)},
        first_viewed_at=_.first_viewed_at.min(),
        last_added_at=_.last_added_at.max(),
        last_ordered_at=_.last_ordered_at.max(),
    )
    is_known = walks.product.notnull() & walks.cluster.notnull()
    walks = walks.mutate(
        people_viewed=flag(is_known & walks.first_viewed_at.notnull()),
        people_added=flag(is_known & (walks.last_added_at >= walks.first_viewed_at)),
        people_ordered=flag(is_known & (walks.last_ordered_at >= walks.first_viewed_at)),
    )
    keys = ["product"] if by else []
    sums = (*_COUNTS, *_MONEY, "people_viewed", "people_added", "people_ordered")
    totals = walks.group_by(*keys, "cluster").aggregate(**{name: _[name].sum() for name in sums})
    rows = totals.aggregate(
        by=keys,
        **{name: totals[name].sum().coalesce(0) for name in sums[:6]},
        refund_rate=share(totals.refunded.sum(), totals.revenue.sum()),
        **{name: totals[name].sum().coalesce(0) for name in sums[6:]},
        view_to_add_rate=share(totals.people_added.sum(), totals.people_viewed.sum()),
        view_to_order_rate=share(totals.people_ordered.sum(), totals.people_viewed.sum()),
        **ratio_sums(totals, "refunded", "revenue", prefix="refund_rate_"),
        **ratio_sums(totals, "people_added", "people_viewed", prefix="view_to_add_rate_"),
        **ratio_sums(totals, "people_ordered", "people_viewed", prefix="view_to_order_rate_"),
        **total_sums(totals, "units"),
        **total_sums(totals, "revenue"),
    )
    if by is None:
        return rows
    rows = named(rows.rename(**{by: "product"}), orders, order_lines, by=by)
    return rows.relocate(by, "name").order_by(_.revenue.desc(), _.views.desc(), by)


def _views_and_adds(seen: ir.Table) -> ir.Table:
    """Count the views and adds of each product and person; those of nobody known have no cluster."""
    is_view, at = seen.event_name == VIEWED, seen.occurred_at.cast(INSTANT)
    nothing, zero, never = ibis.literal(0, "int64"), ibis.literal(0, MONEY), ibis.null(INSTANT)
    return seen.group_by("product", cluster="c:" + seen.person_id).aggregate(
        views=flag(is_view).sum(),
        adds=flag(~is_view).sum(),
        orders=nothing,
        units=nothing,
        revenue=zero,
        refunded=zero,
        first_viewed_at=is_view.ifelse(at, never).min(),
        last_added_at=is_view.ifelse(never, at).max(),
        last_ordered_at=never,
    )


def _orders(sold: ir.Table, back: ir.Table, within: list[str]) -> ir.Table:
    """Count the orders of each product and customer; an order with several lines of it counts once."""
    refunded = back.group_by("order_id", "line_number").aggregate(refunded=_.refunded.sum())
    lines = sold.left_join(refunded, ["order_id", "line_number"]).select(
        *sold.columns, refunded=_.refunded.coalesce(ibis.literal(0, MONEY))
    )
    order = ibis.window(group_by=within, order_by="line_number")
    lines = lines.mutate(cluster=customer_or_order(lines), is_first=ibis.row_number().over(order) == 0)
    nothing, never = ibis.literal(0, "int64"), ibis.null(INSTANT)
    return lines.group_by("product", "cluster").aggregate(
        views=nothing,
        adds=nothing,
        orders=flag(lines.is_first).sum(),
        units=_.quantity.sum().coalesce(0),
        revenue=_.line_revenue.sum().coalesce(0).cast(MONEY),
        refunded=_.refunded.sum().cast(MONEY),
        first_viewed_at=never,
        last_added_at=never,
        last_ordered_at=lines.ordered_at.cast(INSTANT).max(),
    )
