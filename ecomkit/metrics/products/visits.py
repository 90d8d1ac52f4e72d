"""How many visits that see a product order it."""

from datetime import datetime

import ibis.expr.types as ir
from ibis import _

from ecomkit.metrics.products.grouping import VIEWED, By, grouped_by, named, product_catalogue, sold_lines
from ecomkit.metrics.ratio import flag, ratio_sums, share
from ecomkit.metrics.visit_rows import whose
from ecomkit.schemas import ORDER_LINES, ORDERS, PRODUCT_EVENTS, SESSIONS, require


def visit_to_order_rate_by_product(
    sessions: ir.Table,
    product_events: ir.Table,
    orders: ir.Table,
    order_lines: ir.Table,
    *,
    by: By = "product_id",
    as_of: datetime,
) -> ir.Table:
    """Share of the sessions that viewed a product in which it was ordered.

    A session counts once per product, however often it viewed or ordered it, and
    whichever came first. An order whose session did not view the product counts
    nowhere here, nor does an order without a session or a cancelled one.

    Parameters
    ----------
    sessions
        The sessions that count (schema `SESSIONS`), of one period say.
    product_events, orders, order_lines
        The shop's tables (schemas `PRODUCT_EVENTS`, `ORDERS`, `ORDER_LINES`).
    by
        `product_id`, `sku`, `category` or `brand`.
    as_of
        The instant at which the data ends, exclusive.

    Returns
    -------
    Table
        One row per `by` that a session viewed, most sessions first: `by`'s
        column, `name`, `sessions` (that viewed it), `sessions_with_order` (that
        viewed and ordered it), `people`, `visit_to_order_rate` (0 to 1), and the
        sums of `cluster_sums` with the person as cluster.
    """
    require(sessions, SESSIONS)
    require(product_events, PRODUCT_EVENTS)
    require(orders, ORDERS)
    require(order_lines, ORDER_LINES)
    catalogue = product_catalogue(orders, order_lines)
    views = product_events.filter(_.event_name == VIEWED, _.session_id.notnull(), _.occurred_at < as_of)
    seen = grouped_by(views, catalogue, by).select("session_id", "product", is_view=True)
    sold = sold_lines(orders, order_lines, by=by, as_of=as_of, period=None).filter(_.session_id.notnull())
    steps = seen.union(sold.select("session_id", "product", is_view=False), distinct=False)
    visits = (
        steps.filter(_.product.notnull())
        .group_by("session_id", "product")
        .aggregate(has_view=flag(steps.is_view).max(), has_order=flag(~steps.is_view).max())
    )
    who = sessions.select(
        "session_id",
        "person_id",
        cluster=whose(sessions),
    )
    viewed = visits.filter(_.has_view == 1).join(who, "session_id")
    totals = viewed.group_by("product", "cluster").aggregate(
        sessions=_.count(), sessions_with_order=_.has_order.sum(), people=_.person_id.nunique()
    )
    rows = totals.group_by("product").aggregate(
        sessions=totals.sessions.sum(),
        sessions_with_order=totals.sessions_with_order.sum(),
        people=totals.people.sum(),
        visit_to_order_rate=share(totals.sessions_with_order.sum(), totals.sessions.sum()),
        **ratio_sums(totals, "sessions_with_order", "sessions"),
    )
    rows = named(rows.rename(**{by: "product"}), orders, order_lines, by=by)
    return rows.relocate(by, "name").order_by(_.sessions.desc(), by)
