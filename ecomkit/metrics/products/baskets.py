"""Which products are bought together."""

from datetime import datetime

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.metrics.bookings import customer_or_order
from ecomkit.metrics.products.grouping import By, named, sold_lines
from ecomkit.metrics.ratio import flag, share
from ecomkit.periods import Period
from ecomkit.schemas import ORDER_LINES, ORDERS, require

# An order with more different products is a reseller's or an error, and would pair each with each.
MOST_PRODUCTS = 50


def product_pairs(
    orders: ir.Table, order_lines: ir.Table, *, by: By = "product_id", period: Period, as_of: datetime, min_group: int
) -> ir.Table:
    """Say how often two products are in one order, against how often chance would put them there.

    Lift is orders with both / the orders that would hold both if each product
    were in its share of all orders regardless of the other. Large baskets lift every pair and
    small ones none: `lift_of_all_pairs` is the lift of all pairs together, which
    a pair is to be held against. Pairs in fewer than `min_group` orders are not
    shown, but `pairs_possible` counts what was looked at. Orders of more than
    50 different products are left out.

    Parameters
    ----------
    orders, order_lines
        The shop's tables (schemas `ORDERS` and `ORDER_LINES`). Cancelled orders
        are left out.
    by
        `product_id`, `sku`, `category` or `brand`.
    period
        The days in which orders count.
    as_of
        The instant at which the data ends, exclusive.
    min_group
        Fewest orders with both for a pair to be shown.

    Returns
    -------
    Table
        One row per pair, most orders first: `first` and `second` (of `by`, in
        the alphabet's order), `first_name`, `second_name`,
        `orders_with_both`, `orders_with_first`, `orders_with_second`, `orders`
        (that count), `support_share` (both / orders), `second_given_first_rate`,
        `first_given_second_rate` (confidence, 0 to 1), `lift`,
        `lift_of_all_pairs`, `pairs_possible` (pairs of products with at least
        `min_group` orders each), `both_squares` (sum over customers of orders
        with both, squared).
    """
    require(orders, ORDERS)
    require(order_lines, ORDER_LINES)
    baskets = _baskets(orders, order_lines, by=by, period=period, as_of=as_of).filter(_.products <= MOST_PRODUCTS)
    sizes = baskets.group_by("product").aggregate(orders=_.count())
    totals = _totals(baskets, sizes, min_group)
    large = baskets.semi_join(sizes.filter(_.orders >= min_group), "product")
    of_customer = _pairs(large).group_by("first", "second", "cluster").aggregate(both=_.count())
    pairs = (
        of_customer.group_by("first", "second")
        .aggregate(orders_with_both=_.both.sum(), both_squares=(_.both * _.both).sum())
        .filter(_.orders_with_both >= min_group)
    )
    of_first = sizes.select(first="product", orders_with_first="orders")
    of_second = sizes.select(second="product", orders_with_second="orders")
    told = pairs.join(of_first, "first").join(of_second, "second").cross_join(totals)
    chance = told.orders_with_first.cast("float64") * told.orders_with_second
    rows = told.mutate(
        support_share=share(told.orders_with_both, told.orders),
        second_given_first_rate=share(told.orders_with_both, told.orders_with_first),
        first_given_second_rate=share(told.orders_with_both, told.orders_with_second),
        lift=share(told.orders_with_both * told.orders.cast("float64"), chance),
    )
    for place in ("first", "second"):
        rows = named(rows.rename(**{by: place}), orders, order_lines, by=by)
        rows = rows.rename(**{place: by, f"{place}_name": "name"})
    return rows.select(
        "first",
        "second",
        "first_name",
        "second_name",
        "orders_with_both",
        "orders_with_first",
        "orders_with_second",
        "orders",
        "support_share",
        "second_given_first_rate",
        "first_given_second_rate",
        "lift",
        "lift_of_all_pairs",
        "pairs_possible",
        "both_squares",
    ).order_by(_.orders_with_both.desc(), "first", "second")


