"""What was sent back, in revenue terms: every way that senders say it."""

import json
import random
from datetime import datetime

import pytest
from ibis import _

from ecomkit.shop import open_shop
from tests.calls import order, server, track
from tests.conftest import TOML
from tests.tables import rows

ITEMS = [{"product_id": "a", "price": 10, "quantity": 3}, {"sku": "b", "price": 20}]
# Items of 50 less 5: line a earned 27, line b 18.
SOLD = {"revenue": 45, "discount": 5, "shipping": 5, "tax": 4.5, "total": 54.5, "products": ITEMS}
B = [{"sku": "b"}]

# Case -> its refund calls as (minutes after the order, library, properties), and the amounts they come to.
CASES = {
    "nothing but the order id": ([(60, server, {})], [45], "refunded"),
    "the order's total": ([(60, server, {"total": 54.5})], [45], "refunded"),
    "the whole list": ([(60, server, {"products": ITEMS})], [45], "refunded"),
    "an empty list": ([(60, server, {"products": []})], [45], "refunded"),
    "one line": ([(60, server, {"products": B})], [18], "partially_refunded"),
    "one unit of three": ([(60, server, {"products": [{"product_id": "a"}]})], [9], "partially_refunded"),
    "more units than bought": (
        [(60, server, {"products": [{"product_id": "a", "quantity": 9}]})], [27], "partially_refunded"
    ),
    "a product not bought, with its price": (
        [(60, server, {"products": [{"product_id": "x", "price": 3.5, "quantity": 2}]})], [7], "partially_refunded"
    ),
    "a product not bought, of no price": ([(60, server, {"products": [{"product_id": "x"}]})], [45], "refunded"),
    "a sum beside the whole list": ([(60, server, {"total": 18, "products": ITEMS})], [18], "partially_refunded"),
    "a sum below zero": ([(60, server, {"total": -18})], [18], "partially_refunded"),
    "a sum as text": ([(60, server, {"revenue": "$18.00"})], [18], "partially_refunded"),
    "a zero beside a sum": ([(60, server, {"revenue": 0, "total": 18})], [18], "partially_refunded"),
    "a sum of zero": ([(60, server, {"total": 0})], [0], "completed"),
    "before its order": ([(-60, server, {"total": 18})], [18], "partially_refunded"),
    "more than was paid": ([(60, server, {"revenue": 40}), (90, server, {"revenue": 40})], [40, 5], "refunded"),
    "browser and server, whole": ([(60, server, {}), (61, track, {"total": 54.5})], [45, 0], "refunded"),
    "browser and server, a part": (
        [(60, server, {"total": 9}), (120, track, {"total": 9})], [9, 0], "partially_refunded"
    ),
    "browser and server, a line and its sum": (
        [(60, track, {"products": B}), (60, server, {"total": 18})], [18, 0], "partially_refunded"
    ),
    "browser more than an hour later": (
        [(60, server, {"total": 9}), (121, track, {"total": 9})], [9, 9], "partially_refunded"
    ),
    "two equal refunds that both report": (
        [(60, server, {"total": 9}), (61, track, {"total": 9}), (70, server, {"total": 9}), (71, track, {"total": 9})],
        [9, 0, 9, 0],
        "partially_refunded",
    ),
    "the server twice": ([(60, server, {"total": 9}), (61, server, {"total": 9})], [9, 9], "partially_refunded"),
    "the server twice at one instant": (
        [(60, server, {"total": 9}), (60, server, {"total": 9})], [9, 0], "partially_refunded"
    ),
    "cancelled and refunded": ([(60, server, {"total": 18})], [18], "cancelled"),
}  # fmt: skip


def at(minutes):
    return f"2026-10-02T{12 + minutes // 60:02}:{minutes % 60:02}:00Z"


def calls_of_cases():
    for name, (refunds, _amounts, status) in CASES.items():
        yield server("Order Completed", at(0), user="u", order_id=name, **SOLD)
        for minutes, sender, properties in refunds:
            # Ids are sent with blanks around them too.
            yield sender("Order Refunded", at=at(minutes), user="u", order_id=f" {name} ", **properties)
        if status == "cancelled":
            yield server("Order Cancelled", at(30), user="u", order_id=name, **SOLD)


def test_every_way_to_say_a_refund(make_shop):
    calls = list(calls_of_cases())
    shop = open_shop(make_shop(*calls))
    found = {name: [] for name in CASES}
    for row in rows(shop.refunds):
        found[row["order_id"]].append(float(row["amount"]))
    assert found == {name: amounts for name, (_calls, amounts, _status) in CASES.items()}
    statuses = {row["order_id"]: row["status"] for row in rows(shop.orders)}
    assert statuses == {name: status for name, (_calls, _amounts, status) in CASES.items()}
    cancelled = {row["order_id"]: row["cancelled_at"] for row in rows(shop.orders.filter(_.cancelled_at.notnull()))}
    assert cancelled == {"cancelled and refunded": datetime.fromisoformat(at(30))}


