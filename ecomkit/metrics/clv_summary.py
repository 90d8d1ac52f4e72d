"""What the CLV models read: one row per customer, in the terms of the literature."""

from datetime import datetime, timedelta

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.engines import local_day
from ecomkit.metrics.ratio import share
from ecomkit.metrics.sales import net_revenue
from ecomkit.periods import local_date
from ecomkit.schemas import ORDERS, REFUNDS, require

_INSTANT = timedelta(microseconds=1)


def clv_summary(orders: ir.Table, refunds: ir.Table, *, as_of: datetime, zone: str) -> ir.Table:
    """Summarise how often, how lately and for how much each known customer has ordered.

    Orders of one local day are one purchase. The first purchase makes a
    customer and counts in neither `frequency` nor `monetary_value`. Orders and
    refunds at or after `as_of` do not exist yet; cancelled orders never did.

    Parameters
    ----------
    orders, refunds
        The shop's tables (schemas `ORDERS` and `REFUNDS`). Orders of unknown
        guests are left out.
    as_of
        The instant at which the data ends, exclusive.
    zone
        The shop's time zone, whose local days count.

    Returns
    -------
    Table
        One row per customer: `customer_id`; `frequency`, distinct days with an
        order, less one; `recency`, days from the first such day to the last;
        `T`, days from the first to the last day observed, which is the day
        before an `as_of` at midnight; `monetary_value`, mean net revenue of the
        purchase days after the first (0 if there are none); `net_revenue`, all
        that the customer has brought so far, first day included.
    """
    require(orders, ORDERS)
    require(refunds, REFUNDS)
    last_day = ibis.literal(local_date(as_of - _INSTANT, zone))
    first = ibis.window(group_by="customer_id")
    days = purchase_days(orders, refunds, as_of=as_of, zone=zone).mutate(first_day=_.day.min().over(first))
    totals = days.group_by("customer_id").aggregate(
        frequency=_.count() - 1,
        first_day=_.day.min(),
        last_day=_.day.max(),
        repeat_revenue=_.net_revenue.sum(where=_.day > _.first_day),
        net_revenue=_.net_revenue.sum(),
    )
    return totals.select(
        "customer_id",
        "frequency",
        recency=_.last_day.delta(_.first_day, unit="day"),
        T=last_day.delta(totals.first_day, unit="day"),
        monetary_value=(_.repeat_revenue.cast("float64") / _.frequency.nullif(0)).coalesce(0.0),
        net_revenue=_.net_revenue,
    )


def realised_value(summary: ir.Table, *, most_days: int = 6) -> ir.Table:
    """Split what customers have brought so far by how often they bought.

    Orders of one day count as one purchase; refunds known by `as_of` are taken
    off. Guests are in no row.

    Parameters
    ----------
    summary
        What `clv_summary` returns.
    most_days
        Customers with more purchase days than this share the last row.

    Returns
    -------
    Table
        One row per `purchase_days`, in order, the last one meaning `most_days`
        or more: `customers`, `net_revenue`, `net_revenue_per_customer`, and the
        shares of both in their totals, `customers_share` and
        `net_revenue_share` (null where the total is 0).
    """
    groups = summary.group_by(purchase_days=ibis.least(_.frequency + 1, most_days)).aggregate(
        customers=_.count(), net_revenue=_.net_revenue.sum()
    )
    everyone = ibis.window()
    shares = groups.mutate(
        net_revenue_per_customer=share(_.net_revenue, _.customers),
        customers_share=share(_.customers, _.customers.sum().over(everyone)),
        net_revenue_share=share(_.net_revenue, _.net_revenue.sum().over(everyone)),
    )
    return shares.order_by("purchase_days")


def clv_holdout(
    orders: ir.Table, refunds: ir.Table, *, calibration_end: datetime, as_of: datetime, zone: str
) -> ir.Table:
    """Set what customers did after `calibration_end` beside their history up to then.

    Customers whose first order falls into the holdout are left out: no model
    fitted before could know them. Refunds count on either side only once they
    happened: the calibration knows none at or after `calibration_end`.

    Parameters
    ----------
    orders, refunds
        The shop's tables (schemas `ORDERS` and `REFUNDS`).
    calibration_end
        The instant at which the calibration ends and the holdout begins.
    as_of
        The instant at which the holdout ends, exclusive.
    zone
        The shop's time zone.

    Returns
    -------
    Table
        One row per customer of the calibration: `customer_id`, `frequency`,
        `recency`, `T`, `monetary_value` and `net_revenue` at
        `calibration_end`, as `clv_summary` has them, with
        `frequency_holdout`, distinct days with an order in the holdout, and
        `net_revenue_holdout`, what these brought.
    """
    history = clv_summary(orders, refunds, as_of=calibration_end, zone=zone)
    later = orders.filter(_.ordered_at >= calibration_end)
    after = purchase_days(later, refunds, as_of=as_of, zone=zone).group_by("customer_id")
    totals = after.aggregate(frequency_holdout=_.count(), net_revenue_holdout=_.net_revenue.sum())
    return history.left_join(totals, "customer_id").select(
        *history.columns,
        frequency_holdout=_.frequency_holdout.coalesce(0),
        net_revenue_holdout=_.net_revenue_holdout.coalesce(0),
    )


def purchase_days(orders: ir.Table, refunds: ir.Table, *, as_of: datetime, zone: str) -> ir.Table:
    """Return one row per known customer and local day with an order: `net_revenue` as known by `as_of`."""
    known = net_revenue(orders, refunds, as_of=as_of, view="order").filter(_.customer_id.notnull())
    return known.group_by("customer_id", day=local_day(_.ordered_at, zone)).aggregate(net_revenue=_.net_revenue.sum())
