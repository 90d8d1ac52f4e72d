from datetime import datetime, timedelta

import ibis
import pytest
from ibis import _

from ecomkit.pipeline.sessions import with_sessions
from ecomkit.shop import open_shop
from tests.calls import identify, order, page, server, track


def sessions_of(shop):
    return shop.sessions.to_pyarrow().to_pylist()


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        pytest.param("2026-10-01T10:30:00.000Z", 1, id="a gap of exactly 30:00 continues"),
        pytest.param("2026-10-01T10:29:59.000Z", 1, id="one second less continues"),
        pytest.param("2026-10-01T10:30:01.000Z", 2, id="one second more splits"),
        pytest.param("2026-10-01T10:30:00.001Z", 2, id="one millisecond more splits"),
    ],
)
def test_the_longest_gap(second, expected):
    calls = ibis.memtable(
        [
            _row("m1", "2026-10-01T10:00:00.000Z"),
            _row("m2", second),
        ]
    ).mutate(occurred_at=_.occurred_at.cast("timestamp('UTC')"))
    found = with_sessions(calls).to_pyarrow().to_pylist()
    assert len({row["session_id"] for row in found}) == expected


def _row(message_id, at, *, person="p", side="client", kind="page", device="d"):
    return {
        "row_id": int(message_id[1:]),
        "message_id": message_id,
        "occurred_at": at,
        "anonymous_id": device,
        "person_id": person,
        "side": side,
        "call_type": kind,
    }


def placed(*calls):
    """The session of each call, in the order of their message ids."""
    table = ibis.memtable(list(calls)).mutate(occurred_at=_.occurred_at.cast("timestamp('UTC')"))
    return [row["session_id"] for row in with_sessions(table).order_by("message_id").to_pyarrow().to_pylist()]


FIRST, THEN = _row("m1", "2026-10-01T10:00:00Z"), _row("m3", "2026-10-01T10:40:00Z")
OTHER_CALLS = [
    pytest.param({"side": side, "kind": kind}, id=f"{side} {kind}")
    for side, kind in (
        ("server", "track"), ("server", "page"), ("email", "track"), ("chat", "track"), ("client", "identify"),
        ("client", "group"),
    )
]  # fmt: skip


@pytest.mark.parametrize("other", OTHER_CALLS)
def test_no_other_call_opens_extends_or_splits_a_session(other):
    assert placed(_row("m1", "2026-10-01T10:00:00Z", **other)) == [None]
    # In the middle of a gap of forty minutes, and of another person in the middle of one of ten.
    assert placed(FIRST, _row("m2", "2026-10-01T10:20:00Z", **other), THEN) == [
        "d:1790848800000",
        None,
        "d:1790851200000",
    ]
    soon = _row("m3", "2026-10-01T10:10:00Z")
    between = _row("m2", "2026-10-01T10:05:00Z", person="q", **other)
    assert placed(FIRST, between, soon) == ["d:1790848800000", None, "d:1790848800000"]


@pytest.mark.parametrize("kind", ["page", "screen", "track"])
def test_each_of_the_devices_own_calls_opens_and_extends_a_session(kind):
    found = placed(FIRST, _row("m2", "2026-10-01T10:20:00Z", kind=kind), THEN)
    assert found == ["d:1790848800000"] * 3
    assert placed(_row("m1", "2026-10-01T10:00:00Z", kind=kind)) == ["d:1790848800000"]


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_midnight_splits_no_session(seconds):
    at = datetime.fromisoformat("2026-10-02T00:00:00+00:00") + timedelta(seconds=seconds)
    assert len(set(placed(_row("m1", "2026-10-01T23:45:00Z"), _row("m2", at.isoformat())))) == 1


def test_the_gap_counts_from_the_call_before_not_from_the_first():
    half_hours = [
        _row(f"m{number}", f"2026-10-01T1{number // 2}:{'30' if number % 2 else '00'}:00Z") for number in range(8)
    ]
    assert len(set(placed(*half_hours))) == 1


