"""Visits: a device's own calls with gaps of at most thirty minutes."""

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.engines import epoch_ms
from ecomkit.pipeline.channels import referrer_host
from ecomkit.pipeline.dated_text import dated, text_of
from ecomkit.schemas import SESSIONS

LONGEST_GAP_SECONDS = 30 * 60


def with_sessions(calls: ir.Table) -> ir.Table:
    """Give the device's own `page`, `screen` and `track` calls their `session_id`; null for all others.

    A gap of exactly 30:00 continues a session. A login does not split it, another
    person on the device does; midnight does not. Email, chat and server calls never
    open, extend or split one.
    """
    belongs = (
        (calls.side == "client") & calls.call_type.isin(["page", "screen", "track"]) & calls.anonymous_id.notnull()
    )
    # Only what the comparison needs goes through the sorting; the rest of a call is met again by its row.
    narrow = calls.filter(belongs).select("row_id", "message_id", "anonymous_id", "person_id", "occurred_at")
    in_order = {"group_by": "anonymous_id", "order_by": ["occurred_at", "message_id"]}
    by_device, so_far = ibis.window(**in_order), ibis.window(**in_order, preceding=(None, 0))
    compared = narrow.mutate(at_ms=epoch_ms(_.occurred_at)).mutate(
        gap=_.at_ms - _.at_ms.lag().over(by_device),
        person_before=_.person_id.lag().over(by_device),
        place=ibis.row_number().over(by_device),
    )
    told = compared.mutate(
        opens_session=compared.gap.isnull()
        | (compared.gap > LONGEST_GAP_SECONDS * 1000)
        | (compared.person_before != compared.person_id)
    )
    nothing = ibis.null("int64")
    # The place of its first call, doubled: odd where it opened in the millisecond of the call before.
    opening = told.place * 2 + ibis.ifelse(told.gap == 0, 1, 0)
    visits = told.select(
        "row_id",
        started_ms=ibis.ifelse(told.opens_session, told.at_ms, nothing).max().over(so_far),
        opened=ibis.ifelse(told.opens_session, opening, nothing).max().over(so_far),
    )  # fmt: skip
    placed = calls.left_join(visits, "row_id").drop("row_id_right")
    # Several people in one millisecond have a session each: the place tells them apart.
    again = ibis.ifelse(placed.opened % 2 == 1, ":" + (placed.opened // 2).cast(str), "")
    session_id = placed.anonymous_id + ":" + placed.started_ms.cast(str) + again
    return placed.mutate(session_id=session_id).drop("started_ms", "opened")


def landings(placed: ir.Table, calls: ir.Table) -> ir.Table:
    """Return one row per session with what its landing says of where it came from.

    The landing is the session's first page or screen; of a session without one, its first call.

    Parameters
    ----------
    placed
        One row per call with its person and `session_id`, null outside a session.
    calls
        The same calls with all that they say.
    """
    in_session = placed.filter(_.session_id.notnull())
    is_page = in_session.call_type.isin(["page", "screen"])
    # Pages before other calls, then by time.
    mark = ibis.ifelse(is_page, "0", "1") + dated(epoch_ms(in_session.occurred_at), in_session.message_id)
    marked = in_session.mutate(is_page=is_page, mark=mark)
    spans = marked.group_by("session_id").agg(
        person_id=_.person_id.min(),
        started_at=_.occurred_at.min(),
        ended_at=_.occurred_at.max(),
        pageviews=_.is_page.sum(),
        landed_with=text_of(_.mark.min().substr(1)),
    )
    said = calls.select(
        "message_id", "anonymous_id", "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content",
        "campaign_id", "click_id", "device_type", landing_path=_.page_path, referrer_host=referrer_host(_.referrer),
    )  # fmt: skip
    return spans.join(said, spans.landed_with == said.message_id).drop("landed_with", "message_id")


def finished_sessions(landed: ir.Table, orders: ir.Table) -> ir.Table:
    """Return the canonical table `sessions`, with the orders placed in each; a cancelled order is none."""
    placed = orders.filter(_.session_id.notnull(), _.status != "cancelled").group_by("session_id").agg(orders=_.count())
    by_person = ibis.window(group_by="person_id", order_by=["started_at", "session_id"])
    numbered = landed.left_join(placed, "session_id").mutate(
        session_number=ibis.row_number().over(by_person) + 1, orders=_.orders.fill_null(0)
    )
    return (
        numbered.mutate(converted=_.orders > 0)
        .select(*SESSIONS.names)
        .cast(SESSIONS)
        .order_by("started_at", "session_id")
    )
