"""One visit as the calls it leaves behind: pages, products, log-in, checkout, order."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ecomkit.simulate.baskets import Order, moment, money, order_properties, price_in, product_properties
from ecomkit.simulate.calls import Archive, from_browser, from_server
from ecomkit.simulate.catalogue import PRODUCTS, Product
from ecomkit.simulate.dice import chance, letters, pick, whole
from ecomkit.simulate.people import Device, Person
from ecomkit.simulate.plan import Visit
from ecomkit.simulate.traffic import HOST, Landing, landing

THIRTY_MINUTES_MS = 1_800_000
# How deep a visit without an order goes: landing page only, a list, a product, the cart, the checkout.
DEPTHS = ("landing", "list", "product", "cart", "checkout")
DEPTH_SHARES = (0.48, 0.14, 0.25, 0.09, 0.04)

_V1_NAMES = {
    "Product List Viewed": "Viewed Product Category",
    "Product Viewed": "Viewed Product",
    "Product Added": "Added Product",
    "Checkout Started": "Started Order",
    "Order Completed": "Completed Order",
}


class Footprint(NamedTuple):
    """A call that a visit has sent, with the device as it was then."""

    at_ms: int
    event: str
    properties: dict
    context: dict
    device: Device


@dataclass
class Walk:
    """A visit under way: where it stands, at what instant, and what it has sent so far."""

    archive: Archive
    person: Person
    device: Device
    now_ms: int
    arrival: Landing
    path: str = ""
    referrer: str = ""
    title: str = ""
    pages: int = 0
    old_names: bool = False
    text_prices: bool = False
    viewed: list[Product] = field(default_factory=list)
    trail: list[Footprint] = field(default_factory=list)

    @property
    def uniform(self) -> Iterator[float]:
        """The stream of draws."""
        return self.archive.uniform


def walk_visit(archive: Archive, visit: Visit, person: Person, device: Device, *, old_names: bool) -> Walk:
    """Send the calls of a visit up to its deepest step short of an order, which `finish_order` adds."""
    walk = Walk(archive, person, device, visit.at_ms, landing(archive.uniform, visit.channel), old_names=old_names)
    walk.text_prices = archive.oddities and chance(walk.uniform, 0.01)
    depth = len(DEPTHS) - 1 if visit.ordered else _depth(next(walk.uniform))
    category = pick(walk.uniform, PRODUCTS).category
    _page(walk, "/" if chance(walk.uniform, 0.5) else f"/{category.lower()}", "Welcome")
    if visit.exact_gap:
        walk.now_ms += THIRTY_MINUTES_MS
        archive.counts["gaps_of_exactly_30_minutes"] += 1
        _page(walk, "/about", "About us", wait=False)
        return walk
    if depth >= 1:
        _see_list(walk, category)
    if depth >= 2:
        for _ in range(whole(walk.uniform, 1, 3)):
            _see_product(walk, category)
    cart_id = f"k-{letters(walk.uniform, 5)}"
    if depth >= 3:
        for product in walk.viewed[:2]:
            _step(walk, "Product Added", {"cart_id": cart_id, **_priced(walk, product), "quantity": 1})
    if not visit.ordered and depth == 4:
        _start_checkout(walk, _list_order(walk))
    return walk


def finish_order(walk: Walk, order: Order, *, server: bool, browser: bool, server_knows_device: bool) -> None:
    """Send checkout, identification, the order (by the browser, the server or both) and the thanks page."""
    checkout_id = f"c-{order.number}"
    _page(walk, "/checkout", "Checkout", wait=False)
    identify(walk)
    _start_checkout(walk, order)
    properties = order_properties(order, checkout_id, walk.person.country)
    guest = {"email": walk.person.email} if walk.person.user_id is None else None
    walk.now_ms = order.at_ms
    if browser:
        sent = _as_text(properties) if walk.text_prices else properties
        _track(walk, "Order Completed", sent, traits=guest)
    if server:
        from_server(
            walk.archive,
            order.at_ms,
            "track",
            {"event": "Order Completed", "properties": properties},
            user_id=walk.person.user_id,
            anonymous_id=walk.device.anonymous_id if server_knows_device or guest else None,
            traits=guest,
        )
    walk.now_ms += 900
    _page(walk, "/thanks", "Thank you", wait=False)


def identify(walk: Walk) -> None:
    """Tell Segment who is on the device: with a user id for an account, with the address alone for a guest."""
    person, device = walk.person, walk.device
    walk.now_ms += moment(walk.uniform) // 4
    if device.user_id is not None and device.user_id == person.user_id:
        return
    device.user_id = person.user_id
    traits = {"email": person.email, "first_name": person.first_name}
    context = _context(walk)
    if person.card:
        card = {"id": person.card, "type": "loyalty_card", "collection": "users", "encoding": "none"}
        context["externalIds"] = [card]
    from_browser(walk.archive, device, walk.now_ms, "identify", {"traits": traits}, context)
    walk.archive.counts["identify_calls"] += 1


def log_out(walk: Walk) -> None:
    """Forget the user; the browser gets a new anonymous id, unless the device is shared."""
    if not walk.device.shared:
        walk.now_ms += moment(walk.uniform)
        _track(walk, "Signed Out", {})
        walk.device.anonymous_id = letters(walk.uniform, 12)
        walk.archive.counts["log_outs"] += 1
    walk.device.user_id = None


def time_to_order(walk: Walk) -> int:
    """Milliseconds from the last step before the checkout to the order."""
    return 20_000 + moment(walk.uniform) + moment(walk.uniform)


def _depth(draw: float) -> int:
    reached = 0.0
    for depth, share in enumerate(DEPTH_SHARES):
        reached += share
        if draw < reached:
            return depth
    return len(DEPTHS) - 1


def _see_list(walk: Walk, category: str) -> None:
    shown = [product for product in PRODUCTS if product.category == category][:3]
    path = f"/{category.lower()}"
    if walk.path != path:
        _page(walk, path, category)
    products = [
        product_properties(product, price_in(walk.person.currency, product)) | {"position": position}
        for position, product in enumerate(shown, start=1)
    ]
    _step(walk, "Product List Viewed", {"list_id": category.lower(), "category": category, "products": products})


def _see_product(walk: Walk, category: str) -> None:
    # Three of four looks stay in the category; teas are bought more often than they are looked for.
    options = [product for product in PRODUCTS if product.category == category]
    product = pick(walk.uniform, options if chance(walk.uniform, 0.75) else PRODUCTS)
    _page(walk, f"/products/{product.product_id}", product.name)
    priced = _priced(walk, product)
    _step(walk, "Product Viewed", {**priced, "currency": walk.person.currency, "value": priced["price"]})
    if product not in walk.viewed:
        walk.viewed.append(product)


def _priced(walk: Walk, product: Product) -> dict:
    properties = product_properties(product, price_in(walk.person.currency, product))
    return _as_text(properties) if walk.text_prices else properties


def _as_text(properties: dict) -> dict:
    """Write numbers as text, the price with a currency sign, the way some shops' templates do."""
    texts = {key: f"{value:.2f}" for key, value in properties.items() if isinstance(value, float)}
    if "price" in texts:
        texts["price"] = f"${texts['price']}"
    return properties | texts


