"""What senders put into `revenue` and `total`: the conventions the kit knows, and how each is read.

Everything is told from the sum of the items' prices. Segment's own documents
disagree with each other, so all of these are found in histories.
"""

from typing import NamedTuple


class Beside(NamedTuple):
    """What a sum holds beside the items' prices: each part is in it (1), taken off it (-1), or neither (0)."""

    discount: int = 0
    shipping: int = 0
    tax: int = 0

    def less(self, other: "Beside") -> "Beside":
        """Return what must be added to a sum that holds `other` for one that holds this."""
        return Beside(*(mine - theirs for mine, theirs in zip(self, other, strict=True)))


_GOODS = Beside(discount=-1)
_GOODS_WITHOUT_TAX = Beside(discount=-1, tax=-1)


class MoneyRule(NamedTuple):
    """One convention: what `revenue` and `total` hold as they are sent, and what the goods earned.

    `goods` is the kit's revenue: after discount, before refunds, shipping and tax.
    `is_detected` is false where the sums look like another rule's, so that only the
    shop's owner can say.
    """

    name: str
    revenue: Beside
    total: Beside
    goods: Beside = _GOODS
    is_detected: bool = True

    @property
    def prices_hold_tax(self) -> bool:
        """Say whether the items' prices, and so the sums sent back, have the tax in them."""
        return self.goods.tax < 0


# In the order of belief: where the orders of a sender fit several rules alike, the first counts.
# Rules that fit alike give the same revenue, but for `discount_in_prices`, which is never detected.
RULES = (
    # The spec's second version.
    MoneyRule("after_discount", revenue=_GOODS, total=Beside(-1, 1, 1)),
    # The spec's first version and its older documents.
    MoneyRule("before_discount", revenue=Beside(), total=Beside(-1, 1, 1)),
    # The documents' examples of Checkout Started and Order Cancelled.
    MoneyRule("discount_ignored", revenue=Beside(), total=Beside(0, 1, 1)),
    # Senders that knew Google's ecommerce tags first: `revenue` is what the customer paid.
    MoneyRule("revenue_is_total", revenue=Beside(-1, 1, 1), total=Beside(-1, 1, 1)),
    # `total` is that of the basket: shipping and tax come on top.
    MoneyRule("total_is_goods", revenue=_GOODS, total=_GOODS),
    # Prices with the tax in them, as in Europe; `revenue` is sent without it.
    MoneyRule("tax_in_prices", revenue=_GOODS_WITHOUT_TAX, total=Beside(-1, 1, 0), goods=_GOODS_WITHOUT_TAX),
    # The same, with the tax left in `revenue`.
    MoneyRule("tax_in_revenue", revenue=_GOODS, total=Beside(-1, 1, 0), goods=_GOODS_WITHOUT_TAX),
    # Prices after discount, `discount` told beside them: looks like `discount_ignored`.
    MoneyRule("discount_in_prices", revenue=Beside(), total=Beside(0, 1, 1), goods=Beside(), is_detected=False),
)
SPEC_RULE = RULES[0].name
