"""From the calls of an email sender to `emails` and `email_clicks`: one row per message, one per click.

Segment's email spec and Customer.io name the same things differently; the
tracking plan reads both. Senders may tell of every open and click or of the
first alone, so rates count messages; `opens` and `clicks` count what was sent.

No field of Segment says whether a person or a machine opened a message. Three
signs are read, each of which also catches some people, so what is left as
human is a floor and not a measurement:

- Nobody reads within `SCAN_SECONDS` of the delivery, or before it. Gateways open
  links as a message passes.
- The agent is a proxy or scanner by name. Apple's and Yahoo's proxies load
  pictures whether or not anyone reads, and Gmail's hides who does.
- Links of one message that differ were clicked within `BURST_SECONDS` of each
  other: scanners try them all.
"""

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.engines import epoch_ms, local_day
from ecomkit.schemas import EMAIL_CLICKS, EMAILS

# A rule of thumb: scanners act within seconds of the delivery, and few people can open, read and click in ten.
SCAN_SECONDS = 10
# Less than it takes to come back from one page and choose another link.
BURST_SECONDS = 2
# Apple's mail privacy shows as 'Mozilla/5.0' with nothing behind it.
MACHINE_AGENTS = (
    r"^mozilla/5\.0$|googleimageproxy|yahoomailproxy|barracuda|proofpoint|mimecast|bot\b|crawl|spider|headless|preview"
)

NO_MESSAGE = "email event without a message id"
NOT_SENT = "email event of a message not sent"

_CLICKED, _OPENED = "Email Link Clicked", "Email Opened"
_OUTCOMES = {
    "delivered_at": ("Email Delivered",),
    "bounced_at": ("Email Bounced",),
    "spam_at": ("Email Marked as Spam",),
    "unsubscribed_at": ("Email Unsubscribed", "Unsubscribed"),
}
_TOLD = ("Email Sent", "Email Converted", _OPENED, _CLICKED, *(name for names in _OUTCOMES.values() for name in names))
_ARRIVALS = ("Email Delivered", "Email Bounced")
_OF_A_CALL = (
    "message_id", "event_name", "occurred_at", "person_id", "user_agent", "email_id", "delivery_id", "list_id",
    "email_campaign_id", "newsletter_id", "campaign_name", "email_subject", "link_id", "link_url",
)  # fmt: skip


def judged_emails(calls: ir.Table) -> ir.Table:
    """Give the email calls among the kept calls their `outcome`: of a message, or excluded for a `reason`."""
    sent = (
        calls.filter(_.side == "email")
        .select(*_OF_A_CALL)
        .mutate(delivery_id=_.delivery_id.strip().nullif(""), email_id=_.email_id.strip().nullif(""))
    )
    reason = ibis.cases(
        (ibis.coalesce(sent.delivery_id, sent.email_id).isnull(), NO_MESSAGE),
        (~sent.event_name.isin(_TOLD), NOT_SENT),
        else_=None,
    )
    return sent.mutate(reason=reason).mutate(outcome=ibis.ifelse(_.reason.isnull(), "kept", "excluded"))


def message_calls(judged: ir.Table, *, zone: str) -> ir.Table:
    """Give each call about a message the message's `email_key`, and say which opens and clicks are `machine`.

    The key is the delivery id. Where a sender knows only the email, which may go to
    the same person again, it is the email, the person and the local day on which it
    arrived; events before any arrival count to their own day.
    """
    calls = judged.filter(_.outcome == "kept")
    so_far = ibis.window(
        group_by=["email_id", "person_id"], order_by=["occurred_at", "message_id"], preceding=(None, 0)
    )
    arrived = ibis.ifelse(calls.event_name.isin(_ARRIVALS), local_day(calls.occurred_at, zone), ibis.null("date"))
    dated = calls.mutate(day=ibis.coalesce(arrived.max().over(so_far), local_day(calls.occurred_at, zone)))
    # A sender that began to say `delivery_id` may have called the same id `email_id` before.
    told = calls.filter(_.delivery_id.notnull()).select("delivery_id", "person_id").distinct()
    same = (dated.email_id == told.delivery_id) & (dated.person_id == told.person_id)
    renamed = dated.left_join(told, same, rname="known_{name}").mutate(
        delivery_id=ibis.coalesce(_.delivery_id, _.known_delivery_id)
    )
    keyed = renamed.mutate(
        email_key=ibis.coalesce(_.delivery_id, _.email_id + "|" + _.person_id + "|" + _.day.cast(str)),
        link=ibis.ifelse(_.event_name == _CLICKED, ibis.coalesce(_.link_id, _.link_url), ibis.null(str)),
        at_ms=epoch_ms(_.occurred_at),
    )
    return keyed.mutate(
        place=ibis.row_number().over(group_by="email_key", order_by=["occurred_at", "message_id"]),
        machine=_is_machine(keyed),
    )


