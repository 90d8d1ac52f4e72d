"""Who visits when, through which channel, and which visits order: the planted truths are drawn here."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ecomkit.simulate.calendar import OPEN_MS, Calendar
from ecomkit.simulate.traffic import CHANNELS

# A visitor who has not ordered comes again with this probability, after some days.
_COMES_AGAIN = 0.30
_DAYS_BETWEEN_VISITS = 4
_LATER_DIRECT, _LATER_SEARCH = 0.5, 0.2  # the rest comes by the first visit's channel

# A customer who returns at all visits on each day with a probability of his own, until he loses interest.
RETURNS = 0.62
RETURNS_AFTER_GIVEAWAY = 0.06
_DAILY_VISIT_BETA = (1.5, 12.0)
_LOSES_INTEREST_PER_DAY = 1 / 420
# Some look again on the day of an order, hours later and well before midnight.
_LOOKS_AGAIN, _LOOKS_AGAIN_AFTER_MS, _LATEST_ORDER = 0.10, 9_000_000, 0.7

# A visit takes less than this from its start to its checkout.
_BEFORE_PINNED_ORDER_MS = 20 * 60_000

RATES = np.array([channel.rate for channel in CHANNELS])
NAMES = [channel.name for channel in CHANNELS]
_DIRECT, _SEARCH = NAMES.index("Direct"), NAMES.index("Organic Search")
_NEW = np.array([channel.new_share for channel in CHANNELS])
_RETURN = np.array([channel.return_share for channel in CHANNELS])


class Visit(NamedTuple):
    """One visit; `order_at_ms` pins its order to an instant, `value` its revenue (both mostly None)."""

    at_ms: int
    person: int
    channel: str
    ordered: bool
    day: int
    order_at_ms: int | None = None
    cents: int | None = None
    exact_gap: bool = False


@dataclass(frozen=True)
class Plan:
    """All visits in time order, and the first order's day of each customer."""

    visits: list[Visit]
    first_order_days: dict[int, int]


def plan_visits(rng: np.random.Generator, calendar: Calendar, customers: int) -> Plan:
    """Draw visitors until about `customers` of them order, then their later visits.

    A visit orders with its channel's probability, whoever comes and how often
    he came before; whether customers come back depends on the month of their
    first order alone.
    """
    visits = _visits_before_the_first_order(rng, calendar, round(customers / _share_of_visitors_who_order()))
    first_order_days = {visit.person: visit.day for visit in visits if visit.ordered}
    for person, day in first_order_days.items():
        visits += _later_visits(rng, calendar, person, day)
    visits += _visits_on_the_day_of_an_order(rng, calendar, sorted(visits))
    visits.sort()
    return Plan(_with_edges(visits, calendar), first_order_days)


def repeat_probability(returns: float, within_days: int) -> float:
    """Chance that a customer orders on a later day within `within_days` of the first order.

    The window ends at the first order's time of day, so half of its last day counts.
    """
    alpha, beta = _DAILY_VISIT_BETA
    visit = (np.arange(20_000) + 0.5) / 20_000
    weight = visit ** (alpha - 1) * (1 - visit) ** (beta - 1)
    order = visit * float(_RETURN @ RATES)
    survive = (1 - _LOSES_INTEREST_PER_DAY) * (1 - order)
    first = (1 - _LOSES_INTEREST_PER_DAY) * order / (1 - survive)
    ordered = first * (1 - (survive ** (within_days - 1) + survive**within_days) / 2)
    return float(returns * (ordered * weight).sum() / weight.sum())


def _share_of_visitors_who_order() -> float:
    first = _NEW @ RATES
    later = _LATER_DIRECT * RATES[_DIRECT] + _LATER_SEARCH * RATES[_SEARCH]
    later += (1 - _LATER_DIRECT - _LATER_SEARCH) * first
    return float(first + (1 - first) * _COMES_AGAIN * later / (1 - _COMES_AGAIN * (1 - later)))


