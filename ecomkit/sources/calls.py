"""Calls of any source as one flat table: ids and addresses hashed, queries cut from URLs, money and instants read.

A source gives its calls as text, one column for each name of `SENT` and of the
tracking plan's properties, null where nothing was sent. What leaves this module
holds no address, name or phone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from ecomkit.sources.money_text import MONEY_MACROS
from ecomkit.sources.privacy import PRIVACY_MACROS

# Spellings of one thing, the first found counts.
Spellings = Mapping[str, Sequence[str]]

# What the kit reads of a call beside its properties -> the JSON paths it is sent under.
SENT: Spellings = {
    "call_type": ("$.type",),
    "event": ("$.event",),
    "message_id": ("$.messageId",),
    "anonymous_id": ("$.anonymousId",),
    "user_id": ("$.userId",),
    "previous_id": ("$.previousId",),
    "external_ids": ("$.context.externalIds",),
    "sent_timestamp": ("$.timestamp",),
    "original_timestamp": ("$.originalTimestamp",),
    "sent_at": ("$.sentAt",),
    "received_at": ("$.receivedAt",),
    "library": ("$.context.library.name",),
    "library_version": ("$.context.library.version",),
    "page_url": ("$.context.page.url", "$.properties.url"),
    "page_path": ("$.context.page.path", "$.properties.path"),
    "page_search": ("$.context.page.search", "$.properties.search"),
    "referrer": ("$.context.page.referrer", "$.properties.referrer"),
    "utm_source": ("$.context.campaign.source",),
    "utm_medium": ("$.context.campaign.medium",),
    "utm_campaign": ("$.context.campaign.name", "$.context.campaign.campaign"),
    "utm_term": ("$.context.campaign.term",),
    "utm_content": ("$.context.campaign.content",),
    "campaign_id": ("$.context.campaign.id",),
    "user_agent": ("$.context.userAgent", "$.context.user_agent"),
    "email": ("$.traits.email", "$.context.traits.email", "$.properties.email"),
    "recipient": ("$.properties.recipient",),
    "created_at": ("$.traits.createdAt", "$.traits.created_at"),
}

CLICK_IDS = "gclid|wbraid|gbraid|msclkid|fbclid|ttclid"
_INSTANTS = ("sent_timestamp", "original_timestamp", "sent_at", "received_at", "created_at")
_CAMPAIGN = {
    "utm_source": "utm_source",
    "utm_medium": "utm_medium",
    "utm_campaign": "utm_campaign",
    "utm_term": "utm_term",
    "utm_content": "utm_content",
    "campaign_id": "utm_id",
}
# Whoever sends more than this in a campaign's name or an address sends no name and no address.
_LONGEST_CAMPAIGN, _LONGEST_LINK = 500, 2_000
_LINKS = ("page_url", "page_path", "referrer", "link_url")
_FREE_TEXTS = ("query", "email_subject", "campaign_name", "coupon")
_ABOUT_EMAIL = "coalesce(regexp_matches(event, '(?i)^(email|unsubscribed)'), false)"
# Read into other columns, and kept no longer.
_USED_UP = ("email", "recipient", "page_search")

MACROS = (
    MONEY_MACROS
    + PRIVACY_MACROS
    + r"""
CREATE OR REPLACE TEMP MACRO instant(x) AS CASE WHEN TRY_CAST(x AS TIMESTAMPTZ)
        BETWEEN TIMESTAMPTZ '0001-01-02 00:00:00+00' AND TIMESTAMPTZ '9999-12-30 00:00:00+00'
    THEN TRY_CAST(x AS TIMESTAMPTZ) END;
-- The text of a JSON value: a string without its quotes, anything else as it is written.
CREATE OR REPLACE TEMP MACRO unquoted(x) AS CASE WHEN left(x, 1) = '"' THEN x->>'$' ELSE x::VARCHAR END;
-- What is no UTF-8 once decoded, such as a Latin-1 %FC, stays as it is: no campaign's name stops a build.
CREATE OR REPLACE TEMP MACRO url_decoded(x) AS coalesce(TRY(url_decode(x)), x);
CREATE OR REPLACE TEMP MACRO utm(search, key) AS CASE WHEN contains(search, key) THEN
    nullif(url_decoded(replace(regexp_extract(search, '[?&]' || key || '=([^&#]*)', 1), '+', ' ')), '') END;
