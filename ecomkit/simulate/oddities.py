"""Calls that a shop must leave out or set aside: bots, staff, test orders, groups and broken lines."""

from ecomkit.simulate.baskets import moment
from ecomkit.simulate.calendar import Calendar
from ecomkit.simulate.calls import Archive, from_browser, from_server, iso, to_line
from ecomkit.simulate.catalogue import BOTS, DESKTOPS, PRODUCTS
from ecomkit.simulate.dice import chance, pick, whole
from ecomkit.simulate.people import new_device
from ecomkit.simulate.traffic import HOST

_DAY_MS = 86_400_000
_STAFF = (("u-staff-1", "ida@lantern.example"), ("u-staff-2", "olaf@lantern.example"))


def add_oddities(archive: Archive, calendar: Calendar) -> None:
    """Put in a few of each, spread over the whole span."""
    span_ms = (int(calendar.opening_ms[0]), archive.end_ms - _DAY_MS)
    for _ in range(calendar.days // 6):
        _bot_visit(archive, whole(archive.uniform, *span_ms))
    for number in range(calendar.days // 15):
        _staff_visit(archive, whole(archive.uniform, *span_ms), *_STAFF[number % len(_STAFF)])
    for number in range(6):
        properties = {"order_id": f"TEST-{number + 1}", "revenue": 1.0, "total": 1.0, "currency": "EUR", "products": []}
        at_ms = whole(archive.uniform, *span_ms)
        from_server(
            archive, at_ms, "track", {"event": "Order Completed", "properties": properties}, user_id="u-checkout-test"
        )
        archive.counts["test_orders"] += 1
    for number in range(5):
        at_ms = whole(archive.uniform, *span_ms)
        body = {"groupId": f"cafe-{number + 1}", "traits": {"name": f"Tea room {number + 1}"}}
        from_server(archive, at_ms, "group", body, user_id=f"u-cafe-{number + 1}")
        archive.counts["group_calls"] += 1
    _broken_lines(archive, span_ms)


def _bot_visit(archive: Archive, at_ms: int) -> None:
    device = new_device(archive.uniform, pick(archive.uniform, BOTS))
    for _ in range(whole(archive.uniform, 1, 7)):
        product = pick(archive.uniform, PRODUCTS)
        path = f"/products/{product.product_id}"
        bare_page(archive, device, at_ms, path, product.name, "en-US")
        archive.counts["bot_calls"] += 1
        at_ms += whole(archive.uniform, 500, 4000)
    archive.counts["bot_visits"] += 1


def _staff_visit(archive: Archive, at_ms: int, user_id: str, email: str) -> None:
    device = new_device(archive.uniform, DESKTOPS[0])
    device.user_id = user_id
    body = {"traits": {"email": email}}
    from_browser(archive, device, at_ms, "identify", body, {"locale": "en-US"})
    for path in ("/", f"/{pick(archive.uniform, PRODUCTS).category.lower()}"):
        at_ms += moment(archive.uniform)
        bare_page(archive, device, at_ms, path, "Lantern & Leaf", "en-US")
    archive.counts["staff_calls"] += 3
    archive.counts["staff_visits"] += 1


def bare_page(archive: Archive, device, at_ms: int, path: str, title: str, locale: str) -> None:
    """Send a page call that came from nowhere."""
    page = {"path": path, "referrer": "", "search": "", "title": title, "url": f"https://{HOST}{path}"}
    body = {"name": title, "properties": {**page, "name": title}}
    from_browser(archive, device, at_ms, "page", body, {"page": page, "locale": locale})


def _broken_lines(archive: Archive, span_ms: tuple[int, int]) -> None:
    """Write lines that no reader can use: cut in half, not JSON, or lacking what a call must have."""
    for number in range(7):
        at_ms = whole(archive.uniform, *span_ms)
        call = {
            "type": "track",
            "messageId": f"broken-{number}",
            "anonymousId": f"broken-{number}",
            "userId": None,
            "event": "Product Viewed",
            "properties": {"product_id": "p-01"},
            "context": {},
            "integrations": {},
            "timestamp": iso(at_ms),
            "receivedAt": iso(at_ms),
            "version": 2,
        }
        if number < 3:
            archive.receive(at_ms, to_line(call)[: 90 if chance(archive.uniform, 0.5) else 140])
            archive.counts["torn_lines"] += 1
            continue
        if number == 3:
            line = "<html><body>502 Bad Gateway</body></html>"
        elif number == 4:
            line = to_line(call | {"anonymousId": None, "userId": None})
        elif number == 5:
            line = to_line(call | {"timestamp": "yesterday", "receivedAt": "yesterday"})
        else:
            line = to_line({key: value for key, value in call.items() if key != "event"})
        archive.receive(at_ms, line)
        archive.counts["unusable_lines"] += 1
