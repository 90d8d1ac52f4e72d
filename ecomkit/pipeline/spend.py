"""Ad spend: each day and campaign once, in the shop's currency."""

from datetime import date

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.pipeline.build_log import NOT_YET_KNOWN
from ecomkit.pipeline.money import in_shop_currency
from ecomkit.schemas import AD_SPEND

_GRAIN = ("date", "platform", "account_id", "campaign_id", "campaign_name", "channel", "purpose", "currency")


def judged_spend(rows: ir.Table, *, known_before: date | None = None) -> ir.Table:
    """Give every row its `outcome` and `reason`: the last word on a fact counts, and of several sources the last.

    Within a source the newest version of a row restates the older ones, and a later
    line the earlier. A campaign's day that several sources tell is told by the last
    of them in shop.toml alone, so that an export beside the tables never counts twice. Days from
    `known_before` on are excluded.
    """
    known = rows.mutate(fact=ibis.coalesce(rows.fact, ibis.literal("line ").concat(rows.row_id.cast(str))))
    same = ibis.window(
        group_by=["problem", "source_number", "date", "fact"],
        order_by=[_.version.desc(nulls_first=False), _.row_id.desc()],
    )
    told = ibis.window(group_by=["problem", "date", "platform", "claim"])
    ranked = known.mutate(
        place=ibis.row_number().over(same),
        counted_key=_.row_key.first(include_null=True).over(same),
        last_source=_.source_number.max().over(told),
    )
    reason = ibis.cases(
        (_.problem.notnull(), _.problem),
        (_.source_number < _.last_source, "restated by a later source"),
        ((_.place > 0) & _.line_number.notnull(), "restated by a later line"),
        ((_.place > 0) & (_.row_key != _.counted_key), "restated by a later row of another id"),
        (_.place > 0, "restated by a later row"),
        else_=None,
    )
    judged = ranked.mutate(reason=reason).drop("place", "counted_key", "last_source")
    judged = judged.mutate(
        outcome=ibis.cases((_.problem.notnull(), "quarantined"), (_.reason.notnull(), "duplicate"), else_="kept")
    )
    if known_before is None:
        return judged
    later = (judged.date >= known_before).fill_null(False)
    return judged.mutate(
        outcome=ibis.ifelse(later, "excluded", judged.outcome), reason=ibis.ifelse(later, NOT_YET_KNOWN, judged.reason)
    )


def remarks(judged: ir.Table) -> ir.Table:
    """Return a row per kept row whose campaign the tables do not tell, with the `reason`; its spend counts."""
    return judged.filter(_.outcome == "kept", _.remark.notnull()).select("row_id", reason="remark")


def by_campaign(kept: ir.Table) -> ir.Table:
    """Add up each campaign's day: the rows of its ads, with all parts of a cent that they have."""
    return kept.group_by(*_GRAIN).agg(
        spend=_.spend.sum().cast("decimal(18, 6)"),
        impressions=_.impressions.sum(),
        clicks=_.clicks.sum(),
        platform_conversions=_.platform_conversions.sum(),
    )


def finished_spend(rated: ir.Table, *, currency: str) -> ir.Table:
    """Return the canonical table `ad_spend`, from campaigns' days that have their rate.

    Spend keeps four digits: rounded to the cent each day, a month's sum would not be the platform's.
    """
    spend = rated.mutate(spend=in_shop_currency(_.spend, _.rate, digits=4), currency=ibis.literal(currency))
    return spend.select(*AD_SPEND.names).cast(AD_SPEND).order_by("date", "platform", "account_id", "campaign_id")
