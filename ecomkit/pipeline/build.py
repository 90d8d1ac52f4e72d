"""From a shop's sources to its canonical tables, step by step, in one DuckDB file."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis import _

from ecomkit.column_types import MONEY
from ecomkit.errors import SourceError
from ecomkit.periods import local_date
from ecomkit.pipeline import (
    daily_counts,
    emails,
    events,
    money,
    order_rows,
    orders,
    people,
    refunds,
    sessions,
    spend,
)
from ecomkit.pipeline.call_steps import locate_calls, quarantined_calls, read_calls
from ecomkit.pipeline.identifiers import trusted
from ecomkit.pipeline.reconciliation import order_matches
from ecomkit.pipeline.unusable_rows import quarantined_rows
from ecomkit.pipeline.workbench import Workbench, open_workbench, rows_of
from ecomkit.row_accounts import BUILD_LOG, QUARANTINE, ROW_REASONS
from ecomkit.schemas import CANONICAL
from ecomkit.settings import Settings
from ecomkit.sources.ad_spend import read_ad_spend
from ecomkit.sources.order_files import read_order_files

_RATES = {"date": "date", "currency": "string", "rate": "decimal(18, 8)"}


def build(
    settings: Settings,
    target: Path,
    *,
    salt: str,
    fingerprint: str,
    progress: Callable[[str], None],
    known_until: datetime | None = None,
) -> None:
    """Build every canonical table of a shop into a new DuckDB file at `target`.

    Bad rows land in `quarantine`, they never stop the build. Tables of sources that
    the shop does not have are empty. With `known_until`, only what had been received before
    that instant is used: identities and sessions too are those of that moment.

    Raises
    ------
    SourceError
        If a file is missing, empty or of another form than the settings say, or a rate is missing.
    """
    with open_workbench(settings, target, progress, known_until) as bench:
        rates = _read_rates(bench)
        judged, items, portions = read_calls(bench, salt)
        _count_days(bench)
        calls, landed = locate_calls(bench)
        rows = _read_order_rows(bench, calls, salt)
        made, lines = _make_orders(bench, calls, items, rows, landed, rates)
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


def _read_order_rows(bench: Workbench, calls: ir.Table, salt: str) -> ir.Table | None:
    """Return all rows of order files with their outcome, None in a shop without such files."""
    sources = bench.sources("order_files")
    if not sources:
        return None
    with bench.log.step("read order lines") as counts:
        settings = bench.settings
        read_order_files(
            bench.con.con, sources, zone=settings.time_zone, currency=settings.currency, salt=salt,
            staff=settings.staff, test_orders=settings.test_orders,
        )  # fmt: skip
        rows = bench.con.table("order_rows")
        rows = order_rows.known_rows(rows, bench.known_until) if bench.known_until else rows
        # The undo list holds for files, too; their customers have the ids of users.
        rows = trusted(rows.rename(user_id="customer_id"), settings.undo).rename(customer_id="user_id")
        known = order_rows.as_called(rows, calls, bench.table("owners"))
        judged = bench.lay_out("judged_rows", order_rows.judged_rows(known))
        bench.log.count(counts, judged.select("outcome", "reason", "amount"))
        bench.log.correct(counts, order_rows.corrections(judged))
        return judged


def _make_orders(
    bench: Workbench, calls: ir.Table, items: ir.Table, rows: ir.Table | None, landed: ir.Table, rates: ir.Table
) -> tuple[ir.Table, ir.Table]:
    """Return the canonical `orders` and `order_lines`; keep `refunds` and `refund_lines` beside them."""
    zone, currency = bench.settings.time_zone, bench.settings.currency
    with bench.log.step("orders") as counts:
        drafts = called = bench.lay_out("order_drafts", orders.order_drafts(calls))
        lines = orders.line_drafts(drafts, items)
        sent_twice = drafts.select("order_id").limit(0)
        sent_back = refunds.refund_drafts(calls)
        returned_items = refunds.refund_items(sent_back, items)
        counts["rows_in"] = rows_of(calls.filter(_.event_name == "Order Completed"))
        if rows is not None:
            kept = rows.filter(_.outcome == "kept")
            counts["rows_in"] += kept.filter(_.kind != "refund").order_id.nunique().to_pyarrow().as_py()
            # An order that calls have sent already counts once, as the calls have it.
            new = kept.anti_join(drafts, "order_id")
            # So do its refund and its cancellation: what the file says of them counts where calls are silent.
            stated = order_rows.stated_refunds(kept).anti_join(sent_back, "order_id")
            told_by_calls = sent_back.filter(_.order_id.notnull()).select("order_id").distinct()
            returned = bench.lay_out("returned_lines", order_rows.refund_lines(kept))
            bench.log.note(counts, order_rows.told_again(returned.semi_join(told_by_calls, "order_id")))
            returned = returned.anti_join(told_by_calls, "order_id")
            lines = _together(lines, order_rows.line_drafts(new))
            sent_back = _together(_together(sent_back, order_rows.refund_drafts(returned)), stated)
            returned_items = _together(returned_items, order_rows.refund_items(returned))
            sent_twice = kept.filter(_.kind != "refund").semi_join(drafts, "order_id").select("order_id").distinct()
            drafts = bench.lay_out("all_drafts", _together(drafts, order_rows.order_drafts(new)))
        counts["duplicates"] = counts["rows_in"] - rows_of(drafts)
        if not counts["rows_in"] and not rows_of(sent_back):
            for name in ("refunds", "refund_lines", "order_matches"):
                bench.keep_empty(name)
            return bench.keep_empty("orders"), bench.keep_empty("order_lines")
        lines = bench.lay_out("line_drafts", lines)
        settings = bench.settings
        priced = orders.priced_orders(
            drafts, lines, rates, zone=zone, currency=currency, money_rule=settings.money_rule,
            rules_by_source=settings.rules_by_source,
        )  # fmt: skip
        priced = bench.lay_out("priced_orders", priced)
        bench.log.note(counts, orders.remarks(priced, sent_twice))
        if rows is not None and rows_of(called):
            exported = order_rows.order_drafts(kept)
            matches = order_matches(priced, called, exported, rates, zone=zone, currency=currency)
            bench.keep("order_matches", matches.order_by("ordered_at", "order_id"))
        else:
            bench.keep_empty("order_matches")
        made_lines = bench.keep("order_lines", orders.priced_lines(lines, priced))
        booked = _make_refunds(bench, sent_back, returned_items, priced, made_lines, rates)
        located = orders.located_orders(priced, landed)
        cancelled = orders.cancellations(calls)
        if rows is not None:
            said = order_rows.cancellations(kept).anti_join(cancelled, "order_id")
            cancelled = _together(cancelled, said)
        made = bench.keep("orders", orders.finished_orders(located, booked, cancelled, currency=currency))
        counts["rows_out"] = rows_of(made)
        return made, made_lines


def _make_refunds(
    bench: Workbench, sent_back: ir.Table, items: ir.Table, priced: ir.Table, lines: ir.Table, rates: ir.Table
) -> ir.Table:
    """Return the canonical `refunds`, and keep `refund_lines`; stop where orders or refunds have no rate."""
    zone, currency = bench.settings.time_zone, bench.settings.currency
    if not rows_of(sent_back):
        money.check_rates(priced)
        bench.keep_empty("refund_lines")
        return bench.keep_empty("refunds")
    rated = refunds.rated_refunds(sent_back, priced, rates, zone=zone, currency=currency)
    rated = bench.lay_out("rated_refunds", rated)
    money.check_rates(priced, rated)
    listed = refunds.listed_refunds(rated, items, lines)
    bench.keep("refund_lines", refunds.finished_refund_lines(items, rated))
    return bench.keep("refunds", refunds.finished_refunds(rated, listed, currency=currency))


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
        zone, calls = bench.settings.time_zone, bench.table("calls")
        counted = bench.keep("call_days", daily_counts.call_days(bench.table("verdicts"), calls, zone=zone))
        kept = bench.table("kept_calls")
        bench.keep("property_days", daily_counts.property_days(kept, bench.table("call_items"), zone=zone))
        # A call that does not say when it was made is in no day; reading it has put it into quarantine.
        counts["rows_in"] = counts["rows_out"] = counted.calls.sum().fill_null(0).to_pyarrow().as_py()


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
        # Midnight of the day after: the first day of spend that was not known.
        known_before = bench.known_until and local_date(bench.known_until, bench.settings.time_zone)
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


def _together(first: ir.Table, second: ir.Table) -> ir.Table:
    """Return the rows of both, in the columns and types of the first; null what the second lacks."""
    missing = {name: ibis.null(kind) for name, kind in first.schema().items() if name not in second.columns}
    return ibis.union(first, second.mutate(**missing).select(*first.columns).cast(first.schema()))
