"""Whether customers come back, and how soon."""

from datetime import datetime, timedelta

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.engines import local_day, local_month, whole_numbers
from ecomkit.errors import UsageError, quoted
from ecomkit.metrics.ratio import flag, share, unit_sums
from ecomkit.periods import local_date
from ecomkit.schemas import ORDERS, require

# Longest history that a cohort table spans: 83 years.
_MONTHS = 1000


def repeat_purchase_rate(
    orders: ir.Table, *, within_days: int, as_of: datetime, zone: str, by: str | None = "cohort_month"
) -> ir.Table:
    """Share of customers who ordered again, on a later local day, within so many days of their first order.

    A customer counts only once the whole window has passed by `as_of`, so a
    young cohort is never set beside one that had longer to come back. The
    window is `within_days` x 24 hours, its last instant included. A further
    order on the first local day is no repeat.

    Parameters
    ----------
    orders
        The shop's orders with their whole history (schema `ORDERS`). Cancelled
        orders and those of unknown guests are left out.
    within_days
        Length of the window in days of 24 hours.
    as_of
        The instant at which the data ends, exclusive.
    zone
        The shop's time zone.
    by
        `cohort_month` (local month of the first order), a column of `orders`
        as it was on the first order, or None for one row over all.

    Returns
    -------
    Table
        One row per `by`, in order: `customers`, `repeat_customers`,
        `same_day_only_customers` (a second order on the first day, none later
        in the window), `repeat_purchase_rate` (0 to 1, null without
        customers), and the sums of `cluster_sums`, each customer a cluster.
    """
    require(orders, ORDERS)
    if by not in (None, "cohort_month", *orders.columns):
        raise UsageError(
            f"'by' names '{by}', which the table lacks. Give 'cohort_month', None or one of {quoted(orders.columns)}."
        )
    keys = [by] if by else []
    bought = _customers_orders(orders, as_of)
    first_day = local_day(bought.first_order_at, zone)
    is_later = local_day(bought.ordered_at, zone) > first_day
    in_time = bought.ordered_at <= bought.first_order_at + ibis.interval(hours=24 * within_days)
    mature = bought.mutate(
        cohort_month=local_month(_.first_order_at, zone), is_later=is_later, is_repeat=is_later & in_time
    ).filter(_.first_order_at < as_of - timedelta(days=within_days))
    customers = mature.group_by("customer_id").aggregate(
        **{key: _[key].max(where=_.is_first) for key in keys},
        repeat_customers=flag(mature.is_repeat).max(),
        same_day_orders=_.order_id.nunique(where=~_.is_later),
    )
    customers = customers.mutate(
        same_day_only=flag((customers.repeat_customers == 0) & (customers.same_day_orders > 1)),
    )
    people, repeats = customers.count(), customers.repeat_customers.sum().coalesce(0)
    rows = customers.aggregate(
        by=keys,
        customers=people,
        repeat_customers=repeats,
        same_day_only_customers=customers.same_day_only.sum().coalesce(0),
        repeat_purchase_rate=share(repeats, people),
        **unit_sums(repeats, people),
    )
    return rows.order_by(keys) if keys else rows


def cohort_retention(orders: ir.Table, *, as_of: datetime, zone: str) -> ir.Table:
    """Share of each month's new customers who ordered in each later month.

    A cohort is named by the local month of the first order, and month 0 is that
    month. The rate is null for a month that is not over by `as_of`: a month cut
    short is not a low month.

    Parameters
    ----------
    orders
        The shop's orders with their whole history (schema `ORDERS`). Cancelled
        orders and those of unknown guests are left out.
    as_of
        The instant at which the data ends, exclusive.
    zone
        The shop's time zone.

    Returns
    -------
    Table
        One row per `cohort_month` and `months_since` up to the month of
        `as_of`, in order: `customers` (of the cohort), `active_customers` (with
        an order in that month, so far), `retention_rate` (0 to 1).
    """
    require(orders, ORDERS)
    today = local_date(as_of, zone)
    this_month = today.year * 12 + today.month
    bought = _customers_orders(orders, as_of).mutate(
        cohort_month=local_month(_.first_order_at, zone), order_month=local_month(_.ordered_at, zone)
    )
    active = bought.group_by(
        "cohort_month", months_since=_month_number(bought.order_month) - _month_number(bought.cohort_month)
    ).aggregate(active_customers=_.customer_id.nunique())
    cohorts = bought.group_by("cohort_month").aggregate(customers=_.customer_id.nunique())
    last_instant = local_date(as_of - timedelta(microseconds=1), zone)
    last_month = last_instant.year * 12 + last_instant.month
    cells = (
        cohorts.cross_join(whole_numbers(_MONTHS))
        .rename(months_since="number")
        .filter(_.months_since <= last_month - _month_number(_.cohort_month))
    )
    seen = active.rename(seen_month="cohort_month", seen_since="months_since")
    rows = cells.left_join(seen, [cells.cohort_month == seen.seen_month, cells.months_since == seen.seen_since]).select(
        "cohort_month", "months_since", "customers", active_customers=_.active_customers.coalesce(0)
    )
    is_over = _month_number(rows.cohort_month) + rows.months_since < this_month
    return rows.mutate(
        retention_rate=ibis.ifelse(is_over, share(rows.active_customers, rows.customers), ibis.null("float64"))
    ).order_by("cohort_month", "months_since")


def retention_curve(cells: ir.Table) -> ir.Table:
    """Share of all cohorts' customers who ordered in each month after that of their first order.

    Each month rests on the cohorts for which it is over, so later months rest
    on older cohorts alone.

    Parameters
    ----------
    cells
        One row per cohort and month, as `cohort_retention` returns it.

    Returns
    -------
    Table
        One row per `months_since`, in order: `customers` (of the cohorts for
        which the month is over), `active_customers`, `retention_rate` (0 to 1),
        and the sums of `cluster_sums`, each customer a cluster.
    """
    over = cells.filter(_.retention_rate.notnull())
    people, active = over.customers.sum(), over.active_customers.sum()
    return (
        over.group_by("months_since")
        .aggregate(
            customers=people,
            active_customers=active,
            retention_rate=share(active, people),
            **unit_sums(active, people),
        )
        .order_by("months_since")
    )


def _customers_orders(orders: ir.Table, as_of: datetime) -> ir.Table:
    """Orders of known customers, each with the customer's first: `first_order_at`, `is_first`."""
    bought = orders.filter(_.customer_id.notnull(), _.status != "cancelled", _.ordered_at < as_of)
    customer = ibis.window(group_by="customer_id", order_by=[bought.ordered_at, bought.order_id])
    return bought.mutate(
        first_order_at=_.ordered_at.min().over(ibis.window(group_by="customer_id")),
        is_first=ibis.row_number().over(customer) == 0,
    )


def _month_number(month: ir.DateValue) -> ir.IntegerValue:
    return month.year() * 12 + month.month()
