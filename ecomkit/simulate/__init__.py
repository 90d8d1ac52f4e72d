"""A synthetic shop as Segment's archive would hold it, with planted truths written beside it.

`simulate` is the only name that others need, and for shops of their own kind `BuyTillYouDie`, `Break` and
`SMALL_BREAKS`.
"""

from ecomkit.simulate.breaks import SMALL_BREAKS, Break
from ecomkit.simulate.plain import BuyTillYouDie
from ecomkit.simulate.shop import simulate

__all__ = ["SMALL_BREAKS", "Break", "BuyTillYouDie", "simulate"]
