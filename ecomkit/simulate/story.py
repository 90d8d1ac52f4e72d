"""Two years and a quarter of the shop: every visit, order, refund and cancellation as calls."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from ecomkit.simulate.baskets import Order, draw_order, money, product_properties
from ecomkit.simulate.calendar import ZONE, Calendar
from ecomkit.simulate.calls import Archive, from_server
from ecomkit.simulate.catalogue import PRODUCTS
from ecomkit.simulate.dice import chance, whole
from ecomkit.simulate.identities import changes_address, give_cards, leave_kiosk, new_kiosk, takes_kiosk
from ecomkit.simulate.journeys import Walk, finish_order, identify, log_out, time_to_order, walk_visit
from ecomkit.simulate.people import Device, Person, device_of, new_person, settle
from ecomkit.simulate.plan import Plan, Visit
from ecomkit.simulate.side_steps import add_side_steps
from ecomkit.simulate.traffic import Campaign, landing

_DAY_MS = 86_400_000
_OLD_NAMES_DAYS, _OLD_NAMES = 60, 0.25
_LOGS_IN, _LOGS_OUT = 0.08, 0.10
_REFUNDED, _REFUNDED_WHOLE, _REFUND_WITHOUT_AMOUNT = 0.08, 0.4, 0.15
_CANCELLED = 0.02
_CREDIT_DAYS = 30


@dataclass
class Books:
    """What truly happened, kept beside the calls."""

    people: dict[int, Person] = field(default_factory=dict)
    sessions: Counter[str] = field(default_factory=Counter)
    sessions_with_order: Counter[str] = field(default_factory=Counter)
    clicks: Counter[tuple[date, Campaign]] = field(default_factory=Counter)
    orders: list[tuple[int, Order]] = field(default_factory=list)  # person, order
    refunded_cents: Counter[str] = field(default_factory=Counter)
    history: dict[int, list[tuple[int, str, str]]] = field(default_factory=lambda: defaultdict(list))
    known_devices: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))


def tell_story(archive: Archive, plan: Plan, calendar: Calendar, *, strange: Iterator[float], aside: Archive) -> Books:
    """Send the calls of every planned visit, and of what follows its order.

    `strange` draws who is hard to tell, `aside` takes what visits do besides.
    """
    uniform = archive.uniform
    people = {number: new_person(uniform, number) for number in sorted({visit.person for visit in plan.visits})}
    _share_devices(archive, plan, people)
    give_cards(strange, people)
    settle(aside.uniform, people)
    kiosk = new_kiosk(strange)
    books = Books(people=people)
    orders_of: Counter[int] = Counter()
    for visit in plan.visits:
        person = people[visit.person]
        device = device_of(uniform, person)
        if orders_of[visit.person] and takes_kiosk(strange, kiosk, visit, person):
            device = kiosk.device
            archive.counts["visits_at_the_kiosk"] += 1
        old_names = visit.day < _OLD_NAMES_DAYS and chance(uniform, _OLD_NAMES)
        walk = walk_visit(archive, visit, person, device, old_names=old_names)
        books.sessions[visit.channel] += 1
        books.history[visit.person].append((visit.at_ms, visit.channel, device.anonymous_id))
        if walk.arrival.campaign and walk.arrival.campaign.platform:
            books.clicks[local_date(visit.at_ms), walk.arrival.campaign] += 1
        order = None
        if visit.ordered:
            _register_some_guests(archive, person, visit.person, orders_of[visit.person])
            if orders_of[visit.person] and changes_address(strange, person):
                device.user_id = None
                archive.counts["changed_addresses"] += 1
            order = _order(archive, walk, visit, calendar, len(books.orders), first=orders_of[visit.person] == 0)
            books.sessions_with_order[visit.channel] += 1
            books.orders.append((visit.person, order))
            _follow_up(archive, books, order, person, device, first=orders_of[visit.person] == 0)
            orders_of[visit.person] += 1
        elif device is kiosk.device:
            identify(walk)
            leave_kiosk(kiosk, walk.now_ms)
        elif orders_of[visit.person] and person.user_id and not visit.exact_gap and chance(uniform, _LOGS_IN):
            identify(walk)
        if not (old_names or visit.exact_gap):
            add_side_steps(aside, walk.trail, order)
        if device.user_id == person.user_id and (visit.ordered or person.user_id):
            books.known_devices[visit.person].add(device.anonymous_id)
        if device.shared or (visit.ordered and person.user_id and chance(uniform, _LOGS_OUT)):
            log_out(walk)
    return books


def owned_visits(books: Books) -> list[tuple[int, str, int, bool]]:
    """Return every visit's instant, device and person, and whether that device ever learned who he is."""
    return [
        (at_ms, device, person, device in books.known_devices[person])
        for person, visits in books.history.items()
        for at_ms, _channel, device in visits
    ]


def credited_customers(books: Books) -> Counter[str]:
    """Count customers by the channel of the last non-direct visit within 30 days up to the first order.

    Visits on a device that never learned who its owner is cannot be known to be theirs.
    """
    first_order = {}
    for person, order in books.orders:
        first_order.setdefault(person, order.at_ms)
    credited: Counter[str] = Counter()
    for person, ordered_ms in first_order.items():
        channels = [
            channel
            for at_ms, channel, device in books.history[person]
            if ordered_ms - _CREDIT_DAYS * _DAY_MS <= at_ms <= ordered_ms and device in books.known_devices[person]
        ]
        paid_by = [channel for channel in channels if channel != "Direct"]
        credited[paid_by[-1] if paid_by else "Direct"] += 1
    return credited


