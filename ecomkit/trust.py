"""May this week's data be trusted: shares held against the limits of shop.toml, and a light over them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd
from ibis import _

from ecomkit.frames import to_frame
from ecomkit.metrics.coverage import identity_coverage, unmatched_spend
from ecomkit.metrics.quality import daily_outcomes
from ecomkit.metrics.reconciliation import reconciliation
from ecomkit.metrics.sales import aov
from ecomkit.periods import Period
from ecomkit.shop import Shop
from ecomkit.tracking_breaks import HINTS, Break, breaks_of
from ecomkit.words import percent

STATES = ("green", "amber", "red")
# What is told where too little is there to judge a share by.
CANNOT_TELL = "cannot tell"
# Calls in four weeks for one case of `min_group`: at 30 cases, eleven calls a day, a day without one comes by chance
# once in 50,000 days.
_LEAST_USUAL = 10


def checks_of(shop: Shop, period: Period) -> pd.DataFrame:
    """Hold the data of a period against the shop's limits.

    Returns
    -------
    DataFrame
        One row per check: `check`, `definition`, `bad_share` (0 to 1; missing where there is nothing to judge),
        `counted` (how many it stands on), `amber_above_share`, `red_above_share`, `state` (`green`, `amber`, `red`,
        `cannot tell` on fewer than `min_group`).
    """
    settings = shop.settings
    limits = {"quarantined_share": (settings.max_quarantined_share / 5, settings.max_quarantined_share)}
    limits |= settings.trust_limits
    rows = []
    for name, share in _shares(shop, period).items():
        bad_share = share.bad / share.all if share.all else None
        amber, red = limits[name]
        is_judged = bad_share is not None and share.counted >= settings.min_group
        state = _state(bad_share, amber, red) if is_judged else CANNOT_TELL
        rows.append((name, share.definition, bad_share, share.counted, amber, red, state))
    columns = ["check", "definition", "bad_share", "counted", "amber_above_share", "red_above_share", "state"]
    return pd.DataFrame(rows, columns=columns).astype({"bad_share": "float64", "counted": "int64"})


class Light(NamedTuple):
    """The light over a week's data, `green`, `amber` or `red`, and what keeps it from green."""

    colour: str
    reasons: list[str]


def light_and_reasons(shop: Shop, period: Period) -> Light:
    """Return the light of a shop's week and what keeps it from green."""
    breaks, checks = breaks_of(shop), checks_of(shop, period)
    return Light(light_of(checks, breaks, period), reasons_of(checks, breaks, period))


def light_of(checks: pd.DataFrame, breaks: Sequence[Break], period: Period) -> str:
    """Return the light of the week: the worst of its checks; red, too, with a break in it, amber after a hint."""
    states = [state for state in checks["state"] if state in STATES]
    states += ["amber" if one.kind in HINTS else "red" for one in breaks if one.touches(period)]
    return max(states, key=STATES.index, default="green")


def reasons_of(checks: pd.DataFrame, breaks: Sequence[Break], period: Period) -> list[str]:
    """Say what keeps the light from green, the worst first; nothing where it is green."""
    told = [
        (STATES.index(row.state), f"{row.definition}: {percent(row.bad_share)} ({row.state} above {_limit(row)})")
        for row in checks.itertuples()
        if row.state in STATES[1:]
    ]
    told += [(1 if one.kind in HINTS else 2, str(one)) for one in breaks if one.touches(period)]
    return [text for _rank, text in sorted(told, key=lambda reason: -reason[0])]


def _limit(row) -> str:
    return percent(row.red_above_share if row.state == "red" else row.amber_above_share)


class _Share(NamedTuple):
    """The bad among all, and how many cases that stands on, where it is not a share of cases."""

    definition: str
    bad: float
    all: float
    cases: int | None = None

    @property
    def counted(self) -> int:
        return int(self.all if self.cases is None else self.cases)


def _shares(shop: Shop, period: Period) -> Mapping[str, _Share]:
    """Return the share of each check, by name; the data are judged as a whole."""
    shop = shop.whole
    calls = _sums(daily_outcomes(shop.call_days).filter(_.day >= period.start, _.day < period.end))
    sessions = shop.sessions.filter(period.holds(_.started_at))
    orders = shop.orders.filter(period.holds(_.ordered_at))
    known = to_frame(identity_coverage(sessions, orders)).iloc[0]
    by_rule = to_frame(aov(orders, by="session_rule"))
    loose = by_rule.orders[by_rule.session_rule.isna()].sum()
    # A shop that is not tracked has no visits to meet.
    is_tracked = _count(shop.sessions.limit(1)) > 0
    spend = to_frame(unmatched_spend(shop.ad_spend, shop.sessions, period=period))
    unseen = spend.spend[spend.sessions_of_channel == 0].sum()
    spend_days = _count(shop.ad_spend.filter(_.date >= period.start, _.date < period.end, _.spend > 0))
    odd = shop.row_reasons.filter(_.outcome == "kept", _.reason.startswith("money does not fit"))
    odd_orders = to_frame(odd.agg(rows=_.rows.sum().coalesce(0))).iloc[0, 0]
    matched = to_frame(reconciliation(shop.order_matches, shop.call_days, zone=shop.zone))
    matched = matched[matched.week == pd.Timestamp(period.start)]
    return {
        "silent_days_share": _silent_days(shop, period),
        "quarantined_share": _Share("Calls that could not be used", calls["quarantined"], calls["calls"]),
        "duplicate_share": _Share("Calls that arrived twice", calls["duplicates"], calls["calls"]),
        "late_share": _Share("Calls that arrived more than a day late", calls["late"], calls["kept"]),
        "money_rule_share": _Share(
            "Orders whose money fits no rule, in all of the data", odd_orders, _count(shop.orders)
        ),
        "unlinked_orders_share": _Share("Orders that met no session", loose, by_rule.orders.sum() * is_tracked),
        "unknown_customers_share": _Share(
            "Orders of nobody known", known.orders - known.identified_orders, known.orders
        ),
        "unassigned_share": _Share(
            "Sessions in no channel group", _count(sessions.filter(_.channel == "Unassigned")), known.sessions
        ),
        "unmatched_spend_share": _Share(
            "Spend on channels that no session came by", unseen, spend.spend.sum() * is_tracked, spend_days
        ),
        "unreconciled_share": _Share(
            "Orders of the export that no call tells of", matched.missing_in_calls.sum(), matched.orders_in_export.sum()
        ),
    }


def _silent_days(shop: Shop, period: Period) -> _Share:
    """Return the share of days without one call of a browser, which stands on the calls of the four weeks before."""
    from_browsers = shop.call_days.filter(_.outcome == "kept", _.side == "client", _.calls > 0)
    before = period.four_weeks_before(days=period.days)
    usual = _sums(from_browsers.filter(_.day >= before.start, _.day < before.end).select("calls"))["calls"]
    heard = to_frame(from_browsers.filter(_.day >= period.start, _.day < period.end).agg(days=_.day.nunique()))
    silent = period.days - heard.days.iloc[0]
    # Where a few calls a day are usual, a day without one is chance.
    return _Share("Days without one call of a browser", silent, period.days, usual // _LEAST_USUAL)


def _count(table) -> int:
    return int(to_frame(table.count().as_table()).iloc[0, 0])


def _sums(table) -> dict[str, int]:
    totals = to_frame(table.agg(**{name: table[name].sum().coalesce(0) for name in table.columns if name != "day"}))
    return {name: int(value) for name, value in totals.iloc[0].items()}


def _state(share: float, amber: float, red: float) -> str:
    return "red" if share > red else "amber" if share > amber else "green"
