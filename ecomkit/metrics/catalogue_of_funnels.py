"""The metrics of the catalogue that are about the way from step to step."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import ibis.expr.types as ir

from ecomkit.metrics.funnel import funnel
from ecomkit.metrics.funnel_money import funnel_money
from ecomkit.metrics.funnel_outside import purchases_outside
from ecomkit.metrics.funnel_sensitivity import funnel_sensitivity
from ecomkit.metrics.funnel_times import funnel_curve, funnel_times
from ecomkit.metrics.funnel_trend import funnel_trend
from ecomkit.metrics.metric import Metric, Tables
from ecomkit.periods import Period
from ecomkit.settings import Settings

# What the notebook asks for when nobody says otherwise.
FUNNEL_STEPS = ("Product Viewed", "Product Added", "Checkout Started", "Order Completed")
FUNNEL_WINDOW_DAYS = 7


def _attempts(period: Period) -> Period:
    # Attempts of the period itself would all be too young.
    return period.four_weeks_before(days=FUNNEL_WINDOW_DAYS)


def _steps(function: Callable[..., ir.Table], table: str = "events", **more: Any) -> Metric:
    """Return a question about the funnel, of `table`, with the notebook's steps where it is about events."""
    steps = {"steps": FUNNEL_STEPS} if table == "events" else {}

    def build(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
        asked = {"window_days": FUNNEL_WINDOW_DAYS, "period": _attempts(period), "as_of": as_of}
        return function(tables[table], **steps, **asked, **more)

    return Metric(function, (table,), build, _attempts)


FUNNEL_METRICS: dict[str, Metric] = {
    "funnel": _steps(funnel),
    "funnel_times": _steps(funnel_times),
    "funnel_curve": _steps(funnel_curve),
    "funnel_trend": _steps(funnel_trend),
    "funnel_money": _steps(funnel_money, "product_events"),
    "funnel_sensitivity": _steps(funnel_sensitivity),
    "purchases_outside": _steps(purchases_outside),
}
