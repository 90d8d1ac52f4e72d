"""How long the questions of the overview take over the tables of a shop with millions of events, against a plain scan.

    python benchmarks/overview.py [--events 20000000] [--runs 5]

The peer is one scan by DuckDB alone of the columns that a question uses: every value of them is read and
hashed once, which is the least that anyone must do who has looked at all of them. Which columns these are is
read from DuckDB's own plan of the question. Both run in one process with 2 threads on one file that is made
once (under `.ecomkit/`): two years of a shop with sessions, orders, order lines, refunds and product events in
the proportions of so many events. Each is run once to warm up, then in turns. What is held to a limit is the
sum of the medians of all that the overview of one week asks, against the sum of one scan each. Questions on
orders alone are above it, because hashing a few hundred thousand rows takes no time and sums per person do;
those on sessions are below it. One scan for all questions together, and some questions asked of two years at
once, stand beside them.
"""

import argparse
import json
import re
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir
from rich.console import Console
from rich.table import Table

from ecomkit import shop as shops
from ecomkit.engines import to_sql
from ecomkit.metrics.bridge import bridge_sums, bridge_sums_by, with_customer_kind
from ecomkit.metrics.bridge_of_lines import bridge_category_sums
from ecomkit.metrics.customers import new_and_returning
from ecomkit.metrics.order_ladder import order_ladder
from ecomkit.metrics.order_sizes import order_value_steps, units_per_order
from ecomkit.metrics.product_mix import product_mix
from ecomkit.metrics.sales import aov, sales
from ecomkit.metrics.sales_by import sales_by
from ecomkit.metrics.visits import visit_to_order_rate
from ecomkit.periods import Period
from ecomkit.scoreboard import shows

# Times of the peer, and GiB.
SLOWEST, MOST_MEMORY = 3, 4
THREADS, WEEKS, ZONE = 2, 104, "America/New_York"
FOLDER = shops.ROOT / ".ecomkit" / "overview"
LAST = Period(date(2025, 12, 22), date(2025, 12, 29), ZONE)
QUARTER = LAST.extended_back(13)

