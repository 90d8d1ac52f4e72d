"""From the state behind one report to the state behind a later one, one thing changed at a time."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import ibis
from ibis import _

from ecomkit import shop as shops
from ecomkit.errors import EcomkitError
from ecomkit.filters import read_filters
from ecomkit.fingerprint import salt_of
from ecomkit.headline_values import Values, headline_values
from ecomkit.periods import Period
from ecomkit.pipeline.build import build
from ecomkit.pipeline.known import REFUNDS, Known
from ecomkit.report.ledger import Rules, remember, remembered

DEFINITION, SOURCES, SETTINGS, RATES = "definition", "sources", "settings", "rates"
REFUNDED, LATE, IDENTITY = "refunds", "late events", "identity"


@dataclass(frozen=True)
class State:
    """What a shop is built from: settings and rates by their digests, and the calls known, None for all there are.

    `cause` is what was changed to come here from the state before.
    """

    cause: str
    rules: Rules
    known: Known | None


@dataclass(frozen=True)
class Step:
    """The headlines at a state; `values` is None where it cannot be built any more, and `why_not` says why."""

    cause: str
    values: Values | None
    why_not: str = ""


def states(older: Mapping[str, Any], newer: Mapping[str, Any], end: datetime) -> list[State]:
    """Return the states from the older report's to the newer's.

    The first stands for what no later one explains: the definition where the kit's code changed,
    else sources that were changed in place. Then come the settings, the rates, and what arrived since: refunds and
    cancellations, whenever they occurred; other calls that occurred before the end of the week; last what can only
    tell who was who, identify calls whenever they occurred and whatever occurred after the week. Of a week that was
    still going on in the older report, these last are late events, too: its end came with them.

    Parameters
    ----------
    older, newer
        What the reports were made from.
    end
        The first instant after the week.
    """
    before, after = ((made["settings"], made["rates"]) for made in (older, newer))
    first, last = (_after(made["known_until"]) for made in (older, newer))
    dated = first is not None and last is not None
    then = Known(first, first, first, end) if dated else None
    path = [State(DEFINITION if older["definition"] != newer["definition"] else SOURCES, before, then)]
    if before[0] != after[0]:
        path.append(State(SETTINGS, (after[0], before[1]), then))
    if before[1] != after[1]:
        path.append(State(RATES, after, then))
    if dated and first != last:
        path.append(State(REFUNDED, after, Known(last, first, first, end)))
        if first >= end:
            path.append(State(LATE, after, Known(last, last, first, end)))
        path.append(State(IDENTITY if first >= end else LATE, after, Known(last, last, last, end)))
    return path


def walk(
    folder: Path, path: Sequence[State], *, week: str, told: Mapping[str, Any], progress: Callable[[str], None]
) -> tuple[list[Step], dict[str, int]]:
    """Return the headlines at each state, and how many kept calls each cause brought.

    Each state is a shop built for it, which then vanishes. One that brought no call is left out.

    Parameters
    ----------
    folder
        The shop's folder.
    path
        The states, the newer report's last.
    week
        The ISO week of both reports.
    told
        The parameters of both, by name.
    progress
        Told each step of each build, after the cause that its state stands for.
    """
    *earlier, newest = path
    step, calls, skipped = Step(newest.cause, None), {}, set()
    try:
        with _opened(folder, newest, told, progress) as shop:
            period = shop.week(week)
            step = Step(newest.cause, headline_values(shop, period, told))
            calls = _arrived(shop, path[0].known, period)
            if not any(source.kind == "order_files" for source in shop.settings.sources):
                skipped = {cause for cause in (REFUNDED, LATE) if not calls.get(cause)}
    except EcomkitError as error:
        step = Step(newest.cause, None, str(error))
    steps = [_step(folder, state, week, told, progress) for state in earlier if state.cause not in skipped]
    return [*steps, step], calls


def _step(folder: Path, state: State, week: str, told: Mapping[str, Any], progress: Callable[[str], None]) -> Step:
    try:
        with _opened(folder, state, told, progress) as shop:
            return Step(state.cause, headline_values(shop, shop.week(week), told))
    except EcomkitError as error:
        return Step(state.cause, None, str(error))


@contextmanager
def _opened(
    folder: Path, state: State, told: Mapping[str, Any], progress: Callable[[str], None]
) -> Iterator[shops.Shop]:
    """Open the shop at a state: today's where it is that, else one that is built now and removed again."""

    def tell(step: str) -> None:
        progress(f"{state.cause}, {step}")

    if state.rules == remember(folder):
        today = shops.open_shop(folder, filters=told.get("filters"), progress=tell)
        if _is_all(state.known, today.newest_arrival):
            yield today
            return
    with tempfile.TemporaryDirectory() as scratch:
        settings, target = remembered(folder, *state.rules), Path(scratch) / "shop.duckdb"
        build(settings, target, salt=salt_of(folder), fingerprint="", progress=tell, known=state.known)
        con = ibis.duckdb.connect(str(target), read_only=True)
        try:
            con.raw_sql("SET TimeZone = 'UTC'")
            yield shops.Shop(settings, con, read_filters(told.get("filters") or {}, "orders"))
        finally:
            con.disconnect()


def _arrived(shop: shops.Shop, then: Known | None, period: Period) -> dict[str, int]:
    """Count the kept calls that arrived since, by the cause that they stand for."""
    if then is None:
        return {}
    refund, identify = _.event_name.isin(REFUNDS), _.event_name == "identify"
    names = identify | (_.occurred_at >= period.end_at)
    late = ~names if then.names >= period.end_at else ibis.literal(True)
    kinds = {REFUNDED: refund, LATE: ~refund & late, IDENTITY: ~refund & ~late}
    arrived = shop.whole.events.filter(_.received_at >= then.names)
    [row] = arrived.agg(**{cause: kind.sum() for cause, kind in kinds.items()}).to_pyarrow().to_pylist()
    return {cause: calls or 0 for cause, calls in row.items()}


def _is_all(known: Known | None, newest: datetime | None) -> bool:
    if known is None:
        return True
    return newest is not None and known.names == _after(newest.isoformat())


def _after(instant: str | None) -> datetime | None:
    """Return the first instant after what was known last."""
    return None if instant is None else datetime.fromisoformat(instant) + timedelta(microseconds=1)
