"""Ad spend: each day and campaign once, in the shop's currency."""

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.pipeline.money import in_shop_currency
from ecomkit.schemas import AD_SPEND


def judged_spend(rows: ir.Table) -> ir.Table:
    """Give every row its `outcome` and `reason`: a later line for the same day and campaign restates the earlier.

    A campaign without an id goes by its name.
    """
    named = rows.mutate(campaign=ibis.coalesce(_.campaign_id, _.campaign_name))
    same = ibis.window(group_by=["problem", "date", "platform", "account_id", "campaign"], order_by=_.row_id.desc())
    ranked = named.mutate(place=ibis.row_number().over(same)).drop("campaign")
    return ranked.mutate(
        outcome=ibis.cases((_.problem.notnull(), "quarantined"), (_.place > 0, "duplicate"), else_="kept"),
        reason=ibis.cases((_.problem.notnull(), _.problem), (_.place > 0, "restated by a later line"), else_=None),
    )


def finished_spend(rated: ir.Table, *, currency: str) -> ir.Table:
    """Return the canonical table `ad_spend`, from rows that have their rate."""
    spend = rated.mutate(spend=in_shop_currency(_.spend, _.rate), currency=ibis.literal(currency))
    return spend.select(*AD_SPEND.names).cast(AD_SPEND).order_by("date", "platform", "account_id", "campaign_id")
