"""What was set right in calls that are kept, and what they lack: a row per call and reason, to be counted."""

import functools
import operator
from collections import defaultdict

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.pipeline import tracking_plan
from ecomkit.pipeline.events import number

_NO_LIST = "products that are no list of items: left out"


def corrections(kept: ir.Table, items: ir.Table) -> ir.Table:
    """Return one row per kept call and correction made on it: `row_id, reason`.

    Parameters
    ----------
    kept
        Calls with the columns of the reader beside their verdict.
    items
        The items of their `products`, as they were sent.
    """
    said_as_value = kept.value.notnull() & kept.event_name.isin(("Checkout Started", *tracking_plan.ORDER_EVENTS))
    reasons = {
        "event name in an older spelling": (kept.call_type == "track") & (kept.event.strip() != kept.event_name),
        "money sent as text": kept.money_as_text,
        "money with a currency sign": kept.money_with_sign,
        "money that is no number: left out": kept.money_unreadable,
        "total sent as value": said_as_value & kept.sent_total.isnull(),
        "no message id: made from what was sent": kept.without_message_id,
        "no timestamp: worked out from the arrival": kept.sent_timestamp.isnull(),
    }
    of_calls = _told(kept, reasons)
    priced = kept.filter(kept.event_name.isin(tracking_plan.ORDER_EVENTS)).select("row_id")
    lines = items.semi_join(priced, "row_id")
    of_lines = _told(
        lines,
        {
            "item without a quantity: taken as one": lines.quantity.isnull(),
            "item with a quantity that is no number: taken as one": lines.quantity.notnull()
            & number(lines.quantity).isnull(),
        },
    )
    sent_some = kept.filter(kept.products.notnull(), ~kept.products.isin(["[]", '""'])).select("row_id")
    unread = sent_some.anti_join(items, "row_id").mutate(reason=ibis.literal(_NO_LIST))
    return ibis.union(of_calls, of_lines, unread).distinct()


def gaps(kept: ir.Table) -> ir.Table:
    """Return one row per kept call and required property that it lacks: `row_id, reason`."""
    lacking = defaultdict(list)
    for name, event in tracking_plan.PLAN.items():
        for required in event.required:
            lacking[required].append(name)
    reasons = {required: kept.event_name.isin(names) & kept[required].isnull() for required, names in lacking.items()}
    return ibis.union(
        *[
            kept.filter(lacks).select("row_id", reason=kept.event_name + f" without {required}")
            for required, lacks in reasons.items()
        ]
    )


def _told(rows: ir.Table, reasons: dict[str, ir.BooleanValue]) -> ir.Table:
    """Return `row_id, reason` for each reason that holds for a row."""
    any_of_them = functools.reduce(operator.or_, reasons.values())
    named = [ibis.ifelse(holds, reason, ibis.null(str)) for reason, holds in reasons.items()]
    found = rows.filter(any_of_them).select("row_id", reason=ibis.array(named).unnest())
    return found.filter(_.reason.notnull())
