"""The steps of a build that deal with orders: read the rows of files, join them to what calls tell, price and refund.

An order that calls have sent counts as calls have it; what a file says of it counts where calls are silent.
"""

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.pipeline import money, order_rows, orders, refunds
from ecomkit.pipeline.identifiers import trusted
from ecomkit.pipeline.reconciliation import order_matches
from ecomkit.pipeline.workbench import Workbench, rows_of
from ecomkit.sources.order_files import read_order_files


def read_order_rows(bench: Workbench, calls: ir.Table, salt: str) -> ir.Table | None:
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
        rows = order_rows.known_rows(rows, bench.known) if bench.known else rows
        # The undo list holds for files, too; their customers have the ids of users.
        rows = trusted(rows.rename(user_id="customer_id"), settings.undo).rename(customer_id="user_id")
        known = order_rows.as_called(rows, calls, bench.table("owners"))
        judged = bench.lay_out("judged_rows", order_rows.judged_rows(known))
        bench.log.count(counts, judged.select("outcome", "reason", "amount"))
        bench.log.correct(counts, order_rows.corrections(judged))
        return judged


def make_orders(
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


def _together(first: ir.Table, second: ir.Table) -> ir.Table:
    """Return the rows of both, in the columns and types of the first; null what the second lacks."""
    missing = {name: ibis.null(kind) for name, kind in first.schema().items() if name not in second.columns}
    return ibis.union(first, second.mutate(**missing).select(*first.columns).cast(first.schema()))
