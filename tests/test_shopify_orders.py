"""Shopify's orders export: order values on the first row, tax in or on top, what was sent back, who bought."""

import hashlib
from decimal import Decimal

import pytest
from ibis import _

from ecomkit.errors import SourceError
from ecomkit.shop import open_shop
from tests.calls import identify, page, server
from tests.calls import order as called_order
from tests.shopify import HEADER, export, order
from tests.tables import rows

TOML = """
[shop]
name = "Shopify"
time_zone = "UTC"
currency = "EUR"
[[source]]
kind = "order_files"
format = "shopify"
path = "orders_export.csv"
"""
CALLS = '[[source]]\nkind = "segment_files"\npath = "calls.ndjson"\n'


def shop_of(make_shop, *orders, toml=TOML, calls=()):
    return open_shop(make_shop(*calls, toml=toml, files={"orders_export.csv": export(*orders)}))


def corrections(shop):
    return {row["reason"]: row["rows"] for row in rows(shop.row_reasons.filter(_.outcome == "corrected"))}


def hashed(address):
    return hashlib.sha256(f"test{address}".encode()).hexdigest()


def test_order_values_come_from_the_first_row_and_lines_from_all(make_shop):
    shop = shop_of(
        make_shop,
        order(
            "#1001", ("TEE", 2, 20.0), ("MUG", 1, 10.0), Subtotal="45.00", Shipping="6.00", Taxes="3.15", Total="54.15",
            Discount_Code="FALL5", Discount_Amount="5.00",
        ),
    )  # fmt: skip
    [found] = rows(shop.orders)
    money = {name: float(found[name]) for name in ("gross", "discount", "revenue", "shipping", "tax", "order_total")}
    assert money == {"gross": 50, "discount": 5, "revenue": 45, "shipping": 6, "tax": 3.15, "order_total": 54.15}
    assert (found["order_id"], found["coupon"], found["country"]) == ("686614931001", "FALL5", "IE")
    assert found["ordered_at"].isoformat() == "2026-03-02T15:00:05+00:00"
    assert (found["customer_id"], found["status"]) == (f"guest:{hashed('ada@example.com')}", "completed")
    lines = [(row["sku"], row["name"], row["brand"], row["quantity"]) for row in rows(shop.order_lines)]
    assert lines == [("TEE", "Thing TEE", "Leaf", 2), ("MUG", "Thing MUG", "Leaf", 1)]
    assert [float(row["line_revenue"]) for row in rows(shop.order_lines)] == [36, 9]
    assert corrections(shop) == {}


@pytest.mark.slow
def test_tax_in_the_prices_is_taken_out_of_revenue_shipping_and_lines(make_shop):
    # 120 of goods and 12 of shipping hold 22 of tax: 20 %.
    shop = shop_of(make_shop, order("#1", ("TEE", 2, 60.0), Subtotal="120", Shipping="12", Taxes="22", Total="132"))
    [found] = rows(shop.orders)
    money = [float(found[name]) for name in ("gross", "discount", "revenue", "shipping", "tax", "order_total")]
    assert money == [100, 0, 100, 10, 22, 132]
    [line] = rows(shop.order_lines)
    assert (float(line["unit_price"]), float(line["line_gross"]), float(line["line_revenue"])) == (50, 100, 100)
    assert corrections(shop) == {"prices include tax: taken out": 1}


@pytest.mark.slow
def test_one_export_may_hold_orders_with_tax_in_and_on_top(make_shop):
    on_top = order("#1", ("TEE", 1, 100.0), Taxes="20", Total="120")
    tax_in = order("#2", ("TEE", 1, 120.0), Taxes="20", Total="120")
    # A tip makes the sum of neither: read as in most orders of the file.
    unclear = order("#3", ("TEE", 1, 120.0), Taxes="20", Total="125")
    shop = shop_of(make_shop, on_top, tax_in, order("#4", ("TEE", 1, 60.0), Taxes="10", Total="60"), unclear)
    assert [float(row["revenue"]) for row in rows(shop.orders.order_by("order_id"))] == [100, 100, 100, 50]
    assert corrections(shop) == {
        "prices include tax: taken out": 3,
        "total does not add up: tax read as in most orders of the file": 1,
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("refunded", "values", "amount", "status"),
    [
        ("54.00", {}, 45, "refunded"),
        ("49.50", {}, 45, "refunded"),
        ("11.00", {}, 10, "partially_refunded"),
        ("60.00", {}, 45, "refunded"),
    ],
    ids=["all", "goods but not shipping", "a part with its tax", "more than all"],
)
def test_a_refund_sends_goods_with_their_tax_back_and_never_more_than_revenue(
    make_shop, refunded, values, amount, status
):
    values = {"Shipping": "4.09", "Taxes": "4.91", "Total": "54.00", "Refunded_Amount": refunded} | values
    shop = shop_of(make_shop, order("#1", ("TEE", 1, 45.0), **values))
    [found] = rows(shop.refunds)
    assert (float(found["amount"]), found["order_id"]) == (pytest.approx(amount, abs=0.01), "686614931")
    assert found["refunded_at"].isoformat() == "2026-03-02T15:00:05+00:00"
    assert rows(shop.orders)[0]["status"] == status
    assert corrections(shop) == {"refund without a day: dated by its order": 1}


