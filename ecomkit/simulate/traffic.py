"""The channels that bring visits: how often a visit orders, and what its landing page shows."""

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlencode

from ecomkit.simulate.dice import chance, letters, pick

HOST = "lantern.example"


class Channel(NamedTuple):
    """A planted truth: each visit of this channel orders with probability `rate`, whoever comes.

    `new_share` and `return_share` are its shares of first visits and of
    customers' later visits.
    """

    name: str
    rate: float
    new_share: float
    return_share: float


class Campaign(NamedTuple):
    """What the landing page's address says, and the cost of a click in cents (0 where clicks are free)."""

    channel: str
    campaign_id: str
    name: str
    source: str
    medium: str
    click_cost: int = 0
    platform: str = ""


CHANNELS = (
    Channel("Paid Search", 0.085, 0.20, 0.06),
    Channel("Paid Social", 0.025, 0.22, 0.05),
    Channel("Organic Search", 0.060, 0.25, 0.12),
    Channel("Email", 0.130, 0.02, 0.36),
    Channel("Direct", 0.080, 0.17, 0.33),
    Channel("Referral", 0.055, 0.07, 0.04),
    Channel("Unassigned", 0.045, 0.04, 0.03),
    Channel("Influencers", 0.060, 0.03, 0.01),
)

# A flyer's QR code fits no default channel group; a creator's link needs the override in shop.toml.
CAMPAIGNS = (
    Campaign("Paid Search", "g-101", "Brand", "google", "cpc", 80, "google"),
    Campaign("Paid Search", "g-102", "Generic tea", "google", "cpc", 105, "google"),
    Campaign("Paid Search", "g-103", 'Lanterns "2 for 1" <b>now</b> & later', "google", "cpc", 95, "google"),
    Campaign("Paid Social", "f-201", "Prospecting lanterns", "facebook", "paid-social", 560, "facebook"),
    Campaign("Paid Social", "f-202", "Prospecting gifts | $5 off", "instagram", "paid-social", 590, "facebook"),
    Campaign("Paid Social", "f-203", "Carts remarketing", "facebook", "paid-social", 480, "facebook"),
    Campaign("Email", "e-301", "weekly-letter", "customer.io", "email"),
    Campaign("Email", "e-302", "back-in-stock", "customer.io", "email"),
    Campaign("Unassigned", "q-401", "market-flyer", "flyer", "qr"),
    Campaign("Influencers", "i-501", "evening-tea", "leaf-and-ladle", "creator"),
)
REFERRERS = {
    "Organic Search": ("https://www.google.com/", "https://www.bing.com/", "https://duckduckgo.com/"),
    "Referral": ("https://teablog.example/best-of", "https://lamps.example/reviews/petrel"),
    "Paid Search": ("https://www.google.com/",),
    "Paid Social": ("https://l.facebook.com/", "https://m.facebook.com/"),
    "Influencers": ("https://ladle.example/", ""),
}
_BY_CHANNEL = {channel.name: tuple(c for c in CAMPAIGNS if c.channel == channel.name) for channel in CHANNELS}


class Landing(NamedTuple):
    """How a visit came: the query of its first address, its referrer, and the campaign that paid, if any."""

    search: str
    referrer: str
    utm: dict[str, str] | None
    campaign: Campaign | None


def landing(uniform: Iterator[float], channel: str) -> Landing:
    """Draw the campaign, the address and the referrer of a visit through `channel`."""
    referrer = pick(uniform, REFERRERS.get(channel, ("",)))
    if not _BY_CHANNEL[channel]:
        return Landing("", referrer, None, None)
    campaign = pick(uniform, _BY_CHANNEL[channel])
    utm = {"source": campaign.source, "medium": campaign.medium, "name": campaign.name, "id": campaign.campaign_id}
    query = {f"utm_{'campaign' if key == 'name' else key}": value for key, value in utm.items()}
    if campaign.platform == "google":
        query["gclid"] = letters(uniform, 10)
    elif campaign.platform == "facebook" and chance(uniform, 0.5):
        query["fbclid"] = letters(uniform, 10)
    return Landing("?" + urlencode(query), referrer, utm, campaign)
