"""May this week's data be trusted: breaks in tracking, and shares held against the limits of shop.toml."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd
from ibis import _

from ecomkit.check import verdict
from ecomkit.frames import to_frame
from ecomkit.metrics.coverage import identity_coverage, unmatched_spend
from ecomkit.metrics.quality import daily_outcomes, daily_visits, daily_volumes, filled_properties, library_days
from ecomkit.metrics.reconciliation import reconciliation
from ecomkit.metrics.sales import aov
from ecomkit.models.breaks import ALL_EVENTS, NEW_NORM_DAYS, find_breaks
from ecomkit.periods import Period
from ecomkit.shop import Shop
from ecomkit.words import day, listed, percent, short

STATES = ("green", "amber", "red")
# What is told where too little is there to judge a share by.
CANNOT_TELL = "cannot tell"
# A break of these kinds in the week turns the light red; a new version of a library alone is a hint.
_HINTS = ("new library version",)
# What a statement may stand on.
INPUTS = ("visits", "channels", "products", "orders")
_ORDER_EVENT = "Order Completed"
_PRODUCT_EVENTS = ("Product ", "Products ", "Cart ", "Checkout ")


@dataclass(frozen=True)
class Break:
    """One break in tracking: its kind, what it happened to, its local days, and the inputs that it hits.

    `last_day` is None while it still goes on at the end of the data.
    """

    kind: str
    what: str
    first_day: date
    last_day: date | None
    hits: tuple[str, ...]

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
    """Find the breaks in a shop's tracking, over all its days, the earliest first."""
    volumes = to_frame(daily_volumes(shop.call_days))
    found = find_breaks(
        volumes,
        to_frame(library_days(shop.call_days)),
        to_frame(filled_properties(shop.property_days)),
        to_frame(daily_visits(shop.sessions, shop.events, zone=shop.zone)),
    )
    # Orders that the server sends do not stop with the browser's calls.
    from_browser = set(volumes.side[volumes.event_name == _ORDER_EVENT]) == {"client"}
    ends = shop.data_end
    return [
        Break(row.kind, row.what, row.first_day.date(), _last_day(row, ends), _hits(row.kind, row.what, from_browser))
        for row in found.itertuples()
    ]


def breaks_frame(breaks: Sequence[Break]) -> pd.DataFrame:
    """Return breaks as rows: `kind`, `what`, `first_day`, `last_day` (missing while it goes on), `hits`."""
    rows = [(one.kind, one.what, one.first_day, one.last_day, listed(one.hits) or "nothing") for one in breaks]
    frame = pd.DataFrame(rows, columns=["kind", "what", "first_day", "last_day", "hits"])
    return frame.astype({"first_day": "datetime64[s]", "last_day": "datetime64[s]"})


def marks_of(breaks: Sequence[Break], span: Period | None, *inputs: str) -> list[str]:
    """Return, in words, the breaks within a span (None for all of the data) that hit one of the `inputs`.

    `span` is all that a page shows and compares: the week and the week before, say.
    """
    near = [one for one in breaks if span is None or one.touches(span)]
    return [str(one) for one in near if set(one.hits) & set(inputs)]


def checks_of(shop: Shop, period: Period) -> pd.DataFrame:
    """Hold the data of a period against the shop's limits.

    Returns
    -------
    DataFrame
        One row per check: `check`, `definition`, `bad_share` (0 to 1; missing where there is nothing to judge),
        `counted` (its denominator), `amber_above_share`, `red_above_share`, `state` (`green`, `amber`, `red`,
        `cannot tell`).
    """
    settings = shop.settings
    limits = {"quarantined_share": (settings.max_quarantined_share / 5, settings.max_quarantined_share)}
    limits |= settings.trust_limits
    rows = []
    for name, (definition, bad, counted) in _shares(shop, period).items():
        share = bad / counted if counted else None
        amber, red = limits[name]
        state = _state(share, amber, red) if counted >= settings.min_group else CANNOT_TELL
        rows.append((name, definition, share, counted, amber, red, state))
    columns = ["check", "definition", "bad_share", "counted", "amber_above_share", "red_above_share", "state"]
    return pd.DataFrame(rows, columns=columns).astype({"bad_share": "float64", "counted": "int64"})


def light_and_reasons(shop: Shop, period: Period) -> tuple[str, list[str]]:
    """Return the light of a shop's week and what keeps it from green."""
    breaks, checks = breaks_of(shop), checks_of(shop, period)
    return light_of(checks, breaks, period), reasons_of(checks, breaks, period)


def light_of(checks: pd.DataFrame, breaks: Sequence[Break], period: Period) -> str:
    """Return the light of the week: the worst of its checks; red, too, with a break in it, amber after a hint."""
    states = [state for state in checks["state"] if state in STATES]
    states += ["amber" if one.kind in _HINTS else "red" for one in breaks if one.touches(period)]
    return max(states, key=STATES.index, default="green")


