"""The tracking plan: what the kit understands of a call, as one table of events and one of properties.

Segment's e-commerce spec V2, its email and live chat specs, what Customer.io tells
beside them, and the V1 names that old histories still hold. A track call whose name
is not here is kept as sent.
"""

from dataclasses import dataclass

from ecomkit.segment_names import snake_case


@dataclass(frozen=True)
class Property:
    """What a property holds, and the spellings it is sent under beside its own and camelCase.

    `kind` is `id`, `text`, `money`, `number`, `list` or `object`. What is not `kept`
    is of no use to a metric, or is what one person writes to another.
    """

    kind: str
    aliases: tuple[str, ...] = ()
    kept: bool = False


@dataclass(frozen=True)
class Event:
    """What an event must say, what it may say, and the names it had before."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


PLAN_PROPERTIES: dict[str, Property] = {
    "order_id": Property("id", kept=True),
    "cart_id": Property("id", kept=True),
    "checkout_id": Property("id", kept=True),
    "product_id": Property("id", kept=True),
    # V1 calls a product's id, and some an order's, plainly `id`.
    "id": Property("id", kept=True),
    "list_id": Property("id", kept=True),
    "promotion_id": Property("id", kept=True),
    "coupon_id": Property("id"),
    "wishlist_id": Property("id"),
    "review_id": Property("id"),
    "sku": Property("text", kept=True),
    "category": Property("text", kept=True),
    "name": Property("text"),
    "brand": Property("text"),
    "variant": Property("text"),
    "price": Property("money", kept=True),
    "quantity": Property("number", kept=True),
    "position": Property("number", kept=True),
    # The spec's coupon events say `coupon_id` and `coupon_name`, its own example `coupon`.
    "coupon": Property("text", ("coupon_name", "coupon_id"), kept=True),
    "url": Property("text"),
    "image_url": Property("text"),
    "currency": Property("text", kept=True),
    "value": Property("money", kept=True),
    "revenue": Property("money", kept=True),
    "subtotal": Property("money", kept=True),
    "total": Property("money", kept=True),
    "shipping": Property("money", kept=True),
    "tax": Property("money", kept=True),
    "discount": Property("money", kept=True),
    "affiliation": Property("text"),
    "country": Property("text", ("shipping_country",), kept=True),
    "products": Property("list", kept=True),
    "query": Property("text", kept=True),
    "filters": Property("list"),
    "sorts": Property("list"),
    "creative": Property("text"),
    "step": Property("number"),
    "shipping_method": Property("text"),
    "payment_method": Property("text"),
    "coupon_name": Property("text"),
    "reason": Property("text"),
    "wishlist_name": Property("text"),
    "share_via": Property("text"),
    "share_message": Property("text"),
    "recipient": Property("text"),
    "review_body": Property("text"),
    "rating": Property("number"),
    # Of emails: the spec's own names, then Customer.io's.
    "email_id": Property("id", kept=True),
    "delivery_id": Property("id", kept=True),
    "email_campaign_id": Property("id", ("campaign_id",), kept=True),
    "newsletter_id": Property("id", kept=True),
    "campaign_name": Property("text", kept=True),
    "email_subject": Property("text", ("subject",), kept=True),
    "link_id": Property("id", kept=True),
    "link_url": Property("text", ("href",), kept=True),
    "list_name": Property("text"),
    "customer_id": Property("id", kept=True),
}

_PRODUCT = (
    "sku", "category", "name", "brand", "variant", "price", "quantity", "coupon", "position", "url", "image_url",
)  # fmt: skip
_MONEY = ("revenue", "shipping", "tax", "discount", "coupon", "currency", "affiliation")
_STEP = ("step", "shipping_method", "payment_method")
_PROMOTION = ("creative", "name", "position")
_MAIL = ("delivery_id", "email_subject", "email_campaign_id", "newsletter_id", "campaign_name", "customer_id")

ECOMMERCE_EVENTS: dict[str, Event] = {
    "Products Searched": Event(("query",)),
    "Product List Viewed": Event(("products",), ("list_id", "category"), ("Viewed Product Category",)),
    "Product List Filtered": Event(("products",), ("list_id", "category", "filters", "sorts")),
    "Promotion Viewed": Event(("promotion_id",), _PROMOTION, ("Viewed Promotion",)),
    "Promotion Clicked": Event(("promotion_id",), _PROMOTION, ("Clicked Promotion",)),
    "Product Clicked": Event(("product_id",), _PRODUCT, ("Clicked Product",)),
    "Product Viewed": Event(("product_id",), (*_PRODUCT, "currency", "value"), ("Viewed Product",)),
    "Product Added": Event(("product_id",), ("cart_id", *_PRODUCT), ("Added Product",)),
    "Product Removed": Event(("product_id",), ("cart_id", *_PRODUCT), ("Removed Product",)),
    "Cart Viewed": Event(("products",), ("cart_id",)),
    "Checkout Started": Event(("products",), ("order_id", "checkout_id", "value", *_MONEY), ("Started Order",)),
    "Checkout Step Viewed": Event((), ("checkout_id", *_STEP), ("Viewed Checkout Step",)),
    "Checkout Step Completed": Event((), ("checkout_id", *_STEP), ("Completed Checkout Step",)),
    "Payment Info Entered": Event((), ("checkout_id", "order_id", *_STEP)),
    "Order Updated": Event(("order_id",), ("total", "products", *_MONEY), ("Updated Order",)),
    "Order Completed": Event(
        ("order_id", "products"), ("checkout_id", "subtotal", "total", *_MONEY), ("Completed Order",)
    ),
    "Order Refunded": Event(("order_id",), ("total", "products", *_MONEY), ("Refunded Order",)),
    "Order Cancelled": Event(
        ("order_id",), ("total", "products", *_MONEY), ("Cancelled Order", "Order Canceled", "Canceled Order")
    ),
    "Coupon Entered": Event((), ("coupon_id", "coupon", "order_id", "cart_id")),
    "Coupon Applied": Event((), ("coupon_id", "coupon", "order_id", "cart_id", "coupon_name", "discount")),
    "Coupon Denied": Event((), ("coupon_id", "coupon", "order_id", "cart_id", "coupon_name", "reason")),
    "Coupon Removed": Event((), ("coupon_id", "coupon", "order_id", "cart_id", "coupon_name", "discount")),
    "Product Added to Wishlist": Event(("product_id",), ("wishlist_id", "wishlist_name", *_PRODUCT)),
    "Product Removed from Wishlist": Event(("product_id",), ("wishlist_id", "wishlist_name", *_PRODUCT)),
    "Wishlist Product Added to Cart": Event(("product_id",), ("wishlist_id", "wishlist_name", "cart_id", *_PRODUCT)),
    "Product Shared": Event(("product_id",), ("share_via", "share_message", "recipient", *_PRODUCT)),
    "Cart Shared": Event((), ("cart_id", "share_via", "share_message", "recipient", "products")),
    "Product Reviewed": Event(("product_id",), ("review_id", "review_body", "rating")),
}

# Segment's email spec, then what Customer.io tells beside it.
EMAIL_EVENTS: dict[str, Event] = {
    "Email Delivered": Event((), ("email_id", *_MAIL)),
    "Email Bounced": Event((), ("email_id", *_MAIL)),
    "Email Opened": Event((), ("email_id", *_MAIL)),
    "Email Link Clicked": Event(("link_url",), ("email_id", "link_id", *_MAIL), ("Email Clicked",)),
    "Email Marked as Spam": Event((), ("email_id", *_MAIL)),
    "Email Unsubscribed": Event((), ("email_id", "list_id", "list_name", *_MAIL)),
    "Unsubscribed": Event((), ("email_id", "list_id", "list_name", *_MAIL)),
    "Email Drafted": Event((), _MAIL),
    "Email Attempted": Event((), _MAIL),
    "Email Sent": Event((), _MAIL),
    "Email Deferred": Event((), _MAIL),
    "Email Converted": Event((), _MAIL),
    "Email Suppressed": Event((), _MAIL),
    "Email Failed": Event((), _MAIL),
}

CHAT_EVENTS: dict[str, Event] = {
    "Live Chat Conversation Started": Event(),
    "Live Chat Message Sent": Event(),
    "Live Chat Message Received": Event(),
    "Live Chat Conversation Ended": Event(),
}

PLAN: dict[str, Event] = ECOMMERCE_EVENTS | EMAIL_EVENTS | CHAT_EVENTS

CALL_TYPES = ("identify", "track", "page", "screen", "group", "alias")
UNUSED_CALL_TYPES = ("group", "alias")

# Orders, and what becomes of them: without an order id they can be neither counted once nor matched.
ORDER_EVENTS = ("Order Completed", "Order Refunded", "Order Cancelled")

# Events about one product, by their own properties, and about each of a list of products.
PRODUCT_EVENTS = (
    "Product Clicked",
    "Product Viewed",
    "Product Added",
    "Product Removed",
    "Product Added to Wishlist",
    "Wishlist Product Added to Cart",
)
PRODUCT_LIST_EVENTS = ("Product List Viewed", "Product List Filtered")
PRODUCT_PURCHASED = "Product Purchased"

# Keys of one item of `products`.
_ITEM = ("product_id", "sku", "name", "category", "brand", "variant", "price", "quantity", "position")


def spellings(name: str) -> tuple[str, ...]:
    """Return the keys that a property is sent under, its own first."""
    first, *rest = name.split("_")
    camel = first + "".join(word.capitalize() for word in rest)
    return tuple(dict.fromkeys((name, camel, *PLAN_PROPERTIES[name].aliases)))


def canonical_names() -> dict[str, str]:
    """Return the warehouse name of every known event, old and new, with its V2 spelling."""
    return {snake_case(known): name for name, event in PLAN.items() for known in (name, *event.aliases)}


# Column of `calls` -> the keys it is sent under, the first found counts.
PROPERTIES: dict[str, tuple[str, ...]] = {
    name: spellings(name) for name, known in PLAN_PROPERTIES.items() if known.kept and known.kind != "list"
}
MONEY_PROPERTIES = tuple(name for name in PROPERTIES if PLAN_PROPERTIES[name].kind == "money")
ID_PROPERTIES = tuple(name for name in PROPERTIES if PLAN_PROPERTIES[name].kind == "id")
# Column of `call_items` -> the keys of an item.
ITEM_PROPERTIES: dict[str, tuple[str, ...]] = {name: spellings(name) for name in _ITEM} | {
    "product_id": (*spellings("product_id"), "id")
}
