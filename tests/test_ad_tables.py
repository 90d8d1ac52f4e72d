"""Ad spend from the object tables of Segment's ads sources, in DuckDB and in a real PostgreSQL."""

import csv
import os
import random
from datetime import UTC, date, datetime
from decimal import Decimal

import ibis
import pyarrow as pa
import pytest
from ibis import _

from ecomkit.errors import SourceError
from ecomkit.pipeline.money import in_shop_currency
from ecomkit.pipeline.spend import by_campaign, finished_spend, judged_spend, remarks
from ecomkit.settings import Source
from ecomkit.shop import ROOT, open_shop
from ecomkit.simulate.ad_objects import write_ad_objects
from ecomkit.sources.ad_facts import COLUMNS, spend_rows
from ecomkit.sources.ad_spend import read_ad_spend
from ecomkit.sources.ad_tables import tables_named

SERVER = os.environ.get("ECOMKIT_TEST_POSTGRES")
ENGINES = [
    "duckdb",
    pytest.param("postgres", marks=pytest.mark.skipif(not SERVER, reason="ECOMKIT_TEST_POSTGRES names no server")),
]
SCHEMAS = ("facebook_ads", "google_ads")
FIXTURE = ROOT / "data" / "fixtures" / "shop"
SPEND_FILE = "date,account_id,campaign_id,campaign_name,spend,currency,impressions,clicks,conversions\n"


@pytest.fixture(scope="session")
def database(worker_id):
    """Give the url of a database of this test process alone."""
    psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed: pip install -e '.[postgres]'")
    name = f"ecomkit_ads_{worker_id}"
    with psycopg.connect(SERVER, autocommit=True) as connection:
        connection.execute(f"drop database if exists {name}")
        connection.execute(f"create database {name}")
        yield f"{SERVER.rpartition('/')[0]}/{name}"
        connection.execute(f"drop database {name}")


@pytest.fixture(params=ENGINES)
def warehouse(request, tmp_path):
    """Give the url of an empty database, and a function that opens it for writing."""
    if request.param == "duckdb":
        file = tmp_path / "warehouse.duckdb"
        yield f"duckdb://{file}", lambda: ibis.duckdb.connect(str(file))
        return
    url = request.getfixturevalue("database")
    yield url, lambda: ibis.connect(url)
    con = ibis.connect(url)
    for schema in SCHEMAS:
        con.raw_sql(f"drop schema if exists {schema} cascade").close()
    con.disconnect()


@pytest.fixture
def facebook(warehouse):
    """Return a function that writes Facebook's tables, each a list of rows, and gives the source of them."""
    return _writer(warehouse, "facebook")


@pytest.fixture
def google(warehouse):
    """Return a function that writes Google's tables, each a list of rows, and gives the source of them."""
    return _writer(warehouse, "google")


def _writer(warehouse, platform):
    url, open_it = warehouse

    def write(options=None, **tables):
        con = open_it()
        if f"{platform}_ads" not in con.list_databases():
            con.create_database(f"{platform}_ads")
        for name, rows in tables.items():
            con.create_table(name, pa.Table.from_pylist(rows), database=f"{platform}_ads", overwrite=True)
        con.disconnect()
        return source_of(url, platform, **({"platform": platform} | (options or {})))

    return write


def source_of(url, name, **options):
    schema = f"{name}_ads"
    return Source("ad_spend", None, schema, {"platform": name} | options, url, (schema,))


def judged(*sources, currency="EUR", retargeting=()):
    con = ibis.duckdb.connect()
    con.raw_sql("SET TimeZone = 'UTC'")
    read_ad_spend(con.con, sources, currency=currency, retargeting=retargeting)
    return con.create_table("judged_spend", judged_spend(con.table("spend_rows")), temp=True)


def days_of(rows, *columns):
    """What the kept rows say of each campaign's day: these columns, sorted."""
    found = by_campaign(rows.filter(_.outcome == "kept")).select(*columns).to_pyarrow().to_pylist()
    return sorted((tuple(row.values()) for row in found), key=str)


def accounts(rows):
    found = rows.group_by("outcome", "reason").agg(rows=_.count()).to_pyarrow().to_pylist()
    return {(row["outcome"], row["reason"]): row["rows"] for row in found}


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def insight(ad="1", day="2026-07-01", spend="1.00", key=None, received="2026-07-02", **more):
    return (
        {
            "id": key or f"{ad}-{day}",
            "ad_id": ad,
            "date_start": datetime.fromisoformat(day),
            "spend": spend,
        }
        | ({"received_at": at(received)} if received else {})
        | more
    )


