"""Columns of every canonical table: the contract between pipeline and metrics.

Instants are UTC, money is decimal in the shop's currency, ids are strings,
null means not observed.
"""

import ibis
import ibis.expr.types as ir

from ecomkit.column_types import INSTANT, MONEY
from ecomkit.errors import TableError, quoted
from ecomkit.row_accounts import BUILD_LOG, CALL_DAYS, ORDER_MATCHES, PROPERTY_DAYS, QUARANTINE, ROW_REASONS

_CAMPAIGN = {
    "utm_source": "string",
    "utm_medium": "string",
    "utm_campaign": "string",
    "utm_term": "string",
    "utm_content": "string",
}

EVENTS = ibis.schema(
    {
        "message_id": "string",
        "event_name": "string",
        "occurred_at": INSTANT,
        "received_at": INSTANT,
        "anonymous_id": "string",
        "user_id": "string",
        "email_hash": "string",
        "person_id": "string",
        "identity_rule": "string",
        "session_id": "string",
        "side": "string",
        "device_type": "string",
        "page_url": "string",
        "page_path": "string",
        "referrer": "string",
        **_CAMPAIGN,
        "campaign_id": "string",
        "click_id": "string",
        "cart_id": "string",
        "checkout_id": "string",
        "order_id": "string",
        "product_id": "string",
        "query": "string",
        "promotion_id": "string",
        "coupon": "string",
        "source": "string",
    }
)

PEOPLE = ibis.schema(
    {
        "person_id": "string",
        "user_id": "string",
        "email_hash": "string",
        "first_seen_at": INSTANT,
        "identified_at": INSTANT,
        "created_at": INSTANT,
        "anonymous_ids": "int64",
        "first_channel": "string",
        "first_order_at": INSTANT,
        "consent": "boolean",
        "suppressed_at": INSTANT,
    }
)

IDENTITY_LINKS = ibis.schema(
    {
        "identifier_type": "string",
        "identifier": "string",
        "person_id": "string",
        "valid_from": INSTANT,
        "valid_to": INSTANT,
        "rule": "string",
        "calls": "int64",
    }
)

SESSIONS = ibis.schema(
    {
        "session_id": "string",
        "person_id": "string",
        "anonymous_id": "string",
        "session_number": "int64",
        "started_at": INSTANT,
        "ended_at": INSTANT,
        "pageviews": "int64",
        "landing_path": "string",
        "referrer_host": "string",
        **_CAMPAIGN,
        "campaign_id": "string",
        "device_type": "string",
        "channel": "string",
        "orders": "int64",
        "converted": "boolean",
    }
)

ORDERS = ibis.schema(
    {
        "order_id": "string",
        "customer_id": "string",
        "session_id": "string",
        "session_rule": "string",
        "ordered_at": INSTANT,
        "order_number": "int64",
        "gross": MONEY,
        "discount": MONEY,
        "revenue": MONEY,
        "shipping": MONEY,
        "tax": MONEY,
        "order_total": MONEY,
        "currency": "string",
        "coupon": "string",
        "country": "string",
        "device_type": "string",
        "status": "string",
        "cancelled_at": INSTANT,
        "money_rule": "string",
    }
)

ORDER_LINES = ibis.schema(
    {
        "order_id": "string",
        "line_number": "int64",
        "product_id": "string",
        "sku": "string",
        "name": "string",
        "category": "string",
        "brand": "string",
        "variant": "string",
        "unit_price": MONEY,
        "quantity": "int64",
        "line_gross": MONEY,
        "line_revenue": MONEY,
    }
)

REFUNDS = ibis.schema(
    {
        "refund_id": "string",
        "order_id": "string",
        "refunded_at": INSTANT,
        "received_at": INSTANT,
        "amount": MONEY,
        "currency": "string",
    }
)

REFUND_LINES = ibis.schema(
    {
        "refund_id": "string",
        "line_number": "int64",
        "product_id": "string",
        "quantity": "int64",
        "amount": MONEY,
    }
)

PRODUCT_EVENTS = ibis.schema(
    {
        "occurred_at": INSTANT,
        "person_id": "string",
        "session_id": "string",
        "event_name": "string",
        "product_id": "string",
        "sku": "string",
        "category": "string",
        "price": MONEY,
        "quantity": "int64",
        "cart_id": "string",
        "list_id": "string",
        "position": "int64",
    }
)

AD_SPEND = ibis.schema(
    {
        "date": "date",
        "platform": "string",
        "account_id": "string",
        "campaign_id": "string",
        "campaign_name": "string",
        "channel": "string",
        "purpose": "string",
        "spend": MONEY,
        "currency": "string",
        "impressions": "int64",
        "clicks": "int64",
        "platform_conversions": "float64",
    }
)

EMAILS = ibis.schema(
    {
        "email_key": "string",
        "person_id": "string",
        "campaign_id": "string",
        "campaign_name": "string",
        "list_id": "string",
        "subject": "string",
        "delivered_at": INSTANT,
        "first_opened_at": INSTANT,
        "first_human_open_at": INSTANT,
        "first_clicked_at": INSTANT,
        "first_human_click_at": INSTANT,
        "bounced_at": INSTANT,
        "spam_at": INSTANT,
        "unsubscribed_at": INSTANT,
        "opens": "int64",
        "clicks": "int64",
    }
)

EMAIL_CLICKS = ibis.schema(
    {
        "email_key": "string",
        "person_id": "string",
        "clicked_at": INSTANT,
        "link_id": "string",
        "link_host": "string",
        "link_path": "string",
        "machine": "boolean",
    }
)

# Every table of a shop, by name, with the step that makes it.
CANONICAL = {
    "events": (EVENTS, "pipeline.events"),
    "people": (PEOPLE, "pipeline.people"),
    "identity_links": (IDENTITY_LINKS, "pipeline.identity_links"),
    "sessions": (SESSIONS, "pipeline.sessions"),
    "orders": (ORDERS, "pipeline.orders"),
    "order_matches": (ORDER_MATCHES, "pipeline.reconciliation"),
    "order_lines": (ORDER_LINES, "pipeline.orders"),
    "refunds": (REFUNDS, "pipeline.refunds"),
    "refund_lines": (REFUND_LINES, "pipeline.refunds"),
    "product_events": (PRODUCT_EVENTS, "pipeline.events"),
    "ad_spend": (AD_SPEND, "sources.ad_spend"),
    "emails": (EMAILS, "pipeline.emails"),
    "email_clicks": (EMAIL_CLICKS, "pipeline.emails"),
    "call_days": (CALL_DAYS, "pipeline.daily_counts"),
    "property_days": (PROPERTY_DAYS, "pipeline.daily_counts"),
    "quarantine": (QUARANTINE, "pipeline.build"),
    "build_log": (BUILD_LOG, "pipeline.build"),
    "row_reasons": (ROW_REASONS, "pipeline.build"),
}


def require(table: ir.Table, schema: ibis.Schema) -> None:
    """Stop at the door when `table` lacks a column of `schema`, naming all that lack."""
    missing = [name for name in schema.names if name not in table.columns]
    if missing:
        maker = next((step for known, step in CANONICAL.values() if known == schema), None)
        hint = f" The step '{maker}' makes this table." if maker else ""
        raise TableError(f"The table lacks {quoted(missing)}. It has {quoted(table.columns)}.{hint}")
