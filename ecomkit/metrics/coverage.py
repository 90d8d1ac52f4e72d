"""How much of the data can be told apart: whose it is, which channel it came by, which spend it answers to."""

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.metrics.ratio import flag, share
from ecomkit.periods import Period
from ecomkit.schemas import AD_SPEND, ORDERS, SESSIONS, require


def identity_coverage(sessions: ir.Table, orders: ir.Table) -> ir.Table:
    """Share of sessions and of orders whose person is known by more than a device.

    Known is a user id, an address or an external id at any time within the look-back; an order by
    a device alone counts as not known, as one of nobody does. Cancelled orders are no orders.

    Parameters
    ----------
    sessions, orders
        Those that count (schemas `SESSIONS` and `ORDERS`), of one period say.

    Returns
    -------
    Table
        One row: `sessions`, `identified_sessions`, `identified_sessions_share`, `orders`, `identified_orders`,
        `identified_orders_share` (0 to 1, null where there are none).
    """
    require(sessions, SESSIONS)
    require(orders, ORDERS)
    visits = sessions.aggregate(sessions=_.count(), identified_sessions=is_known(sessions.person_id).sum().coalesce(0))
    bought = orders.filter(_.status != "cancelled")
    placed = bought.aggregate(orders=_.count(), identified_orders=is_known(bought.customer_id).sum().coalesce(0))
    return with_shares(visits.cross_join(placed))


def unassigned_sources(sessions: ir.Table) -> ir.Table:
    """List what `Unassigned` sessions say of where they came from, most sessions first.

    No rule of the channel groups names these: a source or medium of the shop's own gets its channel by
    a rule in [channels] of its shop.toml. Compared without regard to case.

    Parameters
    ----------
    sessions
        The sessions that count (schema `SESSIONS`), of one period say.

    Returns
    -------
    Table
        One row per `utm_source`, `utm_medium` and `referrer_host` (each null where nothing was sent): `sessions`,
        `sessions_with_order`, `unassigned_share` (of all sessions, 0 to 1).
    """
    require(sessions, SESSIONS)
    everyone = ibis.window()
    marked = sessions.mutate(
        utm_source=_.utm_source.lower(), utm_medium=_.utm_medium.lower(), all_sessions=_.count().over(everyone)
    ).filter(_.channel.coalesce("Unassigned") == "Unassigned")
    rows = marked.group_by("utm_source", "utm_medium", "referrer_host").aggregate(
        sessions=_.count(),
        sessions_with_order=flag(_.orders > 0).sum(),
        unassigned_share=share(_.count(), _.all_sessions.max()),
    )
    return rows.order_by(_.sessions.desc(), "utm_source", "utm_medium", "referrer_host")


def unmatched_spend(ad_spend: ir.Table, sessions: ir.Table, *, period: Period) -> ir.Table:
    """Sum up the spend of campaigns, and say whether any session came by their channel or their campaign.

    Spend whose channel no session of the period has pays for visits that we cannot see: its links are
    not tagged as its platform is called, or the tags are lost on the way. A campaign without a session
    of its own id may still work where links carry no id.

    Parameters
    ----------
    ad_spend, sessions
        The shop's tables (schemas `AD_SPEND` and `SESSIONS`).
    period
        The days whose spend and sessions count.

    Returns
    -------
    Table
        One row per `platform`, `channel`, `campaign_id` and `campaign_name` with spend, most spend first: `spend`
        (in the shop's currency), `sessions_of_channel`, `sessions_of_campaign`.
    """
    require(ad_spend, AD_SPEND)
    require(sessions, SESSIONS)
    visits = sessions.filter(period.holds(sessions.started_at))
    of_channel = visits.filter(_.channel.notnull()).group_by("channel").aggregate(sessions_of_channel=_.count())
    of_campaign = (
        visits.filter(_.campaign_id.notnull()).group_by("campaign_id").aggregate(sessions_of_campaign=_.count())
    )
    days = ad_spend.filter(_.date >= period.start, _.date < period.end)
    spent = days.group_by("platform", "channel", "campaign_id", "campaign_name").aggregate(spend=_.spend.sum())
    seen = spent.filter(_.spend > 0).left_join(of_channel, "channel").drop("channel_right")
    seen = seen.left_join(of_campaign, "campaign_id").drop("campaign_id_right")
    return seen.mutate(
        sessions_of_channel=_.sessions_of_channel.coalesce(0), sessions_of_campaign=_.sessions_of_campaign.coalesce(0)
    ).order_by(_.spend.desc(), "platform", "campaign_id", "campaign_name")


def with_shares(counts: ir.Table, *keys: str) -> ir.Table:
    """Return `keys`, the counts of sessions and of orders, and of each the share that is identified."""
    both = counts.mutate(
        identified_sessions_share=share(_.identified_sessions, _.sessions),
        identified_orders_share=share(_.identified_orders, _.orders),
    )
    return both.select(
        *keys, "sessions", "identified_sessions", "identified_sessions_share", "orders", "identified_orders",
        "identified_orders_share",
    )  # fmt: skip


def is_known(person: ir.StringValue) -> ir.IntegerValue:
    """Say, as 1 or 0, whether a person is known by more than a device."""
    return flag(person.notnull() & ~person.startswith("visitor:"))
