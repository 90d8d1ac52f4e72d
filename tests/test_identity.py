import pytest

from ecomkit.shop import open_shop
from tests import shopify
from tests.calls import identify, order, page, server, track
from tests.conftest import TOML


def people_of(shop):
    events = shop.events.order_by("occurred_at", "message_id").to_pyarrow().to_pylist()
    return [row["person_id"] for row in events]


def test_an_anonymous_visit_belongs_to_the_first_person_identified_on_the_device_later(make_shop):
    shop = open_shop(make_shop(page(at="2026-10-01T10:00:00Z"), identify("ana", at="2026-10-09T10:00:00Z")))
    assert people_of(shop) == ["user:ana", "user:ana"]
    rules = {row["rule"] for row in shop.identity_links.to_pyarrow().to_pylist()}
    assert rules == {"identified on the device later", "user id on the call"}


@pytest.mark.slow
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


@pytest.mark.slow
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


def test_an_order_by_an_external_id_alone_has_its_customer(make_shop):
    """Known by a loyalty card on two devices, never by a user id or an address."""
    calls = []
    for number in (1, 2):
        bought = track("Order Completed", f"d{number}", f"2026-10-0{number}T10:00:00Z", **order(f"o{number}"))
        bought["context"]["externalIds"] = [{"id": "LC-1", "type": "Loyalty Card", "collection": "users"}]
        calls.append(bought)
    shop = open_shop(make_shop(*calls))
    found = [(row["customer_id"], row["order_number"]) for row in shop.orders.to_pyarrow().to_pylist()]
    assert found == [("loyalty_card:LC-1", 1), ("loyalty_card:LC-1", 2)]


def test_an_address_on_every_device_names_nobody_although_a_user_once_sent_it(make_shop):
    """The shop's own address, typed at the counter for three hundred customers."""
    counter = "info@shop.example"
    calls = [identify("ida", "own", "2026-10-01T09:00:00Z", email=counter)]
    for number in range(300):
        bought = track("Order Completed", f"d{number}", "2026-10-02T10:00:00Z", **order(f"o{number}"))
        bought["context"]["traits"] = {"email": counter}
        calls.append(bought)
    customers = open_shop(make_shop(*calls)).orders.customer_id
    assert not customers.startswith("user:").any().to_pyarrow().as_py()
    assert customers.nunique().to_pyarrow().as_py() == 300


@pytest.mark.slow
def test_the_undo_list_holds_for_calls_and_for_order_files(make_shop):
    export = shopify.export(
        *(shopify.order(f"#{n}", ("tea", 1, 10.0), Email="both@x.example", Tags="") for n in (1, 2))
    )
    source = '[[source]]\nkind = "order_files"\npath = "orders.csv"\nformat = "shopify"\n'
    calls = (identify("ana", "d1", email="both@x.example"), server("Signed Up", email="both@x.example"))
    shop = open_shop(make_shop(*calls, toml=TOML + source, files={"orders.csv": export}))
    assert shop.orders.customer_id.to_pyarrow().to_pylist() == ["user:ana", "user:ana"]
    [address] = shop.events.filter(shop.events.email_hash.notnull()).email_hash.to_pyarrow().unique().to_pylist()
    undone = TOML + source + f'[identity]\nundo = ["email:{address}"]\n'
    shop = open_shop(make_shop(*calls, toml=undone, files={"orders.csv": export}))
    assert shop.orders.customer_id.to_pyarrow().to_pylist() == [None, None]
    assert shop.events.email_hash.to_pyarrow().null_count == 2
    assert [row["person_id"] for row in shop.people.to_pyarrow().to_pylist()] == ["user:ana"]
