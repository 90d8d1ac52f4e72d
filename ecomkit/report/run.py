"""The weekly report: build the shop, run the notebooks, publish what they say."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from ecomkit import shop as shops
from ecomkit.alerts import alerts_of
from ecomkit.check import place, verdict
from ecomkit.errors import EcomkitError
from ecomkit.periods import Period, iso_week
from ecomkit.report.archive import PAGE, write_archive
from ecomkit.report.aside import Aside, found_aside
from ecomkit.report.asked import Asked, ask
from ecomkit.report.execute import Run, described
from ecomkit.report.ledger import remember
from ecomkit.report.made_from import made_from
from ecomkit.report.progress import Times, run_shown, say_line
from ecomkit.report.publish import appearing, refuse_foreign_folder
from ecomkit.report.published import digest_of_kit, is_published, keep_earlier
from ecomkit.report.restated import restated
from ecomkit.report.week_report import WeekReport, corrected
from ecomkit.report.weeks import last_settled_week, weeks_between
from ecomkit.report.write import Page, page_of, write_report
from ecomkit.words import day

NOTEBOOKS = shops.ROOT / "notebooks"


@dataclass(frozen=True)
class Published:
    """Where a report lies, the notebooks that failed, and its alerts; no folder where there was nothing to publish."""

    folder: Path | None
    failed: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()


def run_report(
    shop_name: str,
    *,
    week: str = "last",
    out: Path | None = None,
    only: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    console: Console | None = None,
    notebooks: Path = NOTEBOOKS,
) -> Published:
    """Publish one week of a shop: HTML pages with their tables as CSV, an index, a brief and a report.json.

    A notebook that fails is named on the index, and the others are published.
    A week outside the data publishes nothing, nor does the last week where nothing is
    new since it was published. The folder appears whole or not at all; an older
    report of the week is replaced.

    Parameters
    ----------
    shop_name
        A folder with a shop.toml, or the name of a fixture or example.
    week
        An ISO week such as `2026-W44`, or `last` for the last complete one that is settled.
    out
        The report's own folder; by default `reports/<shop>/<week>` of the kit, with the notebook behind it
        where only one runs, and `-part` under filters.
    only
        The one notebook to run; all by default.
    parameters
        Values for the parameters that notebooks declare.
    console
        Where progress and times are shown.
    notebooks
        The folder of the notebooks.

    Returns
    -------
    Published
        Without a folder where nothing was published.

    Raises
    ------
    UsageError
        If the week, the notebook or a parameter is none, or the folder holds something else than a report.
    EcomkitError
        If the shop cannot be built, or more of its rows were quarantined than it allows.
    """
    if week != "last":
        iso_week(week, "UTC")
    if out is not None:
        refuse_foreign_folder(out)
    asked = ask(shop_name, only, parameters or {}, console or Console(), notebooks)
    period = last_settled_week(asked.shop) if week == "last" else asked.shop.week(week)
    return _publish(asked, period, out or asked.folder(period), skip_known=week == "last" and out is None)


def run_reports(
    shop_name: str,
    first: str,
    last: str,
    *,
    only: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    console: Console | None = None,
    notebooks: Path = NOTEBOOKS,
) -> list[Published]:
    """Publish every week from `first` to `last`, oldest first, from a shop that is built once.

    A week that was published from the same data, settings and notebooks is not run
    again, so that a run that was stopped goes on where it was. What stops a report,
    as too many quarantined rows, stops those that would follow.

    Parameters
    ----------
    first, last
        ISO weeks, both included. The other parameters are those of `run_report`.
    """
    weeks_between(first, last, "UTC")
    asked = ask(shop_name, only, parameters or {}, console or Console(), notebooks)
    weeks = weeks_between(first, last, asked.shop.zone)
    published = []
    for number, period in enumerate(weeks, start=1):
        say_line(asked.console, f"Week {period.label}, {number} of {len(weeks)}")
        published.append(_publish(asked, period, asked.folder(period), skip_known=True))
    return published


def _publish(asked: Asked, period: Period, target: Path, *, skip_known: bool) -> Published:
    """Run the notebooks for one week and put what they say into `target`."""
    shop, console = asked.shop, asked.console
    contents = shop.contents(period)
    _refuse_untrusted(shop)
    refuse_foreign_folder(target)
    if (outside := _outside(shop, period, contents)) is not None:
        say_line(console, f"{outside} Nothing was published.")
        return Published(None)
    made = made_from(shop, asked.notebooks) | {"kit": digest_of_kit(asked.notebooks)}
    if skip_known and is_published(target, made, asked.given):
        say_line(
            console,
            f"Nothing new since the report of week {period.label}: data, settings and notebooks are the same. "
            "Nothing was published.",
        )
        say_line(console, str(target / PAGE))
        return Published(None)

    remember(shop.settings.folder)
    times = Times()
    times.add("build", asked.seconds)
    is_kept_with_others = target == asked.folder(period)
    with tempfile.TemporaryDirectory() as scratch, appearing(target) as new:
        runs, pages, aside = _run_all(asked, period, Path(scratch), new, times)
        with times.of("pages"):
            report = _told(asked, period, contents, pages, aside, made, target)
            write_report(new, report, pages, archive=f"../{PAGE}" if is_kept_with_others else "")
            keep_earlier(target, new)
        failed = [run for run in runs if run.failure]
        kept = shops.STORE / "failed" / shop.name / period.label
        _keep_failed(failed, kept)
    if is_kept_with_others:
        write_archive(target.parent)
    for run in failed:
        say_line(console, f"{run.name} failed: {run.failure}")
    if failed:
        say_line(console, f"The failed notebooks, as far as they came, are in {kept}")
    if aside.failure:
        say_line(console, f"history failed: {aside.failure}")
    alerts = tuple(alert["sentence"] for alert in report.alerts)
    for alert in alerts:
        say_line(console, f"Alert: {alert}")
    times.show(console)
    say_line(console, str(target / PAGE))
    return Published(target, (*(run.name for run in failed), *(["history"] if aside.failure else [])), alerts)


def _run_all(
    asked: Asked, period: Period, scratch: Path, new: Path, times: Times
) -> tuple[list[Run], list[Page], Aside]:
    """Run the notebooks, make a page of each as it ends, and find out beside them what no notebook says."""
    given = {"shop_name": asked.shop_name, "week": period.label}
    values = {name: given | chosen for name, chosen in asked.given.items()}
    runs, pages = {}, {}
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(found_aside, asked, period)
        for run in run_shown(asked.notebooks, values, scratch, asked.console, times):
            with times.of("pages"):
                runs[run.name], pages[run.name] = _paged(run, new)
        aside = asking.result()
    times.add("history", aside.seconds)
    names = [path.stem for path in asked.notebooks]
    return [runs[name] for name in names], [pages[name] for name in names], aside


def _paged(run: Run, new: Path) -> tuple[Run, Page]:
    """Return a run with its page; one whose page cannot be made has failed, and takes no other with it."""
    try:
        return run, page_of(run, new)
    except Exception as error:
        failed = replace(run, failure=described(error))
        return failed, page_of(failed, new)


def _told(
    asked: Asked,
    period: Period,
    contents: Mapping[str, Any],
    pages: Sequence[Page],
    aside: Aside,
    made: Mapping[str, Any],
    target: Path,
) -> WeekReport:
    shop = asked.shop
    headlines = [
        entry | {"history": [{"week": label, "value": value} for label, value in aside.history.get(entry["name"], ())]}
        for entry in corrected([entry for page in pages for entry in page.headlines])
    ]
    return WeekReport(
        shop=shop.settings.name,
        place=shop.name,
        currency=shop.currency,
        period=period,
        contents=contents,
        light=aside.light,
        entries=[page.entry for page in pages],
        headlines=headlines,
        alerts=alerts_of(shop.settings.alerts, headlines, shop.currency),
        restated=restated(shop, target, headlines, made, asked.given),
        parameters=asked.given,
        made_from=made,
        has_history=aside.failure is None,
    )


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


def _outside(shop: shops.Shop, period: Period, contents: Mapping[str, Any]) -> str | None:
    """Say that the week lies outside the data or holds none, None where it holds some."""
    first, last = contents["first_day"], contents["last_day"]
    if first is None:
        return f"{shop.settings.name} has no data yet."
    if period.end > first and period.start <= last:
        refunds = shop.refunds.filter(period.holds(shop.refunds.refunded_at)).count().to_pyarrow().as_py()
        if contents["sessions_in_period"] or contents["orders_in_period"] or refunds:
            return None
        return f"Week {period.label} holds no visit, no order and no refund of {shop.settings.name}."
    return (
        f"Week {period.label} lies outside the data of {shop.settings.name}, which spans {day(first)} to {day(last)}."
    )


def _keep_failed(failed: Sequence[Run], folder: Path) -> None:
    """Keep failed notebooks, with their tracebacks, where only the analyst looks."""
    shutil.rmtree(folder, ignore_errors=True)
    for run in failed:
        if run.executed.exists():
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(run.executed, folder)
