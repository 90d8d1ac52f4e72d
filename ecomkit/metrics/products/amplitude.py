"""What Amplitude shows of the same orders, and what lies between the two."""

from datetime import datetime

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.column_types import MONEY
from ecomkit.metrics.bookings import is_cancelled
from ecomkit.periods import Period
from ecomkit.pipeline.money_rules import RULES
from ecomkit.schemas import ORDER_LINES, ORDERS, require

# Each figure with the rule by which Segment's destination makes it, in the order of the table.
FIGURES = {
    "order_completed_events": "one per Order Completed; cancelled orders stay",
    "product_purchased_events": "one per line of an order, whatever its quantity",
    "revenue_by_default": "`revenue` of each order as sent, no refund taken off",
    "cancelled_in_it": "of that, orders cancelled since; the kit leaves them out",
    "not_revenue_in_it": "of that, discount, shipping or tax that the sender left in `revenue`",
    "revenue_of_the_kit": "after discount, before refunds, shipping and tax, orders not cancelled",
    "revenue_per_product": "price x quantity of each line, before the order's discount",
    "order_discounts": "discounts of the orders: what lies between the two settings",
    "other_difference": "per product less default less discounts: what senders left in `revenue`, prices missing",
}


def amplitude_reconciliation(orders: ir.Table, order_lines: ir.Table, *, period: Period, as_of: datetime) -> ir.Table:
    """Say what Amplitude shows of a period's orders, under its default and per product, and how that ties to the kit.

    Amplitude takes what was sent: it knows no cancellation and no refund, and
    converts no currency, so the amounts agree where all is sent in the shop's
    own. What was sent as `revenue` is rebuilt from the order by its money rule.
    An order that browser and server both sent counts once here, and twice there
    unless both used one message id.

    Parameters
    ----------
    orders, order_lines
        The shop's tables (schemas `ORDERS` and `ORDER_LINES`).
    period
        The days in which orders count.
    as_of
        The instant at which the data ends, exclusive.

    Returns
    -------
    Table
        One row per figure, in this order: `figure_number`, `figure` (a key of
        `FIGURES`), `rule`, `events` and `amount` (one of the two; the other is
        null). Money in the shop's currency. `revenue_by_default` is the kit's
        with the two rows between them; `revenue_per_product` is the default with
        the two rows below it.
    """
    require(orders, ORDERS)
    require(order_lines, ORDER_LINES)
    told = orders.filter(period.holds(orders.ordered_at), _.ordered_at < as_of)
    sent = told.mutate(
        sent=_as_sent(told),
        cancelled=is_cancelled(told, as_of).ifelse(told.revenue, ibis.literal(0, ORDERS["revenue"])),
    )
    of_orders = sent.aggregate(
        orders=_.count(),
        sent=_money(_.sent.sum()),
        revenue=_money(_.revenue.sum()),
        cancelled=_money(_.cancelled.sum()),
        discount=_money(_.discount.sum()),
    )
    lines = order_lines.semi_join(told, "order_id")
    of_lines = lines.aggregate(lines=lines.count(), cost=_money(lines.line_gross.sum()))
    wide = of_orders.cross_join(of_lines)
    amounts = {
        "order_completed_events": wide.orders,
        "product_purchased_events": wide.lines,
        "revenue_by_default": wide.sent,
        "cancelled_in_it": wide.cancelled,
        "not_revenue_in_it": wide.sent - wide.revenue,
        "revenue_of_the_kit": wide.revenue - wide.cancelled,
        "revenue_per_product": wide.cost,
        "order_discounts": wide.discount,
        "other_difference": wide.cost - wide.sent - wide.discount,
    }
    no_count, no_money = ibis.null("int64"), ibis.null(MONEY)
    rows = [
        wide.select(
            figure_number=ibis.literal(number, "int64"),
            figure=ibis.literal(figure),
            rule=ibis.literal(FIGURES[figure]),
            events=value if figure.endswith("_events") else no_count,
            amount=no_money if figure.endswith("_events") else _money(value),
        )
        for number, (figure, value) in enumerate(amounts.items(), start=1)
    ]
    return ibis.union(*rows).order_by("figure_number")


def _as_sent(orders: ir.Table) -> ir.DecimalValue:
    """Return `revenue` as its sender spelled it, from what the money rule says it holds beside the goods."""
    beside = {rule.name: rule.revenue.less(rule.goods) for rule in RULES}
    more = [
        (orders.money_rule == name, sum((part[key] * orders[key].coalesce(0) for key in part), ibis.literal(0, MONEY)))
        for name, parts in beside.items()
        if (part := {key: value for key, value in parts._asdict().items() if value})
    ]
    return orders.revenue + ibis.cases(*more, else_=ibis.literal(0, MONEY))


def _money(value: ir.NumericValue) -> ir.DecimalValue:
    return value.coalesce(0).cast(MONEY)
