"""Whose and which visit's each call is, step by step, on whatever engine holds the calls."""

from collections.abc import Callable, Sequence

import ibis
import ibis.expr.types as ir

from ecomkit.pipeline import clusters, identifiers, identity, sessions

# Runs a query into a table of that name, and returns the table.
LayOut = Callable[[str, ir.Table], ir.Table]

_OF_A_CALL = (
    "row_id", "message_id", "call_type", "event_name", "side", "device_type", "occurred_at", "anonymous_id", "user_id",
    "email_hash",
)  # fmt: skip


def stitched(
    kept: ir.Table, external_ids: ir.Table, lay_out: LayOut, *, undo: Sequence[str], look_back_days: int
) -> tuple[ir.Table, ir.Table, ir.Table]:
    """Return kept calls with person and session, whose each address and external id is, and the external ids trusted.

    Only identifiers in two or more pairs leave the engine.
    """
    calls = identifiers.trusted(kept.select(*_OF_A_CALL), undo)
    external_ids = lay_out("kept_external_ids", identifiers.trusted_ids(external_ids, undo))
    pairs = lay_out("identifier_pairs", identifiers.pairs(calls, external_ids))
    shared = lay_out("shared_pairs", identifiers.shared_pairs(pairs))
    merged = ibis.memtable(clusters.merged(shared.to_pyarrow().to_pylist()), schema=identifiers.OWNERS)
    owners = lay_out("owners", identifiers.owners(pairs, shared, lay_out("clusters", merged)))
    naming = lay_out("naming_calls", identity.naming_calls(calls, owners, external_ids))
    believed = lay_out("believed_calls", identity.believed_calls(naming))
    devices = lay_out("devices", identity.devices(believed, undo))
    around = lay_out("named_around", identity.named_around(calls, believed, devices))
    known = identity.with_people(calls, believed, devices, around, look_back_days=look_back_days)
    placed = lay_out("placed_calls", sessions.with_sessions(lay_out("known_calls", known)))
    return placed, owners, external_ids
