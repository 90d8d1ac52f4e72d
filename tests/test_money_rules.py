"""Senders' money conventions: each told from its orders, and each read as the same revenue."""

import itertools
import json
from decimal import Decimal

import ibis
import pyarrow as pa
import pytest
from ibis import _

from ecomkit.column_types import MONEY
from ecomkit.pipeline.money_rules import RULES, SPEC_RULE
from ecomkit.pipeline.order_money import with_money_rule
from ecomkit.shop import open_shop
from ecomkit.source_settings import MONEY_RULES
from tests.calls import server
from tests.conftest import TOML

# What five customers bought: goods after discount and without tax, discount, shipping, tax.
BASKETS = [(22.5, 2.5, 3, 2), (40, 0, 3, 0), (54, 6, 0, 5.4), (10, 0, 0, 0), (18, 0, 4, 1.5)]

# Sender -> what it sends of items, discount, shipping and tax, typed from its own documents.
SENDERS = {
    "after_discount": lambda items, off, ship, tax: {"revenue": items - off, "total": items - off + ship + tax},
    "before_discount": lambda items, off, ship, tax: {"revenue": items, "total": items - off + ship + tax},
    "discount_ignored": lambda items, off, ship, tax: {"revenue": items, "total": items + ship + tax},
    "revenue_is_total": lambda items, off, ship, tax: {"revenue": items - off + ship + tax},
    "total_is_goods": lambda items, off, ship, tax: {"total": items - off},
    "tax_in_prices": lambda items, off, ship, tax: {"revenue": items - off - tax, "total": items - off + ship},
    "tax_in_revenue": lambda items, off, ship, tax: {"revenue": items - off, "total": items - off + ship},
}
TAX_IN_PRICES = ("tax_in_prices", "tax_in_revenue")
NAMES = [pytest.param(name, id=name) for name in SENDERS]

DRAFT = {
    **{name: "string" for name in ("order_id", "source", "spelling")},
    **{name: MONEY for name in ("revenue", "subtotal", "total", "discount", "shipping", "tax", "lines_gross")},
    "lines_priced": "boolean",
}
MONEY_NAMES = [name for name, kind in DRAFT.items() if kind == MONEY]


def drafts(*rows):
    """Type orders as drafts with the sum of their items."""
    known = {"source": "s", "spelling": "ordercompleted", "lines_priced": True}
    typed = [known | {"order_id": f"{number:03}"} | row for number, row in enumerate(rows)]
    for row in typed:
        row |= {name: Decimal(str(round(row[name], 4))) for name in MONEY_NAMES if row.get(name) is not None}
    return ibis.memtable(pa.Table.from_pylist(typed, schema=ibis.schema(DRAFT).to_pyarrow()))


def sent_by(sender, *, items=True, baskets=BASKETS, **more):
    """The orders of one sender, as drafts."""
    for goods, off, ship, tax in baskets:
        gross = goods + off + (tax if sender in TAX_IN_PRICES else 0)
        parts = {"discount": off, "shipping": ship, "tax": tax, "lines_gross": gross if items else None}
        yield {**parts, "lines_priced": items or None, **SENDERS[sender](gross, off, ship, tax), **more}


def read(*rows, rule="detect", by_source=None):
    table = with_money_rule(drafts(*rows), rule=rule, by_source=by_source or {})
    return table.order_by("order_id").to_pyarrow().to_pylist()


def column(rows, name):
    return [float(row[name]) for row in rows]


def test_the_settings_name_every_rule():
    assert ("detect", *(rule.name for rule in RULES)) == MONEY_RULES
    assert set(SENDERS) == {rule.name for rule in RULES if rule.is_detected}


def test_no_two_detected_rules_send_the_same_sums():
    for first, second in itertools.combinations([rule for rule in RULES if rule.is_detected], 2):
        assert (first.revenue, first.total) != (second.revenue, second.total), (first.name, second.name)


