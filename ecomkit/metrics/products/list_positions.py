"""Whether the place in a list goes with being opened."""

from datetime import datetime

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.column_types import INSTANT
from ecomkit.metrics.products.grouping import CLICKED, LISTED, VIEWED, product_key
from ecomkit.metrics.ratio import flag, ratio_sums, share
from ecomkit.periods import Period
from ecomkit.schemas import PRODUCT_EVENTS, require


def list_positions(product_events: ir.Table, *, period: Period, as_of: datetime) -> ir.Table:
    """Share of listed products that were opened, per place in the list.

    A listing is one product in one Product List Viewed, in a known session. It
    is opened when the session clicks the product, at that instant or later, before
    it is listed there again. Where no Product Clicked came in the period, a
    Product Viewed stands for it, and `opened_by` says so. An association: what
    stands on top is often what sells best anyway.

    Parameters
    ----------
    product_events
        The shop's product events (schema `PRODUCT_EVENTS`).
    period
        The days in which lists were viewed and products opened.
    as_of
        The instant at which the data ends, exclusive.

    Returns
    -------
    Table
        One row per `position`, in order: `listings`, `listings_opened`,
        `sessions`, `opened_rate` (0 to 1), `opened_by` (`Product Clicked` or
        `Product Viewed`), and the sums of `cluster_sums` with the person as
        cluster.
    """
    require(product_events, PRODUCT_EVENTS)
    told = product_events.filter(
        _.event_name.isin((LISTED, CLICKED, VIEWED)),
        _.session_id.notnull(),
        period.holds(product_events.occurred_at),
        _.occurred_at < as_of,
    ).select(
        "session_id",
        "event_name",
        "position",
        product=product_key(product_events),
        cluster=ibis.coalesce("p:" + _.person_id, "s:" + _.session_id),
        at=_.occurred_at.cast(INSTANT),
    )
    told = told.mutate(clicks=flag(told.event_name == CLICKED).sum().over(ibis.window()))
    opener = (told.clicks > 0).ifelse(ibis.literal(CLICKED), ibis.literal(VIEWED))
    is_listing = flag((told.event_name == LISTED) & told.position.notnull())
    steps = told.mutate(opened_by=opener, is_listing=is_listing).filter(
        told.product.notnull(), (is_listing == 1) | (told.event_name == opener)
    )
    in_order = ibis.window(
        group_by=["session_id", "product"], order_by=[steps.at, steps.is_listing.desc(), steps.position]
    )
    steps = steps.mutate(next_is_listing=steps.is_listing.lead().over(in_order))
    listed = steps.filter(_.is_listing == 1).mutate(opened=flag(_.next_is_listing == 0))
    totals = listed.group_by("position", "opened_by", "cluster").aggregate(
        listings=_.count(), listings_opened=_.opened.sum(), sessions=_.session_id.nunique()
    )
    return (
        totals.group_by("position", "opened_by")
        .aggregate(
            listings=totals.listings.sum(),
            listings_opened=totals.listings_opened.sum(),
            sessions=totals.sessions.sum(),
            opened_rate=share(totals.listings_opened.sum(), totals.listings.sum()),
            **ratio_sums(totals, "listings_opened", "listings"),
        )
        .relocate("position", "listings", "listings_opened", "sessions", "opened_rate", "opened_by")
        .order_by("position")
    )
