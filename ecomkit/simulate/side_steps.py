"""What visits do beside their way to an order: searches, promotions, clicks in lists, wishlists, carts, coupons.

Each of these calls lies between two that the visit sent anyway, or at the instant of one, and all of it is
drawn from numbers of its own: visits, orders and money are those of a shop without them.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ecomkit.simulate.baskets import Order, money, product_properties
from ecomkit.simulate.calls import Archive, from_browser
from ecomkit.simulate.dice import chance, pick
from ecomkit.simulate.journeys import Footprint

STREAM = 6  # of the seed


class Promotion(NamedTuple):
    """A banner on the first page; `clicked` is the share of its views that are clicked by visits that go on."""

    promotion_id: str
    name: str
    creative: str
    position: str
    clicked: float


PROMOTIONS = (
    Promotion("pr-1", "Lantern season", "evening garden", "home_top", 0.18),
    Promotion("pr-2", "Tea of the month", "cup and cat", "home_tile_1", 0.09),
    Promotion("pr-3", "Gift <b>boxes</b> | free card", "ribbon", "home_tile_2", 0.03),
)
_SEES_PROMOTION = 0.30

# Of visits that open another page after their first, by whether they order.
SEARCHES = {"with_order": 0.30, "without_order": 0.12}
# Of those that search, by whether they see a product.
FINDS_NOTHING = {"product_seen": 0.12, "no_product_seen": 0.55}
_SEARCHES_AGAIN = 0.6
_QUERIES = {
    "Teas": ("green tea", "Breakfast tea", "jasmine", "mint tea"),
    "Lanterns": ("lantern", "storm lantern", "paper lantern"),
    "Gifts": ("gift box", "tasting box"),
    "Accessories": ("strainer", "beeswax candles", "cup"),
}
WITHOUT_RESULTS = ("coffee", "matcha whisk", "oil lamp", "gift card", "<i>samovar</i> & tray")

# Where the product at this place of a list is the next thing a visit sees, it came by a click in the list with this
# probability; else by another way. Visits choose products without looking at their place.
CLICKED_AT_POSITION = {1: 0.90, 2: 0.55, 3: 0.30}

_WISHES, _FROM_WISHLIST = 0.07, 0.10
_LOOKS_AT_CART, _CHANGES_MIND = 0.60, 0.15
_ENTERS_COUPON = 0.9
# Of visits that start the checkout, by whether they order.
COUPON_DENIED = {"with_order": 0.05, "without_order": 0.14}
_DENIED = (("SUMMER24", "expired"), ("WELCOME10", "only for a first order"), ("50%<b>OFF</b>", "unknown"))

_COUNTED_AS = {
    "Promotion Viewed": "promotions_viewed",
    "Promotion Clicked": "promotions_clicked",
    "Products Searched": "searches",
    "Product Clicked": "clicks_in_lists",
    "Product Added to Wishlist": "wishes",
    "Wishlist Product Added to Cart": "wishes_put_into_carts",
    "Cart Viewed": "carts_viewed",
    "Product Removed": "products_removed",
    "Coupon Entered": "coupons_entered",
    "Coupon Applied": "coupons_applied",
    "Coupon Denied": "coupons_denied",
    "Checkout Step Viewed": "checkout_steps_viewed",
    "Checkout Step Completed": "checkout_steps_completed",
    "Payment Info Entered": "payments_entered",
}


def add_side_steps(archive: Archive, trail: Sequence[Footprint], order: Order | None) -> None:
    """Send what a visit did besides; `trail` is the calls it sent, in their order, `order` what it bought."""
    outcome = "without_order" if order is None else "with_order"
    clicked = _see_promotion(archive, trail)
    if not clicked:
        _search(archive, trail, outcome)
    _click_in_list(archive, trail)
    _keep_wishes(archive, trail)
    _fill_cart(archive, trail, order)
    _go_through_checkout(archive, trail, order, outcome)


def _see_promotion(archive: Archive, trail: Sequence[Footprint]) -> bool:
    landing = trail[0]
    if landing.properties["path"] != "/" or not chance(archive.uniform, _SEES_PROMOTION):
        return False
    promotion = pick(archive.uniform, PROMOTIONS)
    properties = {name: value for name, value in promotion._asdict().items() if name != "clicked"}
    _send(archive, landing, landing.at_ms, "Promotion Viewed", properties)
    clicked = len(trail) > 1 and chance(archive.uniform, promotion.clicked)
    if clicked:
        _send(archive, landing, _between(archive, trail, 0), "Promotion Clicked", properties)
    return clicked


def _search(archive: Archive, trail: Sequence[Footprint], outcome: str) -> None:
    pages = [number for number, step in enumerate(trail) if step.event == "page"]
    if len(pages) < 2 or not chance(archive.uniform, SEARCHES[outcome]):
        return
    before = pages[1] - 1
    saw_product = any(step.event == "Product Viewed" for step in trail)
    [*_, category] = [step.properties["category"] for step in trail if "category" in step.properties] or ["Teas"]
    finds_nothing = chance(archive.uniform, FINDS_NOTHING["product_seen" if saw_product else "no_product_seen"])
    again = finds_nothing and chance(archive.uniform, _SEARCHES_AGAIN)
    queries = [pick(archive.uniform, WITHOUT_RESULTS)] if finds_nothing else []
    if again or not finds_nothing:
        queries.append(pick(archive.uniform, _QUERIES[category]))
    for query, at_ms in zip(queries, sorted(_between(archive, trail, before) for _ in queries), strict=True):
        _send(archive, trail[before], at_ms, "Products Searched", {"query": query})
    archive.counts["searches_without_results"] += finds_nothing


def _click_in_list(archive: Archive, trail: Sequence[Footprint]) -> None:
    for number, (seen, page, viewed) in enumerate(zip(trail, trail[1:], trail[2:], strict=False)):
        if seen.event != "Product List Viewed" or page.event != "page" or viewed.event != "Product Viewed":
            continue
        places = {product["product_id"]: product["position"] for product in seen.properties["products"]}
        place = places.get(viewed.properties["product_id"])
        if place and chance(archive.uniform, CLICKED_AT_POSITION[place]):
            properties = _product_of(viewed) | {"position": place, "list_id": seen.properties["list_id"]}
            _send(archive, seen, _between(archive, trail, number), "Product Clicked", properties)
            archive.counts[f"clicks_at_position_{place}"] += 1


def _keep_wishes(archive: Archive, trail: Sequence[Footprint]) -> None:
    for number, step in enumerate(trail[:-1]):
        if step.event == "Product Viewed" and chance(archive.uniform, _WISHES):
            wishlist = {"wishlist_id": f"w-{step.device.anonymous_id}", "wishlist_name": "Wishlist"}
            at_ms = _between(archive, trail, number)
            _send(archive, step, at_ms, "Product Added to Wishlist", wishlist | _product_of(step))


def _fill_cart(archive: Archive, trail: Sequence[Footprint], order: Order | None) -> None:
    adds = [number for number, step in enumerate(trail) if step.event == "Product Added"]
    if not adds:
        return
    first, last = trail[adds[0]], trail[adds[-1]]
    cart_id = first.properties["cart_id"]
    if order is not None:
        seen = {trail[number].properties["product_id"] for number in adds}
        for line in order.lines:
            if line[0].product_id not in seen and chance(archive.uniform, _FROM_WISHLIST):
                wish = {"wishlist_id": f"w-{first.device.anonymous_id}", "cart_id": cart_id}
                at_ms = _between(archive, trail, adds[0] - 1)
                properties = wish | product_properties(*line)
                _send(archive, trail[adds[0] - 1], at_ms, "Wishlist Product Added to Cart", properties)
    if chance(archive.uniform, _LOOKS_AT_CART):
        products = [_product_of(trail[number]) for number in adds]
        _send(archive, last, last.at_ms, "Cart Viewed", {"cart_id": cart_id, "products": products})
    # What comes after the last of two products shows that both stayed.
    if len(adds) > 1 and last is trail[-1] and chance(archive.uniform, _CHANGES_MIND):
        properties = {"cart_id": cart_id} | _product_of(first)
        _send(archive, first, _between(archive, trail, adds[0]), "Product Removed", properties)


def _go_through_checkout(archive: Archive, trail: Sequence[Footprint], order: Order | None, outcome: str) -> None:
    started = [number for number, step in enumerate(trail) if step.event == "Checkout Started"]
    if not started:
        return
    [number] = started
    at = trail[number]
    checkout = {"checkout_id": f"c-{order.number}" if order else f"c-{at.device.anonymous_id}-{at.at_ms % 100_000}"}
    delivery = checkout | {"step": 1, "shipping_method": "post"}
    # The coupon of those who leave was tried where their way still goes on, before the checkout.
    cart = trail[number - 2]
    takes_ms = max(order.at_ms - at.at_ms, 0) if order else at.at_ms - cart.at_ms
    _try_coupons(archive, at if order else cart, takes_ms, order, outcome)

    _send(archive, at, at.at_ms, "Checkout Step Viewed", delivery)
    # An account's address is filled in already.
    known = at.device.user_id is not None
    if order is None:
        if known:
            _send(archive, at, at.at_ms, "Checkout Step Completed", delivery)
        return
    typed_ms = 0 if known else int(takes_ms * (0.2 + 0.2 * next(archive.uniform)))
    _send(archive, at, at.at_ms + typed_ms, "Checkout Step Completed", delivery)
    paid_ms = int(takes_ms * (0.6 + 0.3 * next(archive.uniform)))
    payment = checkout | {"step": 2, "payment_method": pick(archive.uniform, ("card", "card", "paypal"))}
    _send(archive, at, at.at_ms + paid_ms, "Payment Info Entered", payment)


def _try_coupons(archive: Archive, step: Footprint, takes_ms: int, order: Order | None, outcome: str) -> None:
    if chance(archive.uniform, COUPON_DENIED[outcome]):
        code, reason = pick(archive.uniform, _DENIED)
        told = {"coupon_id": code, "coupon": code}
        _send(archive, step, step.at_ms + takes_ms * 42 // 100, "Coupon Entered", told)
        _send(archive, step, step.at_ms + takes_ms * 43 // 100, "Coupon Denied", told | {"reason": reason})
    if order and order.coupon and chance(archive.uniform, _ENTERS_COUPON):
        told = {"coupon_id": order.coupon, "coupon": order.coupon}
        _send(archive, step, step.at_ms + takes_ms * 48 // 100, "Coupon Entered", told)
        applied = told | {"discount": money(order.discount)}
        _send(archive, step, step.at_ms + takes_ms * 49 // 100, "Coupon Applied", applied)


def _between(archive: Archive, trail: Sequence[Footprint], number: int) -> int:
    """Draw an instant strictly between a call and the next."""
    before_ms, after_ms = trail[number].at_ms, trail[number + 1].at_ms
    return before_ms + int((after_ms - before_ms) * (0.2 + 0.6 * next(archive.uniform)))


def _product_of(step: Footprint) -> dict:
    return {name: value for name, value in step.properties.items() if name not in ("cart_id", "currency", "value")}


def _send(archive: Archive, step: Footprint, at_ms: int, event: str, properties: dict) -> None:
    """Send a call from the page and the device of one that the visit sent."""
    archive.counts[_COUNTED_AS[event]] += 1
    archive.counts["calls_with_money_as_text"] += isinstance(properties.get("price"), str)
    body = {"event": event, "properties": properties}
    from_browser(archive, step.device, at_ms, "track", body, step.context)
