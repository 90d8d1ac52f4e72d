"""The accounts of a build: per step, rows in = kept + duplicates + excluded + quarantined, and why."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import ibis.expr.types as ir
from ibis import _


@dataclass
class BuildLog:
    """What each step of one build took in, gave out and set apart."""

    steps: list[dict] = field(default_factory=list)
    reasons: list[dict] = field(default_factory=list)

    @contextmanager
    def step(self, name: str, progress) -> Iterator[dict]:
        """Time a step; the row accounts are written into the yielded dict."""
        progress(name)
        started = time.perf_counter()
        counts = {
            "rows_in": 0,
            "rows_out": 0,
            "rows_corrected": 0,
            "rows_excluded": 0,
            "duplicates": 0,
            "rows_quarantined": 0,
        }
        yield counts
        self.steps.append({"step": name, **counts, "seconds": round(time.perf_counter() - started, 3)})

    def count(self, counts: dict, step: str, judged: ir.Table) -> None:
        """Add rows that carry an `outcome` and a `reason` (and an `amount`, where rows have one)."""
        column = {
            "kept": "rows_out",
            "excluded": "rows_excluded",
            "duplicate": "duplicates",
            "quarantined": "rows_quarantined",
        }
        money = {"amount": judged.amount.sum()} if "amount" in judged.columns else {}
        grouped = judged.group_by("outcome", "reason").agg(rows=_.count(), **money).order_by("outcome", "reason")
        for row in grouped.to_pyarrow().to_pylist():
            counts["rows_in"] += row["rows"]
            counts[column[row["outcome"]]] += row["rows"]
            if row["reason"] is not None:
                self.reasons.append({"step": step, "amount": None, **row})

    def correct(self, counts: dict, step: str, corrections: ir.Table) -> None:
        """Add corrections: a row per corrected row and reason."""
        counts["rows_corrected"] += corrections.row_id.nunique().to_pyarrow().as_py()
        grouped = corrections.group_by("reason").agg(rows=_.count()).order_by("reason")
        for row in grouped.to_pyarrow().to_pylist():
            self.reasons.append({"step": step, "outcome": "corrected", "amount": None, **row})
