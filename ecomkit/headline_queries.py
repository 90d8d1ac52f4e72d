"""The headlines of many weeks, each group by one query: what `headline_values` says week by week, in less time."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from ecomkit.engines import local_month, local_week
from ecomkit.errors import NotEnoughDataError
from ecomkit.frames import to_frame
from ecomkit.metrics.of_periods import (
    blended_cac_of_periods,
    clv_summary_of_days,
    funnel_of_periods,
    identity_coverage_of_periods,
)
from ecomkit.metrics.own_weeks import orders_of_own_weeks, refunds_of_own_weeks
from ecomkit.metrics.products import product_path
from ecomkit.metrics.products.grouping import product_key
from ecomkit.metrics.retention import repeat_purchase_rate
from ecomkit.metrics.sales import sales
from ecomkit.metrics.visits import visit_to_order_rate
from ecomkit.models.clv import fit_clv
from ecomkit.periods import Period
from ecomkit.shop import Shop

# Headline -> its value in each of the weeks asked for.
Columns = dict[str, list[Any]]


def of_quality(shop: Shop, weeks: Sequence[Period], told: Mapping[str, Any]) -> Columns:
    """Return how many orders and sessions are of known people, over the `weeks` up to each week."""
    periods = [week.extended_back(told["weeks"]) for week in weeks]
    rows = to_frame(identity_coverage_of_periods(shop.sessions, shop.orders, periods=periods)).set_index("number")
    return _columns(rows, range(len(weeks)), "identified_orders_share", "identified_sessions_share")


def of_overview(shop: Shop, weeks: Sequence[Period], told: Mapping[str, Any]) -> Columns:
    """Return what each week earned, as known at its own end."""
    orders = orders_of_own_weeks(shop.orders, zone=shop.zone)
    refunds = refunds_of_own_weeks(shop.refunds, shop.orders, zone=shop.zone)

    def ask(days: int, span: Period) -> pd.DataFrame:
        near = orders.filter(span.holds(orders.ordered_at)), refunds.filter(span.holds(refunds.refunded_at))
        return to_frame(sales(*near, zone=shop.zone, as_of=span.end_at, weekdays=days))

    return _columns(_by_week(shop, weeks, ask), _mondays(weeks), "net_revenue", "revenue", "orders", "aov")


def of_visits(shop: Shop, weeks: Sequence[Period], told: Mapping[str, Any]) -> Columns:
    """Return how many sessions of each week ended in an order."""

    def ask(days: int, span: Period) -> pd.DataFrame:
        visits = shop.sessions.filter(span.holds(shop.sessions.started_at))
        return to_frame(visit_to_order_rate(visits, grain="week", zone=shop.zone, weekdays=days))

    return _columns(_by_week(shop, weeks, ask), _mondays(weeks), "visit_to_order_rate")


def of_funnel(shop: Shop, weeks: Sequence[Period], told: Mapping[str, Any]) -> Columns:
    """Return how many people of the four weeks before each week's last `window_days` reached the last step."""
    periods = [week.four_weeks_before(days=told["window_days"]) for week in weeks]
    asked = {"steps": told["steps"], "window_days": told["window_days"], "as_of": [week.end_at for week in weeks]}
    rows = to_frame(funnel_of_periods(shop.events, periods=periods, **asked))
    rows = rows[rows["step_number"] == len(told["steps"])].set_index("number")
    rows = rows.rename(columns={"overall_rate": "funnel_overall_rate"})
    return _columns(rows, range(len(weeks)), "funnel_overall_rate")


def of_products(shop: Shop, weeks: Sequence[Period], told: Mapping[str, Any]) -> Columns:
    """Return how many looks at a product of each week ended in its order, and the units sold.

    With its week in its id, a product of two weeks is two, and what lies in one week never meets the other.
    """
    span, zone = weeks[0].until(weeks[-1]), shop.zone
    orders = orders_of_own_weeks(shop.orders, zone=zone)
    orders = orders.filter(span.holds(orders.ordered_at))
    seen = shop.product_events.filter(span.holds(shop.product_events.occurred_at))
    seen = seen.mutate(product_id=_in_week(seen, "occurred_at", zone))
    dated = shop.order_lines.inner_join(orders.select("order_id", "ordered_at"), "order_id")
    lines = dated.mutate(product_id=_in_week(dated, "ordered_at", zone)).select(*shop.order_lines.columns)
    nothing = shop.refunds.limit(0), shop.refund_lines.limit(0)
    path = product_path(seen, orders, lines, *nothing, by="product_id", period=span, as_of=span.end_at)
    is_named = path.product_id.length() > _WEEK_DIGITS
    sums = path.group_by(week=path.product_id.left(_WEEK_DIGITS)).aggregate(
        units=_.units.sum(), viewed=_.people_viewed.sum(where=is_named), ordered=_.people_ordered.sum(where=is_named)
    )
    rows = to_frame(sums)
    rows["view_to_order_rate"] = rows["ordered"] / rows["viewed"].where(rows["viewed"] > 0)
    keys = [str(week.start) for week in weeks]
    columns = _columns(rows.set_index("week"), keys, "view_to_order_rate", "units")
    # Without a row nobody looked at a product and none was sold.
    return columns | {"units": [0 if units is None else units for units in columns["units"]]}


