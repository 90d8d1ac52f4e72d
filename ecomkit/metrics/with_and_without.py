"""Whether a rate differs between those that have something and those that have not."""

from ecomkit.metrics.comparisons import compare_rates
from ecomkit.metrics.intervals import add_rate_interval
from ecomkit.metrics.ratio import SUMS
from ecomkit.metrics.standouts import judged_together


def compare_with_and_without(frame, rate: str, *, label: str, floor: int):
    """Compare, per thing that rows can have, the rate of those with it and of those without.

    The things overlap: a session may have used two of them. Of many things one
    goes with a rate by chance, so the p-values are adjusted for their number
    (Benjamini and Hochberg).

    Parameters
    ----------
    frame
        Two rows per thing with the sums of `cluster_sums`; `is_used` says which is of those with it.
    rate
        The rate's name.
    label
        The column that names the thing.
    floor
        Fewest clusters for a verdict, with and without.

    Returns
    -------
    The rows of those with it, with the intervals of `<rate>` and of
    `without_<rate>`, the rate of those without; `adjusted_p_value` and
    `verdict`: `up` or `down` against those without, `within noise`, or `cannot
    tell` where a side is under the floor.
    """
    told = add_rate_interval(frame, rate)
    rows = told[told["is_used"]].reset_index(drop=True)
    rests = told[~told["is_used"]].set_index(label).loc[list(rows[label])]
    columns = list(SUMS)
    pairs = zip(rows[columns].to_dict("records"), rests[columns].to_dict("records"), strict=True)
    found = [compare_rates(row, rest, rate, min_group=floor) for row, rest in pairs]
    adjusted, verdicts = judged_together(found)
    without = {f"without_{rate}{end}": list(rests[f"{rate}{end}"]) for end in ("", "_low", "_high")}
    return rows.assign(**without, adjusted_p_value=adjusted, verdict=verdicts)
