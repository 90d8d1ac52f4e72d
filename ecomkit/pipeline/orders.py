"""Orders and their lines: once per order id, money in the shop's currency, each with its session.

Order calls and order files arrive here as the same drafts:

- orders: `order_id, source, spelling, row_id, copies, customer_id, anonymous_id, session_id, ordered_at,
  received_at, revenue, subtotal, total, shipping, tax, discount, currency, coupon, country, device_type`
- lines: `order_id, line_number, product_id, sku, name, category, brand, variant, price, quantity, line_total`
- cancellations: `order_id, cancelled_at`
"""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.column_types import MONEY
from ecomkit.engines import epoch_ms, local_day
from ecomkit.pipeline.money import CENT, converted, in_shop_currency
from ecomkit.pipeline.order_money import with_money_rule
from ecomkit.pipeline.sessions import LONGEST_GAP_SECONDS
from ecomkit.schemas import ORDER_LINES, ORDERS

# More than this is no price: a number that broke on its way.
_LARGEST = 10**10
DRAFT_MONEY = ("revenue", "subtotal", "total", "shipping", "tax", "discount")
_DRAFT = (
    "order_id", "source", "spelling", "row_id", "copies", "customer_id", "anonymous_id", "session_id", "ordered_at",
    "received_at", *DRAFT_MONEY, "currency", "coupon", "country", "device_type",
)  # fmt: skip


def order_drafts(calls: ir.Table) -> ir.Table:
    """Return one draft per order id from its Order Completed calls; the copy received first counts.

    Browser and server often both send an order, and a reload sends it again: person,
    device and session are those of the first copy that knows them, a user before a
    guest before an external id before a visitor. `spelling` is the event's name as its sender writes it.
    """
    first = ibis.window(group_by="order_id", order_by=[_.received_at.asc(nulls_first=False), "message_id"])
    completed = calls.filter(_.event_name == "Order Completed")
    copies = completed.mutate(copy_number=ibis.row_number().over(first) + 1)
    sought = {name: copies[name] for name in ("anonymous_id", "session_id", "device_type", "coupon")}
    person = copies.person_id
    kinds = {kind: person.startswith(f"{kind}:") for kind in ("user", "guest", "visitor")}
    # By an external id alone: better known than a visitor.
    kinds["other"] = ~(kinds["user"] | kinds["guest"] | kinds["visitor"])
    sought |= {kind: ibis.ifelse(is_one, person, ibis.null(str)) for kind, is_one in kinds.items()}
    known = copies.group_by("order_id").agg(
        copies=_.count(),
        **{name: value.argmin(copies.copy_number, where=value.notnull()) for name, value in sought.items()},
    )
    counts = copies.filter(_.copy_number == 1).drop("anonymous_id", "session_id", "device_type", "coupon")
    drafts = counts.join(known, "order_id").mutate(
        customer_id=ibis.coalesce(_.user, _.guest, _.other, _.visitor),
        ordered_at=_.occurred_at,
        spelling=_.event.lower().re_replace("[^a-z0-9]+", ""),
        **{name: ibis.ifelse(_[name].abs() < _LARGEST, _[name], ibis.null(MONEY)) for name in DRAFT_MONEY},
    )
    return drafts.select(*_DRAFT)


def line_drafts(drafts: ir.Table, items: ir.Table) -> ir.Table:
    """Return the items of the order calls that count, as drafts of order lines."""
    return drafts.select("order_id", "row_id").join(items, "row_id").drop("row_id", "position")


def cancellations(calls: ir.Table) -> ir.Table:
    """Return the first Order Cancelled call of each order: `order_id, cancelled_at`."""
    return calls.filter(_.event_name == "Order Cancelled").group_by("order_id").agg(cancelled_at=_.occurred_at.min())


def line_money(lines: ir.Table) -> ir.DecimalValue:
    """Return what a line's units cost before discount: its own total, else unit price x quantity."""
    cost = ibis.coalesce(lines.line_total, lines.price * lines.quantity)
    return ibis.ifelse(cost.abs() < _LARGEST, cost, ibis.null(MONEY)).cast(MONEY)