def of_repurchase(shop: Shop, weeks: Sequence[Period], told: Mapping[str, Any]) -> Columns:
    """Return how many customers of each week's newest three cohorts with a whole window came back in it.

    A customer belongs to every week from the first one at whose end the window has passed.
    """
    orders, zone = shop.orders, shop.zone
    window = timedelta(days=told["within_days"])
    ripe = ibis.cases(
        *((orders.ordered_at < week.end_at - window, number) for number, week in enumerate(weeks)), else_=len(weeks)
    )
    month = local_month(orders.ordered_at, zone).cast("string")
    orders = orders.mutate(cohort_and_week=month + "|" + ripe.cast("string"))
    asked = {"within_days": told["within_days"], "as_of": weeks[-1].end_at, "zone": zone, "by": "cohort_and_week"}
    rows = to_frame(repeat_purchase_rate(orders, **asked))
    parts = rows["cohort_and_week"].str.split("|")
    rows = rows.assign(cohort_month=parts.str[0], week=parts.str[1].astype("int64"))
    rates = []
    for number in range(len(weeks)):
        ripened = rows[rows["week"] <= number].groupby("cohort_month")[["customers", "repeat_customers"]].sum()
        newest = ripened.tail(3).sum()
        rates.append(newest["repeat_customers"] / newest["customers"] if len(ripened) else None)
    return {"repeat_purchase_rate": rates}


def of_clv(shop: Shop, weeks: Sequence[Period], told: Mapping[str, Any]) -> Columns:
    """Return what customers known at the end of each week are expected to bring, each.

    The newest week is fitted as the notebook fits it, every other from where the week after it ended.
    """
    days = [week.end_at for week in weeks]
    summaries = to_frame(clv_summary_of_days(shop.orders, shop.refunds, as_of=days, zone=shop.zone))
    asked = told["horizon_days"], told["yearly_discount_rate"], shop.settings.margin
    values, near = [], None
    for number in reversed(range(len(weeks))):
        summary = summaries[summaries["number"] == number].drop(columns="number").reset_index(drop=True)
        try:
            near = fit_clv(summary, near=near)
            values.append(near.clv(*asked)["clv"].mean())
        except NotEnoughDataError:
            near = None
            values.append(None)
    return {"clv_per_customer": values[::-1]}


def of_acquisition(shop: Shop, weeks: Sequence[Period], told: Mapping[str, Any]) -> Columns:
    """Return the new customers of the `weeks` up to each week, and what one cost."""
    periods = [week.extended_back(told["weeks"]) for week in weeks]
    asked = {"periods": periods, "look_back_days": shop.settings.new_customer_look_back_days}
    rows = to_frame(blended_cac_of_periods(shop.orders, shop.ad_spend, **asked)).set_index("number")
    columns = _columns(rows.rename(columns={"cac": "cac_blended"}), range(len(weeks)), "new_customers", "cac_blended")
    # Without a row there was no spend and nobody new; in a row that is there, none is not known.
    new = [count if number in rows.index else 0 for number, count in enumerate(columns["new_customers"])]
    return columns | {"new_customers": new}


# Who answers each group of headlines, what the filters of its notebook are about, and the headlines.
GROUPS: Sequence[tuple[Callable[[Shop, Sequence[Period], Mapping[str, Any]], Columns], str, tuple[str, ...]]] = (
    (of_quality, "orders", ("identified_orders_share", "identified_sessions_share")),
    (of_overview, "orders", ("net_revenue", "revenue", "orders", "aov")),
    (of_visits, "orders", ("visit_to_order_rate",)),
    (of_funnel, "orders", ("funnel_overall_rate",)),
    (of_products, "orders", ("view_to_order_rate", "units")),
    (of_repurchase, "customers", ("repeat_purchase_rate",)),
    (of_clv, "customers", ("clv_per_customer",)),
    (of_acquisition, "customers", ("new_customers", "cac_blended")),
)

# Letters of a Monday.
_WEEK_DIGITS = 10


def _in_week(table: ir.Table, instant: str, zone: str) -> ir.StringValue:
    """Return what a row's product is known by, behind the Monday of its local week; the Monday alone without one."""
    monday = local_week(table[instant], zone).cast("string")
    return monday + ibis.coalesce("|" + product_key(table), "")


def _by_week(shop: Shop, weeks: Sequence[Period], ask: Callable[[int, Period], pd.DataFrame]) -> pd.DataFrame:
    """Ask for whole weeks at once, and by itself for one of which only some days are over; by the week's Monday."""
    frames = []
    for days in sorted({week.weekdays_over(shop.data_end) for week in weeks}):
        alike = [week for week in weeks if week.weekdays_over(shop.data_end) == days]
        rows = ask(days, alike[0].until(alike[-1]))
        frames.append(rows[rows["week"].isin(_mondays(alike))])
    return pd.concat(frames).set_index("week")


def _mondays(weeks: Sequence[Period]) -> list[pd.Timestamp]:
    return [pd.Timestamp(week.start) for week in weeks]


def _columns(rows: pd.DataFrame, keys: Sequence[Any], *names: str) -> Columns:
    """Return the columns `names` at `keys`, None where the frame has no such row."""
    return {name: [rows[name].get(key) for key in keys] for name in names}
