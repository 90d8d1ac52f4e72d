"""From a shop's sources to its canonical tables, step by step, in one DuckDB file."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis import _

from ecomkit.errors import SourceError
from ecomkit.pipeline import channels, events, identity, money, order_rows, orders, sessions, spend, tracking_plan
from ecomkit.pipeline.build_log import BuildLog
from ecomkit.schemas import AD_SPEND, BUILD_LOG, CANONICAL, MONEY, QUARANTINE, ROW_REASONS
from ecomkit.settings import Settings, Source
from ecomkit.sources.ad_spend import read_ad_spend
from ecomkit.sources.order_files import read_order_files
from ecomkit.sources.segment_files import read_segment_files

_RATES = {"date": "date", "currency": "string", "rate": "decimal(18, 6)"}


@dataclass(frozen=True)
class Workbench:
    """What every step of one build works with: the engine, the shop's settings and the accounts."""

    con: ibis.BaseBackend
    settings: Settings
    log: BuildLog

    def sources(self, kind: str) -> list[Source]:
        """Return the shop's sources of one kind, in the order of its shop.toml."""
        return [source for source in self.settings.sources if source.kind == kind]

    def lay_out(self, name: str, table: ir.Table) -> ir.Table:
        """Run a query into a table of this build alone, so that later steps read its rows."""
        return self.con.create_table(name, table, temp=True, overwrite=True)

    def keep(self, name: str, table: ir.Table) -> ir.Table:
        """Run a query into a canonical table of the shop."""
        schema = CANONICAL[name][0]
        return self.con.create_table(name, table.select(*schema.names).cast(schema))


def build(settings: Settings, target: Path, *, salt: str, fingerprint: str, progress: Callable[[str], None]) -> None:
    """Build every canonical table of a shop into a new DuckDB file at `target`.

    Bad rows land in `quarantine`, they never stop the build. Tables of sources that
    the shop does not have are empty.

    Raises
    ------
    SourceError
        If a file is missing, empty or of another form than the settings say, or a rate is missing.
    """
    con = ibis.duckdb.connect(str(target))
    try:
        con.raw_sql("SET TimeZone = 'UTC'")
        bench = Workbench(con, settings, BuildLog(progress))
        rates = _read_rates(bench)
        judged, items = _read_calls(bench, salt)
        calls, landed = _locate_calls(bench, judged)
        rows = _read_order_rows(bench)
        made, lines = _make_orders(bench, calls, items, rows, landed, rates)
        _make_events(bench, calls, items, landed, made, lines)
        spent = _make_spend(bench, rates)
        _write_quarantine(bench, judged, [table for table in (rows, spent) if table is not None])
        _write_log(bench, fingerprint)
    finally:
        con.disconnect()


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


def _read_calls(bench: Workbench, salt: str) -> tuple[ir.Table, ir.Table]:
    """Return all calls with their outcome, and the items of those kept."""
    settings = bench.settings
    with bench.log.step("read calls") as counts:
        read_segment_files(
            bench.con.con,
            bench.sources("segment_files"),
            salt=salt,
            properties=tracking_plan.PROPERTIES,
            item_properties=tracking_plan.ITEM_PROPERTIES,
            money=tracking_plan.MONEY_PROPERTIES,
        )
        typed = events.typed_calls(bench.con.table("calls"))
        judged = events.judged_calls(
            typed, exclude_bots=settings.exclude_bots, staff=settings.staff, test_orders=settings.test_orders
        )
        judged = bench.lay_out("judged_calls", judged.drop("email"))
        bench.log.count(counts, judged.select("outcome", "reason"))
        bench.log.correct(counts, events.corrections(judged))
        kept = bench.con.table("call_items").semi_join(judged.filter(_.outcome == "kept"), "row_id")
        return judged, bench.lay_out("kept_items", events.typed_items(kept))


def _locate_calls(bench: Workbench, judged: ir.Table) -> tuple[ir.Table, ir.Table]:
    """Return the kept calls with person and session, and the sessions with their landing."""
    settings = bench.settings
    with bench.log.step("people and sessions") as counts:
        kept = judged.filter(_.outcome == "kept")
        known = bench.lay_out("known_calls", identity.with_people(kept))
        calls = bench.lay_out("located_calls", sessions.with_sessions(known))
        landed = channels.with_channel(
            sessions.landings(calls), own_hosts=settings.own_hosts, rules=settings.channel_rules
        )
        counts["rows_in"], counts["rows_out"] = _rows(kept), _rows(calls)
        return calls, bench.lay_out("landed_sessions", landed)


def _read_order_rows(bench: Workbench) -> ir.Table | None:
    """Return all rows of order files with their outcome, None in a shop without such files."""
    sources = bench.sources("order_files")
    if not sources:
        return None
    with bench.log.step("read order lines") as counts:
        settings = bench.settings
        read_order_files(bench.con.con, sources, zone=settings.time_zone, currency=settings.currency)
        judged = bench.lay_out("judged_rows", order_rows.judged_rows(bench.con.table("order_rows")))
        bench.log.count(counts, judged.select("outcome", "reason", "amount"))
        return judged


