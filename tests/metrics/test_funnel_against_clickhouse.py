"""The funnel with restarts against ClickHouse's `windowFunnel`: the same count on each of 1,000 random logs.

What is compared: `windowFunnel` in its default mode, over whole milliseconds since 1970, with the steps' event names as
its conditions, each person's level once per log; and the kit's `people` per step, each log a group of a breakdown. Both
let a window's last instant count, sort equal times in the order of the steps, and let a later first step restart.
"""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from pyarrow import parquet

from ecomkit import engines
from ecomkit.metrics.funnel import funnel
from ecomkit.periods import Period
from ecomkit.schemas import EVENTS
from tests.metrics.conftest import typed_table

session = pytest.importorskip("chdb.session", reason="chDB is not installed: it comes with the extra 'dev'")

LOGS, PEOPLE = 1_000, 3
STEPS = ("Product Viewed", "Product Added", "Checkout Started", "Order Completed")
START = datetime(2024, 1, 1, tzinfo=UTC)
PERIOD = Period(date(2024, 1, 1), date(2024, 6, 1), "UTC")
AS_OF = datetime(2025, 1, 1, tzinfo=UTC)
_LEVELS = """
    SELECT log, level, count() AS people FROM (
        SELECT log, person, windowFunnel({window})(at, {conditions}) AS level
        FROM file('{path}', Parquet) GROUP BY log, person
    ) GROUP BY log, level ORDER BY log, level
"""


@pytest.fixture(scope="module")
def logs():
    """Some 36,000 events: few instants, so that many are equal, and few names, so that many repeat."""
    draw = random.Random(20)
    rows = []
    for log in range(LOGS):
        names = (*STEPS[: draw.randint(2, 4)], *draw.choices((*STEPS, "Cart Viewed"), k=3))
        pause = draw.choice((1, 60, 3_600, 20_000))
        for person in range(PEOPLE):
            moments = [draw.randint(0, 12) * pause for _ in range(draw.randint(2, 22))]
            rows += [(log, person, draw.choice(names), START + timedelta(seconds=moment)) for moment in moments]
    draw.shuffle(rows)
    return rows


@pytest.fixture(scope="module")
def clickhouse(logs, tmp_path_factory):
    """A function that returns the people per level of each log, as ClickHouse counts them."""
    columns = list(zip(*logs, strict=True))
    moments = [round(at.timestamp() * 1000) for at in columns[3]]
    path = tmp_path_factory.mktemp("logs") / "logs.parquet"
    parquet.write_table(
        pa.table({"log": columns[0], "person": columns[1], "event": columns[2], "at": pa.array(moments, pa.uint64())}),
        path,
    )
    server = session.Session()

    def levels(steps, window):
        conditions = ", ".join(f"event = '{step}'" for step in steps)
        query = _LEVELS.format(window=round(window.total_seconds() * 1000), conditions=conditions, path=path)
        found = {log: Counter() for log in range(LOGS)}
        for line in str(server.query(query)).splitlines():
            log, level, people = map(int, line.split(","))
            found[log][level] = people
        return found

    yield levels
    server.close()


@pytest.fixture(scope="module")
def events(logs):
    return typed_table(
        EVENTS,
        [
            {
                "message_id": f"m{n}",
                "person_id": f"{log}/{person}",
                "source": f"{log}",
                "event_name": name,
                "occurred_at": at,
            }
            for n, (log, person, name, at) in enumerate(logs)
        ],
    )


MINUTES, HOURS, DAYS = timedelta(minutes=3), timedelta(hours=6), timedelta(days=2)


@pytest.mark.parametrize(
    ("steps", "window", "joined"),
    [
        pytest.param(STEPS, MINUTES, True, id="four steps in minutes"),
        pytest.param(STEPS, HOURS, True, id="four steps in hours"),
        pytest.param(STEPS, DAYS, True, id="four steps in days"),
        pytest.param(STEPS[:2], HOURS, True, id="two steps"),
        pytest.param((STEPS[1], STEPS[3], STEPS[0]), DAYS, True, id="steps in another order"),
        pytest.param(STEPS, HOURS, False, id="four steps by windows"),
    ],
)
def test_each_log_has_the_same_people_at_each_step(events, clickhouse, steps, window, joined, monkeypatch):
    if not joined:
        monkeypatch.setattr(engines, "joins_as_of", lambda table: False)
    asked = {"steps": steps, "window_days": window / timedelta(days=1), "period": PERIOD, "as_of": AS_OF}
    ours = {}
    for row in funnel(events, by="source", **asked).to_pyarrow().to_pylist():
        ours.setdefault(int(row["source"]), []).append(row["people"])
    theirs = {
        log: [sum(people for level, people in levels.items() if level >= k) for k in range(1, len(steps) + 1)]
        for log, levels in clickhouse(steps, window).items()
    }
    entered = {log: counts for log, counts in theirs.items() if counts[0]}
    assert len(entered) > LOGS * 0.7
    assert ours == entered
    # Many reach each step, and many do not.
    totals = [sum(counts[k] for counts in entered.values()) for k in range(len(steps))]
    assert all(0 < fewer < more for more, fewer in zip(totals, totals[1:], strict=False))
    assert funnel(events, **asked).to_pyarrow()["people"].to_pylist() == totals
