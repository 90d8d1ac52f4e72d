"""Which group differs from all the others by more than chance."""

from ecomkit.metrics.comparisons import benjamini_hochberg, compare_rates
from ecomkit.metrics.ratio import SUMS

# Among the groups that are said to stand out, at most this share is expected to be chance.
_FALSE_FINDS = 0.05


def compare_with_rest(frame, rate: str, *, floor: int):
    """Compare the rate of each group with that of all other groups together.

    Of many groups one is far off by chance, so the p-values are adjusted for
    the number of groups (Benjamini and Hochberg).

    Parameters
    ----------
    frame
        One row per group with the sums of `cluster_sums`.
    rate
        The rate's name.
    floor
        Fewest clusters for a verdict, in the group and in the rest.

    Returns
    -------
    The frame with `<rate>_of_rest`, `adjusted_p_value` and `verdict`: `up` or
    `down` against the rest, `within noise`, or `cannot tell` where a side is
    under the floor.
    """
    totals = {name: frame[name].sum() for name in SUMS}
    rows = frame[list(SUMS)].to_dict("records")
    rests = [{name: totals[name] - row[name] for name in SUMS} for row in rows]
    found = [compare_rates(row, rest, rate, min_group=floor) for row, rest in zip(rows, rests, strict=True)]
    judged = [one.p_value if one.verdict != "cannot tell" else float("nan") for one in found]
    adjusted = benjamini_hochberg(judged)
    verdicts = [
        one.verdict if one.verdict == "cannot tell" or p_value < _FALSE_FINDS else "within noise"
        for one, p_value in zip(found, adjusted, strict=True)
    ]
    return frame.assign(
        **{f"{rate}_of_rest": [one.before for one in found]}, adjusted_p_value=adjusted, verdict=verdicts
    )