def report(campaign="7", day="2026-07-01", cost=1_000_000, key=None, received="2026-07-02", **more):
    return {
        "id": key or f"{campaign}-{day}",
        "campaign_id": campaign,
        "adwords_customer_id": "731",
        "date_start": day,
        "cost": cost,
        "received_at": at(received),
    } | more


ADS = [{"id": "1", "account_id": "5150", "campaign_id": "c1"}, {"id": "2", "account_id": "5150", "campaign_id": "c1"}]
CAMPAIGNS = [{"id": "c1", "account_id": "5150", "name": "Summer"}]


# The simulator's tables say what its files say


def file_sources(folder):
    return [
        Source("ad_spend", folder / "ads" / f"{platform}.csv", platform, {"platform": platform})
        for platform in ("facebook", "google")
    ]


def exact(rows):
    """What a shop's spend is, day by day; Facebook's tables tell no conversions, and its exports prefix accounts."""
    plain = rows.mutate(account_id=_.account_id.re_replace("^act_", ""))
    return days_of(
        plain, "date", "platform", "account_id", "campaign_id", "campaign_name", "channel", "purpose", "currency",
        "spend", "impressions", "clicks",
    )  # fmt: skip


@pytest.mark.parametrize("raw", [True, False], ids=["every version", "the newest version"])
def test_the_fixture_shops_tables_hold_what_its_files_say(warehouse, raw):
    url, open_it = warehouse
    con = open_it()
    currencies = write_ad_objects(FIXTURE, con, raw=raw)
    con.disconnect()
    assert currencies == {"facebook": {"5150": "USD"}, "google": {"731-204": "EUR"}}
    tables = [source_of(url, platform, currencies=codes) for platform, codes in currencies.items()]
    rows = judged(*tables, retargeting=["*remarketing*"])
    files = judged(*file_sources(FIXTURE), retargeting=["*remarketing*"])
    assert exact(rows) == exact(files)
    assert len(exact(rows)) > 3000
    restated = accounts(rows).get(("duplicate", "restated by a later row"), 0)
    assert (restated > 1000) == raw
    by_platform = {"facebook": Decimal("19938.48"), "google": Decimal("3254.05")}
    for platform, total in by_platform.items():
        assert sum(spend for name, spend in days_of(rows, "platform", "spend") if name == platform) == total


@pytest.mark.parametrize("plural", [True, False], ids=["plural", "singular"])
@pytest.mark.parametrize("campaign_report", [True, False], ids=["campaign report", "ad report alone"])
def test_several_accounts_and_currencies(warehouse, tmp_path, plural, campaign_report):
    ads = tmp_path / "ads"
    ads.mkdir()
    (ads / "facebook.csv").write_text(
        SPEND_FILE
        + "2026-07-01,act_1,f1,Summer,10.01,USD,900,9,1\n2026-07-01,act_2,f2,Winter,5.55,GBP,70,7,0\n"
        + "2026-07-02,act_1,f1,Summer,0.02,USD,9,1,0\n2026-07-02,act_2,f2,Winter,3.33,GBP,60,6,1\n"
    )
    (ads / "google.csv").write_text(
        SPEND_FILE
        + "2026-07-01,81-1,g1,Brand,20.00,USD,900,9,2\n2026-07-01,82-1,g2,Tea,7.77,EUR,70,7,0.5\n"
        + "2026-07-02,81-1,g1,Brand,0.01,USD,1,1,0\n2026-07-02,82-1,g2,Tea,0.10,EUR,60,6,1\n"
    )
    url, open_it = warehouse
    con = open_it()
    currencies = write_ad_objects(tmp_path, con, plural=plural, campaign_report=campaign_report)
    con.disconnect()
    tables = [source_of(url, platform, currencies=codes) for platform, codes in currencies.items()]
    rows = judged(*tables)
    assert exact(rows) == exact(judged(*file_sources(tmp_path)))
    assert sum(conversions or 0 for [conversions] in days_of(rows, "platform_conversions")) == 3.5


