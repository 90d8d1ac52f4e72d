"""Rows of plain order files, as the drafts that `orders` works on."""

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.column_types import INSTANT, MONEY
from ecomkit.engines import epoch_ms
from ecomkit.pipeline.build_log import NOT_YET_KNOWN
from ecomkit.pipeline.known import Known, is_later
from ecomkit.schemas import REFUND_LINES

_SET_APART = {
    "not a product": "not a product: ",
    "refunded shipping": "shipping sent back: ",
    # Damaged and lost goods are booked as negative lines without being refunds.
    "negative quantity": "negative quantity outside a refund",
}


def known_rows(rows: ir.Table, known: Known) -> ir.Table:
    """Return rows as they were known: later orders are excluded, and of earlier ones what was done to them later.

    A file does not say when a row was received; it counts from its own time.
    """
    refunded, cancelled = rows.refunded_at >= known.refunds, rows.cancelled_at >= known.refunds
    later = is_later(rows.ordered_at, rows.ordered_at, known, refund=rows.kind == "refund")
    return rows.mutate(
        excluded=ibis.ifelse(later, NOT_YET_KNOWN, rows.excluded),
        order_refund=ibis.ifelse(refunded, ibis.null(MONEY), rows.order_refund),
        refunded_at=ibis.ifelse(refunded, ibis.null(INSTANT), rows.refunded_at),
        cancelled_at=ibis.ifelse(cancelled, ibis.null(INSTANT), rows.cancelled_at),
    )


def judged_rows(rows: ir.Table) -> ir.Table:
    """Give every row its `outcome`, `reason` and `amount`: kept, excluded by a named rule, or quarantined."""
    code = ibis.coalesce(rows.product_id, rows.sku, "")
    return rows.mutate(
        amount=ibis.coalesce(rows.line_total, rows.unit_price * rows.quantity).cast(MONEY),
        outcome=ibis.cases(
            (rows.problem.notnull(), "quarantined"),
            (rows.is_repeated, "duplicate"),
            (rows.excluded.notnull() | rows.kind.isin(list(_SET_APART)), "excluded"),
            else_="kept",
        ),
        reason=ibis.cases(
            (rows.problem.notnull(), rows.problem),
            (rows.is_repeated, "the order is in another file of the export"),
            (rows.excluded.notnull(), rows.excluded),
            (rows.kind == "negative quantity", _SET_APART["negative quantity"]),
            *[(rows.kind == kind, text + code) for kind, text in _SET_APART.items()],
            else_=None,
        ),
    )


def corrections(judged: ir.Table) -> ir.Table:
    """Return a row for each correction of a kept row: `row_id, reason`."""
    return judged.filter(_.outcome == "kept").select("row_id", reason=_.corrections.unnest())


def as_called(rows: ir.Table, calls: ir.Table, owners: ir.Table) -> ir.Table:
    """Give rows the order id and the person that the shop's calls know them by.

    An order that calls name by its `order_name`, with or without the `#`, goes by that
    name; an address belongs to whom calls know by it, else to its guest.
    """
    told = calls.filter(_.event_name == "Order Completed").select(called=_.order_id).distinct()
    names = rows.filter(_.order_name.notnull()).select("order_id", plain=_.order_name.replace("#", "")).distinct()
    unknown = names.anti_join(told.select(order_id=_.called), "order_id")
    found = unknown.join(told.mutate(plain=_.called.replace("#", "")), "plain")
    called = found.group_by("order_id").agg(called=_.called.min())
    whose = owners.filter(_.identifier_type == "email").select(email_hash=_.identifier, owner=_.person_id)
    known = rows.left_join(called, "order_id").drop("order_id_right")
    known = known.left_join(whose, "email_hash").drop("email_hash_right")
    of_user = ibis.ifelse(_.owner.startswith("user:"), _.owner.substr(len("user:")), ibis.null(str))
    return known.mutate(
        order_id=ibis.coalesce(_.called, _.order_id),
        customer_id=ibis.coalesce(_.customer_id, of_user),
        person_id=ibis.coalesce("user:" + _.customer_id, _.owner, "guest:" + _.email_hash),
    ).drop("called", "owner")


def order_drafts(kept: ir.Table) -> ir.Table:
    """Return one draft per order id; `shipping` holds what the shop's shipping codes charged.

    Where an order states its own revenue, discount, shipping or tax, that counts, and
    not the sum of its lines.
    """
    bought = kept.filter(_.kind.isin(["order", "shipping", "no item"]))
    product_money = ibis.ifelse(bought.kind == "order", bought.amount, 0)
    shipping_money = ibis.ifelse(bought.kind == "shipping", bought.amount, 0)
    drafts = bought.group_by("order_id").agg(
        source=_.source.min(),
        row_id=_.row_id.min(),
        customer_id=_.person_id.min(),
        ordered_at=_.ordered_at.min(),
        gross=product_money.sum(),
        discount=ibis.coalesce(_.order_discount.max(), _.discount.sum()),
        shipping=ibis.coalesce(_.order_shipping.max(), _.shipping.fill_null(0).sum() + shipping_money.sum()),
        tax=ibis.coalesce(_.order_tax.max(), _.tax.sum()),
        stated=_.order_revenue.max(),
        currency=_.currency.min(),
        coupon=_.coupon.min(),
        country=_.country.min(),
    )
    return drafts.mutate(
        revenue=ibis.coalesce(_.stated, _.gross - _.discount.fill_null(0)),
        received_at=_.ordered_at,
        **{name: ibis.null(str) for name in ("anonymous_id", "session_id", "device_type")},
        **{name: ibis.null(MONEY) for name in ("subtotal", "total")},
    ).drop("gross", "stated")


