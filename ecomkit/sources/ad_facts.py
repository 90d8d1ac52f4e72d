"""One query of ad spend from the object tables of a platform: reports joined to ads, campaigns and accounts."""

from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.segment_names import ARRIVALS

# What a query of spend gives, all as text. `fact` names what a row states of its day: of two rows
# with one fact the later `version` counts. Google's spend is in micros.
COLUMNS = (
    "source_file", "row_key", "fact", "version", "date", "account_id", "campaign_id", "campaign_name", "spend",
    "currency", "impressions", "clicks", "conversions", "remark",
)  # fmt: skip

# Columns that a shop may have asked Segment to break its reports down by: each part is spend of its own.
_BREAKDOWNS = (
    "age", "gender", "country", "region", "dma", "device_platform", "publisher_platform", "platform_position",
    "impression_device", "placement", "device", "ad_network_type", "click_type",
)  # fmt: skip
# What a row of a report says, in a form that both of Google's reports have.
_SAID = (
    "source_file", "row_key", "fact", "version", "date", "account_id", "campaign_id", "spend", "currency",
    "impressions", "clicks", "conversions",
)  # fmt: skip
# What each platform's tables call the account.
_OWNERS = {"facebook": "account_id", "google": "adwords_customer_id"}

# Collection -> its tables, several where a shop has it under several names.
Tables = Mapping[str, Sequence[ir.Table]]


def spend_rows(tables: Tables, platform: str) -> ir.Table:
    """Return the query of `COLUMNS` over the tables of one schema, by collection.

    Google's campaign report and ad report state the same money: the ad report
    counts only for days of an account that the campaign report does not tell.
    """
    owner = _OWNERS[platform]
    if platform == "facebook":
        rows = _facebook_rows(tables)
    elif tables["campaign_report"]:
        rows = _google_rows(tables)
    else:
        rows = _ad_report_rows(tables)
    named = _with_object(rows, "campaign_id", tables["campaigns"], of_owner=owner, campaign_name="name")
    remark = ibis.cases(
        (named.campaign_id.isnull(), "its campaign is not in the tables"),
        (named.campaign_name.isnull(), "the name of its campaign is not in the tables"),
        else_=ibis.null(str),
    )
    # An account's id carries a prefix in some tables and none in others.
    account = ibis.coalesce(named.account_id, named.of_owner).re_replace("^act_", "")
    return named.mutate(account_id=account, remark=remark).select(*COLUMNS)


def _facebook_rows(tables: Tables) -> ir.Table:
    facts = _facts(tables["insights"], "ad_id", account=_OWNERS["facebook"], spend="spend")
    rows = _with_object(facts, "object_id", tables["ads"], of_account="account_id", of_campaign="campaign_id")
    return rows.mutate(
        account_id=ibis.coalesce(_.account_id, _.of_account), campaign_id=ibis.coalesce(_.campaign_id, _.of_campaign)
    )


def _google_rows(tables: Tables) -> ir.Table:
    rows = _campaign_report_rows(tables)
    readable = [table for table in tables["ad_report"] if {"ad_id", "date_start", "cost"} <= set(table.columns)]
    if not readable:
        return rows
    ads = _untold(_ad_report_rows({**tables, "ad_report": readable}), rows)
    return ibis.union(rows.select(*_SAID), ads.select(*_SAID))


def _untold(ads: ir.Table, campaigns: ir.Table) -> ir.Table:
    """Return the rows of the ad report for days of an account that the campaign report does not tell.

    Where either does not say the account, the day is told: money missed can be
    looked for, money counted twice cannot be seen.
    """
    told = campaigns.select(told_day=_day(campaigns), teller=_plain_account(campaigns)).distinct()
    keys = ibis.union(
        told.select(told_key=_.told_day.concat("|", _.teller.fill_null(""))),
        told.select(told_key=_.told_day.concat("|")),
    ).distinct()
    keyed = ads.mutate(key=_day(ads).concat("|", _plain_account(ads).fill_null("")))
    rows = keyed.anti_join(keys, keyed.key == keys.told_key)
    unowned = told.filter(_.teller.isnull()).select("told_day")
    return rows.anti_join(unowned, _day(rows) == unowned.told_day)


def _day(rows: ir.Table) -> ir.StringValue:
    return rows.date.strip().left(10)


def _plain_account(rows: ir.Table) -> ir.StringValue:
    # One report has dashes in it, another none.
    return rows.account_id.replace("-", "")


