"""Sentences on what visits do on their way: carts left behind, features used, promotions, coupons."""

from typing import Any

from ecomkit.words.markup import short
from ecomkit.words.numbers import count, counted, is_unknown, listed, percent

ASSOCIATION = "What goes together is not what makes the other: who searches may have meant to buy before"
_MOST_NAMED = 3


def where_carts_are_left(steps: Any) -> str:
    """Name the step after which the most sessions left their cart behind, and say how many left a checkout.

    Parameters
    ----------
    steps
        What `metrics.abandonment.abandonment_by_step` returns, in order.
    """
    rows = list(zip(steps["step"], steps["sessions_left"], strict=True))
    total = sum(int(left) for _step, left in rows)
    if not total:
        return "no session left a cart behind"
    step, left = max(rows, key=lambda row: row[1])
    told = f"most were last seen at {short(step)}, {count(left)} of {counted(total, 'session')} that left"
    names = ("step", "sessions", "sessions_with_order")
    began, ordered = next(
        (reached, orders)
        for step, reached, orders in zip(*(steps[name] for name in names), strict=True)
        if step == "Checkout Started"
    )
    if not began:
        return told
    return f"{told}; of {counted(began, 'session')} that began the checkout, {percent(1 - ordered / began)} left it"


def not_tracked(steps: Any) -> str:
    """Say which steps no session showed, a sentence's end after `; `, or nothing."""
    missing = [short(step) for step, seen in zip(steps["step"], steps["sessions_seen"], strict=True) if not seen]
    return f"; never seen, so nobody stops there: {listed(missing)}" if missing else ""


def goes_with_orders(features: Any) -> str:
    """Say which features go with more orders, and with fewer, by more than chance.

    Parameters
    ----------
    features
        What `metrics.with_and_without.compare_with_and_without` returns of `feature_use`.
    """
    if not any(verdict != "cannot tell" for verdict in features["verdict"]):
        return "no feature is used by enough people to compare"
    names = ("verdict", "adjusted_p_value", "feature", "visit_to_order_rate", "without_visit_to_order_rate")
    rows = sorted(zip(*(features[name] for name in names), strict=True), key=lambda row: (row[0], row[1]))
    told = []
    for verdict, words in (("up", "more"), ("down", "fewer")):
        found = [
            f"{short(feature)} ({percent(rate)} against {percent(rest)} without)"
            for kind, _p_value, feature, rate, rest in rows
            if kind == verdict
        ]
        if found:
            told.append(f"with {words} orders go {listed(found[:_MOST_NAMED])}")
    return "; ".join(told) or "no feature goes with more or fewer orders by more than chance"


def dead_ends(queries: Any) -> str:
    """Say which share of all searches led to no product, and which queries led there more often than the others.

    Parameters
    ----------
    queries
        What `metrics.standouts.compare_with_rest` returns of the dead ends of `searches`.
    """
    searched = int(sum(queries["searches"]))
    if not searched:
        return "nobody searched"
    lost = int(sum(queries["dead_ends"]))
    told = f"{percent(lost / searched)} of {count(searched)} search{'' if searched == 1 else 'es'} led to no product"
    names = ("dead_end_rate", "query", "verdict")
    rows = sorted(zip(*(queries[name] for name in names), strict=True), key=lambda row: (-row[0], row[1]))
    found = [f"'{_name(query)}' ({percent(rate)})" for rate, query, verdict in rows if verdict == "up"]
    if not found:
        return f"{told}; no query stands out among those of enough people"
    return f"{told}, more often than others {listed(found[:_MOST_NAMED])}"


def clicked_promotions(shown: Any) -> str:
    """Name the promotions that are clicked more, or less, often than the others by more than chance.

    Parameters
    ----------
    shown
        What `metrics.standouts.compare_with_rest` returns of the click rates of `promotions`.
    """
    names = ("click_rate", "promotion_id", "verdict")
    rows = list(zip(*(shown[name] for name in names), strict=True))
    if not any(verdict != "cannot tell" for verdict in shown["verdict"]):
        return "no two promotions were seen by enough people to compare them"
    found = [
        f"{_name(promotion)} is clicked {words} often than the others, at {percent(rate)}"
        for verdict, words in (("up", "more"), ("down", "less"))
        for rate, promotion, kind in rows
        if kind == verdict
    ]
    return "; ".join(found[:_MOST_NAMED]) or "no promotion is clicked more or less often than the others"


def after_denials(coupons: Any) -> str:
    """Say how many sessions were denied a coupon, and how many of them still ordered.

    A session that was denied two coupons counts with each.

    Parameters
    ----------
    coupons
        What `metrics.offers.denied_coupons` returns.
    """
    denied = int(sum(coupons["sessions"]))
    if not denied:
        return "no coupon was denied"
    ordered = int(sum(coupons["sessions_with_order_after"]))
    code, most = next(zip(coupons["coupon"], coupons["sessions"], strict=True))
    named = "without a code" if is_unknown(code) else f"of {_name(code)}"
    denials = counted(denied, "denial")
    return f"{denials} of a coupon, most {named} ({count(most)}); after {count(ordered)} an order followed in the visit"


def _name(told_outside: Any) -> str:
    # Two stars in a name would open bold text in the sentence around it.
    return short(told_outside, 40).replace("**", "* *")
