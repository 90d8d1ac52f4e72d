"""Ad spend: a CSV with a row per day and campaign."""

import re
from collections.abc import Sequence

import duckdb

from ecomkit.settings import Source
from ecomkit.sources.mapped_files import mapped_rows
from ecomkit.sources.money_text import MONEY_MACROS

COLUMNS = (
    "date", "account_id", "campaign_id", "campaign_name", "spend", "currency", "impressions", "clicks", "conversions",
)  # fmt: skip
_REQUIRED = ("date", "spend")

# The channel that a platform's spend buys, unless the source says otherwise.
PLATFORM_CHANNELS = {"facebook": "Paid Social", "google": "Paid Search", "bing": "Paid Search", "tiktok": "Paid Social"}


def read_ad_spend(
    con: duckdb.DuckDBPyConnection, sources: Sequence[Source], *, currency: str, retargeting: Sequence[str]
) -> None:
    """Create the temporary table `spend_rows`: a row per line of every source, typed, with its `problem`.

    A later line for the same day, platform, account and campaign restates the one
    before it. Campaigns whose name fits a pattern of `retargeting` have that purpose.
    """
    parts, values = [], {"patterns": "|".join(_as_regex(pattern) for pattern in retargeting)}
    for number, source in enumerate(sources):
        query = mapped_rows(con, source, known=COLUMNS, required=_REQUIRED)
        platform = source.options.get("platform", source.name)
        values |= {
            f"source{number}": source.name,
            f"platform{number}": platform,
            f"channel{number}": source.options.get("channel", PLATFORM_CHANNELS.get(platform, "Paid Other")),
            f"currency{number}": source.options.get("currency", currency),
        }
        parts.append(_typed(query, number))
    con.execute(MONEY_MACROS)
    rows = " UNION ALL ".join(parts)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE spend_rows AS SELECT *, row_number() OVER () AS row_id FROM ({rows})", values
    )


def _as_regex(pattern: str) -> str:
    return "^" + re.escape(pattern.lower()).replace(r"\*", ".*") + "$"


def _typed(query: str, number: int) -> str:
    return f"""
        SELECT *,
            CASE WHEN date IS NULL THEN 'no readable day' WHEN spend IS NULL THEN 'no readable spend' END AS problem
        FROM (
            SELECT $source{number} AS source, source_file, line_number,
                TRY_CAST(left(trim(date), 10) AS DATE) AS date, $platform{number} AS platform,
                account_id, campaign_id, campaign_name, $channel{number} AS channel,
                CASE WHEN $patterns <> '' AND regexp_matches(lower(campaign_name), $patterns)
                     THEN 'retargeting' ELSE 'prospecting' END AS purpose,
                as_money(spend) AS spend,
                coalesce(nullif(trim(currency), ''), $currency{number}) AS currency,
                TRY_CAST(impressions AS BIGINT) AS impressions, TRY_CAST(clicks AS BIGINT) AS clicks,
                TRY_CAST(conversions AS DOUBLE) AS platform_conversions
            FROM ({query})
        )"""
