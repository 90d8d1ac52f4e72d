"""The weekly report: build the shop, run the notebooks, publish what they say."""

import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from ecomkit import shop as shops
from ecomkit.check import place, verdict
from ecomkit.errors import EcomkitError, UsageError
from ecomkit.periods import Period, iso_week
from ecomkit.report import parameters as notebook_parameters
from ecomkit.report.execute import Run, run_notebooks
from ecomkit.report.publish import appearing, refuse_foreign_folder
from ecomkit.trust import Light, light_and_reasons
from ecomkit.words import day

NOTEBOOKS = shops.ROOT / "notebooks"


@dataclass(frozen=True)
class Published:
    """Where a report lies, and the notebooks that failed; no folder where there was nothing to publish."""

    folder: Path | None
    failed: tuple[str, ...] = ()


def run_report(
    shop_name: str,
    *,
    week: str = "last",
    out: Path | None = None,
    parameters: Mapping[str, Any] | None = None,
    console: Console | None = None,
    notebooks: Path = NOTEBOOKS,
) -> Published:
    """Publish one week of a shop as HTML pages and a report.json.

    A notebook that fails is named on the index, and the others are published.
    A week outside the data publishes nothing. The folder appears whole or not
    at all; an older report of the week is replaced.

    Parameters
    ----------
    shop_name
        A folder with a shop.toml, or the name of a fixture or example.
    week
        An ISO week such as `2026-W44`, or `last` for the last complete one.
    out
        The report's own folder; by default `reports/<shop>/<week>` of the kit, with `-part` behind it under filters.
    parameters
        Values for the parameters that notebooks declare.
    console
        Where progress and times are shown.
    notebooks
        The folder of the notebooks.
    """
    console = console or Console()
    folder = shops.find_shop(shop_name)
    paths = sorted(notebooks.glob("*.ipynb"))
    if not paths:
        raise UsageError(f"'{notebooks}' holds no notebook. A report runs every '*.ipynb' there.")
    if week != "last":
        iso_week(week, "UTC")
    values = notebook_parameters.check(parameters or {}, paths)
    part = next((chosen["filters"] for chosen in values.values() if chosen.get("filters")), None)
    if out is not None:
        refuse_foreign_folder(out)

    seconds: dict[str, float] = {}
    with _timed(seconds, "build"), console.status("Building the shop"):
        shop = shops.open_shop(shop_name, filters=part)
    period = shop.week(week)
    contents = shop.contents(period)
    _refuse_untrusted(shop)
    if _is_outside(period, contents):
        _show(console, _outside(shop.settings.name, period, contents))
        return Published(None)

    light = light_and_reasons(shop, period)
    # A report of a part never takes the place of the whole one.
    target = out or shops.ROOT / "reports" / folder.name / (f"{period.label}-part" if part else period.label)
    refuse_foreign_folder(target)
    given = {"shop_name": shop_name, "week": period.label}
    values = {name: given | chosen for name, chosen in values.items()}
    with tempfile.TemporaryDirectory() as scratch, appearing(target) as new:
        runs = _run_all(paths, values, Path(scratch), console)
        seconds |= {run.name: run.seconds for run in runs}
        with _timed(seconds, "pages"):
            _write(new, shop, period, contents, light, runs)
        failed = [run for run in runs if run.failure]
        kept = shops.STORE / "failed" / folder.name / period.label
        _keep_failed(failed, kept)
    for run in failed:
        _show(console, f"{run.name} failed: {run.failure}")
    if failed:
        _show(console, f"The failed notebooks, as far as they came, are in {kept}")
    _show_times(console, seconds)
    _show(console, str(target / "index.html"))
    return Published(target, tuple(run.name for run in failed))


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    seconds[step] = time.perf_counter() - started


def _refuse_untrusted(shop: shops.Shop) -> None:
    """Stop where more rows were quarantined than the shop's limit allows."""
    judged = verdict(shop)
    if not judged.ok:
        [first] = shop.quarantine.order_by("source_file", "line_number").limit(1).to_pyarrow().to_pylist()
        raise EcomkitError(
            f"{judged.sentence} The first is {place(first)}; the table 'quarantine' has them all, and "
            f"`ecomkit check` shows an example of each. "
            f"Mend these rows at their source, or raise the limit if the rest is enough to decide on."
        )


def _is_outside(period: Period, contents: Mapping[str, Any]) -> bool:
    first, last = contents["first_day"], contents["last_day"]
    return first is None or period.end <= first or period.start > last


def _outside(shop: str, period: Period, contents: Mapping[str, Any]) -> str:
    if contents["first_day"] is None:
        return f"{shop} has no data yet. Nothing was published."
    return (
        f"Week {period.label} lies outside the data of {shop}, which spans {day(contents['first_day'])} "
        f"to {day(contents['last_day'])}. Nothing was published."
    )


def _run_all(
    paths: Sequence[Path], values: Mapping[str, Mapping[str, Any]], folder: Path, console: Console
) -> list[Run]:
    """Run the notebooks under a progress bar; return them in the notebooks' order."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    runs = {}
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("Running notebooks", total=len(paths))
        for run in run_notebooks(paths, values, folder):
            runs[run.name] = run
            progress.advance(task)
            word = "failed" if run.failure else "done"
            _show(progress.console, f"{run.name} {word} in {run.seconds:.1f} s")
    return [runs[path.stem] for path in paths]


def _write(
    new: Path, shop: shops.Shop, period: Period, contents: Mapping[str, Any], light: Light, runs: Sequence[Run]
) -> None:
    """Write every page and report.json into the folder `new`."""
    from ecomkit.report.cards import cards_page
    from ecomkit.report.index import Entry, corrected, index_page, report_json, span
    from ecomkit.report.page import handed_over, heading, notebook_body, render

    entries, headlines = [], []
    for run in runs:
        question, lead = heading(run.source)
        entries.append(Entry(run.name, question, lead, run.failure))
        if run.failure:
            continue
        headlines += handed_over(run.executed)
        page = render(
            "page.html.j2",
            title=f"{question} {shop.settings.name}, week {period.label}",
            shop=shop.settings.name,
            week=period.label,
            span=span(period),
            body=notebook_body(run.executed),
        )
        (new / f"{run.name}.html").write_text(page, encoding="utf-8")
    told = {
        "shop": shop.settings.name,
        "currency": shop.currency,
        "period": period,
        "contents": contents,
        "headlines": corrected(headlines),
        "entries": entries,
        "light": light,
    }
    (new / "index.html").write_text(index_page(**told), encoding="utf-8")
    of_week = {"shop": shop.settings.name, "place": shop.name, "period": period, "headlines": headlines}
    (new / "metrics.html").write_text(cards_page(**of_week), encoding="utf-8")
    (new / "report.json").write_text(report_json(**told), encoding="utf-8")


def _keep_failed(failed: Sequence[Run], folder: Path) -> None:
    """Keep failed notebooks, with their tracebacks, where only the analyst looks."""
    shutil.rmtree(folder, ignore_errors=True)
    for run in failed:
        if run.executed.exists():
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(run.executed, folder)


def _show(console: Console, line: str) -> None:
    console.print(line, soft_wrap=True, markup=False, highlight=False)


def _show_times(console: Console, seconds: Mapping[str, float]) -> None:
    table = Table("Step", Column("Seconds", justify="right"), title="Where time went", title_justify="left")
    for step, spent in seconds.items():
        table.add_row(escape(step), f"{spent:.1f}")
    console.print(table)
