"""The metrics that are about products, and how to ask them of a shop."""

from datetime import datetime

import ibis.expr.types as ir

from ecomkit.metrics.metric import Metric, Tables
from ecomkit.metrics.products import (
    amplitude_reconciliation,
    gateway_products,
    line_refunds,
    list_positions,
    pairs_looked_at,
    product_pairs,
    product_path,
    product_ranks,
    sold_without_view,
    untied_refunds,
    visit_to_order_rate_by_product,
)
from ecomkit.periods import Period
from ecomkit.settings import Settings

# What the notebook asks for when nobody says otherwise.
GATEWAY_WITHIN_DAYS = 90
VIEWED_WITHIN_DAYS = 30
# Pairs are rare, so the notebook looks back over eight times its thirteen weeks.
PAIR_WEEKS = 104

_SOLD = ("orders", "order_lines")
_BACK = (*_SOLD, "refunds", "refund_lines")


def _line_refunds(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
    return line_refunds(*(tables[name] for name in _BACK), as_of=as_of)


def _untied_refunds(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
    return untied_refunds(*(tables[name] for name in _BACK), period=period, as_of=as_of)


def _product_path(by: str | None) -> Metric:
    def build(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
        read = (tables[name] for name in ("product_events", *_BACK))
        return product_path(*read, by=by, period=period, as_of=as_of)

    return Metric(product_path, ("product_events", *_BACK), build)


def _visit_to_order_rate_by_product(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
    sessions = tables["sessions"].filter(period.holds(tables["sessions"].started_at))
    return visit_to_order_rate_by_product(
        sessions, tables["product_events"], tables["orders"], tables["order_lines"], as_of=as_of
    )


def _product_ranks(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
    return product_ranks(tables["orders"], tables["order_lines"], period=period, as_of=as_of)


def _list_positions(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
    return list_positions(tables["product_events"], period=period, as_of=as_of)


def _pair_weeks(period: Period) -> Period:
    return period.extended_back(PAIR_WEEKS)


def _product_pairs(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
    asked = {"period": _pair_weeks(period), "as_of": as_of, "min_group": settings.min_group}
    return product_pairs(tables["orders"], tables["order_lines"], **asked)


def _pairs_looked_at(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
    asked = {"period": _pair_weeks(period), "as_of": as_of, "min_group": settings.min_group}
    return pairs_looked_at(tables["orders"], tables["order_lines"], **asked)


def _gateway_products(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
    read = (tables[name] for name in (*_SOLD, "refunds", "sessions"))
    return gateway_products(*read, within_days=GATEWAY_WITHIN_DAYS, as_of=as_of, zone=settings.time_zone)


def _sold_without_view(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
    read = (tables[name] for name in ("product_events", *_SOLD))
    return sold_without_view(*read, period=period, within_days=VIEWED_WITHIN_DAYS, as_of=as_of)


def _amplitude(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
    return amplitude_reconciliation(tables["orders"], tables["order_lines"], period=period, as_of=as_of)


PRODUCT_METRICS: dict[str, Metric] = {
    "product_path": _product_path("product_id"),
    "product_path_of_all": _product_path(None),
    "line_refunds": Metric(line_refunds, _BACK, _line_refunds),
    "untied_refunds": Metric(untied_refunds, _BACK, _untied_refunds),
    "visit_to_order_rate_by_product": Metric(
        visit_to_order_rate_by_product, ("sessions", "product_events", *_SOLD), _visit_to_order_rate_by_product
    ),
    "product_ranks": Metric(product_ranks, _SOLD, _product_ranks),
    "list_positions": Metric(list_positions, ("product_events",), _list_positions),
    "product_pairs": Metric(product_pairs, _SOLD, _product_pairs, _pair_weeks),
    "pairs_looked_at": Metric(pairs_looked_at, _SOLD, _pairs_looked_at, _pair_weeks),
    "gateway_products": Metric(gateway_products, (*_SOLD, "refunds", "sessions"), _gateway_products),
    "sold_without_view": Metric(sold_without_view, ("product_events", *_SOLD), _sold_without_view),
    "amplitude_reconciliation": Metric(amplitude_reconciliation, _SOLD, _amplitude),
}
