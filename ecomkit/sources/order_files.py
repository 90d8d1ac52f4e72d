"""Plain order lines: a CSV or Parquet file, its columns mapped to the kit's names in shop.toml."""

from collections.abc import Sequence

import duckdb

from ecomkit.settings import Source
from ecomkit.sources.mapped_files import mapped_rows
from ecomkit.sources.money_text import MONEY_MACROS

COLUMNS = (
    "order_id", "customer_id", "ordered_at", "product_id", "sku", "name", "category", "brand", "variant",
    "unit_price", "quantity", "line_total", "discount", "shipping", "tax", "currency", "coupon", "country",
)  # fmt: skip
_REQUIRED = ("order_id", "ordered_at")


def read_order_files(con: duckdb.DuckDBPyConnection, sources: Sequence[Source], *, zone: str, currency: str) -> None:
    """Create the temporary table `order_rows`: a row per line of every source, typed, with its `problem`.

    Times without an offset are local times of the source's `time_zone`. A line's
    `kind` says what its source's settings make of it: `order`, `refund`, `shipping`,
    `refunded shipping`, `not a product`, or `negative quantity`.
    """
    parts, values = [], {}
    for number, source in enumerate(sources):
        query = mapped_rows(con, source, known=COLUMNS, required=_REQUIRED)
        options = source.options
        values |= {
            f"source{number}": source.name,
            f"zone{number}": options.get("time_zone", zone),
            f"currency{number}": options.get("currency", currency),
            f"prefix{number}": options.get("refund_prefix", ""),
            f"shipping{number}": [str(code) for code in options.get("shipping_codes", [])],
            f"others{number}": [str(code) for code in options.get("not_products", [])],
        }
        parts.append(_typed(query, number))
    con.execute(MONEY_MACROS)
    rows = " UNION ALL ".join(parts)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE order_rows AS SELECT *, row_number() OVER () AS row_id FROM ({rows})", values
    )


def _typed(query: str, number: int) -> str:
    money = ", ".join(f"as_money({name}) AS {name}" for name in _MONEY)
    texts = ", ".join(f"nullif(trim({name}), '') AS {name}" for name in COLUMNS if name not in _TYPED)
    return f"""
        SELECT * EXCLUDE (units)
            -- Whole units, at least one: of 1.5 metres the line holds the money.
            REPLACE (CASE WHEN units <> floor(units) THEN coalesce(line_total, unit_price * units::DECIMAL(12, 4))
                          ELSE line_total END AS line_total),
            CAST(CASE WHEN units = 0 THEN 0 ELSE sign(units) * greatest(round(abs(units)), 1) END AS BIGINT)
                AS quantity,
            CASE
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
            END AS kind
        FROM (
            SELECT $source{number} AS source, source_file, line_number, {texts}, {money},
                coalesce(nullif(trim(currency), ''), $currency{number}) AS currency,
                regexp_replace(nullif(trim(customer_id), ''), '\\.0$', '') AS customer_id,
                CASE WHEN quantity IS NULL THEN 1 ELSE TRY_CAST(quantity AS DOUBLE) END AS units,
                CASE WHEN regexp_matches(ordered_at, '\\d:\\d.*(Z| UTC|[+-]\\d\\d(:?\\d\\d)?)$')
                     THEN TRY_CAST(ordered_at AS TIMESTAMPTZ)
                     ELSE timezone($zone{number}, TRY_CAST(ordered_at AS TIMESTAMP)) END AS ordered_at,
                $prefix{number} <> '' AND starts_with(order_id, $prefix{number}) AS is_refund,
                list_contains($shipping{number}, coalesce(product_id, sku)) AS is_shipping,
                list_contains($others{number}, coalesce(product_id, sku)) AS is_other
            FROM ({query})
        )"""


_MONEY = ("unit_price", "line_total", "discount", "shipping", "tax")
_TYPED = (*_MONEY, "currency", "customer_id", "quantity", "ordered_at")