def _visits_before_the_first_order(rng: np.random.Generator, calendar: Calendar, visitors: int) -> list[Visit]:
    first_day = rng.choice(calendar.days, size=visitors, p=calendar.busyness)
    first_channel = rng.choice(len(CHANNELS), size=visitors, p=_NEW)
    per_person = rng.geometric(1 - _COMES_AGAIN, size=visitors)

    person = np.repeat(np.arange(visitors), per_person)
    begins = np.cumsum(per_person) - per_person
    is_first = np.zeros(len(person), dtype=bool)
    is_first[begins] = True
    gaps = np.where(is_first, 0, rng.geometric(1 / _DAYS_BETWEEN_VISITS, size=len(person)))
    passed = np.cumsum(gaps)
    day = first_day[person] + passed - passed[begins][person]

    draw = rng.random(len(person))
    later = np.where(
        draw < _LATER_DIRECT, _DIRECT, np.where(draw < _LATER_DIRECT + _LATER_SEARCH, _SEARCH, first_channel[person])
    )
    channel = np.where(is_first, first_channel[person], later)
    ordered = rng.random(len(person)) < RATES[channel]
    orders_before = np.cumsum(ordered) - ordered
    keep = (orders_before == orders_before[begins][person]) & (day < calendar.days)
    draws = rng.random(len(person))
    return _visits(calendar, person[keep], day[keep], channel[keep], ordered[keep], draws[keep])


def _later_visits(rng: np.random.Generator, calendar: Calendar, person: int, first_order_day: int) -> list[Visit]:
    from_giveaway = calendar.months[first_order_day] == calendar.giveaway_month
    returns = rng.random() < (RETURNS_AFTER_GIVEAWAY if from_giveaway else RETURNS)
    visit_probability = rng.beta(*_DAILY_VISIT_BETA)
    lasts = rng.geometric(_LOSES_INTEREST_PER_DAY)
    if not returns:
        return []
    day = np.arange(first_order_day + 1, min(first_order_day + lasts, calendar.days))
    day = day[rng.random(len(day)) < visit_probability]
    channel = rng.choice(len(CHANNELS), size=len(day), p=_RETURN)
    ordered = rng.random(len(day)) < RATES[channel]
    return _visits(calendar, np.full(len(day), person), day, channel, ordered, rng.random(len(day)))


def _visits_on_the_day_of_an_order(rng: np.random.Generator, calendar: Calendar, visits: list[Visit]) -> list[Visit]:
    latest_ms = calendar.opening_ms + int(_LATEST_ORDER * OPEN_MS)
    early = [visit for visit in visits if visit.ordered and visit.at_ms < latest_ms[visit.day]]
    looks, orders = rng.random(len(early)) < _LOOKS_AGAIN, rng.random(len(early)) < RATES[_DIRECT]
    return [
        Visit(visit.at_ms + _LOOKS_AGAIN_AFTER_MS, visit.person, "Direct", bool(again), visit.day)
        for visit, looks_again, again in zip(early, looks, orders, strict=True)
        if looks_again
    ]


def _visits(calendar: Calendar, person, day, channel, ordered, draws) -> list[Visit]:
    columns = (calendar.instants(day, draws), person, channel, ordered, day)
    return [
        Visit(at, who, NAMES[how], bought, when)
        for at, who, how, bought, when in zip(*(column.tolist() for column in columns), strict=True)
    ]


def _with_edges(visits: list[Visit], calendar: Calendar) -> list[Visit]:
    """Move two of the last orders onto edges of the last day, and stretch three visits to a gap of exactly 30:00."""
    last_visit = {visit.person: number for number, visit in enumerate(visits)}
    previous_day: dict[int, int] = {}
    movable = []
    for number, visit in enumerate(visits):
        alone = previous_day.get(visit.person, 0) < calendar.days - 4
        if visit.ordered and visit.day >= calendar.days - 15 and last_visit[visit.person] == number and alone:
            movable.append(number)
        previous_day[visit.person] = visit.day

    midnight_utc = calendar.end_ms // 86_400_000 * 86_400_000 - 86_400_000
    last_second = calendar.end_ms - 1000
    edges = ((midnight_utc, calendar.days - 2), (last_second, calendar.days - 1))
    for number, (instant, day) in zip(movable, edges, strict=False):
        visits[number] = visits[number]._replace(order_at_ms=instant, at_ms=instant - _BEFORE_PINNED_ORDER_MS, day=day)
    idle = [number for number, visit in enumerate(visits) if not visit.ordered and visit.day < calendar.days - 1]
    for number in idle[len(idle) // 2 :: len(idle) // 6 + 1]:
        visits[number] = visits[number]._replace(exact_gap=True)
    return sorted(visits)
