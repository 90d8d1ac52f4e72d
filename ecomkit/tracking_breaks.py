"""Breaks in a shop's tracking, and which of its numbers they hit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from ecomkit.frames import to_frame
from ecomkit.metrics.quality import daily_visits, daily_volumes, filled_properties, library_days
from ecomkit.models.breaks import NEW_NORM_DAYS, find_breaks, too_few_to_watch
from ecomkit.periods import Period
from ecomkit.shop import Shop
from ecomkit.words import day, listed, short

# A new version of a library alone breaks nothing: it is a hint where to look.
HINTS = ("new library version",)
# What a statement may stand on.
INPUTS = ("visits", "channels", "products", "orders")
_ORDER_EVENT = "Order Completed"
_NEARLY_ALL = 0.95
_PRODUCT_EVENTS = ("Product ", "Products ", "Cart ", "Checkout ")


@dataclass(frozen=True)
class Break:
    """One break in tracking: its kind, what it happened to, its local days, and the inputs that it hits.

    `events` are those that it is about, none where it is about all. `last_day` is None
    while it still goes on at the end of the data.
    """

    kind: str
    what: str
    first_day: date
    last_day: date | None
    hits: tuple[str, ...]
    events: tuple[str, ...] = ()

    def touches(self, period: Period) -> bool:
        """Say whether a day of the break lies in the period."""
        return self.first_day < period.end and (self.last_day is None or self.last_day >= period.start)

    def __str__(self) -> str:
        """Write it as `tracking outage (all events) from 3 October 2026 to 4 October 2026`."""
        named = f"{self.kind} ({short(self.what)})"
        if self.last_day is None:
            return f"{named} since {day(self.first_day)}"
        if self.last_day == self.first_day:
            return f"{named} on {day(self.first_day)}"
        return f"{named} from {day(self.first_day)} to {day(self.last_day)}"


def breaks_of(shop: Shop) -> list[Break]:
    """Find the breaks in a shop's tracking, over all its days and whatever it is filtered by, the earliest first."""
    shop = shop.whole
    volumes, properties, visits = _daily(shop)
    found = find_breaks(
        volumes, to_frame(library_days(shop.call_days)), properties, visits, last_day=_last_whole_day(shop)
    )
    from_browser, ends = _orders_need_browsers(shop, volumes), shop.data_end
    return [
        Break(row.kind, row.what, row.first_day.date(), _last_day(row, ends), _hits(row, from_browser), row.events)
        for row in found.itertuples()
    ]


def too_rare_to_watch(shop: Shop) -> list[str]:
    """Name what comes too rarely for a break to show for certain within two days: `doubled event (Order Completed)`.

    Of properties, their events are named.
    """
    shop = shop.whole
    rare = too_few_to_watch(*_daily(shop), last_day=_last_whole_day(shop))
    names = {kind: set() for kind in sorted(set(rare["kind"]))}
    for row in rare.itertuples():
        names[row.kind] |= set(row.events or (row.what,))
    return [f"{kind} ({listed(sorted(of_kind))})" for kind, of_kind in names.items()]


def breaks_frame(breaks: Sequence[Break]) -> pd.DataFrame:
    """Return breaks as rows: `kind`, `what`, `first_day`, `last_day` (missing while it goes on), `hits`, `events`."""
    rows = [
        (one.kind, one.what, one.first_day, one.last_day, listed(one.hits) or "nothing", one.events) for one in breaks
    ]
    frame = pd.DataFrame(rows, columns=["kind", "what", "first_day", "last_day", "hits", "events"])
    return frame.astype({"first_day": "datetime64[s]", "last_day": "datetime64[s]"})


def marks_of(breaks: Sequence[Break], span: Period | None, *inputs: str) -> list[str]:
    """Return, in words, the breaks within a span (None for all of the data) that hit one of the `inputs`.

    `span` is all that a page shows and compares: the week and the week before, say.
    """
    near = [one for one in breaks if span is None or one.touches(span)]
    return [str(one) for one in near if set(one.hits) & set(inputs)]


def _orders_need_browsers(shop: Shop, volumes: pd.DataFrame) -> bool:
    """Say whether orders stop with the browser's calls: neither the server sends nearly all, nor an export has them."""
    if not to_frame(shop.order_matches.limit(1)).empty:
        return False
    by_server = volumes.calls[(volumes.event_name == _ORDER_EVENT) & (volumes.side == "server")].sum()
    return bool(by_server < _NEARLY_ALL * to_frame(shop.orders.count().as_table()).iloc[0, 0])


def _last_whole_day(shop: Shop) -> date | None:
    """Return the last day whose calls are all there: the one before the newest, or the end of the last whole week."""
    if shop.data_end is None:
        return None
    week = shop.week("last")
    return max(shop.data_end - timedelta(days=2), week.end - timedelta(days=1))


def _daily(shop: Shop) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return volumes, filled properties and visits per day."""
    visits = daily_visits(shop.sessions, shop.events, zone=shop.zone)
    return to_frame(daily_volumes(shop.call_days)), to_frame(filled_properties(shop.property_days)), to_frame(visits)


def _last_day(row, ends: date) -> date | None:
    """Return the last day on which a break matters: of a hint its first, of what has become usual the last before."""
    first = row.first_day.date()
    if row.kind in HINTS:
        return first
    if pd.isna(row.last_day):
        usual_from = first + timedelta(days=NEW_NORM_DAYS)
        return usual_from - timedelta(days=1) if usual_from < ends else None
    return row.last_day.date()


def _hits(row, orders_from_browser: bool) -> tuple[str, ...]:
    """Return the inputs that a break hits, in the order of `INPUTS`."""
    if row.kind in HINTS:
        return ()
    if row.kind == "bot wave":
        return ("visits", "channels")
    if row.kind == "UTM stopped parsing":
        return ("channels",)
    if not row.events:
        return INPUTS if orders_from_browser else INPUTS[:3]
    hit = {name for event in row.events for name in _hit_by_event(event)}
    return tuple(name for name in INPUTS if name in hit)


def _hit_by_event(event: str) -> tuple[str, ...]:
    if event.startswith("Order "):
        return ("products", "orders")
    if event in ("page", "screen"):
        return ("visits", "channels")
    return ("products",) if event.startswith(_PRODUCT_EVENTS) else ("visits",)
