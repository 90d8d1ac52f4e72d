"""The metrics that split and size sales, and how to ask them of a shop."""

from datetime import datetime

import ibis.expr.types as ir

from ecomkit.metrics.metric import Metric, Tables
from ecomkit.metrics.order_sizes import order_value_steps, units_per_order
from ecomkit.metrics.product_mix import product_mix
from ecomkit.metrics.sales_by import OF_LINES, OF_ORDERS, sales_by
from ecomkit.periods import Period
from ecomkit.settings import Settings

# The notebook takes a step from the median; a card has no data to take it from.
VALUE_STEP = 10.0


def _placed(tables: Tables, period: Period) -> ir.Table:
    orders = tables["orders"]
    return orders.filter(period.holds(orders.ordered_at))


def _sales_by(by: str) -> Metric:
    def build(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
        read = (tables["orders"], tables["order_lines"], tables["refunds"], tables["sessions"])
        return sales_by(*read, by=by, period=period, as_of=as_of)

    return Metric(sales_by, ("orders", "order_lines", "refunds", "sessions"), build)


def _units_per_order(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
    return units_per_order(_placed(tables, period), tables["order_lines"], as_of=as_of)


def _order_value_steps(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
    return order_value_steps(_placed(tables, period), step=VALUE_STEP, as_of=as_of)


def _product_mix(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
    return product_mix(tables["orders"], tables["refunds"], tables["order_lines"], as_of=as_of)


SALES_METRICS: dict[str, Metric] = {
    **{f"sales_by_{by}": _sales_by(by) for by in OF_ORDERS + OF_LINES},
    "units_per_order": Metric(units_per_order, ("orders", "order_lines"), _units_per_order),
    "order_value_steps": Metric(order_value_steps, ("orders",), _order_value_steps),
    "product_mix": Metric(product_mix, ("orders", "refunds", "order_lines"), _product_mix),
}
