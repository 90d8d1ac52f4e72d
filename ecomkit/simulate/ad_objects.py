"""The simulated shop's ad spend as Segment's ads sources write it: object tables, restated, split and doubled."""

import csv
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import ibis
import pyarrow as pa

# Segment's view of a raw table goes back so far.
_VIEW_DAYS = 60
# Every so many rows the platform finds more spend some days later.
_RESTATED_EVERY = 4
_MICROS_PER_CENT = 10_000
_MINUTES_PER_VERSION = 15


def write_ad_objects(
    folder: str | Path,
    con: ibis.BaseBackend,
    *,
    facebook_schema: str = "facebook_ads",
    google_schema: str = "google_ads",
    plural: bool = True,
    raw: bool = True,
    campaign_report: bool = True,
) -> dict[str, dict[str, str]]:
    """Write what `ads/facebook.csv` and `ads/google.csv` of a shop's folder say as tables of two schemas.

    Newest versions add up to the files' totals, by day, account and campaign.

    Parameters
    ----------
    plural
        Whether reports are named as warehouses have them, or as documented.
    raw
        Whether tables hold every version of a row, with a `_view` of the last 60
        days of loads beside each, as in BigQuery; else the newest version alone.
    campaign_report
        Whether Google has its campaign report, beside an ad report that misses a
        campaign; else the ad report tells all.

    Returns
    -------
    dict
        The currency of each account by platform, as `currencies` of shop.toml takes it.
    """
    rows = {platform: _rows_of(Path(folder) / "ads" / f"{platform}.csv") for platform in ("facebook", "google")}
    suffix = "s" if plural else ""
    written = [
        (facebook_schema, _facebook(rows["facebook"], f"insight{suffix}")),
        (google_schema, _google(rows["google"], suffix, campaign_report)),
    ]
    for schema, tables in written:
        if schema not in con.list_databases():
            con.create_database(schema)
        for name, versions in tables.items():
            _write(con, schema, name, versions, raw=raw)
    return {
        platform: {row["account_id"].removeprefix("act_"): row["currency"] for row in rows[platform]}
        for platform in rows
    }


def _rows_of(path: Path) -> list[dict]:
    with path.open(encoding="utf-8", newline="") as file:
        return [
            row
            | {
                "date": date.fromisoformat(row["date"]),
                "cents": round(float(row["spend"]) * 100),
                "impressions": int(row["impressions"]),
                "clicks": int(row["clicks"]),
            }
            for row in csv.DictReader(file)
        ]


def _write(con: ibis.BaseBackend, schema: str, name: str, versions: Sequence[dict], *, raw: bool) -> None:
    """Write the versions of one table, the oldest first; only raw tables know when a row was loaded."""
    newest = list({row["id"]: row for row in versions}.values())
    if not raw:
        rows = [{key: value for key, value in row.items() if key != "loaded_at"} for row in newest]
        con.create_table(name, pa.Table.from_pylist(rows), database=schema, overwrite=True)
        return
    since = max(row["loaded_at"] for row in versions) - timedelta(days=_VIEW_DAYS)
    seen = [row for row in newest if row["loaded_at"] >= since]
    con.create_table(name, pa.Table.from_pylist(versions), database=schema, overwrite=True)
    con.create_table(f"{name}_view", pa.Table.from_pylist(seen), database=schema, overwrite=True)


def _facebook(rows: Sequence[dict], report: str) -> dict[str, list[dict]]:
    first = min(row["date"] for row in rows)
    insights, campaigns, ads, accounts = [], {}, {}, {}
    for number, row in enumerate(rows):
        account, campaign = row["account_id"].removeprefix("act_"), row["campaign_id"]
        accounts[account] = _named(f"act_{account}", f"Account {account}", first, spend_cap="0")
        campaigns[campaign] = _named(campaign, row["campaign_name"], first, account_id=account)
        for part, ad in enumerate(_ads_of(campaign)):
            ads[ad] = _named(ad, f"Ad {part + 1}", first, account_id=account, campaign_id=campaign)
            said = {
                "id": f"insight-{ad}-{row['date']}",
                "ad_id": ad,
                # A day of the account, without a zone.
                "date_start": datetime.combine(row["date"], datetime.min.time()),
                "date_stop": datetime.combine(row["date"], datetime.min.time()),
                "impressions": _share(row["impressions"], part),
                "clicks": _share(row["clicks"], part),
            }
            for cents, loaded in _versions(_share(row["cents"], part), row["date"], number):
                insights.append(said | {"spend": f"{cents / 100:.2f}"} | loaded)
    return {
        report: insights,
        "campaigns": _flat(campaigns),
        "ads": _flat(ads),
        "ad_accounts": _flat(accounts),
    }


