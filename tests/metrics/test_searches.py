"""What is searched for, and what comes of it."""

import json

import pytest

from ecomkit.frames import to_frame
from ecomkit.metrics.searches import SEARCHED, searches
from ecomkit.shop import ROOT

VIEW = "Product Viewed"
COLUMNS = ("query", "searches", "dead_ends", "sessions", "sessions_with_order", "people")


def at(session, seconds, name, query=None):
    return ("", name, f"2026-10-27 12:00:{seconds:02d}Z", {"session_id": session, "query": query})


def test_searches_by_hand(session_log, event_log, rows_of):
    noon = "2026-10-27 12:00:00Z"
    sessions = session_log(("ana", noon, 1), ("ben", noon, 0), ("ana", noon, 0))
    events = event_log(
        at("s1", 1, SEARCHED, " Tea "),
        at("s1", 2, SEARCHED, "green TEA"),
        at("s1", 3, VIEW),
        at("s2", 1, SEARCHED, "tea"),
        at("s2", 2, "page"),
        at("s2", 9, "Product Added"),
        at("s3", 1, VIEW),
        at("s3", 2, SEARCHED, "tea"),
        at("s3", 3, SEARCHED, "  "),
        at("s3", 4, SEARCHED),
        at("s9", 4, SEARCHED, "tea"),
    )
    rows = rows_of(searches(sessions, events))
    assert [tuple(row[name] for name in COLUMNS) for row in rows] == [
        ("tea", 3, 2, 3, 1, 2),
        ("green tea", 1, 0, 1, 1, 1),
    ]
    assert (rows[0]["dead_end_rate"], rows[0]["visit_to_order_rate"]) == (2 / 3, 1 / 3)
    assert (rows[0]["dead_end_rate_clusters"], rows[0]["dead_end_rate_denominator_squares"]) == (2, 5.0)


@pytest.mark.parametrize(
    ("second", "dead_ends"),
    [
        pytest.param(9, 1, id="one second before the search"),
        pytest.param(10, 0, id="at its instant"),
        pytest.param(11, 0, id="one second later"),
    ],
)
def test_a_product_leads_out_of_a_search_from_its_instant_on(session_log, event_log, rows_of, second, dead_ends):
    sessions = session_log(("ana", "2026-10-27 12:00:00Z", 0))
    events = event_log(at("s1", second, VIEW), at("s1", 10, SEARCHED, "tea"))
    assert rows_of(searches(sessions, events), "dead_ends") == [(dead_ends,)]


def test_nobody_searched(session_log, event_log, rows_of):
    assert rows_of(searches(session_log(("ana", "2026-10-27 12:00:00Z", 0)), event_log())) == []


def test_the_fixtures_queries_without_results_are_dead_ends(shop):
    truth = json.loads((ROOT / "data/fixtures/shop/truth.json").read_text(encoding="utf-8"))
    rows = to_frame(searches(shop.sessions, shop.events)).set_index("query")
    without = [query.lower() for query in truth["searches"]["queries_without_results"]]
    assert rows.dead_end_rate[without].min() > 2 * rows.dead_end_rate.drop(without).max()
    assert rows.searches.sum() == truth["put_in"]["searches"]
    assert rows.searches[without].sum() == truth["put_in"]["searches_without_results"]
