"""Features of the site beside orders: by hand, by law, and the comparison with those who do not use them."""

import pandas as pd
import pytest

from ecomkit.frames import to_frame
from ecomkit.metrics.site_features import FEATURES, feature_use
from ecomkit.metrics.standouts import compare_with_rest
from ecomkit.metrics.with_and_without import compare_with_and_without

NOON = "2026-10-27 12:00:00Z"


def used(session, name):
    return ("", name, NOON, {"session_id": session})


def test_feature_use_by_hand(session_log, event_log, rows_of):
    sessions = session_log(("ana", NOON, 1), ("ana", NOON, 0), ("ben", NOON, 1), (None, NOON, 0))
    events = event_log(
        used("s1", "Products Searched"),
        used("s1", "Products Searched"),
        used("s2", "Wishlist Product Added to Cart"),
        used("s3", "Product Added to Wishlist"),
        used("s9", "Products Searched"),
        ("ben", "Products Searched", NOON),
    )
    rows = {(row["feature"], row["is_used"]): row for row in rows_of(feature_use(sessions, events))}
    columns = ("sessions", "sessions_with_order", "people", "visit_to_order_rate", "clusters", "denominator_squares")
    told = {key: tuple(row[name] for name in columns) for key, row in rows.items()}
    assert list(dict.fromkeys(feature for feature, _is_used in told)) == list(FEATURES)
    assert told["search", True] == (1, 1, 1, 1.0, 1, 1.0)
    assert told["search", False] == (3, 1, 3, 1 / 3, 3, 3.0)
    assert told["wishlist", True] == (2, 1, 2, 1 / 2, 2, 2.0)
    assert told["promotion viewed", True] == (0, 0, 0, None, 0, 0.0)
    assert told["promotion viewed", False] == (4, 2, 3, 1 / 2, 3, 6.0)


def test_with_and_without_are_all_sessions(shop):
    rows = to_frame(feature_use(shop.sessions, shop.events))
    sums = rows.groupby("feature")[["sessions", "sessions_with_order"]].sum().drop_duplicates()
    assert sums.to_numpy().tolist() == [[24188, int((shop.sessions.orders > 0).sum().to_pyarrow().as_py())]]


def test_without_sessions_every_feature_is_there(session_log, event_log, rows_of):
    rows = rows_of(feature_use(session_log(), event_log()), "sessions", "visit_to_order_rate")
    assert rows == [(0, None)] * 2 * len(FEATURES)


def sides(*entries):
    rows = []
    for feature, is_used, hits, n in entries:
        sums = {"clusters": n, "numerator": hits, "denominator": n}
        sums |= {"numerator_squares": hits, "products": hits, "denominator_squares": n}
        rows.append({"feature": feature, "is_used": is_used, "visit_to_order_rate": hits / n if n else None, **sums})
    return pd.DataFrame(rows)


def test_a_feature_is_judged_against_those_without_it():
    frame = sides(
        ("search", True, 60, 200), ("search", False, 100, 1000), ("wishlist", True, 3, 29), ("wishlist", False, 1, 900),
        ("click", True, 20, 200), ("click", False, 100, 1000), ("denied", True, 0, 0), ("denied", False, 5, 50),
    )  # fmt: skip
    told = compare_with_and_without(frame, "visit_to_order_rate", label="feature", floor=30)
    assert list(told.verdict) == ["up", "cannot tell", "within noise", "cannot tell"]
    assert list(told.without_visit_to_order_rate) == [0.1, pytest.approx(1 / 900), 0.1, 0.1]
    assert told.without_visit_to_order_rate_low[0] < 0.1 < told.without_visit_to_order_rate_high[0] < 0.13


def test_the_many_are_paid_for():
    """One of many features with a p-value of 0.03 is chance."""
    one = [("f0", True, 35, 200), ("f0", False, 110, 1000)]
    alone = compare_with_and_without(sides(*one), "visit_to_order_rate", label="feature", floor=30)
    others = [row for n in range(1, 20) for row in ((f"f{n}", True, 22, 200), (f"f{n}", False, 110, 1000))]
    many = compare_with_and_without(sides(*one, *others), "visit_to_order_rate", label="feature", floor=30)
    assert (alone.verdict[0], many.verdict[0]) == ("up", "within noise")


def test_the_rest_may_be_read_from_sums_with_the_rates_name():
    frame = sides(("a", True, 60, 200), ("b", True, 20, 200))
    bare = compare_with_rest(frame, "visit_to_order_rate", floor=30)
    sums = ["clusters", "numerator", "denominator", "numerator_squares", "products", "denominator_squares"]
    named = frame.rename(columns={name: f"visit_to_order_rate_{name}" for name in sums})
    assert (
        list(compare_with_rest(named, "visit_to_order_rate", floor=30).verdict) == list(bare.verdict) == ["up", "down"]
    )


def test_the_fixture_shows_that_searchers_order_more_and_promotions_change_nothing(shop):
    visits = shop.sessions.filter(shop.sessions.pageviews > 1)
    told = compare_with_and_without(
        to_frame(feature_use(visits, shop.events)), "visit_to_order_rate", label="feature", floor=30
    ).set_index("feature")
    assert told.verdict["search"] == "up"
    assert told.verdict["promotion viewed"] == told.verdict["promotion clicked"] == "within noise"
    assert told.verdict["list filtered"] == "cannot tell"
