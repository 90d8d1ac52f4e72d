"""What new customers bring within a horizon, earned and expected, against what they cost."""

import numpy as np
import pandas as pd

from ecomkit.errors import NotEnoughDataError
from ecomkit.metrics.intervals import add_total_interval
from ecomkit.models.clv import DAYS_PER_YEAR, fit_clv


def lifetime_values(
    contributions: pd.DataFrame, summary: pd.DataFrame, *, yearly_discount_rate: float, margin: float
) -> pd.DataFrame:
    """Add to what each customer has brought what he is expected to bring in the rest of his horizon.

    The rest is expected by MBG/NBD and Gamma-Gamma, and discounted from its
    middle. Where too few customers came back to fit them, nothing is expected:
    `expected` is null, and the value is what was earned.

    Parameters
    ----------
    contributions
        One row per new customer, as `contribution_so_far` returns it.
    summary
        One row per customer of the shop, as `clv_summary` returns it.
    yearly_discount_rate
        0.1 means that 1.10 in a year is worth 1.00 today.
    margin
        Share of net revenue that counts; 1.0 is revenue.

    Returns
    -------
    DataFrame
        The rows of `contributions` with `expected` and `lifetime_value`.
    """
    try:
        model = fit_clv(summary)
    except NotEnoughDataError:
        return contributions.assign(expected=np.nan, lifetime_value=contributions["realised"])
    days_left = summary["customer_id"].map(contributions.set_index("customer_id")["days_left"]).fillna(0.0)
    orders = model.expected_orders(days_left.to_numpy("float64"))
    discount = (1 + yearly_discount_rate) ** (-days_left / 2 / DAYS_PER_YEAR)
    by_customer = pd.Series((orders * model.expected_spend() * discount * margin).to_numpy(), summary["customer_id"])
    expected = contributions["customer_id"].map(by_customer).astype("float64")
    return contributions.assign(expected=expected, lifetime_value=contributions["realised"] + expected)


def lifetime_value_to_cac(values: pd.DataFrame, costs: pd.DataFrame) -> pd.DataFrame:
    """Set what the customers of each channel bring against what the channel spent.

    The interval tells how far chance moves the multiple, in how many customers
    came and in what each of them brings; the spend is known. That the model may
    be wrong is not in it.

    Parameters
    ----------
    values
        One row per new customer, as `lifetime_values` returns it.
    costs
        One row per channel of the same period, as `cac` returns it.

    Returns
    -------
    DataFrame
        One row per channel of `costs`: `channel`, `customers`, `spend`, `cac`,
        `realised_per_customer`, `expected_per_customer`,
        `lifetime_value_per_customer` (all null without customers), `ltv_to_cac`
        (0 for spend that brought nobody, null without spend or where nobody is
        known to be new) with `ltv_to_cac_low` and `ltv_to_cac_high`.
    """
    totals = (
        values.assign(lifetime_value_squares=values["lifetime_value"] ** 2)
        .groupby("channel", sort=True)
        .agg(
            lifetime_value_clusters=("customer_id", "size"),
            realised=("realised", "sum"),
            expected=("expected", lambda money: money.sum(min_count=1)),
            lifetime_value=("lifetime_value", "sum"),
            lifetime_value_squares=("lifetime_value_squares", "sum"),
        )
    )
    rows = costs[["channel", "spend", "cac", "spend_without_customers"]].merge(
        totals.reset_index(), on="channel", how="left"
    )
    known = rows.fillna({name: 0.0 for name in totals.columns if name != "expected"})
    known = add_total_interval(known, "lifetime_value")
    customers = known["lifetime_value_clusters"].replace(0, np.nan)
    is_judged = customers.notna() | known["spend_without_customers"]
    spend = known["spend"].replace(0, np.nan).where(is_judged)
    return pd.DataFrame(
        {
            "channel": known["channel"],
            "customers": known["lifetime_value_clusters"].astype("int64"),
            "spend": known["spend"],
            "cac": known["cac"],
            "realised_per_customer": known["realised"] / customers,
            "expected_per_customer": known["expected"] / customers,
            "lifetime_value_per_customer": known["lifetime_value"] / customers,
            "ltv_to_cac": known["lifetime_value"] / spend,
            "ltv_to_cac_low": known["lifetime_value_low"] / spend,
            "ltv_to_cac_high": known["lifetime_value_high"] / spend,
        }
    )
