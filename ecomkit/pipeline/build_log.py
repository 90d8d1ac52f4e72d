"""The accounts of a build: per step, rows in = kept + duplicates + excluded + quarantined, and why."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import ibis.expr.types as ir
from ibis import _

# Why a row is left out where the past is loaded again as of a day.
NOT_YET_KNOWN = "not known yet on the day asked for"

_COUNTS = ("rows_in", "rows_out", "rows_corrected", "rows_excluded", "duplicates", "rows_quarantined")
_COLUMN = {
    "kept": "rows_out",
    "excluded": "rows_excluded",
    "duplicate": "duplicates",
    "quarantined": "rows_quarantined",
}


@dataclass
class BuildLog:
    """What each step of one build took in, gave out and set apart; `progress` hears of each step as it begins."""

    progress: Callable[[str], None]
    steps: list[dict] = field(default_factory=list)
    reasons: list[dict] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[dict]:
        """Time a step; its row accounts are written into the yielded dict."""
        self.progress(name)
        started = time.perf_counter()
        counts = {"step": name} | dict.fromkeys(_COUNTS, 0)
        yield counts
        self.steps.append(counts | {"seconds": round(time.perf_counter() - started, 3)})

    def count(self, counts: dict, judged: ir.Table) -> None:
        """Add rows that carry an `outcome` and a `reason` (and an `amount`, where rows have one)."""
        money = {"amount": judged.amount.sum()} if "amount" in judged.columns else {}
        grouped = judged.group_by("outcome", "reason").agg(rows=_.count(), **money).order_by("outcome", "reason")
        for row in grouped.to_pyarrow().to_pylist():
            counts["rows_in"] += row["rows"]
            counts[_COLUMN[row["outcome"]]] += row["rows"]
            if row["reason"] is not None:
                self.reasons.append({"step": counts["step"], "amount": None, **row})

    def leave_out(self, counts: dict, reason: str, rows: int) -> None:
        """Add rows that were excluded before they were judged."""
        counts["rows_in"] += rows
        counts["rows_excluded"] += rows
        if rows:
            outcome = {"outcome": "excluded", "reason": reason, "rows": rows, "amount": None}
            self.reasons.append({"step": counts["step"], **outcome})

    def correct(self, counts: dict, corrections: ir.Table) -> None:
        """Add corrections: a row per corrected row and reason."""
        counts["rows_corrected"] += corrections.row_id.nunique().to_pyarrow().as_py()
        self.remark(counts, "corrected", corrections)

    def remark(self, counts: dict, outcome: str, remarks: ir.Table) -> None:
        """Add what is to be said of rows that are counted already: a row per row and reason."""
        grouped = remarks.group_by("reason").agg(rows=_.count()).order_by("reason")
        for row in grouped.to_pyarrow().to_pylist():
            self.reasons.append({"step": counts["step"], "outcome": outcome, "amount": None, **row})

    def note(self, counts: dict, remarks: ir.Table) -> None:
        """Add reasons of rows that are counted already: `outcome, reason, rows, amount`."""
        self.reasons += [{"step": counts["step"], **row} for row in remarks.to_pyarrow().to_pylist()]
