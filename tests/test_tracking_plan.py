"""The tracking plan as a table, and what becomes of calls that differ from it: counted, with a reason."""

import ibis
import pytest
from ibis import _

from ecomkit.pipeline import tracking_plan
from ecomkit.pipeline.events import named_calls
from ecomkit.pipeline.tracking_plan import PLAN, PLAN_PROPERTIES, PROPERTIES, canonical_names, spellings
from ecomkit.shop import open_shop
from tests.calls import order, page, server, track
from tests.tables import rows

# Segment's own list of V1 names.
V1_NAMES = {
    "Viewed Product Category": "Product List Viewed",
    "Viewed Promotion": "Promotion Viewed",
    "Clicked Promotion": "Promotion Clicked",
    "Clicked Product": "Product Clicked",
    "Viewed Product": "Product Viewed",
    "Added Product": "Product Added",
    "Removed Product": "Product Removed",
    "Started Order": "Checkout Started",
    "Viewed Checkout Step": "Checkout Step Viewed",
    "Completed Checkout Step": "Checkout Step Completed",
    "Updated Order": "Order Updated",
    "Completed Order": "Order Completed",
}
KINDS = {"id", "text", "money", "number", "list"}


def reasons(shop, outcome):
    return {row["reason"]: row["rows"] for row in rows(shop.row_reasons.filter(_.outcome == outcome))}


def test_every_property_of_every_event_is_described():
    named = {name for event in PLAN.values() for name in (*event.required, *event.optional)}
    assert named - set(PLAN_PROPERTIES) == set()
    assert {known.kind for known in PLAN_PROPERTIES.values()} == KINDS


def test_what_an_event_must_say_is_read():
    required = {name for event in PLAN.values() for name in event.required}
    assert {name for name in required if not PLAN_PROPERTIES[name].kept} == set()


def test_no_name_stands_for_two_events_and_no_key_for_two_properties():
    names = [name for event_name, event in PLAN.items() for name in (event_name, *event.aliases)]
    assert len(canonical_names()) == len(names)
    keys = [key for found in PROPERTIES.values() for key in found]
    assert len(keys) == len(set(keys))


def test_what_people_write_to_each_other_is_never_read():
    private = {"share_message", "recipient", "review_body"}
    assert private <= set(PLAN_PROPERTIES)
    assert private & set(PROPERTIES) == set()


@pytest.mark.parametrize(
    ("sent", "known"),
    [
        *V1_NAMES.items(),
        ("order_completed", "Order Completed"),
        ("orderCompleted", "Order Completed"),
        ("OrderCompleted", "Order Completed"),
        (" ORDER COMPLETED ", "Order Completed"),
        ("Order-Completed", "Order Completed"),
        ("Order Canceled", "Order Cancelled"),
        ("Email Clicked", "Email Link Clicked"),
        ("Cream Whipped", "Cream Whipped"),
        (" Cream Whipped", "Cream Whipped"),
        ("Ordercompleted", "Ordercompleted"),
        ("", None),
        ("§§", "§§"),
    ],
)
def test_names_of_events_in_every_spelling(sent, known):
    columns = {name: "string" for name in ("call_type", "event", "user_agent", "library", "anonymous_id", "user_id")}
    instants = ("sent_timestamp", "original_timestamp", "sent_at", "received_at")
    schema = columns | {"customer_id": "string"} | dict.fromkeys(instants, "timestamp('UTC')")
    calls = ibis.memtable([dict.fromkeys(schema) | {"call_type": "track", "event": sent}], schema=schema)
    [row] = rows(named_calls(calls))
    assert row["event_name"] == known


def test_camel_case_and_v1_keys_are_the_same_property():
    assert spellings("order_id") == ("order_id", "orderId")
    assert spellings("email_subject") == ("email_subject", "emailSubject", "subject")


def test_an_old_history_is_read_with_its_own_names(make_shop):
    products = [{"id": "p1", "price": "4.50", "quantity": 2}]
    shop = open_shop(
        make_shop(
            track("Viewed Product", user="u", id="p1", price=4.5),
            track("Completed Order", user="u", orderId="o1", revenue=9, currency="EUR", products=products),
            track("Completed Order", user="u", id="o2", revenue=9, currency="EUR", products=products),
        )
    )
    assert [row["order_id"] for row in rows(shop.orders.order_by("order_id"))] == ["o1", "o2"]
    viewed = rows(shop.product_events.filter(_.event_name == "Product Viewed"))
    assert [row["product_id"] for row in viewed] == ["p1"]
    assert [row["product_id"] for row in rows(shop.order_lines)] == ["p1", "p1"]
    assert reasons(shop, "corrected")["event name in an older spelling"] == 3