def test_the_simulators_ad_report_misses_a_campaign_and_lends_its_currency(warehouse):
    url, open_it = warehouse
    con = open_it()
    write_ad_objects(FIXTURE, con)
    tables = {name: con.table(name, database="google_ads") for name in con.list_tables(database="google_ads")}
    names = sorted(tables)
    in_ads = tables["ad_performance_reports"].ad_group_id.nunique().to_pyarrow().as_py()
    in_campaigns = tables["campaign_performance_reports"].campaign_id.nunique().to_pyarrow().as_py()
    con.disconnect()
    assert (in_ads, in_campaigns) == (2, 3)
    assert [name for name in names if not name.endswith("_view")] == [
        "ad_groups", "ad_performance_reports", "ads", "campaign_performance_reports", "campaigns",
    ]  # fmt: skip
    rows = judged(source_of(url, "google"), currency="GBP")
    assert {currency for [currency] in days_of(rows, "currency")} == {"EUR"}


# Versions


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param({"received": "2026-07-05"}, {"received": "2026-07-02"}, id="received_at"),
        pytest.param(
            {"received": "2026-07-02", "loaded_at": at("2026-07-09")},
            {"received": "2026-07-03", "loaded_at": at("2026-07-08")},
            id="loaded_at before received_at",
        ),
        pytest.param(
            {"uuid_ts": at("2026-07-05T10:00:00.000002"), "received": None},
            {"uuid_ts": at("2026-07-05T10:00:00.000001"), "received": None},
            id="uuid_ts, a microsecond apart",
        ),
    ],
)
def test_the_newest_version_counts(facebook, first, second):
    rows = [insight(spend="8.00", **first), insight(spend="9.00", **second)]
    for order in (rows, rows[::-1]):
        found = judged(facebook(insights=order, ads=ADS, campaigns=CAMPAIGNS))
        assert days_of(found, "spend") == [(Decimal("8.00"),)]
        assert accounts(found) == {("kept", None): 1, ("duplicate", "restated by a later row"): 1}


def test_a_row_that_came_again_under_another_id_counts_once(google):
    rows = [report(cost=1_000_000, key="old"), report(cost=3_000_000, key="new", received="2026-07-04")]
    found = judged(google(campaign_performance_reports=rows, campaigns=[{"id": "7", "name": "Brand"}]))
    assert days_of(found, "campaign_id", "campaign_name", "spend") == [("7", "Brand", Decimal("3.00"))]
    assert accounts(found)["duplicate", "restated by a later row of another id"] == 1


def test_an_account_that_older_versions_lack_does_not_split_them(google):
    rows = [report(adwords_customer_id=None), report(cost=3_000_000, received="2026-07-04")]
    found = judged(google(campaign_performance_reports=rows, campaigns=[{"id": "7", "name": "Brand"}]))
    assert days_of(found, "account_id", "spend") == [("731", Decimal("3.00"))]


def test_parts_of_a_breakdown_are_spend_of_their_own(facebook):
    rows = [insight(key="a", spend="1.10", age="18-24"), insight(key="b", spend="2.20", age="25-34")]
    again = [insight(key="b", spend="2.30", age="25-34", received="2026-07-04")]
    found = judged(facebook(insights=rows + again, ads=ADS, campaigns=CAMPAIGNS))
    assert days_of(found, "spend") == [(Decimal("3.40"),)]


def test_names_and_campaigns_are_those_of_the_newest_version(facebook):
    versions = [
        {"id": "c1", "account_id": "5150", "name": "Old name", "received_at": at("2026-06-01")},
        {"id": "c1", "account_id": "5150", "name": "A remarketing", "received_at": at("2026-07-01")},
    ]
    ads = [
        {"id": "1", "account_id": "5150", "campaign_id": "c1", "received_at": at("2026-07-01")},
        {"id": "1", "account_id": "5150", "campaign_id": "c0", "received_at": at("2026-06-01")},
    ]
    found = judged(facebook(insights=[insight()], ads=ads, campaigns=versions), retargeting=["*remarketing"])
    assert days_of(found, "campaign_id", "campaign_name", "purpose", "spend") == [
        ("c1", "A remarketing", "retargeting", Decimal("1.00"))
    ]


