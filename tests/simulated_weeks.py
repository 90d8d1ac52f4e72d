"""Weeks of simulated people, as per-person sums: several sessions, heavy-tailed orders, the same people twice."""

import numpy as np

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
        row = in_sessions_of([one.astype(float) for one in (visits, converting, inside, earned)])
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
