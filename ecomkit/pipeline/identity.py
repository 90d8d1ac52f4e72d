"""Who made each call: time-bounded stitching of devices to people.

A call with a user id belongs to that user; one with only an address belongs to
the first user seen with it, else to the guest of that address. On a device, a
call without either belongs to the person identified there at that moment, and
calls before the first identification belong to the first person identified.
"""

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.column_types import INSTANT
from ecomkit.schemas import IDENTITY_LINKS, PEOPLE


def email_owners(calls: ir.Table) -> ir.Table:
    """Return the user id first seen with each address: `email_hash, owner`."""
    both = calls.filter(_.email_hash.notnull(), _.user_id.notnull())
    first = ibis.window(group_by="email_hash", order_by=["occurred_at", "message_id"])
    ranked = both.mutate(place=ibis.row_number().over(first)).filter(_.place == 0)
    return ranked.select("email_hash", owner=_.user_id)


def with_people(calls: ir.Table) -> ir.Table:
    """Give every call its `person_id`, and `identity_rule`, why it belongs there."""
    named = calls.left_join(email_owners(calls), "email_hash").drop("email_hash_right")
    named = named.mutate(
        known_as=ibis.cases(
            (_.user_id.notnull(), "user:" + _.user_id),
            (_.owner.notnull(), "user:" + _.owner),
            (_.email_hash.notnull(), "guest:" + _.email_hash),
            else_=None,
        )
    )
    # The nth identification on a device opens stretch n; stretch 0 lies before the first.
    so_far = ibis.window(group_by="anonymous_id", order_by=["occurred_at", "message_id"], preceding=(None, 0))
    stretched = named.mutate(stretch=_.known_as.notnull().cast("int64").sum().over(so_far))
    in_stretch = ibis.window(group_by=["anonymous_id", "stretch"])
    on_device = ibis.window(group_by="anonymous_id")
    placed = stretched.mutate(
        here=_.known_as.max().over(in_stretch),
        first_here=ibis.ifelse(_.stretch == 1, _.known_as, ibis.null(str)).max().over(on_device),
    )
    on_a_device = placed.anonymous_id.notnull()
    found = placed.mutate(
        person_id=ibis.cases(
            (_.known_as.notnull(), _.known_as),
            (on_a_device & _.here.notnull(), _.here),
            (on_a_device & _.first_here.notnull(), _.first_here),
            else_="visitor:" + _.anonymous_id,
        ),
        identity_rule=ibis.cases(
            (_.user_id.notnull(), "user id on the call"),
            (_.owner.notnull(), "address of a known user"),
            (_.email_hash.notnull(), "address of a guest"),
            (_.here.notnull(), "identified on the device before"),
            (_.first_here.notnull(), "identified on the device later"),
            else_="visitor not identified",
        ),
    )
    return found.drop("owner", "known_as", "stretch", "here", "first_here")


def identity_links(events: ir.Table) -> ir.Table:
    """Return the canonical table `identity_links` from events with `person_id` and `identity_rule`.

    One row per identifier and stretch of calls that belong to one person, with the
    rule of its first call; the stretches of an identifier do not overlap.
    """
    kinds = {"anonymous_id": "anonymous_id", "user_id": "user_id", "email_hash": "email"}
    parts = []
    for column, kind in kinds.items():
        order = ["occurred_at", "message_id"]
        in_order = ibis.window(group_by="identifier", order_by=order)
        so_far = ibis.window(group_by="identifier", order_by=order, preceding=(None, 0))
        calls = events.filter(_[column].notnull()).select(
            "person_id", "occurred_at", "message_id", "identity_rule", identifier=_[column]
        )
        changes = calls.mutate(before=_.person_id.lag().over(in_order), place=ibis.row_number().over(in_order))
        changes = changes.mutate(changed=(_.before != _.person_id).fill_null(True).cast("int64"))
        stretches = changes.mutate(stretch=_.changed.sum().over(so_far)).group_by("identifier", "stretch")
        links = stretches.agg(
            person_id=_.person_id.min(),
            valid_from=_.occurred_at.min(),
            valid_to=_.occurred_at.max(),
            rule=_.identity_rule.argmin(_.place),
        )
        parts.append(links.mutate(identifier_type=ibis.literal(kind)).select(*IDENTITY_LINKS.names))
    return ibis.union(*parts).cast(IDENTITY_LINKS).order_by("identifier_type", "identifier", "valid_from", "rule")


def people(events: ir.Table, sessions: ir.Table, orders: ir.Table) -> ir.Table:
    """Return the canonical table `people`: everyone with an event or an order."""
    seen = events.group_by("person_id").agg(
        user_id=_.user_id.min(),
        email_hash=_.email_hash.min(),
        first_seen_at=_.occurred_at.min(),
        identified_at=_.occurred_at.min(where=_.user_id.notnull() | _.email_hash.notnull()),
        created_at=_.created_at.min(),
        anonymous_ids=_.anonymous_id.nunique(),
    )
    first_session = sessions.filter(_.session_number == 1).select("person_id", first_channel=_.channel)
    bought = (
        orders.filter(_.customer_id.notnull(), _.status != "cancelled")
        .group_by("customer_id")
        .agg(first_order_at=_.ordered_at.min())
    )
    joined = seen.outer_join(bought, seen.person_id == bought.customer_id)
    everyone = joined.mutate(
        person_id=ibis.coalesce(_.person_id, _.customer_id),
        user_id=ibis.coalesce(
            _.user_id, ibis.ifelse(_.customer_id.startswith("user:"), _.customer_id.substr(5), ibis.null(str))
        ),
        first_seen_at=ibis.coalesce(_.first_seen_at, _.first_order_at),
        anonymous_ids=_.anonymous_ids.fill_null(0),
        consent=ibis.null("boolean"),
        suppressed_at=ibis.null(INSTANT),
    ).left_join(first_session, "person_id")
    return everyone.select(*PEOPLE.names).cast(PEOPLE).order_by("person_id")
