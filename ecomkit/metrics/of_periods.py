"""Metrics of several periods in one query, as histories ask for them: periods may overlap.

Each is the metric of the same name without `_of_periods`, made of the same pieces and asked of each period by itself.
One question after another gives the same numbers, and spends most of its time on being put into SQL.
"""

from collections.abc import Sequence
from datetime import datetime

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.column_types import INSTANT
from ecomkit.engines import local_day
from ecomkit.metrics.acquisition import with_cac
from ecomkit.metrics.attempts import attempts
from ecomkit.metrics.clv_summary import clv_summary
from ecomkit.metrics.coverage import is_known, with_shares
from ecomkit.metrics.customers import has_look_back
from ecomkit.metrics.funnel import step_rows
from ecomkit.metrics.funnel_rules import read_rules
from ecomkit.metrics.funnel_steps import StepLiteral
from ecomkit.metrics.ratio import flag
from ecomkit.periods import Period, local_date
from ecomkit.schemas import AD_SPEND, ORDERS, REFUNDS, SESSIONS, require

# Digits of a number that marks copies: a history of 10,000 weeks.
_DIGITS = 4
_PERIODS = {
    "number": "int64",
    "start": "date",
    "end": "date",
    "start_at": INSTANT,
    "end_at": INSTANT,
    "as_of": INSTANT,
}


def identity_coverage_of_periods(sessions: ir.Table, orders: ir.Table, *, periods: Sequence[Period]) -> ir.Table:
    """Share of sessions and of orders of each period whose person is known by more than a device.

    Parameters
    ----------
    sessions, orders
        The shop's tables (schemas `SESSIONS` and `ORDERS`).
    periods
        The periods whose sessions and orders count.

    Returns
    -------
    Table
        One row per period with a session or an order, in order: `number` (its place in `periods`, from 0), then the
        columns of `identity_coverage`.
    """
    require(sessions, SESSIONS)
    require(orders, ORDERS)
    one, nothing = ibis.literal(1, "int64"), ibis.literal(0, "int64")
    bought = orders.filter(_.status != "cancelled")
    visits = sessions.select(
        at=_.started_at, sessions=one, identified_sessions=is_known(sessions.person_id),
        orders=nothing, identified_orders=nothing,
    )  # fmt: skip
    placed = bought.select(
        at=_.ordered_at, sessions=nothing, identified_sessions=nothing,
        orders=one, identified_orders=is_known(bought.customer_id),
    )  # fmt: skip
    rows = _held(visits.union(placed, distinct=False), "at", _table(periods))
    counts = ("sessions", "identified_sessions", "orders", "identified_orders")
    totals = rows.group_by("number").aggregate(**{name: rows[name].sum().coalesce(0) for name in counts})
    return with_shares(totals, "number").order_by("number")


def funnel_of_periods(
    events: ir.Table,
    *,
    steps: Sequence[StepLiteral],
    window_days: float,
    periods: Sequence[Period],
    as_of: Sequence[datetime],
) -> ir.Table:
    """Count the people of each period who reach each of several steps, in order, within a window from the first.

    Parameters
    ----------
    events, steps, window_days
        As `funnel` takes them.
    periods
        The days in which attempts start.
    as_of
        For each period the instant at which its data end, exclusive.

    Returns
    -------
    Table
        One row per period in which somebody starts and step, in order: `number` (the period's place in `periods`,
        from 0), then the columns of `funnel`.
    """
    span = Period(min(one.start for one in periods), max(one.end for one in periods), periods[0].zone)
    rules = read_rules(events, steps=steps, window_days=window_days, period=span, as_of=max(as_of))
    tried = _held(attempts(events, rules), "started_at", _table(periods, as_of))
    # A whole window that has passed holds nothing later, so what came after a period's own `as_of` is not looked at.
    is_mature = tried.started_at < tried.as_of - ibis.interval(seconds=round(rules.window.total_seconds()))
    reached = tried.group_by("number", "unit").aggregate(depth=_.depth.max(where=is_mature).coalesce(0))
    return step_rows(reached, rules, by=["number"])