def line_drafts(kept: ir.Table) -> ir.Table:
    """Return the order lines of products, numbered within their order."""
    within = ibis.window(group_by="order_id", order_by="row_id")
    lines = kept.filter(_.kind == "order").mutate(
        line_number=ibis.row_number().over(within) + 1,
        product_id=ibis.coalesce(_.product_id, _.sku),
        price=_.unit_price,
    )
    return lines.select(
        "order_id", "line_number", "product_id", "sku", "name", "category", "brand", "variant", "price", "quantity",
        "line_total",
    )  # fmt: skip


def cancellations(kept: ir.Table) -> ir.Table:
    """Return the orders that their file says are cancelled: `order_id, cancelled_at`."""
    return kept.filter(_.cancelled_at.notnull()).group_by("order_id").agg(cancelled_at=_.cancelled_at.min())


def stated_refunds(kept: ir.Table) -> ir.Table:
    """Return one draft per order that states what was sent back, in revenue terms."""
    orders = kept.filter(_.order_refund.notnull()).group_by("order_id")
    drafts = orders.agg(
        refunded_at=_.refunded_at.min(),
        received_at=_.refunded_at.min(),
        revenue=_.order_refund.max(),
        total=ibis.null(MONEY),
        currency=_.currency.min(),
        row_id=_.row_id.min(),
        by_line=ibis.literal(False),
    )
    return drafts.mutate(refund_id=_.order_id + ":refunded")


def refund_lines(kept: ir.Table) -> ir.Table:
    """Return refunded lines with the order each sends back: `refund_id, order_id, product_id, quantity, amount`.

    A refund names no order: it is matched to the same customer's latest earlier
    order with that product. A guest's, or one without such an order, stays unmatched.
    """
    returned = kept.filter(_.kind == "refund").mutate(product_id=ibis.coalesce(_.product_id, _.sku))
    asked = returned.select(
        "row_id", "order_id", "customer_id", "product_id", "currency", refunded_at=_.ordered_at,
        quantity=_.quantity.abs(), amount=_.amount.abs(), at=epoch_ms(_.ordered_at),
    )  # fmt: skip
    sold = kept.filter(_.kind == "order", _.customer_id.notnull()).select(
        buyer=_.customer_id,
        sold_product=ibis.coalesce(_.product_id, _.sku),
        sold_in=_.order_id,
        sold_at=epoch_ms(_.ordered_at),
    )
    earlier = asked.join(
        sold, [asked.customer_id == sold.buyer, asked.product_id == sold.sold_product, sold.sold_at < asked.at]
    )
    latest = ibis.window(group_by="row_id", order_by=[_.sold_at.desc(), _.sold_in.desc()])
    matched = earlier.mutate(nth=ibis.row_number().over(latest)).filter(_.nth == 0).select("row_id", "sold_in")
    joined = asked.left_join(matched, "row_id")
    return joined.mutate(refund_id=_.order_id + ":" + _.sold_in.fill_null("unmatched"), order_id=_.sold_in)


def told_again(lines: ir.Table) -> ir.Table:
    """Return the account of refunded lines that calls tell of as well: `outcome, reason, rows, amount`."""
    counted = lines.agg(rows=_.count(), amount=_.amount.sum().cast(MONEY)).filter(_.rows > 0)
    return counted.mutate(outcome=ibis.literal("duplicate"), reason=ibis.literal("refund that calls tell of"))


def refund_drafts(lines: ir.Table) -> ir.Table:
    """Return one draft per refund and order that it sends back."""
    return lines.group_by("refund_id").agg(
        order_id=_.order_id.min(),
        refunded_at=_.refunded_at.min(),
        received_at=_.refunded_at.min(),
        revenue=_.amount.sum().cast(MONEY),
        total=ibis.null(MONEY),
        currency=_.currency.min(),
        row_id=_.row_id.min(),
        by_line=ibis.literal(True),
    )


def refund_items(lines: ir.Table) -> ir.Table:
    """Return refunded lines as drafts of refund lines."""
    within = ibis.window(group_by="refund_id", order_by="row_id")
    numbered = lines.mutate(line_number=ibis.row_number().over(within) + 1)
    return numbered.select(*REFUND_LINES.names).cast(REFUND_LINES)
