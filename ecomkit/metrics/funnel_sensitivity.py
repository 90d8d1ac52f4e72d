"""The same funnel under the other definitions: which choice moves it most."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.metrics.funnel import funnel
from ecomkit.metrics.funnel_rules import CHOICES, Entry, Order, read_rules
from ecomkit.metrics.funnel_steps import StepLiteral, columns_asked, steps_of_products
from ecomkit.periods import Period

AS_ASKED = "as asked"


def funnel_sensitivity(
    events: ir.Table,
    *,
    steps: Sequence[StepLiteral],
    window_days: float,
    period: Period,
    as_of: datetime,
    order: Order = "ordered",
    entry: Entry = "restart",
    product_events: ir.Table | None = None,
) -> ir.Table:
    """Count the same funnel under each other definition, one choice changed at a time.

    The choices are those of `funnel`: the order of the steps, what a start is,
    who is counted, half and twice the window; and with `product_events` that
    all steps tell of one product, where the first and the last step can and
    product events have the columns that steps ask for. That one leaves out
    the steps that tell of no product. Each row differs from the first in one
    choice, so their changes do not add up.

    Parameters
    ----------
    events, steps, window_days, period, as_of, order, entry
        As `funnel` takes them.
    product_events
        The shop's product events (schema `PRODUCT_EVENTS`), for the funnel of
        one product.

    Returns
    -------
    Table
        One row per definition: `choice` (`as asked`, then `order`, `entry`,
        `unit`, `window`, `same`), `definition` (what was chosen instead),
        `counted` (`people` or `sessions`), `started` and `finished` (how many
        of them are at the first and at the last step), `overall_rate` (of the
        last step, 0 to 1, null without anyone), `change` (of that rate against
        the row as asked), `moves_most` (1 on the one row that it moves most,
        0 on the others), `immature`, and the sums of `cluster_sums` for the
        rate, prefixed with its name. The row as asked comes first, then by the
        size of the change.
    """
    asked = {"steps": steps, "period": period, "as_of": as_of}
    chosen = {"order": order, "entry": entry, "unit": "person"}
    rules = read_rules(events, window_days=window_days, **asked, **chosen)
    rows = [_row(events, AS_ASKED, _told(chosen, window_days), window_days=window_days, **asked, **chosen)]
    for name, now in chosen.items():
        others = [value for value in CHOICES[name] if value != now and not (name == "order" and rules.share_events)]
        window = None if name == "unit" else window_days
        rows += [_row(events, name, other, window_days=window, **asked, **(chosen | {name: other})) for other in others]
    for told, window in (("half as long", window_days / 2), ("twice as long", window_days * 2)):
        rows.append(_row(events, "window", told, window_days=window, **asked, **chosen))
    of_products = steps_of_products(steps)
    from_end_to_end = steps[0] in of_products[:1] and steps[-1] in of_products[1:]
    if product_events is not None and from_end_to_end and columns_asked(of_products) <= set(product_events.columns):
        together = asked | {"steps": of_products, "same": "product_id"}
        rows.append(_row(product_events, "same", "product_id", window_days=window_days, **together, **chosen))
    numbered = ibis.union(*(row.mutate(place=ibis.literal(place, "int64")) for place, row in enumerate(rows)))
    base = numbered.filter(numbered.place == 0).select(rate_as_asked=_.overall_rate)
    compared = numbered.cross_join(base)
    compared = compared.mutate(change=compared.overall_rate - compared.rate_as_asked)
    size = ibis.ifelse(compared.place == 0, -1.0, compared.change.abs().coalesce(-0.5))
    ranked = compared.mutate(rank=ibis.row_number().over(ibis.window(order_by=[size.desc(), compared.place])))
    moves = (ranked["rank"] == 0) & (ranked.change.abs() > 0)
    ordered = ranked.mutate(moves_most=ibis.ifelse(moves, 1, 0)).order_by(
        ibis.ifelse(_.place == 0, 0, 1), ranked["rank"]
    )
    told = (
        "choice",
        "definition",
        "counted",
        "started",
        "finished",
        "overall_rate",
        "change",
        "moves_most",
        "immature",
    )
    return ordered.select(*told, *(name for name in ordered.columns if name.startswith("overall_rate_")))


def _row(events: ir.Table, choice: str, definition: str, **asked: Any) -> ir.Table:
    rows = funnel(events, **asked)
    counted = "people" if asked.get("unit", "person") == "person" else "sessions"
    last = len(asked["steps"])
    first = rows.filter(rows.step_number == 1).select(started=rows[counted])
    end = rows.filter(rows.step_number == last)
    sums = [name for name in rows.columns if name.startswith("overall_rate_")]
    joined = first.cross_join(end)
    return joined.select(
        choice=ibis.literal(choice),
        definition=ibis.literal(definition),
        counted=ibis.literal(counted),
        started=joined.started,
        finished=joined[counted],
        overall_rate=joined.overall_rate,
        immature=joined.immature,
        **{name: joined[name].cast("float64") for name in sums},
    )


def _told(chosen: dict[str, str], window_days: float) -> str:
    return ", ".join([*chosen.values(), f"{window_days:g} days"])
