"""What customers are expected to bring: orders by BG/NBD or MBG/NBD, spend by Gamma-Gamma.

The fits are those of lifetimes, on days; predictions are closed formulas that
stay finite for heavy buyers.
"""

import contextlib
import io
import warnings
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit, hyp2f1

from ecomkit.errors import NotEnoughDataError, UsageError, quoted

with warnings.catch_warnings():
    # The import changes the warning filters of the whole process and warns under pandas 3.
    warnings.simplefilter("ignore")
    from lifetimes import BetaGeoFitter, GammaGammaFitter, ModifiedBetaGeoFitter

# Fewer customers with a second purchase day than this and no parameter is worth printing.
MIN_REPEAT_BUYERS = 30
DAYS_PER_YEAR = 365.25

NAMES = {"bg": "BG/NBD", "mbg": "MBG/NBD"}
_FITTERS = {"bg": BetaGeoFitter, "mbg": ModifiedBetaGeoFitter}
# Logs of where a fit begins; the best of them counts. Time is scaled so that the longest T is 1.
_ORDER_STARTS = ([0.1, 0.1, 0.1, 0.1], [-1.0, -3.0, 0.0, 1.0], [0.0, -1.0, -1.0, 1.5])
_SPEND_STARTS = ([0.1, 0.1, 0.1], [1.5, 1.2, 0.0], [0.0, 1.5, 1.0])
# Where customers do not differ, or none drops out, a parameter grows without end and the likelihood no longer
# changes. Beyond this bound the fit is repeated with a penalty on squares, too small to move any other fit.
_RUNS_AWAY = 1e3
_PENALTY = 1e-9
# How closely a fit must settle; what some fits cannot do, a coarser tolerance lets pass. A fit that begins near its end
# has less far to go than rounding allows to see.
_TOLERANCES, _NEAR_TOLERANCES = (1e-8, 1e-6), (1e-7, 1e-5)
_STEP_DAYS = 7