# `dice(x, salt)` is a number from 0 to 9999 that stays the same for the same x.
_MADE = """
CREATE MACRO dice(x, salt) AS (hash(x, salt) % 10000)::INT;
CREATE MACRO person_of(x) AS CASE
    WHEN dice(x, 'known') < 3500 THEN 'user:' || (100000 + x) ELSE 'visitor:' || md5(x::VARCHAR)[:32] END;
CREATE TABLE sessions AS
WITH visits AS (
    -- Some come often: every fourth visit is one of a twentieth of the people.
    SELECT range AS number, CASE WHEN dice(range, 'often') < 2500
        THEN (hash(range, 'who') % ({sessions} // 40 + 1))::BIGINT ELSE (hash(range, 'who') % ({sessions} // 2))::BIGINT
        END AS person, TIMESTAMPTZ '2023-12-31 05:00:00+00'
            + to_seconds(range * {weeks} * 7 * 86400 // {sessions} + dice(range, 'second')) AS started_at
    FROM range({sessions})
)
SELECT md5(number::VARCHAR)[:12] || ':' || epoch_ms(started_at) AS session_id, person_of(person) AS person_id,
    md5(person::VARCHAR || 'device') AS anonymous_id, 1::BIGINT AS session_number, started_at,
    started_at + to_seconds(dice(number, 'long') // 10) AS ended_at,
    (1 + dice(number, 'pages') % 7)::BIGINT AS pageviews,
    '/products/' || dice(number, 'landing') AS landing_path, NULL::VARCHAR AS referrer_host,
    NULL::VARCHAR AS utm_source, NULL::VARCHAR AS utm_medium, NULL::VARCHAR AS utm_campaign,
    NULL::VARCHAR AS utm_term, NULL::VARCHAR AS utm_content, NULL::VARCHAR AS campaign_id,
    ['mobile', 'desktop', 'tablet'][1 + dice(number, 'device') // 4500] AS device_type,
    ['Direct', 'Organic Search', 'Paid Search', 'Paid Social', 'Email', 'Referral', 'Unassigned']
        [1 + dice(number, 'channel') // 1500] AS channel,
    -- One in sixteen orders, one in four hundred twice.
    (CASE WHEN dice(number, 'orders') < 25 THEN 2 WHEN dice(number, 'orders') < 650 THEN 1 ELSE 0 END)::BIGINT
        AS orders,
    dice(number, 'orders') < 650 AS converted, number, person
FROM visits;
CREATE TABLE orders AS
WITH bought AS (
    SELECT session_id, person_id,
        started_at + to_seconds(60 * (1 + dice(number * 2 + nth, 'wait') // 500)) AS ordered_at,
        number * 2 + nth AS place, device_type
    FROM sessions, (SELECT range AS nth FROM range(2)) WHERE nth < sessions.orders
    UNION ALL
    -- One in twelve meets no session.
    SELECT NULL, CASE WHEN dice(number, 'guest') < 5000 THEN person_id END, started_at + to_seconds(7200),
        {sessions} * 2 + number, NULL
    FROM sessions WHERE dice(number, 'outside') < 56
)
SELECT md5(place::VARCHAR || 'order') AS order_id, person_id AS customer_id, session_id,
    CASE WHEN session_id IS NOT NULL THEN 'same device' END AS session_rule, ordered_at,
    row_number() OVER (PARTITION BY person_id ORDER BY ordered_at) AS order_number,
    ((1000 + dice(place, 'worth') * 2) / 100)::DECIMAL(18, 4) AS gross, 0::DECIMAL(18, 4) AS discount,
    ((1000 + dice(place, 'worth') * 2) / 100)::DECIMAL(18, 4) AS revenue, 4::DECIMAL(18, 4) AS shipping,
    2::DECIMAL(18, 4) AS tax, NULL::DECIMAL(18, 4) AS order_total, 'EUR' AS currency,
    CASE WHEN dice(place, 'coupon') < 1500 THEN 'C' || dice(place, 'coupon') % 20 END AS coupon,
    ['US', 'DE', 'FR', 'GB'][1 + dice(place, 'country') // 2501] AS country, device_type,
    CASE WHEN dice(place, 'cancelled') < 150 THEN 'cancelled' ELSE 'completed' END AS status,
    CASE WHEN dice(place, 'cancelled') < 150 THEN ordered_at + to_hours(5) END AS cancelled_at,
    'spec' AS money_rule, place
FROM bought;
CREATE TABLE order_lines AS
SELECT order_id, (nth + 1)::BIGINT AS line_number, 'p' || dice(place * 3 + nth, 'product') % 2000 AS product_id,
    'sku' || dice(place * 3 + nth, 'product') % 5000 AS sku,
    'Product ' || dice(place * 3 + nth, 'product') % 2000 AS name,
    ['Teas', 'Lanterns', 'Gifts', 'Accessories', 'Books', 'Candles', 'Cups', 'Sets']
        [1 + (dice(place * 3 + nth, 'product') % 2000) % 8] AS category,
    'Brand ' || dice(place * 3 + nth, 'product') % 40 AS brand, NULL::VARCHAR AS variant,
    (revenue / (1 + place % 3))::DECIMAL(18, 4) AS unit_price,
    (1 + dice(place * 3 + nth, 'units') % 3)::BIGINT AS quantity,
    (revenue / (1 + place % 3))::DECIMAL(18, 4) AS line_gross,
    (revenue / (1 + place % 3))::DECIMAL(18, 4) AS line_revenue
FROM orders, (SELECT range AS nth FROM range(3)) WHERE nth <= place % 3;
CREATE TABLE refunds AS
SELECT md5(place::VARCHAR || 'refund') AS refund_id, order_id,
    ordered_at + to_days(1 + dice(place, 'days') % 20) AS refunded_at,
    ordered_at + to_days(1 + dice(place, 'days') % 20) AS received_at, (revenue / 2)::DECIMAL(18, 4) AS amount, currency
FROM orders WHERE dice(place, 'refund') < 800;
CREATE TABLE product_events AS
SELECT started_at + to_seconds(nth * 40) AS occurred_at, person_id, session_id,
    CASE WHEN nth = 0 THEN 'Product List Viewed' WHEN nth = 2 AND dice(number, 'adds') < 3000 THEN 'Product Added'
        ELSE 'Product Viewed' END AS event_name,
    'p' || dice(number * 3 + nth, 'product') % 2000 AS product_id,
    'sku' || dice(number * 3 + nth, 'product') % 5000 AS sku,
    ['Teas', 'Lanterns', 'Gifts', 'Accessories', 'Books', 'Candles', 'Cups', 'Sets']
        [1 + (dice(number * 3 + nth, 'product') % 2000) % 8] AS category,
    NULL::DECIMAL(18, 4) AS price, 1::BIGINT AS quantity, NULL::VARCHAR AS cart_id,
    CASE WHEN nth = 0 THEN 'list ' || number % 12 END AS list_id, (number % 24)::BIGINT AS position
FROM sessions, (SELECT range AS nth FROM range(3)) WHERE nth <= number % 4;
ALTER TABLE sessions DROP COLUMN number; ALTER TABLE sessions DROP COLUMN person; ALTER TABLE orders DROP COLUMN place;
"""
# Of so many events, one is a session's first call in that many, by the simulated shops.
EVENTS_PER_SESSION = 4.45


