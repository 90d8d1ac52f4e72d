"""What was sent back of each order line."""

from datetime import datetime

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.column_types import MONEY
from ecomkit.metrics.bookings import kept_orders
from ecomkit.metrics.products.grouping import product_key
from ecomkit.metrics.ratio import share
from ecomkit.periods import Period
from ecomkit.schemas import ORDER_LINES, ORDERS, REFUND_LINES, REFUNDS, require


def line_refunds(
    orders: ir.Table, order_lines: ir.Table, refunds: ir.Table, refund_lines: ir.Table, *, as_of: datetime
) -> ir.Table:
    """Say how much of each refund sends back which order line, to the cent.

    A refund that names products is spread over them by what they were sold for,
    one that names none over all lines of its order by their revenue. What a
    refund says of a product that its order does not hold belongs to no line.
    Refunds at or after `as_of`, of cancelled or of unknown orders have no rows.

    Parameters
    ----------
    orders, order_lines, refunds, refund_lines
        The shop's tables (schemas `ORDERS`, `ORDER_LINES`, `REFUNDS`,
        `REFUND_LINES`).
    as_of
        The instant at which the data ends, exclusive.

    Returns
    -------
    Table
        One row per refund and order line: `refund_id`, `order_id`,
        `line_number`, `refunded` (money in the shop's currency; over the lines
        of an order it adds up to the refund).
    """
    for table, schema in (
        (orders, ORDERS),
        (order_lines, ORDER_LINES),
        (refunds, REFUNDS),
        (refund_lines, REFUND_LINES),
    ):
        require(table, schema)
    bought = kept_orders(orders, as_of).select("order_id", order_revenue=_.revenue)
    back = refunds.filter(_.refunded_at < as_of).join(bought, "order_id")
    lines = order_lines.select("order_id", "line_number", "line_revenue", product=product_key(order_lines))
    names = _named_products(refund_lines)
    whole = back.anti_join(names, "refund_id").join(lines, "order_id")
    # Free goods that were sent back weigh alike.
    by_revenue = whole.mutate(
        part=ibis.ifelse(
            _.order_revenue > 0,
            share(whole.line_revenue, whole.order_revenue),
            1 / whole.count().over(ibis.window(group_by="refund_id")).cast("float64"),
        )
    )
    product = ibis.window(group_by=["order_id", "product"])
    of_product = lines.mutate(
        share_of_product=share(lines.line_revenue, lines.line_revenue.sum().over(product)).coalesce(
            1 / lines.count().over(product).cast("float64")
        )
    ).rename(named_product="product")
    by_name = (
        back.join(names, "refund_id")
        .join(of_product, ["order_id", "named_product"])
        .mutate(part=_.part_of_refund * _.share_of_product)
    )
    columns = ("refund_id", "order_id", "line_number", "amount", "part")
    parts = by_revenue.select(*columns).union(by_name.select(*columns), distinct=False)
    return _to_the_cent(parts)


def untied_refunds(
    orders: ir.Table,
    order_lines: ir.Table,
    refunds: ir.Table,
    refund_lines: ir.Table,
    *,
    period: Period,
    as_of: datetime,
) -> ir.Table:
    """Count the refunded money of a period's orders that belongs to none of their lines.

    The orders of the period, and what was sent back of them before `as_of`
    (the order view of net revenue). Tied and untied add up to the whole.

    Parameters
    ----------
    orders, order_lines, refunds, refund_lines
        The shop's tables (schemas `ORDERS`, `ORDER_LINES`, `REFUNDS`,
        `REFUND_LINES`).
    period
        The days in which the orders were placed.
    as_of
        The instant at which the data ends, exclusive.

    Returns
    -------
    Table
        One row: `refunded`, `tied`, `untied`. Money in the shop's currency.
    """
    tied = line_refunds(orders, order_lines, refunds, refund_lines, as_of=as_of)
    placed = kept_orders(orders, as_of).filter(period.holds(_.ordered_at)).select("order_id")
    whole = refunds.filter(_.refunded_at < as_of).semi_join(placed, "order_id").select(refunded=_.amount, tied=_zero)
    parts = tied.semi_join(placed, "order_id").select(refunded=_zero, tied=_.refunded)
    totals = whole.union(parts, distinct=False).aggregate(
        refunded=_.refunded.sum().coalesce(0), tied=_.tied.sum().coalesce(0)
    )
    return totals.mutate(untied=_.refunded - _.tied)


_zero = ibis.literal(0, MONEY)


def _named_products(refund_lines: ir.Table) -> ir.Table:
    """Return the products that refunds name, with the part of the refund that each is."""
    refund = ibis.window(group_by="refund_id")
    named = refund_lines.select("refund_id", named_product=_.product_id, sold_for=_.amount.coalesce(0))
    part = share(named.sold_for, named.sold_for.sum().over(refund))
    parts = named.mutate(part=part.coalesce(1 / named.count().over(refund).cast("float64")))
    return (
        parts.filter(_.named_product.notnull())
        .group_by("refund_id", "named_product")
        .aggregate(part_of_refund=_.part.sum())
    )


def _to_the_cent(parts: ir.Table) -> ir.Table:
    """Round the parts of each refund so that together they are what the rounded whole is."""
    up_to = ibis.window(group_by="refund_id", order_by="line_number", preceding=None, following=0)
    before = ibis.window(group_by="refund_id", order_by="line_number", preceding=(None, 1))

    def cents(part: ir.FloatingValue) -> ir.DecimalValue:
        return (parts.amount.cast("float64") * part).round(2).cast(MONEY)

    so_far, earlier = parts.part.sum().over(up_to), parts.part.sum().over(before).coalesce(0.0)
    return parts.select("refund_id", "order_id", "line_number", refunded=cents(so_far) - cents(earlier))
