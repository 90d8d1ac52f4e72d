"""May this week's data be trusted: breaks in tracking, and shares held against the limits of shop.toml."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd
from ibis import _

from ecomkit.check import verdict
from ecomkit.frames import to_frame
from ecomkit.metrics.coverage import identity_coverage, unmatched_spend
from ecomkit.metrics.quality import daily_outcomes, daily_visits, daily_volumes, library_days
from ecomkit.metrics.reconciliation import reconciliation
from ecomkit.metrics.sales import aov
from ecomkit.models.breaks import find_breaks
from ecomkit.periods import Period
from ecomkit.shop import Shop
from ecomkit.words import percent, short

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


def breaks_of(shop: Shop) -> list[Break]:
    """Find the breaks in a shop's tracking, over all its days, the earliest first."""
    found = find_breaks(
        to_frame(daily_volumes(shop.call_days)),
        to_frame(shop.property_days),
        to_frame(library_days(shop.call_days)),
        to_frame(daily_visits(shop.sessions, shop.events, zone=shop.zone)),
    )
    sides = to_frame(daily_volumes(shop.call_days).filter(_.event_name == _ORDER_EVENT))
    # Orders that the server sends do not stop with the browser's calls.
    from_browser = (sides.side == "client").any() and not (sides.side == "server").any()
    return [
        Break(row.kind, row.what, row.first_day.date(), _day(row.last_day), _hits(row.kind, row.what, from_browser))
        for row in found.itertuples()
    ]


def breaks_near(breaks: Sequence[Break], period: Period, *inputs: str) -> list[Break]:
    """Return the breaks that hit one of the `inputs` in the period or in the one before, which it is compared with."""
    both = period.extended_back(2)
    return [one for one in breaks if one.touches(both) and set(one.hits) & set(inputs)]


def checks_of(shop: Shop, period: Period, breaks: Sequence[Break]) -> pd.DataFrame:
    """Hold the data of a period against the shop's limits.

    Returns
    -------
    DataFrame
        One row per check: `check`, `definition`, `bad_share` (0 to 1; missing where there is nothing to judge),
        `counted` (its denominator), `amber`, `red` (the shares above which it is so), `state` (`green`, `amber`,
        `red`, `cannot tell`).
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
    columns = ["check", "definition", "bad_share", "counted", "amber", "red", "state"]
    return pd.DataFrame(rows, columns=columns).astype({"bad_share": "float64", "counted": "int64"})


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
    told += [(1 if one.kind in _HINTS else 2, in_words(one)) for one in breaks if one.touches(period)]
    return [text for _rank, text in sorted(told, key=lambda reason: -reason[0])]


def in_words(one: Break) -> str:
    """Return a break as `tracking outage (page) from 3 to 4 October 2026`."""
    what = f" ({short(one.what)})" if one.what else ""
    first = f"{one.first_day:%-d %B %Y}"
    if one.last_day is None:
        return f"{one.kind}{what} since {first}"
    if one.last_day == one.first_day:
        return f"{one.kind}{what} on {first}"
    return f"{one.kind}{what} from {first} to {one.last_day:%-d %B %Y}"


def _limit(row) -> str:
    return percent(row.red if row.state == "red" else row.amber)


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


def _day(instant: pd.Timestamp) -> date | None:
    return None if pd.isna(instant) else instant.date()


def _hits(kind: str, what: str, orders_from_browser: bool) -> tuple[str, ...]:
    event, _dot, name = what.partition(".")
    if kind == "tracking outage":
        return ("visits", "channels", "products") + (("orders",) if orders_from_browser else ())
    if kind == "bot wave":
        return ("visits", "channels")
    if kind == "UTM stopped parsing" or name.startswith("utm_"):
        return ("channels",)
    if kind in _HINTS:
        return ()
    if event == _ORDER_EVENT:
        return ("orders", "products")
    return ("products",) if event.startswith(_PRODUCT_EVENTS) else ("visits",)
