"""The command line: `ecomkit simulate | init | build | check | identity | report | explain | diff`, SHOP first."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ecomkit.errors import EcomkitError, UsageError, quoted

app = typer.Typer(
    help="Numbers of an online shop that tracks with Segment, and the notebooks that explain them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

_MOST_UNUSED = 10

Shop = Annotated[
    str, typer.Argument(help="A folder with a shop.toml, or the name of a fixture or example: shop, tiny.")
]


@app.command(epilog="Example: ecomkit simulate my-shop --seed 7 --customers 500 --months 12")
def simulate(
    folder: Annotated[
        Path, typer.Argument(help="Where the made-up shop is written, over an older one if there is one.")
    ],
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
    customers: Annotated[int, typer.Option(min=1, help="About how many customers the shop has.")] = 800,
    months: Annotated[int, typer.Option(min=1, help="Months of history.")] = 27,
) -> None:
    """Make up a shop, as Segment calls and ad spend, with known truths in truth.json."""
    from ecomkit import simulate as simulation

    if folder.exists() and not (folder / "truth.json").is_file():
        raise UsageError(
            f"'{folder}' exists and is not a made-up shop, so it is not written over. Name another folder."
        )
    simulation.simulate(folder, seed=seed, customers=customers, months=months, breaks=simulation.SMALL_BREAKS)
    _show(str(folder))


@app.command(epilog="Example: ecomkit init my-shop")
def init(
    source: Annotated[
        str, typer.Argument(help="A folder or file of what the shop has, a DuckDB file, or postgres://host/database.")
    ],
    into: Annotated[
        Path | None, typer.Option(help="Where the shop.toml is written. [default: the folder, or beside the file]")
    ] = None,
) -> None:
    """Write a commented shop.toml from what is found, and say what could not be told."""
    from ecomkit.init import start_shop

    start = start_shop(source, into=into)
    table = Table("source", "what it is")
    for place, what in start.sources:
        table.add_row(Text(place), Text(what))
    console = Console()
    console.print(table)
    for heading, lines in (("Could not tell", start.unclear), ("Not used", start.unused[:_MOST_UNUSED])):
        if lines:
            _show("\n".join([f"{heading}:", *(f"  {line}" for line in lines)]))
    if len(start.unused) > _MOST_UNUSED:
        _show(f"  and {len(start.unused) - _MOST_UNUSED} more")
    _show(f"Written: {start.path}")


@app.command(epilog="Example: ecomkit build shop --into shop.duckdb")
def build(
    shop: Shop,
    into: Annotated[Path | None, typer.Option(help="A DuckDB file that gets the tables under their own names.")] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Use only what had been received by the end of this day."),
    ] = None,
) -> None:
    """Read a shop's sources and build its tables; a shop that did not change is not built again."""
    from ecomkit.shop import build_shop

    with _building(shop) as progress:
        path = build_shop(shop, into=into, as_of=as_of.date() if as_of else None, progress=progress)
    _show(str(path))


