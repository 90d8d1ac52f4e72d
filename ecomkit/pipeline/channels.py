"""Which channel brought a session: GA4's default channel groups, by its rules in their order.

The rules are data, first match wins, compared without regard to case. A shop's
own rules come before them. Source: Google Analytics help, default channel group, as of November 2025.
"""

import functools
import operator
import re

import ibis
import ibis.expr.types as ir
from ibis import _

_PAID = r"^(.*cp.*|ppc|retargeting|paid.*)$"
_SHOPPING_CAMPAIGN = r"^(.*(([^a-df-z]|^)shop|shopping).*)$"

# A small part of Google's source categories; hosts are reduced to these names first.
SEARCH = (
    "google",
    "bing",
    "yahoo",
    "duckduckgo",
    "baidu",
    "yandex",
    "ecosia",
    "qwant",
    "naver",
    "seznam",
    "aol",
    "ask",
)
SOCIAL = (
    "facebook", "fb", "instagram", "ig", "twitter", "t.co", "x.com", "linkedin", "lnkd.in", "pinterest", "tiktok",
    "reddit", "snapchat", "tumblr", "quora", "whatsapp", "t.me", "threads", "vk", "meetup", "social",
)  # fmt: skip
SHOPPING = ("amazon", "ebay", "etsy", "alibaba", "walmart", "shopify", "shop.app", "stripe")
VIDEO = ("youtube", "vimeo", "twitch", "dailymotion")

# Trips to these hosts and back belong to the visit that was under way.
PAYMENT_HOSTS = (
    "paypal.com",
    "stripe.com",
    "klarna.com",
    "checkout.shopify.com",
    "shop.app",
    "adyen.com",
    "mollie.com",
)

# Channel, then every condition that must hold: a set of sources, a pattern of medium, source or campaign.
DEFAULT_RULES: tuple[tuple[str, dict[str, object]], ...] = (
    ("Direct", {"source": ("(direct)",), "medium": r"^\((not set|none)\)$"}),
    ("Cross-network", {"campaign": "cross-network"}),
    ("Paid Shopping", {"source": SHOPPING, "medium": _PAID}),
    ("Paid Shopping", {"campaign": _SHOPPING_CAMPAIGN, "medium": _PAID}),
    ("Paid Search", {"source": SEARCH, "medium": _PAID}),
    ("Paid Social", {"source": SOCIAL, "medium": _PAID}),
    ("Paid Video", {"source": VIDEO, "medium": _PAID}),
    ("Display", {"medium": r"^(display|banner|expandable|interstitial|cpm)$"}),
    ("Paid Other", {"medium": _PAID}),
    ("Organic Shopping", {"source": SHOPPING}),
    ("Organic Shopping", {"campaign": _SHOPPING_CAMPAIGN}),
    ("Organic Social", {"source": SOCIAL}),
    ("Organic Social", {"medium": r"^(social|social-network|social-media|sm|social network|social media)$"}),
    ("Organic Video", {"source": VIDEO}),
    ("Organic Video", {"medium": "video"}),
    ("Organic Search", {"source": SEARCH}),
    ("Organic Search", {"medium": "^organic$"}),
    ("Referral", {"medium": "^(referral|app|link)$"}),
    ("Email", {"source": ("email", "e-mail", "e_mail", "e mail")}),
    ("Email", {"medium": "^(email|e-mail|e_mail|e mail)$"}),
    ("Affiliates", {"medium": "^affiliate$"}),
    ("Audio", {"medium": "^audio$"}),
    ("SMS", {"source": ("sms",)}),
    ("SMS", {"medium": "^sms$"}),
    ("Mobile Push Notifications", {"medium": "push$|mobile|notification"}),
    ("Mobile Push Notifications", {"source": ("firebase",)}),
)

_CLICK_SOURCES = {
    "gclid": ("google", "cpc"),
    "wbraid": ("google", "cpc"),
    "gbraid": ("google", "cpc"),
    "msclkid": ("bing", "cpc"),
    "ttclid": ("tiktok", "paid-social"),
    "fbclid": ("facebook", "social"),
}


