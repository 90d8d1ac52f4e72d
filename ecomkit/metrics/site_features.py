"""Whether visits that use something on the site end in an order more often than those that do not."""

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.engines import whole_numbers
from ecomkit.metrics.ratio import flag, ratio_sums, share
from ecomkit.metrics.visit_rows import visit_rows
from ecomkit.schemas import EVENTS, SESSIONS, require

# What can be used, with the events that tell of it.
FEATURES: dict[str, tuple[str, ...]] = {
    "search": ("Products Searched",),
    "list filtered": ("Product List Filtered",),
    "click in a list": ("Product Clicked",),
    "promotion viewed": ("Promotion Viewed",),
    "promotion clicked": ("Promotion Clicked",),
    "wishlist": ("Product Added to Wishlist", "Wishlist Product Added to Cart"),
    "coupon applied": ("Coupon Applied",),
    "coupon denied": ("Coupon Denied",),
}


def feature_use(sessions: ir.Table, events: ir.Table) -> ir.Table:
    """Visit-to-order rate of the sessions that used a feature of the site, and of those that did not.

    Whoever uses a feature differs from who does not: the two rates tell that
    they go together, and not that one makes the other. A visit of one page can
    use little; ask with sessions of several pages to compare like with like. The
    order may lie before the use. A feature that is not tracked has no sessions.

    Parameters
    ----------
    sessions
        The sessions that count (schema `SESSIONS`), of one period say.
    events
        The shop's events (schema `EVENTS`), cut or not.

    Returns
    -------
    Table
        Two rows per feature, in the order of `FEATURES`, used first:
        `feature_number` (from 1), `feature`, `is_used`, `sessions`,
        `sessions_with_order`, `people`, `visit_to_order_rate` (0 to 1, null
        without sessions), and the sums of `cluster_sums` with the person as
        cluster.
    """
    require(sessions, SESSIONS)
    require(events, EVENTS)
    count = len(FEATURES)
    numbers = [(name, number) for number, names in enumerate(FEATURES.values(), start=1) for name in names]
    told = events.filter(_.session_id.notnull(), _.event_name.isin([name for name, _number in numbers])).select(
        "session_id", number=_.event_name.cases(*numbers).cast("int64")
    )
    uses = {f"uses_{number}": flag(told.number == number).max() for number in range(1, count + 1)}
    used = told.group_by("session_id").aggregate(**uses)
    visits = visit_rows(sessions).left_join(used, "session_id").drop("session_id_right")
    features = whole_numbers(count).select(feature_number=_.number + 1)
    wide = visits.cross_join(features)
    of_feature = ibis.cases(*((wide.feature_number == n, wide[f"uses_{n}"]) for n in range(1, count + 1)))
    totals = (
        wide.mutate(used=of_feature.coalesce(0).cast("int64"))
        .group_by("feature_number", "used", "cluster")
        .aggregate(sessions=_.count(), sessions_with_order=_.has_order.sum())
    )
    counted = totals.aggregate(
        by=["feature_number", "used"],
        sessions=totals.sessions.sum(),
        sessions_with_order=totals.sessions_with_order.sum(),
        people=totals.count(),
        visit_to_order_rate=share(totals.sessions_with_order.sum(), totals.sessions.sum()),
        **ratio_sums(totals, "sessions_with_order", "sessions"),
    )
    sides = features.cross_join(whole_numbers(2).select(used=_.number))
    rows = sides.left_join(counted, ["feature_number", "used"]).drop("feature_number_right", "used_right")
    names = ibis.cases(*((rows.feature_number == number, name) for number, name in enumerate(FEATURES, start=1)))
    counts = [name for name in counted.columns if name not in ("feature_number", "used", "visit_to_order_rate")]
    return rows.select(
        "feature_number",
        feature=names,
        is_used=rows.used == 1,
        **{name: rows[name].coalesce(0) for name in counts[:3]},
        visit_to_order_rate=rows.visit_to_order_rate,
        **{name: rows[name].coalesce(0) for name in counts[3:]},
    ).order_by("feature_number", ibis.desc("is_used"))
