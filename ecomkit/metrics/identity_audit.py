"""Who was taken for whom: what merging did to people and numbers, and which identifiers look wrong."""

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.metrics.ratio import share
from ecomkit.schemas import EVENTS, IDENTITY_LINKS, ORDERS, SESSIONS, require

# So many people behind one identifier are worth a look, and so many devices behind one person: who clears his cookies
# every month is there within two years.
MANY_PEOPLE = 2
MANY_DEVICES = 20


def links_by_rule(events: ir.Table, identity_links: ir.Table) -> ir.Table:
    """Count what each rule linked: identifiers, the people they lead to, and the calls that bear them.

    Of devices it is the rule by which each single call found its person. An alias is
    recorded here and linked to nobody.

    Parameters
    ----------
    events, identity_links
        The shop's tables (schemas `EVENTS` and `IDENTITY_LINKS`).

    Returns
    -------
    Table
        One row per `identifier_type` and `rule`, in order: `identifiers`, `people`, `calls`.
    """
    require(events, EVENTS)
    require(identity_links, IDENTITY_LINKS)
    on_devices = events.filter(_.anonymous_id.notnull()).select(
        "person_id", identifier_type=ibis.literal("anonymous_id"), rule=_.identity_rule, identifier=_.anonymous_id,
        calls=ibis.literal(1, "int64"),
    )  # fmt: skip
    others = identity_links.filter(_.identifier_type != "anonymous_id").select(*on_devices.columns)
    linked = ibis.union(on_devices, others).group_by("identifier_type", "rule")
    return linked.aggregate(
        identifiers=_.identifier.nunique(), people=_.person_id.nunique(), calls=_.calls.sum()
    ).order_by("identifier_type", "rule")


def cluster_sizes(identity_links: ir.Table) -> ir.Table:
    """Count people by how many devices and how many other identifiers were taken for theirs.

    A visitor whom nothing identifies is one device and no identifier. The last class
    holds 10 and more: a person of 10,000 devices stands there, and among the suspects.

    Parameters
    ----------
    identity_links
        The shop's links (schema `IDENTITY_LINKS`); aliases, which link nobody, count nowhere.

    Returns
    -------
    Table
        One row per `devices` and `identifiers` (0 to 10, where 10 means 10 or more), in order: `people`.
    """
    require(identity_links, IDENTITY_LINKS)
    device = identity_links.identifier_type == "anonymous_id"
    followed = identity_links.filter(_.identifier_type != "previous_id").mutate(
        device=ibis.ifelse(device, _.identifier, ibis.null(str)),
        other=ibis.ifelse(device, ibis.null(str), _.identifier_type + ":" + _.identifier),
    )
    held = followed.group_by("person_id").aggregate(devices=_.device.nunique(), identifiers=_.other.nunique())
    classes = held.mutate(devices=ibis.least(_.devices, 10), identifiers=ibis.least(_.identifiers, 10))
    return classes.group_by("devices", "identifiers").aggregate(people=_.count()).order_by("devices", "identifiers")


def suspects(events: ir.Table, identity_links: ir.Table) -> ir.Table:
    """List identifiers that several people seem to share, and people with very many devices.

    A device of two people may be a family's, one of ten is a till. An address sent with
    several user ids is shared, or typed wrong; all its calls without a user id went to one of
    them. Nothing here is wrong for certain: what is, goes on the `undo` list of [identity].

    Parameters
    ----------
    events, identity_links
        The shop's tables (schemas `EVENTS` and `IDENTITY_LINKS`).

    Returns
    -------
    Table
        One row per suspect, most people first: `why` (`shared device`, `shared address`, `many devices`),
        `identifier_type`, `identifier`, `people` (named on it; 1 for a person with many devices), `devices` (of the
        person; null for an identifier), `calls`.
    """
    require(events, EVENTS)
    require(identity_links, IDENTITY_LINKS)
    named = identity_links.filter(~_.person_id.startswith("visitor:"), _.identifier_type != "previous_id")
    nobody = ibis.null("int64")
    columns = ("why", "identifier_type", "identifier", "people", "devices", "calls")
    devices = (
        named.filter(_.identifier_type == "anonymous_id")
        .group_by("identifier_type", "identifier")
        .aggregate(people=_.person_id.nunique(), calls=_.calls.sum())
        .mutate(why=ibis.literal("shared device"), devices=nobody)
    )
    addresses = (
        events.filter(_.email_hash.notnull(), _.user_id.notnull())
        .group_by(identifier=_.email_hash)
        .aggregate(people=_.user_id.nunique(), calls=_.count())
        .mutate(why=ibis.literal("shared address"), identifier_type=ibis.literal("email"), devices=nobody)
    )
    owners = (
        named.filter(_.identifier_type == "anonymous_id")
        .group_by("person_id")
        .aggregate(devices=_.identifier.nunique(), calls=_.calls.sum())
        .filter(_.devices >= MANY_DEVICES)
        .mutate(
            why=ibis.literal("many devices"), identifier_type=ibis.literal("person"), identifier=_.person_id,
            people=ibis.literal(1, "int64"),
        )
    )  # fmt: skip
    shared = ibis.union(devices.select(*columns), addresses.select(*columns)).filter(_.people >= MANY_PEOPLE)
    return ibis.union(shared, owners.select(*columns)).order_by(
        _.people.desc(), _.devices.desc(nulls_first=False), _.calls.desc(), "identifier_type", "identifier"
    )