def priced_orders(
    drafts: ir.Table,
    lines: ir.Table,
    rates: ir.Table,
    *,
    zone: str,
    currency: str,
    money_rule: str,
    rules_by_source: Mapping[str, str],
) -> ir.Table:
    """Give drafts their gross, discount, revenue, shipping, tax and total in the shop's currency."""
    costs = lines.select("order_id", cost=line_money(lines))
    gross = costs.group_by("order_id").agg(lines_gross=_.cost.sum(), lines_priced=_.cost.notnull().all())
    itemised = drafts.left_join(gross, "order_id").drop("order_id_right")
    ruled = with_money_rule(itemised, rule=money_rule, by_source=rules_by_source)
    foreign = converted(ruled, rates, day=local_day(ruled.ordered_at, zone), currency=currency)
    in_cents = {
        name: in_shop_currency(foreign[name], foreign.rate).fill_null(0)
        for name in ("gross", "discount", "revenue", "shipping", "tax", "order_total")
    }
    return foreign.mutate(**in_cents)


def remarks(priced: ir.Table, sent_twice: ir.Table) -> ir.Table:
    """Return what an analyst should know of the orders: `outcome, reason, rows, amount`.

    Further copies of an order, with the revenue that they would have added, and orders
    that count although their money does not fit the rule that it was read by.
    `sent_twice` has the orders of files that calls sent too.
    """
    one = ibis.literal(1, "int64")
    again = priced.select("order_id", "revenue", rows=_.copies.fill_null(1) - 1)
    in_files = priced.semi_join(sent_twice, "order_id").select("order_id", "revenue", rows=one)
    copies = ibis.union(again, in_files).filter(_.rows > 0)
    twice = copies.mutate(outcome=ibis.literal("duplicate"), reason=ibis.literal("order id seen before"))
    does_not_fit = "money does not fit the rule '" + priced.money_rule + "'"
    odd = priced.mutate(outcome=ibis.literal("kept"), reason=does_not_fit, rows=one).filter(~_.fits_rule)
    noted = ibis.union(*[table.select("outcome", "reason", "rows", "revenue") for table in (twice, odd)])
    totals = noted.group_by("outcome", "reason").agg(rows=_.rows.sum(), amount=(_.revenue * _.rows).sum().cast(MONEY))
    return totals.order_by("outcome", "reason")


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
            (_.line_gross.sum().over(same) > 0, _.line_gross.fill_null(0)),
            (_.quantity.sum().over(same) > 0, _.quantity.cast(MONEY)),
            else_=ibis.literal(1, MONEY),
        )
    )
    # Weights are summed as decimals: a sum of floats depends on the order of the lines.
    whole_weight = weighed.weight.sum().over(same).cast("float64")
    shared = weighed.mutate(
        cents=(_.revenue / CENT).cast("float64") * _.weight.cast("float64") / whole_weight,
        revenue_cents=(_.revenue / CENT).round().cast("int64"),
    ).mutate(whole=_.cents.floor().cast("int64"))
    by_remainder = ibis.window(group_by="order_id", order_by=[(_.cents - _.whole).desc(), "line_number"])
    topped = shared.mutate(place=ibis.row_number().over(by_remainder), short=_.revenue_cents - _.whole.sum().over(same))
    line_cents = topped.whole + (topped.place < topped.short).cast("int64")
    finished = topped.mutate(line_revenue=(line_cents.cast("decimal(20, 4)") * CENT).cast(MONEY))
    return finished.select(*ORDER_LINES.names).cast(ORDER_LINES).order_by("order_id", "line_number")


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
    """Return the canonical `orders`: status as of the build, and each customer's orders numbered.

    An order is refunded when its refunds make up its revenue, give or take the half
    cent that each of them was rounded by.
    """
    returned = refunds.filter(_.order_id.notnull(), _.amount > 0)
    sent_back = returned.group_by("order_id").agg(refunded=_.amount.sum(), rounding=_.count() * CENT / 2)
    known = located.left_join(sent_back, "order_id").drop("order_id_right")
    known = known.left_join(cancelled, "order_id").drop("order_id_right")
    stated = known.mutate(
        status=ibis.cases(
            (_.cancelled_at.notnull(), "cancelled"),
            (_.refunded.fill_null(0) <= 0, "completed"),
            (_.refunded + _.rounding > _.revenue, "refunded"),
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
