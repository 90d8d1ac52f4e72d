"""A shop: found by name, built when its input or settings changed, opened read-only."""

import glob
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.errors import UsageError, did_you_mean, quoted
from ecomkit.filters import Filters, Select, check_values, read_filters
from ecomkit.fingerprint import fingerprint_of, salt_of
from ecomkit.narrowing import Part
from ecomkit.periods import Period, day_start, iso_week, last_complete_week, local_date
from ecomkit.pipeline.build import build
from ecomkit.pipeline.channels import VERSION
from ecomkit.pipeline.known import known_at
from ecomkit.schemas import CANONICAL
from ecomkit.settings import Settings, load_settings
from ecomkit.whole_files import appearing_whole, one_at_a_time, remove_leftovers
from ecomkit.words import use_locale

ROOT = Path(__file__).resolve().parent.parent
SHELVES = ("data/fixtures", "examples")
STORE = ROOT / ".ecomkit"
WAITING = "waiting for another build"


def find_shop(name: str | Path) -> Path:
    """Return the folder of a shop: a path, or a name under `data/fixtures/` or `examples/`.

    Raises
    ------
    UsageError
        If there is no such folder with a shop.toml, naming the shops there are.
    """
    candidates = [Path(name), *(ROOT / shelf / name for shelf in SHELVES)]
    for folder in candidates:
        if (folder / "shop.toml").is_file():
            return folder.resolve()
    known = sorted(path.parent.name for shelf in SHELVES for path in (ROOT / shelf).glob("*/shop.toml"))
    raise UsageError(
        f"There is no shop '{name}': no folder of that name holds a shop.toml.{did_you_mean(str(name), known)} "
        f"The shops here are {quoted(known)}."
    )


def shop_key(folder: Path) -> str:
    """Return what a shop is called under `.ecomkit/`: its folder's name, and a hash that tells namesakes apart."""
    return f"{folder.name}-{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class Shop:
    """An opened shop: its settings, and its canonical tables as lazy Ibis tables.

    Every table exists; those that the shop's sources do not feed are empty. With
    `filters`, the tables hold that part of the shop alone; `whole` is all of it.
    """

    settings: Settings
    con: ibis.BaseBackend
    filters: Filters = Filters()

    def __getattr__(self, name: str) -> ir.Table:
        if name in CANONICAL:
            return Part(self.filters, self.con.table, self.settings).table(name)
        raise AttributeError(f"A shop has no '{name}'. Its tables are {quoted(CANONICAL)}.")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *CANONICAL]

    @property
    def whole(self) -> "Shop":
        """The same shop without filters."""
        return replace(self, filters=Filters())

    @property
    def name(self) -> str:
        """The shop's folder name, as commands take it."""
        return self.settings.folder.name

    @property
    def zone(self) -> str:
        """The time zone of the shop's days."""
        return self.settings.time_zone

    @property
    def currency(self) -> str:
        """The currency of all money."""
        return self.settings.currency

    @property
    def channel_groups(self) -> str:
        """The version of the default channel groups, and how many rules of the shop's own come before them."""
        own = len(self.settings.channel_rules)
        return VERSION if not own else f"{VERSION}, after {own} of the shop's own"

    @property
    def min_group(self) -> int:
        """The fewest people or sessions that a compared rate may stand on."""
        return self.settings.min_group

    def floor_against(self, before: Period) -> float:
        """Return the fewest people for a verdict against a period: none are enough where it began before the data."""
        return self.min_group if self.first_day and before.start >= self.first_day else float("inf")

    @cached_property
    def _span(self) -> tuple[date, date] | None:
        events, orders, refunds = (self.con.table(name) for name in ("events", "orders", "refunds"))
        # A clock that runs ahead does not make the data longer than they are.
        happened = ibis.least(events.occurred_at, ibis.coalesce(events.received_at, events.occurred_at))
        instants = ibis.union(
            events.select(at=happened), orders.select(at=_.ordered_at), refunds.select(at=_.refunded_at)
        )
        [row] = instants.agg(first=_.at.min(), last=_.at.max()).to_pyarrow().to_pylist()
        if row["first"] is None:
            return None
        return local_date(row["first"], self.zone), local_date(row["last"], self.zone)

    @property
    def first_day(self) -> date | None:
        """The local day of the first event, order or refund; None in an empty shop."""
        return self._span[0] if self._span else None

    @property
    def data_end(self) -> date | None:
        """The local day after the last event, order or refund; None in an empty shop."""
        return self._span[1] + timedelta(days=1) if self._span else None

    @cached_property
    def newest_arrival(self) -> datetime | None:
        """The instant at which the newest call arrived; None where no call says when it did."""
        [row] = self.con.table("events").agg(newest=_.received_at.max()).to_pyarrow().to_pylist()
        return row["newest"]

    def week(self, label: str) -> Period:
        """Return the ISO week named `label`, or for `last` the last complete week of the data.

        Raises
        ------
        UsageError
            If the label is not a week, or `last` is asked of a shop without data.
        """
        if label != "last":
            return iso_week(label, self.zone)
        if self.data_end is None:
            raise UsageError(
                f"The shop '{self.name}' has no data, so it has no last week. Name a week such as '2026-W44'."
            )
        return last_complete_week(self.data_end, self.zone)

    def contents(self, period: Period) -> dict:
        """Return what the shop holds, in all and in the period, and what was set aside and why.

        Cancelled orders are not orders. Under filters the counts are those of the part;
        what was set aside is of the whole.
        """
        orders, sessions = self.orders.filter(_.status != "cancelled"), self.sessions
        counted = {
            "orders": orders.count(),
            "customers": orders.customer_id.nunique(),
            "guest_orders": orders.customer_id.isnull().sum(),
            "sessions": sessions.count(),
            "people": self.people.count(),
            "events": self.events.count(),
            "ad_spend": self.ad_spend.count(),
            "orders_in_period": orders.filter(period.holds(_.ordered_at)).count(),
            "sessions_in_period": sessions.filter(period.holds(_.started_at)).count(),
        }
        found = {name: int(self.con.to_pyarrow(value).as_py() or 0) for name, value in counted.items()}
        reasons = self.row_reasons.group_by("outcome", "reason").agg(rows=_.rows.sum(), amount=_.amount.sum())
        rows = reasons.order_by("outcome", "reason").to_pyarrow().to_pylist()
        last_day = self.data_end - timedelta(days=1) if self.data_end else None
        return found | {
            "filters": str(self.filters) if self.filters else "",
            "cannot_tell": self.filters.cannot_tell(),
            "first_day": self.first_day,
            "last_day": last_day,
            "set_aside": [(row["outcome"], row["reason"], row["rows"], row["amount"]) for row in rows],
        }