def blended_cac_of_periods(
    orders: ir.Table, ad_spend: ir.Table, *, periods: Sequence[Period], look_back_days: int
) -> ir.Table:
    """Say what a new customer cost in each period, blended: all spend over all new customers.

    Parameters
    ----------
    orders, ad_spend
        The shop's tables (schemas `ORDERS` and `AD_SPEND`) with their whole history.
    periods
        The days whose spend and first orders count.
    look_back_days
        How many local days of history before a period make a first order the first ever.

    Returns
    -------
    Table
        One row per period with spend or first orders, in order: `number` (its place in `periods`, from 0), then the
        columns of `cac` over all channels.
    """
    require(orders, ORDERS)
    require(ad_spend, AD_SPEND)
    nothing = ibis.literal(0, "int64")
    kept = orders.filter(_.status != "cancelled")
    firsts = kept.mutate(history_from=local_day(kept.ordered_at.min().over(ibis.window()), periods[0].zone))
    firsts = firsts.filter(_.order_number == 1, _.customer_id.notnull()).select("history_from", at=_.ordered_at)
    people = _held(firsts, "at", _table(periods))
    can_tell = has_look_back(people.history_from, people.start, look_back_days)
    days = _table(periods)
    spent = ad_spend.inner_join(days, [ad_spend.date >= days.start, ad_spend.date < days.end])
    spent = spent.group_by("number", "channel").aggregate(spend=_.spend.sum())
    no_spend = ibis.null(spent.spend.type())
    rows = ibis.union(
        spent.select("number", spend=(spent.spend > 0).ifelse(spent.spend, no_spend), new=nothing, unknown=nothing),
        people.select("number", spend=no_spend, new=flag(can_tell), unknown=flag(~can_tell)),
        distinct=False,
    )
    totals = rows.group_by("number").aggregate(
        spend=_.spend.sum(), new_customers=_.new.sum(), unknown_customers=_.unknown.sum()
    )
    return with_cac(totals).order_by("number")


def clv_summary_of_days(orders: ir.Table, refunds: ir.Table, *, as_of: Sequence[datetime], zone: str) -> ir.Table:
    """Summarise how often, how lately and for how much each known customer had ordered by each of several days.

    Parameters
    ----------
    orders, refunds, zone
        As `clv_summary` takes them.
    as_of
        The local midnights at which the data end, exclusive.

    Returns
    -------
    Table
        One row per day and customer, in order: `number` (the day's place in `as_of`, from 0), then the columns of
        `clv_summary`.
    """
    require(orders, ORDERS)
    require(refunds, REFUNDS)
    last = local_date(max(as_of), zone)
    days = ibis.memtable(
        [(number, at, (last - local_date(at, zone)).days) for number, at in enumerate(as_of)],
        schema={"number": "int64", "as_of": INSTANT, "days_before_last": "int64"},
    )
    # Each day gets orders and customers of its own: copies of those that it knows, as it knows them.
    copies = orders.inner_join(days, orders.ordered_at < days.as_of)
    is_later = (copies.status == "cancelled") & (copies.cancelled_at >= copies.as_of)
    copies = copies.mutate(
        status=is_later.fill_null(False).ifelse("completed", copies.status),
        order_id=_marked(copies, "order_id"),
        customer_id=_marked(copies, "customer_id"),
    )
    back = refunds.inner_join(days, refunds.refunded_at < days.as_of)
    back = back.mutate(order_id=_marked(back, "order_id"))
    summary = clv_summary(copies.select(*orders.columns), back.select(*refunds.columns), as_of=max(as_of), zone=zone)
    marked = summary.mutate(mark=summary.customer_id.left(_DIGITS).cast("int64"))
    told = marked.inner_join(days, marked.mark == days.number)
    told = told.mutate(customer_id=told.customer_id.substr(_DIGITS), T=told.T - told.days_before_last)
    return told.select("number", *summary.columns).order_by("number", "customer_id")


def _marked(table: ir.Table, name: str) -> ir.StringValue:
    """Return an id with its row's number before it, of always as many digits; null stays null."""
    return table.number.cast("string").lpad(_DIGITS, "0") + table[name]


def _held(rows: ir.Table, instant: str, periods: ir.Table) -> ir.Table:
    """Return each row once for every period that holds its instant, with that period."""
    return rows.inner_join(periods, [rows[instant] >= periods.start_at, rows[instant] < periods.end_at])


def _table(periods: Sequence[Period], as_of: Sequence[datetime] | None = None) -> ir.Table:
    ends = as_of or [one.end_at for one in periods]
    rows = [
        (number, one.start, one.end, one.start_at, one.end_at, end)
        for number, (one, end) in enumerate(zip(periods, ends, strict=True))
    ]
    return ibis.memtable(rows, schema=_PERIODS)
