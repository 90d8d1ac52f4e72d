"""What orders in sessions are made of: units and revenue per category, for the bar of AOV in the bridge."""

from collections.abc import Sequence
from datetime import datetime

import ibis.expr.types as ir
from ibis import _

from ecomkit.metrics.bridge_rows import orders_in, visits_in
from ecomkit.metrics.ratio import product_sums
from ecomkit.periods import Period
from ecomkit.schemas import ORDER_LINES, ORDERS, SESSIONS, require

LINE_TOTALS = ("orders_in_sessions", "units", "line_revenue")


def bridge_category_sums(
    orders: ir.Table, order_lines: ir.Table, sessions: ir.Table, *, periods: Sequence[Period], as_of: datetime
) -> ir.Table:
    """Sum up units and revenue by line per period and category, over the orders in sessions.

    AOV is the sum over categories of units per order x revenue per unit, where
    the lines of every order add up to its revenue. All orders of the period
    divide, not only those that contain the category. A session has no
    category, so no other factor of the bridge has one.

    Parameters
    ----------
    orders, order_lines, sessions
        The shop's tables (schemas `ORDERS`, `ORDER_LINES` and `SESSIONS`).
    periods
        The periods to sum up, in any order; they may not overlap.
    as_of
        The instant at which the data ends, exclusive.

    Returns
    -------
    Table
        One row per period and category, null being one, in order: `start_date`,
        `category`, `orders_in_sessions` (of the whole period, the same on each of
        its rows), `units`, `line_revenue`, `units_clusters` (people who bought of
        it), and the sums over people of `<total>_squares` and
        `<total>_<total>_products`. Money in the shop's currency.
    """
    require(orders, ORDERS)
    require(order_lines, ORDER_LINES)
    require(sessions, SESSIONS)
    bought = orders_in(orders, visits_in(sessions, periods, as_of), periods, as_of).filter(_.is_in_session)
    lines = bought.join(order_lines.drop("line_number"), "order_id")
    by_person = lines.group_by("start_date", "category", "cluster").aggregate(
        units=_.quantity.sum().coalesce(0), line_revenue=_.line_revenue.sum().coalesce(0)
    )
    people = bought.group_by("start_date", "cluster").aggregate(orders_in_sessions=_.count())
    totals = by_person.join(people, ["start_date", "cluster"])
    rows = totals.group_by("start_date", "category").aggregate(
        units=_.units.sum(),
        line_revenue=_.line_revenue.sum(),
        units_clusters=_.count(where=_.units != 0),
        **{
            name: value
            for name, value in product_sums(totals, LINE_TOTALS).items()
            # Those of all people, not only of the buyers of this category.
            if name != "orders_in_sessions_squares"
        },
    )
    everyone = people.group_by("start_date").aggregate(
        orders_in_sessions=_.orders_in_sessions.sum(),
        orders_in_sessions_squares=(_.orders_in_sessions * _.orders_in_sessions).sum().cast("float64"),
    )
    named = rows.join(everyone, "start_date")
    columns = [name for name in named.columns if name not in ("start_date", "category", "orders_in_sessions")]
    return named.select("start_date", "category", "orders_in_sessions", *columns).order_by("start_date", "category")
