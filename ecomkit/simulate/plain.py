"""A shop without planted effects, whose customers follow BG/NBD and Gamma-Gamma to the letter."""

from dataclasses import dataclass

import numpy as np

from ecomkit.simulate.calendar import Calendar
from ecomkit.simulate.plan import Plan, Visit


@dataclass(frozen=True)
class BuyTillYouDie:
    """Parameters in the literature's letters; time in days, money in the shop's currency.

    `r`, `alpha`, `a`, `b`: purchase rate ~ Gamma(r, rate alpha), chance to drop
    out after each purchase but the first ~ Beta(a, b). `p`, `q`, `v`: the
    value of one order ~ Gamma(p, rate nu) with nu ~ Gamma(q, rate v), so that a
    customer's mean is p * v / (q - 1) on average.
    """

    r: float = 0.8
    alpha: float = 60.0
    a: float = 0.9
    b: float = 2.6
    p: float = 6.0
    q: float = 4.0
    v: float = 20.0


def plan_purchases(rng: np.random.Generator, calendar: Calendar, customers: int, model: BuyTillYouDie) -> Plan:
    """Draw the first order of each customer evenly over the first half of the span, then the later ones."""
    visits, first_order_days = [], {}
    first_days = rng.uniform(0, calendar.days / 2, size=customers)
    for person, first in enumerate(first_days):
        rate, drops_out = rng.gamma(model.r, 1 / model.alpha), rng.beta(model.a, model.b)
        nu = rng.gamma(model.q, 1 / model.v)
        moments = [first]
        while moments[-1] < calendar.days:
            moments.append(moments[-1] + rng.exponential(1 / rate))
            if rng.random() < drops_out:
                break
        # Two purchases of one day are one purchase day to the model and to the shop.
        days = sorted({int(moment) for moment in moments if moment < calendar.days})
        first_order_days[person] = days[0]
        at_ms = calendar.instants(np.array(days), rng.random(len(days)))
        cents = np.maximum(1, np.round(rng.gamma(model.p, 1 / nu, size=len(days)) * 100))
        visits += [
            Visit(int(at), person, "Direct", True, day, cents=int(value))
            for at, day, value in zip(at_ms, days, cents, strict=True)
        ]
    return Plan(sorted(visits), first_order_days)
