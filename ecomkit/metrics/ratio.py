"""Sums per cluster: all that an interval needs to know of a table, made on the engine."""

from collections.abc import Sequence
from itertools import combinations_with_replacement

import ibis
import ibis.expr.types as ir
from ibis import _

# What an interval for a ratio reads, per group.
SUMS = ("clusters", "numerator", "denominator", "numerator_squares", "products", "denominator_squares")


def cluster_sums(
    table: ir.Table, *, numerator: str, denominator: str, cluster: str, by: Sequence[str] = ()
) -> ir.Table:
    """Sum up what the clusters (mostly persons) contribute to a ratio, with squares and products.

    Rows of one cluster depend on each other: a person's sessions are alike. So
    the variance of a ratio comes from the totals of each cluster. A cluster
    that is null counts as one of its own kind; name the guests before.

    Parameters
    ----------
    table
        Rows with the columns named below.
    numerator, denominator
        Columns to be summed; null counts as nothing.
    cluster
        Column that says which rows belong together.
    by
        Columns that name the groups; none for one row over all.

    Returns
    -------
    Table
        One row per group: `by`, `clusters`, `numerator`, `denominator`,
        `numerator_squares`, `products`, `denominator_squares`.
    """
    totals = table.group_by(*by, cluster).aggregate(
        numerator=_[numerator].sum().coalesce(0), denominator=_[denominator].sum().coalesce(0)
    )
    return totals.aggregate(by=list(by), **ratio_sums(totals, "numerator", "denominator"))


def ratio_sums(totals: ir.Table, numerator: str, denominator: str, *, prefix: str = "") -> dict[str, ir.Value]:
    """Return the sums for numerator / denominator over a table with one row per cluster.

    Clusters with neither numerator nor denominator do not count.
    """
    x, y = totals[numerator].cast("float64"), totals[denominator].cast("float64")
    sums = {
        "clusters": totals.count(where=(x != 0) | (y != 0)),
        "numerator": totals[numerator].sum(),
        "denominator": totals[denominator].sum(),
        "numerator_squares": (x * x).sum(),
        "products": (x * y).sum(),
        "denominator_squares": (y * y).sum(),
    }
    return {prefix + name: value.coalesce(0) for name, value in sums.items()}


def total_sums(totals: ir.Table, total: str) -> dict[str, ir.Value]:
    """Return `<total>_clusters` and `<total>_squares` over a table with one row per cluster."""
    x = totals[total].cast("float64")
    return {f"{total}_clusters": totals.count(where=x != 0), f"{total}_squares": (x * x).sum().coalesce(0.0)}


def product_sums(totals: ir.Table, names: Sequence[str]) -> dict[str, ir.Value]:
    """Return the sums of squares and products of several totals, over a table with one row per cluster.

    Named `<total>_squares` and `<total>_<later total>_products`: what the variance of anything that is made of
    these totals needs.
    """
    values = {name: totals[name].cast("float64") for name in names}
    return {product_name(a, b): (values[a] * values[b]).sum().coalesce(0.0) for a, b in pairs_of(names)}


def product_sums_before(totals: ir.Table, names: Sequence[str]) -> dict[str, ir.Value]:
    """Return the sums of products of totals with the same cluster's totals in the span before.

    Named `<total>_<total before>_before_products`: how far the same people make both spans alike. `totals` has
    `<total>_before` beside each total.
    """
    return {
        product_name_before(a, b): (totals[a].cast("float64") * totals[f"{b}_before"].cast("float64")).sum()
        for a in names
        for b in names
    }


def product_name_before(a: str, b: str) -> str:
    """Return the column that sums up the products of a total with one of the span before."""
    return f"{a}_{b}_before_products"


def pairs_of(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return each pair of names once, in their order, each name with itself too."""
    return list(combinations_with_replacement(names, 2))


def product_name(a: str, b: str) -> str:
    """Return the column that sums up the products of two totals over the clusters."""
    return f"{a}_squares" if a == b else f"{a}_{b}_products"


def unit_sums(hits: ir.IntegerValue, units: ir.IntegerValue, *, prefix: str = "") -> dict[str, ir.Value]:
    """Return the sums for hits / units where each unit is a cluster of its own: no design effect."""
    values = (units, hits, units, hits.cast("float64"), hits.cast("float64"), units.cast("float64"))
    return {prefix + name: value for name, value in zip(SUMS, values, strict=True)}


def flag(condition: ir.BooleanValue) -> ir.IntegerValue:
    """Return 1 where a condition holds, else 0, also where it is null."""
    return condition.ifelse(ibis.literal(1, "int64"), ibis.literal(0, "int64"))


def share(numerator: ir.NumericValue, denominator: ir.NumericValue) -> ir.FloatingValue:
    """Return numerator / denominator, null where there is no denominator."""
    return numerator.cast("float64") / denominator.cast("float64").nullif(ibis.literal(0.0))
