"""How long it takes to tell whose and which visit's each of millions of calls is, against a plain sort of them.

    python benchmarks/who_is_who.py [--calls 20000000] [--rounds 2]

The peer is DuckDB alone: it reads the same rows and writes them sorted by device and time, which is the
least that anyone must do who wants visits of them. The kit merges identifiers into people, stitches
devices, cuts sessions, names their channels and keeps the links. Both have the build's memory limit and
run in processes of their own, one after the other, on one file of calls that is made once (under
`.ecomkit/`): a year of a shop with twenty calls per person, of whom three in ten log in, some on two
devices, some on one that they share, with the columns that these steps read. The ratio of the times is
what is held to a limit.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

from ecomkit import shop as shops
from ecomkit.pipeline import channels, identity_links, sessions
from ecomkit.pipeline.stitching import stitched
from ecomkit.pipeline.workbench import MEMORY, open_workbench
from ecomkit.settings import Settings, load_settings

# Times of the peer, and GiB.
SLOWEST, MOST_MEMORY = 4, 4
CALLS_PER_PERSON = 20
FOLDER = shops.ROOT / ".ecomkit" / "who_is_who"

# `dice(x, salt)` is a number from 0 to 9999 that stays the same for the same x.
_MADE = """
CREATE MACRO dice(x, salt) AS (hash(x, salt) % 10000)::INT;
CREATE MACRO uuid_of(x, salt) AS
    regexp_replace(md5(x::VARCHAR || salt), '^(.{{8}})(.{{4}})(.{{4}})(.{{4}})(.{{12}}).*', '\\1-\\2-\\3-\\4-\\5');
