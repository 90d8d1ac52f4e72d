"""What the kit understands of a call: event names, their older spellings, and properties.

One declarative table for Segment's e-commerce spec V2, with the V1 names that
old histories still hold. A track call whose name is not here is kept as sent.
"""

# V2 name -> older names, compared without regard to case.
ECOMMERCE_EVENTS: dict[str, tuple[str, ...]] = {
    "Products Searched": (),
    "Product List Viewed": ("Viewed Product Category",),
    "Product List Filtered": (),
    "Promotion Viewed": ("Viewed Promotion",),
    "Promotion Clicked": ("Clicked Promotion",),
    "Product Clicked": ("Clicked Product",),
    "Product Viewed": ("Viewed Product",),
    "Product Added": ("Added Product",),
    "Product Removed": ("Removed Product",),
    "Cart Viewed": (),
    "Checkout Started": ("Started Order",),
    "Checkout Step Viewed": ("Viewed Checkout Step",),
    "Checkout Step Completed": ("Completed Checkout Step",),
    "Payment Info Entered": (),
    "Order Updated": ("Updated Order",),
    "Order Completed": ("Completed Order",),
    "Order Refunded": ("Refunded Order",),
    "Order Cancelled": ("Cancelled Order",),
    "Coupon Entered": (),
    "Coupon Applied": (),
    "Coupon Denied": (),
    "Coupon Removed": (),
    "Product Added to Wishlist": (),
    "Product Removed from Wishlist": (),
    "Wishlist Product Added to Cart": (),
    "Product Shared": (),
    "Cart Shared": (),
    "Product Reviewed": (),
}

# Segment's email spec, then what Customer.io tells beside it.
EMAIL_EVENTS = (
    "Email Delivered",
    "Email Bounced",
    "Email Opened",
    "Email Link Clicked",
    "Email Marked as Spam",
    "Email Unsubscribed",
    "Unsubscribed",
    "Email Drafted",
    "Email Attempted",
    "Email Sent",
    "Email Deferred",
    "Email Converted",
    "Email Suppressed",
    "Email Failed",
)
EMAIL_ALIASES = {"Email Clicked": "Email Link Clicked"}

CHAT_EVENTS = (
    "Live Chat Conversation Started",
    "Live Chat Message Sent",
    "Live Chat Message Received",
    "Live Chat Conversation Ended",
)

CALL_TYPES = ("identify", "track", "page", "screen", "group", "alias")
UNUSED_CALL_TYPES = ("group", "alias")

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

# Property -> the spellings it is sent under, the first found counts.
PROPERTIES: dict[str, tuple[str, ...]] = {
    "order_id": ("order_id", "orderId"),
    "cart_id": ("cart_id", "cartId"),
    "checkout_id": ("checkout_id", "checkoutId"),
    "product_id": ("product_id", "productId", "id"),
    "sku": ("sku",),
    "category": ("category",),
    "list_id": ("list_id", "listId"),
    "position": ("position",),
    "query": ("query",),
    "promotion_id": ("promotion_id", "promotionId"),
    "coupon": ("coupon",),
    "country": ("country", "shipping_country"),
    "currency": ("currency",),
    "price": ("price",),
    "quantity": ("quantity",),
    "revenue": ("revenue",),
    "subtotal": ("subtotal",),
    "total": ("total", "value"),
    "shipping": ("shipping",),
    "tax": ("tax",),
    "discount": ("discount",),
    # Of emails: the spec's own names, then Customer.io's.
    "email_id": ("email_id",),
    "delivery_id": ("delivery_id",),
    "email_campaign_id": ("campaign_id",),
    "newsletter_id": ("newsletter_id",),
    "campaign_name": ("campaign_name",),
    "email_subject": ("email_subject", "subject"),
    "link_id": ("link_id",),
    "link_url": ("link_url", "href"),
    "customer_id": ("customer_id",),
}

# Keys of one item of `products`.
ITEM_PROPERTIES: dict[str, tuple[str, ...]] = {
    "product_id": ("product_id", "productId", "id"),
    "sku": ("sku",),
    "name": ("name",),
    "category": ("category",),
    "brand": ("brand",),
    "variant": ("variant",),
    "price": ("price",),
    "quantity": ("quantity",),
    "position": ("position",),
}

MONEY_PROPERTIES = ("price", "revenue", "subtotal", "total", "shipping", "tax", "discount")

# Libraries whose calls come from the customer's own device.
CLIENT_LIBRARIES = (
    r"^(analytics\.js|analytics-ios|analytics-android|analytics-swift|analytics-kotlin|analytics-react"
    r"|analytics_flutter)"
)

BOT_AGENTS = r"bot\b|bot/|crawl|spider|slurp|lighthouse|pingdom|phantomjs|headlesschrome|facebookexternalhit|preview"


def canonical_names() -> dict[str, str]:
    """Return every known event name in lower case with its V2 spelling."""
    names = {name.lower(): name for name in (*ECOMMERCE_EVENTS, *EMAIL_EVENTS, *CHAT_EVENTS)}
    for name, older in ECOMMERCE_EVENTS.items():
        names |= {alias.lower(): name for alias in older}
    return names | {alias.lower(): name for alias, name in EMAIL_ALIASES.items()}
