"""What the terminal shows while a report runs: lines, a bar over the notebooks, and where time went."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from ecomkit.report.execute import Run, run_notebooks


class Times:
    """Seconds spent on each step, in the order in which they began."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def add(self, step: str, seconds: float) -> None:
        """Count seconds towards a step."""
        self.seconds[step] = self.seconds.get(step, 0.0) + seconds

    @contextmanager
    def of(self, step: str) -> Iterator[None]:
        """Count the time of the block towards a step."""
        started = time.perf_counter()
        yield
        self.add(step, time.perf_counter() - started)

    def show(self, console: Console) -> None:
        """Print the steps with their seconds."""
        table = Table("Step", Column("Seconds", justify="right"), title="Where time went", title_justify="left")
        for step, spent in self.seconds.items():
            table.add_row(escape(step), f"{spent:.1f}")
        console.print(table)


def run_shown(
    notebooks: Sequence[Path], values: Mapping[str, Mapping[str, Any]], folder: Path, console: Console, times: Times
) -> Iterator[Run]:
    """Run the notebooks under a progress bar and yield each as it ends."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("Running notebooks", total=len(notebooks))
        for run in run_notebooks(notebooks, values, folder):
            times.add(run.name, run.seconds)
            yield run
            progress.advance(task)
            say_line(progress.console, f"{run.name} {'failed' if run.failure else 'done'} in {run.seconds:.1f} s")


def say_line(console: Console, line: str) -> None:
    """Print a line as it is."""
    console.print(line, soft_wrap=True, markup=False, highlight=False)