def suspect_counts(events: ir.Table, identity_links: ir.Table) -> ir.Table:
    """Count the suspects of each kind, without naming one.

    The classes are those of `suspects`, in whose terms a family's tablet is a shared device too.

    Parameters
    ----------
    events, identity_links
        The shop's tables (schemas `EVENTS` and `IDENTITY_LINKS`).

    Returns
    -------
    Table
        One row per `why`, in order: `suspects`, `most_people` (on one of them), `calls`.
    """
    found = suspects(events, identity_links)
    return (
        found.group_by("why")
        .aggregate(suspects=_.count(), most_people=_.people.max(), calls=_.calls.sum())
        .order_by("why")
    )


def merging_effect(events: ir.Table, orders: ir.Table) -> ir.Table:
    """Compare people, customers and repeat buyers before merging and after it.

    Before: every call is by its user id, else its address, else its device, as a tool
    without identity would count, and an order by the first of these that one of its calls
    names. After: by `person_id`. Orders that no call tells of are by their customer both times.

    Parameters
    ----------
    events, orders
        The shop's tables (schemas `EVENTS`, `ORDERS`); cancelled orders and those of unknown guests are left out.

    Returns
    -------
    Table
        Two rows, `before` and `after` in `merging`: `people`, `customers`, `repeat_buyers` (with two orders or more),
        `repeat_buyers_share` (0 to 1, null without customers).
    """
    require(events, EVENTS)
    require(orders, ORDERS)
    placed = _orders_of_both(events, orders)
    rows = []
    for merging, person in (("before", _as_sent(events)), ("after", events.person_id)):
        bought = placed.group_by(merging).aggregate(orders=_.count())
        customers = bought.aggregate(customers=_.count(), repeat_buyers=_.count(where=_.orders > 1))
        people = events.aggregate(people=person.nunique())
        rows.append(people.cross_join(customers).mutate(merging=ibis.literal(merging)))
    both = ibis.union(*rows).mutate(repeat_buyers_share=share(_.repeat_buyers, _.customers))
    return both.select("merging", "people", "customers", "repeat_buyers", "repeat_buyers_share").order_by(
        _.merging.desc()
    )


def first_touch_credit(events: ir.Table, sessions: ir.Table, orders: ir.Table) -> ir.Table:
    """Compare which channel gets the credit for a customer's first touch, before merging and after it.

    The first touch is the earliest session up to the customer's first order; without one, it is
    `no session`. Before and after are those of `merging_effect`.

    Parameters
    ----------
    events, sessions, orders
        The shop's tables (schemas `EVENTS`, `SESSIONS`, `ORDERS`).

    Returns
    -------
    Table
        One row per `channel`, in order: `customers_before`, `customers_after`, and their shares of all customers,
        `before_share` and `after_share`.
    """
    require(events, EVENTS)
    require(sessions, SESSIONS)
    require(orders, ORDERS)
    placed = _orders_of_both(events, orders)
    sent = events.filter(_.session_id.notnull()).group_by("session_id").aggregate(before=_as_sent(_).min())
    visited = sessions.join(sent, "session_id")
    visits = visited.select("session_id", "started_at", "channel", "before", after="person_id")
    sides = []
    for merging, other in (("before", "after"), ("after", "before")):
        credited = _first_touches(placed, visits, merging)
        sides.append(
            credited.select(
                "channel", **{f"customers_{merging}": _.customers, f"customers_{other}": ibis.literal(0, "int64")}
            ).select("channel", "customers_before", "customers_after")
        )
    both = ibis.union(*sides).group_by("channel")
    credit = both.aggregate(customers_before=_.customers_before.sum(), customers_after=_.customers_after.sum())
    everyone = ibis.window()
    return credit.mutate(
        before_share=share(_.customers_before, _.customers_before.sum().over(everyone)),
        after_share=share(_.customers_after, _.customers_after.sum().over(everyone)),
    ).order_by("channel")


def _as_sent(events: ir.Table) -> ir.StringValue:
    """Return who a call says it is by, so that of several calls the least value is the one that says most."""
    return ibis.coalesce("0:" + events.user_id, "1:" + events.email_hash, "2:" + events.anonymous_id)


def _orders_of_both(events: ir.Table, orders: ir.Table) -> ir.Table:
    """Return `ordered_at` of each order of a customer, with its customer `before` merging and `after`."""
    told = events.filter(_.event_name == "Order Completed", _.order_id.notnull())
    sent = told.group_by("order_id").aggregate(sent=_as_sent(_).min())
    bought = orders.filter(_.customer_id.notnull(), _.status != "cancelled").left_join(sent, "order_id")
    return bought.select("ordered_at", after="customer_id", before=_.sent.coalesce(_.customer_id))


def _first_touches(placed: ir.Table, visits: ir.Table, merging: str) -> ir.Table:
    """Return `channel, customers`: customers by the channel of their earliest session up to the first order."""
    firsts = placed.group_by(who=placed[merging]).aggregate(first_order_at=_.ordered_at.min())
    seen = visits.select("session_id", "started_at", "channel", visitor=visits[merging])
    joined = firsts.left_join(seen, [firsts.who == seen.visitor, seen.started_at <= firsts.first_order_at])
    earliest = ibis.window(group_by="who", order_by=["started_at", "session_id"])
    first = joined.mutate(place=ibis.row_number().over(earliest)).filter(_.place == 0)
    return first.group_by(channel=_.channel.coalesce("no session")).aggregate(customers=_.count())
