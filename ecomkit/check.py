"""May the shop's numbers be trusted: what each reading step kept and set aside, and why."""

import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
from ibis import _

from ecomkit.errors import UsageError
from ecomkit.pipeline.build import judge
from ecomkit.settings import Settings, Source
from ecomkit.shop import Shop, find_shop, open_shop
from ecomkit.words import count, percent, short

LONGEST_EXAMPLE = 160
# Step of the log -> what is told of it, under the names of --json.
_COUNTS = {
    "rows_in": "rows_in",
    "rows_kept": "rows_out",
    "rows_corrected": "rows_corrected",
    "duplicates": "duplicates",
    "rows_excluded": "rows_excluded",
    "rows_quarantined": "rows_quarantined",
}


@dataclass(frozen=True)
class Verdict:
    """The accounts of a shop's rows, and whether so few were quarantined that its numbers may be trusted.

    `steps` are the steps that read rows, each with the counts of `--json`: rows in =
    kept + duplicates + excluded + quarantined. `reasons` are `step, outcome, reason,
    rows, amount, example`; the example of a quarantined reason is its first row.
    """

    steps: tuple[dict[str, Any], ...]
    reasons: tuple[dict[str, Any], ...]
    limit: float

    @property
    def totals(self) -> dict[str, int]:
        """The counts of all steps together."""
        return {name: sum(step[name] for step in self.steps) for name in _COUNTS}

    @property
    def quarantined_share(self) -> float:
        """Quarantined rows / rows read, 0 where nothing was read."""
        return self.totals["rows_quarantined"] / (self.totals["rows_in"] or 1)

    @property
    def ok(self) -> bool:
        """Whether the share is at most the limit; at the limit it is."""
        return self.quarantined_share <= self.limit

    @property
    def sentence(self) -> str:
        """The verdict in one sentence, naming the reasons where too much was quarantined."""
        share, limit = _told_apart(self.quarantined_share, self.limit)
        allowed = f"the {limit} that 'max_quarantined_share' in [limits] allows"
        if self.ok:
            return f"{share} of the rows could not be used, within {allowed}."
        named = "; ".join(f"{count(row['rows'])} {short(row['reason'])}" for row in self.quarantined)
        return f"{share} of the rows could not be used, more than {allowed}: {named}."

    @property
    def quarantined(self) -> list[dict[str, Any]]:
        """The reasons of quarantined rows, the most frequent first."""
        found = [row for row in self.reasons if row["outcome"] == "quarantined"]
        return sorted(found, key=lambda row: (-row["rows"], row["reason"]))


def verdict(shop: Shop) -> Verdict:
    """Return the accounts of an opened shop, judged by its `max_quarantined_share`."""
    log = shop.build_log.filter(_.step.startswith("read ")).to_pyarrow().to_pylist()
    steps = [{"step": row["step"]} | {name: row[column] for name, column in _COUNTS.items()} for row in log]
    first = ibis.window(group_by="reason", order_by=["source_file", "line_number", "raw"])
    firsts = shop.quarantine.mutate(nth=ibis.row_number().over(first)).filter(_.nth == 0).to_pyarrow().to_pylist()
    examples = {row["reason"]: _example(row) for row in firsts}
    reasons = [
        {name: row[name] for name in ("step", "outcome", "reason", "rows", "amount")}
        | {"example": examples.get(row["reason"]) if row["outcome"] == "quarantined" else None}
        for row in shop.row_reasons.order_by("step", "outcome", _.rows.desc(), "reason").to_pyarrow().to_pylist()
    ]
    return Verdict(tuple(steps), tuple(reasons), float(shop.settings.max_quarantined_share))


def place(example: Mapping[str, Any]) -> str:
    """Return where a row lies as `file:line`, or the table's name for a row of a table."""
    line = example["line_number"]
    return short(example["source_file"]) + ("" if line is None else f":{line}")


def orders_told(shop: Shop) -> dict[str, Any]:
    """Return how many calls and rows told of orders, how many orders these are, and their money rules."""
    log = shop.build_log.filter(_.step == "orders")
    [sums] = log.agg(told=_.rows_in.sum(), duplicates=_.duplicates.sum()).to_pyarrow().to_pylist()
    ruled = shop.orders.group_by("money_rule").agg(orders=_.count()).order_by(_.orders.desc(), "money_rule")
    told, duplicates = sums["told"] or 0, sums["duplicates"] or 0
    return {
        "told": told,
        "duplicates": duplicates,
        "orders": told - duplicates,
        "money_rules": ruled.to_pyarrow().to_pylist(),
    }


@contextmanager
def opened(name: str, *, progress: Callable[[str], None]) -> Iterator[tuple[Shop, bool]]:
    """Open a shop for checking, and say whether it is bare: a file or folder of calls without a shop.toml.

    A bare one is read and judged in a temporary place, and nothing is written beside
    it. Its orders are not priced: what they are worth in which currency takes settings.

    Raises
    ------
    UsageError
        If there is neither a shop nor a file or folder of that name.
    """
    path = Path(name)
    try:
        find_shop(name)
    except UsageError as error:
        if not path.exists():
            raise UsageError(
                f"{error} `check` also takes a file or folder of Segment calls without a shop.toml."
            ) from None
    else:
        yield open_shop(name, progress=progress), False
        return
    settings = bare_settings(path.resolve())
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "calls.duckdb"
        judge(settings, target, salt=secrets.token_hex(32), progress=progress)
        con = ibis.duckdb.connect(str(target), read_only=True)
        con.raw_sql("SET TimeZone = 'UTC'")
        try:
            yield Shop(settings, con), True
        finally:
            con.disconnect()


def bare_settings(path: Path) -> Settings:
    """Return settings for calls without a shop.toml: the defaults, days in UTC."""
    folder = path if path.is_dir() else path.parent
    source = Source("segment_files", path, path.stem)
    # Nothing is priced, so the currency is never used.
    return Settings(folder=folder, name=path.name, time_zone="UTC", currency="EUR", sources=(source,))


def _example(row: Mapping[str, Any]) -> dict[str, Any]:
    raw = None if row["raw"] is None else short(row["raw"], LONGEST_EXAMPLE)
    return {"source_file": row["source_file"], "line_number": row["line_number"], "raw": raw}


def _told_apart(share: float, limit: float) -> tuple[str, str]:
    # 5.04 % is more than 5.0 %, and must not be written as the same number.
    digits = 1
    while share != limit and percent(share, digits) == percent(limit, digits) and digits < 9:
        digits += 1
    return percent(share, digits), percent(limit, digits)