def pairs_looked_at(
    orders: ir.Table, order_lines: ir.Table, *, by: By = "product_id", period: Period, as_of: datetime, min_group: int
) -> ir.Table:
    """Count the orders and pairs behind `product_pairs`, and those that it does not show.

    A pair was seen when at least one order holds both; it is hidden with fewer
    than `min_group` such orders. An order counts when a line of it names a
    product; it is too large with more than 50 different ones.

    Parameters
    ----------
    orders, order_lines
        The shop's tables (schemas `ORDERS` and `ORDER_LINES`). Cancelled orders
        are left out.
    by
        `product_id`, `sku`, `category` or `brand`.
    period
        The days in which orders count.
    as_of
        The instant at which the data ends, exclusive.
    min_group
        Fewest orders with both for a pair to be shown.

    Returns
    -------
    Table
        One row: `orders` (that count), `orders_of_several` (with two or more
        different products), `orders_too_large` (left out of both),
        `pairs_seen`, `pairs_shown`, `pairs_hidden`.
    """
    require(orders, ORDERS)
    require(order_lines, ORDER_LINES)
    baskets = _baskets(orders, order_lines, by=by, period=period, as_of=as_of)
    sizes = baskets.group_by("order_id").aggregate(products=_.products.max())
    is_too_large = sizes.products > MOST_PRODUCTS
    counted = sizes.aggregate(
        orders=flag(~is_too_large).sum().coalesce(0),
        orders_of_several=flag((sizes.products > 1) & ~is_too_large).sum().coalesce(0),
        orders_too_large=flag(is_too_large).sum().coalesce(0),
    )
    pairs = _pairs(baskets.filter(_.products <= MOST_PRODUCTS)).group_by("first", "second").aggregate(both=_.count())
    found = pairs.aggregate(
        pairs_seen=pairs.count(),
        pairs_shown=pairs.count(where=pairs.both >= min_group),
        pairs_hidden=pairs.count(where=pairs.both < min_group),
    )
    return counted.cross_join(found)


def _pairs(baskets: ir.Table) -> ir.Table:
    """Return one row per order and pair of products in it: `order_id`, `cluster`, `first`, `second`."""
    left = baskets.select("order_id", "cluster", first="product")
    right = baskets.select("order_id", second="product")
    return left.join(right, ["order_id", left.first < right.second])


def _baskets(orders: ir.Table, order_lines: ir.Table, *, by: str, period: Period, as_of: datetime) -> ir.Table:
    """Return one row per order and product in it: `order_id`, `product`, `cluster`, `products` (of the order)."""
    sold = sold_lines(orders, order_lines, by=by, as_of=as_of, period=period).filter(_.product.notnull())
    distinct = sold.select("order_id", "product", cluster=customer_or_order(sold)).distinct()
    return distinct.mutate(products=distinct.count().over(ibis.window(group_by="order_id")))


def _totals(baskets: ir.Table, sizes: ir.Table, min_group: int) -> ir.Table:
    """Return one row: `orders`, `pairs_possible` and `lift_of_all_pairs`, pairs there are / pairs by chance."""
    per_order = (
        baskets.group_by("order_id")
        .aggregate(products=_.count())
        .aggregate(orders=_.count(), pairs=(_.products * (_.products - 1)).cast("float64").sum())
    )
    squares = sizes.aggregate(
        lines=_.orders.cast("float64").sum(),
        squares=(_.orders.cast("float64") * _.orders).sum(),
        large=flag(_.orders >= min_group).sum(),
    )
    told = per_order.cross_join(squares)
    by_chance = (told.lines * told.lines - told.squares) / told.orders.cast("float64").nullif(ibis.literal(0.0))
    return told.select(
        "orders",
        pairs_possible=(_.large * (_.large - 1) / 2).cast("int64"),
        lift_of_all_pairs=share(told.pairs, by_chance),
    )
