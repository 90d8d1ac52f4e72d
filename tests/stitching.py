"""Calls in few words for the steps that find whose each is, run without a build."""

import itertools
from datetime import datetime

import ibis

from ecomkit.column_types import INSTANT
from ecomkit.pipeline.stitching import stitched
from tests.tables import rows

CALLS = ibis.schema(
    {
        "row_id": "int64",
        "message_id": "string",
        "call_type": "string",
        "event_name": "string",
        "side": "string",
        "device_type": "string",
        "occurred_at": INSTANT,
        "anonymous_id": "string",
        "user_id": "string",
        "email_hash": "string",
    }
)
EXTERNAL_IDS = ibis.schema({"row_id": "int64", "identifier_type": "string", "identifier": "string"})
START = "2026-10-01T10:00:00+00:00"


def call(device=None, at=START, *, user=None, address=None, ids=(), kind="page", side="client"):
    """One call; `ids` are its external ids, each `type:identifier`."""
    return {
        "call_type": kind, "event_name": kind, "side": side, "occurred_at": _instant(at), "anonymous_id": device,
        "user_id": user, "email_hash": address, "ids": [tuple(entry.split(":", 1)) for entry in ids],
    }  # fmt: skip


def people_of(calls, *, undo=(), look_back_days=365):
    """Person and rule of each call, in the order given; at one instant calls of a device follow in it too."""
    placed, _owners = stitch(calls, undo=undo, look_back_days=look_back_days)
    return [(row["person_id"], row["identity_rule"]) for row in placed]


def stitch(calls, *, undo=(), look_back_days=365):
    """The placed calls in the order given, and the owners of addresses and external ids."""
    numbers = itertools.count(1)
    numbered = [{"row_id": next(numbers)} | one for one in calls]
    kept = [{name: one.get(name) for name in CALLS} | {"message_id": f"m{one['row_id']:09}"} for one in numbered]
    ids = [
        {"row_id": one["row_id"], "identifier_type": kind, "identifier": identifier}
        for one in numbered
        for kind, identifier in one["ids"]
    ]
    con = ibis.duckdb.connect()
    try:
        con.raw_sql("SET TimeZone = 'UTC'")

        def lay_out(name, table):
            return con.create_table(name, table, overwrite=True)

        placed, owners, _ids = stitched(
            lay_out("kept", ibis.memtable(kept, schema=CALLS)),
            lay_out("external_ids", ibis.memtable(ids, schema=EXTERNAL_IDS)),
            lay_out,
            undo=undo,
            look_back_days=look_back_days,
        )
        return rows(placed.order_by("row_id")), rows(owners)
    finally:
        con.disconnect()


def _instant(at):
    return datetime.fromisoformat(at) if isinstance(at, str) else at
