from decimal import Decimal

import pytest
from ibis import _

from ecomkit.errors import SourceError
from ecomkit.shop import open_shop
from tests.calls import order, page, server, track
from tests.conftest import TOML
from tests.tables import rows


def money(row, *names):
    return tuple(float(row[name]) for name in names)


def test_an_order_sent_by_browser_and_server_counts_once_and_the_copy_is_counted(make_shop):
    shop = open_shop(
        make_shop(
            track("Order Completed", at="2026-10-01T10:00:02Z", **order(revenue=10)),
            server("Order Completed", at="2026-10-01T10:00:00Z", user="ana", **order(revenue=10)),
        )
    )
    [row] = rows(shop.orders)
    assert row["customer_id"] == "user:ana"
    assert row["session_rule"] == "same device"
    assert row["ordered_at"].isoformat() == "2026-10-01T10:00:00+00:00"
    [step] = rows(shop.build_log.filter(_.step == "orders"))
    assert (step["rows_in"], step["rows_out"], step["duplicates"]) == (2, 1, 1)
    [reason] = rows(shop.row_reasons.filter(_.step == "orders").drop("step"))
    assert reason == {"outcome": "duplicate", "reason": "order id seen before", "rows": 1, "amount": Decimal(10)}


def test_a_repeated_message_changes_nothing(make_shop):
    call = server("Order Completed", user="ana", **order())
    once, twice = open_shop(make_shop(call, name="once")), open_shop(make_shop(call, call, name="twice"))
    assert rows(once.orders) == rows(twice.orders)
    assert rows(twice.row_reasons)[0]["reason"] == "message id seen before"


def test_money_in_the_specs_own_example(make_shop):
    products = [{"product_id": "a", "price": 19, "quantity": 1}, {"product_id": "b", "price": 3, "quantity": 2}]
    sent = {"order_id": "o", "subtotal": 22.5, "revenue": 22.5, "discount": 2.5, "shipping": 3, "tax": 2, "total": 27.5}
    shop = open_shop(make_shop(server("Order Completed", user="u", products=products, **sent)))
    [row] = rows(shop.orders)
    assert money(row, "gross", "discount", "revenue", "shipping", "tax", "order_total") == (25, 2.5, 22.5, 3, 2, 27.5)
    assert row["money_rule"] == "after_discount"


def test_revenue_before_discount_is_detected_from_the_items(make_shop):
    sent = order(revenue=25.0, discount=2.5)
    shop = open_shop(make_shop(server("Order Completed", user="u", **sent)))
    [row] = rows(shop.orders)
    assert money(row, "gross", "discount", "revenue") == (25, 2.5, 22.5)
    assert row["money_rule"] == "before_discount"


@pytest.mark.slow
def test_a_rule_in_the_settings_overrides_detection(make_shop):
    toml = TOML + '[money]\nrule = "after_discount"\n'
    shop = open_shop(make_shop(server("Order Completed", user="u", **order(revenue=25.0, discount=2.5)), toml=toml))
    assert money(rows(shop.orders)[0], "revenue") == (25,)


def test_without_revenue_the_total_less_shipping_and_tax_counts(make_shop):
    sent = {"order_id": "o", "total": 30, "shipping": 4, "tax": 1}
    shop = open_shop(make_shop(server("Order Completed", user="u", **sent)))
    assert money(rows(shop.orders)[0], "revenue", "order_total") == (25, 30)


def test_lines_share_the_discount_to_the_cent(make_shop):
    products = [{"product_id": name, "price": 10, "quantity": 1} for name in "abc"]
    sent = {"order_id": "o", "revenue": 20, "discount": 10, "products": products}
    shop = open_shop(make_shop(server("Order Completed", user="u", **sent)))
    shares = [row["line_revenue"] for row in rows(shop.order_lines)]
    assert shares == [Decimal("6.6700"), Decimal("6.6700"), Decimal("6.6600")]
    assert sum(shares) == 20


