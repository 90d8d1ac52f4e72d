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
        "message_id": message_id,
        "occurred_at": at,
        "anonymous_id": device,
        "person_id": person,
        "side": side,
        "call_type": kind,
    }


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


@pytest.mark.parametrize(
    ("ordered_at", "rule"),
    [
        pytest.param("2026-10-01T10:00:00Z", "by person and time", id="at its start"),
        pytest.param("2026-10-01T10:40:00Z", "by person and time", id="thirty minutes after its end"),
        pytest.param("2026-10-01T10:40:01Z", None, id="one second later"),
        pytest.param("2026-10-01T09:59:59Z", None, id="one second before"),
    ],
)
def test_a_server_order_finds_the_persons_session(make_shop, ordered_at, rule):
    shop = open_shop(
        make_shop(
            identify("ana", at="2026-10-01T10:00:00Z"),
            page(at="2026-10-01T10:00:00Z", user="ana"),
            page(at="2026-10-01T10:10:00Z", user="ana"),
            server("Order Completed", at=ordered_at, user="ana", **order()),
        )
    )
    [row] = shop.orders.to_pyarrow().to_pylist()
    assert row["session_rule"] == rule
    assert [session["orders"] for session in sessions_of(shop)] == [int(rule is not None)]


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
