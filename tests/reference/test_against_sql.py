"""A second way to each number: SQL written by hand, over the fixture shop."""

from datetime import timedelta
from pathlib import Path
from string import Template

import pytest

from ecomkit.metrics.abandonment import abandonment_by_step
from ecomkit.metrics.acquisition import cac, new_customers
from ecomkit.metrics.bridge import bridge_sums, bridge_sums_by
from ecomkit.metrics.bridge_of_lines import bridge_category_sums
from ecomkit.metrics.customers import new_and_returning
from ecomkit.metrics.funnel import funnel
from ecomkit.metrics.funnel_money import funnel_money
from ecomkit.metrics.identity_audit import first_touch_credit, merging_effect
from ecomkit.metrics.offers import denied_coupons, promotions
from ecomkit.metrics.order_ladder import order_ladder
from ecomkit.metrics.products import (
    gateway_products,
    list_positions,
    product_pairs,
    product_path,
    visit_to_order_rate_by_product,
)
from ecomkit.metrics.retention import cohort_retention, repeat_purchase_rate
from ecomkit.metrics.sales import aov, sales
from ecomkit.metrics.searches import searches
from ecomkit.metrics.site_features import feature_use
from ecomkit.metrics.visits import visit_to_order_rate
from ecomkit.periods import Period

HERE = Path(__file__).parent
STEPS = ("Product Viewed", "Product Added", "Checkout Started", "Order Completed")
SHORT = ("Product Viewed", "Product Added", "Order Completed")
LOOK_BACK_DAYS, WITHIN_DAYS, WINDOW_DAYS, MIN_GROUP = 365, 90, 7, 3


@pytest.fixture(scope="module")
def quarter(shop):
    """The thirteen weeks that end with the last one."""
    return shop.week("last").extended_back(13)


def weeks_of(quarter):
    """Each week of the quarter; its days may not begin on a Monday, then the weeks at both ends are cut."""
    monday = quarter.start - timedelta(days=quarter.start.weekday())
    starts = [monday + timedelta(days=7 * number) for number in range(14)]
    weeks = [(max(start, quarter.start), min(start + timedelta(days=7), quarter.end)) for start in starts]
    return [Period(start, end, quarter.zone) for start, end in weeks if start < end]


def metrics(shop, quarter, as_of):
    sessions = shop.sessions.filter(quarter.holds(shop.sessions.started_at))
    arguments = {"zone": shop.zone, "as_of": as_of}
    news = {"period": quarter, "look_back_days": LOOK_BACK_DAYS}
    weeks = {"periods": weeks_of(quarter), "as_of": as_of}
    sold, of_quarter = (shop.orders, shop.order_lines), {"period": quarter, "as_of": as_of}
    return {
        "sales": sales(shop.orders, shop.refunds, **arguments),
        "aov": aov(shop.orders, by="device_type"),
        "visit_to_order_rate": visit_to_order_rate(sessions, by="channel"),
        "new_and_returning": new_and_returning(
            shop.orders, shop.refunds, grain="month", look_back_days=LOOK_BACK_DAYS, **arguments
        ),
        "funnel_of_sessions": funnel(
            shop.events, steps=SHORT, unit="session", window_days=None, period=quarter, as_of=as_of
        ),
        "funnel_in_any_order": funnel(
            shop.events, steps=SHORT, order="any", window_days=WINDOW_DAYS, period=quarter, as_of=as_of
        ),
        "funnel_money": funnel_money(shop.product_events, window_days=WINDOW_DAYS, period=quarter, as_of=as_of),
        "funnel": funnel(shop.events, steps=STEPS, window_days=WINDOW_DAYS, period=quarter, as_of=as_of),
        "repeat_purchase_rate": repeat_purchase_rate(shop.orders, within_days=WITHIN_DAYS, **arguments),
        "cohort_retention": cohort_retention(shop.orders, **arguments),
        "new_customers": new_customers(shop.orders, shop.sessions, **news).order_by("customer_id"),
        "cac": cac(shop.orders, shop.sessions, shop.ad_spend, kind="paid", **news),
        "order_ladder": order_ladder(shop.orders, shop.refunds, **weeks),
        "bridge_sums": bridge_sums(shop.orders, shop.refunds, shop.sessions, **weeks),
        "bridge_sums_by": bridge_sums_by(shop.orders, shop.sessions, by="channel", **weeks),
        "bridge_category_sums": bridge_category_sums(shop.orders, shop.order_lines, shop.sessions, **weeks),
        "abandonment_by_step": abandonment_by_step(sessions, shop.events),
        "feature_use": feature_use(sessions, shop.events),
        "searches": searches(sessions, shop.events),
        "promotions": promotions(sessions, shop.events, shop.orders),
        "denied_coupons": denied_coupons(sessions, shop.events, shop.orders),
        "product_path": product_path(shop.product_events, *sold, shop.refunds, shop.refund_lines, **of_quarter),
        "visit_to_order_rate_by_product": visit_to_order_rate_by_product(
            sessions, shop.product_events, *sold, as_of=as_of
        ),
        "product_pairs": product_pairs(*sold, min_group=MIN_GROUP, **of_quarter),
        "gateway_products": gateway_products(*sold, shop.refunds, shop.sessions, within_days=WITHIN_DAYS, **arguments),
        "list_positions": list_positions(shop.product_events, **of_quarter),
        "merging_effect": merging_effect(shop.events, shop.orders),
        "first_touch_credit": first_touch_credit(shop.events, shop.sessions, shop.orders),
    }


def test_every_query_has_its_metric(shop, quarter):
    assert {path.stem for path in HERE.glob("*.sql")} == set(metrics(shop, quarter, quarter.end_at))


@pytest.mark.parametrize("days_earlier", [0, 45], ids=["at the end of the data", "45 days before"])
@pytest.mark.parametrize("name", [path.stem for path in sorted(HERE.glob("*.sql"))])
def test_sql_by_hand_counts_the_same(shop, quarter, name, days_earlier):
    shift = timedelta(days=days_earlier)
    period = Period(quarter.start - shift, quarter.end - shift, quarter.zone)
    query = Template((HERE / f"{name}.sql").read_text(encoding="utf-8")).substitute(
        zone=shop.zone,
        as_of=period.end_at.isoformat(),
        start=period.start_at.isoformat(),
        end=period.end_at.isoformat(),
        first_day=period.start,
        day_after=period.end,
        look_back_days=LOOK_BACK_DAYS,
        within_days=WITHIN_DAYS,
        window_days=WINDOW_DAYS,
        min_group=MIN_GROUP,
    )
    theirs = shop.con.sql(query).to_pyarrow()
    ours = metrics(shop, period, period.end_at)[name].to_pyarrow()
    assert set(theirs.column_names) <= set(ours.column_names)
    assert len(theirs) == len(ours) > 1
    for row, other in zip(ours.select(theirs.column_names).to_pylist(), theirs.to_pylist(), strict=True):
        for column, value in row.items():
            if isinstance(value, float):
                assert value == pytest.approx(other[column], rel=1e-9), (column, row, other)
            else:
                assert value == other[column], (column, row, other)
