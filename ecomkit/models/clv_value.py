"""What the fitted CLV models say about a shop, as frames to read."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ecomkit.errors import NotEnoughDataError
from ecomkit.models.clv import NAMES, ClvModel, fit_clv
from ecomkit.words.numbers import decimal

# MBG/NBD first: it is the one that lets one-time buyers leave, so its numbers lead.
MODELS = ("mbg", "bg")
_STEPS = 6
_RELATED = 0.3
_NOBODY_LEAVES = 0.98
# Below this weight of one purchase day against the mean, customers are told apart by chance alone.
_ONE_DAY_TELLS = 0.05


def fit_both(summary: pd.DataFrame) -> tuple[list[ClvModel], str]:
    """Fit MBG/NBD and BG/NBD, each with Gamma-Gamma.

    Returns
    -------
    tuple
        The two models and an empty text; or no model and the reason.
    """
    try:
        return [fit_clv(summary, model=model) for model in MODELS], ""
    except NotEnoughDataError as error:
        return [], str(error)


def value_by_model(
    models: Sequence[ClvModel], *, horizon_days: int, yearly_discount_rate: float, margin: float
) -> pd.DataFrame:
    """Sum up what all customers are expected to bring within the horizon.

    Returns
    -------
    DataFrame
        One row per model: `model`, `customers`, `expected_orders` (purchase
        days, to the nearest), `clv`, `clv_undiscounted`, `clv_per_customer`.
    """
    columns = ["model", "customers", "expected_orders", "clv", "clv_undiscounted", "clv_per_customer"]
    rows = []
    for model in models:
        value = model.clv(horizon_days, yearly_discount_rate, margin)
        orders = round(value["expected_orders"].sum())
        sums = value["clv"].sum(), value["clv_undiscounted"].sum(), value["clv"].mean()
        rows.append((NAMES[model.model], len(value), orders, *sums))
    return pd.DataFrame(rows, columns=columns)


def value_path(
    models: Sequence[ClvModel], *, horizon_days: int, yearly_discount_rate: float, margin: float
) -> pd.DataFrame:
    """Follow the expected value of all customers through the horizon.

    Returns
    -------
    DataFrame
        One row per model and step: `model`, `days`, `clv` (discounted, so far).
    """
    steps = sorted({round(horizon_days * step / _STEPS) for step in range(1, _STEPS + 1)} - {0})
    rows = [
        (NAMES[model.model], days, model.clv(days, yearly_discount_rate, margin)["clv"].sum())
        for model in models
        for days in steps
    ]
    starts = [(NAMES[model.model], 0, 0.0) for model in models]
    return pd.DataFrame(sorted(starts + rows), columns=["model", "days", "clv"])


def holdout_by_frequency(
    holdout: pd.DataFrame, models: Sequence[ClvModel], *, days: int, most_repeats: int = 5
) -> pd.DataFrame:
    """Set the purchase days of a holdout beside those that models fitted before it expected.

    Parameters
    ----------
    holdout
        One row per customer, as `clv_holdout` returns it.
    models
        Fitted on those rows.
    days
        Length of the holdout.
    most_repeats
        Customers with more repeats in the calibration share the last row.

    Returns
    -------
    DataFrame
        One row per number of `repeats` in the calibration, the last one meaning
        `most_repeats` or more: `customers`, `actual`, `expected_mbg`,
        `expected_bg`: purchase days of all of them, to the nearest.
    """
    columns = ["repeats", "customers", "actual", *(f"expected_{model}" for model in MODELS)]
    if not models:
        return pd.DataFrame(columns=columns, dtype="int64")
    expected = {f"expected_{model.model}": model.expected_orders(days, holdout) for model in models}
    frame = holdout.assign(repeats=holdout["frequency"].clip(upper=most_repeats), customers=1, **expected)
    frame = frame.rename(columns={"frequency_holdout": "actual"})
    return frame.groupby("repeats", as_index=False)[columns[1:]].sum().round().astype("int64")


def value_by_tenth(
    models: Sequence[ClvModel], *, horizon_days: int, yearly_discount_rate: float, margin: float
) -> pd.DataFrame:
    """Split the expected value by tenths of customers, the most valuable tenth first.

    The first of `models` ranks and values. Customers of equal value are split
    between tenths by their id.

    Returns
    -------
    DataFrame
        One row per `tenth` (1 to 10): `customers`, `clv`, `clv_share`, and what
        the same customers have brought so far, `net_revenue` and
        `net_revenue_share` (shares are null where the total is 0).
    """
    columns = ["tenth", "customers", "clv", "clv_share", "net_revenue", "net_revenue_share"]
    if not models:
        return pd.DataFrame(columns=columns)
    value = models[0].clv(horizon_days, yearly_discount_rate, margin)["clv"]
    ranked = models[0].summary[["customer_id", "net_revenue"]].assign(clv=value)
    ranked = ranked.sort_values(["clv", "customer_id"], ascending=[False, True], ignore_index=True)
    ranked["tenth"] = np.arange(len(ranked)) * 10 // len(ranked) + 1
    tenths = ranked.groupby("tenth", as_index=False).agg(
        customers=("customer_id", "size"), clv=("clv", "sum"), net_revenue=("net_revenue", "sum")
    )
    for name in ("clv", "net_revenue"):
        total = tenths[name].sum()
        tenths[f"{name}_share"] = tenths[name] / total if total else np.nan
    return tenths[columns]


def limits(models: Sequence[ClvModel]) -> str:
    """Say what the data could not tell the models, and how far their assumptions hold."""
    if not models:
        return ""
    repeat_buyers = models[0].summary.query("frequency > 0 and monetary_value > 0")
    with np.errstate(invalid="ignore"):
        related = float(repeat_buyers["frequency"].corr(repeat_buyers["monetary_value"]))
    strength = "too strong to ignore" if abs(related) > _RELATED else "weak enough"
    sentences = [
        f"Among repeat buyers frequency and spend correlate at {decimal(related, 2)}, {strength} for Gamma-Gamma, "
        "which takes them as unrelated."
    ]
    p, q = models[0].params["p"], models[0].params["q"]
    if p / (p + q - 1) < _ONE_DAY_TELLS:
        sentences.append(
            "Customers hardly differ in what they spend, so that each is expected to spend about the mean."
        )
    if all(model.p_alive().mean() > _NOBODY_LEAVES for model in models):
        sentences.append("The models see nobody leave: the history is too short to tell a pause from a loss.")
    if any(model.is_held for model in models):
        sentences.append("A small penalty holds parameters that these data leave open.")
    return " ".join(sentences)