def local_date(at_ms: int) -> date:
    """Return the shop's local day."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo(ZONE)).date()


def _share_devices(archive: Archive, plan: Plan, people: dict[int, Person]) -> None:
    """Let a few pairs of customers use one device, on different days."""
    days: dict[int, set[int]] = defaultdict(set)
    for visit in plan.visits:
        days[visit.person].add(visit.day)
    accounts = [person for person in plan.first_order_days if people[person].user_id]
    wanted = max(1, len(accounts) // 130)
    for one, other in zip(accounts[10::23], accounts[16::23], strict=False):
        if archive.counts["devices_with_two_users"] == wanted:
            return
        if days[one].isdisjoint(days[other] | {day + 1 for day in days[other]} | {day - 1 for day in days[other]}):
            shared = people[one].devices[0]
            shared.shared = True
            people[one].devices = people[other].devices = [shared]
            archive.counts["devices_with_two_users"] += 1


def _register_some_guests(archive: Archive, person: Person, number: int, orders_before: int) -> None:
    if person.user_id is None and orders_before and chance(archive.uniform, 0.1):
        person.user_id = f"u-{number}"
        archive.counts["guests_who_registered"] += 1


def _order(archive: Archive, walk: Walk, visit: Visit, calendar: Calendar, number: int, *, first: bool) -> Order:
    """Place the order of a visit, tracked by the browser, by the server, or by both."""
    uniform, person = walk.uniform, walk.person
    order = draw_order(
        uniform,
        order_id=f"LL-{10_001 + number}",
        number=number,
        at_ms=visit.order_at_ms or walk.now_ms + time_to_order(walk),
        currency=person.currency,
        viewed=walk.viewed,
        first=first,
        giveaway=calendar.months[visit.day] == calendar.giveaway_month,
        free=number % 397 == 31,
        discounts=not walk.old_names,
    )
    draw = 0.0 if walk.old_names or (person.user_id is None and chance(uniform, 0.85)) else next(uniform)
    server, browser = draw >= 0.5, draw < 0.5 or draw >= 0.85
    finish_order(walk, order, server=server, browser=browser, server_knows_device=chance(uniform, 0.4))

    archive.counts["orders_tracked_twice"] += server and browser
    archive.counts["orders_by_server_alone"] += server and not browser
    archive.counts["orders_by_browser_alone"] += browser and not server
    archive.counts["zero_value_orders"] += order.revenue == 0
    archive.counts["orders_with_coupon"] += order.coupon is not None
    archive.counts["orders_in_dollars"] += order.currency == "USD"
    archive.counts["orders_at_midnight_utc_of_the_last_day"] += (
        visit.order_at_ms is not None and order.at_ms % _DAY_MS == 0
    )
    archive.counts["orders_in_the_last_second"] += visit.order_at_ms is not None and order.at_ms % _DAY_MS != 0
    return order


def _follow_up(archive: Archive, books: Books, order: Order, person: Person, device: Device, *, first: bool) -> None:
    """Cancel a few later orders within hours, and pay a few back after days, always the goods alone."""
    uniform = archive.uniform
    ids = {"user_id": person.user_id, "anonymous_id": None if person.user_id else device.anonymous_id}
    if not first and chance(uniform, _CANCELLED):
        at_ms = order.at_ms + whole(uniform, 300_000, 21_600_000)
        if at_ms < archive.end_ms:
            properties = {"order_id": order.order_id, "revenue": money(order.revenue), "currency": order.currency}
            from_server(archive, at_ms, "track", {"event": "Order Cancelled", "properties": properties}, **ids)
            archive.counts["cancelled_orders"] += 1
        return
    if order.revenue and chance(uniform, _REFUNDED):
        at_ms = order.at_ms + whole(uniform, 3 * _DAY_MS, 27 * _DAY_MS)
        if at_ms < archive.end_ms:
            properties, cents = _refund(archive, uniform, order)
            from_server(archive, at_ms, "track", {"event": "Order Refunded", "properties": properties}, **ids)
            books.refunded_cents[order.currency] += cents
            months = [f"{local_date(at):%Y-%m}" for at in (order.at_ms, at_ms)]
            archive.counts["refunds_in_a_later_month"] += months[0] != months[1]


def _refund(archive: Archive, uniform: Iterator[float], order: Order) -> tuple[dict, int]:
    """Spell a refund: whole with its amount, whole by its order id alone, or of one line."""
    properties = {"order_id": order.order_id}
    whole_order = len(order.lines) == 1 or chance(uniform, _REFUNDED_WHOLE)
    if whole_order and chance(uniform, _REFUND_WITHOUT_AMOUNT):
        archive.counts["refunds_without_amount"] += 1
        return properties, order.revenue
    numbers = range(len(order.lines)) if whole_order else [whole(uniform, 0, len(order.lines))]
    cents = order.revenue if whole_order else order.line_revenue(numbers[0])
    archive.counts["refunds_of_the_whole_order" if whole_order else "refunds_of_one_line"] += 1
    return properties | {
        "total": money(cents),
        "currency": order.currency,
        "products": [product_properties(*order.lines[number]) for number in numbers],
    }, cents


def tell_orders(archive: Archive, plan: Plan) -> None:
    """Send one short visit with an order of the planned value per planned purchase, and nothing else."""
    people: dict[int, Person] = {}
    for number, visit in enumerate(plan.visits):
        if visit.person not in people:
            person = new_person(archive.uniform, visit.person)
            person.user_id, person.currency = f"u-{visit.person}", "EUR"
            people[visit.person] = person
        person = people[visit.person]
        device = person.devices[0]
        walk = Walk(archive, person, device, visit.at_ms, landing(archive.uniform, visit.channel))
        line = (PRODUCTS[0], visit.cents, 1)
        order = Order(f"PL-{number + 1}", number, visit.at_ms + 60_000, "EUR", (line,), 0, None, 0, 0)
        finish_order(walk, order, server=False, browser=True, server_knows_device=False)
