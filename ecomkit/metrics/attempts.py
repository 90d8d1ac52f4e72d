"""Attempts at a funnel: which steps each start reached, and the one attempt of each person that counts."""

from collections.abc import Sequence
from datetime import timedelta
from functools import reduce
from operator import or_

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.engines import join_key, with_next
from ecomkit.metrics.funnel_rules import FunnelRules
from ecomkit.metrics.ratio import flag

# A session is over when this much time has passed without a call of it.
_SESSION_GAP = timedelta(minutes=30)


def told_steps(events: ir.Table, rules: FunnelRules, **more: ir.Value) -> ir.Table:
    """Return one row per event and step that it fits, from the period's start to before `as_of`.

    Columns: those of `keys(rules)`, `cluster` for sessions (whose they are), `step_number`, `told_at`, `more`; and
    `place`, the event's number in time, where one event fits two steps.
    """
    window = rules.window or timedelta(0)
    heard = events.filter(
        _[_UNITS[rules.unit]].notnull(),
        *([_[rules.same].notnull()] if rules.same else []),
        events.event_name.isin(sorted({step.event for step in rules.steps})),
        _.occurred_at >= rules.period.start_at,
        _.occurred_at < rules.as_of,
        *([_.occurred_at <= rules.period.end_at + window] if rules.window else []),
    )
    fits = [step.fits(heard) for step in rules.steps]
    columns = {"unit": join_key(heard[_UNITS[rules.unit]]), "told_at": heard.occurred_at}
    if rules.same:
        columns["held"] = join_key(heard[rules.same])
    if rules.unit == "session":
        columns["cluster"] = ibis.coalesce("p:" + heard.person_id, "s:" + heard.session_id)
    columns |= more
    if not rules.share_events:
        number = ibis.cases(*((fit, k) for k, fit in enumerate(fits, start=1)))
        told = heard.select(**columns, step_number=number)
        return told.filter(told.step_number.notnull()) if any(step.only for step in rules.steps) else told
    # Of events of one instant, those of an earlier step come first, then those that fit fewer of the later ones.
    flags = {f"fits_{k}": flag(fit) for k, fit in enumerate(fits, start=1)}
    marked = heard.select(**columns, **flags).filter(reduce(or_, (_[name] == 1 for name in flags)))
    lowest = ibis.cases(*((marked[name] == 1, k) for k, name in enumerate(flags, start=1)))
    mask = sum(marked[name] * 2**k for k, name in enumerate(flags))
    in_time = ibis.window(group_by=keys(rules), order_by=[marked.told_at, lowest, mask])
    placed = marked.mutate(place=ibis.row_number().over(in_time))
    return ibis.union(
        *(
            placed.filter(placed[name] == 1).drop(*flags).mutate(step_number=ibis.literal(k, "int8"))
            for k, name in enumerate(flags, start=1)
        )
    )


def attempts(events: ir.Table, rules: FunnelRules) -> ir.Table:
    """Return one row per attempt that starts in the period.

    Columns: `keys(rules)`, `cluster` for sessions, `started_at`, `step_k_at` for each step (null where it was not
    reached within the window), `depth` (steps reached), `is_mature` (its whole window had passed by `as_of`).
    """
    told = told_steps(events, rules)
    walked = {"ordered": _in_order, "strict": _without_others, "any": _in_any_order}[rules.order](told, rules)
    if rules.window:
        until = walked.started_at + ibis.interval(seconds=round(rules.window.total_seconds()))
        walked = walked.mutate(
            **{name: ibis.ifelse(walked[name] <= until, walked[name], None) for name in _instants(rules)}
        )
        walked = walked.mutate(is_mature=walked.started_at < rules.as_of - rules.window)
    else:
        walked = _with_sessions_over(walked, events, rules)
    depth = ibis.literal(0, "int64")
    reached = ibis.literal(1, "int64")
    for name in _instants(rules):
        reached = reached * flag(walked[name].notnull())
        depth = depth + reached
    deep = walked.mutate(depth=depth)
    deep = deep.filter(deep.depth > 0)
    if rules.order != "any":
        return deep
    # A step that came before one that never came is not reached.
    later = enumerate(_instants(rules)[1:], start=2)
    return deep.mutate(**{name: ibis.ifelse(deep.depth >= k, deep[name], None) for k, name in later})


def counted(
    tried: ir.Table, rules: FunnelRules, *, per: Sequence[str] = ("unit",), choose: Sequence[str] = ()
) -> ir.Table:
    """Return the attempt that counts of each `per`: mature before not, then the deepest, then the earliest.

    With the entry `first`, only the first attempt of each stands for choice; with products or carts held, the first
    of each of them.
    """
    whose = list(dict.fromkeys([*per, *keys(rules)]))
    tried = _entered(tried, rules, whose)
    cluster = {"cluster": _.cluster.min()} if "cluster" in tried.columns else {}
    # Of attempts that are equally deep, the earliest is the earliest at every step.
    best = tried.group_by(*whose, "is_mature", "depth").aggregate(
        started_at=_.started_at.min(), **{name: _[name].min() for name in _instants(rules)}, **cluster
    )
    others = [best[name] for name in whose if name not in per]
    ranked = best.mutate(
        rank=ibis.row_number().over(
            ibis.window(
                group_by=list(per), order_by=[best.is_mature.desc(), best.depth.desc(), best.started_at, *others]
            )
        )
    )
    return ranked.filter(ranked["rank"] == 0).select(*best.columns)


