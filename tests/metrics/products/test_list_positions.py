"""Listed and opened: by hand, and the planted effect of the place."""

from datetime import date

import pytest

from ecomkit.metrics.products import list_positions
from ecomkit.periods import Period

WEEK = Period(date(2026, 10, 5), date(2026, 10, 12), "UTC")
SHOWN = ("position", "listings", "listings_opened", "opened_by")


def listed(product, position, second, person="ana"):
    return (person, "Product List Viewed", product, f"2026-10-06 10:00:{second:02d}Z", {"position": position})


def did(name, product, second, person="ana"):
    return (person, f"Product {name}", product, f"2026-10-06 10:00:{second:02d}Z")


@pytest.fixture
def places_of(product_log, rows_of):
    return lambda *events: rows_of(list_positions(product_log(*events), period=WEEK, as_of=WEEK.end_at), *SHOWN)


@pytest.mark.parametrize(
    ("second", "opened"),
    [
        pytest.param(9, 0, id="one second before the list"),
        pytest.param(10, 1, id="at its instant"),
        pytest.param(11, 1, id="one second after"),
    ],
)
def test_a_listing_is_opened_by_a_click_at_its_instant_or_later(places_of, second, opened):
    assert places_of(listed("p1", 1, 10), did("Clicked", "p1", second)) == [(1, 1, opened, "Product Clicked")]


def test_a_click_opens_the_listing_before_it_and_no_other(places_of):
    events = [listed("p1", 1, 10), listed("p2", 2, 10), listed("p1", 1, 20), did("Clicked", "p1", 30)]
    assert places_of(*events) == [(1, 2, 1, "Product Clicked"), (2, 1, 0, "Product Clicked")]
    again = did("Clicked", "p1", 31)
    assert places_of(*events, again)[0] == (1, 2, 1, "Product Clicked")


def test_another_sessions_click_opens_nothing(places_of):
    assert places_of(listed("p1", 1, 10), did("Clicked", "p1", 11, person="bea")) == [(1, 1, 0, "Product Clicked")]


def test_views_open_where_no_clicks_are_sent_and_only_there(places_of):
    events = [listed("p1", 1, 10), listed("p2", 2, 10), did("Viewed", "p1", 11)]
    assert places_of(*events) == [(1, 1, 1, "Product Viewed"), (2, 1, 0, "Product Viewed")]
    assert places_of(*events, did("Clicked", "p2", 12)) == [(1, 1, 0, "Product Clicked"), (2, 1, 1, "Product Clicked")]


def test_what_has_no_place_no_session_or_no_product_is_no_listing(places_of):
    at = "2026-10-06 10:00:00Z"
    assert (
        places_of(
            ("ana", "Product List Viewed", "p1", at),
            ("ana", "Product List Viewed", "p1", at, {"position": 1, "session_id": None}),
            ("ana", "Product List Viewed", None, at, {"position": 1}),
        )
        == []
    )


@pytest.mark.parametrize(
    ("at", "listings"),
    [("2026-10-04 23:59:59Z", 0), ("2026-10-05 00:00:00Z", 1), ("2026-10-11 23:59:59Z", 1), ("2026-10-12 00:00Z", 0)],
    ids=["a second before", "the first instant", "the last second", "the instant after"],
)
def test_the_period_is_half_open(places_of, at, listings):
    assert len(places_of(("ana", "Product List Viewed", "p1", at, {"position": 1}))) == listings


def test_the_planted_effect_of_the_place_is_found(shop):
    """The fixture's visits click the first place of a list three times as often as the third."""
    span = shop.week("last").extended_back(13)
    rows = list_positions(shop.product_events, period=span, as_of=span.end_at).to_pyarrow().to_pylist()
    rates = [row["opened_rate"] for row in rows]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] > 2 * rates[2]
    listed = shop.product_events.filter(span.holds(shop.product_events.occurred_at))
    listed = listed.filter(listed.event_name == "Product List Viewed")
    assert sum(row["listings"] for row in rows) == listed.count().to_pyarrow().as_py()
