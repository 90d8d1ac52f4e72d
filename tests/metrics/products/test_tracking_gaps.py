"""Products that sell without being viewed: by hand, and a planted gap."""

from datetime import date

import pytest

from ecomkit.metrics.products import sold_without_view
from ecomkit.metrics.standouts import compare_with_rest
from ecomkit.periods import Period

WEEK = Period(date(2026, 10, 5), date(2026, 10, 12), "UTC")
AT = "2026-10-06 10:00:00Z"
SHOWN = ("product_id", "orders", "orders_without_view", "units", "units_without_view", "orders_out_of_sight")


@pytest.fixture
def gaps_of(product_log, order_log, line_log, rows_of):
    def run(events, orders, lines, by="product_id"):
        tables = (product_log(*events), order_log(*orders), line_log(*lines))
        rows = sold_without_view(*tables, by=by, period=WEEK, within_days=7, as_of=WEEK.end_at)
        return rows_of(rows, by, *SHOWN[1:])

    return run


def viewed(at, person="ana", product="p1"):
    return (person, "Product Viewed", product, at)


SEEN = {"session_id": "s1"}


@pytest.mark.parametrize(
    ("viewed_at", "without"),
    [
        pytest.param("2026-09-29 09:59:59Z", 1, id="one second too early"),
        pytest.param("2026-09-29 10:00:00Z", 0, id="first instant of the days before"),
        pytest.param("2026-10-06 10:00:00Z", 0, id="at the instant of the order"),
        pytest.param("2026-10-06 10:00:01Z", 1, id="one second after it"),
    ],
)
def test_a_view_counts_from_the_days_before_up_to_the_order(gaps_of, viewed_at, without):
    assert gaps_of([viewed(viewed_at)], [("ana", AT, SEEN)], [("o1", "p1", 5, {"quantity": 3})]) == [
        ("p1", 1, without, 3, 3 * without, 0)
    ]


def test_views_of_others_of_other_products_and_adds_do_not_count(gaps_of):
    events = [viewed(AT, "bea"), viewed(AT, product="p2"), ("ana", "Product Added", "p1", AT), viewed(AT, None)]
    assert gaps_of(events, [("ana", AT, SEEN)], [("o1", "p1", 5)]) == [("p1", 1, 1, 1, 1, 0)]


def test_orders_that_could_show_no_view_are_out_of_sight(gaps_of):
    orders = [("ana", AT), (None, AT, SEEN), ("bea", AT, SEEN), ("bea", AT, SEEN | {"status": "cancelled"})]
    lines = [(f"o{number}", "p1", 5) for number in range(1, 5)]
    assert gaps_of([viewed(AT, "bea")], orders, lines) == [("p1", 1, 0, 1, 0, 2)]


def test_an_order_counts_once_per_product_and_lines_without_one_are_left_out(gaps_of):
    lines = [("o1", "p1", 5), ("o1", "p1", 5), ("o1", None, 5)]
    assert gaps_of([], [("ana", AT, SEEN)], lines) == [("p1", 1, 1, 2, 2, 0)]


def test_another_product_of_the_category_is_a_view_of_it(gaps_of):
    teas = {"category": "Teas"}
    events, lines = [viewed(AT, product="p2")], [("o1", "p1", 5, teas), ("o2", "p2", 5, teas)]
    orders = [("ana", AT, SEEN), ("bea", "2026-01-01 10:00:00Z")]
    assert gaps_of(events, orders, lines, by="category") == [("Teas", 1, 0, 1, 0, 0)]


def test_a_product_whose_views_are_lost_stands_out_as_a_gap(shop):
    span = shop.week("last").extended_back(52)
    seen = shop.product_events.filter(shop.product_events.product_id != "p-17")
    asked = {"period": span, "within_days": 30, "as_of": span.end_at}
    rows = sold_without_view(seen, shop.orders, shop.order_lines, **asked).to_pyarrow().to_pandas()
    found = compare_with_rest(rows, "without_view_rate", floor=30).set_index("product_id")
    assert found.without_view_rate["p-17"] == 1
    assert list(found.index[found.verdict == "up"]) == ["p-17"]
