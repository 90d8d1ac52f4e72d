"""The shop's email sender, as Customer.io tells Segment of it: what becomes of each message."""

from collections import Counter, defaultdict

import numpy as np

from ecomkit.simulate.calendar import Calendar
from ecomkit.simulate.calls import Archive, from_email_sender
from ecomkit.simulate.catalogue import DESKTOPS, PHONES, PRODUCTS
from ecomkit.simulate.dice import chance, pick, uniforms, whole
from ecomkit.simulate.mailings import LETTER, MAILINGS, Message, mailings_to, new_message
from ecomkit.simulate.people import Person
from ecomkit.simulate.story import Books
from ecomkit.simulate.traffic import HOST

_HOUR_MS, _DAY_MS = 3_600_000, 86_400_000
_STREAM = 3  # of the seed: emails draw from their own numbers, so that they change nothing else
_NEWER_FROM = 0.4  # of the days

# Of the messages that arrive, whether or not anyone reads.
MACHINES = {"opened": 0.22, "clicked": 0.02}
_PREFETCHERS = (
    "Mozilla/5.0",
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
)
_SCANNER = "BarracudaCentral/1.0"
_OPENS_AGAIN, _CLICKS_AGAIN, _CALLS_IT_SPAM = 0.2, 0.15, 0.001
# Nobody reads within a minute, and all who read do so within three days: the next letter is a week away.
_READS_AFTER_MS, _READS_WITHIN_MS = 60_000, 3 * _DAY_MS


def send_emails(books: Books, calendar: Calendar, seed: int) -> tuple[Archive, dict[str, dict]]:
    """Write to the customers from their first order on.

    Returns
    -------
    tuple
        The calls, and per campaign id what came of its messages.
    """
    archive = Archive(uniforms(np.random.default_rng([seed, _STREAM])), calendar.end_ms)
    newer_from_ms = int(calendar.opening_ms[int(calendar.days * _NEWER_FROM)])
    first_orders: dict[int, int] = {}
    for number, order in books.orders:
        first_orders.setdefault(number, order.at_ms)
    tallies: dict[str, Counter[str]] = defaultdict(Counter)
    for number, first_ms in first_orders.items():
        person, stopped = books.people[number], False
        for mailing, at_ms in mailings_to(archive.uniform, calendar, first_ms):
            newer = at_ms >= newer_from_ms
            if (newer or person.user_id) and not (stopped and mailing is LETTER):
                message = new_message(archive.uniform, mailing, person, at_ms, newer=newer)
                told = _tell(archive, message)
                tallies[message.campaign_id] += told
                stopped = stopped or told["unsubscribed"] > 0
    names = {mailing.campaign_id: mailing.name for mailing in MAILINGS}
    names[f"newsletter-{LETTER.newsletter_id}"] = LETTER.name
    results = ("sent", "delivered", "bounced", "opened", "opened_by_people", "clicked", "clicked_by_people")
    results += ("unsubscribed", "marked_as_spam")
    return archive, {
        key: {"name": names[key], **{name: tallies[key][name] for name in results}} for key in sorted(tallies)
    }


def _tell(archive: Archive, message: Message) -> Counter[str]:
    """Send the calls about one message, and return what became of it."""
    uniform, mailing, at_ms = archive.uniform, message.mailing, message.at_ms
    told = Counter(sent=1)
    if message.newer and not mailing.newsletter_id:
        _call(archive, message, "Email Sent", at_ms - 2000)
    if not chance(uniform, mailing.delivered):
        _call(archive, message, "Email Bounced", at_ms + whole(uniform, 0, 5000))
        return told + Counter(bounced=1)
    _call(archive, message, "Email Delivered", at_ms)
    prefetched, scanned = chance(uniform, MACHINES["opened"]), chance(uniform, MACHINES["clicked"])
    opened = chance(uniform, mailing.opened)
    clicked = opened and chance(uniform, mailing.clicked)
    if prefetched:
        _call(archive, message, "Email Opened", at_ms + whole(uniform, 2000, _HOUR_MS), pick(uniform, _PREFETCHERS))
    if scanned:
        _scan(archive, message)
    if opened:
        told += _read(archive, message, clicked=clicked)
    archive.counts["messages_opened_by_machines"] += prefetched
    archive.counts["messages_clicked_by_machines"] += scanned
    return told + Counter(
        delivered=1,
        opened=prefetched or opened,
        opened_by_people=opened,
        clicked=scanned or clicked,
        clicked_by_people=clicked,
    )


