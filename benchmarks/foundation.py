"""How long the weekly report takes, against the limits set for it on two cores.

    python benchmarks/foundation.py

Times are wall clock. A build is a new one into a file of its own; the report is that
of a shop that is built, so the two add up to a first report. The real gift shop is
measured where its file lies (examples/online_retail/README.md).
"""

import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ecomkit import shop as shops
from ecomkit.report.run import run_report

# Seconds on two cores.
LIMITS = {
    ("shop", "build and report"): 60,
    ("online_retail", "build"): 10,
    ("online_retail", "report"): 90,
}
WEEKS = {"shop": "2026-W44", "online_retail": "2011-W48"}
REAL_FILE = shops.ROOT / "examples/online_retail/online_retail.parquet"


def seconds_of(work) -> float:
    """Run `work` once and return the seconds that passed."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measure(name: str, scratch: Path) -> dict[str, float]:
    """Return the seconds of a build, of the report after it, and of both."""
    quiet = Console(quiet=True)
    build = seconds_of(lambda: shops.build_shop(name, into=scratch / f"{name}.duckdb"))
    shops.build_shop(name)
    report = seconds_of(lambda: run_report(name, week=WEEKS[name], out=scratch / name, console=quiet))
    return {"build": build, "report": report, "build and report": build + report}


def main() -> None:
    """Print each measured time with its limit and their ratio."""
    table = Table("Shop", "Step", "Seconds", "Limit", "Ratio", title="The weekly report against its limits")
    with tempfile.TemporaryDirectory() as folder:
        names = ["shop"] + (["online_retail"] if REAL_FILE.exists() else [])
        for name in names:
            measured = measure(name, Path(folder))
            for (shop, step), limit in LIMITS.items():
                if shop == name:
                    spent = measured[step]
                    table.add_row(shop, step, f"{spent:.1f}", str(limit), f"{spent / limit:.2f}")
    Console().print(table)
    if "online_retail" not in names:
        print("online_retail was not measured: its file is not there (see examples/online_retail/README.md).")


if __name__ == "__main__":
    main()