def _list_order(walk: Walk) -> Order:
    lines = tuple((product, price_in(walk.person.currency, product), 1) for product in walk.viewed[:2])
    return Order("", 0, walk.now_ms, walk.person.currency, lines, 0, None, 0, 0)


def _start_checkout(walk: Walk, order: Order) -> None:
    properties = {
        "value": money(order.revenue + order.shipping + order.tax),
        "revenue": money(order.revenue),
        "currency": order.currency,
        "products": [product_properties(*line) for line in order.lines],
    }
    if walk.path != "/checkout":
        _page(walk, "/checkout", "Checkout")
    _track(walk, "Checkout Started", properties)


def _page(walk: Walk, path: str, title: str, *, wait: bool = True) -> None:
    if wait and walk.pages:
        walk.now_ms += moment(walk.uniform)
    walk.referrer = f"https://{HOST}{walk.path}" if walk.pages else walk.arrival.referrer
    walk.path, walk.title = path, title
    walk.pages += 1
    properties = _page_fields(walk) | {"name": title}
    _send(walk, "page", "page", {"name": title, "properties": properties}, _context(walk))


def _step(walk: Walk, event: str, properties: dict) -> None:
    walk.now_ms += 300 + int(2500 * next(walk.uniform))
    _track(walk, event, properties)


def _track(walk: Walk, event: str, properties: dict, traits: dict | None = None) -> None:
    if walk.old_names and event in _V1_NAMES:
        event, properties = _V1_NAMES[event], _old_properties(properties)
        walk.archive.counts["calls_with_old_names"] += 1
    if walk.text_prices and any(isinstance(properties.get(key), str) for key in ("price", "revenue")):
        walk.archive.counts["calls_with_money_as_text"] += 1
    context = _context(walk) | ({"traits": traits} if traits else {})
    _send(walk, "track", event, {"event": event, "properties": properties}, context)


def _send(walk: Walk, kind: str, event: str, body: dict, context: dict) -> None:
    walk.trail.append(Footprint(walk.now_ms, event, body["properties"], context, replace(walk.device)))
    from_browser(walk.archive, walk.device, walk.now_ms, kind, body, context)


def _old_properties(properties: dict) -> dict:
    """Spell properties the way of the spec's first version: `id`, `orderId`, no subtotal."""
    renamed = {"product_id": "id", "order_id": "orderId"}
    old = {renamed.get(key, key): value for key, value in properties.items() if key != "subtotal"}
    if "products" in old:
        old["products"] = [{renamed.get(key, key): value for key, value in line.items()} for line in old["products"]]
    return old


def _page_fields(walk: Walk) -> dict[str, str]:
    # Only the landing page's address carries the campaign.
    search = walk.arrival.search if walk.pages == 1 else ""
    return {
        "path": walk.path,
        "referrer": walk.referrer,
        "search": search,
        "title": walk.title,
        "url": f"https://{HOST}{walk.path}{search}",
    }


def _context(walk: Walk) -> dict:
    context = {"page": _page_fields(walk), "locale": walk.person.locale}
    if walk.pages == 1 and walk.arrival.utm:
        context["campaign"] = walk.arrival.utm
    return context
