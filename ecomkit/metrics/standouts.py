"""Which group differs from all the others, or from itself before, by more than chance."""

from collections.abc import Callable, Hashable, Sequence

from ecomkit.metrics.comparisons import Comparison, benjamini_hochberg, compare_rates, compare_totals
from ecomkit.metrics.limits import sums_prefix
from ecomkit.metrics.ratio import SUMS

# Among the groups that are said to stand out, at most this share is expected to be chance.
FALSE_FINDS = 0.05


def compare_with_rest(frame, rate: str, *, floor: int):
    """Compare the rate of each group with that of all other groups together.

    Of many groups one is far off by chance, so the p-values are adjusted for
    the number of groups (Benjamini and Hochberg).

    Parameters
    ----------
    frame
        One row per group with the sums of `cluster_sums`, bare or prefixed with the rate's name.
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
    prefix = sums_prefix(frame, rate)
    sums = frame[[prefix + name for name in SUMS]].set_axis(list(SUMS), axis="columns")
    totals = {name: sums[name].sum() for name in SUMS}
    rows = sums.to_dict("records")
    rests = [{name: totals[name] - row[name] for name in SUMS} for row in rows]
    found = [compare_rates(row, rest, rate, min_group=floor) for row, rest in zip(rows, rests, strict=True)]
    adjusted, verdicts = judged_together(found)
    return frame.assign(
        **{f"{rate}_of_rest": [one.before for one in found]}, adjusted_p_value=adjusted, verdict=verdicts
    )


def compare_groups(
    frame,
    before,
    value: str,
    *,
    by: str,
    floor: int,
    compare: Callable[..., Comparison] = compare_totals,
):
    """Compare each group with the same group before, or of others.

    Of many groups one moves far by chance, so the p-values are adjusted for the number of groups (Benjamini and
    Hochberg). A total that a group lacks on one side is zero there; a rate or a mean is not known.

    Parameters
    ----------
    frame, before
        One row per group each, with the sums that `compare` reads.
    value
        The number compared.
    by
        The column that names the group.
    floor
        Fewest clusters for a verdict, as `compare` counts them.
    compare
        `compare_totals`, `compare_means` or `compare_rates`.

    Returns
    -------
    One row per group, those of `frame` in order and then, of totals, those that are gone: the frame's columns,
    `<value>_before`, `change`, `adjusted_p_value` and `verdict`.
    """
    rows, rows_before = _by_group(frame, by), _by_group(before, by)
    is_total = compare is compare_totals
    # Who has nothing has no mean, and where a column is not known of others it is not of him.
    unknown = [name for name in frame.columns if f"{name}_numerator" in frame.columns or frame[name].isna().all()]
    nothing = dict.fromkeys(frame.columns, 0) | (dict.fromkeys(unknown) if len(frame) else {})
    if is_total:
        rows |= {group: nothing | {by: group} for group in rows_before if group not in rows}
    missing = nothing if is_total else None
    found = [compare(row, rows_before.get(group, missing), value, min_group=floor) for group, row in rows.items()]
    adjusted, verdicts = judged_together(found)
    return type(frame)(list(rows.values()), columns=frame.columns).assign(
        **{f"{value}_before": [one.before for one in found], "change": [one.value - one.before for one in found]},
        adjusted_p_value=adjusted,
        verdict=verdicts,
    )


def judged_together(found: Sequence[Comparison]) -> tuple[list[float], list[str]]:
    """Return p-values adjusted for the number of comparisons, and the verdicts that still hold."""
    judged = [one.p_value if one.verdict != "cannot tell" else float("nan") for one in found]
    adjusted = benjamini_hochberg(judged)
    verdicts = [
        one.verdict if one.verdict == "cannot tell" or p_value < FALSE_FINDS else "within noise"
        for one, p_value in zip(found, adjusted, strict=True)
    ]
    return adjusted, verdicts


def _by_group(frame, by: str) -> dict[Hashable, dict]:
    """Return rows by their group, the unknown one by None."""
    rows = frame.to_dict("records")
    return {None if row[by] != row[by] else row[by]: row for row in rows}
