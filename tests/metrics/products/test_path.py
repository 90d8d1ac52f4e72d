"""From a view to an order and back: by hand, and by law over the fixture shop."""

from datetime import date

import ibis
import pytest

from ecomkit.errors import UsageError
from ecomkit.metrics.products import product_path, untied_refunds
from ecomkit.metrics.sales import net_revenue
from ecomkit.periods import Period
from ecomkit.schemas import CANONICAL

WEEK = Period(date(2026, 10, 5), date(2026, 10, 12), "UTC")
AS_OF = WEEK.end_at
AT = "2026-10-06 10:00:00Z"
SHOWN = ("views", "adds", "orders", "units", "people_viewed", "people_added", "people_ordered")


@pytest.fixture
def path_of(product_log, order_log, line_log, refund_log, refund_line_log, rows_of):
    """Return a function that runs the metric over typed rows and keys its rows by the group."""

    def run(events=(), orders=(), lines=(), refunds=(), refund_lines=(), by="product_id", as_of=AS_OF):
        tables = (order_log(*orders), line_log(*lines), refund_log(*refunds), refund_line_log(*refund_lines))
        rows = rows_of(product_path(product_log(*events), *tables, by=by, period=WEEK, as_of=as_of))
        return rows if by is None else {row[by]: row for row in rows}

    return run


def test_views_adds_and_orders_count_calls_and_people_count_once(path_of):
    rows = path_of(
        events=[
            ("ana", "Product Viewed", "p1", "2026-10-05 10:00:00Z"),
            ("ana", "Product Viewed", "p1", "2026-10-06 10:00:00Z"),
            ("ana", "Product Added", "p1", "2026-10-06 10:01:00Z"),
            ("bea", "Product Viewed", "p1", "2026-10-06 10:00:00Z"),
            (None, "Product Viewed", "p1", "2026-10-06 10:00:00Z"),
            ("bea", "Product Removed", "p1", "2026-10-06 10:00:00Z"),
            ("bea", "Product Viewed", "p2", "2026-10-06 10:00:00Z"),
        ],
        orders=[("ana", AT), ("ana", "2026-10-07 10:00:00Z"), (None, AT)],
        lines=[("o1", "p1", 6, {"quantity": 3}), ("o1", "p1", 4), ("o2", "p1", 10), ("o3", "p1", 10)],
    )
    assert [rows["p1"][name] for name in SHOWN] == [4, 1, 3, 6, 2, 1, 1]
    assert (rows["p1"]["view_to_add_rate"], rows["p1"]["view_to_order_rate"]) == (0.5, 0.5)
    assert [rows["p2"][name] for name in SHOWN] == [1, 0, 0, 0, 1, 0, 0]
    assert (rows["p2"]["revenue"], rows["p2"]["refund_rate"]) == (0, None)
    assert list(rows) == ["p1", "p2"], "most revenue first"


def test_an_order_counts_at_its_persons_first_view_or_later(path_of):
    viewed_at = {
        "a second before the order": "2026-10-06 09:59:59Z",
        "at its instant": "2026-10-06 10:00:00Z",
        "a second after": "2026-10-06 10:00:01Z",
    }
    events = [("ana", "Product Viewed", case, at) for case, at in viewed_at.items()]
    rows = path_of(events, [("ana", AT)], [("o1", case, 10) for case in viewed_at])
    ordered = {case: row["people_ordered"] for case, row in rows.items()}
    assert ordered == {"a second before the order": 1, "at its instant": 1, "a second after": 0}


def test_the_period_is_half_open_for_views_and_orders(path_of):
    at = {
        "a second before the period": "2026-10-04 23:59:59Z",
        "its first instant": "2026-10-05 00:00:00Z",
        "its last second": "2026-10-11 23:59:59Z",
        "the instant after it": "2026-10-12 00:00:00Z",
    }
    rows = path_of(
        [("ana", "Product Viewed", case, instant) for case, instant in at.items()],
        [("ana", instant) for instant in at.values()],
        [(f"o{number}", case, 10) for number, case in enumerate(at, start=1)],
    )
    counted = {case: (row["views"], row["orders"], row["people_ordered"]) for case, row in rows.items()}
    assert counted == {"its first instant": (1, 1, 1), "its last second": (1, 1, 1)}


