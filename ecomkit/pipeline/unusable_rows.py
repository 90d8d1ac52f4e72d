"""Rows of order files and ad spend that could not be used, with the text they had."""

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis import _

from ecomkit.pipeline.workbench import Workbench
from ecomkit.row_accounts import QUARANTINE
from ecomkit.sources.privacy import PRIVACY_MACROS
from ecomkit.sources.quarantined_rows import row_texts

_TEXTS = pa.schema([("file_path", pa.string()), ("line_number", pa.int64()), ("text", pa.string())])


def quarantined_rows(bench: Workbench, rows: ir.Table) -> ir.Table:
    """Return the judged rows that could not be used as rows of `quarantine`, those of CSV files with masked text."""
    unusable = rows.filter(_.outcome == "quarantined")
    places = unusable.filter(_.file_path.notnull()).select("file_path", "line_number").to_pyarrow().to_pylist()
    found = row_texts(bench.settings.sources, [(place["file_path"], place["line_number"]) for place in places])
    texts = [{"file_path": path, "line_number": line, "text": text} for path, line, text in found]
    with bench.at_work() as con:
        con.execute(PRIVACY_MACROS)
        con.register("unmasked_texts", pa.Table.from_pylist(texts, schema=_TEXTS))
        con.execute(
            """CREATE OR REPLACE TABLE row_texts AS
            SELECT file_path, line_number, masked(text) AS raw FROM unmasked_texts"""
        )
        con.unregister("unmasked_texts")
    told = unusable.left_join(bench.table("row_texts"), ["file_path", "line_number"])
    quarantined = told.mutate(received_at=ibis.null("timestamp")).select(*QUARANTINE.names).cast(QUARANTINE)
    # Laid out at once: the next table of rows writes its texts into the same place.
    return bench.lay_out(f"quarantined_{rows.get_name()}", quarantined)