def test_lines_of_the_fixture_add_up_to_their_orders(shop):
    lines = shop.order_lines.group_by("order_id").agg(lines=_.line_revenue.sum())
    off = shop.orders.join(lines, "order_id").filter(_.lines != _.revenue)
    assert rows(off) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("refund", "amount", "status"),
    [
        pytest.param({}, 20, "refunded", id="no amount: the whole revenue"),
        pytest.param({"total": 25}, 20, "refunded", id="the order's total: the whole revenue"),
        pytest.param({"total": 5}, 5, "partially_refunded", id="a part"),
        pytest.param({"total": 22}, 20, "refunded", id="never more than the revenue"),
        pytest.param({"revenue": 7, "total": 9}, 7, "partially_refunded", id="revenue before total"),
    ],
)
def test_refunds_are_in_revenue_terms(make_shop, refund, amount, status):
    sold = order(revenue=20.0, shipping=5, total=25)
    shop = open_shop(
        make_shop(
            server("Order Refunded", at="2026-10-01T09:00:00Z", user="u", order_id="o1", **refund),
            server("Order Completed", at="2026-10-01T10:00:00Z", user="u", **sold),
        )
    )
    assert money(rows(shop.refunds)[0], "amount") == (amount,)
    assert rows(shop.orders)[0]["status"] == status


def test_a_refund_of_an_unknown_order_is_kept_unmatched(make_shop):
    shop = open_shop(make_shop(server("Order Refunded", user="u", order_id="gone", total=5)))
    [row] = rows(shop.refunds)
    assert (row["order_id"], float(row["amount"])) == (None, 5)


def test_cancelled_orders_have_no_number_and_make_no_converted_session(make_shop):
    shop = open_shop(
        make_shop(
            track("Order Completed", at="2026-10-01T10:00:00Z", user="u", **order("o1")),
            track("Order Cancelled", at="2026-10-01T10:12:00Z", user="u", order_id="o1"),
            track("Order Completed", at="2026-10-02T10:00:00Z", user="u", **order("o2")),
        )
    )
    found = [(row["order_id"], row["status"], row["order_number"]) for row in rows(shop.orders)]
    assert found == [("o1", "cancelled", None), ("o2", "completed", 1)]
    assert [row["converted"] for row in rows(shop.sessions)] == [False, True]


def test_foreign_money_takes_the_rate_of_the_orders_day_and_its_refund_too(make_shop):
    toml = TOML + '[money]\nrates = "rates.csv"\n'
    rates = "date,currency,rate\n2026-10-01,USD,0.9\n2026-10-05,USD,0.5\n"
    shop = open_shop(
        make_shop(
            server("Order Completed", at="2026-10-01T10:00:00Z", user="u", **order(revenue=10.0, currency="USD")),
            server("Order Refunded", at="2026-10-05T10:00:00Z", user="u", order_id="o1", total=10, currency="USD"),
            toml=toml,
            files={"rates.csv": rates},
        )
    )
    [row] = rows(shop.orders)
    assert (row["currency"], float(row["revenue"])) == ("EUR", 9)
    assert float(rows(shop.refunds)[0]["amount"]) == 9


ADD_RATES = (
    "Add a line per day to the file that 'rates' names in [money] of shop.toml "
    "(columns date, currency, rate to the shop's currency)."
)


@pytest.mark.slow
def test_a_missing_rate_is_an_error_that_names_currency_rows_and_days(make_shop):
    folder = make_shop(
        server("Order Completed", at="2026-10-01T10:00:00Z", user="u", **order("o1", currency="USD")),
        server("Order Completed", at="2026-10-03T10:00:00Z", user="u", **order("o2", currency="USD")),
    )
    with pytest.raises(SourceError) as caught:
        open_shop(folder)
    assert str(caught.value) == (
        f"There is no exchange rate for 'USD': 'USD' for 2 rows from 2026-10-01 to 2026-10-03. {ADD_RATES}"
    )


@pytest.mark.slow
def test_every_missing_rate_is_named_at_once_of_orders_and_refunds(make_shop):
    folder = make_shop(
        server("Order Completed", at="2026-10-01T10:00:00Z", user="u", **order("o1", currency="usd ")),
        server("Order Completed", at="2026-10-01T10:00:00Z", user="u", **order("o2", currency="XTS")),
        server("Order Refunded", at="2026-10-09T10:00:00Z", user="u", order_id="o2", total=5, currency="GBP"),
    )
    with pytest.raises(SourceError) as caught:
        open_shop(folder)
    assert str(caught.value) == (
        "There is no exchange rate for 'GBP', 'USD', 'XTS': "
        "'GBP' for 1 rows from 2026-10-09 to 2026-10-09; 'USD' for 1 rows from 2026-10-01 to 2026-10-01; "
        f"'XTS' for 1 rows from 2026-10-01 to 2026-10-01. {ADD_RATES}"
    )


