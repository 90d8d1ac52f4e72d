"""What merging did, and which identifiers look wrong."""

from ecomkit.metrics.identity_audit import (
    MANY_DEVICES,
    cluster_sizes,
    first_touch_credit,
    links_by_rule,
    merging_effect,
    suspect_counts,
    suspects,
)
from ecomkit.schemas import EVENTS, IDENTITY_LINKS, ORDERS, SESSIONS
from tests.metrics.conftest import typed_table

DAY = "2026-10-01 10:00:00Z"


def links(*entries):
    """Links typed as (type, identifier, person, calls) or with the rule as a fifth."""
    names = ("identifier_type", "identifier", "person_id", "calls", "rule")
    return typed_table(IDENTITY_LINKS, [{"rule": "r", **dict(zip(names, entry, strict=False))} for entry in entries])


def calls(*entries):
    """Events typed as (person, user id, address, device, {column: value})."""
    names = ("person_id", "user_id", "email_hash", "anonymous_id")
    rows = []
    for number, (*ids, more) in enumerate(entries):
        rows.append({"message_id": f"m{number}", "event_name": "page", "occurred_at": DAY, **more})
        rows[-1] |= dict(zip(names, ids, strict=True))
    return typed_table(EVENTS, rows)


def test_what_each_rule_linked(rows_of):
    table = links(("anonymous_id", "d1", "user:ana", 3, "later"), ("email", "h1", "user:ana", 5, "sent together"))
    events = calls(
        ("user:ana", None, None, "d1", {"identity_rule": "later"}),
        ("user:ana", "ana", None, "d1", {"identity_rule": "user id"}),
        ("user:ben", "ben", None, "d1", {"identity_rule": "user id"}),
        ("user:ana", "ana", None, "d2", {"identity_rule": "user id"}),
        ("user:ana", "ana", None, None, {"identity_rule": "user id"}),
    )
    columns = ("identifier_type", "rule", "identifiers", "people", "calls")
    # Each call of a device counts by its own rule, not by that of the stretch it lies in.
    assert rows_of(links_by_rule(events, table), *columns) == [
        ("anonymous_id", "later", 1, 1, 1),
        ("anonymous_id", "user id", 2, 2, 3),
        ("email", "sent together", 1, 1, 5),
    ]


def test_people_by_devices_and_identifiers(rows_of):
    table = links(
        ("anonymous_id", "d1", "user:ana", 1),
        ("anonymous_id", "d2", "user:ana", 1),
        ("user_id", "ana", "user:ana", 1),
        ("email", "h1", "user:ana", 1),
        ("anonymous_id", "d3", "visitor:d3", 1),
        ("previous_id", "old", "user:ana", 1),
        *[("anonymous_id", f"n{number}", "user:nat", 1) for number in range(12)],
    )
    assert rows_of(cluster_sizes(table), "devices", "identifiers", "people") == [(1, 0, 1), (2, 2, 1), (10, 0, 1)]


def test_suspects_are_shared_devices_shared_addresses_and_people_of_many_devices(rows_of):
    table = links(
        ("anonymous_id", "till", "user:ana", 3),
        ("anonymous_id", "till", "user:ben", 3),
        ("anonymous_id", "till", "visitor:till:0", 3),
        ("anonymous_id", "own", "user:ana", 3),
        *[("anonymous_id", f"n{number}", "user:nat", 1) for number in range(MANY_DEVICES)],
        *[("anonymous_id", f"m{number}", "user:max", 1) for number in range(MANY_DEVICES - 1)],
    )
    table_of_calls = calls(
        ("user:ana", "ana", "h1", None, {}),
        ("user:ben", "ben", "h1", None, {}),
        ("user:cat", "cat", "h1", None, {}),
        ("user:ana", "ana", "h2", None, {}),
    )
    columns = ("why", "identifier_type", "identifier", "people", "devices", "calls")
    assert rows_of(suspects(table_of_calls, table), *columns) == [
        ("shared address", "email", "h1", 3, None, 3),
        ("shared device", "anonymous_id", "till", 2, None, 6),
        ("many devices", "person", "user:nat", 1, MANY_DEVICES, MANY_DEVICES),
    ]
    assert rows_of(suspect_counts(table_of_calls, table), "why", "suspects", "most_people", "calls") == [
        ("many devices", 1, 1, MANY_DEVICES),
        ("shared address", 1, 3, 3),
        ("shared device", 1, 2, 6),
    ]