@pytest.mark.parametrize("sender", NAMES)
def test_each_sender_is_told_and_read_as_the_same_revenue(sender):
    rows = read(*sent_by(sender))
    assert {row["money_rule"] for row in rows} == {sender}
    assert column(rows, "revenue") == [22.5, 40, 54, 10, 18]
    assert column(rows, "order_total") == [27.5, 43, 59.4, 10, 23.5]
    assert column(rows, "gross") == [25, 40, 60, 10, 18]
    assert column(rows, "discount") == [2.5, 0, 6, 0, 0]
    assert {row["fits_rule"] for row in rows} == {True}


@pytest.mark.parametrize("sender", NAMES)
def test_one_odd_order_of_ten_does_not_change_the_rule_and_is_known(sender):
    rows = read(*sent_by(sender, baskets=BASKETS * 9), *[{**row, "revenue": 7, "total": 3} for row in sent_by(sender)])
    assert {row["money_rule"] for row in rows} == {sender}
    assert column(rows, "revenue")[:45] == [22.5, 40, 54, 10, 18] * 9
    assert [row["fits_rule"] for row in rows] == [True] * 45 + [False] * 5


def test_senders_of_one_shop_are_told_apart_by_source_and_by_spelling():
    old = sent_by("before_discount", source="shop", spelling="completedorder")
    new = sent_by("after_discount", source="shop", spelling="ordercompleted")
    app = sent_by("revenue_is_total", source="app")
    rows = read(*old, *new, *app)
    rules = ["before_discount"] * 5 + ["after_discount"] * 5 + ["revenue_is_total"] * 5
    assert [row["money_rule"] for row in rows] == rules
    assert column(rows, "revenue") == [22.5, 40, 54, 10, 18] * 3


@pytest.mark.parametrize(
    ("orders", "revenue"),
    [
        pytest.param([{"revenue": 10, "lines_gross": 10}], 10, id="no discount, shipping or tax"),
        pytest.param([{"revenue": 20, "discount": 5}], 20, id="no items and no total"),
        pytest.param([{"total": 30, "shipping": 4, "tax": 1}], 25, id="total alone"),
        pytest.param([{"subtotal": 25, "total": 30, "tax": 1}], 25, id="subtotal before total"),
        pytest.param([{"lines_gross": 20, "discount": 5}], 15, id="items alone"),
        pytest.param([{"discount": 5}], 0, id="a discount alone"),
        pytest.param([{"revenue": 1, "discount": 5, "lines_gross": 20}], 1, id="fits no rule"),
    ],
)
def test_what_tells_nothing_is_read_by_the_spec(orders, revenue):
    [row] = read(*orders)
    assert (row["money_rule"], float(row["revenue"])) == (SPEC_RULE, revenue)


@pytest.mark.parametrize("sender", ["after_discount", "before_discount", "tax_in_revenue"])
def test_without_items_the_difference_of_total_and_revenue_tells(sender):
    rows = read(*sent_by(sender, items=False))
    assert {row["money_rule"] for row in rows} == {sender}
    assert column(rows, "revenue") == [22.5, 40, 54, 10, 18]


def test_items_of_which_one_has_no_price_tell_nothing():
    [row] = read({"revenue": 25, "discount": 5, "lines_gross": 25, "lines_priced": False})
    assert (row["money_rule"], float(row["revenue"]), float(row["gross"])) == (SPEC_RULE, 25, 30)
    assert row["fits_rule"] is None


def test_a_cent_of_rounding_fits():
    rows = read({"revenue": 25.01, "discount": 5, "lines_gross": 25}, {"revenue": 25.02, "lines_gross": 25})
    assert [row["money_rule"] for row in rows] == ["before_discount"] * 2
    assert [row["fits_rule"] for row in rows] == [True, False]


def test_a_rule_of_the_source_comes_before_the_shops_and_that_before_detection():
    orders = [{**row, "source": source} for source in ("a", "b", "c") for row in sent_by("before_discount")]
    rows = read(*orders, rule="after_discount", by_source={"b": "revenue_is_total", "c": "detect"})
    rules = [row["money_rule"] for row in rows]
    assert rules == ["after_discount"] * 5 + ["revenue_is_total"] * 5 + ["before_discount"] * 5
    assert column(rows, "revenue") == [25, 40, 60, 10, 18, 20, 37, 54.6, 10, 12.5, 22.5, 40, 54, 10, 18]


