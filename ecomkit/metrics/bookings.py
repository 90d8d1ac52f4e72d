"""Orders and refunds as bookings: what the money metrics add up."""

from datetime import datetime

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.schemas import ORDERS


def kept_orders(orders: ir.Table, as_of: datetime) -> ir.Table:
    """Return the orders that count: placed before `as_of`, and not cancelled by then.

    An order cancelled at `as_of` or later still counts, one cancelled nobody knows when does not.
    """
    return orders.filter(_.ordered_at < as_of, ~is_cancelled(orders, as_of))


def is_cancelled(orders: ir.Table, as_of: datetime) -> ir.BooleanValue:
    """Say whether an order was cancelled before `as_of`."""
    return (orders.status == "cancelled").fill_null(False) & (orders.cancelled_at < as_of).fill_null(True)


def bookings_of(orders: ir.Table, refunds: ir.Table, as_of: datetime) -> ir.Table:
    """List orders and refunds, each on its own day, with what it adds to each total."""
    nothing, no_text = (ibis.null(kind) for kind in (ORDERS["revenue"], "string"))
    zero = ibis.literal(0, ORDERS["revenue"])
    sold = kept_orders(orders, as_of).select(
        "order_id",
        "customer_id",
        refund_id=no_text,
        booked_at=_.ordered_at,
        kind=ibis.literal("order"),
        orders=ibis.literal(1, "int64"),
        gross=_.gross,
        revenue=_.revenue,
        discount=_.discount,
        refunds=zero,
        net_revenue=_.revenue,
    )
    owners = orders.filter(_.ordered_at < as_of).select(
        "order_id", "customer_id", cancelled=is_cancelled(orders, as_of)
    )
    returned = refunds.filter(_.refunded_at < as_of).left_join(owners, "order_id")
    back = returned.filter(~_.cancelled.fill_null(False)).select(
        "order_id",
        "customer_id",
        refund_id=_.refund_id,
        booked_at=_.refunded_at,
        kind=ibis.literal("refund"),
        orders=ibis.literal(0, "int64"),
        gross=nothing,
        revenue=nothing,
        discount=nothing,
        refunds=_.amount,
        net_revenue=-_.amount,
    )
    return sold.union(back, distinct=False)


def customer_or_order(table: ir.Table) -> ir.StringValue:
    """Return whom an order belongs to: its customer, or for a guest the order alone."""
    return ibis.coalesce("c:" + table.customer_id, "o:" + table.order_id)


def cluster_of(bookings: ir.Table) -> ir.StringValue:
    """Return which bookings depend on each other: those of a customer, else of an order, else the refund alone."""
    return ibis.coalesce(customer_or_order(bookings), "r:" + bookings.refund_id).name("cluster")