def test_before_merging_one_customer_is_three(rows_of):
    """She bought as a guest, then on a second device with her account, and once as nobody on the first."""
    done = {"event_name": "Order Completed"}
    events = calls(
        ("user:ana", None, None, "d1", {"session_id": "s1"}),
        ("user:ana", None, "h1", "d1", done | {"session_id": "s1", "order_id": "o1"}),
        ("user:ana", "ana", None, "d2", done | {"session_id": "s2", "order_id": "o2"}),
        # Browser and server both send the order: the server knows more.
        ("user:ana", None, None, "d1", done | {"session_id": "s3", "order_id": "o3"}),
        ("user:ana", "ana", None, None, done | {"order_id": "o3"}),
        ("visitor:d9", None, None, "d9", {}),
    )
    bought = {"customer_id": "user:ana", "status": "completed"}
    orders = typed_table(
        ORDERS,
        [
            {**bought, "order_id": "o1", "ordered_at": "2026-10-01 11:00:00Z"},
            {**bought, "order_id": "o2", "ordered_at": "2026-10-02 11:00:00Z"},
            {**bought, "order_id": "o3", "ordered_at": "2026-10-03 11:00:00Z"},
            {**bought, "order_id": "o4", "ordered_at": "2026-10-03 12:00:00Z", "status": "cancelled"},
            {**bought, "order_id": "file", "ordered_at": "2026-10-04 12:00:00Z", "customer_id": "user:bob"},
            {**bought, "order_id": "guest", "ordered_at": "2026-10-04 12:00:00Z", "customer_id": None},
        ],
    )
    columns = ("merging", "people", "customers", "repeat_buyers", "repeat_buyers_share")
    assert rows_of(merging_effect(events, orders), *columns) == [
        ("before", 4, 3, 1, 1 / 3),
        ("after", 2, 2, 1, 1 / 2),
    ]
    sessions = typed_table(
        SESSIONS,
        [
            {"session_id": "s1", "person_id": "user:ana", "started_at": "2026-10-01 10:00:00Z", "channel": "Email"},
            {"session_id": "s2", "person_id": "user:ana", "started_at": "2026-10-02 10:00:00Z", "channel": "Direct"},
            {"session_id": "s3", "person_id": "user:ana", "started_at": "2026-10-03 10:00:00Z", "channel": "Direct"},
        ],
    )
    columns = ("channel", "customers_before", "customers_after", "before_share", "after_share")
    assert rows_of(first_touch_credit(events, sessions, orders), *columns) == [
        ("Direct", 1, 0, 1 / 3, 0.0),
        ("Email", 1, 1, 1 / 3, 0.5),
        ("no session", 1, 1, 1 / 3, 0.5),
    ]


def test_without_rows_nothing_is_claimed(rows_of):
    events, orders = calls(), typed_table(ORDERS, [])
    assert rows_of(merging_effect(events, orders), "customers", "repeat_buyers_share") == [(0, None), (0, None)]
    assert rows_of(suspects(events, links())) == []
    assert rows_of(first_touch_credit(events, typed_table(SESSIONS, []), orders)) == []


def test_on_the_fixture_shop_the_tablet_is_the_first_suspect_and_no_calls_are_lost(shop, rows_of):
    [first, *others] = rows_of(suspects(shop.events, shop.identity_links))
    assert (first["why"], first["people"] > 100) == ("shared device", True)
    assert all(other["people"] <= 3 for other in others)
    device_calls = shop.events.anonymous_id.count().to_pyarrow().as_py()
    linked = rows_of(links_by_rule(shop.events, shop.identity_links))
    assert sum(row["calls"] for row in linked if row["identifier_type"] == "anonymous_id") == device_calls
    before, after = rows_of(merging_effect(shop.events, shop.orders))
    assert before["people"] > after["people"] == shop.events.person_id.nunique().to_pyarrow().as_py()
    sizes = rows_of(cluster_sizes(shop.identity_links))
    assert sum(row["people"] for row in sizes) == after["people"]
