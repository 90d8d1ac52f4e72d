"""Who came new, by which channel, and what that cost."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.column_types import MONEY
from ecomkit.engines import local_day
from ecomkit.errors import UsageError, quoted
from ecomkit.metrics.customers import has_look_back, new_or_nobody_knows
from ecomkit.metrics.ratio import flag, share
from ecomkit.periods import Period
from ecomkit.schemas import AD_SPEND, ORDERS, SESSIONS, require

Kind = Literal["blended", "paid", "prospecting", "fully_loaded"]
KINDS = ("blended", "paid", "prospecting", "fully_loaded")

# Spend on people who know the shop already brings no new customer.
NOT_PROSPECTING = ("retargeting", "crm")
DAYS_PER_MONTH = 30.4375


def new_customers(
    orders: ir.Table, sessions: ir.Table, *, period: Period, look_back_days: int, lookback_days: int = 30
) -> ir.Table:
    """List the customers whose first order ever falls into the period, with the channel that brought them.

    The channel is that of the person's last session up to the first order that
    was not Direct, at most `lookback_days` x 24 hours before it; both ends
    count. Without such a session it is Direct if a Direct one is there, else
    Unknown. It is credited, which does not say that it caused the order.

    Parameters
    ----------
    orders
        The shop's orders with their whole history (schema `ORDERS`). Cancelled
        orders and those of unknown guests are left out.
    sessions
        The shop's sessions (schema `SESSIONS`).
    period
        The days in which first orders count.
    look_back_days
        How many local days of history before the period make a first order the
        first ever.
    lookback_days
        How far before the first order a session may start to earn credit.

    Returns
    -------
    Table
        One row per customer: `customer_id`, `first_order_at`, `channel`,
        `is_known` (false on each row while the shop's history before the period
        is shorter than `look_back_days`: these may be old customers).
    """
    require(orders, ORDERS)
    require(sessions, SESSIONS)
    kept = orders.filter(_.status != "cancelled")
    history_from = local_day(kept.ordered_at.min().over(ibis.window()), period.zone)
    firsts = (
        kept.mutate(is_known=has_look_back(history_from, ibis.literal(period.start), look_back_days))
        .filter(_.order_number == 1, _.customer_id.notnull(), period.holds(kept.ordered_at))
        .select("customer_id", "is_known", first_order_at=_.ordered_at)
    )
    visits = sessions.select(
        "session_id",
        "started_at",
        "person_id",
        visit_channel=_.channel.coalesce("Unassigned"),
        is_direct=flag(sessions.channel == "Direct"),
    )
    touches = firsts.left_join(
        visits,
        [
            firsts.customer_id == visits.person_id,
            visits.started_at <= firsts.first_order_at,
            visits.started_at >= firsts.first_order_at - ibis.interval(hours=24 * lookback_days),
        ],
    )
    latest_first = ibis.window(
        group_by=touches.customer_id,
        order_by=[touches.is_direct, touches.started_at.desc(), touches.session_id.desc()],
    )
    return (
        touches.mutate(place=ibis.row_number().over(latest_first))
        .filter(_.place == 0)
        .select("customer_id", "first_order_at", channel=_.visit_channel.coalesce("Unknown"), is_known=_.is_known)
    )


def cac(
    orders: ir.Table,
    sessions: ir.Table,
    ad_spend: ir.Table,
    *,
    period: Period,
    look_back_days: int,
    kind: Kind,
    monthly_fees: Mapping[str, float] | None = None,
    by: Literal["channel"] | None = "channel",
) -> ir.Table:
    """Say what a new customer costs (customer acquisition cost, CAC): spend per new customer.

    Blended: all spend over all new customers. Paid: spend over the new
    customers credited to channels with spend. Prospecting: spend not marked
    retargeting or crm over the same customers. Fully loaded: paid, with the
    fees. A customer is new when the first order ever falls into the period, and
    unknown (in no CAC) while the shop's history is too short to say so.

    Parameters
    ----------
    orders, sessions, ad_spend
        The shop's tables (schemas `ORDERS`, `SESSIONS`, `AD_SPEND`).
    period
        The days whose spend and first orders count. Spend has the days of the
        ad account, which may begin at another hour.
    look_back_days
        How many local days of history before the period make a first order the
        first ever.
    kind
        `blended`, `paid`, `prospecting` or `fully_loaded`.
    monthly_fees
        Fees per channel and month of 30.4375 days, read for `fully_loaded`;
        the period bears its share of days. An underscore in a name is a space.
    by
        `channel`, or None for one row over all that the kind takes in.

    Returns
    -------
    Table
        One row per channel with spend or new customers, in order: `channel`,
        `spend` (null for a channel without any), `new_customers` (null where
        none is known to be new and some may be), `unknown_customers`, `cac`
        (null without spend or new customers), `spend_without_customers` (the
        CAC is infinite). Money in the shop's currency.
    """
    require(ad_spend, AD_SPEND)
    if kind not in KINDS:
        raise UsageError(f"'{kind}' is not a kind of CAC. Choose one of {quoted(KINDS)}.")
    zero = ibis.literal(0, MONEY)
    is_left_out = _.purpose.coalesce("").isin(NOT_PROSPECTING if kind == "prospecting" else ())
    spent = ad_spend.filter(_.date >= period.start, _.date < period.end).select(
        channel=_.channel.coalesce("Unassigned"),
        spend=ibis.ifelse(is_left_out, zero, _.spend),
        any_spend=_.spend,
        new=ibis.literal(0, "int64"),
        unknown=ibis.literal(0, "int64"),
    )
    people = new_customers(orders, sessions, period=period, look_back_days=look_back_days)
    people = people.select(
        "channel",
        spend=zero,
        any_spend=zero,
        new=flag(people.is_known),
        unknown=flag(~people.is_known),
    )
    fees = _fees(monthly_fees or {}, period) if kind == "fully_loaded" else []
    channels = (
        ibis.union(spent, people, *fees)
        .group_by("channel")
        .aggregate(
            spend=_.spend.sum(),
            any_spend=_.any_spend.sum(),
            new_customers=_.new.sum(),
            unknown_customers=_.unknown.sum(),
        )
    )
    channels = channels.mutate(spend=(_.any_spend > 0).ifelse(_.spend, ibis.null(channels.spend.type())))
    if by is None:
        counted = channels if kind == "blended" else channels.filter(_.spend.notnull())
        return with_cac(
            counted.aggregate(
                spend=_.spend.sum(),
                new_customers=_.new_customers.sum().coalesce(0),
                unknown_customers=_.unknown_customers.sum().coalesce(0),
            )
        )
    return with_cac(channels.drop("any_spend")).order_by("channel")


def cac_of_every_kind(
    orders: ir.Table,
    sessions: ir.Table,
    ad_spend: ir.Table,
    *,
    period: Period,
    look_back_days: int,
    monthly_fees: Mapping[str, float] | None = None,
) -> ir.Table:
    """Set what a new customer costs side by side: blended, paid, prospecting, fully loaded.

    Only blended takes in the customers whom no spend brought.

    Parameters
    ----------
    orders, sessions, ad_spend, period, look_back_days, monthly_fees
        As in `cac`.

    Returns
    -------
    Table
        One row per `kind`, in the order above, over all channels that the kind
        takes in: `spend`, `new_customers`, `unknown_customers`, `cac`,
        `spend_without_customers`, as in `cac`. Money in the shop's currency.
    """
    rows = [
        cac(
            orders,
            sessions,
            ad_spend,
            period=period,
            look_back_days=look_back_days,
            kind=kind,
            monthly_fees=monthly_fees,
            by=None,
        ).mutate(kind=ibis.literal(kind), number=ibis.literal(number))
        for number, kind in enumerate(KINDS)
    ]
    return ibis.union(*rows).order_by("number").drop("number").relocate("kind")


def with_cac(rows: ir.Table) -> ir.Table:
    """Add `cac` and `spend_without_customers` to rows of `spend`, `new_customers` and `unknown_customers`."""
    return rows.mutate(
        new_customers=new_or_nobody_knows(rows.new_customers, rows.unknown_customers),
        cac=share(_.spend, _.new_customers),
        spend_without_customers=((_.spend.coalesce(0) > 0) & (_.new_customers == 0) & (_.unknown_customers == 0)),
    )


def _fees(monthly_fees: Mapping[str, float], period: Period) -> list[ir.Table]:
    """One table of one row per fee, the period's share of it, shaped like spend."""
    rows = []
    for channel, fee in monthly_fees.items():
        amount = ibis.literal(Decimal(str(round(fee * period.days / DAYS_PER_MONTH, 4))), MONEY)
        row = ibis.literal(channel.replace("_", " ")).name("channel").as_table()
        nobody = ibis.literal(0, "int64")
        rows.append(row.mutate(spend=amount, any_spend=amount, new=nobody, unknown=nobody))
    return rows
