"""How long a report of the fixture shop takes, against papermill alone over the same notebooks, one after another.

    python benchmarks/report.py [--rounds 1]

The shop is built before. The peer runs each notebook in a kernel of its own and publishes nothing; it is what one
would type in a loop. Each runs as a process of its own, in turns: measured are wall clock, CPU of the process and all
that it started, and, twice a second, the memory of them all, shared pages counted once. CPU is what counts where a
machine does other work as well; the limit of wall clock is for 2 idle cores.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ecomkit.report.run import NOTEBOOKS
from ecomkit.shop import build_shop

# Seconds; times of the peer; GiB.
LONGEST, MOST_CPU, MOST_MEMORY = 60, 0.9, 1.5
SHOP, WEEK = "shop", "2026-W44"
PEER = """
import sys, papermill
for path in sys.argv[2:]:
    papermill.execute_notebook(path, sys.argv[1], parameters={"shop_name": "shop"}, progress_bar=False)
"""
_TICKS = os.sysconf("SC_CLK_TCK")


def kit(folder: Path) -> list[str]:
    """Return the command of a report."""
    return [sys.executable, "-m", "ecomkit", "report", SHOP, "--week", WEEK, "--out", str(folder / "report")]


def peer(folder: Path) -> list[str]:
    """Return the command that runs the notebooks with papermill alone."""
    notebooks = [str(path) for path in sorted(NOTEBOOKS.glob("*.ipynb"))]
    return [sys.executable, "-c", PEER, str(folder / "executed.ipynb"), *notebooks]


def measured(command: list[str]) -> tuple[float, float, float]:
    """Return wall clock, CPU seconds and GiB at most of a command and of all processes that it started."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    spent: dict[str, float] = {}
    most = 0.0
    while process.poll() is None:
        family = _family(process.pid)
        for pid in family:
            # A process that nobody waits for tells its CPU only while it lives.
            spent[pid] = max(spent.get(pid, 0.0), _cpu(pid))
        most = max(most, sum(_held(pid) for pid in family))
        time.sleep(0.5)
    if process.returncode:
        raise SystemExit(f"'{' '.join(command)}' ended with status {process.returncode}.")
    return time.perf_counter() - started, sum(spent.values()), most


def _family(ancestor: int) -> list[str]:
    parents = {pid: fields[1] for pid in filter(str.isdecimal, os.listdir("/proc")) if (fields := _status(pid))}
    found, new = [], [str(ancestor)]
    while new:
        found += new
        new = [pid for pid, parent in parents.items() if parent in new]
    return found


def _status(pid: str) -> list[str]:
    """Return what follows the name in a process's line: state, parent and so on; nothing where it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _cpu(pid: str) -> float:
    fields = _status(pid)
    return (int(fields[11]) + int(fields[12])) / _TICKS if fields else 0.0


def _held(pid: str) -> float:
    """Return the GiB of a process; of pages that several share, its part."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 2**20


def main() -> None:
    """Print times, their ratios and memory, each with its limit."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=1)
    chosen = arguments.parse_args()
    build_shop(SHOP)
    found = {peer: [], kit: []}
    for _round in range(chosen.rounds):
        for command, rows in found.items():
            with tempfile.TemporaryDirectory() as folder:
                rows.append(measured(command(Path(folder))))
    alone, report = ([statistics.median(column) for column in zip(*rows, strict=True)] for rows in found.values())
    table = Table("What", "Papermill alone", "Report", "Ratio", "Limit", title="A report of the fixture shop")
    for number, (what, limit) in enumerate(
        [
            ("wall clock, seconds", f"{LONGEST} on 2 idle cores"),
            ("CPU, seconds", f"ratio {MOST_CPU}"),
            ("memory at most, GiB", f"{MOST_MEMORY}"),
        ]
    ):
        ratio = report[number] / alone[number]
        table.add_row(what, f"{alone[number]:.2f}", f"{report[number]:.2f}", f"{ratio:.2f}", limit)
    Console().print(table)


if __name__ == "__main__":
    main()
