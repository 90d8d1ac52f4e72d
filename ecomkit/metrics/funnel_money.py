"""The money that enters each step of a funnel, and that does not go on."""

from collections.abc import Sequence
from datetime import datetime

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.engines import whole_numbers
from ecomkit.metrics.attempts import attempts, counted, keys, told_steps
from ecomkit.metrics.funnel_rules import Entry, Order, read_rules
from ecomkit.metrics.funnel_steps import StepLiteral
from ecomkit.metrics.ratio import share
from ecomkit.periods import Period

# The steps that tell of one product, and so have a price.
PRODUCT_STEPS = ("Product Viewed", "Product Added", "Product Purchased")


def funnel_money(
    product_events: ir.Table,
    *,
    steps: Sequence[StepLiteral] = PRODUCT_STEPS,
    window_days: float,
    period: Period,
    as_of: datetime,
    order: Order = "ordered",
    entry: Entry = "restart",
) -> ir.Table:
    """Sum up the money that enters each step of a funnel per product, and what is lost there.

    An attempt is of one person at one product, by the rules of `funnel` with
    `same="product_id"`; here each person and product counts, not each person
    once. It is worth price x quantity as the deepest step that it reached told
    them: a view is of one piece, an addition of as many as went into the cart.
    What enters a step is the worth of all attempts that reached it, so what is
    lost at the steps and what reached the end add up to what entered. It is
    what was looked at and not bought, not revenue that could have been had;
    prices are as they were sent, before discounts of the order.

    Parameters
    ----------
    product_events
        The shop's product events (schema `PRODUCT_EVENTS`), not cut to the
        period.
    steps, window_days, period, as_of, order, entry
        As `funnel` takes them, with steps that tell of one product.

    Returns
    -------
    Table
        One row per step, in order: `step_number`, `step`, `attempts` (of a
        person at a product), `entering` and `lost` (money that reached the
        step, and of it what went no further; nothing is lost at the last),
        `lost_share` (of what entered, 0 to 1; null without money), `unpriced`
        (attempts whose deepest step told no price: they are worth nothing
        here), `immature` (attempts too young to count).
    """
    asked = {"steps": steps, "window_days": window_days, "period": period, "as_of": as_of}
    rules = read_rules(product_events, **asked, order=order, entry=entry, same="product_id")
    chosen = counted(attempts(product_events, rules), rules, per=keys(rules))
    chosen = chosen.mutate(depth=ibis.ifelse(chosen.is_mature, chosen.depth, 0))
    worth = product_events.price * product_events.quantity.coalesce(1)
    told = told_steps(product_events, rules, worth=worth)
    # A view or an addition told twice in one instant is one; lines of one order are as many as they are.
    of_lines = [number for number, step in enumerate(rules.steps, 1) if step.event == "Product Purchased"]
    told = told.group_by(*keys(rules), "step_number", "told_at").aggregate(once=_.worth.max(), lines=_.worth.sum())
    told = told.mutate(worth=ibis.ifelse(told.step_number.isin(of_lines), told.lines, told.once)).drop("once", "lines")
    told = told.rename({f"told_{name}": name for name in keys(rules)}, told_step="step_number", told_worth="worth")
    at_deepest = ibis.cases(*((chosen.depth == k, chosen[f"step_{k}_at"]) for k in range(1, rules.last + 1)))
    asking = chosen.mutate(deepest_at=at_deepest)
    priced = asking.left_join(
        told,
        [
            *(asking[name] == told[f"told_{name}"] for name in keys(rules)),
            asking.depth == told.told_step,
            asking.deepest_at == told.told_at,
        ],
    )
    depths = priced.group_by("depth").aggregate(
        number=_.count(),
        money=_.told_worth.sum().coalesce(ibis.literal(0).cast(worth.type())),
        unpriced=_.count(where=_.told_worth.isnull()),
    )
    steps_of = whole_numbers(rules.last).select(step_number=_.number + 1)
    rows = steps_of.cross_join(depths)

    def summed(column: str, condition: ir.BooleanValue) -> ir.NumericValue:
        return ibis.ifelse(condition, rows[column], ibis.literal(0).cast(rows[column].type())).sum()

    goes_on = rows.step_number < rules.last
    counts = rows.group_by("step_number").aggregate(
        attempts=summed("number", rows.depth >= rows.step_number),
        entering=summed("money", rows.depth >= rows.step_number),
        lost=summed("money", (rows.depth == rows.step_number) & goes_on),
        unpriced=summed("unpriced", rows.depth >= rows.step_number),
        immature=summed("number", rows.depth == 0),
    )
    told_rows = steps_of.rename(of_step="step_number").left_join(counts, _.of_step == counts.step_number)
    nothing = ibis.literal(0).cast(worth.type())
    number = told_rows.of_step
    return told_rows.select(
        step_number=number,
        step=ibis.cases(*((number == k, step.label) for k, step in enumerate(rules.steps, 1))),
        attempts=told_rows.attempts.coalesce(0),
        entering=told_rows.entering.coalesce(nothing),
        lost=told_rows.lost.coalesce(nothing),
        lost_share=share(told_rows.lost, told_rows.entering),
        unpriced=told_rows.unpriced.coalesce(0),
        immature=told_rows.immature.coalesce(0),
    ).order_by("step_number")
