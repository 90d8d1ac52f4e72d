"""Who bought: new customers or returning ones, and where nobody can say."""

from datetime import datetime

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.engines import local_day
from ecomkit.metrics.bookings import bookings_of, kept_orders
from ecomkit.metrics.grains import Grain, local_span, of_weekdays
from ecomkit.schemas import ORDERS, REFUNDS, require


def new_and_returning(
    orders: ir.Table,
    refunds: ir.Table,
    *,
    zone: str,
    as_of: datetime,
    look_back_days: int,
    grain: Grain = "week",
    weekdays: int = 7,
    history: ir.Table | None = None,
) -> ir.Table:
    """Split customers and what they spent into new ones and returning ones.

    New: the first order ever falls into the week. Returning: it fell before.
    Unknown: it falls into the week, but the shop's history before that week is
    shorter than `look_back_days`, so an older order may be missing. The three
    kinds of customers, with guests, add up to all orders and all money.

    Parameters
    ----------
    orders, refunds
        The shop's tables (schemas `ORDERS` and `REFUNDS`), or a part of them.
        Cancelled orders are left out.
    zone
        The shop's time zone.
    as_of
        The instant at which the data ends, exclusive.
    look_back_days
        How many local days of history before the span make a first order the
        first ever.
    grain
        `day`, `week` (named by its Monday) or `month` (by its first day).
    weekdays
        How many local days of each week count, as in `sales`.
    history
        All orders of the shop where `orders` are a part of them: whoever bought
        before from another part is not new.

    Returns
    -------
    Table
        One row per `grain`, in order: `new_customers` (null where none is known
        to be new and some may be), `returning_customers`,
        `unknown_customers` (customers with an order in the span), then
        `new_revenue`, `returning_revenue`, `unknown_revenue`, `guest_revenue`,
        and the same four ending in `_net_revenue` (the cash view: a refund
        counts in the span of its own day). Money in the shop's currency.
    """
    require(orders, ORDERS)
    require(refunds, REFUNDS)
    local = local_span(grain)
    ever = kept_orders(orders if history is None else history, as_of)
    # Joined and not asked of windows, and days named once each: both take several times as long row by row.
    firsts = ever.filter(_.customer_id.notnull()).group_by(buyer=_.customer_id).aggregate(first_at=_.ordered_at.min())
    firsts = firsts.select("buyer", first_in=local(firsts.first_at, zone))
    began = ever.aggregate(first_at=_.ordered_at.min()).select(history_from=local_day(_.first_at, zone))
    bookings = of_weekdays(bookings_of(orders, refunds, as_of), "booked_at", zone, weekdays)
    bookings = bookings.mutate(local(_.booked_at, zone).name(grain))
    bookings = bookings.left_join(firsts, bookings.customer_id == firsts.buyer).drop("buyer").cross_join(began)
    is_first = bookings.first_in == bookings[grain]
    is_known = has_look_back(bookings.history_from, bookings[grain], look_back_days)
    kinds = bookings.mutate(
        kind=ibis.cases(
            (_.customer_id.isnull(), "guest"),
            (is_first & is_known, "new"),
            (is_first, "unknown"),
            else_="returning",
        )
    )

    # A customer is of one kind in a span.
    totals = kinds.group_by(grain, "kind", "customer_id").aggregate(
        has_order=_.orders.max(), revenue=_.revenue.sum().coalesce(0), net_revenue=_.net_revenue.sum().coalesce(0)
    )

    def total(column: str, kind: str) -> ir.Value:
        return _[column].sum(where=_.kind == kind).coalesce(0)

    with_guests = ("new", "returning", "unknown", "guest")
    rows = totals.group_by(grain).aggregate(
        **{f"{kind}_customers": total("has_order", kind) for kind in ("new", "returning", "unknown")},
        **{f"{kind}_revenue": total("revenue", kind) for kind in with_guests},
        **{f"{kind}_net_revenue": total("net_revenue", kind) for kind in with_guests},
    )
    return rows.mutate(new_customers=new_or_nobody_knows(rows.new_customers, rows.unknown_customers)).order_by(grain)


def has_look_back(history_from: ir.DateValue, start: ir.DateValue, look_back_days: int) -> ir.BooleanValue:
    """Say whether history is long enough before `start` for a first order to be the first ever.

    Parameters
    ----------
    history_from
        The local day of the shop's first order not cancelled, a guest's too.
    start
        The first local day of the span that is asked about.
    look_back_days
        Fewest local days between the two; exactly as many are enough.
    """
    return start.delta(history_from, unit="day") >= look_back_days


def new_or_nobody_knows(new: ir.IntegerValue, unknown: ir.IntegerValue) -> ir.IntegerValue:
    """Return how many are new, null where none is known to be and some may be: nobody can say that there were none."""
    return ((new == 0) & (unknown > 0)).ifelse(ibis.null("int64"), new)
