"""What was sent back: each refund in revenue terms, in the shop's currency, once.

Refund calls and order files arrive here as the same drafts: `refund_id, order_id, refunded_at,
received_at, revenue, total, currency, row_id, by_line, sender`.
"""

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.column_types import MONEY
from ecomkit.engines import epoch_ms, local_day
from ecomkit.pipeline.money import CENT, converted, in_shop_currency
from ecomkit.pipeline.money_rules import RULES
from ecomkit.pipeline.orders import line_money
from ecomkit.schemas import REFUND_LINES, REFUNDS

# Browser and server report one refund within this time of each other.
REPEATED_WITHIN_SECONDS = 60 * 60


def refund_drafts(calls: ir.Table) -> ir.Table:
    """Return one draft per Order Refunded call; `sender` tells the shop's libraries apart."""
    refunded = calls.filter(_.event_name == "Order Refunded")
    return refunded.select(
        "order_id", "received_at", "revenue", "total", "currency", "row_id",
        refund_id=_.message_id, refunded_at=_.occurred_at,
        unreadable=_.money_unreadable & _.revenue.isnull() & _.total.isnull(),
        by_line=ibis.literal(False),
        sender=_.source + " " + _.library.fill_null(""),
    )  # fmt: skip


def rated_refunds(refunds: ir.Table, priced: ir.Table, rates: ir.Table, *, zone: str, currency: str) -> ir.Table:
    """Give refunds their order's money, and the rate to count them by.

    A refund in its order's currency, or in none named, takes its order's rate; any
    other the rate of its own day.
    """
    own = converted(refunds, rates, day=local_day(refunds.refunded_at, zone), currency=currency)
    orders = priced.select(
        "order_id", "order_total", "money_rule", order_revenue=_.revenue, order_tax=_.tax, order_rate=_.rate,
        order_currency=_.rate_currency,
    )  # fmt: skip
    matched = own.left_join(orders, "order_id")
    as_ordered = matched.currency.strip().fill_null("") == ""
    as_ordered |= matched.rate_currency == matched.order_currency
    return matched.mutate(rate=ibis.ifelse(as_ordered, ibis.coalesce(_.order_rate, _.rate), _.rate))


def refund_items(refunds: ir.Table, items: ir.Table) -> ir.Table:
    """Return the items that refund calls name, as drafts of refund lines; `product` is what they are known by."""
    lines = refunds.select("refund_id", "row_id").join(items, "row_id").mutate(amount=line_money(_))
    drafts = lines.cast({name: kind for name, kind in REFUND_LINES.items() if name != "refund_id"})
    return drafts.select(*REFUND_LINES.names, product=ibis.coalesce(_.product_id, _.sku, ""))


def listed_refunds(rated: ir.Table, items: ir.Table, order_lines: ir.Table) -> ir.Table:
    """Return what the products of each refund call earned: `refund_id, listed`.

    Units of a product that was bought count by their share of that line's revenue, at
    most as many as were bought; a product that was not bought by its own price.
    `listed` is null where a product was not bought and has no price.
    """
    refunds = rated.select("refund_id", "order_id", "rate")
    asked = items.filter(_.product.notnull()).join(refunds, "refund_id")
    asked = asked.group_by("refund_id", "order_id", "product").agg(
        quantity=_.quantity.sum(), own=_complete_sum(_.amount), rate=_.rate.max()
    )
    lines = order_lines.mutate(product=ibis.coalesce(_.product_id, _.sku, ""))
    bought = lines.group_by("order_id", "product").agg(units=_.quantity.sum(), earned=_.line_revenue.sum())
    known = asked.left_join(bought, ["order_id", "product"])
    share = (known.earned.cast("float64") * known.quantity / known.units.nullif(0)).round(2)
    parts = known.mutate(
        part=ibis.cases(
            (known.units.isnull(), in_shop_currency(known.own, known.rate)),
            (known.quantity >= known.units, known.earned.cast(MONEY)),
            else_=share.cast(MONEY),
        )
    )
    return parts.group_by("refund_id").agg(listed=_complete_sum(_.part))


def _complete_sum(amounts: ir.DecimalValue) -> ir.DecimalValue:
    return ibis.ifelse(amounts.notnull().all(), amounts.sum(), ibis.null("decimal(38, 4)"))