def test_devices_have_sessions_of_their_own_and_calls_without_one_have_none():
    found = placed(
        FIRST, _row("m2", "2026-10-01T10:00:00Z", device="e"), _row("m3", "2026-10-01T10:00:00Z", device=None)
    )
    assert found == ["d:1790848800000", "e:1790848800000", None]


@pytest.mark.parametrize("after", [0, 1, 1800])
def test_another_person_on_the_device_splits_at_once_and_the_first_one_comes_back_to_a_new_session(after):
    at = datetime.fromisoformat("2026-10-01T10:00:00+00:00")
    calls = [
        _row(f"m{number}", (at + number * timedelta(seconds=after)).isoformat(), person=person)
        for number, person in enumerate("ppqqp")
    ]
    one, two, three, four, five = placed(*calls)
    assert (one, three) == (two, four)
    assert len({one, three, five}) == 3


def test_a_login_and_midnight_do_not_split_but_another_user_on_the_device_does(make_shop):
    shop = open_shop(
        make_shop(
            page(at="2026-10-01T23:50:00Z"),
            identify("ana", at="2026-10-01T23:55:00Z"),
            page(at="2026-10-02T00:05:00Z", user="ana"),
            identify("ben", at="2026-10-02T00:10:00Z"),
            page(at="2026-10-02T00:11:00Z", user="ben"),
        )
    )
    found = [(row["person_id"], row["pageviews"]) for row in sessions_of(shop)]
    assert found == [("user:ana", 2), ("user:ben", 1)]


def test_server_email_and_identify_calls_neither_open_nor_extend_a_session(make_shop):
    shop = open_shop(
        make_shop(
            page(at="2026-10-01T10:00:00Z"),
            server("Stock Checked", at="2026-10-01T10:20:00Z", device="d1"),
            track("Email Opened", at="2026-10-01T10:25:00Z"),
            identify("ana", at="2026-10-01T10:28:00Z"),
            page(at="2026-10-01T10:40:00Z"),
        )
    )
    assert [row["pageviews"] for row in sessions_of(shop)] == [1, 1]
    assert {row["side"] for row in shop.events.to_pyarrow().to_pylist()} == {"client", "server", "email"}


def test_the_landing_decides_the_channel_of_the_whole_session(make_shop):
    shop = open_shop(
        make_shop(
            page(at="2026-10-01T10:00:00Z", search="?utm_source=Google&utm_medium=cpc&utm_campaign=fall&gclid=x"),
            page(at="2026-10-01T10:05:00Z", path="/a", referrer="https://news.example/x"),
        )
    )
    [row] = sessions_of(shop)
    assert (row["channel"], row["utm_campaign"], row["landing_path"]) == ("Paid Search", "fall", "/")


EDGES = {
    "start": [(-1000, False), (-1, False), (0, True), (1, True), (1000, True)],
    "end": [(-1000, True), (0, True), (1000, True)],
    "half an hour after the end": [(-1000, True), (-1, True), (0, True), (1, False), (1000, False)],
}


@pytest.mark.parametrize(
    ("names", "rule"),
    [pytest.param("user", "by person and time", id="by person"), pytest.param("device", "same device", id="by device")],
)
def test_a_server_order_has_the_session_from_its_start_to_half_an_hour_after_its_end(make_shop, names, rule):
    start = datetime.fromisoformat("2026-10-01T10:00:00+00:00")
    end = start + timedelta(minutes=10)
    edges = {"start": start, "end": end, "half an hour after the end": end + timedelta(minutes=30)}
    calls, expected = [], {}
    for name, cases in EDGES.items():
        for shift, inside in cases:
            case = f"{name} {shift:+} ms"
            expected[case] = rule if inside else None
            calls += [page(device=case, at=at.isoformat(), user=case) for at in (start, end)]
            at = (edges[name] + timedelta(milliseconds=shift)).isoformat()
            calls.append(server("Order Completed", at=at, **{names: case}, **order(case)))
    shop = open_shop(make_shop(*calls))
    assert {row["order_id"]: row["session_rule"] for row in _orders(shop)} == expected
    sessions = {row["session_id"]: row["anonymous_id"] for row in sessions_of(shop)}
    assert all(sessions[row["session_id"]] == row["order_id"] for row in _orders(shop) if row["session_id"])
    assert all(row["ended_at"] == end for row in sessions_of(shop))


