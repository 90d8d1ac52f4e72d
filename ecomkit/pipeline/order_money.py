"""What an order earned, by its sender's money rule."""

from collections.abc import Callable, Mapping

import ibis
import ibis.expr.types as ir

from ecomkit.column_types import MONEY
from ecomkit.pipeline.money import CENT
from ecomkit.pipeline.money_rules import RULES, SPEC_RULE, Beside, MoneyRule

_SENDER = ("source", "spelling")


def with_money_rule(drafts: ir.Table, *, rule: str, by_source: Mapping[str, str]) -> ir.Table:
    """Give drafts `gross, discount, revenue, order_total`, the `money_rule` they were read by and if they fit it.

    Revenue is after discount, before shipping and tax. A rule of the source counts
    first, then the shop's `rule`; `detect` asks the orders of each sender. Order files,
    which have no `spelling`, name their sums themselves and need no rule. An order
    without `revenue` has its subtotal, which is after discount by its meaning, else its
    `total` as the rule reads it, else its items less the discount. `fits_rule` is
    null where an order sends too little to tell.
    """
    stated = _stated(drafts)
    known = stated.left_join(detected_rules(stated), [*_SENDER]).drop(*(f"{name}_right" for name in _SENDER))
    detected = ibis.coalesce(known.detected, SPEC_RULE)
    by_shop = detected if rule == "detect" else ibis.literal(rule)
    cases = [
        # A source of several schemas has its name before each.
        (
            (known.source == source) | known.source.startswith(f"{source}/"),
            detected if own == "detect" else ibis.literal(own),
        )
        for source, own in by_source.items()
    ]
    ruled = known.mutate(money_rule=ibis.cases(*cases, (known.spelling == "", SPEC_RULE), else_=by_shop))
    sums = {
        "revenue": _by_rule(ruled, _revenue),
        "gross_by_items": _by_rule(ruled, lambda orders, known: _plus(orders.items, orders, _listed(known))),
        "paid": _by_rule(ruled, _paid),
        "fits_rule": _by_rule(ruled, _fits),
    }
    read = ruled.mutate(**sums)
    gross = ibis.coalesce(read.gross_by_items, read.revenue + read.off)
    return read.mutate(
        gross=gross,
        discount=ibis.coalesce(read.discount, ibis.greatest(gross - read.revenue, 0)),
        order_total=ibis.coalesce(read.paid, read.revenue + read.shipped + read.taxed),
    ).drop("gross_by_items", "paid", "items", "off", "shipped", "taxed", "detected")


def detected_rules(stated: ir.Table) -> ir.Table:
    """Return the rule that the orders of each sender fit best: `source, spelling, detected`.

    A sender is a source and its spelling of the event: a shop that moved from the
    spec's first version to its second has both in one source. An order whose `revenue`
    is what a rule says speaks twice for it, since revenue is what counts, and once
    where its `total` is. Without items, the difference of the two speaks once.
    """
    candidates = [known for known in RULES if known.is_detected]
    votes = {known.name: _votes(stated, known).sum() for known in candidates}
    counted = stated.group_by(*_SENDER).agg(**votes)
    best = ibis.greatest(*(counted[name] for name in votes))
    detected = ibis.cases(*((counted[name] == best, name) for name in votes), else_=SPEC_RULE)
    return counted.select(*_SENDER, detected=detected)


def _stated(drafts: ir.Table) -> ir.Table:
    # Items of which one has no price are no sum to measure others by.
    return drafts.mutate(
        items=ibis.ifelse(drafts.lines_priced, drafts.lines_gross.try_cast(MONEY), ibis.null(MONEY)),
        off=drafts.discount.fill_null(0),
        shipped=drafts.shipping.fill_null(0),
        taxed=drafts.tax.fill_null(0),
        spelling=drafts.spelling.fill_null(""),
    )


def _votes(orders: ir.Table, known: MoneyRule) -> ir.IntegerValue:
    by_revenue = _is_cent(orders.revenue, _plus(orders.items, orders, known.revenue)).fill_null(False)
    by_total = _is_cent(orders.total, _plus(orders.items, orders, known.total)).fill_null(False)
    between = _difference_fits(orders, known).fill_null(False) & orders.items.isnull()
    return 2 * by_revenue.cast("int64") + by_total.cast("int64") + between.cast("int64")


def _fits(orders: ir.Table, known: MoneyRule) -> ir.BooleanValue:
    by_revenue = _is_cent(orders.revenue, _plus(orders.items, orders, known.revenue))
    by_total = _is_cent(orders.total, _plus(orders.items, orders, known.total))
    by_file = orders.spelling == ""
    nothing_told = orders.items.isnull() | (orders.revenue.isnull() & orders.total.isnull())
    told = by_revenue.fill_null(True) & by_total.fill_null(True)
    return ibis.cases((by_file, ibis.null(bool)), (nothing_told, _difference_fits(orders, known)), else_=told)


def _difference_fits(orders: ir.Table, known: MoneyRule) -> ir.BooleanValue:
    return _is_cent(orders.total, _plus(orders.revenue, orders, known.total.less(known.revenue)))


def _revenue(orders: ir.Table, known: MoneyRule) -> ir.DecimalValue:
    by_revenue = _corrected(orders.revenue, orders, known.goods.less(known.revenue))
    by_total = _corrected(orders.total, orders, known.goods.less(known.total))
    # A subtotal is after discount, at the prices that are shown.
    by_subtotal = _corrected(orders.subtotal, orders, Beside(tax=known.goods.tax))
    by_items = _corrected(orders.lines_gross.try_cast(MONEY).fill_null(0), orders, known.goods)
    sent = (by_revenue, by_total, by_subtotal) if known.prices_hold_tax else (by_revenue, by_subtotal, by_total)
    return ibis.coalesce(*sent, by_items)


def _paid(orders: ir.Table, known: MoneyRule) -> ir.DecimalValue:
    charged = Beside(known.goods.discount, known.goods.shipping + 1, known.goods.tax + 1)
    return _corrected(orders.total, orders, charged.less(known.total))


def _listed(known: MoneyRule) -> Beside:
    # Before discount, and without tax: gross less the discount is the revenue.
    return Beside(discount=known.goods.discount + 1, tax=known.goods.tax)


def _corrected(sent: ir.DecimalValue, orders: ir.Table, parts: Beside) -> ir.DecimalValue:
    # What was sent may be below zero; what a rule takes off does not bring it there.
    read = ibis.greatest(_plus(sent, orders, parts), ibis.least(sent, 0))
    return ibis.ifelse(sent.notnull(), read, ibis.null(MONEY)) if any(parts) else sent


def _plus(amount: ir.DecimalValue, orders: ir.Table, parts: Beside) -> ir.DecimalValue:
    for part, value in zip(parts, (orders.off, orders.shipped, orders.taxed), strict=True):
        if part:
            amount = amount + value if part > 0 else amount - value
    return amount


def _is_cent(sent: ir.DecimalValue, held: ir.DecimalValue) -> ir.BooleanValue:
    return (sent - held).abs() <= CENT


def _by_rule(ruled: ir.Table, read: Callable[[ir.Table, MoneyRule], ir.Value]) -> ir.Value:
    return ibis.cases(*((ruled.money_rule == known.name, read(ruled, known)) for known in RULES))