def test_each_correction_is_counted_once_per_call(make_shop):
    items = [{"product_id": "p", "price": 5}, {"product_id": "q", "price": 5, "quantity": "many"}, {"product_id": "r"}]
    undated = page(device="d2")
    del undated["timestamp"]
    unnumbered = page(device="d3")
    del unnumbered["messageId"]
    shop = open_shop(
        make_shop(
            server("Order Completed", user="u", order_id="o1", revenue="10.00", currency="EUR", products=items),
            server("Order Completed", user="u", order_id="o2", revenue="$10", tax="none", products=[]),
            server("Checkout Started", user="u", order_id="o1", value=10, currency="EUR", products=items[:1]),
            undated,
            unnumbered,
        )
    )
    assert reasons(shop, "corrected") == {
        "item with a quantity that is no number: taken as one": 1,
        "item without a quantity: taken as one": 1,
        "money sent as text": 2,
        "money that is no number: left out": 1,
        "money with a currency sign": 1,
        "no message id: made from what was sent": 1,
        "no timestamp: worked out from the arrival": 1,
        "total sent as value": 1,
    }
    [log] = rows(shop.build_log.filter(_.step == "read calls"))
    assert (log["rows_in"], log["rows_out"], log["rows_corrected"]) == (5, 5, 5)


def test_what_a_kept_call_lacks_is_counted(make_shop):
    shop = open_shop(
        make_shop(
            track("Product Viewed"),
            track("Product Viewed", product_id="p"),
            track("Products Searched"),
            track("Order Completed", user="u", order_id="o1", revenue=5),
        )
    )
    assert reasons(shop, "incomplete") == {
        "Order Completed without products": 1,
        "Product Viewed without product_id": 1,
        "Products Searched without query": 1,
    }
    assert len(rows(shop.events)) == 4


def test_late_calls_count_on_their_own_day_and_future_and_far_past_ones_are_set_apart(make_shop):
    late = server("Order Completed", at="2026-09-01T10:00:00Z", user="u", **order("late"))
    late |= {"receivedAt": "2026-09-30T10:00:00Z", "sentAt": "2026-09-30T10:00:00Z"}
    ahead = page(at="2026-10-02T10:00:01Z") | {"receivedAt": "2026-10-01T10:00:00Z"}
    on_time = page(at="2026-10-02T10:00:00Z", device="edge") | {"receivedAt": "2026-10-01T10:00:00Z"}
    shop = open_shop(make_shop(late, ahead, on_time, page(at="1999-12-31T23:59:59Z"), page(at="2000-01-01T00:00:00Z")))
    assert [row["ordered_at"].isoformat() for row in rows(shop.orders)] == ["2026-09-01T10:00:00+00:00"]
    assert reasons(shop, "quarantined") == {"dated before 2000": 1, "dated more than a day after its arrival": 1}
    assert "edge" in {row["anonymous_id"] for row in rows(shop.events)}


def test_products_in_any_form_are_items(make_shop):
    def sold(number, products):
        return server("Order Completed", user="u", order_id=f"o{number}", revenue=5, currency="EUR", products=products)

    item = {"product_id": "p", "price": 5, "quantity": 1}
    forms = ['[{"productId": "p", "price": "5"}]', item, [item], [None, "x", item], "[p, q]", [], [[item]], 7]
    shop = open_shop(make_shop(*[sold(number, form) for number, form in enumerate(forms)]))
    lines = {row["order_id"] for row in rows(shop.order_lines)}
    assert lines == {"o0", "o1", "o2", "o3"}
    assert len(rows(shop.orders)) == len(forms)
    assert {float(row["revenue"]) for row in rows(shop.orders)} == {5.0}
    assert reasons(shop, "corrected")["products that are no list of items: left out"] == 3


def test_the_plan_names_the_orders_that_need_an_id():
    assert {name for name in tracking_plan.ORDER_EVENTS if "order_id" not in PLAN[name].required} == set()


def test_a_coupon_is_known_by_its_code_its_name_or_its_id():
    assert PROPERTIES["coupon"] == ("coupon", "coupon_name", "coupon_id")
