"""Pictures: a frame in, axes out; one module per module of metrics."""

from ecomkit.plots.acquisition import plot_cac, plot_kinds_of_cac, plot_lifetime_value_to_cac, plot_new_customers
from ecomkit.plots.breakdown import plot_order_values, plot_product_mix, plot_sales_by
from ecomkit.plots.bridge import plot_bridge_parts, plot_revenue_bridge
from ecomkit.plots.clv import plot_clv_path, plot_holdout, plot_realised_value, plot_value_by_tenth
from ecomkit.plots.coverage import plot_first_touch, plot_reconciliation, plot_sessions_by_channel, plot_spend_seen
from ecomkit.plots.funnel import (
    plot_funnel,
    plot_funnel_by,
    plot_funnel_curve,
    plot_funnel_money,
    plot_funnel_sensitivity,
    plot_funnel_trend,
)
from ecomkit.plots.journeys import plot_abandonment, plot_click_rates, plot_feature_use
from ecomkit.plots.ladder import plot_order_ladder
from ecomkit.plots.products import (
    plot_gateways,
    plot_list_positions,
    plot_product_pairs,
    plot_product_path,
    plot_product_ranks,
    plot_product_visits,
    plot_sold_without_view,
)
from ecomkit.plots.quality import plot_checks, plot_daily_volumes, plot_set_aside
from ecomkit.plots.retention import plot_cohort_retention, plot_repeat_purchase_rate
from ecomkit.plots.sales import (
    plot_new_and_returning,
    plot_order_links,
    plot_visit_to_order_rate_by,
    plot_weekly_aov,
    plot_weekly_net_revenue,
    plot_weekly_visit_to_order_rate,
)
from ecomkit.plots.style import caption, use_style

__all__ = [
    "plot_order_ladder",
    "plot_gateways",
    "plot_list_positions",
    "plot_product_pairs",
    "plot_product_path",
    "plot_product_ranks",
    "plot_product_visits",
    "plot_sold_without_view",
    "plot_order_values",
    "plot_product_mix",
    "plot_sales_by",
    "caption",
    "plot_bridge_parts",
    "plot_abandonment",
    "plot_cac",
    "plot_checks",
    "plot_click_rates",
    "plot_clv_path",
    "plot_cohort_retention",
    "plot_daily_volumes",
    "plot_feature_use",
    "plot_first_touch",
    "plot_funnel",
    "plot_funnel_by",
    "plot_funnel_curve",
    "plot_funnel_money",
    "plot_funnel_sensitivity",
    "plot_funnel_trend",
    "plot_holdout",
    "plot_kinds_of_cac",
    "plot_lifetime_value_to_cac",
    "plot_new_and_returning",
    "plot_new_customers",
    "plot_order_links",
    "plot_realised_value",
    "plot_reconciliation",
    "plot_repeat_purchase_rate",
    "plot_revenue_bridge",
    "plot_sessions_by_channel",
    "plot_set_aside",
    "plot_spend_seen",
    "plot_value_by_tenth",
    "plot_visit_to_order_rate_by",
    "plot_weekly_aov",
    "plot_weekly_net_revenue",
    "plot_weekly_visit_to_order_rate",
    "use_style",
]
