"""From a shop's sources to its canonical tables, step by step, in one DuckDB file."""

from collections.abc import Callable
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis import _

from ecomkit.errors import SourceError
from ecomkit.pipeline import channels, events, identity, money, order_rows, orders, sessions, tracking_plan
from ecomkit.pipeline.build_log import BuildLog
from ecomkit.schemas import AD_SPEND, BUILD_LOG, CANONICAL, QUARANTINE, ROW_REASONS
from ecomkit.settings import Settings, Source
from ecomkit.sources.ad_spend import read_ad_spend
from ecomkit.sources.order_files import read_order_files
from ecomkit.sources.segment_files import read_segment_files

Progress = Callable[[str], None]


def build(settings: Settings, target: Path, *, salt: str, fingerprint: str, progress: Progress) -> None:
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
        _Build(con, settings, salt, progress).run(fingerprint)
    finally:
        con.disconnect()


def sources_of(settings: Settings, kind: str) -> list[Source]:
    """Return the shop's sources of one kind, in the order of its shop.toml."""
    return [source for source in settings.sources if source.kind == kind]


class _Build:
    """One run of the pipeline: holds the connection and the log that every step needs."""

    def __init__(self, con: ibis.BaseBackend, settings: Settings, salt: str, progress: Progress):
        self.con, self.settings, self.salt, self.progress = con, settings, salt, progress
        self.log = BuildLog()

    def run(self, fingerprint: str) -> None:
        self.rates = self.read_rates()
        self.read_calls()
        self.locate_calls()
        self.read_order_rows()
        self.make_orders()
        self.make_rest()
        self.make_spend()
        self.write_quarantine()
        self.write_log(fingerprint)

    def step(self, name: str):
        return self.log.step(name, self.progress)

    def temporary(self, name: str, table: ir.Table) -> ir.Table:
        """Run a step's query once; later steps read its rows."""
        return self.con.create_table(name, table, temp=True, overwrite=True)

    def keep(self, name: str, table: ir.Table) -> ir.Table:
        schema = CANONICAL[name][0]
        return self.con.create_table(name, table.select(*schema.names).cast(schema))

    def read_rates(self) -> ir.Table:
        path = self.settings.rates
        if path is None:
            empty = pa.table({"date": pa.array([], pa.date32()), "currency": pa.array([], pa.string())})
            return self.temporary("rates", ibis.memtable(empty).mutate(rate=ibis.null("decimal(18, 6)")))
        if not path.is_file():
            raise SourceError(
                f"There is no file '{path}', which 'rates' names in [money]. Correct the path in shop.toml."
            )
        columns = {"date": "date", "currency": "string", "rate": "decimal(18, 6)"}
        return self.temporary("rates", self.con.read_csv(path, columns=columns, header=True))

    def read_calls(self) -> None:
        settings = self.settings
        with self.step("read calls") as counts:
            read_segment_files(
                self.con.con,
                sources_of(settings, "segment_files"),
                salt=self.salt,
                properties=tracking_plan.PROPERTIES,
                item_properties=tracking_plan.ITEM_PROPERTIES,
                money=tracking_plan.MONEY_PROPERTIES,
            )
            judged = self.temporary(
                "judged_calls",
                events.judged_calls(
                    events.typed_calls(self.con.table("calls")),
                    exclude_bots=settings.exclude_bots,
                    staff=settings.staff,
                    test_orders=settings.test_orders,
                ).drop("email"),
            )
            self.log.count(counts, "read calls", judged.select("outcome", "reason"))
            self.log.correct(counts, "read calls", events.corrections(judged))
            items = self.con.table("call_items")
            kept_items = items.semi_join(judged.filter(_.outcome == "kept"), "row_id")
            self.items = self.temporary("kept_items", events.typed_items(kept_items))

    def locate_calls(self) -> None:
        with self.step("people and sessions") as counts:
            kept = self.con.table("judged_calls").filter(_.outcome == "kept")
            known = self.temporary("known_calls", identity.with_people(kept))
            self.calls = self.temporary("located_calls", sessions.with_sessions(known))
            landed = channels.with_channel(
                sessions.landings(self.calls),
                own_hosts=self.settings.own_hosts,
                rules=self.settings.channel_rules,
            )
            self.landed = self.temporary("landed_sessions", landed)
            counts["rows_in"] = counts["rows_out"] = self.calls.count().to_pyarrow().as_py()

    def read_order_rows(self) -> None:
        with self.step("read order lines") as counts:
            sources = sources_of(self.settings, "order_files")
            if not sources:
                self.rows = None
                return
            read_order_files(self.con.con, sources, zone=self.settings.time_zone, currency=self.settings.currency)
            judged = self.temporary("judged_rows", order_rows.judged_rows(self.con.table("order_rows")))
            self.log.count(counts, "read order lines", judged.select("outcome", "reason", "amount"))
            self.rows = judged.filter(_.outcome == "kept")

    def make_orders(self) -> None:
        zone, currency = self.settings.time_zone, self.settings.currency
        with self.step("orders") as counts:
            drafts = self.temporary("order_drafts", orders.order_drafts(self.calls))
            lines = orders.line_drafts(drafts, self.items)
            refunds = orders.refund_drafts(self.calls)
            refund_lines = orders.refund_lines(refunds, self.items)
            if self.rows is not None:
                returned = self.temporary("returned_lines", order_rows.refund_lines(self.rows))
                drafts = _together(drafts, order_rows.order_drafts(self.rows))
                lines = _together(lines, order_rows.line_drafts(self.rows))
                refunds = _together(refunds, order_rows.refund_drafts(returned))
                refund_lines = _together(refund_lines, order_rows.finished_refund_lines(returned))
            lines = self.temporary("line_drafts", lines)
            priced = self.temporary(
                "priced_orders",
                orders.priced_orders(
                    drafts, lines, self.rates, zone=zone, currency=currency, money_rule=self.settings.money_rule
                ),
            )
            money.check_rates(priced, settings_file="shop.toml")
            self.lines = self.keep("order_lines", orders.priced_lines(lines, priced))
            refunds = orders.priced_refunds(refunds, priced, self.rates, zone=zone, currency=currency)
            self.refunds = self.keep("refunds", refunds)
            self.keep("refund_lines", refund_lines.order_by("refund_id", "line_number"))
            located = orders.located_orders(priced, self.landed)
            cancelled = orders.cancellations(self.calls)
            finished = orders.finished_orders(located, self.refunds, cancelled, currency=currency)
            self.orders = self.keep("orders", finished)
            copies = self.calls.filter(_.event_name == "Order Completed").count().to_pyarrow().as_py()
            counts["rows_out"] = self.orders.count().to_pyarrow().as_py()
            counts["duplicates"] = max(copies - counts["rows_out"], 0)
            counts["rows_in"] = counts["rows_out"] + counts["duplicates"]

    def make_rest(self) -> None:
        with self.step("events, sessions, people") as counts:
            made = self.keep("sessions", sessions.finished_sessions(self.landed, self.orders))
            self.keep("people", identity.people(self.calls, made, self.orders))
            self.keep("identity_links", identity.identity_links(self.calls))
            self.keep("product_events", events.product_events(self.calls, self.items, self.lines, self.orders))
            finished = self.keep("events", events.finished_events(self.calls))
            counts["rows_in"] = counts["rows_out"] = finished.count().to_pyarrow().as_py()

    def make_spend(self) -> None:
        with self.step("read ad spend") as counts:
            sources = sources_of(self.settings, "ad_spend")
            if not sources:
                self.con.create_table("ad_spend", schema=AD_SPEND)
                return
            read_ad_spend(self.con.con, sources, currency=self.settings.currency, retargeting=self.settings.retargeting)
            judged = self.temporary("judged_spend", _judged_spend(self.con.table("spend_rows")))
            self.log.count(counts, "read ad spend", judged.select("outcome", "reason", amount=_.spend))
            kept = judged.filter(_.outcome == "kept")
            rated = self.temporary(
                "rated_spend",
                money.converted(kept, self.rates, day=kept.date, currency=self.settings.currency),
            )
            money.check_rates(rated, settings_file="shop.toml")
            spend = rated.mutate(
                spend=money.in_shop_currency(_.spend, _.rate), currency=ibis.literal(self.settings.currency)
            )
            self.keep("ad_spend", spend.order_by("date", "platform", "account_id", "campaign_id"))

    def write_quarantine(self) -> None:
        calls = self.con.table("judged_calls").filter(_.outcome == "quarantined")
        self.con.raw_sql(
            "CREATE TEMP TABLE quarantined_lines AS SELECT row_id, masked(raw) AS raw FROM lines "
            "WHERE row_id IN (SELECT row_id FROM judged_calls WHERE outcome = 'quarantined')"
        )
        parts = [calls.join(self.con.table("quarantined_lines"), "row_id")]
        for name in ("judged_rows", "judged_spend"):
            if name in self.con.list_tables():
                rows = self.con.table(name).filter(_.outcome == "quarantined")
                parts.append(rows.mutate(received_at=ibis.null("timestamp"), raw=ibis.null(str)))
        parts = [part.select(*QUARANTINE.names).cast(QUARANTINE) for part in parts]
        self.keep("quarantine", ibis.union(*parts).order_by("source_file", "line_number"))

    def write_log(self, fingerprint: str) -> None:
        steps = [{**step, "fingerprint": fingerprint} for step in self.log.steps]
        for name, rows, schema in (("build_log", steps, BUILD_LOG), ("row_reasons", self.log.reasons, ROW_REASONS)):
            self.con.create_table(name, pa.Table.from_pylist(rows, schema=schema.to_pyarrow()))


def _judged_spend(rows: ir.Table) -> ir.Table:
    same = ibis.window(group_by=["problem", "date", "platform", "account_id", "campaign_id"], order_by=_.row_id.desc())
    ranked = rows.mutate(place=ibis.row_number().over(same))
    return ranked.mutate(
        outcome=ibis.cases((_.problem.notnull(), "quarantined"), (_.place > 0, "duplicate"), else_="kept"),
        reason=ibis.cases((_.problem.notnull(), _.problem), (_.place > 0, "restated by a later line"), else_=None),
    )


def _together(first: ir.Table, second: ir.Table) -> ir.Table:
    """Return the rows of both, in the columns and types of the first."""
    return ibis.union(first, second.select(*first.columns).cast(first.schema()))