def finished_refunds(rated: ir.Table, listed: ir.Table, *, currency: str) -> ir.Table:
    """Return the canonical `refunds`, in revenue terms: shipping and tax sent back are not in `amount`.

    A refund of the order's total or more sends the whole revenue back; any other sum
    counts as it is, less the tax where prices hold it. Without a sum, what the listed
    products earned counts, and without products the whole order. A refund that another
    sender had reported counts nothing, and together the refunds of an order never take
    back more than its revenue. One read line by line counts as it is: its goods may
    come from several orders.
    """
    asked = _without_repeats(_asked(rated.left_join(listed, "refund_id").drop("refund_id_right")))
    before = ibis.window(group_by="order_id", order_by=["refunded_at", "received_at", "refund_id"], preceding=(None, 1))
    left = asked.mutate(left=_.order_revenue - _.asked.sum().over(before).fill_null(0))
    amount = ibis.ifelse(
        left.order_revenue.isnull() | left.by_line | left.asked.isnull(),
        left.asked,
        ibis.greatest(ibis.least(left.asked, left.left), 0),
    )
    finished = left.mutate(
        amount=amount.round(2),
        currency=ibis.literal(currency),
        order_id=ibis.ifelse(left.order_revenue.notnull(), left.order_id, ibis.null(str)),
    )
    return finished.select(*REFUNDS.names).cast(REFUNDS).order_by("refunded_at", "refund_id")


def _asked(rated: ir.Table) -> ir.Table:
    """Give refunds what each asks back by itself, in revenue terms."""
    revenue = in_shop_currency(rated.revenue, rated.rate).abs()
    total = in_shop_currency(rated.total, rated.rate).abs()
    # A zero beside another sum is a field that nobody filled.
    by_revenue = revenue.notnull() & ((revenue > 0) | (total.fill_null(0) == 0))
    prices_hold_tax = rated.money_rule.isin([rule.name for rule in RULES if rule.prices_hold_tax])
    with_tax = (rated.order_revenue + rated.order_tax).nullif(0).cast("float64")
    net = ibis.ifelse(prices_hold_tax, rated.order_revenue.cast("float64") / with_tax, 1.0).fill_null(1.0)
    tax_in_revenue = rated.money_rule == "tax_in_revenue"
    return rated.mutate(
        asked=ibis.cases(
            # A sum was sent that cannot be read: how much went back is not known.
            (rated.unreadable.fill_null(False), ibis.null(MONEY)),
            (rated.order_revenue.isnull() | rated.by_line, ibis.coalesce(revenue.nullif(0), total, revenue, _.listed)),
            (by_revenue, ibis.ifelse(tax_in_revenue, (revenue * net).round(2).cast(MONEY), revenue)),
            (total.isnull(), ibis.coalesce(_.listed, rated.order_revenue)),
            (total >= rated.order_total - CENT / 2, rated.order_revenue),
            else_=(total * net).round(2).cast(MONEY),
        ).cast(MONEY)
    )


def _without_repeats(asked: ir.Table) -> ir.Table:
    """Let refunds that were reported before ask for nothing.

    The nth refund of a sum that one library sends repeats the nth of that sum that
    another sent, within an hour; one at the same instant from the same library
    repeats it too.
    """
    order = ["refunded_at", "received_at", "refund_id"]
    same = ibis.window(group_by=["order_id", "asked", "sender", "refunded_at"], order_by=order)
    of_sender = ibis.window(group_by=["order_id", "asked", "sender"], order_by="refunded_at")
    placed = asked.mutate(again=ibis.row_number().over(same) > 0, nth=ibis.dense_rank().over(of_sender))
    across = ibis.window(group_by=["order_id", "asked", "nth"], order_by=order)
    reported = placed.mutate(
        first_at=epoch_ms(_.refunded_at.first().over(across)), first_sender=_.sender.first().over(across)
    )
    late_ms = epoch_ms(reported.refunded_at) - reported.first_at
    elsewhere = (reported.sender != reported.first_sender) & (late_ms <= REPEATED_WITHIN_SECONDS * 1000)
    repeated = (reported.again | elsewhere).fill_null(False) & ~reported.by_line & (reported.asked > 0)
    return reported.mutate(asked=ibis.ifelse(repeated.fill_null(False), ibis.literal(0, MONEY), reported.asked))


def finished_refund_lines(lines: ir.Table, rated: ir.Table) -> ir.Table:
    """Return the canonical `refund_lines`: what each line was sold for, at its refund's rate."""
    converted_lines = lines.join(rated.select("refund_id", "rate"), "refund_id").mutate(
        amount=in_shop_currency(_.amount, _.rate)
    )
    return converted_lines.select(*REFUND_LINES.names).cast(REFUND_LINES).order_by("refund_id", "line_number")
