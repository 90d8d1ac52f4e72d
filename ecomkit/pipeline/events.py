"""From flat calls to `events`: every call is kept, a duplicate, excluded by a rule, or quarantined."""

import functools
import operator

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.pipeline import tracking_plan
from ecomkit.schemas import EVENTS, INSTANT, MONEY, PRODUCT_EVENTS

EARLIEST = "2000-01-01"
# A clock may run ahead; a call dated later than this after its arrival is not believed.
MOST_AHEAD_SECONDS = 24 * 60 * 60

_ORDER_EVENTS = ("Order Completed", "Order Refunded", "Order Cancelled")
_MOBILE = r"(?i)iphone|android.*mobile|mobile.*firefox|windows phone"
_TABLET = r"(?i)ipad|android|tablet"


def typed_calls(calls: ir.Table) -> ir.Table:
    """Give calls their instants, canonical names, sides and devices; text that is no number becomes null.

    `occurred_at` is Segment's `timestamp`, else received_at - (sent_at - original_timestamp),
    else the arrival.
    """
    instants = calls.mutate(
        received_at=_.received_at.try_cast(INSTANT),
        sent_timestamp=_.sent_timestamp.try_cast(INSTANT),
        original_timestamp=_.original_timestamp.try_cast(INSTANT),
        sent_at=_.sent_at.try_cast(INSTANT),
        created_at=_.created_at.try_cast(INSTANT),
    )
    corrected_clock = instants.received_at - (instants.sent_at - instants.original_timestamp)
    named = instants.mutate(
        occurred_at=ibis.coalesce(_.sent_timestamp, corrected_clock, _.original_timestamp, _.received_at),
        event_name=ibis.ifelse(
            _.call_type == "track",
            ibis.coalesce(
                _.event.strip().lower().cases(*tracking_plan.canonical_names().items()), _.event.strip().nullif("")
            ),
            _.call_type,
        ),
        click_id=ibis.ifelse(_.click_value.nullif("").notnull(), _.click_kind + ":" + _.click_value, ibis.null(str)),
        order_id=_.order_id.strip().nullif(""),
        quantity=_units(_.quantity),
        position=_.position.try_cast("float64").try_cast("int64"),
    )
    sided = named.mutate(side=_side(named), device_type=_device_type(named))
    # Customer.io names the person beside `userId` too; elsewhere a customer's id may be one of another system.
    return sided.mutate(user_id=ibis.coalesce(_.user_id, ibis.ifelse(_.side == "email", _.customer_id, ibis.null(str))))


def _units(text: ir.StringValue) -> ir.IntegerValue:
    # Whole units, at least one where something was sent: 0.5 metres are one piece, whose money the line holds.
    sent = text.try_cast("float64")
    return ibis.ifelse(sent == 0, 0, ibis.greatest(sent.round(), 1)).try_cast("int64")


def _side(calls: ir.Table) -> ir.StringValue:
    # Every server library names itself; what names nothing and knows a device comes from the device.
    from_device = calls.library.re_search(tracking_plan.CLIENT_LIBRARIES) | (
        calls.library.isnull() & calls.anonymous_id.notnull()
    )
    return ibis.cases(
        (calls.event_name.isin(tracking_plan.EMAIL_EVENTS), "email"),
        (calls.event_name.isin(tracking_plan.CHAT_EVENTS), "chat"),
        (from_device, "client"),
        else_="server",
    )


def _device_type(calls: ir.Table) -> ir.StringValue:
    agent = calls.user_agent
    return ibis.cases(
        (agent.re_search(_MOBILE) | calls.library.re_search("^analytics-(ios|android)"), "mobile"),
        (agent.re_search(_TABLET), "tablet"),
        (agent.notnull(), "desktop"),
        else_=None,
    )


def judged_calls(
    typed: ir.Table, *, exclude_bots: bool, staff: tuple[str, ...], test_orders: tuple[str, ...]
) -> ir.Table:
    """Give every call its `outcome` (kept, duplicate, excluded, quarantined) and the `reason`.

    A message id counts once: the call received first, then by file and line. Staff
    are recognised by address, and with them every call of their user ids and devices.
    """
    checked = typed.mutate(problem=ibis.coalesce(typed.problem, _problem(typed)))
    order = ibis.window(
        group_by=[_.problem.isnull(), "message_id"], order_by=[_.received_at.asc(nulls_first=False), "row_id"]
    )
    ranked = checked.mutate(copy_number=ibis.row_number().over(order) + 1)
    exclusion = _exclusion(ranked, exclude_bots=exclude_bots, staff=staff, test_orders=test_orders)
    return ranked.mutate(exclusion=exclusion).mutate(
        outcome=ibis.cases(
            (_.problem.notnull(), "quarantined"),
            (_.copy_number > 1, "duplicate"),
            (_.exclusion.notnull(), "excluded"),
            else_="kept",
        ),
        reason=ibis.cases(
            (_.problem.notnull(), _.problem),
            (_.copy_number > 1, "message id seen before"),
            else_=_.exclusion,
        ),
    )


