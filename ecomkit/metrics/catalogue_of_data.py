"""The metrics of the catalogue that are about the data: what arrived, whose it is, and what it stands against."""

from collections.abc import Callable
from datetime import datetime

import ibis.expr.types as ir

from ecomkit.metrics.coverage import identity_coverage, unassigned_sources, unmatched_spend
from ecomkit.metrics.identity_audit import (
    cluster_sizes,
    first_touch_credit,
    links_by_rule,
    merging_effect,
    suspect_counts,
    suspects,
)
from ecomkit.metrics.metric import Metric, Tables
from ecomkit.metrics.quality import daily_outcomes, daily_visits, daily_volumes, filled_properties, library_days
from ecomkit.metrics.reconciliation import reconciliation
from ecomkit.periods import Period
from ecomkit.settings import Settings


def _of_tables(function: Callable[..., ir.Table], *names: str) -> Metric:
    """Return a metric that asks nothing but its tables, over all that they hold."""

    def build(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
        return function(*(tables[name] for name in names))

    return Metric(function, names, build)


def _daily_visits(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
    return daily_visits(tables["sessions"], tables["events"], zone=settings.time_zone)


def _identity_coverage(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
    sessions, orders = tables["sessions"], tables["orders"]
    return identity_coverage(
        sessions.filter(period.holds(sessions.started_at)), orders.filter(period.holds(orders.ordered_at))
    )


def _unassigned_sources(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
    sessions = tables["sessions"]
    return unassigned_sources(sessions.filter(period.holds(sessions.started_at)))


def _unmatched_spend(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
    return unmatched_spend(tables["ad_spend"], tables["sessions"], period=period)


def _reconciliation(tables: Tables, period: Period, as_of: datetime, settings: Settings) -> ir.Table:
    return reconciliation(tables["order_matches"], tables["call_days"], zone=settings.time_zone)


DATA_METRICS: dict[str, Metric] = {
    "daily_volumes": _of_tables(daily_volumes, "call_days"),
    "daily_outcomes": _of_tables(daily_outcomes, "call_days"),
    "library_days": _of_tables(library_days, "call_days"),
    "filled_properties": _of_tables(filled_properties, "property_days"),
    "daily_visits": Metric(daily_visits, ("sessions", "events"), _daily_visits),
    "links_by_rule": _of_tables(links_by_rule, "events", "identity_links"),
    "cluster_sizes": _of_tables(cluster_sizes, "identity_links"),
    "suspects": _of_tables(suspects, "events", "identity_links"),
    "suspect_counts": _of_tables(suspect_counts, "events", "identity_links"),
    "merging_effect": _of_tables(merging_effect, "events", "orders"),
    "first_touch_credit": _of_tables(first_touch_credit, "events", "sessions", "orders"),
    "identity_coverage": Metric(identity_coverage, ("sessions", "orders"), _identity_coverage),
    "unassigned_sources": Metric(unassigned_sources, ("sessions",), _unassigned_sources),
    "unmatched_spend": Metric(unmatched_spend, ("ad_spend", "sessions"), _unmatched_spend),
    "reconciliation": Metric(reconciliation, ("order_matches", "call_days"), _reconciliation),
}