@pytest.mark.slow
def test_cancelled_and_void_orders_are_cancelled_and_unpaid_ones_are_not(make_shop):
    shop = shop_of(
        make_shop,
        order("#1", ("TEE", 1, 5.0), Cancelled_at="2026-03-03 09:00:00 -0500", Refunded_Amount="5.00"),
        order("#2", ("TEE", 1, 5.0), Financial_Status="voided"),
        order("#3", ("TEE", 1, 5.0), Financial_Status="pending"),
        order("#4", ("TEE", 1, 5.0), Financial_Status="expired"),
    )
    found = [row["status"] for row in rows(shop.orders.order_by("order_id"))]
    assert found == ["cancelled", "cancelled", "completed", "cancelled"]
    assert [row["refunded_at"].isoformat() for row in rows(shop.refunds)] == ["2026-03-03T14:00:00+00:00"]
    assert corrections(shop) == {
        "refund without a day: dated by its cancellation": 1,
        "void without a day: cancelled when ordered": 2,
    }


@pytest.mark.slow
def test_guests_with_one_address_are_one_customer_and_none_is_nobody(make_shop):
    shop = shop_of(
        make_shop,
        order("#1", ("TEE", 1, 5.0)),
        order("#2", ("TEE", 1, 5.0), Email=" Ada@Example.com", Created_at="2026-03-05 10:00:00 +0000"),
        order("#3", ("TEE", 1, 5.0), Email=""),
    )
    found = [(row["customer_id"], row["order_number"]) for row in rows(shop.orders.order_by("order_id"))]
    ada = f"guest:{hashed('ada@example.com')}"
    assert found == [(ada, 1), (ada, 2), (None, None)]


@pytest.mark.slow
def test_people_and_orders_known_from_calls_are_the_same(make_shop):
    calls = [
        page("d1", "2026-03-02T14:50:00Z"),
        identify("u1", "d1", "2026-03-02T14:55:00Z", email="ADA@example.com"),
        server("Order Completed", "2026-03-02T15:00:05Z", user="u1", **called_order("686614931", revenue=5.0)),
        server("Order Completed", "2026-03-02T15:00:05Z", user="u1", **called_order("#2", revenue=5.0)),
        server("Order Completed", "2026-03-02T15:00:05Z", user="u1", **called_order("3", revenue=5.0)),
    ]
    kept = [order(f"#{number}", ("TEE", 1, 5.0), Refunded_Amount="5.00") for number in range(1, 5)]
    shop = shop_of(make_shop, *kept, toml=TOML + CALLS, calls=calls)
    found = [(row["order_id"], row["customer_id"], row["status"]) for row in rows(shop.orders.order_by("order_id"))]
    refunded = ("user:u1", "refunded")
    assert found == [("#2", *refunded), ("3", *refunded), ("686614931", *refunded), ("686614934", *refunded)]
    assert [row["person_id"] for row in rows(shop.people)] == ["user:u1"]
    [step] = rows(shop.build_log.filter(_.step == "orders"))
    assert (step["rows_in"], step["rows_out"], step["duplicates"]) == (7, 4, 3)


@pytest.mark.slow
def test_a_refund_that_calls_tell_is_not_told_again(make_shop):
    calls = [
        server("Order Completed", "2026-03-02T15:00:05Z", user="u1", **called_order("686614931", revenue=5.0)),
        server("Order Refunded", "2026-03-09T15:00:05Z", user="u1", order_id="686614931", total=2.0),
    ]
    shop = shop_of(
        make_shop, order("#1", ("TEE", 1, 5.0), Refunded_Amount="2.00"), toml=TOML + CALLS, calls=calls
    )  # fmt: skip
    assert [(row["refunded_at"].day, float(row["amount"])) for row in rows(shop.refunds)] == [(9, 2.0)]


