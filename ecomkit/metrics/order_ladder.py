"""From gross to net: what is taken off on the way from list prices to net revenue."""

from collections.abc import Sequence
from datetime import datetime

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.metrics.bookings import bookings_of
from ecomkit.metrics.bridge_rows import start_date
from ecomkit.periods import Period
from ecomkit.schemas import ORDERS, REFUNDS, require


def order_ladder(
    orders: ir.Table, refunds: ir.Table, *, periods: Sequence[Period], as_of: datetime, margin: float = 1.0
) -> ir.Table:
    """Step down from the gross of a period's orders to net revenue (cash view) and contribution, to the cent.

    Gross - discount - other reductions = revenue; revenue - refunds = net
    revenue, as `sales` gives them. Other reductions are what the orders'
    discount does not explain, mostly 0: orders whose sums do not fit their
    money rule. An order that tells no gross had what its revenue and discount
    make. Refunds are those booked in the period, of whichever orders. Shipping
    and tax are on no rung.

    Parameters
    ----------
    orders, refunds
        The shop's tables (schemas `ORDERS` and `REFUNDS`). Cancelled orders are
        left out.
    periods
        The periods to step down, in any order; they may not overlap.
    as_of
        The instant at which the data ends, exclusive.
    margin
        Share of net revenue that is left after the cost of goods; 1.0 means that
        nobody gave one.

    Returns
    -------
    Table
        One row per period with an order or a refund, in order: `start_date` (its
        first local day), `orders`, `gross`, `discount`, `other_reductions`,
        `revenue`, `refunds`, `net_revenue`, `contribution` (margin x net
        revenue, null where no margin is given). Money in the shop's currency.
    """
    require(orders, ORDERS)
    require(refunds, REFUNDS)
    booked = bookings_of(orders, refunds, as_of)
    booked = booked.mutate(start_date=start_date(booked.booked_at, periods)).filter(_.start_date.notnull())
    rungs = booked.mutate(gross=ibis.coalesce(_.gross, _.revenue + _.discount.coalesce(0)))
    names = ("orders", "gross", "discount", "revenue", "refunds", "net_revenue")
    rows = rungs.group_by("start_date").aggregate(**{name: _[name].sum().coalesce(0) for name in names})
    left = rows.net_revenue.cast("float64") * margin
    return rows.select(
        "start_date",
        "orders",
        "gross",
        "discount",
        other_reductions=_.gross - _.discount - _.revenue,
        revenue=_.revenue,
        refunds=_.refunds,
        net_revenue=_.net_revenue,
        contribution=left if margin != 1.0 else ibis.null("float64"),
    ).order_by("start_date")