def of_a_report(tables: dict[str, ir.Table]) -> dict[str, ir.Table]:
    """Return each question that the overview of one week asks, as its expression."""
    orders, refunds, sessions, lines = (tables[name] for name in ("orders", "refunds", "sessions", "order_lines"))
    weekly, both = {"zone": ZONE, "grain": "week"}, {"periods": [LAST, LAST.before()], "as_of": LAST.end_at}
    kinds = with_customer_kind(sessions, orders, as_of=LAST.end_at)
    near = sessions.filter(shows(LAST, sessions.started_at))
    recent = orders.filter(QUARTER.holds(orders.ordered_at))
    split = {"period": QUARTER, "as_of": LAST.end_at}
    return {
        "sales per week": sales(orders, refunds, as_of=LAST.end_at, **weekly),
        "new and returning per week": new_and_returning(
            orders, refunds, as_of=LAST.end_at, look_back_days=365, history=orders, **weekly
        ),
        "units per order per week": units_per_order(orders, lines, as_of=LAST.end_at, **weekly),
        "visit-to-order rate, three weeks": visit_to_order_rate(near, **weekly),
        "AOV, mean and median, 13 weeks": aov(recent),
        "order values in steps, 13 weeks": order_value_steps(recent, step=20.0, as_of=LAST.end_at),
        "sales by channel, 13 weeks": sales_by(orders, lines, refunds, sessions, by="channel", **split),
        "sales by category, 13 weeks": sales_by(orders, lines, refunds, sessions, by="category", **split),
        "product mix of high-value customers": product_mix(orders, refunds, lines, as_of=LAST.end_at),
        "ladder from gross to net": order_ladder(orders, refunds, **both),
        "bridge": bridge_sums(orders, refunds, sessions, **both),
        "bridge by channel": bridge_sums_by(orders, sessions, by="channel", **both),
        "bridge by device": bridge_sums_by(orders, sessions, by="device_type", **both),
        "bridge by new and returning": bridge_sums_by(orders, kinds, by="customer_kind", **both),
        "bridge by category": bridge_category_sums(orders, lines, sessions, **both),
    }


def of_all_history(tables: dict[str, ir.Table]) -> dict[str, ir.Table]:
    """Return some of the questions asked of two years at once, as expressions."""
    orders, refunds, sessions = tables["orders"], tables["refunds"], tables["sessions"]
    year = LAST.extended_back(52)
    years = {"periods": [year, Period(year.start - timedelta(days=364), year.start, ZONE)], "as_of": LAST.end_at}
    return {
        "visit-to-order rate per week, two years": visit_to_order_rate(sessions, zone=ZONE, grain="week"),
        "AOV per week, two years": aov(orders, zone=ZONE, grain="week"),
        "visit-to-order rate by channel, two years": visit_to_order_rate(sessions, by="channel"),
        "bridge of two years": bridge_sums(orders, refunds, sessions, **years),
        "bridge of two years by channel": bridge_sums_by(orders, sessions, by="channel", **years),
    }


def make(path: Path, events: int) -> None:
    """Make a DuckDB file of the tables of a shop with so many events."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    with duckdb.connect(str(unfinished)) as con:
        con.execute(f"SET memory_limit = '8GB'; SET TimeZone = 'UTC'; SET threads = {THREADS}")
        con.execute(_MADE.format(sessions=int(events / EVENTS_PER_SESSION), weeks=WEEKS))
    unfinished.rename(path)


def columns_of(con: ibis.BaseBackend, query: str) -> dict[str, set[str]]:
    """Return the columns that DuckDB's plan of a query reads of each table."""
    plan = con.raw_sql(f"EXPLAIN (FORMAT json) {query}").fetchall()[-1][1]
    found: dict[str, set[str]] = {}
    nodes = json.loads(plan)
    while nodes:
        node = nodes.pop()
        nodes += node.get("children", [])
        told = node.get("extra_info", {})
        if "Table" in told:
            name = told["Table"].split(".")[-1]
            read = told.get("Projections", [])
            read = {read} if isinstance(read, str) else set(read)
            filters = (
                " ".join(told.get("Filters", "")) if isinstance(told.get("Filters"), list) else told.get("Filters", "")
            )
            read |= {column for column in con.table(name).columns if re.search(rf"\b{column}\b", filters)}
            found.setdefault(name, set()).update(read)
    return found