def referrer_host(referrer: ir.StringValue) -> ir.StringValue:
    """Return the host of a referrer in lower case, without `www.`; null where there is none."""
    return referrer.lower().re_extract(r"^[a-z]+://(?:www\.)?([^/:?#]+)", 1).nullif("")


def _site_name(host: ir.StringValue) -> ir.StringValue:
    # www.google.de -> google, l.facebook.com -> facebook: rules know sites by name, not by host.
    known = [name for name in (*SEARCH, *SOCIAL, *SHOPPING, *VIDEO) if "." not in name]
    site = host.re_extract(r"(?:^|\.)(" + "|".join(known) + r")\.[a-z]{2,3}(?:\.[a-z]{2})?$", 1).nullif("")
    return ibis.coalesce(site, host)


def with_channel(sessions: ir.Table, *, own_hosts: tuple[str, ...], rules: tuple[dict[str, str], ...] = ()) -> ir.Table:
    """Give every session its `channel`, from the campaign, click id and referrer of its landing.

    A referrer on the shop's own or a payment host is no referral. `rules` are the
    shop's own, each a channel and the landing values it asks for (`*` stands for anything).
    """
    unwanted = [host.lower().removeprefix("www.") for host in (*own_hosts, *PAYMENT_HOSTS)]
    hosts = sessions.mutate(host=_.referrer_host)
    from_inside = functools.reduce(
        operator.or_, [(hosts.host == host) | hosts.host.endswith("." + host) for host in unwanted]
    )
    hosts = hosts.mutate(site=ibis.ifelse(from_inside, ibis.null(str), _site_name(_.host)))
    click = hosts.click_id.re_extract("^([a-z]+):", 1)
    # An ad's click id says more than a campaign without a medium; Facebook puts its own on free links too.
    paid_click = click.isin([kind for kind in _CLICK_SOURCES if kind != "fbclid"]).fill_null(False)
    tagged = ibis.coalesce(hosts.utm_source, hosts.utm_medium, hosts.utm_campaign).notnull()
    tagged &= hosts.utm_medium.notnull() | ~paid_click
    landed = hosts.mutate(
        source=ibis.cases(
            (tagged, _.utm_source.lower()),
            *[(click == kind, source) for kind, (source, medium) in _CLICK_SOURCES.items()],
            (_.site.notnull(), _.site),
            else_="(direct)",
        ),
        medium=ibis.cases(
            (tagged, _.utm_medium.lower()),
            *[(click == kind, medium) for kind, (source, medium) in _CLICK_SOURCES.items()],
            (_.site.isin(SEARCH), "organic"),
            (_.site.notnull(), "referral"),
            else_="(none)",
        ),
        campaign=_.utm_campaign.lower(),
    )
    landed = landed.mutate(source=_site_name(_.source))
    cases = [(_own_rule(landed, rule), rule["channel"]) for rule in rules]
    cases += [(_default_rule(landed, conditions), channel) for channel, conditions in DEFAULT_RULES]
    channel = ibis.cases(*cases, else_="Unassigned")
    return landed.mutate(channel=channel).drop("host", "site", "source", "medium", "campaign")


def _default_rule(landed: ir.Table, conditions: dict[str, object]) -> ir.BooleanValue:
    tests = [
        landed[name].isin(wanted) if isinstance(wanted, tuple) else landed[name].re_search(wanted)
        for name, wanted in conditions.items()
    ]
    return functools.reduce(operator.and_, tests).fill_null(False)


def _own_rule(landed: ir.Table, rule: dict[str, str]) -> ir.BooleanValue:
    tests = [
        landed[name].re_search("(?i)^" + re.escape(wanted).replace(r"\*", ".*") + "$")
        for name, wanted in rule.items()
        if name != "channel"
    ]
    return functools.reduce(operator.and_, tests).fill_null(False)
