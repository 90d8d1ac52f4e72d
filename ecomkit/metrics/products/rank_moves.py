"""Which products rose or fell by more than chance."""

from ecomkit.metrics.comparisons import compare_totals
from ecomkit.metrics.standouts import judged_together


def judge_ranks(frame, *, floor: int):
    """Say of each product whether its revenue moved by more than chance, so that its rank did.

    Of many products one moves far by chance, so the p-values are adjusted for
    their number (Benjamini and Hochberg).

    Parameters
    ----------
    frame
        What `metrics.product_ranks.product_ranks` returns.
    floor
        Fewest customers, in one of the two periods, for a verdict.

    Returns
    -------
    The frame with `adjusted_p_value` and `verdict`: `up`, `down`, `within
    noise`, or `cannot tell` under the floor.
    """
    parts = ("", "_clusters", "_squares")
    now, before = (
        frame[[f"{money}{part}" for part in parts]].set_axis([f"revenue{part}" for part in parts], axis=1)
        for money in ("revenue", "revenue_before")
    )
    found = [
        compare_totals(row, row_before, "revenue", min_group=floor)
        for row, row_before in zip(now.to_dict("records"), before.to_dict("records"), strict=True)
    ]
    adjusted, verdicts = judged_together(found)
    return frame.assign(adjusted_p_value=adjusted, verdict=verdicts)
