"""What new customers have brought since they came."""

from datetime import datetime

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.column_types import INSTANT
from ecomkit.engines import epoch_ms
from ecomkit.metrics.sales import net_revenue
from ecomkit.schemas import require

NEW_CUSTOMERS = ibis.schema({"customer_id": "string", "first_order_at": INSTANT, "channel": "string"})

_DAY_MS = 86_400_000


def contribution_so_far(
    customers: ir.Table, orders: ir.Table, refunds: ir.Table, *, horizon_days: int, margin: float, as_of: datetime
) -> ir.Table:
    """Sum up what each new customer has brought, first order included, within so many days of it.

    An order counts up to `horizon_days` x 24 hours after the first, that
    instant included, net of the refunds known by `as_of`. A customer whose
    horizon has not passed has brought only a part: `days_left` says how much
    of the horizon is still to come.

    Parameters
    ----------
    customers
        One row per new customer: `customer_id`, `first_order_at`, `channel`,
        as `new_customers` returns it.
    orders, refunds
        The shop's tables (schemas `ORDERS` and `REFUNDS`).
    horizon_days
        Length of the horizon in days of 24 hours.
    margin
        Share of net revenue that counts; 1.0 is revenue.
    as_of
        The instant at which the data ends, exclusive.

    Returns
    -------
    Table
        One row per customer, in order: `customer_id`, `channel`,
        `first_order_at`, `days_left` (0 once the horizon has passed),
        `realised` (money in the shop's currency).
    """
    require(customers, NEW_CUSTOMERS)
    bought = net_revenue(orders, refunds, as_of=as_of, view="order").filter(_.ordered_at < as_of)
    since_first = customers.select(*NEW_CUSTOMERS.names).left_join(bought, "customer_id")
    in_time = epoch_ms(_.ordered_at) - epoch_ms(_.first_order_at) <= horizon_days * _DAY_MS
    gone = round(as_of.timestamp() * 1000) - epoch_ms(_.first_order_at)
    return (
        since_first.group_by(*NEW_CUSTOMERS.names)
        .aggregate(net_revenue=_.net_revenue.sum(where=in_time & (_.ordered_at >= _.first_order_at)).coalesce(0))
        .select(
            "customer_id",
            "channel",
            "first_order_at",
            days_left=ibis.greatest(0.0, horizon_days - gone / _DAY_MS),
            realised=_.net_revenue.cast("float64") * margin,
        )
        .order_by("first_order_at", "customer_id")
    )
