"""Which channel brought a session: GA4's default channel groups, by its rules in their order.

The rules, the lists of sites and the version they have lie in `channel_groups.toml`.
First match wins, compared without regard to case. A shop's own rules come before them.
"""

import functools
import operator
import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files

import ibis
import ibis.expr.types as ir
from ibis import _

_GROUPS = tomllib.loads(files(__package__).joinpath("channel_groups.toml").read_text(encoding="utf-8"))
VERSION: str = _GROUPS["version"]
_SOURCES: dict[str, list[str]] = _GROUPS["sources"]
_CLICK_IDS: dict[str, list[str]] = _GROUPS["click_ids"]
_TRIPS = [host for hosts in _GROUPS["trips"].values() for host in hosts]
_NAMES = [name for names in _SOURCES.values() for name in names]
# What of a landing the default groups ask for, beside its click id.
_TELLING = ("utm_source", "utm_medium", "utm_campaign", "referrer_host")
# Hosts of a site's other services: no search brought a visit from a mailbox.
_OTHER_SERVICES = r"^(?:mail|mailbox|webmail|docs|drive|classroom|groups|sites|calendar|meet|chat)\."
# A host is no longer than this, and holds none of these characters (an address of IPv6 stands in brackets). Browsers
# take a backslash for a slash.
_LONGEST_HOST = 253
_HOST = r'\[[0-9a-f:.]+\]|[^\s"#%/:<>?@\[\]\\^`{|}]+'
_REFERRER = rf"^[a-z][a-z0-9+.-]*://(?:[^/\\?#]*@)?(?:www\.)?({_HOST})(?::[0-9]*)?(?:[/\\?#]|$)"


def referrer_host(referrer: ir.StringValue) -> ir.StringValue:
    """Return the host of a referrer in lower case, without user, port and `www.`; null where there is none."""
    host = referrer.lower().re_extract(_REFERRER, 1)
    return ibis.ifelse(host.length() <= _LONGEST_HOST, host.re_replace(r"\.+$", "").nullif(""), ibis.null(str))


def _site_name(host: ir.StringValue) -> ir.StringValue:
    """Return the name that the lists have for a host: `google` of www.google.de, the host itself of any other."""
    plain = [name for name in _NAMES if "." not in name]
    hosts = [name for name in _NAMES if "." in name]
    site = host.re_extract(r"(?:^|\.)(" + "|".join(map(re.escape, plain)) + r")\.[a-z]{2,3}(?:\.[a-z]{2})?$", 1)
    below = host.re_extract(r"(?:^|\.)(" + "|".join(map(re.escape, hosts)) + ")$", 1)
    known = ibis.ifelse(host.re_search(_OTHER_SERVICES), ibis.null(str), site.nullif(""))
    return ibis.coalesce(below.nullif(""), known, host)


def with_channel(sessions: ir.Table, *, own_hosts: tuple[str, ...], rules: tuple[dict[str, str], ...] = ()) -> ir.Table:
    """Give every session its `channel`, from the campaign, click id and referrer of its landing.

    A referrer on the shop's own or a payment host is no referral. `rules` are the
    shop's own, each a channel and the landing values it asks for (`*` stands for anything).
    """
    # The kind of a click id tells all that its own text does.
    landed = sessions.mutate(click=_.click_id.re_extract("^([a-z]+):", 1))
    named = (name for rule in rules for name in rule if name in sessions.columns)
    asked = list(dict.fromkeys(["click", *_TELLING, *named]))
    keys = {f"{name}_key": landed[name].fill_null("") for name in asked}
    landed = landed.mutate(**keys)
    # Landings repeat: each is looked at once.
    alike = landed.select(*keys).distinct().mutate(**{name: _[f"{name}_key"].nullif("") for name in asked})
    told = _named(_sourced(alike, own_hosts), rules)
    return landed.join(told.select(*keys, "channel"), list(keys)).drop("click", *keys)


def _sourced(landings: ir.Table, own_hosts: tuple[str, ...]) -> ir.Table:
    """Give landings their `source`, `medium` and `campaign`, as GA4 understands them."""
    inside = [host.lower().removeprefix("www.") for host in (*own_hosts, *_TRIPS)]
    host = landings.referrer_host
    from_inside = functools.reduce(operator.or_, [(host == own) | host.endswith("." + own) for own in inside])
    sites = landings.mutate(site=ibis.ifelse(from_inside, ibis.null(str), _site_name(host)))
    # An ad's click id says more than a campaign without a medium; Facebook puts its own on free links too.
    paid_click = sites.click.isin([kind for kind in _CLICK_IDS if kind != "fbclid"]).fill_null(False)
    tagged = ibis.coalesce(sites.utm_source, sites.utm_medium, sites.utm_campaign).notnull()
    tagged &= sites.utm_medium.notnull() | ~paid_click
    told = sites.mutate(
        source=ibis.cases(
            (tagged, _.utm_source.lower()),
            *[(sites.click == kind, source) for kind, (source, medium) in _CLICK_IDS.items()],
            (_.site.notnull(), _.site),
            else_="(direct)",
        ),
        medium=ibis.cases(
            (tagged, _.utm_medium.lower()),
            *[(sites.click == kind, medium) for kind, (source, medium) in _CLICK_IDS.items()],
            (_.site.isin(_SOURCES["search"]), "organic"),
            (_.site.notnull(), "referral"),
            else_="(none)",
        ),
        campaign=_.utm_campaign.lower(),
    )
    return told.mutate(source=_site_name(told.source))


def _named(sourced: ir.Table, rules: tuple[dict[str, str], ...]) -> ir.Table:
    """Give landings the `channel` of the first rule that they meet."""
    # No two rows are the same: this only keeps an engine from working out the source anew for each rule.
    landed = sourced.distinct()
    cases = [(_holds(landed, _own_conditions(rule)), rule["channel"]) for rule in rules]
    cases += [(_holds(landed, rule), rule["channel"]) for rule in _GROUPS["rules"]]
    return landed.mutate(channel=ibis.cases(*cases, else_="Unassigned"))


def _holds(landed: ir.Table, rule: Mapping[str, object]) -> ir.BooleanValue:
    """Say whether a landing meets every condition of a rule."""
    tests = []
    for condition, wanted in rule.items():
        if condition == "source_in":
            tests.append(landed.source.isin(_SOURCES[wanted]))
        elif condition.endswith("_like"):
            tests.append(landed[condition.removesuffix("_like")].lower().re_search(wanted))
        elif condition != "channel":
            tests.append(landed[condition].isin(wanted))
    return functools.reduce(operator.and_, tests).fill_null(False)


def _own_conditions(rule: Mapping[str, str]) -> dict[str, str]:
    """Return a shop's own rule as conditions: a `*` stands for anything."""
    return {
        f"{name}_like": "^" + re.escape(wanted.lower()).replace(r"\*", ".*") + "$"
        for name, wanted in rule.items()
        if name != "channel"
    }
