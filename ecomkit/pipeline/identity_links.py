"""Which identifier belonged to whom, from when to when, and by which rule."""

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.engines import epoch_ms
from ecomkit.pipeline.dated_text import dated, text_of
from ecomkit.pipeline.identifiers import named_person
from ecomkit.schemas import IDENTITY_LINKS

_IN_ORDER = ["occurred_at", "message_id"]


def identity_links(calls: ir.Table, owners: ir.Table, external_ids: ir.Table, aliases: ir.Table) -> ir.Table:
    """Return the canonical table `identity_links`.

    A device has one row per stretch of calls that belong to one person; the
    stretches of a device do not overlap. A user id, an address and an external id belong
    to one person for good. An alias is recorded and followed by nothing.

    Parameters
    ----------
    calls
        Kept calls with `person_id` and `identity_rule`.
    owners
        Whose each address and external id is.
    external_ids
        `row_id, identifier_type, identifier`.
    aliases
        `previous_id, user_id, occurred_at` of alias calls.
    """
    told = aliases.filter(_.previous_id.notnull(), _.user_id.notnull()).select(
        "occurred_at", kind=ibis.literal("previous_id"), identifier=_.previous_id, person_id="user:" + _.user_id,
        rule=ibis.literal("alias: recorded, not followed"),
    )  # fmt: skip
    sent = calls.select("row_id", "occurred_at", "user_id", "email_hash")
    whose = owners.select(kind=_.identifier_type, identifier=_.identifier, owner=_.person_id)
    addresses = sent.filter(_.email_hash.notnull()).mutate(kind=ibis.literal("email"), identifier=_.email_hash)
    others = external_ids.join(sent, "row_id").mutate(kind=_.identifier_type)
    owned = ibis.union(*(part.select("occurred_at", "kind", "identifier") for part in (addresses, others)))
    named = owned.left_join(whose, ["kind", "identifier"]).drop("kind_right", "identifier_right")
    named = named.mutate(
        person_id=ibis.coalesce(_.owner, named_person(_.kind, _.identifier)),
        rule=ibis.ifelse(_.owner.isnull(), "names a person of its own", "sent together with the person's others"),
    )
    users = sent.filter(_.user_id.notnull()).select(
        "occurred_at", kind=ibis.literal("user_id"), identifier=_.user_id, person_id="user:" + _.user_id,
        rule=ibis.literal("user id on the call"),
    )  # fmt: skip
    columns = ["kind", "identifier", "person_id", "rule"]
    lasting = ibis.union(*(part.select("occurred_at", *columns) for part in (users, named, told)))
    spans = lasting.group_by(columns).agg(valid_from=_.occurred_at.min(), valid_to=_.occurred_at.max(), calls=_.count())
    links = ibis.union(_of_devices(calls), spans.rename(identifier_type="kind").select(*IDENTITY_LINKS.names)).cast(
        IDENTITY_LINKS
    )
    return links.order_by("identifier_type", "identifier", "valid_from", "person_id", "rule")


def _of_devices(calls: ir.Table) -> ir.Table:
    """Return a row per device and stretch of calls of one person, with the rule of its first call."""
    on_device = calls.filter(_.anonymous_id.notnull()).select(
        "message_id", "person_id", "occurred_at", "identity_rule", identifier=_.anonymous_id
    )
    by_rule = ["identifier", "person_id", "identity_rule"]
    spans = {"valid_from": _.occurred_at.min(), "valid_to": _.occurred_at.max(), "calls": _.count()}
    told = on_device.group_by(by_rule).agg(**spans)
    people = told.group_by("identifier").agg(first=_.person_id.min(), last=_.person_id.max())
    alone = told.semi_join(people.filter(_.first == _.last), "identifier").mutate(stretch=ibis.literal(1, "int64"))
    # Only where several share a device do stretches follow each other: a small part of all calls.
    several = on_device.semi_join(people.filter(_.first != _.last), "identifier")
    so_far = ibis.window(group_by="identifier", order_by=_IN_ORDER, preceding=(None, 0))
    changes = several.mutate(before=_.person_id.lag().over(ibis.window(group_by="identifier", order_by=_IN_ORDER)))
    changes = changes.mutate(changed=ibis.ifelse(_.before == _.person_id, 0, 1))
    stretches = changes.mutate(stretch=_.changed.sum().over(so_far)).group_by([*by_rule, "stretch"]).agg(**spans)
    both = ibis.union(alone, stretches.select(*alone.columns))
    marked = both.mutate(mark=dated(epoch_ms(both.valid_from), both.identity_rule))
    links = marked.group_by("identifier", "stretch").agg(
        person_id=_.person_id.min(),
        valid_from=_.valid_from.min(),
        valid_to=_.valid_to.max(),
        rule=text_of(_.mark.min()),
        calls=_.calls.sum(),
    )
    return links.mutate(identifier_type=ibis.literal("anonymous_id")).select(*IDENTITY_LINKS.names)
