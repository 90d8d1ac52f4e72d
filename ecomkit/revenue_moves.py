"""Why a shop's net revenue moved between two periods: the bars of the bridge and their parts."""

from datetime import datetime
from typing import NamedTuple

import pandas as pd

from ecomkit.frames import to_frame
from ecomkit.metrics.bridge import bridge_sums, bridge_sums_by, with_customer_kind
from ecomkit.metrics.bridge_of_lines import bridge_category_sums
from ecomkit.models.bridge_parts import bridge_category_parts, bridge_parts
from ecomkit.models.revenue_bridge import revenue_bridge
from ecomkit.periods import Period
from ecomkit.shop import Shop

SEGMENTS = ("channel", "device_type", "customer_kind")


class Moves(NamedTuple):
    """The bars of `revenue_bridge`, and their parts as `bridge_parts` returns them, the largest first."""

    bars: pd.DataFrame
    parts: pd.DataFrame


def revenue_moves(shop: Shop, now: Period, before: Period, *, as_of: datetime) -> Moves:
    """Return why net revenue moved: by channel, device, new or returning customers, and for AOV by category."""
    told = {"periods": [before, now], "as_of": as_of}
    ends = {"now": now.start, "before": before.start, "min_group": shop.min_group}
    bars = revenue_bridge(to_frame(bridge_sums(shop.orders, shop.refunds, shop.sessions, **told)), **ends)
    # Whether somebody ordered before is a question to the whole shop.
    sessions = with_customer_kind(shop.sessions, shop.whole.orders, as_of=as_of)
    parts = [
        bridge_parts(bars, to_frame(bridge_sums_by(shop.orders, sessions, by=by, **told)), by, **ends)
        for by in SEGMENTS
    ]
    lines = to_frame(bridge_category_sums(shop.orders, shop.order_lines, shop.sessions, **told))
    parts.append(bridge_category_parts(bars, lines, **ends))
    found = pd.concat([part for part in parts if not part.empty] or parts[:1])
    return Moves(bars, found.sort_values("amount", key=abs, ascending=False, kind="stable", ignore_index=True))