def _problem(calls: ir.Table) -> ir.StringValue:
    # A call without an arrival of its own cannot be later than the newest of the others.
    arrival = ibis.coalesce(calls.received_at, calls.sent_at, calls.received_at.max().as_scalar())
    ahead = calls.occurred_at.epoch_seconds() - arrival.epoch_seconds()
    return ibis.cases(
        (calls.call_type.isnull(), "no call type"),
        (~calls.call_type.isin(tracking_plan.CALL_TYPES), "unknown call type"),
        (calls.event_name.isnull(), "track call without an event name"),
        (
            calls.anonymous_id.isnull() & calls.user_id.isnull() & calls.email_hash.isnull(),
            "no user id, visitor id or email",
        ),
        (calls.event_name.isin(_ORDER_EVENTS) & calls.order_id.isnull(), "order call without an order id"),
        (calls.occurred_at.isnull(), "no readable timestamp"),
        (calls.occurred_at < ibis.timestamp(EARLIEST).cast(INSTANT), "dated before " + EARLIEST[:4]),
        (ahead > MOST_AHEAD_SECONDS, "dated more than a day after its arrival"),
        else_=None,
    )


def _exclusion(
    calls: ir.Table, *, exclude_bots: bool, staff: tuple[str, ...], test_orders: tuple[str, ...]
) -> ir.StringValue:
    never = ibis.literal(False)
    rules = [(calls.call_type == kind, f"call type not used: {kind}") for kind in tracking_plan.UNUSED_CALL_TYPES]
    if exclude_bots:
        # A scanner's click tells of a message that reached someone: it stays, and `email_clicks` calls it machine.
        is_bot = calls.user_agent.lower().re_search(tracking_plan.BOT_AGENTS) & (calls.side != "email")
        rules.append((is_bot.fill_null(False), "bot"))
    if staff:
        is_staff = functools.reduce(operator.or_, [calls.email.endswith(ending.lower()) for ending in staff], never)
        users = calls.filter(is_staff, _.user_id.notnull()).user_id
        devices = calls.filter(is_staff | calls.user_id.isin(users), _.anonymous_id.notnull()).anonymous_id
        rules += [
            (is_staff.fill_null(False), "staff"),
            (calls.user_id.isin(users).fill_null(False), "staff"),
            (calls.anonymous_id.isin(devices).fill_null(False), "staff"),
        ]
    if test_orders:
        is_test = functools.reduce(operator.or_, [calls.order_id.re_search(pattern) for pattern in test_orders], never)
        rules.append((is_test.fill_null(False), "test order"))
    return ibis.cases(*rules, else_=None)


def corrections(judged: ir.Table) -> ir.Table:
    """Return one row per kept call and correction made on it: `row_id, reason`."""
    kept = judged.filter(_.outcome == "kept")
    told = kept.select(
        "row_id",
        older=(_.call_type == "track") & (_.event != _.event_name),
        as_text=_.money_as_text,
        no_number=_.money_unreadable,
        unnumbered=_.sent_message_id.isnull(),
        undated=_.sent_timestamp.isnull(),
    )
    reasons = {
        "older": "event name in an older spelling",
        "as_text": "money sent as text",
        "no_number": "money that is no number: left out",
        "unnumbered": "no message id: made from the line",
        "undated": "no timestamp: worked out from the arrival",
    }
    found = [told.filter(told[flag]).select("row_id", reason=ibis.literal(text)) for flag, text in reasons.items()]
    return ibis.union(*found)


def finished_events(located: ir.Table) -> ir.Table:
    """Return calls that have their person and session as the canonical table `events`."""
    return located.select(*EVENTS.names).cast(EVENTS).order_by("occurred_at", "message_id")


def typed_items(items: ir.Table) -> ir.Table:
    """Give the items of `products` their types; a missing quantity is one.

    `line_total` is the money of a quantity that is not whole; null where price x quantity says it.
    """
    sent = items.quantity.try_cast("float64")
    part = (items.price.cast("float64") * sent).round(4).cast(MONEY)
    return items.mutate(
        quantity=_units(items.quantity).fill_null(1),
        line_total=ibis.ifelse(sent != sent.floor(), part, ibis.null(MONEY)),
        position=items.position.try_cast("float64").try_cast("int64"),
    )


def product_events(located: ir.Table, items: ir.Table, order_lines: ir.Table, orders: ir.Table) -> ir.Table:
    """Return the canonical table `product_events`: what was listed, clicked, viewed, added, removed, purchased.

    Product Purchased is one row per line of an order not cancelled, at the time of
    its order and in the shop's currency; other prices are as they were sent.
    """
    about_call = ["occurred_at", "person_id", "session_id", "event_name", "cart_id", "list_id"]
    single = located.filter(_.event_name.isin(tracking_plan.PRODUCT_EVENTS), _.product_id.notnull())
    lists = located.filter(_.event_name.isin(tracking_plan.PRODUCT_LIST_EVENTS)).select("row_id", *about_call)
    listed = lists.join(items, "row_id")
    purchased = order_lines.join(orders.filter(_.status != "cancelled"), "order_id").select(
        occurred_at=_.ordered_at,
        person_id=_.customer_id,
        session_id=_.session_id,
        event_name=ibis.literal(tracking_plan.PRODUCT_PURCHASED),
        cart_id=ibis.null(str),
        list_id=ibis.null(str),
        product_id=_.product_id,
        sku=_.sku,
        category=_.category,
        price=_.unit_price,
        quantity=_.quantity,
        position=ibis.null("int64"),
    )
    parts = [table.select(*PRODUCT_EVENTS.names).cast(PRODUCT_EVENTS) for table in (single, listed, purchased)]
    return ibis.union(*parts).order_by("occurred_at", "person_id", "event_name", "product_id", "position")