def _is_machine(calls: ir.Table) -> ir.BooleanValue:
    of_message = ibis.window(group_by="email_key")
    delivered_ms = calls.at_ms.min(where=calls.event_name == "Email Delivered").over(of_message)
    at_once = calls.at_ms - delivered_ms <= SCAN_SECONDS * 1000
    around = ibis.range_window(
        group_by="email_key",
        order_by="at_ms",
        preceding=BURST_SECONDS * 1000,
        following=BURST_SECONDS * 1000,
    )
    in_burst = calls.link.notnull() & (calls.link.min().over(around) != calls.link.max().over(around))
    by_agent = calls.user_agent.strip().lower().re_search(MACHINE_AGENTS)
    return at_once.fill_null(False) | in_burst.fill_null(False) | by_agent.fill_null(False)


def finished_emails(told: ir.Table) -> ir.Table:
    """Return the canonical table `emails`: one row per message, with when what happened to it first.

    A message whose delivery the data does not hold keeps a null `delivered_at`.
    """
    # A subject that one person alone got may greet by name.
    people = told.person_id.nunique().over(group_by="email_subject")
    told = told.mutate(email_subject=ibis.ifelse(people > 1, told.email_subject, ibis.null(str)))
    opened, clicked = told.event_name == _OPENED, told.event_name == _CLICKED
    firsts = {name: told.occurred_at.min(where=told.event_name.isin(events)) for name, events in _OUTCOMES.items()}
    newsletter = "newsletter-" + told.newsletter_id.nullif("")
    texts = {
        "campaign_id": ibis.coalesce(told.email_campaign_id.nullif(""), newsletter),
        "campaign_name": told.campaign_name,
        "list_id": told.list_id,
        "subject": told.email_subject,
    }
    made = told.group_by("email_key").agg(
        person_id=told.person_id.argmin(told.place),
        **{name: text.nullif("").argmin(told.place, where=text.nullif("").notnull()) for name, text in texts.items()},
        first_opened_at=told.occurred_at.min(where=opened),
        first_human_open_at=told.occurred_at.min(where=opened & ~told.machine),
        first_clicked_at=told.occurred_at.min(where=clicked),
        first_human_click_at=told.occurred_at.min(where=clicked & ~told.machine),
        opens=opened.sum(),
        clicks=clicked.sum(),
        **firsts,
    )
    return made.select(*EMAILS.names).cast(EMAILS).order_by("email_key")


def finished_clicks(told: ir.Table) -> ir.Table:
    """Return the canonical table `email_clicks`: one row per click that was sent, with where its link leads."""
    whole = told.link_url.re_search(r"^[A-Za-z]+://")
    rest = told.link_url.re_replace(r"^[A-Za-z]+://", "")
    clicks = told.mutate(
        clicked_at=_.occurred_at,
        link_host=ibis.ifelse(whole, rest.re_extract("^[^/:]*", 0).lower().nullif(""), ibis.null(str)),
        link_path=ibis.ifelse(whole, ibis.coalesce(rest.re_extract("/.*", 0).nullif(""), "/"), ibis.null(str)),
    )
    return (
        clicks.filter(_.event_name == _CLICKED)
        .order_by("clicked_at", "message_id")
        .select(*EMAIL_CLICKS.names)
        .cast(EMAIL_CLICKS)
    )