@app.command(epilog="Example: ecomkit check shop --json")
def check(
    shop: Annotated[str, typer.Argument(help="As for the other commands, or a bare file or folder of Segment calls.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Say what of the shop's rows was kept, corrected and set aside, and why; exit status 1 past the threshold."""
    from ecomkit import check_table
    from ecomkit.check import opened

    with ExitStack() as opening:
        with _building(shop) as progress:
            checked, bare = opening.enter_context(opened(shop, progress=progress))
        if as_json:
            text, trusted = check_table.as_json(checked, bare=bare)
            typer.echo(text)
        else:
            trusted = check_table.show(checked, Console(), bare=bare)
    if not trusted:
        raise typer.Exit(1)


@app.command(epilog="Example: ecomkit identity shop")
def identity(shop: Shop) -> None:
    """Say which identifiers were taken for one person's, what merging did, and which look shared."""
    from ecomkit import identity_table
    from ecomkit.shop import open_shop

    with _building(shop) as progress:
        opened = open_shop(shop, progress=progress)
    identity_table.show(opened, Console())


@app.command(epilog="Example: ecomkit report shop --only 02_funnel --param by=device")
def report(
    shop: Shop,
    week: Annotated[
        str | None, typer.Option(help="An ISO week such as 2026-W44. [default: the last complete one]")
    ] = None,
    first: Annotated[str | None, typer.Option("--from", help="With --to: every week from here on.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="The last of these weeks.")] = None,
    only: Annotated[str | None, typer.Option(help="The one notebook to run, such as 02_funnel.")] = None,
    out: Annotated[Path | None, typer.Option(help="The report's own folder. [default: reports/SHOP/WEEK]")] = None,
    param: Annotated[list[str] | None, typer.Option(help="NAME=VALUE for a notebook's parameter; repeatable.")] = None,
) -> None:
    """Run the notebooks for a week, or for many, and publish pages, index, brief and report.json.

    Exit status: 0 published, or nothing new and said so; 1 failed; 2 asked wrongly; 3 published with an alert.
    """
    from ecomkit.report.parameters import parse_arguments
    from ecomkit.report.run import run_report, run_reports

    told = {"only": only, "parameters": parse_arguments(param or [])}
    if first or last:
        _refuse_mixed_weeks(week, first, last, out)
        published = run_reports(shop, first, last, **told)
    else:
        published = [run_report(shop, week=week or "last", out=out, **told)]
    if any(one.failed for one in published):
        raise typer.Exit(1)
    if any(one.alerts for one in published):
        raise typer.Exit(3)


def _refuse_mixed_weeks(week: str | None, first: str | None, last: str | None, out: Path | None) -> None:
    given = [name for name, value in (("--week", week), ("--out", out)) if value]
    if not (first and last):
        raise UsageError("'--from' and '--to' go together: name the first week and the last.")
    if given:
        raise UsageError(f"{quoted(given)} cannot go with '--from' and '--to', which name many weeks. Leave one out.")


@app.command(epilog="Example: ecomkit explain shop aov --dialect postgres")
def explain(
    shop: Shop,
    metric: Annotated[str, typer.Argument(help="The metric's name, as in docs/metrics.md, or a headline's.")],
    week: Annotated[str, typer.Option(help="An ISO week such as 2026-W44, or the last complete one.")] = "last",
    dialect: Annotated[str, typer.Option(help="duckdb, postgres, bigquery, spark or snowflake.")] = "duckdb",
) -> None:
    """Show what a metric means, its query, the rows at each step of it, and five of those that went into it."""
    from ecomkit.explain import explain_metric

    _show(explain_metric(shop, metric, week=week, dialect=dialect))


@app.command(epilog="Example: ecomkit diff older/report.json reports/shop/2026-W44")
def diff(
    older: Annotated[Path, typer.Argument(help="The folder or report.json of the report that was published first.")],
    newer: Annotated[Path, typer.Argument(help="That of the newer report of the same week.")],
    shop: Annotated[str | None, typer.Option(help="The shop. [default: the one that the reports name]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Say which numbers of a week were restated between two reports, and what each cause added."""
    import json

    from ecomkit.report import diff_table
    from ecomkit.report.diff import diff as compare

    with _building(f"{newer} as it was") as progress:
        found = compare(older, newer, shop=shop, progress=progress)
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        diff_table.show(found, Console())


@contextmanager
def _building(shop: str) -> Iterator[Callable[[str], None]]:
    """Show on standard error which step of a build runs; standard output is for the result."""
    with Console(stderr=True).status(Text(f"Building {shop}")) as status:
        yield lambda step: status.update(Text(f"Building {shop}: {step}"))


def _show(text: str) -> None:
    Console().print(text, soft_wrap=True, markup=False, highlight=False)


def main() -> None:
    """Run the command line; what the user can mend is said in one message, without a traceback."""
    try:
        app()
    except EcomkitError as error:
        Console(stderr=True).print(str(error), soft_wrap=True, markup=False, highlight=False)
        raise SystemExit(2 if isinstance(error, UsageError) else 1) from None
