"""The only place where a query runs and pandas begins."""

import ibis.expr.types as ir
import pandas as pd


def to_frame(table: ir.Table) -> pd.DataFrame:
    """Run the query of `table` and return its rows.

    Money becomes float (it was summed as decimals on the engine), dates become
    days without a zone, instants stay UTC. The order is the query's own.
    """
    frame = table.to_pyarrow().to_pandas()
    for name, kind in table.schema().items():
        if kind.is_decimal():
            frame[name] = frame[name].astype("float64")
        elif kind.is_date():
            frame[name] = pd.to_datetime(frame[name])
        elif kind.is_string():
            frame[name] = frame[name].astype("str")
    return frame