"""
)


@dataclass(frozen=True)
class Reading:
    """What every reader of calls is told: the properties to take, and how to keep people private.

    Parameters
    ----------
    properties, items
        Columns of `calls` and of `call_items`, with the keys they are sent under.
    money, ids
        Which of the properties hold money, and which ids.
    salt
        What addresses are hashed with.
    staff
        Endings of the addresses of the shop's own people.
    """

    properties: Spellings
    items: Spellings
    money: Sequence[str]
    ids: Sequence[str]
    salt: str
    staff: Sequence[str] = ()


def create_calls(con: duckdb.DuckDBPyConnection, reading: Reading) -> None:
    """Create the empty table `calls` in the connection's current schema."""
    names = ", ".join(f"NULL::VARCHAR AS {name}" for name in (*SENT, *reading.properties, "products"))
    nothing = f"""
        SELECT NULL::VARCHAR AS source, NULL::VARCHAR AS source_file, NULL::BIGINT AS line_number,
            NULL::BIGINT AS row_id, NULL::UBIGINT AS content_hash, NULL::VARCHAR AS problem,
            NULL::BOOLEAN AS money_as_text, {names}
        WHERE false"""
    con.execute(MACROS)
    con.execute(f"CREATE TABLE calls AS {_safe(nothing, reading)}", {"salt": "", "staff": []})


def insert_calls(con: duckdb.DuckDBPyConnection, flat: str, reading: Reading) -> None:
    """Insert the calls of a query into `calls`, in the form in which they may be stored; `con` knows the `MACROS`.

    The query `flat` has the columns `source, source_file, line_number, row_id,
    content_hash, problem, money_as_text` and, as text, `products` and each name of
    `SENT` and of the reading's properties.
    """
    endings = [ending.lower() for ending in reading.staff]
    con.execute(f"INSERT INTO calls BY NAME {_safe(flat, reading)}", {"salt": reading.salt, "staff": endings})


def _safe(flat: str, reading: Reading) -> str:
    money = reading.money
    columns = {
        name: f"without_address(nullif({name}, ''))" for name in (*SENT, *reading.properties) if name not in _USED_UP
    }
    # A list in JSON, which `create_external_ids` takes apart.
    columns["external_ids"] = "nullif(external_ids, '[]')"
    columns |= {name: f"without_phone({columns[name]})" for name in _FREE_TEXTS}
    columns |= {name: f"instant({name})" for name in _INSTANTS}
    columns |= {name: f"as_money({name})" for name in money}
    columns |= {name: f"nullif(left(without_query({name}), {_LONGEST_LINK}), '')" for name in _LINKS}
    columns |= {name: f"private_id({name}, $salt)" for name in reading.ids}
    columns |= {name: f"person_id({name}, $salt)" for name in ("anonymous_id", "user_id", "previous_id", "customer_id")}
    # An address in place of a visitor is no device of anyone.
    as_visitor = f"is_address(anonymous_id) AND {_ABOUT_EMAIL}"
    columns["anonymous_id"] = f"CASE WHEN {as_visitor} THEN NULL ELSE {columns['anonymous_id']} END"
    columns |= {
        name: f"left(without_phone(without_address(coalesce(nullif({name}, ''), utm(search, '{key}')))), "
        f"{_LONGEST_CAMPAIGN})"
        for name, key in _CAMPAIGN.items()
    }
    # Two calls without an id are one where all that was sent is the same.
    columns["message_id"] = "coalesce(private_id(message_id, $salt), 'hash-' || content_hash)"
    selected = ",\n            ".join(f"{sql} AS {name}" for name, sql in columns.items())
    unreadable = " OR ".join(f"({name} IS NOT NULL AND as_money({name}) IS NULL)" for name in money)
    signed = " OR ".join(f"contains({name}, '$') OR contains({name}, '€') OR contains({name}, '£')" for name in money)
    return f"""
        SELECT source, source_file, line_number, row_id, content_hash, problem, products, money_as_text,
            coalesce({unreadable}, false) AS money_unreadable,
            coalesce({signed}, false) AS money_with_sign,
            coalesce(message_id, '') = '' AS without_message_id,
            hashed(address, $salt) AS email_hash,
            coalesce(len(list_filter($staff, lambda ending: ends_with(lower(address), ending))) > 0, false)
                AS staff_address,
            CASE WHEN contains(search, 'id=') THEN nullif(regexp_replace(
                regexp_extract(search, '[?&]((?:{CLICK_IDS})=[^&#]{{1,{_LONGEST_CAMPAIGN}}})', 1), '=', ':'), '')
                END AS click_id,
            {selected}
        FROM (
            SELECT *,
                -- Some senders put the whole address into `url` and nothing into `search`.
                coalesce(nullif(page_search, ''), regexp_extract(page_url, '[?][^#]*')) AS search,
                CASE WHEN NOT contains(found, ',') THEN replace(trim(found), '%40', '@') END AS address
            FROM (
                -- Customer.io names the recipient, and sends the address as an id where it knows no other.
                SELECT *, coalesce(
                    CASE WHEN is_address(email) THEN email END,
                    CASE WHEN is_address(recipient) AND NOT contains(recipient, ',') AND {_ABOUT_EMAIL}
                        THEN recipient END,
                    CASE WHEN is_address(user_id) THEN user_id END,
                    CASE WHEN is_address(anonymous_id) THEN anonymous_id END) AS found
                FROM ({flat})
            )
        )"""


