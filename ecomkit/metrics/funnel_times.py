"""How long people take from step to step, and which share has reached the end by when."""

from collections.abc import Sequence
from datetime import datetime

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.engines import epoch_ms, quantiles
from ecomkit.metrics.attempts import attempts, counted
from ecomkit.metrics.funnel_rules import Entry, FunnelRules, Order, Same, Unit, read_rules
from ecomkit.metrics.funnel_steps import StepLiteral
from ecomkit.metrics.ratio import flag
from ecomkit.periods import Period

_HOUR_MS = 3_600_000
_QUARTERS = {"lower_quartile": 0.25, "median": 0.5, "upper_quartile": 0.75}


def funnel_times(
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
    """Measure how long those who reached a step took to reach it.

    It stands on the attempts that `funnel` counts, with the same rules. Only
    those who got there have a time, and only within the window: a step that
    takes long seems faster than it is, and `funnel_curve` shows what is left
    out. An attempt that restarted begins with its own first step. Quartiles are
    exact; between two values they lie on the line that joins them.

    Parameters
    ----------
    events, steps, window_days, period, as_of, order, entry, unit, same
        As `funnel` takes them.

    Returns
    -------
    Table
        One row per step after the first, in order: `step_number`, `step`,
        `people` (or `sessions`) who reached it; in seconds since the attempt
        started `lower_quartile_seconds`, `median_seconds`, `upper_quartile_seconds`;
        and the same since the step before, `lower_quartile_seconds_between`,
        `median_seconds_between`, `upper_quartile_seconds_between`. With the order
        `any` a step may have come before the one before it: seconds between are
        then negative. Null where nobody reached the step.
    """
    asked = {"steps": steps, "window_days": window_days, "period": period, "as_of": as_of}
    rules = read_rules(events, **asked, order=order, entry=entry, unit=unit, same=same)
    chosen = counted(attempts(events, rules), rules)
    chosen = chosen.filter(chosen.is_mature)
    rows = [_times_to(chosen, rules, k) for k in range(2, rules.last + 1)]
    return ibis.union(*rows).order_by("step_number") if len(rows) > 1 else rows[0]


def _times_to(chosen: ir.Table, rules: FunnelRules, k: int) -> ir.Table:
    at = chosen[f"step_{k}_at"]
    timed = chosen.select(
        since_start=_seconds(chosen.started_at, at),
        between=_seconds(chosen[f"step_{k - 1}_at"], at),
        reached=flag(at.notnull()),
    )
    since = quantiles(timed, "since_start", {f"{name}_seconds": share for name, share in _QUARTERS.items()})
    between = quantiles(timed, "between", {f"{name}_seconds_between": share for name, share in _QUARTERS.items()})
    people = timed.aggregate(people=timed.reached.sum().coalesce(0))
    row = people.cross_join(since).cross_join(between)
    seconds = [name for name in row.columns if name != "people"]
    named = {"step_number": ibis.literal(k, "int64"), "step": ibis.literal(rules.steps[k - 1].label)}
    return row.select(**named, **{rules.counted: row.people}, **{name: row[name] for name in seconds})


def funnel_curve(
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
    """Estimate which share of those who start has reached the last step by each hour.

    It stands on the attempts that `funnel` counts, and on those of immature
    people: they are watched until `as_of` and then leave the estimate (Kaplan
    and Meier's), rather than count as people who never came. Without immature
    people it is the share of `funnel`, spread over time. What comes after the
    window is not seen.

    Parameters
    ----------
    events, steps, window_days, period, as_of, order, entry, unit, same
        As `funnel` takes them.

    Returns
    -------
    Table
        One row per whole hour in which somebody reached the last step, in
        order: `hours` since the attempt started (an end within the first hour
        is at 1), `reached` (people or sessions who did in that hour),
        `at_risk` (those watched up to the first of them who had not reached
        it before), `reached_share` (estimated, by the end of that hour, 0 to
        1), `variance` (Greenwood's, of that share). No rows where nobody did.
    """
    asked = {"steps": steps, "window_days": window_days, "period": period, "as_of": as_of}
    rules = read_rules(events, **asked, order=order, entry=entry, unit=unit, same=same)
    chosen = counted(attempts(events, rules), rules)
    ended = chosen[f"step_{rules.last}_at"]
    watched = ibis.ifelse(chosen.is_mature, ibis.null("int64"), epoch_ms(_instant(as_of)) - epoch_ms(chosen.started_at))
    spans = chosen.select(
        reached=flag(ended.notnull()),
        # A mature attempt is watched for its whole window, which is longer than any time to an end.
        milliseconds=ibis.ifelse(ended.notnull(), epoch_ms(ended) - epoch_ms(chosen.started_at), watched),
    )
    moments = spans.group_by("milliseconds").aggregate(ended=_.reached.sum(), gone=_.count())
    from_here = ibis.window(rows=(0, None), order_by=[flag(moments.milliseconds.isnull()), moments.milliseconds])
    risky = moments.mutate(at_risk=moments.gone.sum().over(from_here))
    risky = risky.filter(risky.ended > 0, risky.milliseconds.notnull())
    left = (risky.at_risk - risky.ended).cast("float64")
    terms = risky.mutate(
        # Nobody is left after the last of all.
        log_left=ibis.ifelse(left > 0, (ibis.ifelse(left > 0, left, 1.0) / risky.at_risk).ln(), 0.0),
        nobody_left=flag(left == 0),
        greenwood=ibis.ifelse(left > 0, risky.ended / (risky.at_risk * ibis.ifelse(left > 0, left, 1.0)), 0.0),
        hours=ibis.greatest((risky.milliseconds.cast("float64") / _HOUR_MS).ceil().cast("int64"), 1),
    )
    by_hour = terms.group_by("hours").aggregate(
        reached=_.ended.sum(),
        at_risk=_.at_risk.max(),
        log_left=_.log_left.sum(),
        nobody_left=_.nobody_left.max(),
        greenwood=_.greenwood.sum(),
    )
    so_far = ibis.window(rows=(None, 0), order_by=by_hour.hours)
    share_left = ibis.ifelse(
        by_hour.nobody_left.max().over(so_far) == 1, 0.0, by_hour.log_left.sum().over(so_far).exp()
    )
    return by_hour.select(
        "hours",
        "reached",
        "at_risk",
        reached_share=1.0 - share_left,
        variance=share_left * share_left * by_hour.greenwood.sum().over(so_far),
    ).order_by("hours")


def _seconds(start: ir.TimestampValue, end: ir.TimestampValue) -> ir.FloatingValue:
    return (epoch_ms(end) - epoch_ms(start)).cast("float64") / 1000


def _instant(moment: datetime) -> ir.TimestampScalar:
    return ibis.timestamp(moment).cast("timestamp('UTC')")
