"""The metrics of the catalogue that are about what visits do on their way: carts, checkouts, features, offers."""

from collections.abc import Callable
from datetime import datetime

import ibis.expr.types as ir

from ecomkit.metrics.abandonment import STAGES, abandonment, abandonment_by_step
from ecomkit.metrics.metric import Metric, Tables
from ecomkit.metrics.offers import denied_coupons, promotions
from ecomkit.metrics.searches import searches
from ecomkit.metrics.site_features import feature_use
from ecomkit.periods import Period
from ecomkit.settings import Settings


def _of_visits(function: Callable[..., ir.Table], *names: str, **asked: str) -> Metric:
    """Return a metric over the sessions that started in the period, and all that the other tables hold."""

    def build(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
        sessions = tables["sessions"]
        visits = sessions.filter(period.holds(sessions.started_at), sessions.started_at < as_of)
        return function(visits, *(tables[name] for name in names), **asked)

    return Metric(function, ("sessions", *names), build)


JOURNEY_METRICS: dict[str, Metric] = {
    "abandonment_by_step": _of_visits(abandonment_by_step, "events"),
    **{f"{stage}_abandonment": _of_visits(abandonment, "events", stage=stage) for stage in STAGES},
    "feature_use": _of_visits(feature_use, "events"),
    "searches": _of_visits(searches, "events"),
    "promotions": _of_visits(promotions, "events", "orders"),
    "denied_coupons": _of_visits(denied_coupons, "events", "orders"),
}