def test_parts_are_one_export_and_an_order_in_two_files_counts_once_furthest_along(make_shop):
    toml = TOML.replace("orders_export.csv", "export")
    folder = make_shop(toml=toml)
    (folder / "export").mkdir()
    long = order("#7", *[(f"S{number}", 1, 1.0) for number in range(4)])
    parts = {
        "orders_export_2.csv": [order("#1", ("TEE", 1, 5.0), Refunded_Amount="5.00"), long[:2]],
        "orders_export_10.csv": [long[2:], order("#1", ("TEE", 1, 5.0)), order("#2", ("TEE", 1, 5.0))],
    }
    for name, orders in parts.items():
        (folder / "export" / name).write_text(export(*orders))
    shop = open_shop(folder)
    found = [(row["order_id"], row["status"], float(row["revenue"])) for row in rows(shop.orders.order_by("order_id"))]
    assert found == [("686614931", "refunded", 5), ("686614932", "completed", 5), ("686614937", "completed", 4)]
    assert shop.order_lines.count().to_pyarrow().as_py() == 6
    [step] = rows(shop.build_log.filter(_.step == "read order lines"))
    assert (step["rows_in"], step["rows_out"], step["duplicates"]) == (7, 6, 1)


@pytest.mark.slow
def test_test_orders_and_staff_are_excluded_by_name(make_shop):
    toml = TOML + '[exclude]\nstaff = ["@shop.example"]\ntest_orders = ["^#9"]\n'
    shop = shop_of(
        make_shop,
        order("#1", ("TEE", 1, 5.0), ("MUG", 1, 2.0), Payment_Method="bogus"),
        order("#2", ("TEE", 1, 5.0), Email="Bo@Shop.example"),
        order("#91", ("TEE", 1, 5.0)),
        order("#4", ("TEE", 1, 5.0)),
        toml=toml,
    )
    assert [row["order_id"] for row in rows(shop.orders)] == ["686614934"]
    reasons = {(row["outcome"], row["reason"]): row["rows"] for row in rows(shop.row_reasons)}
    assert reasons == {("excluded", "staff"): 1, ("excluded", "test order"): 3}


def test_notes_over_many_lines_and_unusable_rows_keep_their_line_and_no_secret(make_shop):
    broken = order("#3", ("TEE", 1, "five"), Subtotal="5", Notes="Call 020 7946 0018\n\nor Ada, 12 Analytical Lane")
    tail = order("#8", ("TEE", 1, 5.0), ("MUG", 1, 5.0))[1:]
    late = order("#4", ("TEE", 1, 5.0), Created_at="soon")
    text = export(order("#1", ("TEE", 1, 5.0), Notes='Two\nlines, "quoted"'), broken, tail, late)
    text += "\n#5,Ada Lovelace,020 7946 0018" + ",x" * 100 + "\n"
    shop = open_shop(make_shop(toml=TOML, files={"orders_export.csv": text}))
    assert [row["order_id"] for row in rows(shop.orders)] == ["686614931"]
    found = {row["line_number"]: (row["reason"], row["raw"]) for row in rows(shop.quarantine)}
    assert {line: reason for line, (reason, _raw) in found.items()} == {
        4: "no readable price",
        7: "the first row of its order is missing",
        8: "no readable time",
        10: "not a row of the table",
    }
    assert found[4][1].startswith("#3,***,paid,***,***,,***,EUR,5,0.00,0.00,0.00,,0.00,,2026-03-02 10:00:05 -0500,1,")
    assert found[10][1].startswith("#x,xxx xxxxxxxx,xxx xxxx xxxx,x,x")
    told = repr(found)
    for secret in ("Ada", "Lovelace", "ada@", "7946", "Analytical", "Ockham", "1815"):
        assert secret not in told
    [step] = rows(shop.build_log.filter(_.step == "read order lines"))
    assert (step["rows_in"], step["rows_out"], step["rows_quarantined"]) == (5, 1, 4)


def test_nothing_personal_is_stored(make_shop):
    shop = shop_of(make_shop, order("#1", ("TEE", 1, 5.0), Notes="Ring Ada"), order("#2", ("TEE", "x", 5)))
    stored = repr([rows(shop.con.table(name)) for name in shop.con.list_tables()])
    for secret in ("Ada", "Lovelace", "ada@", "7946", "Analytical", "Ockham", "1815"):
        assert secret not in stored