def scan(con: ibis.BaseBackend, columns: dict[str, set[str]]) -> None:
    """Read and hash every value of the columns."""
    for table, names in columns.items():
        con.raw_sql(f"SELECT bit_xor(hash({', '.join(sorted(names))})) FROM {table}").fetchall()


def seconds(task: Callable[[], object]) -> float:
    """Return how long a task takes."""
    started = time.perf_counter()
    task()
    return time.perf_counter() - started


def run(path: Path, runs: int) -> None:
    """Print, as one line of JSON, the median seconds of each question and of its scan, and the GiB held at most."""
    con = ibis.duckdb.connect(str(path), read_only=True, threads=THREADS)
    con.raw_sql("SET TimeZone = 'UTC'")
    tables = {name: con.table(name) for name in con.list_tables()}
    report, history = of_a_report(tables), of_all_history(tables)
    rows = {
        "report": [measure(con, name, question, runs) for name, question in report.items()],
        "history": [measure(con, name, question, runs) for name, question in history.items()],
    }
    read: dict[str, set[str]] = {}
    for question in report.values():
        for table, names in columns_of(con, to_sql(question)).items():
            read.setdefault(table, set()).update(names)
    whole = statistics.median(seconds(lambda: scan(con, read)) for _ in range(runs))
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({**rows, "whole": whole, "held": held}))


def measure(con: ibis.BaseBackend, name: str, question: ir.Table, runs: int) -> tuple[str, float, float]:
    """Return a question's name, its median seconds and those of one scan of its columns, taken in turns."""
    query = to_sql(question)
    columns = columns_of(con, query)

    def ask() -> None:
        con.raw_sql(query).fetchall()

    ask(), scan(con, columns)
    pairs = [(seconds(ask), seconds(lambda: scan(con, columns))) for _ in range(runs)]
    return name, statistics.median(asked for asked, _ in pairs), statistics.median(scanned for _, scanned in pairs)


def main() -> None:
    """Print times, their ratios and memory, each with its limit."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--events", type=int, default=20_000_000)
    arguments.add_argument("--runs", type=int, default=5)
    arguments.add_argument("--task", choices=["make", "run"], help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    path = FOLDER / f"{chosen.events}.duckdb"
    if chosen.task:
        make(path, chosen.events) if chosen.task == "make" else run(path, chosen.runs)
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    again = [sys.executable, __file__, "--events", str(chosen.events), "--runs", str(chosen.runs)]
    # In a process of its own too: what a process holds is counted from its parent on. The file of a run before serves.
    if not path.exists():
        subprocess.run([*again, "--task", "make"], check=True, cwd=shops.ROOT)
    told = json.loads(subprocess.run([*again, "--task", "run"], check=True, stdout=subprocess.PIPE).stdout)
    table = Table("Question", "Seconds", "Scan", "Ratio", title=f"The overview of {chosen.events:,} events")
    for name, asked, scanned in told["report"]:
        table.add_row(name, f"{asked:.3f}", f"{scanned:.3f}", f"{asked / scanned:.2f}")
    table.add_section()
    asked, scanned = (sum(row[place] for row in told["report"]) for place in (1, 2))
    ratio = f"{asked / scanned:.2f} (limit {SLOWEST})"
    table.add_row("all of these, a scan each", f"{asked:.3f}", f"{scanned:.3f}", ratio)
    ratio = f"{asked / told['whole']:.2f}"
    table.add_row("all of these, one scan for all", f"{asked:.3f}", f"{told['whole']:.3f}", ratio)
    table.add_row("memory, GiB", f"{told['held']:.2f} (limit {MOST_MEMORY})", "", "")
    table.add_section()
    for name, asked, scanned in told["history"]:
        table.add_row(name, f"{asked:.3f}", f"{scanned:.3f}", f"{asked / scanned:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