def test_of_two_sessions_in_which_an_order_lies_the_latest_to_start_counts(make_shop):
    shop = open_shop(
        make_shop(
            page(device="phone", at="2026-10-01T10:00:00Z", user="ana"),
            page(device="laptop", at="2026-10-01T10:05:00Z", user="ana"),
            page(device="tablet", at="2026-10-01T10:20:00Z", user="ana"),
            server("Order Completed", at="2026-10-01T10:10:00Z", user="ana", **order()),
        )
    )
    assert [row["session_id"].split(":")[0] for row in _orders(shop)] == ["laptop"]


def test_an_order_prefers_its_own_devices_session(make_shop):
    shop = open_shop(
        make_shop(
            page(device="phone", at="2026-10-01T10:00:00Z", user="ana"),
            page(device="laptop", at="2026-10-01T10:05:00Z", user="ana"),
            server("Order Completed", at="2026-10-01T10:06:00Z", user="ana", device="phone", **order("o1")),
            track("Order Completed", device="laptop", at="2026-10-01T10:07:00Z", user="ana", **order("o2")),
        )
    )
    found = {row["order_id"]: (row["session_id"].split(":")[0], row["session_rule"]) for row in _orders(shop)}
    assert found == {"o1": ("phone", "same device"), "o2": ("laptop", "same device")}


def _orders(shop):
    return shop.orders.to_pyarrow().to_pylist()


def test_campaigns_are_read_from_the_address_where_nothing_else_holds_them(make_shop):
    call = page()
    call["properties"] = {"url": "https://shop.example/?utm_source=facebook&utm_medium=cpc#top"}
    del call["context"]
    shop = open_shop(make_shop(call))
    [row] = sessions_of(shop)
    assert (row["channel"], row["utm_source"]) == ("Paid Social", "facebook")


def test_a_campaign_that_is_no_utf_8_stays_as_it_was_sent(make_shop):
    shop = open_shop(
        make_shop(page(search="?utm_source=f%C3%BCr+dich&utm_medium=%FCber&utm_campaign=50%&utm_term=%zz"))
    )
    [row] = sessions_of(shop)
    found = [row[name] for name in ("utm_source", "utm_medium", "utm_campaign", "utm_term")]
    assert found == ["für dich", "%FCber", "50%", "%zz"]


def test_a_call_that_names_no_library_belongs_to_its_device(make_shop):
    calls = [page(at="2026-10-01T10:00:00Z"), track("Product Viewed", at="2026-10-01T10:04:00Z", product_id="p")]
    for call in calls:
        del call["context"]
    [row] = sessions_of(open_shop(make_shop(*calls)))
    assert row["ended_at"].minute == 4


def test_two_people_in_one_millisecond_have_a_session_each(make_shop):
    at = "2026-10-01T10:00:00Z"
    shop = open_shop(
        make_shop(page(at=at, user="ana"), page(at=at, user="bo"), page(at="2026-10-01T10:01:00Z", user="bo"))
    )
    found = sessions_of(shop)
    assert sorted((row["person_id"], row["pageviews"]) for row in found) == [("user:ana", 1), ("user:bo", 2)]
    assert len({row["session_id"] for row in found}) == 2


def test_many_people_in_one_millisecond_have_a_session_each():
    """Twenty people whose calls on one device were imported with one instant."""
    at = "2026-10-01T10:00:00Z"
    calls = [_row(f"m{number:02}", at, person=f"p{number // 2}") for number in range(40)]
    found = placed(*calls, _row("m99", "2026-10-01T10:01:00Z", person="p19"))
    assert len(set(found)) == 20
    assert found[:40:2] == found[1:40:2]
    assert found[-1] == found[-2]