@dataclass(frozen=True)
class ClvModel:
    """A fitted pair: how often customers order until they drop out, and what they spend.

    `params` holds r, alpha, a and b of the order model (alpha in days) and p, q
    and gamma of Gamma-Gamma (gamma in the shop's money); the log-likelihoods
    are on that scale. `summary` is the frame of the fit, one row per customer.
    `is_held` says that a small penalty had to keep parameters from growing
    without end: the data show no drop-out, or no difference between customers.
    """

    model: str
    params: dict[str, float]
    log_likelihood: float
    spend_log_likelihood: float
    summary: pd.DataFrame
    is_held: bool

    def p_alive(self, history: pd.DataFrame | None = None) -> pd.Series:
        """Return the chance that each customer has not dropped out, 1.0 for one-time buyers under BG/NBD.

        Parameters
        ----------
        history
            Rows of `frequency`, `recency` and `T`; those of the fit by default.
        """
        r, alpha, a, b = self._order_params()
        rows = self.summary if history is None else history
        x = rows["frequency"].to_numpy("float64")
        log_odds = np.log(b + x - self._first_is_safe(x)) - np.log(a)
        log_odds -= (r + x) * (np.log(alpha + rows["T"]) - np.log(alpha + rows["recency"])).to_numpy()
        alive = expit(log_odds)
        if self.model == "bg":
            alive = np.where(x == 0, 1.0, alive)
        return pd.Series(alive, index=rows.index, name="p_alive")

    def expected_orders(self, days: float, history: pd.DataFrame | None = None) -> pd.Series:
        """Return the purchase days that each customer is expected to add within `days`.

        A row of zeros stands for a customer on the day of the first order.

        Parameters
        ----------
        days
            Length of the span that begins after the last day observed.
        history
            Rows of `frequency`, `recency` and `T`; those of the fit by default.
        """
        rows = self.summary if history is None else history
        return self._orders_of_living(days, rows, self.p_alive(rows))

    def _orders_of_living(self, days: float, rows: pd.DataFrame, p_alive: pd.Series) -> pd.Series:
        r, alpha, a, b = self._order_params()
        safe = 1.0 if self.model == "bg" else 0.0
        c = a + b + rows["frequency"].to_numpy("float64") - safe
        share = days / (alpha + rows["T"].to_numpy("float64") + days)
        # Euler's transformation: the plain form overflows for heavy buyers.
        missed = (1 - share) ** (a - 1) * hyp2f1(a + b - safe - r, a - 1, c, share)
        return (c / (a - 1) * (1 - missed) * p_alive).rename("expected_orders")

    def expected_spend(self) -> pd.Series:
        """Return the expected net revenue of one purchase day of each customer.

        One-time buyers get the mean of all buyers; a customer whose refunds
        outweigh the orders counts as one who spends nothing.
        """
        p, q, gamma = (self.params[name] for name in ("p", "q", "gamma"))
        x = self.summary["frequency"]
        spent = self.summary["monetary_value"].clip(lower=0) * x
        return (p * (gamma + spent) / (p * x + q - 1)).rename("expected_spend")

    def clv(self, horizon_days: int, yearly_discount_rate: float, margin: float = 1.0) -> pd.DataFrame:
        """Return what each customer is expected to bring from `as_of` on: residual value, past spend not in it.

        Money is discounted from the middle of the week in which it is expected.

        Parameters
        ----------
        horizon_days
            Days to look ahead.
        yearly_discount_rate
            0.1 means that 1.10 in a year is worth 1.00 today.
        margin
            Share of net revenue that counts; 1.0 is revenue.

        Returns
        -------
        DataFrame
            One row per customer, in the order of the fit: `p_alive`,
            `expected_orders`, `expected_spend`, `clv`, `clv_undiscounted`.
        """
        ends = [*range(_STEP_DAYS, horizon_days, _STEP_DAYS), horizon_days]
        discounted = total = pd.Series(0.0, index=self.summary.index)
        begin, alive = 0, self.p_alive()
        for end in ends:
            by_now = self._orders_of_living(end, self.summary, alive)
            years = (begin + end) / 2 / DAYS_PER_YEAR
            discounted = discounted + (by_now - total) / (1 + yearly_discount_rate) ** years
            begin, total = end, by_now
        spend = self.expected_spend()
        return pd.DataFrame(
            {
                "p_alive": alive,
                "expected_orders": total,
                "expected_spend": spend,
                "clv": discounted * spend * margin,
                "clv_undiscounted": total * spend * margin,
            }
        )

    def _order_params(self) -> tuple[float, float, float, float]:
        return tuple(self.params[name] for name in ("r", "alpha", "a", "b"))

    def _first_is_safe(self, x: np.ndarray) -> np.ndarray | float:
        """Purchases after which a customer cannot drop out: the first, under BG/NBD."""
        return np.minimum(x, 1.0) if self.model == "bg" else 0.0


def fit_clv(summary: pd.DataFrame, *, model: str = "mbg", near: ClvModel | None = None) -> ClvModel:
    """Fit orders and spend to a frame of `clv_summary`.

    The order of the rows does not matter. The order model reads everyone;
    Gamma-Gamma reads repeat buyers with net revenue above zero.

    Parameters
    ----------
    summary
        One row per customer, as `clv_summary` returns it.
    model
        `bg` for BG/NBD, `mbg` for MBG/NBD, under which a customer may drop out
        after the first order too.
    near
        The same model of nearly the same customers, such as those of a week later: the fit begins where that one
        ended, which takes a fifth of the time and moves what it says by less than one in ten thousand.

    Raises
    ------
    NotEnoughDataError
        If repeat buyers are too few, no start converges or the mean spend does not exist.
    """
    if model not in _FITTERS:
        raise UsageError(f"'{model}' is not an order model. Choose one of {quoted(_FITTERS)}.")
    repeat_buyers = summary[(summary["frequency"] > 0) & (summary["monetary_value"] > 0)]
    if len(repeat_buyers) < MIN_REPEAT_BUYERS:
        raise NotEnoughDataError(
            f"A CLV model needs {MIN_REPEAT_BUYERS} customers who paid on a second day; there are "
            f"{len(repeat_buyers)}, among {len(summary)} in all. Choose a later week or a longer history."
        )
    orders, log_likelihood, orders_held = _fit_orders(summary, model, near)
    spend, spend_log_likelihood, spend_held = _fit_spend(repeat_buyers, near)
    params = orders | spend
    return ClvModel(model, params, log_likelihood, spend_log_likelihood, summary, orders_held or spend_held)


