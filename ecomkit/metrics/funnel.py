"""Where visits stop on the way to an order."""

from collections.abc import Sequence
from datetime import datetime

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.engines import whole_numbers
from ecomkit.metrics.attempts import attempts, counted, depths
from ecomkit.metrics.breakdown import By, read_by
from ecomkit.metrics.funnel_rules import Entry, FunnelRules, Order, Same, Unit, read_rules
from ecomkit.metrics.funnel_steps import StepLiteral
from ecomkit.metrics.ratio import SUMS, ratio_sums, share, unit_sums
from ecomkit.periods import Period


def funnel(
    events: ir.Table,
    *,
    steps: Sequence[StepLiteral],
    window_days: float | None,
    period: Period,
    as_of: datetime,
    by: By | None = None,
    order: Order = "ordered",
    entry: Entry = "restart",
    unit: Unit = "person",
    same: Same | None = None,
) -> ir.Table:
    """Count the people who reach each of several steps, in order, within a window from the first.

    An attempt starts at each step-1 event of the period and takes the earliest
    next step each time; a person's deepest attempt counts, of equally deep
    ones the earliest. Step k is reached when it comes at most `window_days` x
    24 hours after step 1, that instant included; events of equal time stand in
    the order of the steps, and one event fills one step. Later steps may fall
    after the period. Only attempts whose whole window has passed by `as_of`
    compete; people without one are immature, counted apart. The funnel tells
    what people did: an order cancelled later still fills its step.

    Each person stands in one group of a breakdown, that of the attempt that
    counts, so groups add up to the whole. What the value is at another step is
    not seen there.

    Parameters
    ----------
    events
        The shop's events (schema `EVENTS`), not cut to the period; with `same`
        its product events (schema `PRODUCT_EVENTS`).
    steps
        2 to 10 different steps, in order: event names, or an event with the
        values that columns must have, one or a list: `{"event": "Product
        Viewed", "device_type": "mobile"}`. In product events 'Order Completed'
        is each line of the order.
    window_days
        Longest time from step 1 to the last step, in days of 24 hours. None
        for sessions.
    period
        The days in which attempts start.
    as_of
        The instant at which the data ends, exclusive.
    by
        A column, for a funnel per value at step 1; or `{"last touch": column}`
        for the latest value known at any step that the attempt reached.
    order
        `ordered`: other events may lie between the steps. `strict`: no event
        of another step may; the same step again does no harm. `any`: an
        attempt starts at an event of any step, and step k is reached when
        steps 1 to k have all come in the window, in whatever order.
    entry
        `restart`: each start is an attempt. `first`: only the first start of
        the period is.
    unit
        `person`, or `session`: all steps lie in one session, which may take as
        long as it does; a call without a session, such as an order told by a
        server, fills no step. A session that may go on at `as_of` is immature.
    same
        `product_id` or `cart_id`: all steps tell of one product, or cart. A
        person with several still counts once.

    Returns
    -------
    Table
        One row per group and step, in order: the column of `by`,
        `step_number` (from 1), `step`, `people` (or `sessions`), `step_rate`
        (share of the step before, null for step 1), `overall_rate` (share of
        step 1), both 0 to 1 and null without people; `immature`, people left
        out for their youth, the same on each row of a group; then the sums of
        `cluster_sums` for both rates, prefixed with the rate's name, with the
        person as cluster.
    """
    asked = {"steps": steps, "window_days": window_days, "period": period, "as_of": as_of}
    rules = read_rules(events, **asked, order=order, entry=entry, unit=unit, same=same)
    breakdown = read_by(by, events)
    tried = attempts(events, rules)
    if breakdown is None:
        return step_rows(depths(tried, rules), rules)
    chosen = breakdown.add_to(counted(tried, rules), events, rules)
    chosen = chosen.mutate(depth=ibis.ifelse(chosen.is_mature, chosen.depth, 0))
    return step_rows(chosen, rules, by=[breakdown.column])


def step_rows(reached: ir.Table, rules: FunnelRules, *, by: Sequence[str] = ()) -> ir.Table:
    """Return a row per group and step, as `funnel` does, of people with the `depth` that they reached."""
    whose = [name for name in ("cluster",) if name in reached.columns]
    reached = reached.group_by(*by, *whose, "depth").aggregate(units=_.count())
    if not by:
        # A funnel without people has its steps, too.
        nobody = ibis.literal(0, "int64").name("depth").as_table().mutate(units=ibis.literal(0, "int64"))
        nobody = nobody.mutate(**{name: ibis.null("string") for name in whose})
        reached = ibis.union(reached, nobody.select(*reached.columns))
    rows = reached.cross_join(whole_numbers(rules.last).select(step_number=_.number + 1))

    def units(condition: ir.BooleanValue) -> ir.IntegerValue:
        return ibis.ifelse(condition, rows.units, 0).sum()

    at_step = rows.group_by(*by, *whose, "step_number").aggregate(
        people=units(rows.depth >= rows.step_number),
        before=units(rows.depth >= ibis.greatest(rows.step_number - 1, 1)),
        first=units(rows.depth >= 1),
        immature=units(rows.depth == 0),
    )
    sums = _cluster_sums(at_step, [*by, "step_number"]) if whose else at_step
    told = sums.mutate(step=ibis.cases(*((sums.step_number == k, step.label) for k, step in enumerate(rules.steps, 1))))
    rates = {
        "step_rate": ibis.ifelse(told.step_number > 1, share(told.people, told.before), ibis.null("float64")),
        "overall_rate": share(told.people, told["first"]),
    }
    if whose:
        carried = {name: told[name] for name in told.columns if name.startswith(tuple(f"{rate}_" for rate in rates))}
    else:
        carried = unit_sums(told.people, told.before, prefix="step_rate_")
        carried |= unit_sums(told.people, told["first"], prefix="overall_rate_")
    counts = {"step": told.step, rules.counted: told.people}
    return told.select(*by, "step_number", **counts, **rates, immature=told.immature, **carried).order_by(
        *by, "step_number"
    )


def last_step(rows: ir.Table) -> ir.Table:
    """Return the last step of each group of `funnel`, with the sums of its overall rate under their plain names.

    So the groups compare as those of any other rate do.
    """
    ends = rows.filter(rows.step_number == rows.step_number.max().over(ibis.window()))
    sums = {name: f"overall_rate_{name}" for name in SUMS}
    return ends.drop(*(f"step_rate_{name}" for name in SUMS)).rename(sums)


def _cluster_sums(totals: ir.Table, by: Sequence[str]) -> ir.Table:
    return totals.group_by(*by).aggregate(
        **{name: totals[name].sum() for name in ("people", "before", "first", "immature")},
        **ratio_sums(totals, "people", "before", prefix="step_rate_"),
        **ratio_sums(totals, "people", "first", prefix="overall_rate_"),
    )