def _make_orders(
    bench: Workbench, calls: ir.Table, items: ir.Table, rows: ir.Table | None, landed: ir.Table, rates: ir.Table
) -> tuple[ir.Table, ir.Table]:
    """Return the canonical `orders` and `order_lines`; keep `refunds` and `refund_lines` beside them."""
    zone, currency = bench.settings.time_zone, bench.settings.currency
    with bench.log.step("orders") as counts:
        drafts = bench.lay_out("order_drafts", orders.order_drafts(calls))
        lines = orders.line_drafts(drafts, items)
        refunds = orders.refund_drafts(calls)
        refund_lines = orders.refund_items(refunds, items)
        counts["rows_in"] = _rows(calls.filter(_.event_name == "Order Completed"))
        if rows is not None:
            kept = rows.filter(_.outcome == "kept")
            counts["rows_in"] += kept.filter(_.kind != "refund").order_id.nunique().to_pyarrow().as_py()
            # An order that calls have sent already counts once, as the calls have it.
            new = kept.anti_join(drafts, "order_id")
            returned = bench.lay_out("returned_lines", order_rows.refund_lines(kept))
            lines = _together(lines, order_rows.line_drafts(new))
            refunds = _together(refunds, order_rows.refund_drafts(returned))
            refund_lines = _together(refund_lines, order_rows.refund_items(returned))
            drafts = bench.lay_out("all_drafts", _together(drafts, order_rows.order_drafts(new)))
        counts["duplicates"] = counts["rows_in"] - _rows(drafts)
        lines = bench.lay_out("line_drafts", lines)
        priced = orders.priced_orders(
            drafts, lines, rates, zone=zone, currency=currency, money_rule=bench.settings.money_rule
        )
        priced = bench.lay_out("priced_orders", priced)
        money.check_rates(priced)
        rated = bench.lay_out(
            "rated_refunds", orders.rated_refunds(refunds, priced, rates, zone=zone, currency=currency)
        )
        money.check_rates(rated)
        sent_back = bench.keep("refunds", orders.finished_refunds(rated, currency=currency))
        bench.keep("refund_lines", orders.finished_refund_lines(refund_lines, rated))
        located = orders.located_orders(priced, landed)
        cancelled = orders.cancellations(calls)
        made = bench.keep("orders", orders.finished_orders(located, sent_back, cancelled, currency=currency))
        counts["rows_out"] = _rows(made)
        return made, bench.keep("order_lines", orders.priced_lines(lines, priced))


def _make_events(
    bench: Workbench, calls: ir.Table, items: ir.Table, landed: ir.Table, made: ir.Table, lines: ir.Table
) -> None:
    with bench.log.step("events, sessions, people") as counts:
        visits = bench.keep("sessions", sessions.finished_sessions(landed, made))
        bench.keep("people", identity.people(calls, visits, made))
        bench.keep("identity_links", identity.identity_links(calls))
        bench.keep("product_events", events.product_events(calls, items, lines, made))
        finished = bench.keep("events", events.finished_events(calls))
        counts["rows_in"], counts["rows_out"] = _rows(calls), _rows(finished)


def _make_spend(bench: Workbench, rates: ir.Table) -> ir.Table | None:
    """Keep `ad_spend`, and return all its rows with their outcome, None in a shop without spend."""
    sources, currency = bench.sources("ad_spend"), bench.settings.currency
    if not sources:
        bench.con.create_table("ad_spend", schema=AD_SPEND)
        return None
    with bench.log.step("read ad spend") as counts:
        read_ad_spend(bench.con.con, sources, currency=currency, retargeting=bench.settings.retargeting)
        judged = bench.lay_out("judged_spend", spend.judged_spend(bench.con.table("spend_rows")))
        bench.log.count(counts, judged.select("outcome", "reason", amount=_.spend.round(4).cast(MONEY)))
        bench.log.correct(counts, spend.remarks(judged))
        days = spend.by_campaign(judged.filter(_.outcome == "kept"))
        rated = bench.lay_out("rated_spend", money.converted(days, rates, day=days.date, currency=currency))
        money.check_rates(rated)
        bench.keep("ad_spend", spend.finished_spend(rated, currency=currency))
        return judged


def _write_quarantine(bench: Workbench, judged: ir.Table, other_rows: list[ir.Table]) -> None:
    calls = judged.filter(_.outcome == "quarantined")
    # Text is masked here alone: only what is quarantined is kept as it was sent.
    bench.con.raw_sql(
        "CREATE TEMP TABLE quarantined_lines AS SELECT row_id, masked(raw) AS raw FROM lines "
        "WHERE row_id IN (SELECT row_id FROM judged_calls WHERE outcome = 'quarantined')"
    )
    parts = [calls.join(bench.con.table("quarantined_lines"), "row_id")]
    for rows in other_rows:
        unusable = rows.filter(_.outcome == "quarantined")
        parts.append(unusable.mutate(received_at=ibis.null("timestamp"), raw=ibis.null(str)))
    typed = [part.select(*QUARANTINE.names).cast(QUARANTINE) for part in parts]
    bench.keep("quarantine", ibis.union(*typed).order_by("source_file", "line_number"))


def _write_log(bench: Workbench, fingerprint: str) -> None:
    steps = [{**step, "fingerprint": fingerprint} for step in bench.log.steps]
    for name, rows, schema in (("build_log", steps, BUILD_LOG), ("row_reasons", bench.log.reasons, ROW_REASONS)):
        bench.con.create_table(name, pa.Table.from_pylist(rows, schema=schema.to_pyarrow()))


def _together(first: ir.Table, second: ir.Table) -> ir.Table:
    """Return the rows of both, in the columns and types of the first."""
    return ibis.union(first, second.select(*first.columns).cast(first.schema()))


def _rows(table: ir.Table) -> int:
    return table.count().to_pyarrow().as_py()