def _fit_orders(summary: pd.DataFrame, model: str, near: ClvModel | None) -> tuple[dict[str, float], float, bool]:
    histogram = summary.groupby(["frequency", "recency", "T"], sort=True).size().reset_index(name="customers")
    longest = float(histogram["T"].max())
    columns = [histogram["frequency"], histogram["recency"] / longest, histogram["T"] / longest, histogram["customers"]]
    begin = None
    if near is not None:
        r, alpha, a, b = near._order_params()
        begin = _Begin([r, alpha / longest, a, b], near.is_held)
    params, log_likelihood, is_held = _best_fit(
        _FITTERS[model], columns, _ORDER_STARTS, f"The {NAMES[model]} model", begin
    )
    r, alpha, a, b = params
    # The density of each repeat order scales with the unit of time.
    log_likelihood -= float(summary["frequency"].sum() * np.log(longest))
    return {"r": r, "alpha": alpha * longest, "a": a, "b": b}, log_likelihood, is_held


def _fit_spend(repeat_buyers: pd.DataFrame, near: ClvModel | None) -> tuple[dict[str, float], float, bool]:
    groups = repeat_buyers.groupby(["frequency", "monetary_value"], sort=True).size().reset_index(name="customers")
    mean = float(np.average(groups["monetary_value"], weights=groups["customers"]))
    columns = [groups["frequency"], groups["monetary_value"] / mean, groups["customers"]]
    begin = None
    if near is not None:
        begin = _Begin([near.params["p"], near.params["q"], near.params["gamma"] / mean], near.is_held)
    (p, q, gamma), log_likelihood, is_held = _best_fit(
        GammaGammaFitter, columns, _SPEND_STARTS, "The Gamma-Gamma model", begin
    )
    if q <= 1:
        raise NotEnoughDataError(
            f"The Gamma-Gamma model found q = {q:.3f}: at or below 1 the mean spend of a customer does not exist. "
            "A few very large orders do this; exclude them as test orders or judge the shop by realised value."
        )
    log_likelihood -= float(np.log(mean) * len(repeat_buyers))
    return {"p": p, "q": q, "gamma": gamma * mean}, log_likelihood, is_held


class _Begin(NamedTuple):
    """Parameters of a fit of nearly the same customers, and whether a penalty held them: then it holds these, too."""

    params: list[float]
    is_held: bool

    @property
    def penalty(self) -> float:
        return _PENALTY if self.is_held else 0.0


def _best_fit(
    fitter_class: type, columns: list[pd.Series], starts: tuple, name: str, begin: "_Begin | None"
) -> tuple[list[float], float, bool]:
    """Return parameters and log-likelihood of the likeliest fit, and whether a penalty had to hold them.

    The columns are scaled to about 1 and end with the number of customers. Parameters to begin with take the place
    of the starts; where they lead nowhere, the starts have their turn.
    """
    arrays = [column.to_numpy("float64") for column in columns]
    customers = arrays[-1].sum()
    rounds = [(0.0, starts, _TOLERANCES), (_PENALTY, starts, _TOLERANCES)]
    if begin is not None:
        rounds.insert(0, (begin.penalty, [np.log(begin.params)], _NEAR_TOLERANCES))
    for penalty, chosen, tolerances in rounds:
        fits = []
        for start in chosen:
            params = _converged(fitter_class(penalizer_coef=penalty), arrays, start, tolerances)
            if params is not None and params.max() < _RUNS_AWAY:
                loss = fitter_class._negative_log_likelihood(np.log(params), *arrays, 0.0)
                # Of fits that are equally likely the least extreme counts: along a ridge any other would be chance.
                fits.append((round(float(loss), 7), np.abs(np.log(params)).max(), params.tolist(), float(loss)))
        if fits:
            *_, params, loss = min(fits)
            return params, -loss * float(customers), penalty > 0
    raise NotEnoughDataError(
        f"{name} found no stable parameters for {customers:.0f} customers from {len(starts)} starts. "
        "Choose a later week or a longer history, or judge the shop by realised value."
    )


def _converged(
    fitter, arrays: list[np.ndarray], start: list[float], tolerances: tuple[float, ...]
) -> np.ndarray | None:
    """Return the parameters that a start leads to, or None."""
    for tolerance in tolerances:
        # A fit that fails prints its trace and warns; a coarser tolerance or another start may do.
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            with contextlib.suppress(ValueError, np.linalg.LinAlgError):
                params = fitter.fit(*arrays, initial_params=np.array(start), tol=tolerance).params_.to_numpy("float64")
                if np.isfinite(params).all() and params.min() > 0:
                    return params
    return None
