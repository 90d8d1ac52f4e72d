"""From a shop's sources to its canonical tables, step by step, in one DuckDB file."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis import _

from ecomkit.column_types import MONEY
from ecomkit.errors import SourceError
from ecomkit.pipeline import (
    daily_counts,
    emails,
    events,
    money,
    people,
    sessions,
    spend,
)
from ecomkit.pipeline.call_steps import locate_calls, quarantined_calls, read_calls
from ecomkit.pipeline.known import Known, first_unknown_day
from ecomkit.pipeline.order_steps import make_orders, read_order_rows
from ecomkit.pipeline.unusable_rows import quarantined_rows
from ecomkit.pipeline.workbench import Workbench, open_workbench, rows_of
from ecomkit.row_accounts import BUILD_LOG, QUARANTINE, ROW_REASONS
from ecomkit.schemas import CANONICAL
from ecomkit.settings import Settings
from ecomkit.sources.ad_spend import read_ad_spend

_RATES = {"date": "date", "currency": "string", "rate": "decimal(18, 8)"}


def build(
    settings: Settings,
    target: Path,
    *,
    salt: str,
    fingerprint: str,
    progress: Callable[[str], None],
    known: Known | None = None,
) -> None:
    """Build every canonical table of a shop into a new DuckDB file at `target`.

    Bad rows land in `quarantine`, they never stop the build. Tables of sources that
    the shop does not have are empty. With `known`, only what had been received by then is used:
    identities and sessions too are those of that moment.

    Raises
    ------
    SourceError
        If a file is missing, empty or of another form than the settings say, or a rate is missing.
    """
    with open_workbench(settings, target, progress, known) as bench:
        rates = _read_rates(bench)
        judged, items, portions = read_calls(bench, salt)
        _count_days(bench)
        calls, landed = locate_calls(bench)
        rows = read_order_rows(bench, calls, salt)
        made, lines = make_orders(bench, calls, items, rows, landed, rates)
        _make_events(bench, calls, items, landed, made, lines)
        _make_emails(bench, calls)
        spent = _make_spend(bench, rates)
        unusable = [quarantined_calls(bench, judged, portions)]
        unusable += [quarantined_rows(bench, table) for table in (rows, spent) if table is not None]
        unusable = [table.cast(QUARANTINE) for table in unusable]
        bench.keep("quarantine", ibis.union(*unusable).order_by("source_file", "line_number"))
        _write_log(bench, fingerprint)


def judge(settings: Settings, target: Path, *, salt: str, progress: Callable[[str], None]) -> None:
    """Read and judge a shop's calls and go no further: orders are counted, not priced, so no rate is asked for.

    The file has every canonical table, but only `quarantine`, `build_log` and `row_reasons` have rows.

    Raises
    ------
    SourceError
        If a file is missing, empty or cannot be read to its end.
    """
    with open_workbench(settings, target, progress) as bench:
        judged, _items, portions = read_calls(bench, salt)
        with bench.log.step("orders") as counts:
            told = judged.filter(_.outcome == "kept", _.event_name == "Order Completed")
            counts["rows_in"] = rows_of(told)
            counts["rows_out"] = rows_of(told.select("order_id").distinct())
            counts["duplicates"] = counts["rows_in"] - counts["rows_out"]
        bench.keep("quarantine", quarantined_calls(bench, judged, portions))
        _write_log(bench, fingerprint="")
        for name in CANONICAL.keys() - bench.con.list_tables():
            bench.keep_empty(name)


def _read_rates(bench: Workbench) -> ir.Table:
    path = bench.settings.rates
    if path is None:
        return bench.con.create_table("rates", schema=ibis.schema(_RATES), temp=True)
    if not path.is_file():
        raise SourceError(f"There is no file '{path}', which 'rates' names in [money]. Correct the path in shop.toml.")
    try:
        rates = bench.lay_out("rates", bench.con.read_csv(path, columns=_RATES, header=True))
    except duckdb.Error as error:
        raise SourceError(
            f"'{path}' is no table of rates: {str(error).splitlines()[0]}. "
            "Give a CSV with the columns date, currency, rate."
        ) from error
    money.check_rate_table(rates)
    return rates


def _make_events(
    bench: Workbench, calls: ir.Table, items: ir.Table, landed: ir.Table, made: ir.Table, lines: ir.Table
) -> None:
    with bench.log.step("events, sessions, people") as counts:
        visits = bench.keep("sessions", sessions.finished_sessions(landed, made))
        bench.keep("people", people.people(calls, visits, made))
        bench.keep("product_events", events.product_events(calls, items, lines, made))
        finished = bench.keep("events", events.finished_events(calls))
        counts["rows_in"], counts["rows_out"] = rows_of(calls), rows_of(finished)


def _count_days(bench: Workbench) -> None:
    with bench.log.step("calls per day") as counts:
        zone, verdicts = bench.settings.time_zone, bench.table("verdicts")
        counted = bench.keep("call_days", daily_counts.call_days(verdicts, bench.table("calls"), zone=zone))
        kept = bench.table("kept_calls")
        bench.keep("property_days", daily_counts.property_days(kept, bench.table("call_items"), zone=zone))
        # A call that does not say when it was made is in no day; reading it has put it into quarantine.
        counts["rows_in"] = rows_of(verdicts.filter(_.occurred_at.notnull()))
        counts["rows_out"] = counted.calls.sum().fill_null(0).to_pyarrow().as_py()


def _make_emails(bench: Workbench, calls: ir.Table) -> None:
    with bench.log.step("emails") as counts:
        judged = bench.lay_out("judged_emails", emails.judged_emails(calls))
        bench.log.count(counts, judged.select("outcome", "reason"))
        if not counts["rows_in"]:
            bench.keep_empty("emails")
            bench.keep_empty("email_clicks")
            return
        told = bench.lay_out("message_calls", emails.message_calls(judged, zone=bench.settings.time_zone))
        bench.keep("emails", emails.finished_emails(told))
        bench.keep("email_clicks", emails.finished_clicks(told))


def _make_spend(bench: Workbench, rates: ir.Table) -> ir.Table | None:
    """Keep `ad_spend`, and return all its rows with their outcome, None in a shop without spend."""
    sources, currency = bench.sources("ad_spend"), bench.settings.currency
    if not sources:
        bench.keep_empty("ad_spend")
        return None
    with bench.log.step("read ad spend") as counts:
        read_ad_spend(bench.con.con, sources, currency=currency, retargeting=bench.settings.retargeting)
        known_before = bench.known and first_unknown_day(bench.known, bench.settings.time_zone)
        judged = spend.judged_spend(bench.con.table("spend_rows"), known_before=known_before)
        judged = bench.lay_out("judged_spend", judged)
        bench.log.count(counts, judged.select("outcome", "reason", amount=_.spend.round(4).cast(MONEY)))
        bench.log.correct(counts, spend.remarks(judged))
        days = spend.by_campaign(judged.filter(_.outcome == "kept"))
        rated = bench.lay_out("rated_spend", money.converted(days, rates, day=days.date, currency=currency))
        money.check_rates(rated)
        bench.keep("ad_spend", spend.finished_spend(rated, currency=currency))
        return judged


def _write_log(bench: Workbench, fingerprint: str) -> None:
    steps = [{**step, "fingerprint": fingerprint} for step in bench.log.steps]
    for name, rows, schema in (("build_log", steps, BUILD_LOG), ("row_reasons", bench.log.reasons, ROW_REASONS)):
        bench.con.create_table(name, pa.Table.from_pylist(rows, schema=schema.to_pyarrow()))
