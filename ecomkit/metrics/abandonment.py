"""Where visits leave their cart or their checkout behind."""

from collections.abc import Sequence
from typing import Literal

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.engines import whole_numbers
from ecomkit.errors import UsageError, quoted
from ecomkit.metrics.grains import Grain, grouped
from ecomkit.metrics.ratio import flag, ratio_sums, share
from ecomkit.metrics.visit_rows import visit_rows
from ecomkit.schemas import EVENTS, SESSIONS, require

# What a visit shows on its way from the cart on, each step with the events that tell of it.
STEPS: dict[str, tuple[str, ...]] = {
    "Product Added": ("Product Added", "Wishlist Product Added to Cart"),
    "Cart Viewed": ("Cart Viewed",),
    "Checkout Started": ("Checkout Started",),
    "Checkout Step Viewed": ("Checkout Step Viewed",),
    "Checkout Step Completed": ("Checkout Step Completed",),
    "Payment Info Entered": ("Payment Info Entered",),
}
_NAMES = list(STEPS)
# The stage -> the first step that belongs to it.
STAGES = {"cart": "Product Added", "checkout": "Checkout Started"}


def abandonment_by_step(sessions: ir.Table, events: ir.Table) -> ir.Table:
    """Count the sessions with a cart by the last step they showed before they left without an order.

    The unit is the session. It enters with any step from the first product put
    into the cart on, and has reached every step before its deepest one, shown or
    not, so that a step which a shop does not track loses nobody. A session with
    an order, wherever that was tracked, has reached them all and left at none;
    an order in a later session does not count here. The calls do not say which
    of several pages of the checkout was viewed or completed: these are one step
    each.

    Parameters
    ----------
    sessions
        The sessions that count (schema `SESSIONS`), of one period say.
    events
        The shop's events (schema `EVENTS`), cut or not.

    Returns
    -------
    Table
        One row per step, in order: `step_number` (from 1), `step`, `sessions`
        that reached it, `sessions_seen` (those that showed it themselves),
        `sessions_left` (it was their last, and no order came),
        `sessions_with_order` (the same on each row), `people`,
        `abandonment_rate` (left / reached, 0 to 1, null where nobody reached
        it), and the sums of `cluster_sums` with the person as cluster.
    """
    require(sessions, SESSIONS)
    require(events, EVENTS)
    shown = _shown(events)
    visits = visit_rows(sessions).join(shown, "session_id")
    numbers = whole_numbers(len(STEPS)).select(step_number=_.number + 1)
    wide = visits.cross_join(numbers)
    left = (wide.has_order == 0) & (wide.deepest == wide.step_number)
    reached = (wide.has_order == 1) | (wide.deepest >= wide.step_number)
    seen = ibis.cases(*((wide.step_number == number, wide[f"shows_{number}"]) for number in range(1, len(STEPS) + 1)))
    totals = (
        wide.mutate(left=flag(left), reached=flag(reached), seen=seen)
        .group_by("step_number", "cluster")
        .aggregate(left=_.left.sum(), reached=_.reached.sum(), seen=_.seen.sum(), orders=_.has_order.sum())
    )
    counted = totals.aggregate(
        by=["step_number"],
        sessions=totals.reached.sum(),
        sessions_seen=totals.seen.sum(),
        sessions_left=totals.left.sum(),
        sessions_with_order=totals.orders.sum(),
        people=totals.count(where=totals.reached > 0),
        abandonment_rate=share(totals.left.sum(), totals.reached.sum()),
        **ratio_sums(totals, "left", "reached"),
    )
    counts = [name for name in counted.columns if name not in ("step_number", "abandonment_rate")]
    rows = numbers.left_join(counted, "step_number").drop("step_number_right")
    names = ibis.cases(*((rows.step_number == number, name) for number, name in enumerate(_NAMES, start=1)))
    return rows.select(
        "step_number",
        step=names,
        **{name: rows[name].coalesce(0) for name in counts[:5]},
        abandonment_rate=rows.abandonment_rate,
        **{name: rows[name].coalesce(0) for name in counts[5:]},
    ).order_by("step_number")


def abandonment(
    sessions: ir.Table,
    events: ir.Table,
    *,
    stage: Literal["cart", "checkout"] = "cart",
    by: str | Sequence[str] | None = None,
    grain: Grain | None = None,
    zone: str | None = None,
    weekdays: int = 7,
) -> ir.Table:
    """Share of the sessions with a cart, or with a checkout begun, that ended without an order.

    A session has a cart when it shows any step from the first product put into
    the cart on, and a checkout when it shows any step from its start on. What is
    abandoned here may be bought in a later session: this counts visits, not
    people who never came back.

    Parameters
    ----------
    sessions
        The sessions that count (schema `SESSIONS`), of one period say.
    events
        The shop's events (schema `EVENTS`), cut or not.
    stage
        `cart` or `checkout`.
    by
        A column of `sessions`, or several.
    grain, zone
        `day`, `week` or `month` of the session's start, and the shop's time
        zone, for a row per span.
    weekdays
        How many local days of each week count, Monday first; read with `grain`.

    Returns
    -------
    Table
        One row per `by` and `grain`, in order: `sessions` that came so far,
        `sessions_left` (those without an order), `people`, `abandonment_rate`
        (left / came so far, 0 to 1, null without sessions), and the sums of
        `cluster_sums` with the person as cluster.
    """
    require(sessions, SESSIONS)
    require(events, EVENTS)
    if stage not in STAGES:
        raise UsageError(f"'{stage}' is not a stage that can be abandoned. Choose one of {quoted(STAGES)}.")
    spans, keys = grouped(sessions, "started_at", by, zone, grain, weekdays)
    shown = _shown(events).filter(_.deepest >= _NAMES.index(STAGES[stage]) + 1)
    visits = visit_rows(spans, *keys).join(shown, "session_id")
    totals = visits.group_by(*keys, "cluster").aggregate(
        sessions=_.count(), sessions_left=_.count() - _.has_order.sum()
    )
    rows = totals.aggregate(
        by=keys,
        sessions=totals.sessions.sum().coalesce(0),
        sessions_left=totals.sessions_left.sum().coalesce(0),
        people=totals.count(),
        abandonment_rate=share(totals.sessions_left.sum(), totals.sessions.sum()),
        **ratio_sums(totals, "sessions_left", "sessions"),
    )
    return rows.order_by(keys) if keys else rows


def _shown(events: ir.Table) -> ir.Table:
    """Return a row per session with a cart: `session_id`, its `deepest` step and `shows_<n>` (0 or 1) per step."""
    numbers = [(name, number) for number, names in enumerate(STEPS.values(), start=1) for name in names]
    told = events.filter(_.session_id.notnull(), _.event_name.isin([name for name, _number in numbers])).select(
        "session_id", step_number=_.event_name.cases(*numbers).cast("int64")
    )
    shows = {f"shows_{number}": flag(told.step_number == number).max() for number in range(1, len(STEPS) + 1)}
    return told.group_by("session_id").aggregate(deepest=told.step_number.max(), **shows)