CREATE TABLE visits AS
WITH people AS (SELECT range AS person FROM range({people})),
planned AS (
    SELECT person, visit, person * 4 + visit AS number,
        -- Hours in which a visit may start; visits of one person are in order.
        visit * 91 * 24 + dice(person * 4 + visit, 'hour') * 90 * 24 // 10000 AS hour,
        dice(person, 'logs in') < 3000 AS logs_in,
        -- The visit of the first log-in; before it he is known to nobody.
        dice(person, 'when') % 3 AS first_login
    FROM people, (SELECT range AS visit FROM range(4))
)
SELECT *,
    TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_seconds(hour * 3600 + dice(number, 'second') % 3000) AS started_at,
    CASE
        -- A till in a shop, the family's tablet, his second device, his own.
        WHEN dice(number, 'till') < 10 THEN uuid_of(dice(number, 'which') % 40, 'till')
        WHEN dice(person, 'family') < 300 AND dice(number, 'tablet') < 3000 THEN uuid_of(person // 4, 'tablet')
        WHEN dice(person, 'second') < 4000 AND dice(number, 'second device') < 4000 THEN uuid_of(person, 'second')
        ELSE uuid_of(person, 'first')
    END AS anonymous_id,
    CASE WHEN dice(person, 'mobile') < 6000 THEN 'mobile' ELSE 'desktop' END AS device_type,
    dice(number, 'came by') AS came_by
FROM planned;
COPY (
    SELECT row_number() OVER () AS row_id, uuid_of(number * 5 + call, 'message') AS message_id,
        CASE WHEN call = 1 AND at_login THEN 'identify' WHEN call IN (0, 2) THEN 'page' ELSE 'track' END AS call_type,
        CASE WHEN call = 1 AND at_login THEN 'identify' WHEN call IN (0, 2) THEN 'page'
            WHEN call = 1 THEN 'Product Viewed' WHEN call = 3 THEN 'Product Added'
            WHEN at_order THEN 'Order Completed' ELSE 'Email Opened' END AS event_name,
        CASE WHEN call = 4 THEN CASE WHEN at_order THEN 'server' ELSE 'email' END ELSE 'client' END AS side,
        CASE WHEN call < 4 THEN device_type END AS device_type,
        started_at + to_milliseconds(call * 61000 + dice(number * 5 + call, 'pause')) AS occurred_at,
        CASE WHEN call < 4 THEN anonymous_id END AS anonymous_id,
        CASE WHEN logs_in AND (visit > first_login OR visit = first_login AND call > 0)
            THEN (100000 + person)::VARCHAR END AS user_id,
        CASE WHEN call = 1 AND at_login OR call = 4 AND (at_order OR NOT logs_in) THEN sha256('address' || person)
            END AS email_hash,
        CASE WHEN call = 1 AND at_login THEN started_at END AS created_at,
        CASE WHEN call < 3 THEN '/products/' || dice(number * 5 + call, 'product') END AS page_path,
        CASE WHEN call > 2 THEN NULL WHEN call > 0 THEN 'https://www.shop.example/products/'
            WHEN came_by < 2500 THEN 'https://www.google.com/' WHEN came_by < 3200 THEN 'https://l.instagram.com/'
            WHEN came_by < 3800 THEN 'https://blog' || came_by % 50 || '.example/post/' || came_by END AS referrer,
        CASE WHEN call = 0 AND came_by BETWEEN 1500 AND 2999 THEN 'google'
            WHEN call = 0 AND came_by BETWEEN 6000 AND 7499 THEN 'newsletter' END AS utm_source,
        CASE WHEN call = 0 AND came_by BETWEEN 1500 AND 2999 THEN 'cpc'
            WHEN call = 0 AND came_by BETWEEN 6000 AND 7499 THEN 'email' END AS utm_medium,
        CASE WHEN call = 0 AND (came_by BETWEEN 1500 AND 2999 OR came_by BETWEEN 6000 AND 7499)
            THEN 'campaign ' || came_by % 60 END AS utm_campaign,
        NULL::VARCHAR AS utm_term, NULL::VARCHAR AS utm_content, NULL::VARCHAR AS campaign_id,
        CASE WHEN call = 0 AND came_by BETWEEN 1500 AND 2699 THEN 'gclid:' || md5(number::VARCHAR) END AS click_id,
        -- A loyalty card, shown at some orders.
        CASE WHEN call = 4 AND dice(person, 'card') < 500 THEN 'card-' || person END AS card
    FROM (
        SELECT *, logs_in AND visit = first_login AS at_login, dice(number, 'orders') < 600 AS at_order FROM visits
    ), (SELECT range AS call FROM range(5))
    -- Calls lie in the order of their arrival.
    ORDER BY occurred_at
) TO '{path}' (FORMAT parquet);
"""
_TOML = """
[shop]
name = "Shop of many"
time_zone = "UTC"
currency = "EUR"
own_hosts = ["shop.example"]
[[source]]
kind = "segment_files"
path = "segment/"
"""


def make_calls(path: Path, scratch: Path) -> dict[str, int]:
    """Make a DuckDB file of as many calls as its name says."""
    raw, unfinished = scratch / "calls.parquet", scratch / "unfinished.duckdb"
    with duckdb.connect(str(unfinished)) as con:
        con.execute("SET memory_limit = '8GB'; SET TimeZone = 'UTC'")
        con.execute(_MADE.format(people=int(path.stem) // CALLS_PER_PERSON, path=raw))
        con.execute(f"DROP TABLE visits; CREATE TABLE calls AS SELECT * EXCLUDE (card) FROM '{raw}'")
        con.execute(
            f"""CREATE TABLE external_ids AS SELECT row_id, 'loyalty_card' AS identifier_type, card AS identifier
            FROM '{raw}' WHERE card IS NOT NULL"""
        )
    unfinished.rename(path)
    return {}


def peer(calls: Path, scratch: Path) -> dict[str, int]:
    """Sort the calls by device and time with DuckDB alone."""
    con = duckdb.connect(str(scratch / "peer.duckdb"))
    con.execute(f"SET memory_limit = '{MEMORY}'; SET TimeZone = 'UTC'; SET preserve_insertion_order = false")
    con.execute(f"ATTACH '{calls}' AS made (READ_ONLY)")
    con.execute("CREATE TABLE sorted AS SELECT * FROM made.calls ORDER BY anonymous_id, occurred_at")
    return {"calls": con.execute("SELECT count(*) FROM sorted").fetchone()[0]}


def kit(calls: Path, scratch: Path) -> dict[str, int]:
    """Tell whose and which visit's each call is, as a build does once calls are read."""
    with open_workbench(_settings(scratch), scratch / "kit.duckdb", progress=lambda step: None) as bench:
        bench.con.raw_sql(f"ATTACH '{calls}' AS made (READ_ONLY)")
        kept, external_ids = (bench.con.table(name, database=("made", "main")) for name in ("calls", "external_ids"))
        settings = bench.settings
        placed, owners, trusted = stitched(
            kept, external_ids, bench.lay_out, undo=settings.undo, look_back_days=settings.identity_look_back_days
        )
        aliases = kept.limit(0).mutate(previous_id=kept.user_id)
        links = bench.keep("identity_links", identity_links.identity_links(placed, owners, trusted, aliases))
        landed = channels.with_channel(sessions.landings(placed, kept), own_hosts=settings.own_hosts)
        landed = bench.lay_out("landed_sessions", landed)
        counted = {"calls": placed.count(), "sessions": landed.count(), "links": links.count()}
        return {name: number.to_pyarrow().as_py() for name, number in counted.items()}


def _settings(scratch: Path) -> Settings:
    path = scratch / "shop.toml"
    path.write_text(_TOML, encoding="utf-8")
    return load_settings(path)


def run(task: str, calls: Path) -> None:
    """Run one task and print its seconds, the GiB that it held at most, and what it counted."""
    # Beside the calls: what does not fit into memory lies on the same disk.
    with tempfile.TemporaryDirectory(dir=FOLDER) as scratch:
        started = time.perf_counter()
        counted = {"make": make_calls, "peer": peer, "kit": kit}[task](calls, Path(scratch))
        seconds = time.perf_counter() - started
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps([seconds, held, counted]))


