from ecomkit.shop import open_shop
from tests.calls import identify, order, page, server, track


def people_of(shop):
    events = shop.events.order_by("occurred_at", "message_id").to_pyarrow().to_pylist()
    return [row["person_id"] for row in events]


def test_an_anonymous_visit_belongs_to_the_first_person_identified_on_the_device_later(make_shop):
    shop = open_shop(make_shop(page(at="2026-10-01T10:00:00Z"), identify("ana", at="2026-10-09T10:00:00Z")))
    assert people_of(shop) == ["user:ana", "user:ana"]
    rules = {row["rule"] for row in shop.identity_links.to_pyarrow().to_pylist()}
    assert rules == {"identified on the device later", "user id on the call"}


def test_a_shared_device_never_hands_one_persons_past_to_another(make_shop):
    shop = open_shop(
        make_shop(
            page(at="2026-10-01T10:00:00Z"),
            identify("ana", at="2026-10-01T10:01:00Z"),
            page(at="2026-10-01T10:02:00Z"),
            identify("ben", at="2026-10-02T10:00:00Z"),
            page(at="2026-10-02T10:01:00Z"),
            page(at="2026-10-03T10:00:00Z"),
        )
    )
    assert people_of(shop) == ["user:ana"] * 3 + ["user:ben"] * 3


def test_a_device_never_identified_is_a_visitor(make_shop):
    shop = open_shop(make_shop(page()))
    assert people_of(shop) == ["visitor:d1"]


def test_a_guest_becomes_the_user_who_is_first_seen_with_the_address(make_shop):
    shop = open_shop(
        make_shop(
            server("Order Completed", at="2026-10-01T10:00:00Z", email="ana@example.com", **order("o1")),
            identify("ana", device="d2", at="2026-10-05T10:00:00Z", email="ana@example.com"),
            server("Order Completed", at="2026-10-06T10:00:00Z", email="bob@example.com", **order("o2")),
        )
    )
    owners = [row["customer_id"] for row in shop.orders.order_by("order_id").to_pyarrow().to_pylist()]
    assert owners[0] == "user:ana"
    assert owners[1].startswith("guest:")


def test_people_say_when_they_were_seen_identified_and_first_bought(make_shop):
    shop = open_shop(
        make_shop(
            page(at="2026-10-01T10:00:00Z", referrer="https://www.google.de/"),
            identify("ana", at="2026-10-02T10:00:00Z", createdAt="2026-09-01T00:00:00Z"),
            track("Order Completed", at="2026-10-02T10:05:00Z", user="ana", **order()),
        )
    )
    [row] = shop.people.to_pyarrow().to_pylist()
    dates = [
        row[name].date().isoformat() for name in ("created_at", "first_seen_at", "identified_at", "first_order_at")
    ]
    assert dates == ["2026-09-01", "2026-10-01", "2026-10-02", "2026-10-02"]
    assert (row["first_channel"], row["anonymous_ids"]) == ("Organic Search", 1)


def test_links_of_a_device_do_not_overlap(make_shop):
    shop = open_shop(
        make_shop(
            identify("ana", at="2026-10-01T10:00:00Z"),
            identify("ben", at="2026-10-02T10:00:00Z"),
            identify("ana", at="2026-10-03T10:00:00Z"),
            page(at="2026-10-04T10:00:00Z"),
        )
    )
    links = shop.identity_links.filter(shop.identity_links.identifier_type == "anonymous_id").to_pyarrow().to_pylist()
    found = [(row["person_id"], row["valid_from"].day, row["valid_to"].day) for row in links]
    assert found == [("user:ana", 1, 1), ("user:ben", 2, 2), ("user:ana", 3, 4)]


def test_ids_that_mean_no_id_make_nobody_one_person(make_shop):
    shop = open_shop(
        make_shop(
            page(device="d1", user="undefined"), page(device="d2", user="null"), page(device="d3", user="0000-0000")
        )
    )
    assert sorted(people_of(shop)) == ["visitor:d1", "visitor:d2", "visitor:d3"]
