"""Ad spend: a CSV with a row per day and campaign, or the object tables of Segment's ads sources."""

import re
from collections.abc import Sequence

import duckdb
import pyarrow as pa

from ecomkit.errors import SourceError
from ecomkit.settings import Source
from ecomkit.sources import ad_facts
from ecomkit.sources.ad_tables import platform_of, spend_queries
from ecomkit.sources.mapped_files import mapped_rows
from ecomkit.sources.money_text import MONEY_MACROS
from ecomkit.sources.privacy import PRIVACY_MACROS
from ecomkit.sources.warehouse import connect, text_batches

COLUMNS = (
    "date", "account_id", "campaign_id", "campaign_name", "spend", "currency", "impressions", "clicks", "conversions",
)  # fmt: skip
_REQUIRED = ("date", "spend")

# The channel that a platform's spend buys, unless the source says otherwise.
PLATFORM_CHANNELS = {"facebook": "Paid Social", "google": "Paid Search", "bing": "Paid Search", "tiktok": "Paid Social"}

# An account is the same with and without the prefix or the dashes that one export has and another has not.
_ACCOUNT = "regexp_replace(lower(trim(account_id)), '^act_|-', '', 'g')"


def read_ad_spend(
    con: duckdb.DuckDBPyConnection, sources: Sequence[Source], *, currency: str, retargeting: Sequence[str]
) -> None:
    """Create the temporary table `spend_rows`: a row per line or row of every source, typed, with its `problem`.

    Rows of one source with one day and `fact` restate each other: the newest
    `version` counts, or the last line. Rows with one day, platform and `claim` state
    one campaign's spend, in several sources perhaps. Campaigns whose name fits a
    pattern of `retargeting` have that purpose.

    Raises
    ------
    SourceError
        If files, tables or columns are missing, of all sources at once.
    """
    parts, problems = [], []
    values: dict[str, object] = {"patterns": "|".join(_as_regex(pattern) for pattern in retargeting)}
    for number, source in enumerate(sources):
        try:
            query = _lines(con, source) if source.url is None else _rows_of_tables(con, source, number)
        except SourceError as error:
            problems.append(str(error))
            continue
        values |= _settings_of(source, number, currency)
        parts.append(_typed(query, number))
    if problems:
        raise SourceError("\n".join(problems))
    con.execute(MONEY_MACROS + PRIVACY_MACROS)
    rows = " UNION ALL ".join(parts)
    private = ", ".join(f"without_address({name}) AS {name}" for name in ("account_id", "campaign_id", "campaign_name"))
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE spend_rows AS
        SELECT * REPLACE ({private}), row_number() OVER (
            ORDER BY source_number, line_number, source_file, date, fact, version, row_key, spend, impressions, clicks,
                platform_conversions, account_id, campaign_id, campaign_name, currency, remark
        ) AS row_id
        FROM ({rows})""",
        values,
    )


def _settings_of(source: Source, number: int, currency: str) -> dict[str, object]:
    platform = platform_of(source)
    currencies = source.options.get("currencies", {})
    only = next(iter(currencies.values())) if len(set(currencies.values())) == 1 else None
    stated = source.options.get("currency")
    return {
        f"source{number}": source.name,
        f"platform{number}": platform,
        f"channel{number}": source.options.get("channel", PLATFORM_CHANNELS.get(platform, "Paid Other")),
        f"currency{number}": stated or currency,
        # Spend of an account that is not known is in the one currency that all accounts share.
        f"unknown{number}": stated or only or currency,
        f"accounts{number}": [re.sub("^act_|-", "", account.lower()) for account in currencies],
        f"codes{number}": list(currencies.values()),
    }


def _lines(con: duckdb.DuckDBPyConnection, source: Source) -> str:
    """Return a query of a file's lines; a campaign without an id goes by its name."""
    rows = mapped_rows(con, source, known=COLUMNS, required=_REQUIRED)
    fact = f"coalesce({_ACCOUNT}, '') || '|' || coalesce(campaign_id, campaign_name, '')"
    return f"""
        SELECT *, NULL AS row_key, {fact} AS fact, NULL AS version, NULL AS remark FROM ({rows})"""


def _rows_of_tables(con: duckdb.DuckDBPyConnection, source: Source, number: int) -> str:
    """Fetch what a warehouse's tables say of spend into a table of this build, and return a query of its rows."""
    warehouse = connect(source)
    table = f"fetched_spend_{number}"
    columns = ", ".join(f"{name} VARCHAR" for name in ad_facts.COLUMNS)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} ({columns})")
    try:
        for query in spend_queries(warehouse, source):
            for batch in text_batches(warehouse, query):
                con.register("fetched", pa.Table.from_batches([batch]))
                con.execute(f"INSERT INTO {table} BY NAME SELECT * FROM fetched")
                con.unregister("fetched")
    finally:
        warehouse.disconnect()
    # A micro is a millionth of the currency's unit; as decimals, so that no part of a cent is lost.
    micros = "TRY_CAST(TRY_CAST(spend AS DECIMAL(30, 6)) * CAST(0.000001 AS DECIMAL(7, 6)) AS DECIMAL(18, 6))"
    spend = f"REPLACE (CAST({micros} AS VARCHAR) AS spend)" if platform_of(source) == "google" else ""
    return f"SELECT * {spend}, NULL AS line_number, NULL AS file_path FROM {table}"


def _as_regex(pattern: str) -> str:
    return "^" + re.escape(pattern.lower()).replace(r"\*", ".*") + "$"


def _typed(query: str, number: int) -> str:
    return f"""
        SELECT *,
            coalesce({_ACCOUNT}, '') || '|' || coalesce(campaign_id, campaign_name, fact) AS claim,
            CASE WHEN date IS NULL THEN 'no readable day' WHEN spend IS NULL THEN 'no readable spend' END AS problem
        FROM (
            SELECT $source{number} AS source, {number} AS source_number, source_file,
                CAST(file_path AS VARCHAR) AS file_path, CAST(line_number AS BIGINT) AS line_number, row_key, fact,
                TRY_CAST(version AS TIMESTAMPTZ) AS version, CAST(remark AS VARCHAR) AS remark,
                TRY_CAST(left(trim(date), 10) AS DATE) AS date, $platform{number} AS platform,
                account_id, campaign_id, campaign_name, $channel{number} AS channel,
                CASE WHEN $patterns <> '' AND regexp_matches(lower(campaign_name), $patterns)
                     THEN 'retargeting' ELSE 'prospecting' END AS purpose,
                coalesce(TRY_CAST(spend AS DECIMAL(18, 6)), as_money(spend)) AS spend,
                coalesce(
                    nullif(trim(currency), ''),
                    CAST($codes{number} AS VARCHAR[])[list_position(CAST($accounts{number} AS VARCHAR[]), {_ACCOUNT})],
                    CASE WHEN account_id IS NULL THEN $unknown{number} END,
                    $currency{number}
                ) AS currency,
                TRY_CAST(impressions AS BIGINT) AS impressions, TRY_CAST(clicks AS BIGINT) AS clicks,
                TRY_CAST(conversions AS DOUBLE) AS platform_conversions
            FROM ({query})
        )"""
