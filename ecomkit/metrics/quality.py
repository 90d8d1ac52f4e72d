"""What arrived on each day: calls per event and library, properties filled, visits with a campaign."""

import ibis.expr.types as ir
from ibis import _

from ecomkit.engines import local_day
from ecomkit.metrics.ratio import flag
from ecomkit.pipeline.tracking_plan import CALL_TYPES
from ecomkit.schemas import CALL_DAYS, EVENTS, PROPERTY_DAYS, SESSIONS, require


def daily_volumes(call_days: ir.Table) -> ir.Table:
    """Count the calls of each event that reached the shop's tables, per day and side.

    Calls that were excluded, repeated or of no use are not in it: what a bot
    sends under its own name is no volume.

    Parameters
    ----------
    call_days
        Calls per day (schema `CALL_DAYS`).

    Returns
    -------
    Table
        One row per day, event and side, in order: `day`, `event_name`, `side`,
        `calls`, and how many of them were `late` by more than a day.
    """
    require(call_days, CALL_DAYS)
    kept = call_days.filter(_.outcome == "kept")
    counted = kept.group_by("day", "event_name", "side").agg(calls=_.calls.sum(), late=_.late.sum())
    return counted.order_by("day", "event_name", "side")


def daily_outcomes(call_days: ir.Table) -> ir.Table:
    """Count the calls of each day by what became of them, and how many of them came late.

    Late is a call received more than 24 hours after it was made. A call that does not say
    when it was made has no day; the accounts of the build have it.

    Parameters
    ----------
    call_days
        Calls per day (schema `CALL_DAYS`).

    Returns
    -------
    Table
        One row per `day`, in order: `calls`, of which `kept`, `duplicates`, `excluded`, `quarantined`; and `late`, of
        those kept.
    """
    require(call_days, CALL_DAYS)

    def of(outcome: str) -> ir.IntegerValue:
        return _.calls.sum(where=_.outcome == outcome).coalesce(0)

    days = call_days.group_by("day").agg(
        calls=_.calls.sum(),
        kept=of("kept"),
        duplicates=of("duplicate"),
        excluded=of("excluded"),
        quarantined=of("quarantined"),
        late=_.late.sum(where=_.outcome == "kept").coalesce(0),
    )
    return days.order_by("day")


def library_days(call_days: ir.Table) -> ir.Table:
    """Count the calls of each version of each library, per day.

    Calls not kept are left out, and calls that name no library.

    Parameters
    ----------
    call_days
        Calls per day (schema `CALL_DAYS`).

    Returns
    -------
    Table
        One row per day, library and version, in order: `day`, `library`,
        `library_version` (null where none is named), `calls`.
    """
    require(call_days, CALL_DAYS)
    kept = call_days.filter(_.outcome == "kept", _.library.notnull())
    counted = kept.group_by("day", "library", "library_version").agg(calls=_.calls.sum())
    return counted.order_by("day", "library", "library_version")


def filled_properties(property_days: ir.Table) -> ir.Table:
    """Share of an event's calls that filled a property, per day.

    Of `products.price` and the like it is the share of items. A property that an event never fills has no row.

    Parameters
    ----------
    property_days
        Calls and filled properties per day (schema `PROPERTY_DAYS`).

    Returns
    -------
    Table
        One row per day, event and property, in order: `day`, `event_name`,
        `property`, `calls`, `filled`, `filled_rate` (0 to 1).
    """
    require(property_days, PROPERTY_DAYS)
    rated = property_days.mutate(filled_rate=_.filled.cast("float64") / _.calls.cast("float64"))
    names = ("day", "event_name", "property", "calls", "filled", "filled_rate")
    return rated.select(*names).order_by("day", "event_name", "property")


def daily_visits(sessions: ir.Table, events: ir.Table, *, zone: str) -> ir.Table:
    """Sessions per day, how many of them did more than land, and how many came with a campaign.

    A session is engaged with a second page view, or with any track call: what
    a program that fetches one page leaves behind is not.

    Parameters
    ----------
    sessions
        The sessions that count (schema `SESSIONS`).
    events
        The shop's events (schema `EVENTS`).
    zone
        The shop's time zone; a session belongs to the day of its start.

    Returns
    -------
    Table
        One row per day, in order: `day`, `sessions`, `engaged_sessions`,
        `utm_source`, `utm_medium`, `utm_campaign`: sessions that have it.
    """
    require(sessions, SESSIONS)
    require(events, EVENTS)
    tracked = events.filter(_.side == "client", ~_.event_name.isin(CALL_TYPES), _.session_id.notnull())
    acted = tracked.select(acted_session_id=_.session_id).distinct()
    visits = sessions.left_join(acted, sessions.session_id == acted.acted_session_id)
    visits = visits.mutate(
        day=local_day(_.started_at, zone), is_engaged=flag(_.acted_session_id.notnull() | (_.pageviews > 1))
    )
    counted = visits.group_by("day").agg(
        sessions=_.count(),
        engaged_sessions=_.is_engaged.sum(),
        **{name: visits[name].count() for name in ("utm_source", "utm_medium", "utm_campaign")},
    )
    return counted.order_by("day")
