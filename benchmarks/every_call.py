"""How long a build of millions of calls takes, against DuckDB alone reading the same columns of the same files.

    python benchmarks/every_call.py [--calls 5000000] [--memory-only]

The peer declares the shape of a call to `read_json`, takes the columns that the kit takes, and keeps
the first row received of each message id: what anyone with DuckDB would write in an hour. The kit's
build does that, and judges, corrects, hashes, stitches, sessionises and prices on top. Both run in
processes of their own, one after the other, on the same files, and the ratio of their times is what is
held to a limit. The files are a simulated shop, copied under other ids until there are enough calls,
gzipped in a folder per month as Segment's archive has them.
"""

import argparse
import gzip
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

from ecomkit import shop as shops
from ecomkit.pipeline.tracking_plan import PROPERTIES
from ecomkit.simulate import simulate
from ecomkit.sources.calls import SENT

# Times of the peer, and GiB.
SLOWEST, MOST_MEMORY = 4, 4
_IDS = re.compile(r'"(messageId|anonymousId|userId|order_id|cart_id|checkout_id|email_id|delivery_id)":"([^"]+)"')


def make_calls(folder: Path, calls: int) -> int:
    """Write a shop of at least `calls` calls; return how many lines it has."""
    made = simulate(folder, seed=3, customers=6000, months=27)["put_in"]["lines"]
    months = sorted((folder / "segment").glob("*.ndjson.gz"))
    copies = -(-calls // made)
    for month in months:
        text = gzip.decompress(month.read_bytes()).decode()
        for copy in range(1, copies):
            other = _IDS.sub(rf'"\1":"\2-{copy}"', text).replace("@", f".{copy}@")
            (month.parent / f"{month.name[:7]}-{copy}.ndjson.gz").write_bytes(
                gzip.compress(other.encode(), compresslevel=6, mtime=0)
            )
    return made * copies


def peer(folder: Path) -> None:
    """Read the calls with DuckDB alone: the same columns, each message id once."""
    shape: dict = {"properties": {"products": "JSON[]"}}
    paths = [path for found in SENT.values() for path in found]
    paths += [f"$.properties.{key}" for keys in PROPERTIES.values() for key in keys]
    for path in paths:
        *parents, leaf = path.split(".")[1:]
        place = shape
        for parent in parents:
            place = place.setdefault(parent, {})
        place[leaf] = "VARCHAR"
    columns = ", ".join(f"'{name}': '{_type_of(kind)}'" for name, kind in shape.items())
    con = duckdb.connect(str(folder / "peer.duckdb"))
    con.execute(
        f"""CREATE TABLE calls AS
        SELECT * FROM read_json('{folder}/segment/*.gz', columns = {{{columns}}}, format = 'newline_delimited',
            ignore_errors = true)
        QUALIFY row_number() OVER (PARTITION BY "messageId" ORDER BY "receivedAt") = 1"""
    )
    print(con.execute("SELECT count(*) FROM calls").fetchone()[0], file=sys.stderr)


def _type_of(kind: str | dict) -> str:
    if isinstance(kind, str):
        return kind
    return "STRUCT(" + ", ".join(f'"{name}" {_type_of(inner)}' for name, inner in kind.items()) + ")"


def kit(folder: Path) -> None:
    """Build the shop."""
    shops.build_shop(str(folder), into=folder / "kit.duckdb", progress=lambda step: print(step, file=sys.stderr))


def measure(task: str, folder: Path) -> tuple[float, float]:
    """Run a task in a process of its own; return its seconds and the GiB that it held at most."""
    program = (
        "import json, resource, sys, time\nfrom pathlib import Path\n"
        "sys.path.insert(0, 'benchmarks')\nimport every_call\n"
        f"started = time.perf_counter(); every_call.{task}(Path({str(folder)!r}))\n"
        "held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20\n"
        "print(json.dumps([time.perf_counter() - started, held]))"
    )
    ran = subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.PIPE, cwd=shops.ROOT)
    return tuple(json.loads(ran.stdout.splitlines()[-1]))


def main() -> None:
    """Print times, their ratio and memory, each with its limit."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--calls", type=int, default=5_000_000)
    arguments.add_argument("--memory-only", action="store_true", help="Leave the peer out.")
    chosen = arguments.parse_args()
    table = Table("What", "Measured", "Limit", title="Every call")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "shop"
        started = time.perf_counter()
        lines = make_calls(folder, chosen.calls)
        print(f"{lines} calls made in {time.perf_counter() - started:.0f} s", file=sys.stderr)
        seconds, held = measure("kit", folder)
        table.add_row(f"build of {lines:,} calls, seconds", f"{seconds:.1f}", "")
        table.add_row("memory of the build, GiB", f"{held:.2f}", str(MOST_MEMORY))
        if not chosen.memory_only:
            alone, _held = measure("peer", folder)
            table.add_row("DuckDB alone, seconds", f"{alone:.1f}", "")
            table.add_row("ratio", f"{seconds / alone:.2f}", str(SLOWEST))
    Console().print(table)


if __name__ == "__main__":
    main()