def test_ads_of_a_campaign_add_up_and_the_order_of_rows_does_not_matter(facebook):
    rows = [insight(ad, f"2026-07-0{day}", f"{day}.{ad}7") for ad in ("1", "2") for day in (1, 2, 3)]
    rows += [insight("1", "2026-07-02", "50.00", received="2026-07-09")]
    found = []
    for seed in range(3):
        shuffled = random.Random(seed).sample(rows, len(rows))
        source = facebook(insights=shuffled, ads=ADS, campaigns=CAMPAIGNS)
        found.append(days_of(judged(source), "date", "account_id", "campaign_id", "spend"))
    assert found[0] == [
        (date(2026, 7, 1), "5150", "c1", Decimal("2.44")),
        (date(2026, 7, 2), "5150", "c1", Decimal("52.27")),
        (date(2026, 7, 3), "5150", "c1", Decimal("6.44")),
    ]
    assert found[1:] == found[:1] * 2


def test_of_versions_that_arrived_together_the_same_counts_in_any_order(facebook):
    rows = [insight(account_id=account, account_currency=code) for account, code in [("1", "USD"), ("2", "GBP")]]
    orders = (rows, rows[::-1])
    found = [days_of(judged(facebook(insights=order, ads=ADS)), "account_id", "currency") for order in orders]
    assert found == [[("2", "GBP")]] * 2


# Names of tables


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["insight", "insights_view"], ["insight"]),
        (["insights", "insights_view"], ["insights"]),
        (["insights_view"], ["insights_view"]),
        (["insight_view", "tracks"], ["insight_view"]),
        (["insight", "insights"], ["insights", "insight"]),
        (["tracks"], []),
    ],
)
def test_a_view_counts_only_where_no_table_does(names, found):
    assert tables_named(names, ("insights", "insight")) == found


def test_history_comes_from_the_table_and_not_from_its_view(facebook):
    old, new = insight(day="2025-01-01", received="2025-01-02"), insight(day="2026-07-01")
    source = facebook(insights=[old, new], insights_view=[new], ads=ADS, campaigns=CAMPAIGNS)
    assert days_of(judged(source), "date") == [(date(2025, 1, 1),), (date(2026, 7, 1),)]


def test_a_view_alone_is_read(facebook):
    source = facebook(insights_view=[insight()], ads_view=ADS, campaigns_view=CAMPAIGNS)
    assert days_of(judged(source), "campaign_name", "spend") == [("Summer", Decimal("1.00"))]


def test_a_table_under_both_names_counts_each_row_once(google):
    old = [report(cost=1_000_000), report(day="2026-06-30")]
    new = [report(cost=4_000_000, received="2026-07-04"), report(day="2026-07-03")]
    found = judged(google(campaign_performance_report=old, campaign_performance_reports=new))
    assert days_of(found, "date", "spend") == [
        (date(2026, 6, 30), Decimal("1.00")),
        (date(2026, 7, 1), Decimal("4.00")),
        (date(2026, 7, 3), Decimal("1.00")),
    ]
    assert {row["source_file"] for row in found.to_pyarrow().to_pylist()} == {
        "google_ads.campaign_performance_report", "google_ads.campaign_performance_reports",
    }  # fmt: skip


# What tables lack


def test_spend_of_an_unknown_ad_counts_without_a_campaign(facebook):
    rows = [insight("1", spend="1.00"), insight("9", spend="2.00"), insight("8", spend="4.00")]
    found = judged(facebook({"currency": "USD"}, insights=rows, ads=ADS, campaigns=CAMPAIGNS))
    assert days_of(found, "campaign_id", "account_id", "currency", "spend") == [
        ("c1", "5150", "USD", Decimal("1.00")),
        (None, None, "USD", Decimal("6.00")),
    ]
    assert remarks(found).reason.to_pyarrow().to_pylist() == ["its campaign is not in the tables"] * 2


def test_spend_counts_where_the_tables_of_ads_and_campaigns_lack(facebook):
    source = facebook(insights=[insight("1"), insight("2")])
    assert days_of(judged(source), "account_id", "campaign_id", "impressions", "spend") == [
        (None, None, None, Decimal("2.00"))
    ]


def test_a_campaign_without_a_name_is_said(google):
    found = judged(google(campaign_performance_reports=[report()]))
    assert days_of(found, "campaign_id", "campaign_name", "spend") == [("7", None, Decimal("1.00"))]
    assert remarks(found).reason.to_pyarrow().to_pylist() == ["the name of its campaign is not in the tables"]


