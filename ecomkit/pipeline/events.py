"""From flat calls to `events`: every call is kept, a duplicate, excluded by a rule, or quarantined."""

import functools
import operator

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.column_types import INSTANT, MONEY
from ecomkit.pipeline import senders, tracking_plan
from ecomkit.schemas import EVENTS, PRODUCT_EVENTS
from ecomkit.segment_names import WORD

EARLIEST = "2000-01-01"
# A clock may run ahead; a call dated later than this after its arrival is not believed.
MOST_AHEAD_SECONDS = 24 * 60 * 60
# Events whose money is counted, and what can name its currency: taken for the shop's own it would be guessed.
_OF_MONEY = ("Order Completed", "Order Refunded")
_CURRENCY = r"^\s*([A-Za-z]{3}|[€£$])\s*$"
# More pieces of one thing are no order of a shop, and their price would not fit into money.
MOST_UNITS = 1_000_000


# What the verdict on a call stands on.
JUDGED_BY = (
    "row_id", "problem", "content_hash", "staff_address", "call_type", "event", "message_id", "anonymous_id", "user_id",
    "customer_id", "email_hash", "order_id", "id", "currency", "user_agent", "library", "sent_timestamp",
    "original_timestamp", "sent_at", "received_at",
)  # fmt: skip


def named_calls(calls: ir.Table) -> ir.Table:
    """Give calls their instant, canonical event name, side and device.

    `occurred_at` is Segment's `timestamp`, else received_at - (sent_at - original_timestamp),
    else the device's clock, else the arrival.
    """
    # Names and user agents repeat: each is looked at once.
    known, agents = calls.left_join(_event_names(calls), "event"), _agents(calls)
    # Nothing is a pair with nothing: many calls name a user agent and no library.
    pair = [known[name].identical_to(agents[name]) for name in ("user_agent", "library")]
    named = known.left_join(agents, pair).drop("user_agent_right", "library_right")
    corrected_clock = named.received_at - (named.sent_at - named.original_timestamp)
    told = named.mutate(
        occurred_at=ibis.coalesce(_.sent_timestamp, corrected_clock, _.original_timestamp, _.received_at, _.sent_at),
        event_name=ibis.ifelse(_.call_type == "track", _.known_name, _.call_type),
    )
    # Every server library names itself; what names nothing and knows a device comes from the device.
    from_device = told.client_library | (told.library.isnull() & told.anonymous_id.notnull())
    is_email = told.event_name.isin(list(tracking_plan.EMAIL_EVENTS))
    return told.mutate(
        side=ibis.cases(
            (is_email, "email"),
            (told.event_name.isin(list(tracking_plan.CHAT_EVENTS)), "chat"),
            (from_device.fill_null(False), "client"),
            else_="server",
        ),
        # Customer.io names the person beside Segment's own field.
        user_id=ibis.ifelse(is_email, ibis.coalesce(told.user_id, told.customer_id), told.user_id),
    )


def _event_names(calls: ir.Table) -> ir.Table:
    """Return each event name as sent with its V2 spelling; one that the plan does not know stays as it is."""
    words = _.event.re_replace("^[^A-Za-z0-9]+", "").re_replace(f"({WORD})[^A-Za-z0-9]*", r"\1_")
    slug = words.lower().re_replace("_+$", "")
    sent = calls.select("event").distinct().filter(_.event.notnull())
    return sent.select(
        "event",
        known_name=ibis.coalesce(slug.cases(*tracking_plan.canonical_names().items()), _.event.strip().nullif("")),
    )


def _agents(calls: ir.Table) -> ir.Table:
    """Return each pair of user agent and library with what it tells: a bot, the device's own library, the device."""
    agent, library = _.user_agent, _.library
    return (
        calls.select("user_agent", "library")
        .distinct()
        .mutate(
            is_bot=agent.lower().re_search(senders.BOT_AGENTS).fill_null(False),
            client_library=library.re_search(senders.CLIENT_LIBRARIES).fill_null(False),
            device_type=ibis.cases(
                (agent.re_search(senders.MOBILE_AGENTS) | library.re_search("^analytics-(ios|android)"), "mobile"),
                (agent.re_search(senders.TABLET_AGENTS), "tablet"),
                (agent.notnull(), "desktop"),
                else_=None,
            ),
        )
    )


