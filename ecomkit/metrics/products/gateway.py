"""Which first products bring customers back."""

from datetime import datetime, timedelta

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.engines import local_day, local_month
from ecomkit.metrics.acquisition import new_customers
from ecomkit.metrics.products.grouping import By, grouped_by, named, product_catalogue
from ecomkit.metrics.ratio import flag, share, unit_sums
from ecomkit.metrics.sales import net_revenue
from ecomkit.periods import all_days
from ecomkit.schemas import ORDER_LINES, ORDERS, REFUNDS, SESSIONS, require

_STRATUM, _OUTCOMES = ("channel", "cohort_month"), ("repeats", "later_value")


def gateway_products(
    orders: ir.Table,
    order_lines: ir.Table,
    refunds: ir.Table,
    sessions: ir.Table,
    *,
    by: By = "product_id",
    within_days: int,
    as_of: datetime,
    zone: str,
) -> ir.Table:
    """Hold the customers whose first order had a product against other new customers of the same channel and month.

    Repeat rate: an order on a later local day within `within_days` x 24 hours of
    the first, as in `repeat_purchase_rate`. Value: net revenue of the orders in
    that window, with the refunds known by `as_of`; later value: of those on later
    days alone, since a dear first product makes a dear first order. Only
    customers whose window has passed count. The differences are Mantel and
    Haenszel's over strata of credited channel and month of the first order, their
    errors those of shuffling the product among the customers of a stratum.

    Parameters
    ----------
    orders, order_lines, refunds, sessions
        The shop's tables (schemas `ORDERS`, `ORDER_LINES`, `REFUNDS`,
        `SESSIONS`) with their whole history. Cancelled orders and those of
        unknown guests are left out.
    by
        `product_id`, `sku`, `category` or `brand`.
    within_days
        Length of the window in days of 24 hours.
    as_of
        The instant at which the data ends, exclusive.
    zone
        The shop's time zone.

    Returns
    -------
    Table
        One row per `by` of a first order, most customers first: `by`'s column,
        `name`, `customers` (a customer counts for each first product),
        `repeat_customers`, `repeat_purchase_rate`, `expected_repeat_rate` (of all
        new customers, in the product's mix of channel and month),
        `repeat_rate_difference` and `repeat_rate_difference_error` (against
        those without it; null where no stratum holds both),
        `value_per_customer`, `later_value_per_customer`,
        `expected_later_value_per_customer`, `later_value_difference`,
        `later_value_difference_error`, `customers_compared` (in strata that hold
        both), and the sums of `cluster_sums` for `repeat_purchase_rate`, each customer
        a cluster. Money in the shop's currency.
    """
    require(order_lines, ORDER_LINES)
    customers = _mature_customers(orders, refunds, sessions, within_days=within_days, as_of=as_of, zone=zone)
    lines = grouped_by(order_lines, product_catalogue(orders, order_lines), by).filter(_.product.notnull())
    firsts = lines.select("product", "order_id").distinct()
    holders = customers.join(firsts, customers.first_order_id == firsts.order_id)
    strata = customers.group_by(*_STRATUM).aggregate(
        n=_.count().cast("float64"),
        **{f"{name}_all": _[name].sum() for name in _OUTCOMES},
        **{f"{name}_squares": (_[name] * _[name]).sum() for name in _OUTCOMES},
    )
    with_it = holders.group_by("product", *_STRATUM).aggregate(
        n_with=_.count(), value=_.value.sum(), **{f"{name}_with": _[name].sum() for name in _OUTCOMES}
    )
    cells = with_it.join(strata, list(_STRATUM)).mutate(n_without=_.n - _.n_with)
    cells = cells.mutate(weight=cells.n_with * cells.n_without / cells.n)
    rows = cells.group_by("product").aggregate(
        customers=cells.n_with.sum(),
        repeat_customers=cells.repeats_with.sum().cast("int64"),
        repeat_purchase_rate=share(cells.repeats_with.sum(), cells.n_with.sum()),
        **_difference(cells, "repeats", expected="expected_repeat_rate", difference="repeat_rate_difference"),
        value_per_customer=share(cells.value.sum(), cells.n_with.sum()),
        later_value_per_customer=share(cells.later_value_with.sum(), cells.n_with.sum()),
        **_difference(
            cells,
            "later_value",
            expected="expected_later_value_per_customer",
            difference="later_value_difference",
        ),
        customers_compared=cells.n_with.sum(where=cells.n_without > 0).coalesce(0),
        **unit_sums(cells.repeats_with.sum().cast("int64"), cells.n_with.sum()),
    )
    rows = named(rows.rename(**{by: "product"}), orders, order_lines, by=by)
    return rows.relocate(by, "name").order_by(_.customers.desc(), by)


def _mature_customers(
    orders: ir.Table, refunds: ir.Table, sessions: ir.Table, *, within_days: int, as_of: datetime, zone: str
) -> ir.Table:
    """Return one row per customer whose window has passed: stratum, first order, `repeats` (0 or 1), values."""
    require(orders, ORDERS)
    require(refunds, REFUNDS)
    require(sessions, SESSIONS)
    bought = orders.filter(_.customer_id.notnull(), _.status != "cancelled", _.ordered_at < as_of)
    earned = net_revenue(orders, refunds, as_of=as_of, view="order").select("order_id", "net_revenue")
    customer = ibis.window(group_by="customer_id", order_by=[bought.ordered_at, bought.order_id])
    bought = bought.mutate(
        first_order_at=_.ordered_at.min().over(ibis.window(group_by="customer_id")),
        is_first=ibis.row_number().over(customer) == 0,
    )
    mature = bought.filter(_.first_order_at < as_of - timedelta(days=within_days)).join(earned, "order_id")
    in_time = mature.ordered_at <= mature.first_order_at + ibis.interval(hours=24 * within_days)
    is_later = local_day(mature.ordered_at, zone) > local_day(mature.first_order_at, zone)
    money = mature.net_revenue.cast("float64")
    customers = mature.group_by("customer_id").aggregate(
        first_order_at=_.first_order_at.min(),
        first_order_id=_.order_id.max(where=_.is_first),
        repeats=flag(is_later & in_time).max().cast("float64"),
        value=money.sum(where=in_time).coalesce(0.0),
        later_value=money.sum(where=in_time & is_later).coalesce(0.0),
    )
    won = new_customers(orders, sessions, period=all_days(zone), look_back_days=0)
    credited = customers.left_join(won.select("customer_id", "channel"), "customer_id")
    return credited.select(
        "first_order_id",
        "repeats",
        "value",
        "later_value",
        channel=_.channel.coalesce("Unknown"),
        cohort_month=local_month(credited.first_order_at, zone),
    )


def _difference(cells: ir.Table, outcome: str, *, expected: str, difference: str) -> dict[str, ir.Value]:
    """Return what the strata lead to expect, and Mantel and Haenszel's difference with its error.

    The variance is that of a sum drawn without replacement within each stratum.
    """
    mean = cells[f"{outcome}_all"] / cells.n
    by_chance = cells.n_with * mean
    spread = (cells[f"{outcome}_squares"] - mean * cells[f"{outcome}_all"]) / (cells.n - 1).nullif(0.0)
    score, weight = (cells[f"{outcome}_with"] - by_chance).sum(), cells.weight.sum().nullif(0.0)
    variance = ibis.greatest((cells.weight * spread).sum(), 0.0)
    return {
        expected: share(by_chance.sum(), cells.n_with.sum()),
        difference: score / weight,
        f"{difference}_error": variance.sqrt() / weight,
    }
