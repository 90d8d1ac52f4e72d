"""What a build knows: each kind of call until an instant of its own, so that the past can be loaded again."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import ibis
import ibis.expr.types as ir

from ecomkit.column_types import INSTANT
from ecomkit.periods import local_date

# They say what became of an order that is known already.
REFUNDS = ("Order Refunded", "Order Cancelled")


@dataclass(frozen=True)
class Known:
    """The instants before which a call must have arrived to count, by what it can change in a week.

    An identify call is no event of a visit: whenever it occurred, it only tells who is who. So does whatever occurred
    after the week.

    Parameters
    ----------
    refunds
        For refunds and cancellations, whenever they occurred.
    occurred
        For other calls that occurred before `end`, identify calls left out.
    names
        For identify calls, and for other calls that occurred at `end` or later.
    end
        The first instant after the week.
    """

    refunds: datetime
    occurred: datetime
    names: datetime
    end: datetime


def known_at(instant: datetime) -> Known:
    """Return what was known at an instant: of every kind what had arrived before."""
    return Known(instant, instant, instant, end=instant)


def later_calls(named: ir.Table, known: Known) -> ir.Table:
    """Return the `row_id` of calls that arrived too late to be known; one without any instant is known."""
    arrived = ibis.coalesce(named.received_at, named.sent_at, named.original_timestamp, named.sent_timestamp)
    refund, identify = named.event_name.isin(REFUNDS), named.event_name == "identify"
    return named.filter(is_later(arrived, named.occurred_at, known, refund=refund, identify=identify)).select("row_id")


def is_later(
    arrived: ir.TimestampValue,
    occurred: ir.TimestampValue,
    known: Known,
    *,
    refund: ir.BooleanValue,
    identify: ir.BooleanValue | None = None,
) -> ir.BooleanValue:
    """Say whether something arrived too late to be known."""
    names = occurred >= known.end if identify is None else identify | (occurred >= known.end)
    until = ibis.cases(
        (refund.fill_null(False), _literal(known.refunds)),
        (names.fill_null(False), _literal(known.names)),
        else_=_literal(known.occurred),
    )
    return (arrived >= until).fill_null(False)


def first_unknown_day(known: Known, zone: str) -> date:
    """Return the first local day whose spend is not known: within the week, the day after the newest call."""
    day = local_date(known.occurred, zone)
    # An archive often ends with the last call of a day, and platforms tell of a day while it still goes on.
    return day if known.occurred >= known.end else day + timedelta(days=1)


def _literal(instant: datetime) -> ir.TimestampValue:
    return ibis.literal(instant, INSTANT)