def depths(tried: ir.Table, rules: FunnelRules) -> ir.Table:
    """Return `unit`, its `cluster` for sessions, and how deep its attempt that counts came: 0 if it is immature."""
    tried = _entered(tried, rules, keys(rules))
    cluster = {"cluster": _.cluster.min()} if "cluster" in tried.columns else {}
    return tried.group_by("unit").aggregate(depth=_.depth.max(where=_.is_mature).coalesce(0), **cluster)


def keys(rules: FunnelRules) -> list[str]:
    """Return the columns within which the steps of one attempt lie."""
    return ["unit", "held"] if rules.same else ["unit"]


_UNITS = {"person": "person_id", "session": "session_id"}


def _instants(rules: FunnelRules) -> list[str]:
    return [f"step_{k}_at" for k in range(1, rules.last + 1)]


def _held(told: ir.Table, rules: FunnelRules) -> list[str]:
    return [*keys(rules), *(name for name in ("cluster",) if name in told.columns)]


def _entered(tried: ir.Table, rules: FunnelRules, whose: Sequence[str]) -> ir.Table:
    if rules.entry == "restart":
        return tried
    # Joined and not asked of a window: Ibis loses a table's name in PostgreSQL's form of a filter on one.
    firsts = tried.group_by(**{f"its_{name}": tried[name] for name in whose}).aggregate(first_at=_.started_at.min())
    same = [tried[name].identical_to(firsts[f"its_{name}"]) for name in whose]
    return tried.inner_join(firsts, [*same, tried.started_at == firsts.first_at]).select(*tried.columns)


def _in_order(told: ir.Table, rules: FunnelRules) -> ir.Table:
    """From the last step back: an event reaches what the first event of the next step at or after it reaches."""
    by_place = rules.share_events

    def of(k: int) -> ir.Table:
        rows = told.filter(told.step_number == k)
        if k == 1:
            rows = rows.filter(rules.period.holds(rows.told_at))
        place = {f"place_{k}": rows.place, f"after_{k}": rows.place + 1} if by_place else {}
        return rows.select(*(_held(told, rules) if k == 1 else keys(rules)), **{f"step_{k}_at": rows.told_at}, **place)

    walked = of(rules.last)
    for k in range(rules.last - 1, 0, -1):
        at, next_at = (f"after_{k}", f"place_{k + 1}") if by_place else (f"step_{k}_at", f"step_{k + 1}_at")
        walked = with_next(of(k), walked, by=keys(rules), at=at, next_at=next_at)
    return walked.select(*_held(told, rules), *_instants(rules), started_at=walked.step_1_at)


def _without_others(told: ir.Table, rules: FunnelRules) -> ir.Table:
    """By runs of events of one step: each must be followed by a run of the next step at once."""
    by = keys(rules)
    in_time = ibis.window(group_by=by, order_by=[told.told_at, told.step_number])
    begun = told.mutate(begins=flag(told.step_number != told.step_number.lag().over(in_time).fill_null(0)))
    so_far = ibis.rows_window(preceding=(None, 0), group_by=by, order_by=[begun.told_at, begun.step_number])
    numbered = begun.mutate(run=begun.begins.sum().over(so_far))
    runs = numbered.group_by(*by, "run", "step_number").aggregate(began_at=_.told_at.min())
    in_turn = ibis.window(group_by=by, order_by=runs.run)
    ahead = {
        f"step_{k}_at": ibis.ifelse(
            runs.step_number.lead(k - 1).over(in_turn) == k, runs.began_at.lead(k - 1).over(in_turn), None
        )
        for k in range(2, rules.last + 1)
    }
    ahead = runs.mutate(**ahead)
    ahead = ahead.filter(ahead.step_number == 1).drop("step_number", "began_at")
    starts = numbered.filter(numbered.step_number == 1, rules.period.holds(numbered.told_at))
    starts = starts.select(*_held(told, rules), "run", started_at=starts.told_at)
    walked = starts.join(ahead, [*by, "run"])
    return walked.select(*_held(told, rules), "started_at", *_instants(rules)[1:], step_1_at=walked.started_at)


def _in_any_order(told: ir.Table, rules: FunnelRules) -> ir.Table:
    """From each event of any step: when each step first came, at or after it."""
    from_here = ibis.rows_window(following=(0, None), group_by=keys(rules), order_by=[told.told_at, told.step_number])
    reached = {
        f"step_{k}_at": ibis.ifelse(told.step_number == k, told.told_at, None).min().over(from_here)
        for k in range(1, rules.last + 1)
    }
    walked = told.mutate(**reached)
    walked = walked.filter(rules.period.holds(walked.told_at))
    return walked.select(*_held(told, rules), *_instants(rules), started_at=walked.told_at)


def _with_sessions_over(walked: ir.Table, events: ir.Table, rules: FunnelRules) -> ir.Table:
    """Say of each session whether it was over by `as_of`: no further call can belong to it."""
    heard = events.filter(_.session_id.notnull(), _.occurred_at >= rules.period.start_at, _.occurred_at < rules.as_of)
    # A session that called within the last half hour may go on.
    open_ones = (
        heard.filter(heard.occurred_at >= rules.as_of - _SESSION_GAP)
        .select(open_unit=join_key(heard.session_id))
        .distinct()
    )
    joined = walked.left_join(open_ones, walked.unit == open_ones.open_unit)
    return joined.mutate(is_mature=joined.open_unit.isnull()).drop("open_unit")
