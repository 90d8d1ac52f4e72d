"""Questions about products: seen, added, bought, sent back, bought together, and first."""

from ecomkit.metrics.products.amplitude import amplitude_reconciliation
from ecomkit.metrics.products.baskets import pairs_looked_at, product_pairs
from ecomkit.metrics.products.gateway import gateway_products
from ecomkit.metrics.products.gateway_finds import judge_gateways
from ecomkit.metrics.products.line_refunds import line_refunds, untied_refunds
from ecomkit.metrics.products.list_positions import list_positions
from ecomkit.metrics.products.pair_lifts import judge_pairs
from ecomkit.metrics.products.path import product_path
from ecomkit.metrics.products.rank_moves import judge_ranks
from ecomkit.metrics.products.ranks import product_ranks
from ecomkit.metrics.products.tracking_gaps import sold_without_view
from ecomkit.metrics.products.visits import visit_to_order_rate_by_product

__all__ = [
    "amplitude_reconciliation",
    "gateway_products",
    "judge_gateways",
    "judge_pairs",
    "judge_ranks",
    "line_refunds",
    "list_positions",
    "pairs_looked_at",
    "product_pairs",
    "product_path",
    "product_ranks",
    "sold_without_view",
    "untied_refunds",
    "visit_to_order_rate_by_product",
]
