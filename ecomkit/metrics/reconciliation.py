"""Orders as tracked, held against the shop's own export."""

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.engines import local_day
from ecomkit.metrics.grains import Grain, local_span
from ecomkit.metrics.ratio import flag, share
from ecomkit.schemas import CALL_DAYS, ORDER_MATCHES, require

# Less than this between two amounts of one order is rounding.
LEAST_GAP = 0.011


def reconciliation(order_matches: ir.Table, call_days: ir.Table, *, zone: str, grain: Grain = "week") -> ir.Table:
    """Hold the orders that calls tell of against the shop's own export: coverage, missing, doubled, value gap.

    Only local days that both sides span are compared: the days from the first to the last kept call of any kind,
    and those from the first to the last order of the export. An order sent in several calls counts once
    everywhere, and is `doubled` here. A gap below 0.011 is rounding. Revenue is after discount, before shipping
    and tax, so a gap of a steady share points at a wrong money rule.

    Parameters
    ----------
    order_matches
        The shop's matches (schema `ORDER_MATCHES`); empty where it has no calls of orders or no export.
    call_days
        The shop's calls per day (schema `CALL_DAYS`): when it was tracked.
    zone
        The shop's time zone.
    grain
        `day`, `week` or `month` of the order.

    Returns
    -------
    Table
        One row per `grain`, in order: `orders_in_export`, `orders_in_calls`, `orders_in_both`, `coverage_share`
        (in both / in export, 0 to 1), `missing_in_calls`, `missing_in_export`, `doubled`, `revenue_missing` (of orders
        missing in calls), `orders_with_gap`, `value_gap` (calls less export, over orders in both, in the shop's
        currency).
    """
    require(order_matches, ORDER_MATCHES)
    require(call_days, CALL_DAYS)
    span = local_span(grain)
    days = order_matches.mutate(day=local_day(order_matches.ordered_at, zone))
    tracked = call_days.filter(_.outcome == "kept").aggregate(first_tracked=_.day.min(), last_tracked=_.day.max())
    listed = days.filter(_.in_export).aggregate(first_listed=_.day.min(), last_listed=_.day.max())
    bounded = days.cross_join(tracked).cross_join(listed)
    bounded = bounded.filter(
        _.day.between(_.first_tracked, _.last_tracked), _.day.between(_.first_listed, _.last_listed)
    )
    called, exported = bounded.calls > 0, bounded.in_export
    gap = bounded.revenue_in_calls - bounded.revenue_in_export
    marked = bounded.mutate(
        span(bounded.ordered_at, zone).name(grain),
        called=flag(called),
        exported=flag(exported),
        both=flag(called & exported),
        twice=flag(bounded.calls > 1),
        untold=ibis.ifelse(called, ibis.literal(0).cast(gap.type()), bounded.revenue_in_export),
        gap=ibis.ifelse(called & exported, gap, ibis.literal(0).cast(gap.type())),
    )
    rows = marked.group_by(grain).aggregate(
        orders_in_export=_.exported.sum(),
        orders_in_calls=_.called.sum(),
        orders_in_both=_.both.sum(),
        coverage_share=share(_.both.sum(), _.exported.sum()),
        missing_in_calls=_.exported.sum() - _.both.sum(),
        missing_in_export=_.called.sum() - _.both.sum(),
        doubled=_.twice.sum(),
        revenue_missing=_.untold.sum().coalesce(0),
        orders_with_gap=flag(_.gap.abs() >= LEAST_GAP).sum(),
        value_gap=_.gap.sum().coalesce(0),
    )
    return rows.order_by(grain)
