"""What an order holds and costs, in whole cents, and how its properties are spelled."""

from collections.abc import Iterator
from dataclasses import dataclass

from ecomkit.simulate.catalogue import PRODUCTS, Product
from ecomkit.simulate.dice import chance, pick, whole

_DOLLAR_FACTOR = 1.09  # list prices in dollars, whatever the day's rate
_FREE_SHIPPING_FROM = 5000
_SHIPPING = 490
_TAX_PERCENT = 8


@dataclass(frozen=True)
class Order:
    """One order; revenue is after discount and before shipping and tax, all in cents of `currency`."""

    order_id: str
    number: int
    at_ms: int
    currency: str
    lines: tuple[tuple[Product, int, int], ...]  # product, unit price, quantity
    discount: int
    coupon: str | None
    shipping: int
    tax: int

    @property
    def gross(self) -> int:
        """Prices times quantities."""
        return sum(price * quantity for _, price, quantity in self.lines)

    @property
    def revenue(self) -> int:
        """What was paid for the goods."""
        return self.gross - self.discount

    def line_revenue(self, number: int) -> int:
        """Return the line's share of the revenue, to the cent."""
        _, price, quantity = self.lines[number]
        return round(price * quantity * self.revenue / self.gross)


def price_in(currency: str, product: Product) -> int:
    """Return the list price of a product in cents of `currency`."""
    return product.price if currency == "EUR" else round(product.price * _DOLLAR_FACTOR / 10) * 10


def draw_order(
    uniform: Iterator[float],
    *,
    order_id: str,
    number: int,
    at_ms: int,
    currency: str,
    viewed: list[Product],
    first: bool,
    giveaway: bool,
    free: bool,
    discounts: bool,
) -> Order:
    """Fill a basket from what the visit looked at and a little more, and price it."""
    articles = dict.fromkeys([*viewed[:2], *(pick(uniform, PRODUCTS) for _ in range(whole(uniform, 0, 3)))])
    lines = tuple(
        (product, price_in(currency, product), whole(uniform, 1, 4) if product.category == "Teas" else 1)
        for product in articles
    )
    gross = sum(price * quantity for _, price, quantity in lines)
    coupon, discount = None, 0
    if free:
        coupon, discount = "GIFTCARD", gross
    elif discounts and giveaway and first:
        coupon, discount = "GIVEAWAY30", gross * 30 // 100
    elif discounts and first and chance(uniform, 0.35):
        coupon, discount = "WELCOME10", gross // 10
    elif discounts and chance(uniform, 0.12):
        coupon, discount = "THANKS5", min(500, gross)
    revenue = gross - discount
    shipping = 0 if revenue >= _FREE_SHIPPING_FROM or free else _SHIPPING
    tax = round(revenue * _TAX_PERCENT / 100)
    return Order(order_id, number, at_ms, currency, lines, discount, coupon, shipping, tax)


def money(cents: int) -> float:
    """Write cents as the decimal number that JSON holds."""
    return cents / 100


def product_properties(product: Product, price: int, quantity: int | None = None) -> dict:
    """Spell a product the way the e-commerce spec does."""
    properties = product._asdict() | {"price": money(price)}
    return properties if quantity is None else properties | {"quantity": quantity}


def order_properties(order: Order, checkout_id: str, country: str | None) -> dict:
    """Spell an order as Order Completed does; coupon, discount and country only where there is one."""
    properties = {
        "checkout_id": checkout_id,
        "order_id": order.order_id,
        "affiliation": "web",
        "subtotal": money(order.revenue),
        "revenue": money(order.revenue),
        "shipping": money(order.shipping),
        "tax": money(order.tax),
        "total": money(order.revenue + order.shipping + order.tax),
        "currency": order.currency,
        "products": [product_properties(*line) for line in order.lines],
    }
    if order.coupon:
        properties |= {"discount": money(order.discount), "coupon": order.coupon}
    if country:
        properties["shipping_country"] = country
    return properties


def moment(uniform: Iterator[float]) -> int:
    """Draw the milliseconds between two steps of a visit: seconds to about two minutes."""
    return int(4000 + 110_000 * next(uniform) ** 3)
