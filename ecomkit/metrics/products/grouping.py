"""What a product is: the group that its events and order lines belong to, and the name a reader knows it by."""

from datetime import datetime

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.errors import UsageError, did_you_mean, quoted
from ecomkit.metrics.bookings import kept_orders
from ecomkit.metrics.sales_by import OF_LINES, OfLine
from ecomkit.periods import Period

By = OfLine
GROUPS = OF_LINES

VIEWED, ADDED, CLICKED, LISTED = "Product Viewed", "Product Added", "Product Clicked", "Product List Viewed"

# The order of a product's own columns decides between lines of one instant.
_NEWEST_FIRST = ("ordered_at", "order_id", "line_number")


def check_by(by: str) -> None:
    """Stop at a `by` that products are not grouped by."""
    if by not in GROUPS:
        raise UsageError(
            f"'by' names '{by}', which products are not grouped by.{did_you_mean(str(by), GROUPS)} "
            f"Choose one of {quoted(GROUPS)}."
        )


def product_catalogue(orders: ir.Table, order_lines: ir.Table) -> ir.Table:
    """List the products that were ever ordered, as their newest order line tells of them.

    A product is known by its product id, else by its SKU. Lines of cancelled
    orders tell of products, too. What was never ordered is not listed.

    Parameters
    ----------
    orders, order_lines
        The shop's tables (schemas `ORDERS` and `ORDER_LINES`) with their whole
        history.

    Returns
    -------
    Table
        One row per `product_id`: `product_sku` (null where it was sold under
        several), `product_category`, `product_brand`, `name`, `variant`.
    """
    lines = _dated(orders, order_lines)
    lines = lines.filter(_.product_id.notnull())
    product = ibis.window(group_by="product_id")
    newest = lines.mutate(
        place=_place(lines, "product_id"), first_sku=_.sku.min().over(product), last_sku=_.sku.max().over(product)
    ).filter(_.place == 0)
    return newest.select(
        "product_id",
        product_sku=(newest.first_sku == newest.last_sku).ifelse(newest.sku, ibis.null("string")),
        product_category=_.category,
        product_brand=_.brand,
        name=_.name,
        variant=_.variant,
    )


def named(rows: ir.Table, orders: ir.Table, order_lines: ir.Table, *, by: str) -> ir.Table:
    """Add `name`, what a reader calls the group: name and variant of its newest order line, else the id itself.

    Where several products share that name, the id stands behind it. Categories
    and brands are their own names.
    """
    if by in ("category", "brand"):
        return rows.mutate(name=rows[by])
    lines = _dated(orders, order_lines).filter(_[by].notnull())
    newest = lines.mutate(place=_place(lines, by)).filter(_.place == 0)
    spelled = newest.select(known=newest[by], spelled=ibis.coalesce(_.name + " (" + _.variant + ")", _.name))
    spelled = spelled.mutate(namesakes=spelled.count().over(ibis.window(group_by="spelled")))
    told = rows.left_join(spelled, rows[by] == spelled.known)
    name = ibis.ifelse(_.namesakes > 1, _.spelled + " [" + _[by] + "]", _.spelled)
    return told.mutate(name=ibis.coalesce(name, _[by])).drop("known", "spelled", "namesakes")


def grouped_by(table: ir.Table, catalogue: ir.Table, by: str) -> ir.Table:
    """Add `product`, the group that each row of `product_events` or `order_lines` belongs to.

    Category and brand are those of the catalogue, so that all events and lines
    of a product lie in one group; what was never ordered has the category of its
    event and no brand. The SKU is the row's own, else the only one that the
    product was sold under.
    """
    check_by(by)
    told = table.mutate(product_id=product_key(table))
    if by == "product_id":
        return told.mutate(product=_.product_id)
    known = catalogue.select("product_sku", "product_category", "product_brand", known_id="product_id")
    joined = told.left_join(known, told.product_id == known.known_id)
    of_group = {
        "sku": ibis.coalesce(joined.sku, joined.product_sku),
        "category": ibis.ifelse(joined.known_id.notnull(), joined.product_category, joined.category),
        "brand": joined.product_brand,
    }
    return joined.mutate(product=of_group[by]).drop("known_id", "product_sku", "product_category", "product_brand")


def sold_lines(orders: ir.Table, order_lines: ir.Table, *, by: str, as_of: datetime, period: Period | None) -> ir.Table:
    """Return the lines of the orders that count, with `product` and what is known of their order.

    Columns: `product`, `order_id`, `line_number`, `customer_id`, `session_id`,
    `ordered_at`, `quantity`, `line_revenue`.
    """
    lines = grouped_by(order_lines, product_catalogue(orders, order_lines), by)
    kept = kept_orders(orders, as_of)
    if period is not None:
        kept = kept.filter(period.holds(kept.ordered_at))
    about = kept.select("order_id", "customer_id", "session_id", "ordered_at")
    return lines.select("product", "order_id", "line_number", "quantity", "line_revenue").join(about, "order_id")


def events_of(
    product_events: ir.Table, catalogue: ir.Table, *, by: str, names: tuple[str, ...], span: Period, as_of: datetime
) -> ir.Table:
    """Return the product events of these names in a span and before `as_of`, with their `product`."""
    told = product_events.filter(
        _.event_name.isin(names), span.holds(product_events.occurred_at), _.occurred_at < as_of
    )
    return grouped_by(told, catalogue, by)


def product_key(table: ir.Table) -> ir.StringValue:
    """Return what a product is known by: its product id, else its SKU."""
    return ibis.coalesce(table.product_id, table.sku)


def _dated(orders: ir.Table, order_lines: ir.Table) -> ir.Table:
    told = order_lines.mutate(product_id=product_key(order_lines))
    return told.join(orders.select("order_id", "ordered_at"), "order_id")


def _place(lines: ir.Table, key: str) -> ir.IntegerValue:
    newest = ibis.window(group_by=key, order_by=[lines[name].desc() for name in _NEWEST_FIRST])
    return ibis.row_number().over(newest)