def reasons_of(checks: pd.DataFrame, breaks: Sequence[Break], period: Period) -> list[str]:
    """Say what keeps the light from green, the worst first; nothing where it is green."""
    told = [
        (STATES.index(row.state), f"{row.definition}: {percent(row.bad_share)} ({row.state} above {_limit(row)})")
        for row in checks.itertuples()
        if row.state in STATES[1:]
    ]
    told += [(1 if one.kind in _HINTS else 2, str(one)) for one in breaks if one.touches(period)]
    return [text for _rank, text in sorted(told, key=lambda reason: -reason[0])]


def _limit(row) -> str:
    return percent(row.red_above_share if row.state == "red" else row.amber_above_share)


def _shares(shop: Shop, period: Period) -> Mapping[str, tuple[str, int, int]]:
    """Return of each check what it is a share of, the bad and all that were counted."""
    judged = verdict(shop).totals
    calls = _sums(daily_outcomes(shop.call_days).filter(_.day >= period.start, _.day < period.end))
    sessions = shop.sessions.filter(period.holds(_.started_at))
    orders = shop.orders.filter(period.holds(_.ordered_at))
    known = to_frame(identity_coverage(sessions, orders)).iloc[0]
    by_rule = to_frame(aov(orders, by="session_rule"))
    loose = int(by_rule.orders[by_rule.session_rule.isna()].sum())
    unassigned = int(to_frame(sessions.filter(_.channel == "Unassigned").count().as_table()).iloc[0, 0])
    spend = to_frame(unmatched_spend(shop.ad_spend, shop.sessions, period=period))
    unseen = spend.spend[spend.sessions_of_channel == 0].sum()
    odd = shop.row_reasons.filter(_.outcome == "kept", _.reason.startswith("money does not fit"))
    odd_orders = int(to_frame(odd.agg(rows=_.rows.sum().coalesce(0))).iloc[0, 0])
    all_orders = int(to_frame(shop.orders.count().as_table()).iloc[0, 0])
    matched = to_frame(reconciliation(shop.order_matches, zone=shop.zone))
    matched = matched[matched.week == pd.Timestamp(period.start)]
    return {
        "quarantined_share": ("Rows that could not be used", judged["rows_quarantined"], judged["rows_in"]),
        "duplicate_share": ("Calls that arrived twice", calls["duplicates"], calls["calls"]),
        "late_share": ("Calls that arrived more than a day late", calls["late"], calls["kept"]),
        "money_rule_share": ("Orders whose money does not fit the rule it is read by", odd_orders, all_orders),
        "unlinked_orders_share": ("Orders that met no session", loose, int(by_rule.orders.sum())),
        "unknown_customers_share": (
            "Orders of nobody known",
            int(known.orders - known.identified_orders),
            int(known.orders),
        ),
        "unassigned_share": ("Sessions in no channel group", unassigned, int(known.sessions)),
        "unmatched_spend_share": ("Spend on channels that no session came by", round(unseen), round(spend.spend.sum())),
        "unreconciled_share": (
            "Orders of the export that no call tells of",
            int(matched.missing_in_calls.sum()),
            int(matched.orders_in_export.sum()),
        ),
    }


def _sums(table) -> dict[str, int]:
    totals = to_frame(table.agg(**{name: table[name].sum().coalesce(0) for name in table.columns if name != "day"}))
    return {name: int(value) for name, value in totals.iloc[0].items()}


def _state(share: float, amber: float, red: float) -> str:
    return "red" if share > red else "amber" if share > amber else "green"


def _last_day(row, ends: date) -> date | None:
    """Return the last day on which a break matters: of a hint its first, of what has become usual the last before."""
    first = row.first_day.date()
    if row.kind in _HINTS:
        return first
    if pd.isna(row.last_day):
        usual_from = first + timedelta(days=NEW_NORM_DAYS)
        return usual_from - timedelta(days=1) if usual_from < ends else None
    return row.last_day.date()


def _hits(kind: str, what: str, orders_from_browser: bool) -> tuple[str, ...]:
    """Return the inputs that a break hits, in the order of `INPUTS`."""
    if kind in _HINTS:
        return ()
    if kind == "bot wave":
        return ("visits", "channels")
    if kind == "UTM stopped parsing":
        return ("channels",)
    if kind == "tracking outage" and what == ALL_EVENTS:
        return INPUTS if orders_from_browser else INPUTS[:3]
    hit = {name for one in what.split(", ") for name in _hit_by_event(one.partition(".")[0])}
    return tuple(name for name in INPUTS if name in hit)


def _hit_by_event(event: str) -> tuple[str, ...]:
    if event == _ORDER_EVENT:
        return ("products", "orders")
    return ("products",) if event.startswith(_PRODUCT_EVENTS) else ("visits",)
