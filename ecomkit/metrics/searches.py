"""What visits search for on the site, and what comes of it."""

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.metrics.ratio import flag, ratio_sums, share
from ecomkit.metrics.visit_rows import visit_rates, visit_rows
from ecomkit.schemas import EVENTS, SESSIONS, require

SEARCHED = "Products Searched"
_LOOKS = (
    "Product Clicked", "Product Viewed", "Product Added", "Product Added to Wishlist", "Wishlist Product Added to Cart",
)  # fmt: skip


def searches(sessions: ir.Table, events: ir.Table) -> ir.Table:
    """Count the searches for each query, how many led to no product, and the sessions with it that ordered.

    Segment's calls do not say how many results a search had. A dead end is what
    can be seen of it: after the search the session searched again, or ended,
    before it clicked, viewed or added a product. Capitals and spaces at the
    ends do not make another query. Searches outside the sessions given, and
    those without a query, do not count.

    Parameters
    ----------
    sessions
        The sessions that count (schema `SESSIONS`), of one period say.
    events
        The shop's events (schema `EVENTS`), not cut within a session.

    Returns
    -------
    Table
        One row per query, the most frequent first: `query`, `searches`,
        `dead_ends`, `dead_end_rate` (dead ends / searches), `sessions` with the
        query, `sessions_with_order`, `people`, `visit_to_order_rate`; both
        rates 0 to 1, each with the sums of `cluster_sums`, prefixed with the
        rate's name and with the person as cluster.
    """
    require(sessions, SESSIONS)
    require(events, EVENTS)
    visits = visit_rows(sessions)
    query = _.query.strip().lower().nullif("")
    told = (
        events.filter(_.session_id.notnull(), _.event_name.isin([SEARCHED, *_LOOKS]))
        .mutate(query=ibis.ifelse(_.event_name == SEARCHED, query, ibis.null(str)))
        .filter((_.event_name != SEARCHED) | _.query.notnull())
        .select("session_id", "event_name", "query", "occurred_at", "message_id")
        .join(visits, "session_id")
    )
    # Where a search and a product have one instant, the product came of the search.
    following = ibis.window(
        group_by="session_id", order_by=[_.occurred_at, flag(_.event_name != SEARCHED), _.message_id]
    )
    found = told.mutate(then=_.event_name.lead().over(following)).filter(_.event_name == SEARCHED)
    found = found.mutate(dead_end=flag(found.then.isnull() | (found.then == SEARCHED)))
    of_people = found.group_by("query", "cluster").aggregate(searches=_.count(), dead_ends=_.dead_end.sum())
    asked = of_people.aggregate(
        by=["query"],
        searches=of_people.searches.sum(),
        dead_ends=of_people.dead_ends.sum(),
        dead_end_rate=share(of_people.dead_ends.sum(), of_people.searches.sum()),
        **ratio_sums(of_people, "dead_ends", "searches", prefix="dead_end_rate_"),
    )
    once = found.group_by("query", "session_id").aggregate(cluster=_.cluster.min(), has_order=_.has_order.max())
    ordered = visit_rates(once, ("query",), prefix="visit_to_order_rate_")
    return asked.join(ordered, "query").order_by(ibis.desc("searches"), "query")
