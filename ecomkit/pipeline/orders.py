"""Orders, lines and refunds: once per order id, money in the shop's currency, each with its session.

Order calls and order files arrive here as the same drafts:

- orders: `order_id, source, row_id, customer_id, anonymous_id, session_id, ordered_at, received_at,
  revenue, subtotal, total, shipping, tax, discount, currency, coupon, country, device_type`
- lines: `order_id, line_number, product_id, sku, name, category, brand, variant, price, quantity, line_total`
- refunds: `refund_id, order_id, refunded_at, received_at, revenue, total, currency`
- cancellations: `order_id, cancelled_at`
"""

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.engines import epoch_ms, local_day
from ecomkit.pipeline.money import CENT, converted, in_shop_currency, with_money_rule
from ecomkit.pipeline.sessions import LONGEST_GAP_SECONDS
from ecomkit.schemas import MONEY, ORDER_LINES, ORDERS, REFUND_LINES, REFUNDS

DRAFT_MONEY = ("revenue", "subtotal", "total", "shipping", "tax", "discount")
_DRAFT = (
    "order_id", "source", "row_id", "customer_id", "anonymous_id", "session_id", "ordered_at", "received_at",
    *DRAFT_MONEY, "currency", "coupon", "country", "device_type",
)  # fmt: skip


def order_drafts(calls: ir.Table) -> ir.Table:
    """Return one draft per order id from its Order Completed calls; the copy received first counts.

    Browser and server often both send an order, and a reload sends it again: person,
    device and session are those of the first copy that knows them, a user before a
    guest before a visitor.
    """
    first = ibis.window(group_by="order_id", order_by=[_.received_at.asc(nulls_first=False), "row_id"])
    copies = calls.filter(_.event_name == "Order Completed").mutate(copy_number=ibis.row_number().over(first) + 1)
    sought = {name: copies[name] for name in ("anonymous_id", "session_id", "device_type", "coupon")}
    sought |= {
        kind: ibis.ifelse(copies.person_id.startswith(f"{kind}:"), copies.person_id, ibis.null(str))
        for kind in ("user", "guest", "visitor")
    }
    known = copies.group_by("order_id").agg(
        **{name: value.argmin(copies.copy_number, where=value.notnull()) for name, value in sought.items()}
    )
    counts = copies.filter(_.copy_number == 1).drop("anonymous_id", "session_id", "device_type", "coupon")
    drafts = counts.join(known, "order_id").mutate(
        customer_id=ibis.coalesce(_.user, _.guest, _.visitor), ordered_at=_.occurred_at
    )
    return drafts.select(*_DRAFT)


def line_drafts(drafts: ir.Table, items: ir.Table) -> ir.Table:
    """Return the items of the order calls that count, as drafts of order lines."""
    return drafts.select("order_id", "row_id").join(items, "row_id").drop("row_id", "position")


def refund_drafts(calls: ir.Table) -> ir.Table:
    """Return one draft per Order Refunded call."""
    refunded = calls.filter(_.event_name == "Order Refunded")
    return refunded.select(
        "order_id", "received_at", "revenue", "total", "currency", "row_id",
        refund_id=_.message_id, refunded_at=_.occurred_at, by_line=ibis.literal(False),
    )  # fmt: skip


def cancellations(calls: ir.Table) -> ir.Table:
    """Return the first Order Cancelled call of each order: `order_id, cancelled_at`."""
    return calls.filter(_.event_name == "Order Cancelled").group_by("order_id").agg(cancelled_at=_.occurred_at.min())


def line_money(lines: ir.Table) -> ir.DecimalValue:
    """Return what a line's units cost before discount: its own total, else unit price x quantity."""
    return ibis.coalesce(lines.line_total, lines.price * lines.quantity).cast(MONEY)


def priced_orders(
    drafts: ir.Table, lines: ir.Table, rates: ir.Table, *, zone: str, currency: str, money_rule: str
) -> ir.Table:
    """Give drafts their gross, discount, revenue, shipping, tax and total in the shop's currency."""
    gross = lines.group_by("order_id").agg(lines_gross=line_money(lines).sum())
    ruled = with_money_rule(drafts.left_join(gross, "order_id").drop("order_id_right"), rule=money_rule)
    foreign = converted(ruled, rates, day=local_day(ruled.ordered_at, zone), currency=currency)
    in_cents = {
        name: in_shop_currency(foreign[name].fill_null(0), foreign.rate)
        for name in ("gross", "discount", "revenue", "shipping", "tax", "order_total")
    }
    return foreign.mutate(**in_cents)


