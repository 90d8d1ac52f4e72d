"""The only place where a query runs and pandas begins."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd

from ecomkit.periods import Period


def to_frame(table: ir.Table) -> pd.DataFrame:
    """Run the query of `table` and return its rows.

    Money becomes float (it was summed as decimals on the engine), dates become
    days without a zone, instants stay UTC. Whole numbers stay whole numbers,
    also where some are null. The order is the query's own.
    """
    with _one_select_per_step():
        frame = table.to_pyarrow().to_pandas(integer_object_nulls=True)
    for name, kind in table.schema().items():
        if kind.is_decimal():
            frame[name] = frame[name].astype("float64")
        elif kind.is_date():
            frame[name] = pd.to_datetime(frame[name])
        elif kind.is_string():
            frame[name] = frame[name].astype("str")
        elif kind.is_integer() and frame[name].isna().any():
            frame[name] = frame[name].astype("Int64")
    return frame


@contextmanager
def _one_select_per_step() -> Iterator[None]:
    """Let Ibis write a query step by step, as nobody reads it.

    To merge steps takes Ibis up to a third of the time of a question about a small shop, and the engine, which
    merges them itself, is no faster for it on a large one.
    """
    before = ibis.options.sql.fuse_selects
    ibis.options.sql.fuse_selects = False
    try:
        yield
    finally:
        ibis.options.sql.fuse_selects = before


def trailing_weeks(frame: pd.DataFrame, period: Period, *, weeks: int, rates: Sequence[str] = ()) -> pd.DataFrame:
    """Return one row for each of the `weeks` weeks that end with `period`, oldest first.

    A week without a row counts zero of everything, and its `rates` are null.
    What is null in a row that is there was not known, and stays null.
    Weeks before the first row were not observed and stay out.

    Parameters
    ----------
    frame
        One row per `week` (its Monday).
    period
        The last week to show.
    weeks
        How many weeks to show.
    rates
        Columns that are null, not zero, where there is nothing to divide by.
    """
    first, last = frame["week"].min(), pd.Timestamp(period.start)
    mondays = pd.date_range(end=last, periods=weeks, freq="7D", name="week", unit="us")
    shown = frame.set_index("week").reindex(mondays[mondays >= first])
    kinds = {name: kind for name, kind in frame.dtypes.items() if name in shown.columns and name not in rates}
    shown.loc[~shown.index.isin(frame["week"]), list(kinds)] = 0
    return shown.astype(kinds).reset_index()


def observed(frame: pd.DataFrame, first_day: date | None) -> pd.DataFrame:
    """Keep the weeks (by their Monday) that began with the data or after: of the one before, days are missing."""
    return frame if first_day is None else frame[frame["week"] >= pd.Timestamp(first_day)].reset_index(drop=True)


def beside_year_before(shown: pd.DataFrame, frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Add `<name>_year_before` to weeks: the value of the week 52 weeks earlier, null where that was not observed.

    Parameters
    ----------
    shown
        One row per `week` (its Monday).
    frame
        The rows of all weeks.
    names
        Columns of both.
    """
    earlier = frame.set_index("week")[list(names)]
    earlier.index = earlier.index + pd.Timedelta(weeks=52)
    return shown.join(earlier.add_suffix("_year_before"), on="week")


def row_of_week(frame: pd.DataFrame, period: Period) -> pd.Series | None:
    """Return the row of the week that `period` is, or None where the frame has none."""
    rows = frame[frame["week"] == pd.Timestamp(period.start)]
    return None if rows.empty else rows.iloc[0]
