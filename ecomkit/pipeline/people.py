"""Everyone with a call or an order, one row each."""

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.column_types import INSTANT
from ecomkit.schemas import PEOPLE


def people(events: ir.Table, sessions: ir.Table, orders: ir.Table) -> ir.Table:
    """Return the canonical table `people`: everyone with an event or an order."""
    seen = (
        events.filter(_.person_id.notnull())
        .group_by("person_id")
        .agg(
            user_id=_.user_id.min(),
            email_hash=_.email_hash.min(),
            first_seen_at=_.occurred_at.min(),
            identified_at=_.occurred_at.min(where=_.user_id.notnull() | _.email_hash.notnull()),
            created_at=_.created_at.min(),
            anonymous_ids=_.anonymous_id.nunique(),
        )
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