@pytest.mark.parametrize(
    ("codes", "known", "unknown"),
    [
        pytest.param({"act_5150": "USD"}, "USD", "USD", id="one currency is the unknown account's too"),
        pytest.param({"5150": "USD", "6": "GBP"}, "USD", "EUR", id="of several, none is"),
        pytest.param({"6": "GBP"}, "EUR", "GBP", id="an account that is not named has the shop's"),
        pytest.param({}, "EUR", "EUR", id="no currency is the shop's"),
    ],
)
def test_currencies_by_account(facebook, codes, known, unknown):
    source = facebook({"currencies": codes}, insights=[insight("1"), insight("9")], ads=ADS, campaigns=CAMPAIGNS)
    assert days_of(judged(source), "account_id", "currency") == [("5150", known), (None, unknown)]


def test_missing_columns_and_tables_are_named_at_once(warehouse, tmp_path):
    platforms = _writer(warehouse, "facebook"), _writer(warehouse, "google")
    facebook = platforms[0](insights=[{"id": "1", "ad_id": "1"}], insight=[{"id": "1", "date_start": "2026-07-01"}])
    google = platforms[1](ads=[{"id": "1"}], campaigns=[{"id": "1"}])
    lines = Source("ad_spend", tmp_path / "ads.csv", "ads", {"platform": "bing"})
    with pytest.raises(SourceError) as caught:
        judged(facebook, google, lines)
    assert str(caught.value).splitlines() == [
        "The tables of source 'facebook_ads' (facebook) do not fit: the table 'facebook_ads.insights' lacks "
        "'date_start', 'spend'; it has 'id', 'ad_id'. the table 'facebook_ads.insight' lacks 'ad_id', 'spend'; it has "
        "'id', 'date_start'. Correct 'schema' or 'platform' of this source in shop.toml.",
        "The tables of source 'google_ads' (google) do not fit: the schema 'google_ads' has no table of spend, which "
        "is one of 'campaign_performance_reports', 'campaign_performance_report', 'ad_performance_reports', "
        "'ad_performance_report'; it has 'ads', 'campaigns'. Correct 'schema' or 'platform' of this source in "
        "shop.toml.",
        f"There is no file '{tmp_path / 'ads.csv'}' (source 'ads'). Correct 'path' in shop.toml: it counts from the "
        "folder of the shop.toml.",
    ]


def test_a_platform_without_tables_is_refused(facebook):
    source = facebook({"platform": "tiktok"}, insights=[insight()])
    with pytest.raises(SourceError) as caught:
        judged(source)
    assert str(caught.value) == (
        "'tiktok' (source 'facebook_ads') is no platform whose tables the kit reads. Set 'platform' in shop.toml to "
        "one of 'facebook', 'google', or give its spend as a file by 'path'."
    )


# Types of columns


@pytest.mark.parametrize(
    "spend",
    ["12.34", 12.34, Decimal("12.34"), Decimal("12.340000000"), "12,34", "$12.34"],
    ids=["text", "float", "decimal", "long decimal", "comma", "sign"],
)
def test_spend_is_in_major_units_of_any_type(facebook, spend):
    found = judged(facebook(insights=[insight(spend=spend)], ads=ADS, campaigns=CAMPAIGNS))
    assert days_of(found, "spend") == [(Decimal("12.34"),)]


@pytest.mark.parametrize("cost", [12_340_001, "12340001", 12_340_001.0, Decimal(12_340_001)], ids=str)
def test_cost_is_in_micros_of_any_type(google, cost):
    found = judged(google(campaign_performance_reports=[report(cost=cost)]))
    assert days_of(found, "spend") == [(Decimal("12.340001"),)]


@pytest.mark.parametrize(
    "day",
    [
        datetime(2026, 7, 1),
        at("2026-07-01"),
        date(2026, 7, 1),
        "2026-07-01",
        "2026-07-01T00:00:00Z",
        "2026-07-01 00:00:00+00",
    ],
    ids=["timestamp", "timestamp with zone", "date", "text", "ISO text", "timestamp as text"],
)
def test_days_of_any_type(facebook, day):
    row = insight() | {"date_start": day}
    assert days_of(judged(facebook(insights=[row], ads=ADS)), "date") == [(date(2026, 7, 1),)]