def priced_lines(lines: ir.Table, priced: ir.Table) -> ir.Table:
    """Return the canonical `order_lines`: each line's share of its order's revenue, to the cent.

    Shares are in proportion to the lines' gross, where nothing has a price to quantity,
    and equal where nothing has either; cents left over go to the largest remainders.
    """
    orders = priced.select("order_id", "revenue", "rate")
    lined = lines.join(orders, "order_id").mutate(
        unit_price=in_shop_currency(ibis.coalesce(_.price, _.line_total / _.quantity.nullif(0)), _.rate, digits=4),
        line_gross=in_shop_currency(line_money(_), _.rate),
    )
    same = ibis.window(group_by="order_id")
    weighed = lined.mutate(
        weight=ibis.cases(
            (_.line_gross.sum().over(same) > 0, _.line_gross.cast("float64")),
            (_.quantity.sum().over(same) > 0, _.quantity.cast("float64")),
            else_=1.0,
        )
    )
    shared = weighed.mutate(
        cents=(_.revenue / CENT).cast("float64") * _.weight / _.weight.sum().over(same),
        revenue_cents=(_.revenue / CENT).round().cast("int64"),
    ).mutate(whole=_.cents.floor().cast("int64"))
    by_remainder = ibis.window(group_by="order_id", order_by=[(_.cents - _.whole).desc(), "line_number"])
    topped = shared.mutate(place=ibis.row_number().over(by_remainder), short=_.revenue_cents - _.whole.sum().over(same))
    line_cents = topped.whole + (topped.place < topped.short).cast("int64")
    finished = topped.mutate(line_revenue=(line_cents.cast(MONEY) * CENT).cast(MONEY))
    return finished.select(*ORDER_LINES.names).cast(ORDER_LINES).order_by("order_id", "line_number")


def rated_refunds(refunds: ir.Table, priced: ir.Table, rates: ir.Table, *, zone: str, currency: str) -> ir.Table:
    """Give refunds their order's money, and the rate to count them by.

    A refund in its order's currency, or in none named, takes its order's rate; any
    other the rate of its own day.
    """
    own = converted(refunds, rates, day=local_day(refunds.refunded_at, zone), currency=currency)
    orders = priced.select(
        "order_id", "order_total", order_revenue=_.revenue, order_rate=_.rate, order_currency=_.rate_currency
    )
    matched = own.left_join(orders, "order_id")
    as_ordered = matched.currency.isnull() | (matched.rate_currency == matched.order_currency)
    return matched.mutate(rate=ibis.ifelse(as_ordered, ibis.coalesce(_.order_rate, _.rate), _.rate))


def finished_refunds(rated: ir.Table, *, currency: str) -> ir.Table:
    """Return the canonical `refunds`, in revenue terms: shipping and tax sent back are not in `amount`.

    A refund that names no money, or at least the order's total, sends the whole
    revenue back; any other sum counts as it is. Together the refunds of an order never
    take back more than its revenue, so one that browser and server both sent counts
    once. One read line by line counts as it is: its goods may come from several orders.
    """
    revenue = in_shop_currency(rated.revenue, rated.rate).abs()
    total = in_shop_currency(rated.total, rated.rate).abs()
    asked = rated.mutate(
        asked=ibis.cases(
            (rated.order_revenue.isnull() | rated.by_line, ibis.coalesce(revenue, total)),
            (revenue.notnull(), revenue),
            (total.isnull() | (total >= rated.order_total - CENT / 2), rated.order_revenue),
            else_=total,
        )
    )
    before = ibis.window(group_by="order_id", order_by=["refunded_at", "received_at", "refund_id"], preceding=(None, 1))
    left = asked.mutate(left=_.order_revenue - _.asked.sum().over(before).fill_null(0))
    amount = ibis.ifelse(
        left.order_revenue.isnull() | left.by_line,
        left.asked,
        ibis.greatest(ibis.least(left.asked, left.left), 0),
    )
    finished = left.mutate(
        amount=amount.round(2),
        currency=ibis.literal(currency),
        order_id=ibis.ifelse(left.order_revenue.notnull(), left.order_id, ibis.null(str)),
    )
    return finished.select(*REFUNDS.names).cast(REFUNDS).order_by("refunded_at", "refund_id")


