"""The [alerts] section of a shop.toml: limits of headlines beyond which a report raises an alert."""

import math
from collections.abc import Mapping
from typing import Any

from ecomkit.errors import did_you_mean, quoted

# What the notebooks hand over, and so what an alert can watch.
HEADLINES = (
    "identified_orders_share", "identified_sessions_share", "net_revenue", "revenue", "orders", "aov",
    "visit_to_order_rate", "funnel_overall_rate", "view_to_order_rate", "units", "repeat_purchase_rate",
    "clv_per_customer", "new_customers", "cac_blended",
)  # fmt: skip
_NUMBERS = ("below", "above", "falls_by", "rises_by")
RULES = (*_NUMBERS, "outside_band")


def read_alerts(entries: Mapping[str, Any], problems: list[str]) -> dict[str, dict[str, float | bool]]:
    """Return the limits of each headline, by rule; what is wrong with an entry is added to `problems`."""
    limits = {}
    for name, rules in entries.items():
        if name not in HEADLINES:
            hint = did_you_mean(name, HEADLINES) or f" The headlines are {quoted(HEADLINES)}"
            problems.append(f"'{name}' in [alerts] is no headline.{hint}")
        elif not isinstance(rules, dict):
            problems.append(f"'{name}' in [alerts] is {rules!r}, not limits such as {{below = 50, falls_by = 0.3}}")
        else:
            wrong = [problem for rule, limit in rules.items() for problem in _wrong(name, rule, limit)]
            problems += wrong or _wrong_way_round(name, rules)
            limits[name] = dict(rules)
    return limits


def _wrong(name: str, rule: str, limit: Any) -> list[str]:
    where = f"'{rule}' of '{name}' in [alerts]"
    if rule not in RULES:
        return [f"unknown key '{rule}' of '{name}' in [alerts].{did_you_mean(rule, RULES)}".rstrip(".")]
    if rule == "outside_band":
        return [] if isinstance(limit, bool) else [f"{where} is {limit!r}, not true or false"]
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not math.isfinite(limit):
        return [f"{where} is {limit!r}, not a number"]
    if rule == "falls_by" and not 0 < limit < 1:
        return [f"{where} is {limit!r}, not a share between 0 and 1 such as 0.3, which is 30 %"]
    if rule == "rises_by" and not limit > 0:
        return [f"{where} is {limit!r}, not a share above 0 such as 0.5, which is 50 %"]
    if name.endswith(("_rate", "_share")) and rule in ("below", "above") and not 0 <= limit <= 1:
        return [f"{where} is {limit!r}, not a share of 0 to 1 such as 0.05, which is 5 %"]
    return []


def _wrong_way_round(name: str, rules: Mapping[str, Any]) -> list[str]:
    if "below" in rules and "above" in rules and not rules["below"] < rules["above"]:
        return [f"'below' of '{name}' in [alerts] is {rules['below']!r}, not less than its 'above', {rules['above']!r}"]
    return []
