"""The people behind the visits, and the devices on which a browser remembers them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ecomkit.simulate.catalogue import DESKTOPS, FIRST_NAMES, LAST_NAMES, MAIL_HOSTS, PHONES, TABLETS
from ecomkit.simulate.dice import chance, letters, pick, whole

_GUESTS = 0.22
_DOLLARS = 0.12
_SECOND_DEVICE = 0.35
_WRONG_CLOCK = 0.06
# Where the orders of people who pay in a currency go.
COUNTRIES = {
    "EUR": {"DE": 0.45, "GB": 0.25, "FR": 0.20, "IE": 0.10},
    "USD": {"US": 0.80, "CA": 0.20},
}


@dataclass
class Device:
    """A browser: the ids in its cookies, and how far its clock is off.

    A shared device belongs to two people, or stands in the shop for everybody; the
    log-out there forgets the user but not the anonymous id.
    """

    anonymous_id: str
    user_agent: str
    ip: str
    skew_ms: int
    user_id: str | None = None
    shared: bool = False


@dataclass
class Person:
    """Someone who visits; a guest has no user id, and orders with the email address alone.

    `card` is the number of a loyalty card, `country` where the orders go.
    """

    email: str
    first_name: str
    user_id: str | None
    currency: str
    locale: str
    devices: list[Device] = field(default_factory=list)
    card: str | None = None
    country: str | None = None


def new_device(uniform: Iterator[float], user_agent: str) -> Device:
    """Make a browser with fresh cookies; a few have a wrong clock."""
    skew = whole(uniform, -600_000, 7_200_000) if chance(uniform, _WRONG_CLOCK) else 0
    return Device(letters(uniform, 12), user_agent, f"203.0.113.{whole(uniform, 1, 255)}", skew)


def new_person(uniform: Iterator[float], number: int) -> Person:
    """Invent visitor `number` with one or two devices."""
    first, last = pick(uniform, FIRST_NAMES), pick(uniform, LAST_NAMES)
    kinds = [PHONES, DESKTOPS] if chance(uniform, 0.55) else [DESKTOPS, PHONES if chance(uniform, 0.8) else TABLETS]
    if not chance(uniform, _SECOND_DEVICE):
        kinds.pop()
    dollars = chance(uniform, _DOLLARS)
    return Person(
        email=f"{first}.{last}{number}@{pick(uniform, MAIL_HOSTS)}".lower(),
        first_name=first,
        user_id=None if chance(uniform, _GUESTS) else f"u-{number}",
        currency="USD" if dollars else "EUR",
        locale="en-US" if dollars else pick(uniform, ("en-GB", "en-IE", "de-DE", "fr-FR")),
        devices=[new_device(uniform, pick(uniform, kind)) for kind in kinds],
    )


def device_of(uniform: Iterator[float], person: Person) -> Device:
    """Draw the device of one visit: mostly the first."""
    return person.devices[1] if len(person.devices) > 1 and chance(uniform, 0.3) else person.devices[0]


def settle(uniform: Iterator[float], people: Mapping[int, Person]) -> None:
    """Let everyone live in a country where the person's currency is paid."""
    for person in people.values():
        draw, reached = next(uniform), 0.0
        for country, share in COUNTRIES[person.currency].items():
            reached += share
            if person.country is None and draw < reached:
                person.country = country