def measure(task: str, calls: Path) -> tuple[float, float, dict[str, int]]:
    """Run a task in a process of its own."""
    command = [sys.executable, __file__, "--task", task, "--file", str(calls)]
    ran = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=shops.ROOT)
    return tuple(json.loads(ran.stdout.splitlines()[-1]))


def main() -> None:
    """Print times, their ratio and memory, each with its limit."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--calls", type=int, default=20_000_000)
    arguments.add_argument("--rounds", type=int, default=2)
    arguments.add_argument("--task", choices=["make", "peer", "kit"], help=argparse.SUPPRESS)
    arguments.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.task:
        run(chosen.task, chosen.file)
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    calls = FOLDER / f"{chosen.calls}.duckdb"
    # In a process of its own too: what a process holds is counted from its parent on. The file of a run before serves.
    if not calls.exists():
        measure("make", calls)
    table = Table("What", "Measured", "Limit", title=f"Who is who, in {chosen.calls:,} calls")
    for number in range(1, chosen.rounds + 1):
        alone, _held, _counted = measure("peer", calls)
        seconds, held, counted = measure("kit", calls)
        table.add_section()
        table.add_row(f"round {number}: sort by DuckDB alone, seconds", f"{alone:.1f}", "")
        table.add_row("people, sessions and channels, seconds", f"{seconds:.1f}", "")
        table.add_row("ratio", f"{seconds / alone:.2f}", str(SLOWEST))
        table.add_row("memory, GiB", f"{held:.2f}", str(MOST_MEMORY))
        table.add_row("found", ", ".join(f"{found:,} {name}" for name, found in counted.items()), "")
    Console().print(table)


if __name__ == "__main__":
    main()
