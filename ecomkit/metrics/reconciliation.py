"""Orders as tracked, held against the shop's own export."""

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.metrics.grains import Grain, local_span
from ecomkit.metrics.ratio import flag, share
from ecomkit.schemas import ORDER_MATCHES, require

# Less than this between two amounts of one order is rounding.
LEAST_GAP = 0.011


def reconciliation(order_matches: ir.Table, *, zone: str, grain: Grain = "week") -> ir.Table:
    """Hold the orders that calls tell of against the shop's own export: coverage, missing, doubled, value gap.

    Only days that both sides span are compared: an export that begins later says nothing of
    the days before. An order sent in several calls counts once everywhere, and is `doubled`
    here. A gap below 0.011 is rounding. Revenue is after discount, before shipping and tax, so a
    gap of a steady share points at a wrong money rule.

    Parameters
    ----------
    order_matches
        The shop's matches (schema `ORDER_MATCHES`); empty where it has no calls of orders or no export.
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
    span = local_span(grain)
    sides = order_matches.mutate(
        called_at=ibis.ifelse(_.calls > 0, _.ordered_at, ibis.null(_.ordered_at.type())),
        exported_at=ibis.ifelse(_.in_export, _.ordered_at, ibis.null(_.ordered_at.type())),
    )
    everything = ibis.window()
    bounded = sides.mutate(
        begins=ibis.greatest(_.called_at.min().over(everything), _.exported_at.min().over(everything)),
        ends=ibis.least(_.called_at.max().over(everything), _.exported_at.max().over(everything)),
    ).filter(_.ordered_at >= _.begins, _.ordered_at <= _.ends)
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
