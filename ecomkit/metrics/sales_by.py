"""What the shop earned, by what an order is or by what it holds."""

from datetime import datetime
from typing import Literal

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.column_types import MONEY
from ecomkit.errors import UsageError, did_you_mean, quoted
from ecomkit.metrics.bookings import customer_or_order, is_cancelled, kept_orders
from ecomkit.metrics.ratio import ratio_sums, share, total_sums
from ecomkit.periods import Period
from ecomkit.schemas import ORDER_LINES, ORDERS, REFUNDS, SESSIONS, require

OfOrder = Literal["channel", "device_type", "country", "coupon"]
OfLine = Literal["product_id", "sku", "category", "brand"]
OF_ORDERS = ("channel", "device_type", "country", "coupon")
OF_LINES = ("product_id", "sku", "category", "brand")


def sales_by(
    orders: ir.Table,
    order_lines: ir.Table,
    refunds: ir.Table,
    sessions: ir.Table,
    *,
    by: OfOrder | OfLine,
    period: Period,
    as_of: datetime,
) -> ir.Table:
    """Split a period's orders and money by channel, device, country or coupon, or by what the lines hold.

    Revenue adds up to the whole either way. By a column of the order, orders
    and net revenue do, too: a refund booked in the period goes to the group of
    its order, whenever that was. By a column of its lines, an order counts in
    each group that it holds a line of, so orders overlap, AOV is that of the
    whole orders, and what a refund was for is not known here.

    Parameters
    ----------
    orders, order_lines, refunds, sessions
        The shop's tables (schemas `ORDERS`, `ORDER_LINES`, `REFUNDS`,
        `SESSIONS`). Cancelled orders are left out.
    by
        `channel` or `device_type` of the order's session (without one, its own
        device), `country` or `coupon` of the order; `product_id`, `sku`, `category` or `brand` of its lines.
    period
        The days whose orders and refunds count.
    as_of
        The instant at which the data ends, exclusive.

    Returns
    -------
    Table
        One row per `by`, the most revenue first; null where nothing is known
        of it, an order without a session or a refund without an order say:
        `orders`, `customers`, `units`, `revenue`, `revenue_share` (0 to 1),
        `refunds` and `net_revenue` (both null by a column of the lines), `aov`
        (null without orders), then `aov_*` as in `cluster_sums` with the
        customer as cluster, and `orders_clusters`, `orders_squares`,
        `revenue_clusters`, `revenue_squares`. Money in the shop's currency.
    """
    for table, schema in ((orders, ORDERS), (order_lines, ORDER_LINES), (refunds, REFUNDS), (sessions, SESSIONS)):
        require(table, schema)
    if by not in OF_ORDERS + OF_LINES:
        near = did_you_mean(by, OF_ORDERS + OF_LINES)
        raise UsageError(f"Sales are not split by '{by}'.{near} Choose one of {quoted(OF_ORDERS + OF_LINES)}.")
    kept = kept_orders(orders, as_of).filter(period.holds(_.ordered_at))
    if by in OF_LINES:
        parts = _of_lines(kept, order_lines, by)
    else:
        parts = _of_orders(_with_visit(kept, sessions), order_lines, by)
        parts = parts.union(_refunded(_with_visit(orders, sessions), refunds, by, period, as_of), distinct=False)
    totals = parts.group_by(by, "cluster").aggregate(
        {name: _[name].sum() for name in ("orders", "units", "revenue", "order_revenue", "refunds")}
        | {"is_customer": _.customer_id.notnull().any() & (_.orders.sum() > 0)}
    )
    rows = totals.group_by(by).aggregate(
        orders=_.orders.sum(),
        customers=_.is_customer.sum(),
        units=_.units.sum().coalesce(0),
        revenue=_.revenue.sum(),
        refunds=_.refunds.sum(),
        aov=share(_.order_revenue.sum(), _.orders.sum()),
        **ratio_sums(totals, "order_revenue", "orders", prefix="aov_"),
        **total_sums(totals, "orders"),
        **total_sums(totals, "revenue"),
    )
    rows = rows.mutate(revenue_share=share(_.revenue, _.revenue.sum().over(ibis.window())))
    rows = rows.mutate(net_revenue=_.revenue - _.refunds)
    told = (by, "orders", "customers", "units", "revenue", "revenue_share", "refunds", "net_revenue", "aov")
    return rows.relocate(*told).order_by(_.revenue.desc(), rows[by].isnull(), by)


def _with_visit(orders: ir.Table, sessions: ir.Table) -> ir.Table:
    """Add the channel of an order's session, and its device, which a server that tells of an order does not know."""
    met = orders.left_join(sessions.select("session_id", "channel", its_device="device_type"), "session_id")
    return met.mutate(device_type=met.its_device.coalesce(met.device_type))


def _of_orders(orders: ir.Table, order_lines: ir.Table, by: str) -> ir.Table:
    units = order_lines.group_by("order_id").aggregate(units=_.quantity.sum())
    return orders.left_join(units, "order_id").select(
        by,
        "customer_id",
        cluster=customer_or_order(orders),
        orders=ibis.literal(1, "int64"),
        units=units.units.coalesce(0),
        revenue=orders.revenue.coalesce(0),
        order_revenue=orders.revenue.coalesce(0),
        refunds=ibis.literal(0, MONEY),
    )


def _refunded(orders: ir.Table, refunds: ir.Table, by: str, period: Period, as_of: datetime) -> ir.Table:
    owners = orders.filter(_.ordered_at < as_of).select(
        "order_id", "customer_id", by, is_cancelled=is_cancelled(orders, as_of)
    )
    booked = refunds.filter(period.holds(_.refunded_at), _.refunded_at < as_of).left_join(owners, "order_id")
    return booked.filter(~_.is_cancelled.fill_null(False)).select(
        by,
        "customer_id",
        cluster=ibis.coalesce(customer_or_order(booked), "r:" + booked.refund_id),
        orders=ibis.literal(0, "int64"),
        units=ibis.literal(0, "int64"),
        revenue=ibis.literal(0, MONEY),
        order_revenue=ibis.literal(0, MONEY),
        refunds=booked.amount.coalesce(0),
    )


def _of_lines(orders: ir.Table, order_lines: ir.Table, by: str) -> ir.Table:
    """One row per order and group that it holds; an order without lines is in a group that nobody knows."""
    held = order_lines.group_by("order_id", by).aggregate(units=_.quantity.sum(), line_revenue=_.line_revenue.sum())
    joined = orders.left_join(held, "order_id")
    return joined.select(
        by,
        "customer_id",
        cluster=customer_or_order(orders),
        orders=ibis.literal(1, "int64"),
        units=_.units.coalesce(0),
        revenue=_.line_revenue.coalesce(orders.revenue).coalesce(0),
        order_revenue=orders.revenue.coalesce(0),
        refunds=ibis.null(MONEY),
    )
