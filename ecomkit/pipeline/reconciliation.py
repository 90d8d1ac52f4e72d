"""Orders as calls tell them beside the same orders in the shop's own export."""

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.column_types import MONEY
from ecomkit.engines import local_day
from ecomkit.pipeline.money import converted, in_shop_currency
from ecomkit.schemas import ORDER_MATCHES


def order_matches(
    priced: ir.Table, called: ir.Table, exported: ir.Table, rates: ir.Table, *, zone: str, currency: str
) -> ir.Table:
    """Return the canonical table `order_matches`: every order that calls or the export tell of.

    Parameters
    ----------
    priced
        All orders with their revenue in the shop's currency; those of calls count as calls tell them.
    called, exported
        The drafts of the orders of each side; `copies` of `called` says how many calls sent an order.
    rates
        For exported orders in other currencies; without a rate the export's revenue is null.
    """
    in_calls = called.select("order_id", "copies").join(
        priced.select("order_id", called_at=_.ordered_at, revenue_in_calls=_.revenue), "order_id"
    )
    rated = converted(exported, rates, day=local_day(exported.ordered_at, zone), currency=currency)
    in_export = rated.select(
        "order_id", exported_at=_.ordered_at, revenue_in_export=in_shop_currency(_.revenue, _.rate)
    )
    both = in_calls.outer_join(in_export, "order_id")
    return both.select(
        order_id=ibis.coalesce(_.order_id, _.order_id_right),
        ordered_at=ibis.coalesce(_.called_at, _.exported_at),
        calls=_.copies.fill_null(0),
        in_export=_.exported_at.notnull(),
        revenue_in_calls=_.revenue_in_calls.cast(MONEY),
        revenue_in_export=_.revenue_in_export.cast(MONEY),
    ).cast(ORDER_MATCHES)
