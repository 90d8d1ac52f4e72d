"""Weeks of simulated people: with several sessions, heavy-tailed orders, and the same people in every week."""

import ibis
import numpy as np
import pyarrow as pa

from ecomkit.schemas import ORDERS, REFUNDS, SESSIONS
from tests.bridge import in_sessions_of
from tests.clusters import sums

RATE, REFUNDED, OUTSIDE = 0.05, 0.08, 0.1
SESSIONS_A_WEEK = 0.5


class Town:
    """People who may visit the shop: how often each comes, how readily he buys, how dear; the same every week."""

    def __init__(self, rng, people):
        self.rng, self.people = rng, people
        self.visits = rng.gamma(0.5, SESSIONS_A_WEEK / 0.5, people)
        self.inclination = rng.beta(RATE * 6, (1 - RATE) * 6, people)
        self.taste = rng.lognormal(0, 0.4, people)
        self.is_company = rng.random(people) < 0.004
        self.last_week = None

    def week(self, *, sessions=1.0, rate=1.0, aov=1.0):
        """What a week brings: the sums of the bridge, of the totals and of the ratios, in one row."""
        rng = self.rng
        visits = rng.poisson(self.visits * sessions)
        converting = rng.binomial(visits, np.minimum(self.inclination * rate, 1.0))
        inside = converting + rng.binomial(converting, 0.05)
        outside = rng.poisson(self.visits * RATE * OUTSIDE)
        earned, units, discount = self._money(inside, aov)
        earned_outside, units_outside, discount_outside = self._money(outside, aov)
        orders, revenue = inside + outside, earned + earned_outside
        # Of this week's orders and of others before it.
        back = rng.poisson(self.visits * RATE * REFUNDED)
        refunded, _units, _discount = self._money(back, 1.0)
        inside_of_people = [one.astype(float) for one in (visits, converting, inside, earned)]
        inside_before, outside_before, refunded_before = self.last_week or (None, 0.0, 0.0)
        self.last_week = (inside_of_people, earned_outside, refunded)
        row = in_sessions_of(inside_of_people, inside_before)
        totals = {
            "revenue_outside_sessions": earned_outside,
            "refunds": refunded,
            "orders": orders.astype(float),
            "customers": (orders > 0).astype(float),
            "revenue": revenue,
            "net_revenue": revenue - refunded,
        }
        for name, values in totals.items():
            row |= {
                name: float(values.sum()),
                f"{name}_clusters": np.count_nonzero(values),
                f"{name}_squares": float((values**2).sum()),
            }
        alike = {"revenue_outside_sessions": earned_outside * outside_before, "refunds": refunded * refunded_before}
        row |= {f"{name}_{name}_before_products": float(np.sum(values)) for name, values in alike.items()}
        row["orders_outside_sessions"] = float(outside.sum())
        ratios = {
            "aov": (revenue, orders),
            "visit_to_order_rate": (converting, visits),
            "units_per_order": (units + units_outside, orders),
            "discount_share": (discount + discount_outside, revenue + discount + discount_outside),
            "refund_share": (refunded, revenue),
        }
        for name, (above, below) in ratios.items():
            is_one = (above != 0) | (below != 0)
            row |= sums(above[is_one].astype(float), below[is_one].astype(float), f"{name}_")
        return row

    def _money(self, orders, dearer):
        """Each person's revenue, units and discount, of orders whose worth has a heavy tail."""
        rng, buyers = self.rng, np.repeat(np.arange(self.people), orders)
        units = 1 + rng.poisson(0.8, len(buyers))
        worth = 30.0 * self.taste[buyers] * rng.lognormal(0, 0.6, len(buyers)) * units * dearer
        worth = worth * np.where(self.is_company[buyers], 8.0, 1.0)
        discount = worth * (rng.random(len(buyers)) < 0.2) * 0.15
        worth, discount = np.round(worth - discount, 2), np.round(discount, 2)

        def of_people(values):
            return np.bincount(buyers, weights=values, minlength=self.people)

        return of_people(worth), of_people(units), of_people(discount)

    def tables(self, first_monday, weeks):
        """Sessions, orders and refunds of so many weeks alike, as canonical tables: the same people, row by row."""
        rng, start = self.rng, np.datetime64(first_monday, "us")
        visitors = np.concatenate([np.repeat(np.arange(self.people), rng.poisson(self.visits)) for _ in range(weeks)])
        started = start + rng.integers(0, weeks * 7 * 86_400, len(visitors)) * np.timedelta64(1, "s")
        number = np.flatnonzero(rng.random(len(visitors)) < self.inclination[visitors])
        number = np.sort(np.concatenate([number, number[rng.random(len(number)) < 0.05]]))
        of_outside = np.repeat(np.arange(self.people), rng.poisson(self.visits * RATE * OUTSIDE * weeks))
        placed = start + rng.integers(0, weeks * 7 * 86_400, len(of_outside)) * np.timedelta64(1, "s")
        buyers = np.concatenate([visitors[number], of_outside])
        ordered = np.concatenate([started[number], placed])
        worth = 30.0 * self.taste[buyers] * rng.lognormal(0, 0.6, len(buyers))
        worth *= np.where(self.is_company[buyers], 8.0, 1.0)
        back = np.flatnonzero(rng.random(len(buyers)) < REFUNDED)
        sessions = {
            "session_id": [f"s{one}" for one in range(len(visitors))],
            "person_id": [f"user:{one}" for one in visitors],
            "started_at": started,
            "orders": np.bincount(number, minlength=len(visitors)),
        }
        orders = {
            "order_id": [f"o{one}" for one in range(len(buyers))],
            "customer_id": [f"user:{one}" for one in buyers],
            "session_id": [f"s{one}" for one in number] + [None] * len(of_outside),
            "ordered_at": ordered,
            "revenue": np.round(worth, 2),
            "status": ["completed"] * len(buyers),
        }
        refunds = {
            "refund_id": [f"r{one}" for one in range(len(back))],
            "order_id": [f"o{one}" for one in back],
            "refunded_at": ordered[back] + rng.integers(1, 12, len(back)) * np.timedelta64(1, "D"),
            "amount": np.round(worth[back], 2),
        }
        return [
            table_of(columns, schema)
            for columns, schema in ((orders, ORDERS), (refunds, REFUNDS), (sessions, SESSIONS))
        ]


def table_of(columns, schema):
    """A canonical table from a few columns; the others are null."""
    types, rows = schema.to_pyarrow(), len(next(iter(columns.values())))
    arrays = [
        pa.array(columns[field.name]).cast(field.type, safe=False)
        if field.name in columns
        else pa.nulls(rows, field.type)
        for field in types
    ]
    return ibis.memtable(pa.Table.from_arrays(arrays, schema=types))
