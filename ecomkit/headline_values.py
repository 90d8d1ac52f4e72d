"""What every headline of the report is in a week, and was in the weeks before."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ecomkit.errors import NotEnoughDataError
from ecomkit.frames import observed, row_of_week, to_frame
from ecomkit.headline_queries import GROUPS
from ecomkit.headlines import ten_digits
from ecomkit.metrics.acquisition import cac
from ecomkit.metrics.clv_summary import clv_summary
from ecomkit.metrics.coverage import identity_coverage
from ecomkit.metrics.funnels import funnel
from ecomkit.metrics.products import product_path
from ecomkit.metrics.retention import repeat_purchase_rate
from ecomkit.metrics.sales import sales
from ecomkit.metrics.visits import visit_to_order_rate
from ecomkit.models.clv import fit_clv
from ecomkit.periods import Period
from ecomkit.shop import Shop

Values = dict[str, float | int | None]

# The notebooks' own defaults; `tests/test_headline_values.py` holds them to the parameters cells.
DEFAULTS: Mapping[str, Any] = {
    "weeks": 13,
    "steps": ["Product Viewed", "Product Added", "Checkout Started", "Order Completed"],
    "window_days": 7,
    "within_days": 90,
    "horizon_days": 365,
    "yearly_discount_rate": 0.1,
}


def headline_values(shop: Shop, period: Period, told: Mapping[str, Any]) -> Values:
    """Return what the report of a week says of each headline: the same number, to ten digits.

    Nothing at or after the end of the week is known. Of a week that is not over the numbers are those of its first
    days, where its notebook counts them so.

    Parameters
    ----------
    shop
        The opened shop, with the filters of the report. They pick customers where the notebook opens it so.
    period
        The week.
    told
        Parameters of the notebooks by name, as a report takes them: `{"weeks": 8}`. What is absent is as the
        notebooks have it; what no headline depends on is passed over.

    Returns
    -------
    dict
        Headline -> value, None where it is not observed: money in the shop's currency, rates 0 to 1.
    """
    asked = {**DEFAULTS, **told}
    return {name: ten_digits(value) for group in _GROUPS for name, value in group(shop, period, asked).items()}


def headline_history(
    shop: Shop, period: Period, told: Mapping[str, Any], *, weeks: int = 13, names: Collection[str] | None = None
) -> dict[str, list[tuple[str, float | int | None]]]:
    """Return what the report of each of the last weeks says of each headline, oldest first and `period` last.

    Weeks that began before the shop's data are left out.

    Parameters
    ----------
    shop, period, told
        As `headline_values` takes them.
    weeks
        How many weeks, the one of `period` included.
    names
        The headlines that are asked for; those that share a query come with them. All by default.

    Returns
    -------
    dict
        Headline -> (the week's name, the value or None) per week.
    """
    shown = [period.before(back) for back in reversed(range(weeks))]
    shown = [week for week in shown if shop.first_day is not None and week.start >= shop.first_day]
    if not shown:
        return {}
    asked = {**DEFAULTS, **told}
    columns: dict[str, list[Any]] = {}
    for answer, select, headlines in GROUPS:
        if names is not None and not set(names) & set(headlines):
            continue
        part = replace(shop, filters=replace(shop.filters, select=select))
        columns |= answer(part, shown, asked)
    labels = [week.label for week in shown]
    return {name: list(zip(labels, map(ten_digits, values), strict=True)) for name, values in columns.items()}


def _of_quality(shop: Shop, period: Period, told: Mapping[str, Any]) -> Values:
    shown = period.extended_back(told["weeks"])
    sessions = shop.sessions.filter(shown.holds(shop.sessions.started_at))
    orders = shop.orders.filter(shown.holds(shop.orders.ordered_at))
    return _read(
        to_frame(identity_coverage(sessions, orders)).iloc[0], "identified_orders_share", "identified_sessions_share"
    )


def _of_overview(shop: Shop, period: Period, told: Mapping[str, Any]) -> Values:
    days = period.weekdays_over(shop.data_end)
    weeks = sales(shop.orders, shop.refunds, zone=shop.zone, as_of=period.end_at, weekdays=days)
    row = row_of_week(observed(to_frame(weeks), shop.first_day), period)
    return _read(row, "net_revenue", "revenue", "orders", "aov")


def _of_visits(shop: Shop, period: Period, told: Mapping[str, Any]) -> Values:
    visits = shop.sessions.filter(period.holds(shop.sessions.started_at))
    days = period.weekdays_over(shop.data_end)
    rates = visit_to_order_rate(visits, grain="week", zone=shop.zone, weekdays=days)
    return _read(row_of_week(to_frame(rates), period), "visit_to_order_rate")


def _of_funnel(shop: Shop, period: Period, told: Mapping[str, Any]) -> Values:
    attempts = period.four_weeks_before(days=told["window_days"])
    asked = {"steps": told["steps"], "window_days": told["window_days"], "as_of": period.end_at}
    reached = to_frame(funnel(shop.events, period=attempts, **asked))
    return {"funnel_overall_rate": reached.iloc[-1]["overall_rate"]}


def _of_products(shop: Shop, period: Period, told: Mapping[str, Any]) -> Values:
    tables = (shop.product_events, shop.orders, shop.order_lines, shop.refunds, shop.refund_lines)
    path = product_path(*tables, by=None, period=period, as_of=period.end_at)
    return _read(to_frame(path).iloc[0], "view_to_order_rate", "units")


def _of_repurchase(shop: Shop, period: Period, told: Mapping[str, Any]) -> Values:
    asked = {"within_days": told["within_days"], "as_of": period.end_at, "zone": shop.zone}
    newest = to_frame(repeat_purchase_rate(_of_customers(shop).orders, **asked)).tail(3)
    customers, repeats = newest["customers"].sum(), newest["repeat_customers"].sum()
    return {"repeat_purchase_rate": repeats / customers if customers else None}


def _of_clv(shop: Shop, period: Period, told: Mapping[str, Any]) -> Values:
    part = _of_customers(shop)
    summary = clv_summary(part.orders, part.refunds, as_of=period.end_at, zone=part.zone)
    try:
        model = fit_clv(to_frame(summary.order_by("customer_id")))
    except NotEnoughDataError:
        return {"clv_per_customer": None}
    value = model.clv(told["horizon_days"], told["yearly_discount_rate"], part.settings.margin)
    return {"clv_per_customer": value["clv"].mean()}


def _of_acquisition(shop: Shop, period: Period, told: Mapping[str, Any]) -> Values:
    part, settings = _of_customers(shop), shop.settings
    asked = {"look_back_days": settings.new_customer_look_back_days, "monthly_fees": settings.monthly_fees}
    asked |= {"period": period.extended_back(told["weeks"]), "kind": "blended", "by": None}
    blended = to_frame(cac(part.orders, part.sessions, part.ad_spend, **asked)).iloc[0]
    return {"new_customers": blended["new_customers"], "cac_blended": blended["cac"]}


_GROUPS: Sequence[Callable[[Shop, Period, Mapping[str, Any]], Values]] = (
    _of_quality,
    _of_overview,
    _of_visits,
    _of_funnel,
    _of_products,
    _of_repurchase,
    _of_clv,
    _of_acquisition,
)


def _of_customers(shop: Shop) -> Shop:
    """Return the shop with its filters about customers, as the notebooks about them open it."""
    return replace(shop, filters=replace(shop.filters, select="customers"))


def _read(row: Any, *names: str) -> Values:
    return {name: None if row is None else row[name] for name in names}
