"""Calls per local day: what arrived of each event and from which library, and which properties were filled.

All that a watch over tracking needs to know of the calls, in tables that stay small
however many calls there are.
"""

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.engines import local_day
from ecomkit.pipeline import tracking_plan
from ecomkit.schemas import CALL_DAYS, PROPERTY_DAYS

# A call that waited longer than this on its device came too late for the report of its day.
LATE_AFTER_HOURS = 24
# V1's plain `id` gives way to `product_id` and `order_id`, which hold it too: its end is no loss.
_NOT_COUNTED = ("id",)
_CAMPAIGN = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "campaign_id", "click_id")
# Columns that hold a property as it was sent, where something else stands in for what is missing.
_AS_SENT = {"total": "sent_total", "quantity": "sent_quantity"}
CALL_PROPERTIES = {
    name: _AS_SENT.get(name, name)
    for name in (*tracking_plan.PROPERTIES, "products", *_CAMPAIGN)
    if name not in _NOT_COUNTED
}
ITEM_PROPERTIES = {f"products.{name}": name for name in tracking_plan.ITEM_PROPERTIES}


def call_days(verdicts: ir.Table, calls: ir.Table, *, zone: str) -> ir.Table:
    """Return the canonical table `call_days`: all calls that say when they were made, also those not kept.

    Parameters
    ----------
    verdicts
        The verdict on every call.
    calls
        The same calls, with `library`, `library_version` and `received_at`.
    zone
        The shop's time zone.

    Returns
    -------
    Table
        One row per local day, event, side, library, its version, outcome and
        reason: `calls`, and how many of them were `late`.
    """
    sent = calls.select("row_id", "library", "library_version", "received_at")
    dated = verdicts.filter(_.occurred_at.notnull()).join(sent, "row_id")
    waited_seconds = dated.received_at.epoch_seconds() - dated.occurred_at.epoch_seconds()
    days = dated.mutate(
        day=local_day(dated.occurred_at, zone), is_late=(waited_seconds > LATE_AFTER_HOURS * 3600).fill_null(False)
    )
    keys = [name for name in CALL_DAYS.names if name not in ("calls", "late")]
    return days.group_by(*keys).agg(calls=_.count(), late=_.count(where=_.is_late)).select(*CALL_DAYS.names)


def property_days(kept: ir.Table, items: ir.Table, *, zone: str) -> ir.Table:
    """Return the canonical table `property_days`: how many of an event's calls filled each property.

    A property that an event never fills has no row. Those of `products` are counted
    over the items: `products.price` is filled in so many items.

    Parameters
    ----------
    kept
        The kept calls.
    items
        The items of calls as they were sent, before what lacks is filled in.
    zone
        The shop's time zone.

    Returns
    -------
    Table
        One row per local day, event and property: `calls` (items, for those of
        `products`) and how many of them `filled` it.
    """
    days = kept.mutate(day=local_day(kept.occurred_at, zone))
    listed = items.join(days.select("row_id", "day", "event_name"), "row_id")
    counted = ibis.union(_filled(days, CALL_PROPERTIES), _filled(listed, ITEM_PROPERTIES))
    ever_filled = _.filled.sum().over(ibis.window(group_by=["event_name", "property"]))
    return counted.mutate(ever_filled=ever_filled).filter(_.ever_filled > 0).select(*PROPERTY_DAYS.names)


def _filled(days: ir.Table, columns: dict[str, str]) -> ir.Table:
    # One pass over the calls counts all properties; only what it gives, a row per day and event, is turned around.
    filled = {name: days[column].count() for name, column in columns.items()}
    counted = days.group_by("day", "event_name").agg(calls=_.count(), **filled)
    return counted.pivot_longer(list(columns), names_to="property", values_to="filled").select(*PROPERTY_DAYS.names)
