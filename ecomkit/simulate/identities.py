"""What makes people hard to tell apart: a tablet in the shop, loyalty cards, addresses that change.

All of it is drawn from numbers of its own, so that it changes nothing else of a shop.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ecomkit.simulate.catalogue import MAIL_HOSTS, TABLETS
from ecomkit.simulate.dice import chance, letters, pick
from ecomkit.simulate.people import Device, Person, new_device
from ecomkit.simulate.plan import Visit

STREAM = 4  # of the seed
_CARDS, _MOVES, _AT_THE_KIOSK = 0.15, 0.06, 0.2
_BETWEEN_VISITORS_MS = 5 * 60_000


@dataclass
class Kiosk:
    """A tablet on the counter, where customers log in one after the other and nobody clears its cookies."""

    device: Device
    free_from_ms: int = 0


def new_kiosk(uniform: Iterator[float]) -> Kiosk:
    """Put up the tablet."""
    device = new_device(uniform, pick(uniform, TABLETS))
    device.shared, device.skew_ms = True, 0
    return Kiosk(device)


def give_cards(uniform: Iterator[float], people: Mapping[int, Person]) -> None:
    """Give some people a loyalty card, which the shop sends as an external id."""
    for person in people.values():
        if chance(uniform, _CARDS):
            person.card = f"LC-{letters(uniform, 8)}"


def takes_kiosk(uniform: Iterator[float], kiosk: Kiosk, visit: Visit, person: Person) -> bool:
    """Say whether a customer with an account uses the tablet for a visit that no campaign brought."""
    idle = not visit.ordered and not visit.exact_gap and visit.channel == "Direct"
    free = visit.at_ms >= kiosk.free_from_ms
    return idle and free and person.user_id is not None and chance(uniform, _AT_THE_KIOSK)


def leave_kiosk(kiosk: Kiosk, now_ms: int) -> None:
    """Free the tablet for the next customer."""
    kiosk.free_from_ms = now_ms + _BETWEEN_VISITORS_MS


def changes_address(uniform: Iterator[float], person: Person) -> bool:
    """Let a customer who could still be told by an account or a card take a new address now and then."""
    if not (person.user_id or person.card) or not chance(uniform, _MOVES):
        return False
    name, _at, _host = person.email.partition("@")
    person.email = f"{name}.{letters(uniform, 3)}@{pick(uniform, MAIL_HOSTS)}"
    return True
