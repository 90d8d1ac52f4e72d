"""A week's numbers in one table: beside the week before and the same week a year before, each with its verdict."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import pandas as pd

from ecomkit.frames import observed, row_of_week
from ecomkit.metrics.comparisons import Comparison, compare_means, compare_rates, compare_totals
from ecomkit.metrics.standouts import judged_together
from ecomkit.periods import Period
from ecomkit.shop import Shop
from ecomkit.tables import Readable, spelled
from ecomkit.words import Cell, count, decimal, interval, money, percent

# Each number, what compares it, and among which weeks it stands.
NUMBERS: Sequence[tuple[str, Callable[..., Comparison], str]] = (
    ("net_revenue", compare_totals, "sales"),
    ("orders", compare_totals, "sales"),
    ("customers", compare_totals, "sales"),
    ("new_customers", compare_totals, "buyers"),
    ("returning_customers", compare_totals, "buyers"),
    ("aov", compare_means, "sales"),
    ("units_per_order", compare_means, "sizes"),
    ("discount_share", compare_means, "sales"),
    ("refund_share", compare_means, "sales"),
    ("visit_to_order_rate", compare_rates, "rates"),
)
_SPELLED = {"aov": "AOV", "visit_to_order_rate": "visit-to-order rate"}


def shows(period: Period, instant):
    """Say whether an instant, or each of a column, lies in a week that the table shows: no other visits are needed."""
    return period.before().until(period).holds(instant) | period.year_before().holds(instant)


def of_week(
    shop: Shop,
    period: Period,
    weeks: Mapping[str, pd.DataFrame],
    *,
    min_group: int,
    across: Sequence[str] = (),
) -> Readable:
    """Return a table for readers, one row per number.

    Of a dozen numbers one moves by chance now and then, so the verdicts of each column hold for all of its rows at
    once (Benjamini and Hochberg).

    Parameters
    ----------
    weeks
        One row per week each: `sales` and `sizes`, `rates` and `buyers`, as `metrics.sales.sales`,
        `metrics.order_sizes.units_per_order`, `metrics.visits.visit_to_order_rate` and
        `metrics.customers.new_and_returning` return them.
    shop, period
        The shop and the week. A week that began before the shop's data was not observed.
    min_group
        Fewest people for a verdict.
    across
        Breaks in tracking that lie in the week or the one before, in words.
    """
    currency = shop.currency
    asked = [(name, compare, observed(weeks[of], shop.first_day)) for name, compare, of in NUMBERS]
    columns = {"number": [], "this week": [], "95 % interval": []}
    columns |= {f"{when}{part}": [] for when in ("week before", "year before") for part in ("", ": verdict")}
    for when, other in (("week before", period.before()), ("year before", period.year_before())):
        found = [
            compare(row_of_week(frame, period), row_of_week(frame, other), name, min_group=min_group, across=across)
            for name, compare, frame in asked
        ]
        _adjusted, verdicts = judged_together(found)
        columns[f"{when}: verdict"] = verdicts
        columns[when] = [
            Cell(_form(name, frame, currency)(one.before), one.before)
            for (name, _compare, frame), one in zip(asked, found, strict=True)
        ]
    for (name, _compare, frame), one in zip(asked, found, strict=True):
        form = _form(name, frame, currency)
        columns["number"].append(_SPELLED.get(name, name.replace("_", " ")))
        columns["this week"].append(Cell(form(one.value), one.value))
        # A share of money is never below nothing, whatever its interval's formula says.
        low = max(one.low, 0.0) if name.endswith("_share") else one.low
        columns["95 % interval"].append(Cell(interval(low, one.high, form), low, one.high))
    return spelled(columns)


def _form(name: str, frame: pd.DataFrame, currency: str) -> Callable[[float], str]:
    """Return what writes a number: a rate, a count, money, or plain with two digits."""
    if name.endswith(("_rate", "_share")):
        return percent
    if name.endswith("_per_order"):
        return partial(decimal, digits=2)
    if pd.api.types.is_integer_dtype(frame[name]):
        return count
    return partial(money, currency=currency)