def test_what_lies_at_or_after_as_of_does_not_exist_yet(path_of):
    later = "2026-10-06 10:00:01Z"
    rows = path_of(
        [("ana", "Product Viewed", "p1", AT), ("ana", "Product Viewed", "p1", later)],
        [("ana", later), ("ana", AT)],
        [("o1", "p1", 10), ("o2", "p1", 5)],
        [("o2", later, 5)],
        as_of=ibis.timestamp("2026-10-06 10:00:01").op().value,
    )
    assert (rows["p1"]["views"], rows["p1"]["revenue"], rows["p1"]["refunded"]) == (1, 5, 0)


def test_cancelled_orders_are_no_orders_but_tell_what_products_are_called(path_of):
    rows = path_of(
        [("ana", "Product Viewed", "p1", AT)],
        [("ana", AT, {"status": "cancelled"})],
        [("o1", "p1", 10, {"name": "Fog", "variant": "50 g"})],
    )
    assert (rows["p1"]["orders"], rows["p1"]["revenue"], rows["p1"]["name"]) == (0, 0, "Fog (50 g)")


def test_names_are_those_of_the_newest_line_and_ids_tell_namesakes_apart(path_of):
    rows = path_of(
        [("ana", "Product Viewed", "never sold", AT)],
        [("ana", AT), ("ana", "2026-10-07 10:00:00Z"), ("ana", AT)],
        [
            ("o1", "p1", 1, {"name": "Old", "category": "Teas", "brand": "Leaf"}),
            ("o2", "p1", 1, {"name": "New", "category": "Gifts", "brand": "Leaf"}),
            ("o3", "p2", 1, {"name": "Twin", "variant": "red"}),
            ("o3", "p3", 1, {"name": "Twin", "variant": "red"}),
            ("o3", "p4", 1, {"sku": "x"}),
        ],
    )
    names = {key: row["name"] for key, row in rows.items()}
    assert names == {
        "p1": "New",
        "p2": "Twin (red) [p2]",
        "p3": "Twin (red) [p3]",
        "p4": "p4",
        "never sold": "never sold",
    }


def test_a_products_events_and_lines_lie_in_the_category_of_its_newest_line(path_of):
    events = [
        ("ana", "Product Viewed", "p1", AT, {"category": None}),
        ("bea", "Product Viewed", "p1", AT, {"category": "Sale"}),
        ("bea", "Product Viewed", "never sold", AT, {"category": "Sale"}),
    ]
    orders = [("ana", AT), ("ana", "2026-10-07 10:00:00Z")]
    lines = [("o1", "p1", 5, {"category": "Old"}), ("o2", "p1", 6, {"category": "Teas"})]
    rows = path_of(events, orders, lines, by="category")
    assert {key: (row["views"], row["revenue"], row["name"]) for key, row in rows.items()} == {
        "Teas": (2, 11, "Teas"),
        "Sale": (1, 0, "Sale"),
    }


def test_a_sku_is_the_rows_own_or_the_only_one_that_the_product_has(path_of):
    events = [
        ("ana", "Product Viewed", "one", AT),
        ("ana", "Product Viewed", "several", AT),
        ("ana", "Product Viewed", "several", AT, {"sku": "s2"}),
    ]
    lines = [("o1", "one", 1, {"sku": "s1"}), ("o1", "several", 1, {"sku": "s2"}), ("o1", "several", 1, {"sku": "s3"})]
    rows = path_of(events, [("ana", AT)], lines, by="sku")
    assert {key: (row["views"], row["orders"]) for key, row in rows.items()} == {
        "s1": (1, 1),
        "s2": (1, 1),
        "s3": (0, 1),
        None: (1, 0),
    }
    assert rows[None]["people_viewed"] == 0, "what nobody can name may be many products"


