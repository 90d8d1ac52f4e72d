"""What events lack for a funnel: columns of their session, and the session of an order that a server told."""

import ibis
import ibis.expr.types as ir

from ecomkit.errors import UsageError, did_you_mean
from ecomkit.schemas import EVENTS, ORDERS, SESSIONS, require


def with_session_column(events: ir.Table, sessions: ir.Table, column: str) -> ir.Table:
    """Add a column of its session, such as the channel, to each event that lacks it; null without a session.

    A column that events have themselves, such as the device type, stays as it is.
    """
    if column in events.columns:
        return events
    require(sessions, SESSIONS)
    if column not in sessions.columns:
        known = (*events.columns, *sessions.columns)
        raise UsageError(f"Neither events nor sessions have '{column}'.{did_you_mean(column, known)}")
    held = sessions.select(held_session="session_id", **{column: sessions[column]})
    return events.left_join(held, events.session_id == held.held_session).drop("held_session")


def with_order_sessions(events: ir.Table, orders: ir.Table) -> ir.Table:
    """Give each order that a server told, and so has no session as a call, the session that the order belongs to.

    Without it a funnel of sessions misses these orders. By which rule an order met its session, `orders` says.
    """
    require(events, EVENTS)
    require(orders, ORDERS)
    met = orders.filter(orders.session_id.notnull()).select(met_order="order_id", met_session="session_id")
    joined = events.left_join(met, events.order_id == met.met_order)
    lacks = joined.session_id.isnull() & (joined.event_name == "Order Completed")
    session = ibis.ifelse(lacks, joined.met_session, joined.session_id)
    return joined.mutate(session_id=session).drop("met_order", "met_session")
