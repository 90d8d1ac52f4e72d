"""Sums of the bridge, typed or drawn: a row per period from what each person adds."""

from datetime import date
from itertools import combinations_with_replacement

import numpy as np
import pandas as pd

BEFORE, NOW = date(2024, 1, 1), date(2024, 1, 8)
IN_SESSIONS = ("sessions", "sessions_with_order", "orders_in_sessions", "revenue_in_sessions")


def spread(sessions, converting, orders, revenue):
    """So many people with one session each; the first so many of them share orders and revenue."""
    visits, hits = np.ones(sessions), np.zeros(sessions)
    hits[:converting] = 1.0
    bought = hits.copy()
    if converting:
        bought[0] += orders - converting
    return visits, hits, bought, bought * (revenue / orders if orders else 0.0)


def in_sessions_of(people, people_before=None):
    """The sums of arrays of each person's sessions, converting sessions, orders and revenue.

    `people_before` are the arrays of the same people in the period before; without them nobody comes twice.
    """
    arrays = dict(zip(IN_SESSIONS, people, strict=True))
    row = {name: float(values.sum()) for name, values in arrays.items()}
    row |= {f"{name}_clusters": np.count_nonzero(arrays[name]) for name in ("sessions", "orders_in_sessions")}
    for a, b in combinations_with_replacement(IN_SESSIONS, 2):
        name = f"{a}_squares" if a == b else f"{a}_{b}_products"
        row[name] = float((arrays[a] * arrays[b]).sum())
    before = [0.0 * people[0]] * 4 if people_before is None else people_before
    for a, values in arrays.items():
        for b, values_before in zip(IN_SESSIONS, before, strict=True):
            row[f"{a}_{b}_before_products"] = float((values * values_before).sum())
    return row | {"start_date_before": pd.NaT if people_before is None else pd.Timestamp(BEFORE)}


def period_of(*groups, outside=(), refunds=()):
    """The sums of a period: of groups of people in sessions, of orders outside and of refunds, a person each."""
    people = [np.concatenate(arrays) for arrays in zip(*groups, strict=True)] or [np.zeros(0)] * 4
    row = in_sessions_of(people)
    for name, values in (("revenue_outside_sessions", outside), ("refunds", refunds)):
        money = np.array(values, dtype=float)
        row |= {name: money.sum(), f"{name}_clusters": np.count_nonzero(money), f"{name}_squares": (money**2).sum()}
        row[f"{name}_{name}_before_products"] = 0.0
    row["orders_outside_sessions"] = float(len(outside))
    row["net_revenue"] = row["revenue_in_sessions"] + row["revenue_outside_sessions"] - row["refunds"]
    return row


def segments_of(now, before, by):
    """A row per period and segment, each from its people."""
    rows = [
        {"start_date": pd.Timestamp(start), by: name} | in_sessions_of(people)
        for start, side in ((BEFORE, before), (NOW, now))
        for name, people in side
    ]
    columns = ["start_date", by, *in_sessions_of([np.zeros(0)] * 4)]
    return pd.DataFrame(rows, columns=columns)