def _scan(archive: Archive, message: Message) -> None:
    """Try every link: as the message arrives, or later in a burst, or under the scanner's own name."""
    uniform = archive.uniform
    way = whole(uniform, 0, 3)
    at_ms = message.at_ms + (whole(uniform, 1000, 8000) if way == 0 else whole(uniform, 20_000, 50_000))
    for number in range(1 if way == 2 else 3):
        agent = _SCANNER if way == 2 else DESKTOPS[0]
        _call(archive, message, "Email Link Clicked", at_ms + 400 * number, agent, link=number)


def _read(archive: Archive, message: Message, *, clicked: bool) -> Counter[str]:
    """Let a person open, perhaps click, perhaps have enough."""
    uniform = archive.uniform
    agent = pick(uniform, PHONES if chance(uniform, 0.6) else DESKTOPS)
    at_ms = message.at_ms + _READS_AFTER_MS + int((_READS_WITHIN_MS - _READS_AFTER_MS) * next(uniform) ** 4)
    _call(archive, message, "Email Opened", at_ms, agent)
    if chance(uniform, _OPENS_AGAIN):
        _call(archive, message, "Email Opened", at_ms + whole(uniform, _HOUR_MS, _DAY_MS), agent)
        archive.counts["messages_opened_again"] += 1
    if clicked:
        click_ms, link = at_ms + whole(uniform, 5000, 60_000), whole(uniform, 0, 3)
        _call(archive, message, "Email Link Clicked", click_ms, agent, link=link)
        if chance(uniform, _CLICKS_AGAIN):
            again_ms = click_ms + whole(uniform, 20_000, 200_000)
            _call(archive, message, "Email Link Clicked", again_ms, agent, link=whole(uniform, 0, 3))
            archive.counts["messages_clicked_again"] += 1
    if chance(uniform, _CALLS_IT_SPAM):
        _call(archive, message, "Email Marked as Spam", at_ms + 30_000, agent)
        return Counter(marked_as_spam=1)
    if chance(uniform, message.mailing.unsubscribed):
        _call(archive, message, "Email Unsubscribed" if message.newer else "Unsubscribed", at_ms + 90_000, agent)
        if message.newer:
            _about_person(archive, message.person, at_ms + 90_500)
        return Counter(unsubscribed=1)
    return Counter()


def _call(
    archive: Archive, message: Message, event: str, at_ms: int, agent: str | None = None, link: int | None = None
) -> None:
    properties = message.properties
    if link is not None:
        target = ("/teas", "/lanterns", f"/products/{PRODUCTS[link].product_id}")[link]
        query = f"utm_source=customer.io&utm_medium=email&utm_campaign={message.mailing.name}"
        name = "href" if message.newer else "link_url"
        properties = properties | {"link_id": str(link + 1), name: f"https://{HOST}{target}?{query}"}
    person = message.person
    from_email_sender(
        archive,
        at_ms,
        event,
        properties,
        user_id=person.user_id,
        anonymous_id=None if person.user_id else person.email,
        email=None if message.newer else person.email,
        agent=agent,
    )
    archive.counts["email_calls"] += 1


def _about_person(archive: Archive, person: Person, at_ms: int) -> None:
    """Tell that a person wants no more letters: an event of no message."""
    anonymous_id = None if person.user_id else person.email
    from_email_sender(
        archive, at_ms, "Unsubscribed", {}, user_id=person.user_id, anonymous_id=anonymous_id, email=None, agent=None
    )
    archive.counts["email_calls"] += 1
    archive.counts["email_calls_about_no_message"] += 1
