"""May this week's data be trusted: shares held against the limits of shop.toml, and a light over them."""

from collections.abc import Mapping, Sequence

import pandas as pd
from ibis import _

from ecomkit.check import verdict
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


def _shares(shop: Shop, period: Period) -> Mapping[str, tuple[str, int, int]]:
    """Return of each check what it is a share of, the bad and all that were counted."""
    judged = verdict(shop).totals
    calls = _sums(daily_outcomes(shop.call_days).filter(_.day >= period.start, _.day < period.end))
    sessions = shop.sessions.filter(period.holds(_.started_at))
    orders = shop.orders.filter(period.holds(_.ordered_at))
    known = to_frame(identity_coverage(sessions, orders)).iloc[0]
    by_rule = to_frame(aov(orders, by="session_rule"))
    loose = int(by_rule.orders[by_rule.session_rule.isna()].sum())
    # A shop that is not tracked has no visits to meet.
    is_tracked = bool(to_frame(shop.sessions.limit(1).count().as_table()).iloc[0, 0])
    unassigned = int(to_frame(sessions.filter(_.channel == "Unassigned").count().as_table()).iloc[0, 0])
    spend = to_frame(unmatched_spend(shop.ad_spend, shop.sessions, period=period))
    unseen = spend.spend[spend.sessions_of_channel == 0].sum()
    odd = shop.row_reasons.filter(_.outcome == "kept", _.reason.startswith("money does not fit"))
    odd_orders = int(to_frame(odd.agg(rows=_.rows.sum().coalesce(0))).iloc[0, 0])
    all_orders = int(to_frame(shop.orders.count().as_table()).iloc[0, 0])
    matched = to_frame(reconciliation(shop.order_matches, zone=shop.zone))
    matched = matched[matched.week == pd.Timestamp(period.start)]
    return {
        "quarantined_share": (
            "Rows that could not be used, in all of the data",
            judged["rows_quarantined"],
            judged["rows_in"],
        ),
        "duplicate_share": ("Calls that arrived twice", calls["duplicates"], calls["calls"]),
        "late_share": ("Calls that arrived more than a day late", calls["late"], calls["kept"]),
        "money_rule_share": ("Orders whose money fits no rule, in all of the data", odd_orders, all_orders),
        "unlinked_orders_share": ("Orders that met no session", loose, int(by_rule.orders.sum()) * is_tracked),
        "unknown_customers_share": (
            "Orders of nobody known",
            int(known.orders - known.identified_orders),
            int(known.orders),
        ),
        "unassigned_share": ("Sessions in no channel group", unassigned, int(known.sessions)),
        "unmatched_spend_share": (
            "Spend on channels that no session came by",
            round(unseen),
            round(spend.spend.sum()) * is_tracked,
        ),
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