def test_ids_of_different_types_meet(facebook):
    ads = [{"id": 1, "account_id": 5150, "campaign_id": 77}]
    campaigns = [{"id": "77", "account_id": "act_5150", "name": "Summer"}]
    found = judged(facebook(insights=[insight("1")], ads=ads, campaigns=campaigns))
    assert days_of(found, "account_id", "campaign_id", "campaign_name") == [("5150", "77", "Summer")]


def test_unreadable_rows_are_set_apart_and_all_rows_accounted_for(facebook):
    rows = [insight("1"), insight("1", received="2026-07-04"), insight("2", spend="much"), insight("2", spend=None)]
    rows += [insight("2") | {"date_start": None}]
    found = judged(facebook(insights=rows, ads=ADS, campaigns=CAMPAIGNS))
    assert accounts(found) == {
        ("kept", None): 1,
        ("duplicate", "restated by a later row"): 1,
        ("quarantined", "no readable spend"): 2,
        ("quarantined", "no readable day"): 1,
    }


def test_rows_without_any_id_are_each_their_own(facebook):
    rows = [insight(spend=spend) | {"id": None, "ad_id": None} for spend in ("1.00", "2.00")]
    found = judged(facebook(insights=[insight(), *rows], ads=ADS, campaigns=CAMPAIGNS))
    assert days_of(found, "campaign_id", "spend") == [("c1", Decimal("1.00")), (None, Decimal("3.00"))]


# Google's two reports


def ad_row(ad="g1::11", day="2026-07-01", cost=1_000_000, **more):
    return {
        "id": f"{ad}-{day}",
        "ad_id": ad,
        "ad_group_id": "g1",
        "adwords_customer_id": "731",
        "account_currency_code": "USD",
        "date_start": day,
        "cost": cost,
        "received_at": at("2026-07-02"),
    } | more


def test_campaign_and_ad_report_are_never_added(google):
    source = google(campaign_performance_reports=[report(cost=5_000_000)], ad_performance_reports=[ad_row()])
    found = judged(source)
    assert days_of(found, "campaign_id", "currency", "spend") == [("7", "USD", Decimal("5.00"))]
    assert accounts(found) == {("kept", None): 1}


def test_the_ad_report_tells_days_and_accounts_that_the_campaign_report_lacks(google):
    source = google(
        campaign_performance_reports=[
            report(cost=5_000_000, adwords_customer_id="73-1", date_start="2026-07-01T00:00:00Z"),
            report(day="2026-07-05", adwords_customer_id=None),
        ],
        ad_performance_reports=[
            ad_row(),
            ad_row("g1::12"),
            ad_row(day="2026-07-02", cost=2_000_000),
            ad_row(day="2026-07-02", cost=3_000_000, received_at=at("2026-07-04")),
            ad_row("g1::13", day="2026-07-02", cost=500_000),
            ad_row("g1::14", adwords_customer_id="900", cost=7_000_000),
            ad_row("g1::15", adwords_customer_id=None),
            ad_row("g1::16", day="2026-07-05", adwords_customer_id="900"),
        ],
        ad_groups=[{"id": "g1", "campaign_id": "7"}],
    )
    found = judged(source)
    assert days_of(found, "date", "account_id", "campaign_id", "spend") == [
        (date(2026, 7, 1), "73-1", "7", Decimal("5.00")),
        (date(2026, 7, 1), "900", "7", Decimal("7.00")),
        (date(2026, 7, 2), "731", "7", Decimal("3.50")),
        (date(2026, 7, 5), None, "7", Decimal("1.00")),
    ]
    assert accounts(found) == {("kept", None): 5, ("duplicate", "restated by a later row"): 1}


def test_an_ad_report_without_its_columns_of_spend_only_lends_the_currency(google):
    row = {"id": "a", "adwords_customer_id": "731", "account_currency_code": "USD"}
    found = judged(google(campaign_performance_reports=[report()], ad_performance_reports=[row]))
    assert days_of(found, "currency", "spend") == [("USD", Decimal("1.00"))]


