"""What every step of a build works with: the engine, the shop's settings, the accounts, and room for work tables."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir

from ecomkit.pipeline.build_log import BuildLog
from ecomkit.pipeline.known import Known
from ecomkit.schemas import CANONICAL
from ecomkit.settings import Settings, Source
from ecomkit.sources.sql_text import sql_name

_WORK = ("work", "main")
# What a build may hold in memory; DuckDB puts the rest into temporary files beside the new shop.
MEMORY = "2300MB"


@dataclass(frozen=True)
class Workbench:
    """What every step of one build works with; `known` bounds what had been received, None for all there is."""

    con: ibis.BaseBackend
    settings: Settings
    log: BuildLog
    known: Known | None = None

    def sources(self, kind: str) -> list[Source]:
        """Return the shop's sources of one kind, in the order of its shop.toml."""
        return [source for source in self.settings.sources if source.kind == kind]

    @contextmanager
    def at_work(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give the connection with the work tables' schema as its own, for readers that speak SQL."""
        con = self.con.con
        home = con.execute("SELECT current_database()").fetchone()[0]
        con.execute("USE work")
        try:
            yield con
        finally:
            con.execute(f"USE {sql_name(home)}")

    def table(self, name: str) -> ir.Table:
        """Return a work table that a reader has made."""
        return self.con.table(name, database=_WORK)

    def lay_out(self, name: str, table: ir.Table) -> ir.Table:
        """Run a query into a work table of this build, so that later steps read its rows."""
        return self.con.create_table(name, table, database=_WORK, overwrite=True)

    def name(self, name: str, table: ir.Table) -> ir.Table:
        """Give a query a name, so that steps that build on it need not spell it out again."""
        return self.con.create_view(name, table, database=_WORK, overwrite=True)

    def keep_empty(self, name: str) -> ir.Table:
        """Make a canonical table without rows."""
        return self.con.create_table(name, schema=CANONICAL[name][0])

    def keep(self, name: str, table: ir.Table) -> ir.Table:
        """Run a query into a canonical table of the shop."""
        schema = CANONICAL[name][0]
        return self.con.create_table(name, table.select(*schema.names).cast(schema))


@contextmanager
def open_workbench(
    settings: Settings, target: Path, progress: Callable[[str], None], known: Known | None = None
) -> Iterator[Workbench]:
    """Open the new file `target` for the canonical tables, and room for work tables that goes with the build."""
    con = ibis.duckdb.connect(str(target))
    # DuckDB merges nested queries itself; for Ibis to do it before would take a tenth of the time of a small build.
    fuse_selects, ibis.options.sql.fuse_selects = ibis.options.sql.fuse_selects, False
    try:
        con.raw_sql("SET TimeZone = 'UTC'")
        con.raw_sql(f"SET memory_limit = '{MEMORY}'")
        # No step relies on the order of rows; the numbers of lines come from an operator that keeps it anyway.
        con.raw_sql("SET preserve_insertion_order = false")
        con.raw_sql("ATTACH ':memory:' AS work")
        yield Workbench(con, settings, BuildLog(progress), known)
    finally:
        ibis.options.sql.fuse_selects = fuse_selects
        con.disconnect()


def rows_of(table: ir.Table) -> int:
    """Return how many rows a query has."""
    return table.count().to_pyarrow().as_py()