@pytest.mark.slow
def test_currencies_are_read_as_people_write_them_and_rated_on_the_local_day(make_shop):
    toml = TOML.replace('"UTC"', '"America/New_York"').replace('"EUR"', '"CAD"') + '[money]\nrates = "rates.csv"\n'
    rates = "date,currency,rate\n2026-10-01,EUR,2\n2026-10-02,eur ,3\n"
    sent = {
        "the evening before in New York": ("2026-10-02T03:59:59Z", "eur ", 20),
        "midnight in New York": ("2026-10-02T04:00:00Z", "€", 30),
        "the shop's dollar": ("2026-10-02T04:00:00Z", "$", 10),
        "in small letters": ("2026-10-02T04:00:00Z", "cad", 10),
        "blank": ("2026-10-02T04:00:00Z", " ", 10),
        "none": ("2026-10-02T04:00:00Z", None, 10),
    }
    calls = [
        server("Order Completed", at=at, user="u", **order(name, currency=currency))
        for name, (at, currency, _revenue) in sent.items()
    ]
    shop = open_shop(make_shop(*calls, toml=toml, files={"rates.csv": rates}))
    found = {row["order_id"]: (row["currency"], float(row["revenue"])) for row in rows(shop.orders)}
    assert found == {name: ("CAD", revenue) for name, (_at, _currency, revenue) in sent.items()}


@pytest.mark.parametrize("rate", ["0", "-1", ""])
def test_a_rate_that_is_not_above_zero_is_an_error(make_shop, rate):
    toml = TOML + '[money]\nrates = "rates.csv"\n'
    folder = make_shop(toml=toml, files={"rates.csv": f"date,currency,rate\n2026-10-01,USD,{rate}\n"})
    with pytest.raises(SourceError) as caught:
        open_shop(folder)
    assert str(caught.value) == (
        "The file of rates has no rate above zero for '2026-10-01 USD'. Mend or delete these lines."
    )


@pytest.mark.slow
def test_numbers_too_large_for_money_do_not_stop_a_build(make_shop):
    huge = [{"product_id": "a", "price": 9e13, "quantity": 900}, {"product_id": "b", "price": 5}]
    shop = open_shop(
        make_shop(
            server("Order Completed", user="u", order_id="o1", revenue=9e13, total=9e13, products=huge),
            server("Order Completed", user="u", order_id="o2", revenue=7e9, discount=9e13),
            server("Order Refunded", user="u", order_id="o2", total=9e13),
        )
    )
    assert [float(row["revenue"]) for row in rows(shop.orders.order_by("order_id"))] == [5, 7e9]
    assert [float(row["amount"]) for row in rows(shop.refunds)] == [7e9]


def test_staff_bots_and_test_orders_are_excluded_by_a_named_rule(make_shop):
    toml = TOML + '[exclude]\nstaff = ["@shop.example"]\ntest_orders = ["^TEST-"]\n'
    bot = track("Product Viewed", device="b", product_id="p1")
    bot["context"]["userAgent"] = "Googlebot/2.1"
    shop = open_shop(
        make_shop(
            server("Order Completed", user="sam", email="sam@shop.example", **order("o1")),
            server("Order Completed", user="sam", **order("o2")),
            server("Order Completed", user="ana", **order("TEST-1")),
            server("Order Completed", user="ana", **order("o3")),
            bot,
            {"type": "group", "messageId": "g", "userId": "ana", "groupId": "x", "timestamp": "2026-10-01T10:00:00Z"},
            toml=toml,
        )
    )
    assert [row["order_id"] for row in rows(shop.orders)] == ["o3"]
    reasons = {row["reason"]: row["rows"] for row in rows(shop.row_reasons)}
    assert reasons == {"bot": 1, "staff": 2, "test order": 1, "call type not used: group": 1}


def test_rows_in_are_kept_duplicate_excluded_or_quarantined_at_every_step(shop, tiny):
    for made in (shop, tiny):
        off = made.build_log.filter(_.rows_in != _.rows_out + _.rows_excluded + _.duplicates + _.rows_quarantined)
        assert rows(off) == []
        assert rows(made.build_log.filter(_.step == "read calls"))[0]["rows_in"] > 0


@pytest.mark.parametrize(
    ("sent", "revenue"),
    [
        ("12.50", 12.5),
        ("12,50", 12.5),
        ("1,234.50", 1234.5),
        ("1.234,50", 1234.5),
        ("1,234", 1234.0),
        ("EUR", 0.0),
        ("$ 7", 7.0),
        ("€7,9", 7.9),
    ],
)
def test_money_is_read_as_people_write_it(make_shop, sent, revenue):
    shop = open_shop(make_shop(server("Order Completed", user="u", order_id="o", revenue=sent)))
    assert money(rows(shop.orders)[0], "revenue") == (revenue,)
    reasons = {row["reason"] for row in rows(shop.row_reasons)}
    assert ("money that is no number: left out" in reasons) == (sent == "EUR")


