"""Which messages the shop's email sender writes, to whom and when, and in whose words.

Two generations of names and properties follow each other. The older one knows
people with an id alone and calls a template `email_id`; the newer one counts
deliveries.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from ecomkit.simulate.calendar import Calendar
from ecomkit.simulate.catalogue import PRODUCTS
from ecomkit.simulate.dice import chance, letters, whole
from ecomkit.simulate.people import Person

_HOUR_MS, _DAY_MS = 3_600_000, 86_400_000
_SUBSCRIBERS = 0.17
_BACK_IN_STOCK = 0.35
_TUESDAY = 1
# Nobody gets a message whose readers would come after the last day.
_QUIET_DAYS = 5


class Mailing(NamedTuple):
    """A kind of message with its planted truths: who of all it is sent to gets, of those opens, of those clicks."""

    name: str
    campaign_id: str
    newsletter_id: str | None
    subject: str
    delivered: float
    opened: float
    clicked: float
    unsubscribed: float


LETTER = Mailing("weekly-letter", "e-301", "31", "This week: {product}", 0.985, 0.36, 0.16, 0.004)
BACK_IN_STOCK = Mailing("back-in-stock", "e-302", None, "{product} is back", 0.980, 0.50, 0.30, 0.004)
THANKS = Mailing("first-order-thanks", "e-303", None, "Thank you & how to brew {product}", 0.990, 0.60, 0.20, 0.002)
MAILINGS = (LETTER, BACK_IN_STOCK, THANKS)


class Message(NamedTuple):
    """One message to one person; `properties` name it in the words of its generation."""

    mailing: Mailing
    person: Person
    at_ms: int
    newer: bool
    campaign_id: str
    properties: dict[str, str | None]


def mailings_to(uniform: Iterator[float], calendar: Calendar, first_ms: int) -> list[tuple[Mailing, int]]:
    """Return what one customer is to get and when, in time order; the last days are left quiet."""
    latest_ms = calendar.end_ms - _QUIET_DAYS * _DAY_MS
    plan = [(THANKS, first_ms + 2 * _HOUR_MS)]
    if chance(uniform, _BACK_IN_STOCK):
        plan.append((BACK_IN_STOCK, first_ms + whole(uniform, 10 * _DAY_MS, 90 * _DAY_MS)))
    if chance(uniform, _SUBSCRIBERS):
        for number, opening_ms in enumerate(calendar.opening_ms.tolist()):
            at_ms = opening_ms + 3 * _HOUR_MS + whole(uniform, 0, 300_000)
            weekday = (calendar.first_day + timedelta(days=number)).weekday()
            if weekday == _TUESDAY and at_ms > first_ms + _DAY_MS:
                plan.append((LETTER, at_ms))
    return sorted((entry for entry in plan if entry[1] < latest_ms), key=lambda entry: entry[1])


def new_message(uniform: Iterator[float], mailing: Mailing, person: Person, at_ms: int, *, newer: bool) -> Message:
    """Address a message to a person, in the words of its generation."""
    week = at_ms // (7 * _DAY_MS)
    subject = mailing.subject.format(product=PRODUCTS[week % len(PRODUCTS)].name)
    if not newer:
        properties = {"email_id": f"t-{mailing.name}", "email_subject": subject, "campaign_id": mailing.campaign_id}
        return Message(mailing, person, at_ms, newer, mailing.campaign_id, properties | {"campaign_name": mailing.name})
    properties = {
        "delivery_id": letters(uniform, 16),
        "subject": subject,
        "campaign_id": None if mailing.newsletter_id else mailing.campaign_id,
        "newsletter_id": mailing.newsletter_id,
        "recipient": person.email,
        "customer_id": person.user_id,
    }
    campaign_id = f"newsletter-{mailing.newsletter_id}" if mailing.newsletter_id else mailing.campaign_id
    return Message(mailing, person, at_ms, newer, campaign_id, properties)
