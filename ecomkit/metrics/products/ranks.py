"""Which products rose and which fell against the time before."""

from datetime import datetime

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.metrics.bookings import customer_or_order
from ecomkit.metrics.products.grouping import By, named, sold_lines
from ecomkit.metrics.ratio import total_sums
from ecomkit.periods import Period
from ecomkit.schemas import ORDER_LINES, ORDERS, require


def product_ranks(
    orders: ir.Table, order_lines: ir.Table, *, by: By = "product_id", period: Period, as_of: datetime
) -> ir.Table:
    """Rank products by revenue, in a period and in the period of the same length before.

    Rank 1 brought the most; equal revenue shares a rank. A product without an
    order in one of the two has no rank there. Products that were sold in
    neither, and lines that name none, have no row.

    Parameters
    ----------
    orders, order_lines
        The shop's tables (schemas `ORDERS` and `ORDER_LINES`). Cancelled orders
        are left out.
    by
        `product_id`, `sku`, `category` or `brand`.
    period
        The days in which orders count.
    as_of
        The instant at which the data ends, exclusive.

    Returns
    -------
    Table
        One row per `by`, in the order of `rank`: `by`'s column, `name`, `rank`,
        `rank_before`, `rank_change` (positive: risen; null without both),
        `revenue`, `revenue_before`, and for both the sums of `total_sums`.
        Money in the shop's currency.
    """
    require(orders, ORDERS)
    require(order_lines, ORDER_LINES)
    both = period.before().until(period)
    sold = sold_lines(orders, order_lines, by=by, as_of=as_of, period=both).filter(_.product.notnull())
    is_now, nothing = period.holds(sold.ordered_at), ibis.literal(0, sold.line_revenue.type())
    totals = (
        sold.mutate(
            cluster=customer_or_order(sold),
            revenue=is_now.ifelse(sold.line_revenue, nothing),
            revenue_before=is_now.ifelse(nothing, sold.line_revenue),
            order_now=is_now.ifelse(sold.order_id, ibis.null("string")),
            order_before=is_now.ifelse(ibis.null("string"), sold.order_id),
        )
        .group_by("product", "cluster")
        .aggregate(
            revenue=_.revenue.sum().coalesce(0),
            revenue_before=_.revenue_before.sum().coalesce(0),
            orders=_.order_now.count(),
            orders_before=_.order_before.count(),
        )
    )
    rows = totals.group_by("product").aggregate(
        revenue=totals.revenue.sum(),
        revenue_before=totals.revenue_before.sum(),
        sold_now=totals.orders.sum() > 0,
        sold_before=totals.orders_before.sum() > 0,
        **total_sums(totals, "revenue"),
        **total_sums(totals, "revenue_before"),
    )

    def place(money: str, was_sold: str) -> ir.IntegerValue:
        most_first = ibis.window(order_by=[rows[was_sold].ifelse(0, 1), rows[money].desc()])
        return rows[was_sold].ifelse(ibis.rank().over(most_first) + 1, ibis.null("int64"))

    ranked = rows.mutate(rank=place("revenue", "sold_now"), rank_before=place("revenue_before", "sold_before")).mutate(
        rank_change=_.rank_before - _.rank
    )
    ranked = named(ranked.rename(**{by: "product"}), orders, order_lines, by=by).drop("sold_now", "sold_before")
    shown = (by, "name", "rank", "rank_before", "rank_change", "revenue", "revenue_before")
    last = _["rank"].isnull().ifelse(1, 0)
    return ranked.relocate(*shown).order_by(last, _["rank"], _.rank_before, by)
