"""The steps of a build that deal with all calls: read and judge them, find whose and which visit's they are.

Only `calls` holds all that was sent. The tables made of it are narrow, one row per
call, and joined to it where a step needs more.
"""

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.pipeline import (
    channels,
    corrections,
    events,
    identity_links,
    sessions,
    stitching,
    tracking_plan,
)
from ecomkit.pipeline.build_log import NOT_YET_KNOWN
from ecomkit.pipeline.known import later_calls
from ecomkit.pipeline.workbench import Workbench, rows_of
from ecomkit.row_accounts import QUARANTINE
from ecomkit.sources.calls import Reading, create_calls, create_external_ids, create_items, forget_later_calls
from ecomkit.sources.portions import Portion
from ecomkit.sources.segment_files import read_segment_files, sent_text
from ecomkit.sources.segment_tables import read_segment_tables

_FOUND_OUT = (
    "row_id", "event_name", "side", "device_type", "occurred_at", "user_id", "email_hash", "person_id", "identity_rule",
    "session_id",
)  # fmt: skip


def read_calls(bench: Workbench, salt: str) -> tuple[ir.Table, ir.Table, list[Portion]]:
    """Return all calls with their verdict, the items of those kept, and the portions of files they came from."""
    settings = bench.settings
    with bench.log.step("read calls") as counts:
        reading = Reading(
            properties=tracking_plan.PROPERTIES,
            items=tracking_plan.ITEM_PROPERTIES,
            money=tracking_plan.MONEY_PROPERTIES,
            ids=tracking_plan.ID_PROPERTIES,
            salt=salt,
            staff=settings.staff,
        )
        with bench.at_work() as con:
            create_calls(con, reading)
            portions = read_segment_files(con, bench.sources("segment_files"), reading)
            read_segment_tables(con, bench.sources("segment_tables"), reading, tracking_plan.canonical_names())
        calls = bench.table("calls")
        named = bench.name("named_calls", events.named_calls(calls.select(*events.JUDGED_BY)))
        later = bench.lay_out("later_calls", later_calls(named, bench.known)) if bench.known else None
        with bench.at_work() as con:
            forgotten = 0 if later is None else forget_later_calls(con)
            create_items(con, reading)
            create_external_ids(con, reading)
        items = bench.table("call_items")
        verdicts = events.judged_calls(
            named,
            exclude_bots=settings.exclude_bots,
            test_orders=settings.test_orders,
        )
        verdicts = bench.lay_out("verdicts", verdicts)
        judged = bench.name("judged_calls", events.completed_calls(calls, verdicts))
        kept = bench.name("kept_calls", judged.filter(_.outcome == "kept"))
        items = items.semi_join(verdicts.filter(_.outcome == "kept"), "row_id")
        bench.log.count(counts, verdicts.select("outcome", "reason"))
        bench.log.leave_out(counts, NOT_YET_KNOWN, forgotten)
        bench.log.correct(counts, bench.lay_out("corrections", corrections.corrections(kept, items)))
        bench.log.remark(counts, "incomplete", corrections.gaps(kept))
        return judged, bench.lay_out("kept_items", events.typed_items(items)), portions


def locate_calls(bench: Workbench) -> tuple[ir.Table, ir.Table]:
    """Return the kept calls with person and session, and the sessions with their landing; keep `identity_links`."""
    settings = bench.settings
    with bench.log.step("people and sessions") as counts:
        kept = bench.table("kept_calls")
        judged_kept = bench.table("verdicts").filter(_.outcome == "kept")
        external_ids = bench.table("external_ids").semi_join(judged_kept, "row_id")
        placed, owners, external_ids = stitching.stitched(
            kept, external_ids, bench.lay_out, undo=settings.undo, look_back_days=settings.identity_look_back_days
        )
        aliases = bench.table("judged_calls").filter(_.call_type == "alias", _.outcome == "excluded")
        bench.keep("identity_links", identity_links.identity_links(placed, owners, external_ids, aliases))
        calls = bench.name("located_calls", events.completed_calls(bench.table("calls"), placed.select(*_FOUND_OUT)))
        landed = channels.with_channel(
            sessions.landings(placed, kept), own_hosts=settings.own_hosts, rules=settings.channel_rules
        )
        counts["rows_in"], counts["rows_out"] = rows_of(judged_kept), rows_of(placed)
        return calls, bench.lay_out("landed_sessions", landed)


def quarantined_calls(bench: Workbench, judged: ir.Table, portions: list[Portion]) -> ir.Table:
    """Return the calls that could not be used as rows of `quarantine`, each with its masked text."""
    with bench.at_work() as con:
        sent_text(con, portions, "SELECT row_id FROM verdicts WHERE outcome = 'quarantined'")
    unusable = judged.filter(_.outcome == "quarantined").left_join(bench.table("sent_text"), "row_id")
    # A row of a warehouse has no line: its message id leads to it.
    unusable = unusable.mutate(raw=ibis.coalesce(_.raw, "message id " + _.message_id))
    return bench.lay_out("quarantined_calls", unusable.select(*QUARANTINE.names).cast(QUARANTINE))
