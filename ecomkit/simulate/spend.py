"""What the ads cost per day and campaign, and the rates of the day."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np

from ecomkit.simulate.calendar import Calendar
from ecomkit.simulate.dice import whole
from ecomkit.simulate.traffic import Campaign

ACCOUNTS = {"google": ("731-204", "EUR"), "facebook": ("act_5150", "USD")}
HEADER = "date,account_id,campaign_id,campaign_name,spend,currency,impressions,clicks,conversions"
_IMPRESSIONS_PER_CLICK = {"google": 28, "facebook": 95}


def ad_rows(
    uniform: Iterator[float], clicks: Counter[tuple[date, Campaign]], rates: dict[date, float]
) -> tuple[dict[str, list[str]], dict[str, float]]:
    """Return the rows of each platform's report, and the spend per channel in the shop's currency.

    Clicks are the visits that the campaign brought, and now and then one that never arrived.
    """
    rows: dict[str, list[str]] = defaultdict(list)
    spend: Counter[str] = Counter()
    for (day, campaign), visits in sorted(clicks.items()):
        account_id, currency = ACCOUNTS[campaign.platform]
        clicked = visits + whole(uniform, 0, 2)
        cents = round(clicked * campaign.click_cost * (0.85 + 0.3 * next(uniform)))
        impressions = clicked * _IMPRESSIONS_PER_CLICK[campaign.platform] + whole(uniform, 0, 40)
        name = campaign.name.replace('"', '""')
        name = f'"{name}"' if '"' in name or "," in name else name
        rows[campaign.platform].append(
            f"{day},{account_id},{campaign.campaign_id},{name},{cents / 100:.2f},{currency},{impressions},{clicked},"
            f"{visits * 0.1:.1f}"
        )
        spend[campaign.channel] += cents / 100 * (1 if currency == "EUR" else rates[day])
    return rows, dict(spend)


def daily_rates(rng: np.random.Generator, calendar: Calendar) -> dict[date, float]:
    """Let the dollar wander around 0.92 euros, one rate for every day."""
    steps = np.cumsum(rng.normal(0, 0.002, calendar.days))
    wander = 0.92 + 0.03 * np.tanh(steps / 0.03)
    days = [calendar.first_day + timedelta(days=number) for number in range(calendar.days)]
    return dict(zip(days, np.round(wander, 4).tolist(), strict=True))