def test_an_order_sent_again_by_a_reload_stays_in_its_first_session(make_shop):
    shop = open_shop(
        make_shop(
            page(at="2026-10-01T10:00:00Z", user="u", search="?utm_source=google&utm_medium=cpc"),
            track("Order Completed", at="2026-10-01T10:05:00Z", user="u", **order()),
            track("Order Completed", at="2026-10-03T10:05:00Z", user="u", **order()),
        )
    )
    assert [(row["channel"], row["orders"]) for row in rows(shop.sessions)] == [("Paid Search", 1), ("Direct", 0)]


def test_refunds_together_never_exceed_the_revenue_and_are_never_negative(make_shop):
    shop = open_shop(
        make_shop(
            server("Order Completed", at="2026-10-01T10:00:00Z", user="u", **order(revenue=10.0)),
            server("Order Refunded", at="2026-10-02T10:00:00Z", user="u", order_id="o1", revenue=-4),
            track("Order Refunded", at="2026-10-03T10:00:00Z", user="u", order_id="o1"),
            server("Order Refunded", at="2026-10-03T10:00:01Z", user="u", order_id="o1"),
        )
    )
    assert [float(row["amount"]) for row in rows(shop.refunds)] == [4, 6, 0]


def test_a_refund_in_another_currency_than_its_order_takes_its_own_rate(make_shop):
    toml = TOML + '[money]\nrates = "rates.csv"\n'
    shop = open_shop(
        make_shop(
            server("Order Completed", at="2026-10-01T10:00:00Z", user="u", **order(revenue=20.0, currency="USD")),
            server("Order Refunded", at="2026-10-02T10:00:00Z", user="u", order_id="o1", revenue=5, currency="EUR"),
            toml=toml,
            files={"rates.csv": "date,currency,rate\n2026-10-01,USD,0.5\n"},
        )
    )
    assert float(rows(shop.refunds)[0]["amount"]) == 5


def test_two_rates_for_one_day_are_an_error(make_shop):
    folder = make_shop(
        server("Order Completed", user="u", **order(currency="USD")),
        toml=TOML + '[money]\nrates = "rates.csv"\n',
        files={"rates.csv": "date,currency,rate\n2026-10-01,USD,0.5\n2026-10-01,usd,0.6\n"},
    )
    with pytest.raises(SourceError) as caught:
        open_shop(folder)
    assert str(caught.value) == (
        "The file of rates has more than one rate for '2026-10-01 USD'. Keep one line per day and currency."
    )


def test_the_discount_rule_leaves_subtotal_and_total_alone(make_shop):
    toml = TOML + '[money]\nrule = "before_discount"\n'
    sent = {"total": 27.5, "shipping": 3, "tax": 2, "discount": 2.5}
    shop = open_shop(
        make_shop(
            server("Order Completed", user="u", order_id="o1", **sent),
            server("Order Completed", user="u", order_id="o2", discount=5),
            toml=toml,
        )
    )
    assert [float(row["revenue"]) for row in rows(shop.orders.order_by("order_id"))] == [22.5, 0]


@pytest.mark.slow
def test_quantities_of_nothing_and_of_parts_keep_the_money(make_shop):
    none = {"order_id": "o1", "revenue": 9, "products": [{"product_id": "a", "price": 0, "quantity": 0}] * 2}
    part = {"order_id": "o2", "products": [{"product_id": "a", "price": 10, "quantity": 1.5}]}
    shop = open_shop(
        make_shop(server("Order Completed", user="u", **none), server("Order Completed", user="u", **part))
    )
    lines = [(row["order_id"], row["quantity"], float(row["line_revenue"])) for row in rows(shop.order_lines)]
    assert lines == [("o1", 0, 4.5), ("o1", 0, 4.5), ("o2", 2, 15.0)]


@pytest.mark.slow
def test_the_accounts_of_orders_do_not_depend_on_what_came_out(make_shop, monkeypatch):
    from ecomkit.pipeline import orders as order_steps

    whole = order_steps.located_orders
    monkeypatch.setattr(order_steps, "located_orders", lambda priced, sessions: whole(priced, sessions).limit(1))
    shop = open_shop(
        make_shop(
            server("Order Completed", user="u", **order("o1")), server("Order Completed", user="u", **order("o2"))
        )
    )
    [step] = rows(shop.build_log.filter(_.step == "orders"))
    assert (step["rows_in"], step["rows_out"], step["duplicates"]) == (2, 1, 0)
