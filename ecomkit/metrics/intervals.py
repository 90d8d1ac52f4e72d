"""How sure a number is: from the sums that the metrics carry.

Every interval is a 95 % interval. People, not rows, are what varies: the sums
are per person, so that one keen visitor does not look like many.
"""

import numpy as np

from ecomkit.metrics.limits import cost_limits, floats, mean_limits, rate_limits, read_sums, read_total, total_limits


def add_rate_interval(frame, rate: str):
    """Add `<rate>_low` and `<rate>_high`, Wilson's limits on n / design effect.

    The design effect is how much wider the rate varies because one person has
    several rows; it is at least 1. With one row each it is 1, and the limits
    are Wilson's own.

    Parameters
    ----------
    frame
        Rows of a metric with its cluster sums, named as in `cluster_sums` or
        prefixed with the rate's name.
    rate
        The rate's name.
    """
    low, high = rate_limits(read_sums(frame, rate))
    return frame.assign(**{f"{rate}_low": low, f"{rate}_high": high})


def add_mean_interval(frame, mean: str):
    """Add `<mean>_low` and `<mean>_high`, by the delta method with the person as cluster.

    Null with fewer than two clusters.

    Parameters
    ----------
    frame
        Rows of a metric with its cluster sums, named as in `cluster_sums` or
        prefixed with the mean's name.
    mean
        The mean's name: a ratio of two totals such as `aov`.
    """
    low, high = mean_limits(read_sums(frame, mean))
    return frame.assign(**{f"{mean}_low": low, f"{mean}_high": high})


def add_total_interval(frame, total: str):
    """Add `<total>_low` and `<total>_high`, limits of a total that chance clusters add up to.

    The total is a sum over a Poisson number of clusters. Its gamma limits rest
    on the effective count, total squared / sum of squares; where every cluster
    adds 1, they are the exact Poisson limits. A sum whose clusters cancel out
    (effective count below 1) gets normal limits.

    Parameters
    ----------
    frame
        Rows of a metric with `<total>` and `<total>_squares`. A whole-number
        column without squares is a count of clusters that add 1 each.
    total
        The total's name.
    """
    values, squares, _clusters = read_total(frame, total)
    low, high = total_limits(values, squares)
    if f"{total}_squares" in frame:
        # Without a single cluster nothing shows how much one brings.
        high = np.where(squares > 0, high, np.nan)
    return frame.assign(**{f"{total}_low": low, f"{total}_high": high})


def add_cost_interval(frame, cost: str = "cac", *, spend: str = "spend", count: str = "new_customers"):
    """Add `<cost>_low` and `<cost>_high`: spend over the exact Poisson limits of the count.

    The spend is known; how many customers it brought is chance. The upper limit
    is infinite, shown as null, without customers.

    Parameters
    ----------
    frame
        Rows with the columns named below.
    cost
        The cost per head's name.
    spend, count
        The columns that it is the ratio of.
    """
    low, high = cost_limits(floats(frame[spend]), floats(frame[count]))
    return frame.assign(**{f"{cost}_low": low, f"{cost}_high": high})