def _campaign_report_rows(tables: Tables) -> ir.Table:
    rows = _facts(tables["campaign_report"], "campaign_id", account=_OWNERS["google"], spend="cost")
    currencies = [_report_currencies(table) for table in tables["ad_report"] if _tells_currency(table)]
    if not currencies:
        return rows
    # The campaign report has no currency: the ad report lends its own, and nothing else.
    told = _stacked(currencies).group_by("teller").agg(told=_.told.max())
    return rows.left_join(told, rows.account_id == told.teller).mutate(currency=ibis.coalesce(_.currency, _.told))


def _tells_currency(table: ir.Table) -> bool:
    return {"adwords_customer_id", "account_currency_code"} <= set(table.columns)


def _report_currencies(table: ir.Table) -> ir.Table:
    return table.select(teller=_text(table, "adwords_customer_id"), told=_text(table, "account_currency_code"))


def _ad_report_rows(tables: Tables) -> ir.Table:
    facts = _facts(tables["ad_report"], "ad_id", account=_OWNERS["google"], spend="cost", parent="ad_group_id")
    ads = _with_object(facts, "object_id", tables["ads"], of_group="ad_group_id")
    grouped = ads.mutate(ad_group_id=ibis.coalesce(_.parent_id, _.of_group))
    rows = _with_object(grouped, "ad_group_id", tables["ad_groups"], of_campaign="campaign_id")
    return rows.mutate(campaign_id=ibis.coalesce(_.campaign_id, _.of_campaign))


def _facts(tables: Sequence[ir.Table], key: str, *, account: str, spend: str, parent: str = "") -> ir.Table:
    """Return the rows of spend as sent: what the `key` names, its day, and its money.

    An ad's id is its own within its `parent` alone.
    """
    return _stacked([_facts_of(table, key, account, spend, parent) for table in tables])


def _facts_of(table: ir.Table, key: str, account: str, spend: str, parent: str) -> ir.Table:
    day = table.date_start
    object_id, parent_id, row_key = _id(table, key), _id(table, parent), _text(table, "id")
    parts = [_text(table, name).fill_null("") for name in _BREAKDOWNS if name in table.columns]
    stated = ibis.literal("|").join([parent_id.fill_null(""), object_id.fill_null(""), *parts])
    return table.select(
        source_file=ibis.literal(table.get_name()),
        row_key=row_key,
        fact=ibis.ifelse(object_id.isnull(), ibis.literal("row ").concat(row_key), stated),
        version=_arrival(table).cast(str),
        date=day if day.type().is_string() else day.cast("date").cast(str),
        object_id=object_id,
        parent_id=parent_id,
        account_id=_text(table, account),
        campaign_id=_text(table, "campaign_id"),
        spend=_text(table, spend),
        currency=_text(table, "account_currency_code", "account_currency"),
        impressions=_text(table, "impressions"),
        clicks=_text(table, "clicks"),
        conversions=_text(table, "conversions"),
    )


def _with_object(rows: ir.Table, key: str, tables: Sequence[ir.Table], **columns: str) -> ir.Table:
    """Give rows columns of the object that their `key` names, as its newest version has them; null without one."""
    if not tables:
        return rows.mutate(**{name: ibis.null(str) for name in columns})
    versions = _stacked(
        [
            table.select(
                known_id=_id(table, "id"),
                arrived_at=_arrival(table),
                **{name: _text(table, column) for name, column in columns.items()},
            )
            for table in tables
        ]
    )
    # Versions that arrived together are told apart by what they say, so that chance decides nothing.
    latest = [_.arrived_at.desc(nulls_first=False), *(_[name].desc(nulls_first=False) for name in columns)]
    place = ibis.row_number().over(ibis.window(group_by="known_id", order_by=latest))
    newest = versions.filter(_.known_id.notnull()).mutate(place=place).filter(_.place == 0)
    known = newest.select("known_id", *columns)
    return rows.left_join(known, rows[key] == known.known_id).drop("known_id")


def _stacked(tables: Sequence[ir.Table]) -> ir.Table:
    return ibis.union(*tables) if len(tables) > 1 else tables[0]


def _text(table: ir.Table, *names: str) -> ir.StringValue:
    found = [table[name].cast(str).nullif("") for name in names if name in table.columns]
    return ibis.coalesce(*found) if found else ibis.null(str)


def _id(table: ir.Table, name: str) -> ir.StringValue:
    # An ad's id may stand behind its parent's: `123::456`.
    return _text(table, name).re_replace("^.*::", "")


def _arrival(table: ir.Table) -> ir.TimestampValue:
    found = [table[name].cast("timestamp('UTC')") for name in ARRIVALS if name in table.columns]
    return ibis.coalesce(*found) if found else ibis.null("timestamp('UTC')")
