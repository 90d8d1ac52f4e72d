"""Columns of the tables that account for a shop's input: what was kept, set aside, and why; what came each day."""

import ibis

from ecomkit.column_types import INSTANT, MONEY

QUARANTINE = ibis.schema(
    {
        "source_file": "string",
        "line_number": "int64",
        "reason": "string",
        "received_at": INSTANT,
        "raw": "string",
    }
)

BUILD_LOG = ibis.schema(
    {
        "step": "string",
        "rows_in": "int64",
        "rows_out": "int64",
        "rows_corrected": "int64",
        "rows_excluded": "int64",
        "duplicates": "int64",
        "rows_quarantined": "int64",
        "seconds": "float64",
        "fingerprint": "string",
    }
)

# Why rows were corrected, excluded, dropped as duplicates or quarantined, so that
# what is left out can be shown apart with its count and its money.
ROW_REASONS = ibis.schema(
    {
        "step": "string",
        "outcome": "string",
        "reason": "string",
        "rows": "int64",
        "amount": MONEY,
    }
)

# Calls that arrived, kept or not: what a watch over tracking reads.
CALL_DAYS = ibis.schema(
    {
        "day": "date",
        "event_name": "string",
        "side": "string",
        "library": "string",
        "library_version": "string",
        "outcome": "string",
        "reason": "string",
        "calls": "int64",
        "late": "int64",
    }
)

PROPERTY_DAYS = ibis.schema(
    {
        "day": "date",
        "event_name": "string",
        "property": "string",
        "calls": "int64",
        "filled": "int64",
    }
)

# Orders as calls tell them beside the same orders in the export.
ORDER_MATCHES = ibis.schema(
    {
        "order_id": "string",
        "ordered_at": INSTANT,
        "calls": "int64",
        "in_export": "boolean",
        "revenue_in_calls": MONEY,
        "revenue_in_export": MONEY,
    }
)