def test_the_ad_report_alone_finds_its_campaigns_through_groups_and_ads(google):
    rows = [
        ad_row("g1::11", cost=1_500_000),
        ad_row("x::11", cost=250_000, ad_group_id="g2"),
        ad_row("33", cost=125_000, ad_group_id=None),
        ad_row("44", cost=4, ad_group_id="unknown"),
    ]
    groups = [{"id": "g1", "campaign_id": "7"}, {"id": "g2", "campaign_id": "8"}]
    source = google(
        ad_performance_report=rows,
        ad_group=groups,
        ads=[{"id": "x::33", "ad_group_id": "g2"}],
        campaign=[{"id": "7", "name": "Brand"}, {"id": "8", "name": "Tea"}],
    )
    assert days_of(judged(source), "campaign_id", "campaign_name", "currency", "spend") == [
        ("7", "Brand", "USD", Decimal("1.50")),
        ("8", "Tea", "USD", Decimal("0.375")),
        (None, None, "USD", Decimal("0.000004")),
    ]


def test_an_account_outside_the_ad_report_has_the_settings_currency(google):
    rows = [report(), report("8", adwords_customer_id="732"), report("9", adwords_customer_id="733")]
    source = google(
        {"currencies": {"731": "CHF", "732": "GBP"}},
        campaign_performance_reports=rows,
        ad_performance_reports=[ad_row()],
    )
    assert days_of(judged(source), "account_id", "currency") == [("731", "USD"), ("732", "GBP"), ("733", "EUR")]


def test_a_source_named_for_its_platform_needs_no_platform(google):
    source = google(campaign_performance_reports=[report()])
    named = Source("ad_spend", None, "google", {}, source.url, source.schemas)
    assert days_of(judged(named), "platform", "channel", "spend") == [("google", "Paid Search", Decimal("1.00"))]


def test_parts_of_a_cent_add_up_to_the_platforms_total(google):
    costs = [3_333 + 997 * number for number in range(400)]
    rows = [report(str(number % 7), f"2026-07-{number // 14 + 1:02}", cost, f"{number}") for number, cost in
            enumerate(costs)]  # fmt: skip
    rows = list({(row["campaign_id"], row["date_start"]): row for row in rows}.values())
    found = judged(google(campaign_performance_reports=rows))
    days = by_campaign(found.filter(_.outcome == "kept")).mutate(rate=ibis.literal(Decimal(1)))
    finished = finished_spend(days, currency="EUR")
    total = finished.spend.sum().to_pyarrow().as_py()
    assert round(total, 2) == round(Decimal(sum(row["cost"] for row in rows)) / 1_000_000, 2)
    to_the_cent = days.mutate(spend=in_shop_currency(_.spend, _.rate)).spend.sum().to_pyarrow().as_py()
    assert to_the_cent != round(total, 2)


# Several sources


def test_an_export_beside_the_tables_counts_once(facebook, tmp_path):
    tables = facebook(
        insights=[insight("1", spend="3.00"), insight("2", spend="4.00"), insight("1", "2026-07-02", "5.00")],
        ads=ADS,
        campaigns=CAMPAIGNS,
    )
    file = tmp_path / "ads.csv"
    file.write_text(
        "date,account_id,campaign_id,campaign_name,spend\n2026-06-30,act_5150,c1,Summer,2.00\n"
        "2026-07-01,act_5150,c1,Summer,6.90\n2026-07-01,act_5150,c2,Winter,1.00\n"
    )
    lines = Source("ad_spend", file, "old", {"platform": "facebook"})
    rows = judged(lines, tables)
    assert days_of(rows, "date", "campaign_id", "spend") == [
        (date(2026, 6, 30), "c1", Decimal("2.00")),
        (date(2026, 7, 1), "c1", Decimal("7.00")),
        (date(2026, 7, 1), "c2", Decimal("1.00")),
        (date(2026, 7, 2), "c1", Decimal("5.00")),
    ]
    assert accounts(rows)["duplicate", "restated by a later source"] == 1
    other_way = judged(tables, lines)
    assert accounts(other_way)["duplicate", "restated by a later source"] == 2
    assert (date(2026, 7, 1), "c1", Decimal("6.90")) in days_of(other_way, "date", "campaign_id", "spend")


def test_unknown_ads_of_two_schemas_do_not_restate_each_other(facebook):
    source = facebook(insights=[insight("9", spend="3.00")])
    other = facebook(insights=[insight("9", spend="3.00")])
    assert days_of(judged(source, other), "spend") == [(Decimal("3.00"),)]
    con_source = facebook(insights=[insight("9", spend="3.00"), insight("8", spend="4.00")])
    assert days_of(judged(con_source), "spend") == [(Decimal("7.00"),)]