def test_discounts_that_are_in_the_prices_already_must_be_named():
    orders = list(sent_by("discount_ignored"))
    assert {row["money_rule"] for row in read(*orders)} == {"discount_ignored"}
    rows = read(*orders, rule="discount_in_prices")
    assert column(rows, "revenue") == [25, 40, 60, 10, 18]
    assert column(rows, "gross") == [27.5, 40, 66, 10, 18]


def test_order_files_need_no_rule_unless_their_source_names_one():
    order = {"revenue": 119, "tax": 19, "lines_gross": 124, "discount": 5, "spelling": None}
    rows = read({**order, "source": "a"}, {**order, "source": "b"}, rule="before_discount")
    assert [(row["money_rule"], float(row["revenue"]), row["fits_rule"]) for row in rows] == [
        ("after_discount", 119, None)
    ] * 2
    [own] = read(order, rule="before_discount", by_source={"s": "tax_in_revenue"})
    assert (own["money_rule"], float(own["revenue"]), float(own["gross"])) == ("tax_in_revenue", 100, 105)


def test_a_rule_does_not_take_revenue_below_zero_but_leaves_what_was_sent_below_it():
    rows = read(
        {"revenue": 3, "discount": 5, "lines_gross": 3}, {"revenue": -7, "lines_gross": -7}, rule="before_discount"
    )
    assert column(rows, "revenue") == [0, -7]


def test_seven_sources_of_one_shop_are_told_apart_and_their_lines_add_up(make_shop):
    toml, files = TOML.split("[[source]]")[0], {}
    for sender in SENDERS:
        toml += f'[[source]]\nkind = "segment_files"\npath = "{sender}.ndjson"\n'
        calls = []
        for number, sent in enumerate(sent_by(sender)):
            gross = sent.pop("lines_gross")
            sent.pop("lines_priced")
            # As arithmetic on floats leaves it.
            sent |= {name: sent[name] - 1e-12 for name in ("revenue", "total") if name in sent}
            products = [{"product_id": "a", "price": 1, "quantity": 2}, {"product_id": "b", "price": gross - 2}]
            calls.append(server("Order Completed", user="u", order_id=f"{sender}-{number}", products=products, **sent))
        files[f"{sender}.ndjson"] = "\n".join(json.dumps(call) for call in calls)
    shop = open_shop(make_shop(toml=toml, files=files))
    made = shop.orders.order_by("order_id").to_pyarrow().to_pylist()
    assert len(made) == 35
    assert all(row["money_rule"] == row["order_id"].split("-")[0] for row in made)
    assert column(made, "revenue") == [22.5, 40, 54, 10, 18] * 7
    assert column(made, "order_total") == [27.5, 43, 59.4, 10, 23.5] * 7
    assert all(row["gross"] - row["discount"] == row["revenue"] for row in made)
    lines = shop.order_lines.group_by("order_id").agg(lines=_.line_revenue.sum())
    assert shop.orders.join(lines, "order_id").filter(_.lines != _.revenue).count().to_pyarrow().as_py() == 0


def test_orders_that_do_not_fit_the_rule_are_counted_with_their_money(make_shop):
    odd = {"revenue": 20, "total": 99, "discount": 5, "products": [{"product_id": "a", "price": 25}]}
    fine = {"revenue": 20, "total": 23, "discount": 5, "shipping": 3, "products": [{"product_id": "a", "price": 25}]}
    toml = TOML + 'money_rule = "after_discount"\n[money]\nrule = "before_discount"\n'
    shop = open_shop(
        make_shop(
            server("Order Completed", user="u", order_id="o1", **odd),
            server("Order Completed", user="u", order_id="o2", **fine),
            toml=toml,
        )
    )
    [row] = shop.row_reasons.filter(_.step == "orders").to_pyarrow().to_pylist()
    assert row == {
        "step": "orders",
        "outcome": "kept",
        "reason": "money does not fit the rule 'after_discount'",
        "rows": 1,
        "amount": Decimal("20.0000"),
    }
