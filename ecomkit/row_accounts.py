"""Columns of the tables that account for every row of a shop's input: what was kept, set aside, and why."""

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