def judged_calls(named: ir.Table, *, exclude_bots: bool, test_orders: tuple[str, ...]) -> ir.Table:
    """Return the verdict on every call: its `outcome` (kept, duplicate, excluded, quarantined) and the `reason`.

    A message id counts once: the call received first, then by what was sent, so that the
    order of lines and files decides nothing. Staff are recognised by address, and with
    them every call of their user ids and devices.
    """
    order_id = _order_id(named)
    checked = named.mutate(problem=ibis.coalesce(named.problem, _problem(named, order_id)), order_id=order_id)
    copies = ibis.window(
        group_by=[_.problem.isnull(), "message_id"],
        order_by=[_.received_at.asc(nulls_first=False), "content_hash", "row_id"],
    )
    ranked = checked.mutate(copy_number=ibis.row_number().over(copies) + 1)
    exclusion = _exclusion(ranked, exclude_bots=exclude_bots, test_orders=test_orders)
    judged = ranked.mutate(exclusion=exclusion).mutate(
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
    return judged.select("row_id", "outcome", "reason", "occurred_at", "event_name", "side", "device_type", "user_id")


def _order_id(calls: ir.Table) -> ir.StringValue:
    # Old senders call an order's id plainly `id`.
    return ibis.ifelse(
        calls.event_name.isin(tracking_plan.ORDER_EVENTS), ibis.coalesce(calls.order_id, calls.id), calls.order_id
    )


def _problem(calls: ir.Table, order_id: ir.StringValue) -> ir.StringValue:
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
        (calls.event_name.isin(tracking_plan.ORDER_EVENTS) & order_id.isnull(), "order call without an order id"),
        (
            calls.event_name.isin(_OF_MONEY)
            & (calls.currency.strip() != "")
            # A bare NaN has three letters too.
            & (~calls.currency.re_search(_CURRENCY) | (calls.currency.strip().lower() == "nan")),
            "order call in a currency that is no code of three letters",
        ),
        (calls.occurred_at.isnull(), "no readable timestamp"),
        (calls.occurred_at < ibis.timestamp(EARLIEST).cast(INSTANT), "dated before " + EARLIEST[:4]),
        (ahead > MOST_AHEAD_SECONDS, "dated more than a day after its arrival"),
        else_=None,
    )


def _exclusion(calls: ir.Table, *, exclude_bots: bool, test_orders: tuple[str, ...]) -> ir.StringValue:
    never = ibis.literal(False)
    rules = [(calls.call_type == kind, f"call type not used: {kind}") for kind in tracking_plan.UNUSED_CALL_TYPES]
    if exclude_bots:
        # A scanner's click tells of a message that reached someone: it stays, and `email_clicks` calls it machine.
        rules.append((calls.is_bot & (calls.side != "email"), "bot"))
    users = calls.filter(_.staff_address, _.user_id.notnull()).user_id
    devices = calls.filter(calls.staff_address | calls.user_id.isin(users), _.anonymous_id.notnull()).anonymous_id
    rules += [
        (calls.staff_address, "staff"),
        (calls.user_id.isin(users).fill_null(False), "staff"),
        (calls.anonymous_id.isin(devices).fill_null(False), "staff"),
    ]
    if test_orders:
        is_test = functools.reduce(operator.or_, [calls.order_id.re_search(pattern) for pattern in test_orders], never)
        rules.append((is_test.fill_null(False), "test order"))
    return ibis.cases(*rules, else_=None)


def completed_calls(calls: ir.Table, found_out: ir.Table) -> ir.Table:
    """Return calls with what was found out about them, and their numbers read; text that is no number becomes null."""
    judged = calls.drop(*({"user_id", "email_hash"} & set(found_out.columns))).join(found_out, "row_id")
    product_id = ibis.coalesce(judged.product_id, judged.id)
    return judged.mutate(
        order_id=_order_id(judged),
        product_id=ibis.ifelse(judged.event_name.isin(tracking_plan.PRODUCT_EVENTS), product_id, judged.product_id),
        # Checkout Started says `value` where the order says `total`.
        sent_total=judged.total,
        total=ibis.coalesce(judged.total, judged.value),
        # A quantity that was not sent counts as one.
        sent_quantity=judged.quantity,
        quantity=_units(judged.quantity),
        position=_whole(judged.position),
    )


def _units(text: ir.StringValue) -> ir.IntegerValue:
    # Whole units, at least one where something was sent: 0.5 metres are one piece, whose money the line holds.
    # What comes back is sometimes sent as less than none.
    sent = number(text)
    return ibis.ifelse(sent == 0, 0, ibis.greatest(sent.abs().round(), 1)).try_cast("int64")


def _whole(text: ir.StringValue) -> ir.IntegerValue:
    return number(text).try_cast("int64")


def number(text: ir.StringValue) -> ir.FloatingValue:
    """Return the number that a text says, null where it says none that can be counted to."""
    # Neither NaN, which is above all numbers, nor infinity nor a number that nobody counts to.
    sent = text.try_cast("float64")
    return ibis.ifelse(sent.abs() <= MOST_UNITS, sent, ibis.null("float64"))


def finished_events(located: ir.Table) -> ir.Table:
    """Return calls that have their person and session as the canonical table `events`."""
    return located.select(*EVENTS.names).cast(EVENTS)


def typed_items(items: ir.Table) -> ir.Table:
    """Give the items of `products` their types; a missing quantity is one.

    `line_total` is the money of a quantity that is not whole; null where price x quantity says it.
    """
    sent = number(items.quantity)
    part = (items.price.cast("float64") * sent).round(4).cast(MONEY)
    return items.mutate(
        quantity=_units(items.quantity).fill_null(1),
        line_total=ibis.ifelse(sent != sent.floor(), part, ibis.null(MONEY)),
        position=_whole(items.position),
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
    return ibis.union(*parts)
