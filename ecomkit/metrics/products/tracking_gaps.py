"""Products that sell without being viewed: where a product's views are not tracked."""

from datetime import datetime, timedelta

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.column_types import INSTANT
from ecomkit.metrics.products.grouping import VIEWED, By, events_of, named, product_catalogue, sold_lines
from ecomkit.metrics.ratio import flag, ratio_sums, share
from ecomkit.periods import Period
from ecomkit.schemas import ORDER_LINES, ORDERS, PRODUCT_EVENTS, require


def sold_without_view(
    product_events: ir.Table,
    orders: ir.Table,
    order_lines: ir.Table,
    *,
    by: By = "product_id",
    period: Period,
    within_days: int,
    as_of: datetime,
) -> ir.Table:
    """Share of a product's orders whose person had not viewed it in the days before.

    A view counts from `within_days` x 24 hours before the order up to it, both
    ends included. Orders that met no session, or of an unknown person, could
    show no view and are counted apart; lines that name no product are left out. A
    high share is a gap in the tracking, or a product that is bought without its
    page being opened.

    Parameters
    ----------
    product_events, orders, order_lines
        The shop's tables (schemas `PRODUCT_EVENTS`, `ORDERS`, `ORDER_LINES`).
    by
        `product_id`, `sku`, `category` or `brand`.
    period
        The days in which orders count; views before it count, too.
    within_days
        How long before the order a view may lie, in days of 24 hours.
    as_of
        The instant at which the data ends, exclusive.

    Returns
    -------
    Table
        One row per `by` that sold, most orders without view first: `by`'s
        column, `name`, `orders` (of known people in a session),
        `orders_without_view`, `units`, `units_without_view`,
        `orders_out_of_sight` (without session or person), `without_view_rate`
        (of `orders`; 0 to 1, null without orders), and the sums of
        `cluster_sums` with the person as cluster.
    """
    require(product_events, PRODUCT_EVENTS)
    require(orders, ORDERS)
    require(order_lines, ORDER_LINES)
    reach = Period(period.start - timedelta(days=within_days + 1), period.end, period.zone)
    catalogue = product_catalogue(orders, order_lines)
    views = events_of(product_events, catalogue, by=by, names=(VIEWED,), span=reach, as_of=as_of)
    sold = sold_lines(orders, order_lines, by=by, as_of=as_of, period=period)
    bought = (
        sold.filter(_.product.notnull())
        .group_by("product", "order_id")
        .aggregate(
            person_id=_.customer_id.max(),
            session_id=_.session_id.max(),
            at=_.ordered_at.cast(INSTANT).max(),
            units=_.quantity.sum().coalesce(0),
        )
    )
    never, no_text = ibis.null(INSTANT), ibis.null("string")
    steps = (
        views.filter(_.person_id.notnull())
        .select(
            "product",
            "person_id",
            order_id=no_text,
            session_id=no_text,
            at=_.occurred_at.cast(INSTANT),
            units=ibis.literal(0, "int64"),
            viewed_at=_.occurred_at.cast(INSTANT),
        )
        .union(
            bought.select("product", "person_id", "order_id", "session_id", "at", "units", viewed_at=never),
            distinct=False,
        )
    )
    # Of one instant, the view comes first.
    so_far = ibis.window(
        group_by=["product", "person_id"],
        order_by=[steps.at, flag(steps.order_id.notnull()), steps.order_id],
        preceding=None,
        following=0,
    )
    placed = steps.mutate(last_viewed_at=steps.viewed_at.max().over(so_far)).filter(_.order_id.notnull())
    in_sight = placed.person_id.notnull() & placed.session_id.notnull()
    has_view = placed.last_viewed_at >= placed.at - ibis.interval(hours=24 * within_days)
    judged = placed.mutate(in_sight=flag(in_sight), without_view=flag(in_sight) * (1 - flag(has_view)))
    totals = judged.group_by(
        "product", cluster=ibis.coalesce("c:" + judged.person_id, "o:" + judged.order_id)
    ).aggregate(
        orders=_.in_sight.sum(),
        orders_without_view=_.without_view.sum(),
        units=(_.units * _.in_sight).sum(),
        units_without_view=(_.units * _.without_view).sum(),
        orders_out_of_sight=(1 - _.in_sight).sum(),
    )
    counts = ("orders", "orders_without_view", "units", "units_without_view", "orders_out_of_sight")
    rows = totals.group_by("product").aggregate(
        **{name: totals[name].sum() for name in counts},
        without_view_rate=share(totals.orders_without_view.sum(), totals.orders.sum()),
        **ratio_sums(totals, "orders_without_view", "orders"),
    )
    rows = named(rows.rename(**{by: "product"}), orders, order_lines, by=by)
    return rows.relocate(by, "name").order_by(_.orders_without_view.desc(), _.orders.desc(), by)