def test_an_id_that_a_spreadsheet_spoilt_gives_way_to_the_name(make_shop):
    shop = shop_of(
        make_shop, order("#1", ("TEE", 1, 5.0), Id="6.86615E+12"), order("#2", ("TEE", 1, 5.0), Id="6.86615E+12"),
        order("#3", ("TEE", 1, 5.0), Id="42.0"),
    )  # fmt: skip
    assert sorted(row["order_id"] for row in rows(shop.orders)) == ["1", "2", "42"]
    assert corrections(shop) == {"no readable Id: goes by its name": 2}


def test_the_subtotal_counts_where_items_do_not_add_up_to_it(make_shop):
    shop = shop_of(
        make_shop,
        order("#1", ("TEE", 1, 30.0), ("GONE", 1, 10.0), Subtotal="30.00", Total="30.00"),
        # A discount of 9 of which 4 were taken off the shipping.
        order("#2", ("TEE", 1, 30.0), Subtotal="25.00", Total="25.00", Discount_Amount="9.00"),
    )
    found = [
        [float(row[name]) for name in ("gross", "discount", "revenue")]
        for row in rows(shop.orders.order_by("order_id"))
    ]
    assert found == [[40, 10, 30], [30, 5, 25]]
    assert corrections(shop) == {"items less discount are not the subtotal: the subtotal counts": 1}


def test_an_order_without_items_keeps_its_money(make_shop):
    blank = dict.fromkeys(("Lineitem quantity", "Lineitem name", "Lineitem price", "Lineitem sku"), "")
    [row] = order("#1", ("TEE", 1, 5.0))
    shop = shop_of(make_shop, [row | blank])
    assert [float(row["revenue"]) for row in rows(shop.orders)] == [5]
    assert rows(shop.order_lines) == []


@pytest.mark.slow
def test_numbers_do_not_depend_on_the_order_of_orders(make_shop):
    made = [
        order(f"#{n}", ("TEE", n, 7.0), ("MUG", 1, 3.3), Taxes="1", Total=f"{7 * n + 3.3:.2f}") for n in range(1, 6)
    ]
    first = rows(shop_of(make_shop, *made).orders.order_by("order_id"))
    again = rows(shop_of(make_shop, *reversed(made)).orders.order_by("order_id"))
    assert first == again
    assert sum(row["revenue"] + row["tax"] for row in first) == Decimal("121.5")


def test_what_is_no_export_says_what_it_lacks(make_shop):
    folder = make_shop(toml=TOML, files={"orders_export.csv": "Name,Total\n#1,5\n"})
    with pytest.raises(SourceError) as caught:
        open_shop(folder)
    assert str(caught.value) == (
        f"'{folder / 'orders_export.csv'}' (source 'orders_export') is not an orders export of Shopify: it lacks "
        "'Email', 'Financial Status', 'Subtotal', 'Created at', 'Lineitem quantity', 'Lineitem price'. "
        "It has 'Name', 'Total'. Export it again (Orders, Export, plain CSV file), or map its columns in shop.toml "
        "without 'format'."
    )


def test_a_missing_path_and_an_empty_folder_say_so(make_shop):
    folder = make_shop(toml=TOML)
    path = folder / "orders_export.csv"
    with pytest.raises(SourceError) as caught:
        open_shop(folder)
    assert str(caught.value) == (
        f"There is no file or folder '{path}' (source 'orders_export'). "
        "Correct 'path' in shop.toml: it counts from the folder of the shop.toml."
    )
    path.mkdir()
    with pytest.raises(SourceError) as caught:
        open_shop(folder)
    assert str(caught.value) == (
        f"The folder '{path}' (source 'orders_export') holds no CSV. "
        "Put the files of Shopify's orders export there, or correct 'path' in shop.toml."
    )


def test_an_export_of_no_orders_is_an_empty_shop(make_shop):
    shop = open_shop(make_shop(toml=TOML, files={"orders_export.csv": ",".join(HEADER) + "\n"}))
    assert rows(shop.orders) == []


@pytest.mark.slow
@pytest.mark.parametrize("repeated", [("Created at",), ("Email", "Created at", "Id"), ("Id",)], ids=", ".join)
@pytest.mark.parametrize("Id", ["6866149", ""], ids=["with an Id", "without"])
def test_a_row_that_repeats_values_of_its_order_is_still_its_next_item(make_shop, repeated, Id):
    sold = order("#1001", ("TEA", 1, 20.0), ("POT", 1, 110.0), Id=Id)
    sold[1] |= {column: sold[0][column] for column in repeated}
    shop = shop_of(make_shop, sold)
    assert [(row["sku"], float(row["line_revenue"])) for row in rows(shop.order_lines)] == [("TEA", 20), ("POT", 110)]
    assert [float(row["revenue"]) for row in rows(shop.orders)] == [130]
