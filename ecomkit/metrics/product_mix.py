"""What the customers who bring the most buy, beside what all others buy."""

from datetime import datetime

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.errors import UsageError
from ecomkit.metrics.bookings import kept_orders
from ecomkit.metrics.ratio import share
from ecomkit.metrics.sales import net_revenue
from ecomkit.metrics.sales_by import OfLine
from ecomkit.schemas import ORDER_LINES, require


def product_mix(
    orders: ir.Table,
    refunds: ir.Table,
    order_lines: ir.Table,
    *,
    as_of: datetime,
    by: OfLine = "category",
    best_share: float = 0.1,
) -> ir.Table:
    """Set what high-value customers spend their money on beside what all others do.

    High-value: the share of customers with the most net revenue so far, rounded
    down, with at least one; ties go by customer id. Guests who cannot be known
    are left out. Share of the revenue of a group's customers by what the lines
    hold: it says what they buy, not what made them good customers.

    Parameters
    ----------
    orders, refunds, order_lines
        The shop's tables (schemas `ORDERS`, `REFUNDS`, `ORDER_LINES`).
        Cancelled orders are left out.
    as_of
        The instant at which the data ends, exclusive.
    by
        `product_id`, `sku`, `category` or `brand` of the lines.
    best_share
        How many of the customers are high-value, above 0 and below 1.

    Returns
    -------
    Table
        One row per `by` and `is_high_value`, in order: `customers` (who bought
        it), `revenue` (line revenue), `revenue_share` (of the group's), and the
        sums of `cluster_sums` for it with the customer as cluster. Money in the
        shop's currency.
    """
    require(order_lines, ORDER_LINES)
    if not 0 < best_share < 1:
        raise UsageError(f"High-value customers cannot be {best_share} of all. Give a share between 0 and 1.")
    by_order = net_revenue(orders, refunds, as_of=as_of, view="order").filter(_.customer_id.notnull())
    worth = by_order.group_by("customer_id").aggregate(net_revenue=_.net_revenue.sum())
    ordered = ibis.window(order_by=[worth.net_revenue.desc(), worth.customer_id])
    places, everybody = ibis.row_number().over(ordered), worth.count().over(ibis.window())
    best = worth.select(
        "customer_id",
        is_high_value=(places == 0) | ((places + 1).cast("float64") <= everybody.cast("float64") * best_share),
    )
    lines = order_lines.inner_join(kept_orders(orders, as_of).select("order_id", "customer_id"), "order_id")
    bought = lines.inner_join(best, "customer_id").group_by("customer_id", "is_high_value", kind=_[by].coalesce(""))
    bought = bought.aggregate(x=_.line_revenue.sum().coalesce(0))
    bought = bought.mutate(y=_.x.sum().over(ibis.window(group_by="customer_id")))
    spent = bought.group_by("customer_id", "is_high_value").aggregate(y=_.x.sum())
    # A customer without a kind adds nothing to its sums, and his money to the group's.
    groups = spent.group_by("is_high_value").aggregate(
        clusters=_.count(where=spent.y != 0),
        denominator=_.y.sum(),
        denominator_squares=(_.y.cast("float64") * _.y.cast("float64")).sum(),
    )
    kinds = groups.cross_join(bought.select("kind").distinct())
    sums = bought.group_by("kind", "is_high_value").aggregate(
        customers=_.count(where=bought.x > 0),
        revenue=_.x.sum(),
        numerator_squares=(_.x.cast("float64") * _.x.cast("float64")).sum(),
        products=(_.x.cast("float64") * _.y.cast("float64")).sum(),
    )
    rows = kinds.left_join(sums, ["kind", "is_high_value"])
    revenue = rows.revenue.coalesce(0)
    return rows.select(
        _.kind.nullif("").name(by),
        "is_high_value",
        customers=_.customers.coalesce(0),
        revenue=revenue,
        revenue_share=share(revenue, rows.denominator),
        clusters=_.clusters,
        numerator=revenue,
        denominator=_.denominator,
        numerator_squares=_.numerator_squares.coalesce(0.0),
        products=_.products.coalesce(0.0),
        denominator_squares=_.denominator_squares,
    ).order_by(by, "is_high_value")
