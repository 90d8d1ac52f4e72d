"""Plain order lines: files with their columns mapped to the kit's names in shop.toml, and Shopify's orders export."""

import re
from collections.abc import Sequence

import duckdb

from ecomkit.settings import Source
from ecomkit.sources.mapped_files import mapped_rows
from ecomkit.sources.money_text import MONEY_MACROS
from ecomkit.sources.privacy import PRIVACY_MACROS
from ecomkit.sources.shopify_orders import shopify_rows

COLUMNS = (
    "order_id", "customer_id", "ordered_at", "product_id", "sku", "name", "category", "brand", "variant",
    "unit_price", "quantity", "line_total", "discount", "shipping", "tax", "currency", "coupon", "country",
)  # fmt: skip
_REQUIRED = ("order_id", "ordered_at")


# A time with an offset is that instant; one without is local.
_INSTANT_MACRO = r"""
CREATE OR REPLACE TEMP MACRO as_instant(x, zone) AS
    CASE WHEN regexp_matches(x, '\d:\d.*(Z| UTC|[+-]\d\d(:?\d\d)?)$')
         THEN TRY_CAST(regexp_replace(x, '\s*([+-]\d\d):?(\d\d)$', '\1:\2') AS TIMESTAMPTZ)
         ELSE timezone(zone, TRY_CAST(x AS TIMESTAMP)) END;
"""


def read_order_files(
    con: duckdb.DuckDBPyConnection,
    sources: Sequence[Source],
    *,
    zone: str,
    currency: str,
    salt: str,
    staff: Sequence[str],
    test_orders: Sequence[str],
) -> None:
    """Create the temporary table `order_rows`: a row per line of every source, typed, with its `problem`.

    Times without an offset are local times of the source's `time_zone`. A line's
    `kind` says what its source's settings make of it: `order`, `refund`, `shipping`,
    `refunded shipping`, `not a product`, `negative quantity`, or `no item`. What an
    order states of itself stands on each of its lines, as `order_revenue`,
    `order_discount`, `order_shipping`, `order_tax`, `order_refund` and `cancelled_at`.
    """
    con.execute(MONEY_MACROS + PRIVACY_MACROS + _INSTANT_MACRO)
    parts, values = [], {"salt": salt}
    for number, source in enumerate(sources):
        options = source.options
        values |= {
            f"source{number}": source.name,
            f"zone{number}": options.get("time_zone", zone),
            f"currency{number}": options.get("currency", currency),
        }
        if options.get("format") == "shopify":
            parts.append(shopify_rows(con, source, number))
            values |= {
                "staff": "|".join(f"{re.escape(ending.lower())}$" for ending in staff),
                "tests": "|".join(f"(?:{pattern})" for pattern in test_orders),
            }
            continue
        parts.append(_typed(mapped_rows(con, source, known=COLUMNS, required=_REQUIRED), number))
        values |= {
            f"prefix{number}": options.get("refund_prefix", ""),
            f"shipping{number}": [str(code) for code in options.get("shipping_codes", [])],
            f"others{number}": [str(code) for code in options.get("not_products", [])],
        }
    rows = " UNION ALL BY NAME ".join(f"SELECT {number} AS part, * FROM ({part})" for number, part in enumerate(parts))
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE order_rows AS
        SELECT * EXCLUDE (part, file_number) REPLACE (private_id(order_id, $salt) AS order_id, {_private()}),
            row_number() OVER (ORDER BY part, file_number, line_number) AS row_id
        FROM ({rows})""",
        values,
    )


def _private() -> str:
    texts = ("order_name", "product_id", "sku", "name", "category", "brand", "variant", "coupon", "country")
    return ", ".join(f"without_address({name}) AS {name}" for name in texts)


def _typed(query: str, number: int) -> str:
    money = ", ".join(f"as_money({name}) AS {name}" for name in _MONEY)
    texts = ", ".join(f"nullif(trim({name}), '') AS {name}" for name in COLUMNS if name not in _TYPED)
    return f"""
        SELECT * EXCLUDE (units, is_row, is_refund, is_shipping, is_other)
            -- Whole units, at least one: of 1.5 metres the line holds the money.
            REPLACE (CASE WHEN units <> floor(units) THEN coalesce(line_total, unit_price * units::DECIMAL(12, 4))
                          ELSE line_total END AS line_total),
            CAST(CASE WHEN units = 0 THEN 0 ELSE sign(units) * greatest(round(abs(units)), 1) END AS BIGINT)
                AS quantity,
            CASE
                WHEN NOT is_row THEN 'not a row of the table'
                WHEN order_id IS NULL THEN 'no order id'
                WHEN ordered_at IS NULL THEN 'no readable time'
                WHEN units IS NULL THEN 'no readable quantity'
                WHEN coalesce(line_total, unit_price) IS NULL THEN 'no readable price'
            END AS problem,
            CASE
                WHEN is_refund AND is_shipping THEN 'refunded shipping'
                WHEN is_shipping THEN 'shipping'
                WHEN is_other THEN 'not a product'
                WHEN is_refund THEN 'refund'
                WHEN units < 0 THEN 'negative quantity'
                ELSE 'order'
            END AS kind,
            {_NOT_STATED}
        FROM (
            SELECT $source{number} AS source, file_number, file_path, source_file, line_number, is_row,
                {texts}, {money},
                coalesce(nullif(trim(currency), ''), $currency{number}) AS currency,
                person_id(regexp_replace(nullif(trim(customer_id), ''), '\\.0$', ''), $salt) AS customer_id,
                CASE WHEN quantity IS NULL THEN 1 ELSE TRY_CAST(quantity AS DOUBLE) END AS units,
                as_instant(trim(ordered_at), $zone{number}) AS ordered_at,
                $prefix{number} <> '' AND starts_with(order_id, $prefix{number}) AS is_refund,
                list_contains($shipping{number}, coalesce(product_id, sku)) AS is_shipping,
                list_contains($others{number}, coalesce(product_id, sku)) AS is_other
            FROM ({query})
        )"""


_MONEY = ("unit_price", "line_total", "discount", "shipping", "tax")
_TYPED = (*_MONEY, "currency", "customer_id", "quantity", "ordered_at")
_NOT_STATED = """
            NULL::VARCHAR AS order_name, NULL::VARCHAR AS email_hash, NULL::DECIMAL(18, 4) AS order_revenue,
            NULL::DECIMAL(18, 4) AS order_discount, NULL::DECIMAL(18, 4) AS order_shipping,
            NULL::DECIMAL(18, 4) AS order_tax, NULL::DECIMAL(18, 4) AS order_refund,
            NULL::TIMESTAMPTZ AS refunded_at, NULL::TIMESTAMPTZ AS cancelled_at,
            NULL::VARCHAR AS excluded, false AS is_repeated, NULL::VARCHAR[] AS corrections"""
