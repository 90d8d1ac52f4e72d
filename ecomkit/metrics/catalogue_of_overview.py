"""The metrics of the catalogue that say why net revenue moved, and what is taken off on the way to it."""

from datetime import datetime

import ibis.expr.types as ir

from ecomkit.metrics.bridge import bridge_sums, bridge_sums_by, with_customer_kind
from ecomkit.metrics.bridge_of_lines import bridge_category_sums
from ecomkit.metrics.metric import Metric, Tables
from ecomkit.metrics.order_ladder import order_ladder
from ecomkit.periods import Period
from ecomkit.settings import Settings


def _both(period: Period) -> list[Period]:
    return [period.before(), period]


def _bridge_sums(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
    return bridge_sums(tables["orders"], tables["refunds"], tables["sessions"], periods=_both(period), as_of=as_of)


def _bridge_sums_by(by: str) -> Metric:
    def build(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
        orders, sessions = tables["orders"], tables["sessions"]
        if by == "customer_kind":
            sessions = with_customer_kind(sessions, orders, as_of=as_of)
        return bridge_sums_by(orders, sessions, by=by, periods=_both(period), as_of=as_of)

    return Metric(bridge_sums_by, ("orders", "sessions"), build)


def _bridge_category_sums(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
    return bridge_category_sums(
        tables["orders"], tables["order_lines"], tables["sessions"], periods=_both(period), as_of=as_of
    )


def _order_ladder(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
    read = (tables["orders"], tables["refunds"])
    return order_ladder(*read, periods=_both(period), as_of=as_of, margin=settings.margin)


OVERVIEW_METRICS: dict[str, Metric] = {
    "bridge_sums": Metric(bridge_sums, ("orders", "refunds", "sessions"), _bridge_sums),
    "bridge_sums_by_channel": _bridge_sums_by("channel"),
    "bridge_sums_by_customer_kind": _bridge_sums_by("customer_kind"),
    "bridge_category_sums": Metric(bridge_category_sums, ("orders", "order_lines", "sessions"), _bridge_category_sums),
    "order_ladder": Metric(order_ladder, ("orders", "refunds"), _order_ladder),
}