def open_shop(
    name: str | Path,
    *,
    filters: Mapping[str, Any] | None = None,
    select: Select = "orders",
    as_of: date | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> Shop:
    """Open a shop read-only, building it first if its input, settings or the kit changed.

    With `as_of`, the shop is as it was known at the end of that local day: calls received
    later count for nothing, nor do the people that they merge. Many notebooks may hold one
    shop open at once. Every later number and date of the process is written in the shop's locale.

    Parameters
    ----------
    name
        A folder with a shop.toml, or a name under `data/fixtures/` or `examples/`.
    filters
        What part of the shop to look at: values of `channel`, `category`, `country` or `device`,
        one or a list, and `b2b`, False to leave business customers out.
    select
        What the filters are about: `orders`, with the sessions and events of their kind, or
        `customers`, by their first order, with all that these customers ever did.
    as_of
        The last local day that is known.
    progress
        Told each step of a build.
    """
    chosen = read_filters(filters or {}, select)
    path = build_shop(name, as_of=as_of, progress=progress)
    con = ibis.duckdb.connect(str(path), read_only=True)
    con.raw_sql("SET TimeZone = 'UTC'")
    settings = load_settings(find_shop(name) / "shop.toml")
    check_values(chosen, con.table, settings)
    use_locale(settings.locale)
    return Shop(settings, con, chosen)


def build_shop(
    name: str | Path,
    *,
    into: Path | None = None,
    as_of: date | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> Path:
    """Return the DuckDB file of a shop's canonical tables, built if there is none for its fingerprint.

    With `into`, the tables are written to that file instead; with `as_of`, they are those of the
    end of that local day. A file appears whole or
    not at all; of two builds of one shop at once, one waits for the other.
    """
    settings = load_settings(find_shop(name) / "shop.toml")
    salt = salt_of(settings.folder)
    fingerprint = fingerprint_of(settings, salt)
    known = known_at(day_start(as_of + timedelta(days=1), settings.time_zone)) if as_of else None
    told = {"salt": salt, "fingerprint": fingerprint, "progress": progress, "known": known}
    if into is not None:
        if not into.parent.is_dir():
            raise UsageError(
                f"There is no folder '{into.parent}' to write '{into.name}' into. Make it, or name another."
            )
        with appearing_whole(into) as unfinished:
            build(settings, unfinished, **told)
        return into
    key = shop_key(settings.folder) + (f"@{as_of}" if as_of else "")
    shelf = STORE / "shops"
    shelf.mkdir(parents=True, exist_ok=True)
    target = shelf / f"{key}-{fingerprint[:16]}.duckdb"
    remove_leftovers(shelf, f"{key}-")
    if target.is_file():
        return target
    with one_at_a_time(shelf / f"{key}.lock", waiting=lambda: progress(WAITING)):
        if not target.is_file():
            with appearing_whole(target) as unfinished:
                build(settings, unfinished, **told)
            # Who has an older one open keeps reading it: its bytes go when the last reader closes it.
            for older in shelf.glob(f"{glob.escape(key)}-*.duckdb"):
                if older != target:
                    older.unlink(missing_ok=True)
    return target
