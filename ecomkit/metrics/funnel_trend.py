"""The funnel week by week."""

from collections.abc import Sequence
from datetime import datetime

import ibis
import ibis.expr.types as ir

from ecomkit.engines import local_week
from ecomkit.metrics.attempts import attempts, counted
from ecomkit.metrics.funnel import step_rows
from ecomkit.metrics.funnel_rules import Entry, Order, Same, Unit, read_rules
from ecomkit.metrics.funnel_steps import StepLiteral
from ecomkit.metrics.ratio import flag
from ecomkit.periods import Period


def funnel_trend(
    events: ir.Table,
    *,
    steps: Sequence[StepLiteral],
    window_days: float | None,
    period: Period,
    as_of: datetime,
    order: Order = "ordered",
    entry: Entry = "restart",
    unit: Unit = "person",
    same: Same | None = None,
) -> ir.Table:
    """Count the funnel of each week in which attempts start.

    The rules are those of `funnel`, with each local week as a period of its
    own: a person who starts in two weeks counts in both, with the best attempt
    of each. A week of which an attempt is still too young is not whole; its
    people are those who started early in it.

    Parameters
    ----------
    events, steps, window_days, period, as_of, order, entry, unit, same
        As `funnel` takes them; `period` is best made of whole weeks.

    Returns
    -------
    Table
        One row per week with a start and step, in order: `week` (its Monday),
        then the columns of `funnel`: `step_number`, `step`, `people` (or
        `sessions`), `step_rate`, `overall_rate`, `immature`, and the sums; and
        `is_mature` (1 where nobody of the week is immature, else 0).
    """
    asked = {"steps": steps, "window_days": window_days, "period": period, "as_of": as_of}
    rules = read_rules(events, **asked, order=order, entry=entry, unit=unit, same=same)
    tried = attempts(events, rules)
    tried = tried.mutate(week=local_week(tried.started_at, period.zone))
    chosen = counted(tried, rules, per=("week", "unit"))
    chosen = chosen.mutate(depth=ibis.ifelse(chosen.is_mature, chosen.depth, 0))
    rows = step_rows(chosen, rules, by=["week"])
    return rows.mutate(is_mature=flag(rows.immature == 0))
