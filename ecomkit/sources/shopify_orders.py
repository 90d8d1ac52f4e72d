"""Shopify's orders export as it comes: a row per line item, what belongs to the order on its first row alone.

An order goes by its `Id`, where a spreadsheet left it readable, else by its `Name`
without the `#`. `Subtotal` is after discount. Where prices include tax, which the
order's own sum tells (`Total` = `Subtotal` + `Shipping` without `Taxes`), tax is
taken out of revenue, shipping and lines. The export knows what was sent back but
not when: a refund is dated by the cancellation, else by its order, and sends goods
with their tax back first. The customer is the hashed address; names, streets and
phones are never read.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import duckdb

from ecomkit.errors import SourceError, quoted
from ecomkit.settings import Source
from ecomkit.sources.csv_files import csv_header, load_csv
from ecomkit.sources.places import check_place, source_file

# Name in the kit -> column of the export.
COLUMNS = {
    "order_name": "Name",
    "email": "Email",
    "financial_status": "Financial Status",
    "currency": "Currency",
    "subtotal": "Subtotal",
    "shipping": "Shipping",
    "taxes": "Taxes",
    "duties": "Duties",
    "total": "Total",
    "coupon": "Discount Code",
    "discount_amount": "Discount Amount",
    "created_at": "Created at",
    "cancelled_at": "Cancelled at",
    "payment_method": "Payment Method",
    "refunded_amount": "Refunded Amount",
    "shopify_id": "Id",
    "shipping_country": "Shipping Country",
    "billing_country": "Billing Country",
    "units": "Lineitem quantity",
    "name": "Lineitem name",
    "price": "Lineitem price",
    "sku": "Lineitem sku",
    "brand": "Vendor",
}
REQUIRED = (
    "Name",
    "Email",
    "Financial Status",
    "Subtotal",
    "Total",
    "Created at",
    "Lineitem quantity",
    "Lineitem price",
)


def is_shopify_export(header: Sequence[str]) -> bool:
    """Tell an orders export of Shopify by its header."""
    return set(REQUIRED) <= set(header)


def shopify_rows(con: duckdb.DuckDBPyConnection, source: Source, number: int) -> str:
    """Return a query of the export's rows in the form of `order_rows`; its parameters end in `number`.

    An order that several files hold counts once, by its copy furthest along: cancelled
    before not, the most refunded, then the last read. Orders paid through Shopify's
    Bogus Gateway, of staff, and whose id or name is a test order's, are excluded.
    """
    table = f"shopify_rows{number}"
    load_csv(con, table, [(source_file(source, path), path) for path in _files(source)], COLUMNS)
    return _query(table, number)


def _files(source: Source) -> list[Path]:
    check_place(source)
    files = [source.path]
    if source.path.is_dir():
        found = (path for path in source.path.rglob("*") if path.name.endswith((".csv", ".csv.gz")))
        # Part 10 comes after part 2.
        files = sorted(found, key=lambda path: [int(n) if n.isdigit() else n for n in re.split(r"(\d+)", str(path))])
        if not files:
            raise SourceError(
                f"The folder '{source.path}' (source '{source.name}') holds no CSV. "
                "Put the files of Shopify's orders export there, or correct 'path' in shop.toml."
            )
    for path in files:
        header = csv_header(path)
        lacking = [name for name in REQUIRED if name not in header]
        if lacking:
            raise SourceError(
                f"'{path}' (source '{source.name}') is not an orders export of Shopify: it lacks {quoted(lacking)}. "
                f"It has {quoted(header) or 'no header'}. Export it again (Orders, Export, plain CSV file), or map "
                "its columns in shop.toml without 'format'."
            )
    return files


# The order's own values, on its first row alone.
_ORDER_VALUES = """
    nullif(regexp_replace(regexp_replace(shopify_id, '\\.0$', ''), '^.*[eE][+].*$', ''), '') AS shopify_id,
    as_instant(created_at, $zone{number}) AS ordered_at, as_instant(cancelled_at, $zone{number}) AS sent_cancelled_at,
    lower(financial_status) IN ('voided', 'expired') AS is_void,
    as_money(subtotal) AS subtotal, coalesce(as_money(shipping), 0) AS shipping,
    coalesce(as_money(taxes), 0) AS taxes, coalesce(as_money(duties), 0) AS duties, as_money(total) AS total,
    coalesce(as_money(discount_amount), 0) AS discount_amount, coalesce(as_money(refunded_amount), 0) AS refunded,
    coalesce(currency, $currency{number}) AS currency, coupon,
    coalesce(shipping_country, billing_country) AS country,
    hashed(email, $salt) AS email_hash,
    CASE WHEN regexp_matches(lower(payment_method), '\\bbogus\\b') THEN 'test order'
         WHEN $staff <> '' AND regexp_matches(lower(email), $staff) THEN 'staff'
         WHEN $tests <> '' AND (regexp_matches(order_name, $tests) OR regexp_matches(shopify_id, $tests))
         THEN 'test order' END AS excluded"""


def _query(table: str, number: int) -> str:
    order_values = _ORDER_VALUES.replace("{number}", str(number))
    return f"""
        WITH read AS (
            SELECT *, row_number() OVER (ORDER BY file_number, line_number) AS place,
                coalesce(financial_status, total, subtotal) IS NOT NULL AS has_sums
            FROM {table}
        ), begun AS (
            -- Some exports repeat the day, or the Id, on every row of an order.
            SELECT *, has_sums OR (created_at IS NOT NULL
                AND row_number() OVER (PARTITION BY order_name ORDER BY place) = 1) AS is_first
            FROM read
        ), numbered AS (
            -- An order that two files hold has two first rows; a part may begin in the middle of an order.
            SELECT *, greatest(sum(is_first::INT) OVER (PARTITION BY order_name ORDER BY place), 1) AS copy FROM begun
        ), firsts AS (
            SELECT order_name, copy, source_file, place, {order_values} FROM numbered WHERE is_first
        ), summed AS (
            SELECT *,
                taxes > 0 AND abs(total - subtotal - shipping - duties) <= 0.01 AS adds_up_with_tax_in,
                taxes > 0 AND abs(total - subtotal - shipping - duties - taxes) <= 0.01 AS adds_up_with_tax_on_top
            FROM firsts
        ), taxed AS (
            SELECT *,
                taxes > 0 AND (coalesce(adds_up_with_tax_in, false) OR (NOT coalesce(adds_up_with_tax_on_top, false)
                    AND sum(adds_up_with_tax_in::INT) OVER file > sum(adds_up_with_tax_on_top::INT) OVER file))
                    AS tax_in,
                -- Tax falls on goods and shipping alike.
                CASE WHEN subtotal + shipping > 0 THEN taxes * (subtotal / (subtotal + shipping))::DECIMAL(18, 8)
                     ELSE taxes END AS goods_tax
            FROM summed WINDOW file AS (PARTITION BY source_file)
        ), revenues AS (
            SELECT *,
                round(CASE WHEN tax_in THEN subtotal - goods_tax ELSE subtotal END, 2)::DECIMAL(18, 4) AS order_revenue,
                CASE WHEN tax_in AND subtotal > 0 THEN ((subtotal - goods_tax) / subtotal)::DOUBLE ELSE 1 END
                    AS net_share
            FROM taxed
        ), orders AS (
            SELECT *, coalesce(shopify_id, ltrim(order_name, '#')) AS order_id,
                CASE WHEN tax_in THEN subtotal + shipping - taxes - order_revenue ELSE shipping END AS order_shipping,
                taxes + duties AS order_tax,
                least(order_revenue, round(refunded * CASE WHEN order_revenue + goods_tax > 0
                    THEN (order_revenue / (order_revenue + goods_tax))::DECIMAL(18, 8) ELSE 0 END, 2)) AS order_refund,
                row_number() OVER (PARTITION BY coalesce(shopify_id, ltrim(order_name, '#'))
                    ORDER BY sent_cancelled_at IS NULL, refunded DESC, place DESC) > 1 AS is_repeated
            FROM revenues
        ), items AS (
            SELECT numbered.* EXCLUDE (currency, shipping, taxes, duties, total, subtotal, coupon, email,
                    refunded_amount, cancelled_at, discount_amount, shopify_id, units, price),
                TRY_CAST(units AS DOUBLE) AS units, as_money(price) AS price,
                coalesce(units, price, name, sku) IS NULL AS no_item,
                orders.* EXCLUDE (order_name, copy, source_file, place),
                orders.order_id IS NOT NULL AS has_first
            FROM numbered LEFT JOIN orders USING (order_name, copy)
        ), priced AS (
            SELECT *, round(price * units * net_share, 2)::DECIMAL(18, 4) AS line_total,
                round(price * net_share, 4)::DECIMAL(18, 4) AS unit_price
            FROM items
        ), whole AS (
            SELECT *, sum(line_total) OVER same AS gross,
                sum(price * units::DECIMAL(12, 4)) OVER same - subtotal AS taken_off
            FROM priced WINDOW same AS (PARTITION BY order_name, copy)
        )
        SELECT $source{number} AS source, file_number, file_path, source_file, line_number,
            order_id, order_name, email_hash, NULL::VARCHAR AS customer_id, ordered_at, currency, coupon, country,
            sku AS product_id, sku, name, NULL::VARCHAR AS category, brand, NULL::VARCHAR AS variant,
            CAST(CASE WHEN units = 0 THEN 0 ELSE greatest(round(abs(units)), 1) END AS BIGINT) AS quantity,
            unit_price, line_total, NULL::DECIMAL(18, 4) AS discount, NULL::DECIMAL(18, 4) AS shipping,
            NULL::DECIMAL(18, 4) AS tax,
            order_revenue, greatest(gross - order_revenue, 0)::DECIMAL(18, 4) AS order_discount,
            order_shipping::DECIMAL(18, 4) AS order_shipping, order_tax::DECIMAL(18, 4) AS order_tax,
            CASE WHEN order_refund > 0 THEN order_refund::DECIMAL(18, 4) END AS order_refund,
            coalesce(sent_cancelled_at, ordered_at) AS refunded_at,
            coalesce(sent_cancelled_at, CASE WHEN is_void THEN ordered_at END) AS cancelled_at,
            CASE
                WHEN NOT is_row THEN 'not a row of the table'
                WHEN order_name IS NULL THEN 'no order name'
                WHEN NOT has_first THEN 'the first row of its order is missing'
                WHEN ordered_at IS NULL THEN 'no readable time'
                WHEN order_revenue IS NULL THEN 'no readable subtotal'
                WHEN NOT no_item AND units IS NULL THEN 'no readable quantity'
                WHEN NOT no_item AND price IS NULL THEN 'no readable price'
            END AS problem,
            excluded, is_repeated,
            CASE WHEN no_item THEN 'no item' ELSE 'order' END AS kind,
            CASE WHEN is_first THEN string_split(nullif(concat_ws('|',
                CASE WHEN tax_in THEN 'prices include tax: taken out' END,
                CASE WHEN taxes > 0 AND NOT coalesce(adds_up_with_tax_in OR adds_up_with_tax_on_top, false)
                     THEN 'total does not add up: tax read as in most orders of the file' END,
                -- What is left of the discount was taken off shipping.
                CASE WHEN taken_off NOT BETWEEN -0.01 AND discount_amount + 0.01
                     THEN 'items less discount are not the subtotal: the subtotal counts' END,
                CASE WHEN order_refund > 0 AND sent_cancelled_at IS NULL THEN 'refund without a day: dated by its order'
                     WHEN order_refund > 0 THEN 'refund without a day: dated by its cancellation' END,
                CASE WHEN is_void AND sent_cancelled_at IS NULL THEN 'void without a day: cancelled when ordered' END,
                CASE WHEN shopify_id IS NULL THEN 'no readable Id: goes by its name' END), ''), '|') END AS corrections
        FROM whole"""