def test_a_product_without_an_id_is_known_by_its_sku(path_of):
    rows = path_of(
        [("ana", "Product Viewed", None, AT, {"sku": "s1"})], [("ana", AT)], [("o1", None, 5, {"sku": "s1"})]
    )
    assert (rows["s1"]["views"], rows["s1"]["revenue"], rows["s1"]["people_ordered"]) == (1, 5, 1)


def test_over_all_products_a_person_counts_once_for_each_and_an_order_once(path_of):
    [row] = path_of(
        [
            ("ana", "Product Viewed", "p1", AT),
            ("ana", "Product Viewed", "p2", AT),
            ("bea", "Product Viewed", "p1", AT),
        ],
        [("ana", AT)],
        [("o1", "p1", 6), ("o1", "p2", 4)],
        by=None,
    )
    assert [row[name] for name in SHOWN] == [3, 0, 1, 2, 3, 0, 2]
    assert (row["view_to_order_rate"], row["view_to_order_rate_clusters"]) == (2 / 3, 2)
    assert row["view_to_order_rate_denominator_squares"] == 2**2 + 1


def test_without_any_row_all_is_zero_and_rates_are_not_known(path_of):
    assert path_of() == {}
    [row] = path_of(by=None)
    assert (row["views"], row["revenue"], row["view_to_order_rate"], row["refund_rate"]) == (0, 0, None, None)


def test_by_names_the_near_miss():
    tables = [
        ibis.table(CANONICAL[name][0], name=name)
        for name in ("product_events", "orders", "order_lines", "refunds", "refund_lines")
    ]
    with pytest.raises(UsageError) as stopped:
        product_path(*tables, by="catagory", period=WEEK, as_of=AS_OF)
    assert str(stopped.value) == (
        "'by' names 'catagory', which products are not grouped by. Did you mean 'category'? "
        "Choose one of 'product_id', 'sku', 'category', 'brand'."
    )


@pytest.fixture(scope="module")
def fixture_path(shop):
    """The rows of the fixture shop's last quarter, by product and by category."""
    quarter = shop.week("last").extended_back(13)
    tables = (shop.product_events, shop.orders, shop.order_lines, shop.refunds, shop.refund_lines)
    asked = {"period": quarter, "as_of": quarter.end_at}
    return {by: product_path(*tables, by=by, **asked).to_pyarrow().to_pylist() for by in ("product_id", "category")}


def test_parts_add_up_to_the_quarters_orders_and_refunds(shop, fixture_path):
    quarter = shop.week("last").extended_back(13)
    whole = net_revenue(shop.orders, shop.refunds, as_of=quarter.end_at, view="order")
    whole = whole.filter(quarter.holds(whole.ordered_at))
    [sums] = whole.aggregate(revenue=whole.revenue.sum(), refunded=whole.refunded.sum()).to_pyarrow().to_pylist()
    for rows in fixture_path.values():
        assert sum(row["revenue"] for row in rows) == sums["revenue"] > 0
        assert sum(row["refunded"] for row in rows) == sums["refunded"] > 0
    untied = untied_refunds(
        shop.orders, shop.order_lines, shop.refunds, shop.refund_lines, period=quarter, as_of=quarter.end_at
    )
    [row] = untied.to_pyarrow().to_pylist()
    assert (row["refunded"], row["untied"]) == (sums["refunded"], 0)


def test_a_path_never_widens(fixture_path):
    for rows in fixture_path.values():
        assert all(row["people_viewed"] >= max(row["people_added"], row["people_ordered"]) for row in rows)
        assert all(row["people_viewed"] <= row["views"] and row["people_added"] <= row["adds"] for row in rows)
    names = ("views", "adds", "units")
    products, categories = fixture_path.values()
    assert [sum(row[name] for row in products) for name in names] == [
        sum(row[name] for row in categories) for name in names
    ]