def _google(rows: Sequence[dict], suffix: str, campaign_report: bool) -> dict[str, list[dict]]:
    first = min(row["date"] for row in rows)
    last_campaign = max(row["campaign_id"] for row in rows)
    campaign_rows, ad_rows, campaigns, groups, ads = [], [], {}, {}, {}
    for number, row in enumerate(rows):
        account, campaign, day = row["account_id"], row["campaign_id"], str(row["date"])
        group = f"{campaign}-group"
        campaigns[campaign] = _named(campaign, row["campaign_name"], first, adwords_customer_id=account)
        groups[group] = _named(group, "Group", first, campaign_id=campaign, adwords_customer_id=account)
        said = {"adwords_customer_id": account, "date_start": day, "date_stop": day}
        for cents, loaded in _versions(row["cents"], row["date"], number):
            counts = {key: row[key] for key in ("impressions", "clicks")} | {"conversions": float(row["conversions"])}
            campaign_rows.append(
                {"id": f"campaign-{campaign}-{day}", "campaign_id": campaign}
                | {"cost": cents * _MICROS_PER_CENT, "average_cost": 0, "amount": 5_000_000}
                | said
                | counts
                | loaded
            )
        for part, ad in enumerate(_ads_of(campaign)):
            ads[ad] = [{"id": f"{group}::{ad}", "ad_group_id": group, "status": "ENABLED"} | _loaded(first, 0)]
            if campaign_report and campaign == last_campaign:
                continue
            for cents, loaded in _versions(_share(row["cents"], part), row["date"], number):
                ad_rows.append(
                    {"id": f"ad-{ad}-{day}", "ad_id": f"{group}::{ad}", "ad_group_id": group}
                    | {"account_currency_code": row["currency"], "cost": cents * _MICROS_PER_CENT}
                    | {"impressions": _share(row["impressions"], part), "clicks": _share(row["clicks"], part)}
                    | {"conversions": float(row["conversions"]) if part == 0 else 0.0}
                    | said
                    | loaded
                )
    tables = {
        f"ad_performance_report{suffix}": ad_rows,
        "campaigns": _flat(campaigns),
        "ad_groups": _flat(groups),
        "ads": _flat(ads),
    }
    return tables | ({f"campaign_performance_report{suffix}": campaign_rows} if campaign_report else {})


def _ads_of(campaign: str) -> tuple[str, str]:
    return f"{campaign}-1", f"{campaign}-2"


def _share(whole: int, part: int) -> int:
    """Return the part of a number that the first or the second ad has: a third, and the rest."""
    return whole // 3 if part == 0 else whole - whole // 3


def _versions(cents: int, day: date, number: int) -> Iterator[tuple[int, dict]]:
    """Yield what is said of a day's spend, oldest first; a restated row was too low at first."""
    if number % _RESTATED_EVERY == 0:
        yield cents * 9 // 10, _loaded(day, 1)
    yield cents, _loaded(day, 5)


def _named(object_id: str, name: str, first: date, **columns: str) -> list[dict]:
    """Return the two versions of an object: as it began, and as it is called now."""
    now = {"id": object_id, "name": name} | columns
    return [now | {"name": "Untitled"} | _loaded(first, 0), now | _loaded(first, 2)]


def _loaded(day: date, after_days: int) -> dict[str, datetime]:
    received = datetime.combine(day, datetime.min.time(), UTC) + timedelta(days=after_days, hours=3)
    loaded = received + timedelta(minutes=_MINUTES_PER_VERSION)
    return {"received_at": received, "uuid_ts": loaded, "loaded_at": loaded}


def _flat(objects: dict[str, list[dict]]) -> list[dict]:
    return [version for versions in objects.values() for version in versions]
