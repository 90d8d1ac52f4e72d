"""Sums per cluster, typed or drawn: what intervals and comparisons read."""

import numpy as np
from scipy import stats

from ecomkit.metrics.ratio import SUMS


def sums(x, y, prefix=""):
    """One row of cluster sums for arrays of each cluster's numerator and denominator."""
    values = (len(x), x.sum(), y.sum(), (x * x).sum(), (x * y).sum(), (y * y).sum())
    return {prefix + name: float(value) for name, value in zip(SUMS, values, strict=True)}


def poisson_limits(count):
    """The exact limits of a Poisson count, by the chi-squared distribution."""
    return stats.chi2.ppf(0.025, 2 * count) / 2, stats.chi2.ppf(0.975, 2 * count + 2) / 2


def units(hits, n):
    """Sums of n rows with so many hits, each row a cluster."""
    return sums(np.repeat([1.0, 0.0], [hits, n - hits]), np.ones(n))


def visitors(rng, people=250, rate=0.07):
    """Sessions with and without an order: some people come often, and some buy often."""
    sessions = 1.0 + rng.poisson(rng.gamma(0.7, 2.0, people))
    inclined = rng.beta(rate * 8, (1 - rate) * 8, people)
    return rng.binomial(sessions.astype(int), inclined).astype(float), sessions


def buyers(rng, people=120):
    """Revenue and orders per customer: dear customers buy dear each time, and a little more often."""
    taste = rng.lognormal(4.0, 0.5, rng.poisson(people))
    orders = 1.0 + rng.poisson(0.2 + 0.1 * (taste > 60))
    return taste * orders * rng.lognormal(0, 0.15, len(taste)), orders


def totals(rng, people):
    revenue, orders = buyers(rng, people)
    refunded = revenue * (rng.random(len(revenue)) < 0.1)
    row = {}
    for name, values in (("orders", orders), ("revenue", revenue), ("net_revenue", revenue - refunded)):
        row |= {name: values.sum(), f"{name}_clusters": np.count_nonzero(values), f"{name}_squares": (values**2).sum()}
    return row