@pytest.mark.slow
def test_the_same_calls_in_another_order_and_in_other_files_give_the_same_tables(make_shop):
    calls = list(calls_of_cases())
    # Copies that arrived at one instant: the message id decides, wherever they lie.
    copies = [track("Order Completed", at=at(0), user="v", **order("twice", revenue=price)) for price in (3, 4, 5)]
    calls += [call | {"messageId": f"copy-{number}"} for number, call in enumerate(copies)]
    first = open_shop(make_shop(*calls, name="first"))
    random.Random(3).shuffle(calls)
    toml = TOML.replace('path = "calls.ndjson"', 'path = "calls/"\nname = "calls"')
    folder = make_shop(toml=toml, name="second")
    (folder / "calls").mkdir()
    for number in range(3):
        lines = "\n".join(json.dumps(call) for call in calls[number::3])
        (folder / "calls" / f"{number}.ndjson").write_text(lines, encoding="utf-8")
    second = open_shop(folder)
    for name in ("orders", "order_lines", "refunds", "refund_lines"):
        assert rows(first.con.table(name)) == rows(second.con.table(name)), name
    assert float(rows(first.orders.filter(_.order_id == "twice"))[0]["revenue"]) == 3


@pytest.mark.slow
def test_thirds_of_an_order_make_up_the_whole(make_shop):
    one = [{"product_id": "p1", "quantity": 1}]
    back = [server("Order Refunded", at(60 + n), user="u", order_id="o1", products=one) for n in range(3)]
    shop = open_shop(make_shop(server("Order Completed", at(0), user="u", **order(revenue=10.0, quantity=3)), *back))
    assert [float(row["amount"]) for row in rows(shop.refunds)] == [3.33, 3.33, 3.33]
    assert rows(shop.orders)[0]["status"] == "refunded"


def test_where_prices_hold_the_tax_a_sum_sent_back_does_too(make_shop):
    toml = TOML + 'money_rule = "tax_in_prices"\n'
    sold = {"revenue": 100, "tax": 20, "shipping": 6, "total": 126, "products": [{"product_id": "a", "price": 120}]}
    shop = open_shop(
        make_shop(
            server("Order Completed", at(0), user="u", order_id="o1", **sold),
            server("Order Refunded", at(60), user="u", order_id="o1", total=60),
            server("Order Completed", at(0), user="u", order_id="o2", **sold),
            server("Order Refunded", at(61), user="u", order_id="o2", revenue=50),
            server("Order Completed", at(0), user="u", order_id="o3", **sold),
            server("Order Refunded", at(62), user="u", order_id="o3", total=120),
            toml=toml,
        )
    )
    assert [float(row["amount"]) for row in rows(shop.refunds)] == [50, 50, 100]
    assert [row["status"] for row in rows(shop.orders)] == ["partially_refunded", "partially_refunded", "refunded"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("refund", "amount"),
    [
        pytest.param({"total": 5}, 5, id="its sum"),
        pytest.param({"products": [{"product_id": "a", "price": 4, "quantity": 2}]}, 8, id="its products"),
        pytest.param({}, None, id="unknown"),
    ],
)
def test_a_refund_of_an_order_nobody_knows_is_kept(make_shop, refund, amount):
    shop = open_shop(make_shop(server("Order Refunded", user="u", order_id="gone", **refund)))
    [row] = rows(shop.refunds)
    assert row["order_id"] is None
    assert (row["amount"] if amount is None else float(row["amount"])) == amount


@pytest.mark.slow
def test_a_sum_that_cannot_be_read_is_not_the_whole_order(make_shop):
    shop = open_shop(
        make_shop(
            server("Order Completed", at="2026-10-01T10:00:00Z", user="u", **order(revenue=100.0)),
            server("Order Refunded", at="2026-10-02T10:00:00Z", user="u", order_id="o1", total="five"),
            server("Order Completed", at="2026-10-01T10:00:00Z", user="u", **order("o2", revenue=100.0)),
            server("Order Refunded", at="2026-10-02T10:00:00Z", user="u", order_id="o2", total="5,00 EUR"),
        )
    )
    amounts = {row["order_id"]: row["amount"] for row in rows(shop.refunds)}
    assert amounts["o1"] is None
    assert float(amounts["o2"]) == 5.0
    assert {row["order_id"]: row["status"] for row in rows(shop.orders)} == {
        "o1": "completed",
        "o2": "partially_refunded",
    }
