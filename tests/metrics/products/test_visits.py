"""Sessions that viewed a product and ordered it: by hand, and by law."""

from datetime import datetime

import pytest

from ecomkit.metrics.products import visit_to_order_rate_by_product

AT, LATER = "2026-10-06 10:00:00Z", "2026-10-06 10:05:00Z"
AS_OF = datetime.fromisoformat("2026-10-12 00:00:00Z")
SHOWN = ("product_id", "sessions", "sessions_with_order", "people", "visit_to_order_rate")


@pytest.fixture
def rates_of(session_log, product_log, order_log, line_log, rows_of):
    def run(sessions, events, orders=(), lines=(), by="product_id"):
        tables = (session_log(*sessions), product_log(*events), order_log(*orders), line_log(*lines))
        return rows_of(visit_to_order_rate_by_product(*tables, as_of=AS_OF, by=by), *(by, *SHOWN[1:]))

    return run


def viewed(session, product="p1", at=AT):
    return ("ana", "Product Viewed", product, at, {"session_id": session})


def test_a_session_counts_once_per_product_however_often_it_viewed_or_ordered_it(rates_of):
    rows = rates_of(
        [("ana", AT, 2), ("ana", AT, 0), ("bea", AT, 0)],
        [viewed("s1"), viewed("s1"), viewed("s2"), viewed("s3"), viewed("s1", "p2")],
        [("ana", AT, {"session_id": "s1"}), ("ana", LATER, {"session_id": "s1"})],
        [("o1", "p1", 5), ("o1", "p1", 5), ("o2", "p1", 5)],
    )
    assert rows == [("p1", 3, 1, 2, 1 / 3), ("p2", 1, 0, 1, 0.0)]


@pytest.mark.parametrize(
    ("about_order", "ordered"),
    [
        pytest.param({"session_id": "s1"}, 1, id="in the session"),
        pytest.param({"session_id": "s1", "ordered_at": "2026-10-06 09:59:00Z"}, 1, id="before the view, in it"),
        pytest.param({"session_id": "s2"}, 0, id="in another session of the person"),
        pytest.param({"session_id": None}, 0, id="without a session"),
        pytest.param({"session_id": "s1", "status": "cancelled"}, 0, id="cancelled"),
        pytest.param({"session_id": "s1", "ordered_at": "2026-10-12 00:00:00Z"}, 0, id="at the end of the data"),
    ],
)
def test_which_orders_count(rates_of, about_order, ordered):
    sessions = [("ana", AT, 0), ("ana", AT, 0)]
    rows = rates_of(sessions, [viewed("s1")], [("ana", AT, about_order)], [("o1", "p1", 5)])
    assert rows == [("p1", 1, ordered, 1, float(ordered))]


def test_an_order_of_what_the_session_did_not_view_has_no_row(rates_of):
    sessions, orders = [("ana", AT, 1)], [("ana", AT, {"session_id": "s1"})]
    assert rates_of(sessions, [], orders, [("o1", "p1", 5)]) == []
    assert rates_of(sessions, [viewed("s1", "p2")], orders, [("o1", "p1", 5)]) == [("p2", 1, 0, 1, 0.0)]


def test_only_the_given_sessions_count(rates_of):
    assert rates_of([("ana", AT, 0)], [viewed("s1"), viewed("unknown"), viewed(None)]) == [("p1", 1, 0, 1, 0.0)]


def test_a_category_is_ordered_by_another_product_of_it(rates_of):
    lines = [("o1", "p2", 5, {"category": "Teas"}), ("o2", "p1", 5, {"category": "Teas"})]
    orders = [("ana", AT, {"session_id": "s1"}), ("bea", AT)]
    assert rates_of([("ana", AT, 1)], [viewed("s1")], orders, lines, by="category") == [("Teas", 1, 1, 1, 1.0)]


def test_people_and_not_sessions_are_clusters(session_log, product_log, order_log, line_log, rows_of):
    sessions = session_log(("ana", AT, 0), ("ana", AT, 0), ("bea", AT, 0), (None, AT, 0, {"anonymous_id": "d1"}))
    events = product_log(*(viewed(f"s{number}") for number in range(1, 5)))
    rates = visit_to_order_rate_by_product(sessions, events, order_log(), line_log(), as_of=AS_OF)
    assert rows_of(rates, "clusters", "denominator", "denominator_squares") == [(3, 4, 4 + 1 + 1)]
