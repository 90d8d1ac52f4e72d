"""A synthetic shop as Segment's archive would hold it, with planted truths written beside it.

`simulate` is the only name that others need.
"""

from ecomkit.simulate.plain import BuyTillYouDie
from ecomkit.simulate.shop import simulate

__all__ = ["BuyTillYouDie", "simulate"]
