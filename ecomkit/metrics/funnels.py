"""Every question about a funnel, for who imports them together."""

from ecomkit.metrics.funnel import funnel, last_step
from ecomkit.metrics.funnel_events import with_order_sessions, with_session_column
from ecomkit.metrics.funnel_money import funnel_money
from ecomkit.metrics.funnel_outside import purchases_outside
from ecomkit.metrics.funnel_sensitivity import funnel_sensitivity
from ecomkit.metrics.funnel_times import funnel_curve, funnel_times
from ecomkit.metrics.funnel_trend import funnel_trend

__all__ = [
    "funnel",
    "funnel_curve",
    "funnel_money",
    "funnel_sensitivity",
    "funnel_times",
    "funnel_trend",
    "last_step",
    "purchases_outside",
    "with_order_sessions",
    "with_session_column",
]