def located_orders(priced: ir.Table, sessions: ir.Table) -> ir.Table:
    """Give orders their session and the rule that found it; null where no session fits.

    Its own device's session, else the person's, in which the order lies between
    the start and thirty minutes after the end; the latest to start counts.
    """
    spans = sessions.select(
        "started_at", found_session=_.session_id, device=_.anonymous_id, visitor=_.person_id,
        opens=epoch_ms(_.started_at), closes=epoch_ms(_.ended_at) + LONGEST_GAP_SECONDS * 1000,
    )  # fmt: skip
    asked = priced.filter(_.session_id.isnull()).mutate(at=epoch_ms(_.ordered_at))
    inside = (asked.at >= spans.opens) & (asked.at <= spans.closes)
    found = ibis.union(
        *[
            asked.join(spans, [asked[key] == spans[whose], inside]).select(
                "order_id", "started_at", "found_session", place=ibis.literal(place)
            )
            for place, key, whose in ((1, "anonymous_id", "device"), (2, "customer_id", "visitor"))
        ]
    )
    best = ibis.window(group_by="order_id", order_by=["place", _.started_at.desc(), "found_session"])
    chosen = found.mutate(nth=ibis.row_number().over(best)).filter(_.nth == 0)
    joined = priced.left_join(chosen.select("order_id", "found_session", "place"), "order_id")
    return joined.mutate(
        session_rule=ibis.cases(
            (_.session_id.notnull(), "same device"),
            (_.place == 1, "same device"),
            (_.place == 2, "by person and time"),
            else_=None,
        ),
        session_id=ibis.coalesce(_.session_id, _.found_session),
    ).drop("found_session", "place", "order_id_right")


def finished_orders(located: ir.Table, refunds: ir.Table, cancelled: ir.Table, *, currency: str) -> ir.Table:
    """Return the canonical `orders`: status as of the build, and each customer's orders numbered."""
    sent_back = refunds.filter(_.order_id.notnull()).group_by("order_id").agg(refunded=_.amount.sum())
    known = located.left_join(sent_back, "order_id").drop("order_id_right")
    known = known.left_join(cancelled, "order_id").drop("order_id_right")
    stated = known.mutate(
        status=ibis.cases(
            (_.cancelled_at.notnull(), "cancelled"),
            (_.refunded.fill_null(0) <= 0, "completed"),
            (_.refunded >= _.revenue, "refunded"),
            else_="partially_refunded",
        ),
        currency=ibis.literal(currency),
    )
    counted = stated.mutate(counts=_.customer_id.notnull() & (_.status != "cancelled"))
    by_customer = ibis.window(group_by=["customer_id", "counts"], order_by=["ordered_at", "order_id"])
    numbered = counted.mutate(
        order_number=ibis.ifelse(_.counts, ibis.row_number().over(by_customer) + 1, ibis.null("int64"))
    )
    return numbered.select(*ORDERS.names).cast(ORDERS).order_by("ordered_at", "order_id")


def refund_items(refunds: ir.Table, items: ir.Table) -> ir.Table:
    """Return the items that refund calls name, as drafts of refund lines."""
    lines = refunds.select("refund_id", "row_id").join(items, "row_id").mutate(amount=line_money(_))
    return lines.select(*REFUND_LINES.names).cast(REFUND_LINES)


def finished_refund_lines(lines: ir.Table, rated: ir.Table) -> ir.Table:
    """Return the canonical `refund_lines`: what each line was sold for, at its refund's rate."""
    converted_lines = lines.join(rated.select("refund_id", "rate"), "refund_id").mutate(
        amount=in_shop_currency(_.amount, _.rate)
    )
    return converted_lines.select(*REFUND_LINES.names).cast(REFUND_LINES).order_by("refund_id", "line_number")
