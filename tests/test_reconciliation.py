"""Orders as tracked, held against the shop's own export."""

from datetime import date
from decimal import Decimal

from ecomkit.metrics.reconciliation import reconciliation
from ecomkit.shop import open_shop
from tests import shopify
from tests.calls import order, page, server, track
from tests.conftest import TOML
from tests.tables import rows

EXPORT = """
[[source]]
kind = "order_files"
path = "orders.csv"
format = "shopify"
"""


def completed(order_id, at, **more):
    return track("Order Completed", "d1", at, **order(order_id, **more))


CALLS = (
    page("d1", "2026-09-28T09:00:00Z"),
    completed("2", "2026-09-28T10:00:00Z"),
    # Browser and server both send it.
    completed("3", "2026-09-29T10:00:00Z"),
    server("Order Completed", "2026-09-29T10:00:01Z", user="ana", **order("3")),
    # Tracked with its tax.
    completed("4", "2026-10-05T10:00:00Z", revenue=12.0),
    # Tracked, and not in the export.
    completed("x", "2026-10-06T10:00:00Z"),
    completed("6", "2026-10-07T10:00:00Z"),
    page("d1", "2026-10-08T09:00:00Z"),
)


def exported(number, day, **more):
    return shopify.order(f"#{number}", ("tea", 1, 10.00), Created_at=f"{day} 10:00:00 +0000", Tags="", **more)


FILES = {
    "orders.csv": shopify.export(
        exported(1, "2026-09-01"),  # before the first call
        exported(2, "2026-09-28"),
        exported(3, "2026-09-29"),
        exported(4, "2026-10-05"),
        exported(5, "2026-10-06"),  # missing in calls
        exported(6, "2026-10-07"),
        exported(7, "2026-10-08"),  # on a day on which pages were tracked, and no order
        exported(8, "2026-10-09"),  # after the last call
    )
}


def test_coverage_missing_doubled_and_value_gap_by_hand(make_shop):
    shop = open_shop(make_shop(*CALLS, toml=TOML + EXPORT, files=FILES))
    matches = {row["order_id"]: row for row in rows(shop.order_matches)}
    # An order that no call names keeps the export's own id.
    assert [matches[name]["calls"] for name in ("686614931", "2", "3", "686614935", "x")] == [0, 1, 2, 0, 1]
    assert matches["4"]["revenue_in_calls"] - matches["4"]["revenue_in_export"] == Decimal("2.0000")
    first, second = rows(reconciliation(shop.order_matches, shop.call_days, zone=shop.zone))
    assert first == {
        "week": date(2026, 9, 28), "orders_in_export": 2, "orders_in_calls": 2, "orders_in_both": 2,
        "coverage_share": 1.0, "missing_in_calls": 0, "missing_in_export": 0, "doubled": 1,
        "revenue_missing": Decimal("0.0000"), "orders_with_gap": 0, "value_gap": Decimal("0.0000"),
    }  # fmt: skip
    assert second == {
        "week": date(2026, 10, 5), "orders_in_export": 4, "orders_in_calls": 3, "orders_in_both": 2,
        "coverage_share": 2 / 4, "missing_in_calls": 2, "missing_in_export": 1, "doubled": 0,
        "revenue_missing": Decimal("20.0000"), "orders_with_gap": 1, "value_gap": Decimal("2.0000"),
    }  # fmt: skip


def test_without_an_export_there_is_nothing_to_hold_orders_against(tiny):
    assert rows(tiny.order_matches) == []
    assert rows(reconciliation(tiny.order_matches, tiny.call_days, zone=tiny.zone)) == []
