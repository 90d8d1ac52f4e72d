"""What promotions and coupons do: seen, clicked, applied, denied, and what followed in the same visit."""

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.metrics.ratio import flag, ratio_sums, share
from ecomkit.metrics.visit_rows import visit_rows
from ecomkit.schemas import EVENTS, ORDERS, SESSIONS, require

_VIEWED, _CLICKED = "Promotion Viewed", "Promotion Clicked"
_APPLIED, _DENIED = "Coupon Applied", "Coupon Denied"


def promotions(sessions: ir.Table, events: ir.Table, orders: ir.Table) -> ir.Table:
    """Share of the sessions that saw a promotion and clicked it, and how many ordered after the click.

    The unit is the session, however often it saw the promotion; a click without
    a view tracked is a view. An order after the click lies in the same session,
    at the click's instant or later, and is not cancelled. It follows the click,
    which is not to say that it came of it.

    Parameters
    ----------
    sessions
        The sessions that count (schema `SESSIONS`), of one period say.
    events
        The shop's events (schema `EVENTS`), cut or not.
    orders
        The shop's orders (schema `ORDERS`), cut or not.

    Returns
    -------
    Table
        One row per promotion, the most seen first: `promotion_id`, `sessions`
        that saw it, `sessions_clicked`, `sessions_with_order_after` (of those
        that clicked), `people`, `click_rate` (clicked / saw),
        `order_after_rate` (with an order after / clicked); both 0 to 1 and
        null without a denominator, each with the sums of `cluster_sums`,
        prefixed with the rate's name and with the person as cluster.
    """
    require(sessions, SESSIONS)
    require(events, EVENTS)
    require(orders, ORDERS)
    told = events.filter(
        _.session_id.notnull(), _.event_name.isin([_VIEWED, _CLICKED]), _.promotion_id.strip().nullif("").notnull()
    )
    touched = told.group_by("promotion_id", "session_id").aggregate(
        clicked_at=told.occurred_at.min(where=told.event_name == _CLICKED)
    )
    seen = touched.join(visit_rows(sessions), "session_id").left_join(_last_orders(orders), "session_id")
    seen = seen.drop("session_id_right")
    seen = seen.mutate(
        clicked=flag(seen.clicked_at.notnull()), ordered_after=flag(seen.last_ordered_at >= seen.clicked_at)
    )
    totals = seen.group_by("promotion_id", "cluster").aggregate(
        sessions=_.count(), clicked=_.clicked.sum(), ordered_after=_.ordered_after.sum()
    )
    rows = totals.aggregate(
        by=["promotion_id"],
        sessions=totals.sessions.sum(),
        sessions_clicked=totals.clicked.sum(),
        sessions_with_order_after=totals.ordered_after.sum(),
        people=totals.count(),
        click_rate=share(totals.clicked.sum(), totals.sessions.sum()),
        order_after_rate=share(totals.ordered_after.sum(), totals.clicked.sum()),
        **ratio_sums(totals, "clicked", "sessions", prefix="click_rate_"),
        **ratio_sums(totals, "ordered_after", "clicked", prefix="order_after_rate_"),
    )
    return rows.order_by(ibis.desc("sessions"), "promotion_id")


def denied_coupons(sessions: ir.Table, events: ir.Table, orders: ir.Table) -> ir.Table:
    """Count the sessions in which a coupon was denied, and what followed: an order, or another coupon.

    The unit is the session and coupon; capitals and spaces at the ends do not
    make another coupon. An order that followed lies in the same session, at the
    instant of the first denial or later, and is not cancelled; another coupon is
    any that was applied then. Denials without a code count under no coupon,
    null.

    Parameters
    ----------
    sessions
        The sessions that count (schema `SESSIONS`), of one period say.
    events
        The shop's events (schema `EVENTS`), cut or not.
    orders
        The shop's orders (schema `ORDERS`), cut or not.

    Returns
    -------
    Table
        One row per coupon, the most denied first: `coupon`, `sessions` in which
        it was denied, `sessions_with_coupon_after` (one was applied later),
        `sessions_with_order_after`, `people`, `order_after_rate` (with an order
        after / denied, 0 to 1), and its sums of `cluster_sums` with the person
        as cluster.
    """
    require(sessions, SESSIONS)
    require(events, EVENTS)
    require(orders, ORDERS)
    of_visits = events.filter(_.session_id.notnull())
    denied = (
        of_visits.filter(_.event_name == _DENIED)
        .mutate(coupon=_.coupon.strip().upper().nullif(""))
        .group_by("coupon", "session_id")
        .aggregate(denied_at=_.occurred_at.min())
    )
    applied = (
        of_visits.filter(_.event_name == _APPLIED).group_by("session_id").aggregate(last_applied_at=_.occurred_at.max())
    )
    told = denied.join(visit_rows(sessions), "session_id").left_join(_last_orders(orders), "session_id")
    told = told.drop("session_id_right").left_join(applied, "session_id").drop("session_id_right")
    told = told.mutate(
        ordered_after=flag(told.last_ordered_at >= told.denied_at),
        applied_after=flag(told.last_applied_at >= told.denied_at),
    )
    totals = told.group_by("coupon", "cluster").aggregate(
        sessions=_.count(), applied_after=_.applied_after.sum(), ordered_after=_.ordered_after.sum()
    )
    rows = totals.aggregate(
        by=["coupon"],
        sessions=totals.sessions.sum(),
        sessions_with_coupon_after=totals.applied_after.sum(),
        sessions_with_order_after=totals.ordered_after.sum(),
        people=totals.count(),
        order_after_rate=share(totals.ordered_after.sum(), totals.sessions.sum()),
        **ratio_sums(totals, "ordered_after", "sessions"),
    )
    return rows.order_by(ibis.desc("sessions"), "coupon")


def _last_orders(orders: ir.Table) -> ir.Table:
    placed = orders.filter(_.session_id.notnull(), _.status != "cancelled")
    return placed.group_by("session_id").aggregate(last_ordered_at=_.ordered_at.max())