def forget_later_calls(con: duckdb.DuckDBPyConnection) -> int:
    """Take out of `calls` those whose `row_id` the table `later_calls` holds; return how many."""
    con.execute("DELETE FROM calls WHERE row_id IN (SELECT row_id FROM later_calls)")
    return con.fetchone()[0]


def create_items(con: duckdb.DuckDBPyConnection, reading: Reading) -> None:
    """Create `call_items`: a row per item of a call's `products`, in the order sent; `row_id` names the call."""
    keys = [key for candidates in reading.items.values() for key in candidates]
    shape = "[{" + ", ".join(f'"{key}": "{"JSON" if key == "price" else "VARCHAR"}"' for key in keys) + "}]"
    columns = {
        name: "without_address(coalesce(" + ", ".join(f'item."{key}"' for key in candidates) + "))"
        for name, candidates in reading.items.items()
    }
    columns["price"] = "as_money(unquoted(item.price))"
    selected = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
    con.execute(f"""
        CREATE OR REPLACE TABLE call_items AS
        WITH sent AS (
            -- Some senders put the list into a string, or send one product alone.
            SELECT row_id, unquoted(products) AS products FROM calls WHERE products IS NOT NULL AND problem IS NULL
        ), lists AS (
            SELECT row_id, json_transform(
                CASE WHEN left(ltrim(products), 1) = '{{' THEN '[' || products || ']' ELSE products END, '{shape}'
            ) AS items
            FROM sent WHERE json_valid(products)
        ), items AS (
            SELECT row_id, unnest(items) AS item, generate_subscripts(items, 1) AS line_number FROM lists
        )
        SELECT * FROM (SELECT row_id, line_number, {selected} FROM items)
        WHERE coalesce({", ".join(f"{name}::VARCHAR" for name in columns)}) IS NOT NULL""")


def create_external_ids(con: duckdb.DuckDBPyConnection, reading: Reading) -> None:
    """Create `external_ids`: a row per id of a person in a call's `context.externalIds`; `row_id` names the call."""
    shape = '[{"id": "VARCHAR", "type": "VARCHAR", "collection": "VARCHAR"}]'
    con.execute(
        f"""CREATE OR REPLACE TABLE external_ids AS
        WITH listed AS (
            SELECT row_id, unnest(json_transform(unquoted(external_ids), '{shape}')) AS sent
            FROM calls WHERE external_ids IS NOT NULL AND problem IS NULL AND json_valid(unquoted(external_ids))
        )
        , typed AS (
            SELECT row_id, sent.id AS id, coalesce(sent.collection, 'users') AS collection,
                regexp_replace(lower(trim(sent.type)), '[^a-z0-9_.]+', '_', 'g') AS identifier_type
            FROM listed
        )
        SELECT DISTINCT row_id, identifier_type,
            -- A number is a phone where its type says so, whatever it begins with.
            CASE WHEN regexp_matches(identifier_type, 'phone|mobile|msisdn|sms') THEN 'hashed-' || hashed(id, $salt)
                 ELSE person_id(id, $salt) END AS identifier
        FROM typed
        -- Accounts are nobody; what has a place of its own on a call is read there.
        WHERE collection = 'users' AND person_id(id, $salt) IS NOT NULL AND identifier_type <> ''
            AND identifier_type NOT IN ('user_id', 'anonymous_id', 'previous_id', 'email', 'group_id')""",
        {"salt": reading.salt},
    )
