"""The command's work: a whole shop folder from a seed."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np

from ecomkit.errors import UsageError, quoted
from ecomkit.simulate import side_steps, writing
from ecomkit.simulate.breaks import KINDS, Break, plant_breaks
from ecomkit.simulate.calendar import ZONE, Calendar, make_calendar
from ecomkit.simulate.calls import Archive
from ecomkit.simulate.dice import uniforms
from ecomkit.simulate.emails import MACHINES, send_emails
from ecomkit.simulate.identities import STREAM
from ecomkit.simulate.journeys import DEPTH_SHARES, DEPTHS
from ecomkit.simulate.mailings import MAILINGS
from ecomkit.simulate.oddities import add_oddities
from ecomkit.simulate.people import COUNTRIES
from ecomkit.simulate.plain import BuyTillYouDie, plan_purchases
from ecomkit.simulate.plan import RETURNS, RETURNS_AFTER_GIVEAWAY, plan_visits, repeat_probability
from ecomkit.simulate.spend import HEADER, ad_rows, daily_rates
from ecomkit.simulate.story import Books, credited_customers, local_date, owned_visits, tell_orders, tell_story
from ecomkit.simulate.traffic import CHANNELS

WITHIN_DAYS = 90
_FEWEST_CUSTOMERS, _FEWEST_MONTHS = 20, 3


def simulate(
    folder: str | Path,
    *,
    seed: int,
    customers: int = 800,
    months: int = 27,
    end: str | date = "2026-11-01",
    plain: BuyTillYouDie | None = None,
    breaks: Sequence[Break] = (),
) -> dict:
    """Write a shop of about `customers` customers, and the truths that were planted in it.

    The same arguments give the same bytes. With `plain` the shop has no channels'
    effects, no bad month and no oddities: each visit is an order, and orders
    follow BG/NBD and Gamma-Gamma with these parameters.

    Parameters
    ----------
    folder
        Where the shop is written; made if needed. Calls of an earlier run are removed.
    seed
        Any whole number from 0.
    customers
        Customers to expect; exact with `plain`.
    months
        Length: from the first of the month that lies this many months before `end`'s.
    end
        The last local day with data.
    plain
        Parameters of a shop without effects.
    breaks
        What breaks in the tracking, and when. The other truths are those of the
        shop as it was before it broke.

    Returns
    -------
    dict
        What truth.json holds.

    Raises
    ------
    UsageError
        If an argument is out of its range, or a break of an unknown kind.
    """
    last_day = _checked(seed, customers, months, end, breaks)
    folder = Path(folder)
    rng = np.random.default_rng(seed)
    calendar = make_calendar(last_day, months)
    archive = Archive(uniforms(rng), calendar.end_ms, oddities=plain is None)
    basics = {
        "seed": seed,
        "first_day": str(calendar.first_day),
        "last_day": str(last_day),
        "time_zone": ZONE,
        "currency": "EUR",
    }
    if plain is None:
        truth = basics | _write_full_shop(folder, rng, calendar, archive, customers, seed)
    else:
        plan = plan_purchases(rng, calendar, customers, plain)
        tell_orders(archive, plan)
        truth = basics | {"customers": customers, "orders": len(plan.visits), "parameters": vars(plain)}
        folder.mkdir(parents=True, exist_ok=True)
        writing.write_text(folder / "shop.toml", writing.PLAIN_SHOP_TOML)
    if breaks:
        truth["breaks"] = plant_breaks(archive, breaks, seed=seed)
    writing.write_calls(folder, archive.lines)
    writing.write_text(folder / "salt", writing.SALT)
    writing.write_json(folder / "truth.json", truth)
    return truth


def _checked(seed: int, customers: int, months: int, end: str | date, breaks: Sequence[Break]) -> date:
    problems = []
    if seed < 0:
        problems.append(f"the seed is {seed}, not 0 or more")
    if customers < _FEWEST_CUSTOMERS:
        problems.append(f"there are {customers} customers, not {_FEWEST_CUSTOMERS} or more")
    if months < _FEWEST_MONTHS:
        problems.append(f"there are {months} months, not {_FEWEST_MONTHS} or more")
    try:
        last_day = date.fromisoformat(str(end))
    except ValueError:
        problems.append(f"the end is '{end}', not a day such as '2026-11-01'")
    unknown = [planted.kind for planted in breaks if planted.kind not in KINDS]
    if unknown:
        problems.append(f"no break is of kind {quoted(unknown)}, but of {quoted(KINDS)}")
    if problems:
        raise UsageError(f"This shop cannot be simulated: {'; '.join(problems)}. Change these.")
    return last_day


def _write_full_shop(
    folder: Path, rng: np.random.Generator, calendar: Calendar, archive: Archive, customers: int, seed: int
) -> dict:
    plan = plan_visits(rng, calendar, customers)
    rates = daily_rates(rng, calendar)
    strange = uniforms(np.random.default_rng([seed, STREAM]))
    aside = Archive(uniforms(np.random.default_rng([seed, side_steps.STREAM])), calendar.end_ms, mark="s")
    books = tell_story(archive, plan, calendar, strange=strange, aside=aside)
    writing.write_visits(folder / "visits.csv.gz", owned_visits(books))
    add_oddities(archive, calendar)
    rows, spend = ad_rows(archive.uniform, books.clicks, rates)
    for platform in ("facebook", "google"):
        writing.write_csv(folder / "ads" / f"{platform}.csv", HEADER, rows[platform])
    writing.write_rates(folder / "rates.csv", rates)
    writing.write_text(folder / "shop.toml", writing.SHOP_TOML)
    mail, told = send_emails(books, calendar, seed)
    archive.take_in(mail)
    archive.take_in(aside)
    return _truth(calendar, archive, books, spend, told)


def _truth(
    calendar: Calendar, archive: Archive, books: Books, spend: dict[str, float], emails: dict[str, dict]
) -> dict:
    """Say what was planted (probabilities) and what came of it (counts)."""
    orders_of = Counter(person for person, _ in books.orders)
    revenue: Counter[str] = Counter()
    first_day_of: dict[int, date] = {}
    order_days = set()
    for person, order in books.orders:
        order_days.add((person, local_date(order.at_ms)))
        revenue[order.currency] += order.revenue
        first_day_of.setdefault(person, local_date(order.at_ms))
    countries = Counter(books.people[person].country for person, _ in books.orders)
    cohorts = Counter(f"{day:%Y-%m}" for day in first_day_of.values())
    credited = credited_customers(books)
    by_channel = sorted(channel.name for channel in CHANNELS)
    return {
        "customers": len(orders_of),
        "orders": len(books.orders),
        "sessions": sum(books.sessions.values()),
        "visitors": len(books.history),
        "revenue": {currency: revenue[currency] / 100 for currency in sorted(revenue)},
        "refunded": {currency: books.refunded_cents[currency] / 100 for currency in sorted(books.refunded_cents)},
        "visit_to_order_rate": {channel.name: channel.rate for channel in sorted(CHANNELS)},
        "sessions_by_channel": {name: books.sessions[name] for name in by_channel},
        "sessions_with_order_by_channel": {name: books.sessions_with_order[name] for name in by_channel},
        "depth_of_sessions_without_order": dict(zip(DEPTHS, DEPTH_SHARES, strict=True)),
        "spend": {name: round(spend[name], 2) for name in sorted(spend)},
        "new_customers_by_channel": {name: credited[name] for name in by_channel},
        "orders_by_country": {"shares": COUNTRIES, "orders": {name: countries[name] for name in sorted(countries)}},
        "searches": {
            "by_visits_of_more_than_one_page": side_steps.SEARCHES,
            "finding_nothing": side_steps.FINDS_NOTHING,
            "queries_without_results": side_steps.WITHOUT_RESULTS,
        },
        "promotion_clicks_of_visits_that_go_on": {
            promotion.promotion_id: promotion.clicked for promotion in side_steps.PROMOTIONS
        },
        "clicked_in_list_where_viewed_next_by_position": side_steps.CLICKED_AT_POSITION,
        "coupon_denied_at_checkout": side_steps.COUPON_DENIED,
        "channel_that_pays_back": "Paid Search",
        "channel_that_does_not_pay_back": "Paid Social",
        "repeat": {
            "within_days": WITHIN_DAYS,
            "bad_cohort": calendar.giveaway_month,
            "customers_of_bad_cohort": cohorts[calendar.giveaway_month],
            "probability": round(repeat_probability(RETURNS, WITHIN_DAYS), 4),
            "probability_of_bad_cohort": round(repeat_probability(RETURNS_AFTER_GIVEAWAY, WITHIN_DAYS), 4),
        },
        "email_rates": {
            mailing.name: {
                "delivered": mailing.delivered,
                "opened_by_people_of_delivered": mailing.opened,
                "clicked_by_people_of_opened_by_people": mailing.clicked,
            }
            for mailing in MAILINGS
        },
        "email_rates_of_machines": MACHINES,
        "emails": emails,
        "put_in": {
            "lines": len(archive.lines),
            **{name: archive.counts[name] for name in sorted(archive.counts)},
            "customers_with_one_order": sum(orders == 1 for orders in orders_of.values()),
            "orders_on_the_day_of_another": len(books.orders) - len(order_days),
            "sessions_of_an_unknown_channel": books.sessions["Unassigned"],
        },
    }
