"""How large orders are: in units, and how their values are spread."""

from collections.abc import Sequence
from datetime import datetime
from math import floor, log10

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.column_types import MONEY
from ecomkit.errors import UsageError
from ecomkit.metrics.bookings import customer_or_order, kept_orders
from ecomkit.metrics.grains import Grain, grouped
from ecomkit.metrics.ratio import ratio_sums, share
from ecomkit.schemas import ORDER_LINES, ORDERS, require

# Steps above this many stand together: the last one is open at the top.
MOST_STEPS = 20


def units_per_order(
    orders: ir.Table,
    order_lines: ir.Table,
    *,
    as_of: datetime,
    by: str | Sequence[str] | None = None,
    zone: str | None = None,
    grain: Grain | None = None,
    weekdays: int = 7,
) -> ir.Table:
    """Units per order: the pieces on an order's lines, not the number of its lines.

    An order without lines counts as an order without units.

    Parameters
    ----------
    orders, order_lines
        The orders that count (schema `ORDERS`), of one period say, and the
        shop's lines (schema `ORDER_LINES`). Orders cancelled by then are left
        out.
    as_of
        The instant at which the data ends, exclusive.
    by
        A column of `orders`, or several.
    zone, grain
        The shop's time zone, and `day`, `week` or `month`, for a row per span.
    weekdays
        How many local days of each week count, Monday first; read with `grain`.

    Returns
    -------
    Table
        One row per `by` and `grain`, in order: `orders`, `units`,
        `units_per_order` (null without orders), and the sums of `cluster_sums`
        with the customer as cluster.
    """
    require(orders, ORDERS)
    require(order_lines, ORDER_LINES)
    bought, keys = grouped(kept_orders(orders, as_of), "ordered_at", by, zone, grain, weekdays)
    sizes = order_lines.group_by("order_id").aggregate(pieces=_.quantity.sum())
    sized = bought.mutate(cluster=customer_or_order(bought)).left_join(sizes, "order_id")
    totals = sized.group_by(*keys, "cluster").aggregate(orders=_.count(), units=_.pieces.sum().coalesce(0))
    rows = totals.aggregate(
        by=keys,
        orders=totals.orders.sum().coalesce(0),
        units=totals.units.sum().coalesce(0),
        units_per_order=share(totals.units.sum(), totals.orders.sum()),
        **ratio_sums(totals, "units", "orders"),
    )
    return rows.order_by(keys) if keys else rows


def order_value_steps(orders: ir.Table, *, step: float, as_of: datetime) -> ir.Table:
    """Count orders by their revenue, in steps of equal width.

    A step holds its lower bound and not its upper one. Orders of twenty steps
    and more stand together in the last one.

    Parameters
    ----------
    orders
        The orders that count (schema `ORDERS`), of one period say. Those
        cancelled by then are left out.
    step
        The width of a step, in the shop's currency.
    as_of
        The instant at which the data ends, exclusive.

    Returns
    -------
    Table
        One row per step that holds orders, in order: `step_number` (from 0),
        `from_value` (its lower bound), `orders`, `order_share` (0 to 1).
    """
    require(orders, ORDERS)
    if not step > 0:
        raise UsageError(f"A step of {step} holds no order. Give the width of a step, such as 20.")
    bought = kept_orders(orders, as_of).filter(_.revenue.notnull())
    # 0.60 / 0.20 is a little less than 3 in binary numbers, so what only they cannot say is rounded off before.
    number = ibis.least((bought.revenue.cast("float64") / step).round(9).floor().cast("int64"), MOST_STEPS)
    rows = bought.group_by(step_number=number).aggregate(orders=_.count())
    return rows.select(
        "step_number",
        "orders",
        from_value=(_.step_number * step).cast(MONEY),
        order_share=share(rows.orders, rows.orders.sum().over(ibis.window())),
    ).order_by("step_number")


def nice_step(median: float) -> float:
    """Return 1, 2 or 5 times a power of ten, so that 4 to 10 steps lie below the median; 1 where there is none."""
    if not median > 0:
        return 1.0
    wanted = median / 4
    power = 10.0 ** floor(log10(wanted))
    return max((factor * power for factor in (1, 2, 5) if factor * power <= wanted), default=power)
