"""How long a funnel over millions of events takes, against ClickHouse's own function for it.

    python benchmarks/funnel.py [--events 20000000] [--people 1000000] [--rounds 6]

The question is a funnel of four steps with restarts and a window of seven days. The peer is chDB's
`windowFunnel`; both read the same Parquet file, with two threads, in one process, in turns, so that
what else the machine does meets both. The first round warms both up and is left out; of the others the
median counts, and the ratio of the medians is what is held to a limit. The counts must be equal. The
events are ninety days of a shop in the order of time, five calls to a visit and twenty to a person; a
third of them fill no step.

Beside them, the form for engines that do not join as of a time is timed: it asks DuckDB the same with
window functions.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from unittest.mock import patch

import duckdb
import ibis
from chdb import session
from rich.console import Console
from rich.table import Table

from ecomkit import engines
from ecomkit.metrics.funnel import funnel
from ecomkit.periods import Period
from ecomkit.schemas import EVENTS

# Times of the peer.
SLOWEST = 2
THREADS = 2
STEPS = ("Product Viewed", "Product Added", "Checkout Started", "Order Completed")
WINDOW_DAYS = 7
PERIOD = Period(date(2026, 1, 1), date(2026, 5, 1), "UTC")
AS_OF = datetime(2026, 6, 1, tzinfo=UTC)

_MADE = """
CREATE MACRO dice(x, salt) AS (hash(x, salt) % 10000)::INT;
COPY (
    SELECT md5(number::VARCHAR) AS message_id,
        CASE
            WHEN call = 1 OR call = 2 AND depth BETWEEN 2500 AND 5999 OR call = 3 AND depth BETWEEN 1200 AND 3999
                THEN 'Product Viewed'
            WHEN call = 2 AND depth < 2500 THEN 'Product Added'
            WHEN call = 3 AND depth < 1200 THEN 'Checkout Started'
            WHEN call = 4 AND depth < 700 THEN 'Order Completed'
            ELSE 'page'
        END AS event_name,
        TIMESTAMPTZ '2026-01-01 00:00:00+00'
            + to_seconds((visit * (90 * 86400.0 * 5 / {events}))::BIGINT + call * 70) AS occurred_at,
        'p-' || substr(md5(person::VARCHAR), 1, 16) AS person_id
    FROM (
        SELECT range AS number, range // 5 AS visit, range % 5 AS call, hash(range // 5, 'who') % {people} AS person,
            dice(range // 5, 'depth') AS depth
        FROM range({events})
    )
) TO '{path}' (FORMAT parquet);
"""
_LEVELS = """
SELECT level, count() FROM (
    SELECT windowFunnel({window})(toUInt64(toUnixTimestamp64Micro(occurred_at)), {conditions}) AS level
    FROM file('{path}', Parquet) WHERE event_name IN ({names}) GROUP BY person_id
) GROUP BY level ORDER BY level SETTINGS max_threads = {threads}
"""


def make_events(path: Path, events: int, people: int) -> None:
    """Write the events into a Parquet file."""
    with duckdb.connect() as con:
        con.execute(f"SET threads = {THREADS}; SET TimeZone = 'UTC'")
        con.execute(_MADE.format(events=events, people=people, path=path))


def peer(path: Path) -> Callable[[], list[int]]:
    """Return the funnel as ClickHouse counts it: people per step."""
    server = session.Session()
    query = _LEVELS.format(
        window=WINDOW_DAYS * 86_400 * 1_000_000,
        conditions=", ".join(f"event_name = '{step}'" for step in STEPS),
        names=", ".join(f"'{step}'" for step in STEPS),
        path=path,
        threads=THREADS,
    )

    def count() -> list[int]:
        levels = dict(map(int, line.split(",")) for line in str(server.query(query)).splitlines())
        return [sum(people for level, people in levels.items() if level >= k) for k in range(1, len(STEPS) + 1)]

    return count


def kit(path: Path) -> Callable[[], list[int]]:
    """Return the funnel as the kit counts it, from the question to the numbers."""
    con = ibis.duckdb.connect()
    con.raw_sql(f"SET threads = {THREADS}; SET TimeZone = 'UTC'")
    made = con.read_parquet(path)
    events = made.mutate(**{name: ibis.null(kind) for name, kind in EVENTS.items() if name not in made.columns})

    def count() -> list[int]:
        rows = funnel(events, steps=STEPS, window_days=WINDOW_DAYS, period=PERIOD, as_of=AS_OF)
        return rows.to_pyarrow()["people"].to_pylist()

    return count


def portable(path: Path) -> Callable[[], list[int]]:
    """Return the funnel as the kit counts it where no engine joins as of a time."""
    count = kit(path)

    def without() -> list[int]:
        with patch.object(engines, "joins_as_of", lambda table: False):
            return count()

    return without


def main() -> None:
    """Print times and their ratio with its limit."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--events", type=int, default=20_000_000)
    arguments.add_argument("--people", type=int, default=1_000_000)
    arguments.add_argument("--rounds", type=int, default=6)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.parquet"
        make_events(path, chosen.events, chosen.people)
        counters = {make.__name__: make(path) for make in (peer, kit, portable)}
        seconds, found = {name: [] for name in counters}, {}
        for _round in range(chosen.rounds):
            for name, count in counters.items():
                started = time.perf_counter()
                found[name] = count()
                seconds[name].append(time.perf_counter() - started)
    medians = {name: statistics.median(times[1:]) for name, times in seconds.items()}
    table = Table(
        "What", "Measured", "Limit", title=f"A funnel over {chosen.events:,} events of {chosen.people:,} people"
    )
    table.add_row("windowFunnel of chDB, seconds", f"{medians['peer']:.2f}", "")
    table.add_row("the kit, seconds", f"{medians['kit']:.2f}", "")
    table.add_row("ratio", f"{medians['kit'] / medians['peer']:.2f}", str(SLOWEST))
    table.add_row("the kit with window functions, ratio", f"{medians['portable'] / medians['peer']:.2f}", "")
    table.add_row("people per step", ", ".join(f"{people:,}" for people in found["kit"]), "")
    table.add_row("equal counts", "yes" if len({tuple(counts) for counts in found.values()}) == 1 else "NO", "yes")
    Console().print(table)


if __name__ == "__main__":
    main()