# Other engines, and a whole shop


@pytest.mark.parametrize("dialect", ["duckdb", "postgres", "bigquery"])
@pytest.mark.parametrize("reports", ["facebook", "campaign_report", "ad_report"])
def test_queries_compile_and_give_text(dialect, reports):
    instants = {"loaded_at": "timestamp('UTC')", "received_at": "timestamp"}
    texts = ("id", "ad_id", "ad_group_id", "account_id", "adwords_customer_id", "campaign_id", "name", "spend")
    columns = dict.fromkeys(texts, "string") | {"date_start": "timestamp", "cost": "int64"} | instants

    def tables(*names):
        return [ibis.table(columns | {"account_currency_code": "string"}, name=name, database="ads") for name in names]

    collections = {
        "insights": tables("insights", "insight"),
        "campaign_report": tables("campaign_performance_reports") if reports == "campaign_report" else [],
        "ad_report": tables("ad_performance_reports", "ad_performance_report"),
        "ads": tables("ads"),
        "ad_groups": tables("ad_groups"),
        "campaigns": tables("campaigns"),
    }
    query = spend_rows(collections, "facebook" if reports == "facebook" else "google")
    assert tuple(query.columns) == COLUMNS
    assert all(kind.is_string() for kind in query.schema().types)
    text = ibis.to_sql(query, dialect=dialect)
    assert ("insights" in text) == (reports == "facebook")


def test_a_shop_of_tables_accounts_for_every_row(make_shop, tmp_path):
    con = ibis.duckdb.connect(str(tmp_path / "warehouse.duckdb"))
    con.create_database("facebook_ads")
    rows = [insight("1", spend="1.00"), insight("1", spend="2.00", received="2026-07-04"), insight("9", spend="0.50")]
    rows += [insight("2", spend="?")]
    for name, content in {"insights": rows, "ads": ADS, "campaigns": CAMPAIGNS}.items():
        con.create_table(name, pa.Table.from_pylist(content), database="facebook_ads")
    con.disconnect()
    toml = (
        '[shop]\nname = "Test shop"\ntime_zone = "UTC"\ncurrency = "EUR"\n'
        '[[source]]\nkind = "segment_files"\npath = "calls.ndjson"\n'
        '[[source]]\nkind = "ad_spend"\nplatform = "facebook"\nurl = "../warehouse.duckdb"\nschema = "facebook_ads"\n'
        'currencies = {5150 = "USD"}\n[money]\nrates = "rates.csv"\n'
    )
    rates = "date,currency,rate\n2026-07-01,USD,0.9001\n"
    call = '{"type": "page", "messageId": "1", "anonymousId": "a", "timestamp": "2026-07-01T10:00:00Z"}'
    shop = open_shop(make_shop(call, toml=toml, files={"rates.csv": rates}))
    found = shop.ad_spend.order_by("spend").to_pyarrow().to_pylist()
    assert [(row["campaign_id"], row["spend"], row["currency"], row["channel"]) for row in found] == [
        (None, Decimal("0.4501"), "EUR", "Paid Social"),
        ("c1", Decimal("1.8002"), "EUR", "Paid Social"),
    ]
    [step] = shop.build_log.filter(_.step == "read ad spend").to_pyarrow().to_pylist()
    assert [step[name] for name in ("rows_in", "rows_out", "duplicates", "rows_quarantined", "rows_corrected")] == [
        4, 2, 1, 1, 1,
    ]  # fmt: skip
    reasons = shop.row_reasons.filter(_.step == "read ad spend").order_by("reason").to_pyarrow().to_pylist()
    assert [(row["outcome"], row["reason"], row["rows"]) for row in reasons] == [
        ("corrected", "its campaign is not in the tables", 1),
        ("quarantined", "no readable spend", 1),
        ("duplicate", "restated by a later row", 1),
    ]
    [bad] = shop.quarantine.to_pyarrow().to_pylist()
    assert (bad["source_file"], bad["line_number"], bad["reason"]) == (
        "facebook_ads.insights", None, "no readable spend",
    )  # fmt: skip


def test_the_fixtures_files_are_what_the_simulator_reads():
    with (FIXTURE / "ads" / "facebook.csv").open(encoding="utf-8", newline="") as file:
        assert ",".join(next(csv.reader(file))) == SPEND_FILE.strip()
