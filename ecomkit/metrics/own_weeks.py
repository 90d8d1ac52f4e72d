"""What was known of orders and refunds at the end of the week they fall into.

A report of a week knows no later cancellation. With these tables one query over many weeks gives of each week what its
own report said.
"""

import ibis.expr.types as ir
from ibis import _

from ecomkit.engines import local_week
from ecomkit.schemas import ORDERS, REFUNDS, require


def orders_of_own_weeks(orders: ir.Table, *, zone: str) -> ir.Table:
    """Return the orders, where a cancellation in a later local week than the order has not happened yet.

    Parameters
    ----------
    orders
        The shop's orders (schema `ORDERS`).
    zone
        The shop's time zone.
    """
    require(orders, ORDERS)
    is_later = local_week(_.cancelled_at, zone) > local_week(_.ordered_at, zone)
    return orders.mutate(status=((_.status == "cancelled") & is_later).fill_null(False).ifelse("completed", _.status))


def refunds_of_own_weeks(refunds: ir.Table, orders: ir.Table, *, zone: str) -> ir.Table:
    """Return the refunds that counted in their own local week: those whose order was not cancelled by its end.

    Parameters
    ----------
    refunds, orders
        The shop's tables (schemas `REFUNDS` and `ORDERS`), the orders as they are.
    zone
        The shop's time zone.
    """
    require(refunds, REFUNDS)
    gone = orders.filter(_.status == "cancelled").select(gone="order_id", gone_at="cancelled_at")
    told = refunds.left_join(gone, refunds.order_id == gone.gone)
    is_gone = local_week(told.gone_at, zone) <= local_week(told.refunded_at, zone)
    return told.filter(told.gone.isnull() | ~is_gone.fill_null(True)).select(*refunds.columns)
