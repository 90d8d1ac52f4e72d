"""Every metric of the kit by name, and how to ask it of a shop."""

from collections.abc import Callable
from datetime import datetime, timedelta

import ibis.expr.types as ir

from ecomkit.metrics.acquisition import KINDS, cac, cac_of_every_kind, new_customers
from ecomkit.metrics.catalogue_of_data import DATA_METRICS
from ecomkit.metrics.catalogue_of_funnels import FUNNEL_METRICS
from ecomkit.metrics.catalogue_of_journeys import JOURNEY_METRICS
from ecomkit.metrics.catalogue_of_overview import OVERVIEW_METRICS
from ecomkit.metrics.catalogue_of_products import PRODUCT_METRICS
from ecomkit.metrics.catalogue_of_sales import SALES_METRICS
from ecomkit.metrics.clv_summary import clv_holdout, clv_summary, realised_value
from ecomkit.metrics.customers import new_and_returning
from ecomkit.metrics.metric import Metric, Tables
from ecomkit.metrics.payback import contribution_so_far
from ecomkit.metrics.retention import cohort_retention, repeat_purchase_rate, retention_curve
from ecomkit.metrics.sales import aov, net_revenue, sales
from ecomkit.metrics.visits import visit_to_order_rate
from ecomkit.periods import Period, day_start, local_date
from ecomkit.settings import Settings

# What the notebooks ask for when nobody says otherwise.
REPEAT_WITHIN_DAYS = 90
HORIZON_DAYS = 365
HOLDOUT_DAYS = 182


def _net_revenue(view: str) -> Metric:
    def build(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
        rows = net_revenue(tables["orders"], tables["refunds"], as_of=as_of, view=view)
        return rows.filter(period.holds(rows["booked_at" if view == "cash" else "ordered_at"]))

    return Metric(net_revenue, ("orders", "refunds"), build)


def _sales(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
    return sales(tables["orders"], tables["refunds"], zone=settings.time_zone, as_of=as_of)


def _aov(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
    orders = tables["orders"]
    return aov(orders.filter(period.holds(orders.ordered_at), orders.ordered_at < as_of))


def _visit_to_order_rate(by: str | None) -> Metric:
    def build(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
        sessions = tables["sessions"]
        return visit_to_order_rate(
            sessions.filter(period.holds(sessions.started_at), sessions.started_at < as_of), by=by
        )

    return Metric(visit_to_order_rate, ("sessions",), build)


def _new_and_returning(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
    return new_and_returning(
        tables["orders"],
        tables["refunds"],
        zone=settings.time_zone,
        as_of=as_of,
        look_back_days=settings.new_customer_look_back_days,
    )


def _repeat_purchase_rate(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
    return repeat_purchase_rate(tables["orders"], within_days=REPEAT_WITHIN_DAYS, as_of=as_of, zone=settings.time_zone)


def _cohort_retention(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
    return cohort_retention(tables["orders"], as_of=as_of, zone=settings.time_zone)


def _retention_curve(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
    return retention_curve(_cohort_retention(tables, period, as_of, settings))


def _new_customers(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
    return new_customers(
        tables["orders"],
        tables["sessions"],
        period=period,
        look_back_days=settings.new_customer_look_back_days,
    )


def _cac(function: Callable[..., ir.Table], **kind: str) -> Metric:
    def build(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
        return function(
            tables["orders"],
            tables["sessions"],
            tables["ad_spend"],
            period=period,
            look_back_days=settings.new_customer_look_back_days,
            monthly_fees=settings.monthly_fees,
            **kind,
        )

    return Metric(function, ("orders", "sessions", "ad_spend"), build)


def _contribution_so_far(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
    return contribution_so_far(
        _new_customers(tables, period, as_of, settings),
        tables["orders"],
        tables["refunds"],
        horizon_days=HORIZON_DAYS,
        margin=settings.margin,
        as_of=as_of,
    )


def _clv_summary(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
    return clv_summary(tables["orders"], tables["refunds"], as_of=as_of, zone=settings.time_zone)


def _realised_value(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
    return realised_value(_clv_summary(tables, period, as_of, settings))


def _clv_holdout(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
    zone = settings.time_zone
    return clv_holdout(
        tables["orders"],
        tables["refunds"],
        calibration_end=day_start(local_date(as_of, zone) - timedelta(days=HOLDOUT_DAYS), zone),
        as_of=as_of,
        zone=zone,
    )


METRICS: dict[str, Metric] = {
    "net_revenue": _net_revenue("cash"),
    "net_revenue_by_order": _net_revenue("order"),
    "sales": Metric(sales, ("orders", "refunds"), _sales),
    "aov": Metric(aov, ("orders",), _aov),
    "visit_to_order_rate": _visit_to_order_rate(None),
    "visit_to_order_rate_by_channel": _visit_to_order_rate("channel"),
    "new_and_returning": Metric(new_and_returning, ("orders", "refunds"), _new_and_returning),
    **FUNNEL_METRICS,
    "repeat_purchase_rate": Metric(repeat_purchase_rate, ("orders",), _repeat_purchase_rate),
    "cohort_retention": Metric(cohort_retention, ("orders",), _cohort_retention),
    "retention_curve": Metric(retention_curve, ("orders",), _retention_curve),
    "new_customers": Metric(new_customers, ("orders", "sessions"), _new_customers),
    **{f"cac_{kind}": _cac(cac, kind=kind) for kind in KINDS},
    "cac_of_every_kind": _cac(cac_of_every_kind),
    "contribution_so_far": Metric(contribution_so_far, ("orders", "refunds", "sessions"), _contribution_so_far),
    "clv_summary": Metric(clv_summary, ("orders", "refunds"), _clv_summary),
    "realised_value": Metric(realised_value, ("orders", "refunds"), _realised_value),
    "clv_holdout": Metric(clv_holdout, ("orders", "refunds"), _clv_holdout),
    **SALES_METRICS,
    **DATA_METRICS,
    **OVERVIEW_METRICS,
    **PRODUCT_METRICS,
    **JOURNEY_METRICS,
}
