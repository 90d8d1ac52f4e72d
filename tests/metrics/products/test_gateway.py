"""First products and coming back: by hand, by law, and simulated shops with and without an effect."""

from datetime import UTC, datetime, timedelta

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from ecomkit.metrics.products import gateway_products, judge_gateways
from ecomkit.metrics.retention import repeat_purchase_rate
from ecomkit.schemas import ORDER_LINES, ORDERS, REFUNDS, SESSIONS

FIRST = "2026-01-10 10:00:00Z"
AS_OF = datetime(2026, 10, 12, tzinfo=UTC)
ASKED = {"within_days": 30, "as_of": AS_OF, "zone": "UTC"}


@pytest.fixture
def firsts_of(order_log, line_log, refund_log, session_log, rows_of):
    """Return a function that keys the rows by product; `sessions` are (person, instant, channel)."""

    def run(orders, lines, refunds=(), sessions=(), **changed):
        tables = (
            order_log(*orders),
            line_log(*lines),
            refund_log(*refunds),
            session_log(*((person, at, 0, {"channel": channel}) for person, at, channel in sessions)),
        )
        rows = rows_of(gateway_products(*tables, **(ASKED | changed)))
        return {row["product_id"]: row for row in rows}

    return run


def test_coming_back_is_a_later_day_within_the_window(firsts_of):
    again_at = {
        "last instant of the window": "2026-02-09 10:00:00Z",
        "one second later": "2026-02-09 10:00:01Z",
        "later on the first day": "2026-01-10 23:59:59Z",
        "first instant of the next day": "2026-01-11 00:00:00Z",
    }
    orders = [(case, at) for case, again in again_at.items() for at in (FIRST, again)]
    lines = [(f"o{number}", case if number % 2 else "later", 10) for number, (case, _) in enumerate(orders, start=1)]
    rows = firsts_of(orders, lines)
    assert {case: (row["repeat_customers"], row["later_value_per_customer"]) for case, row in rows.items()} == {
        "last instant of the window": (1, 10),
        "one second later": (0, 0),
        "later on the first day": (0, 0),
        "first instant of the next day": (1, 10),
    }, "only what the first order held is a first product"


def test_only_customers_whose_window_has_passed_count(firsts_of):
    orders = [("ana", "2026-09-11 23:59:59Z"), ("bea", "2026-09-12 00:00:00Z")]
    rows = firsts_of(orders, [("o1", "window passed", 10), ("o2", "it ends with the data", 10)])
    assert list(rows) == ["window passed"]


def test_a_customer_counts_for_each_product_of_the_first_order_once(firsts_of):
    rows = firsts_of([("ana", FIRST)], [("o1", "p1", 4), ("o1", "p1", 4), ("o1", "p2", 2), ("o1", None, 1)])
    assert {key: row["customers"] for key, row in rows.items()} == {"p1": 1, "p2": 1}


def test_value_is_net_revenue_within_the_window_and_later_value_leaves_the_first_day_out(firsts_of):
    orders = [("ana", FIRST), ("ana", "2026-01-10 12:00:00Z"), ("ana", "2026-01-20 10:00:00Z"), ("ana", "2026-03-01")]
    orders = [(person, at if "Z" in at else f"{at} 00:00:00Z", {"revenue": 10}) for person, at in orders]
    refunds = [("o3", "2026-05-01 00:00:00Z", 4), ("o1", "2026-10-12 00:00:00Z", 10)]
    rows = firsts_of(orders, [("o1", "p1", 10)], refunds)
    assert (rows["p1"]["value_per_customer"], rows["p1"]["later_value_per_customer"]) == (26, 6)


def test_guests_and_cancelled_orders_do_not_count(firsts_of):
    orders = [(None, FIRST), ("ana", FIRST, {"status": "cancelled"}), ("ana", "2026-01-12 10:00:00Z")]
    rows = firsts_of(orders, [("o1", "guest", 1), ("o2", "cancelled", 1), ("o3", "kept", 1)])
    assert list(rows) == ["kept"]


def test_customers_are_compared_within_their_channel_and_month_alone(firsts_of):
    """In Email everybody comes back, in Direct nobody: whatever the product, its stratum explains it."""
    people = [f"c{number}" for number in range(12)]
    orders, lines, sessions = [], [], []
    for number, person in enumerate(people):
        is_email = number < 6
        orders.append((person, FIRST))
        lines.append((f"o{len(orders)}", "p1" if number % 6 < (4 if is_email else 2) else "p2", 10))
        sessions.append((person, FIRST, "Email" if is_email else "Direct"))
        if is_email:
            orders.append((person, "2026-01-20 10:00:00Z"))
    rows = firsts_of(orders, lines, sessions=sessions)
    assert (rows["p1"]["repeat_purchase_rate"], rows["p2"]["repeat_purchase_rate"]) == (4 / 6, 2 / 6)
    for row in rows.values():
        assert row["expected_repeat_rate"] == pytest.approx(row["repeat_purchase_rate"])
        assert (row["repeat_rate_difference"], row["repeat_rate_difference_error"]) == (0, 0)
        assert row["customers_compared"] == 6


def test_the_difference_is_mantel_and_haenszels(firsts_of):
    """Two months. January: 2 of 3 with p1 came back and 1 of 2 without; February: 1 of 1 and 0 of 2."""
    january = [("p1", 1), ("p1", 1), ("p1", 0), ("p2", 1), ("p2", 0)]
    february = [("p1", 1), ("p2", 0), ("p2", 0)]
    orders, lines = [], []
    for month, people in ((1, january), (2, february)):
        for number, (product, repeats) in enumerate(people):
            orders.append((f"c{month}{number}", f"2026-0{month}-05 10:00:00Z"))
            lines.append((f"o{len(orders)}", product, 10))
            if repeats:
                orders.append((f"c{month}{number}", f"2026-0{month}-20 10:00:00Z"))
    row = firsts_of(orders, lines)["p1"]
    weights = np.array([3 * 2 / 5, 1 * 2 / 3])
    expected = (weights * np.array([2 / 3 - 1 / 2, 1 - 0])).sum() / weights.sum()
    # Of 5 drawn 3, of which 3 came back; of 3 drawn 1, of which 1 came back.
    variance = 3 * 2 * 3 * 2 / (5**2 * 4) + 1 * 2 * 1 * 2 / (3**2 * 2)
    assert row["repeat_rate_difference"] == pytest.approx(expected)
    assert row["repeat_rate_difference_error"] == pytest.approx(variance**0.5 / weights.sum())
    assert row["expected_repeat_rate"] == pytest.approx((3 * 3 / 5 + 1 * 1 / 3) / 4)


def test_without_anybody_to_compare_with_the_difference_is_not_known(firsts_of):
    row = firsts_of([("ana", FIRST)], [("o1", "p1", 10)])["p1"]
    assert (row["repeat_rate_difference"], row["repeat_rate_difference_error"], row["customers_compared"]) == (
        None,
        None,
        0,
    )


def test_customers_and_repeats_are_those_of_the_repeat_purchase_rate(shop):
    as_of = shop.week("last").end_at
    asked = {"within_days": 90, "as_of": as_of, "zone": shop.zone}
    all_alike = shop.order_lines.mutate(product_id=ibis.literal("any"))
    rows = gateway_products(shop.orders, all_alike, shop.refunds, shop.sessions, **asked).to_pyarrow().to_pylist()
    [whole] = repeat_purchase_rate(shop.orders, by=None, **asked).to_pyarrow().to_pylist()
    [row] = rows
    for name in ("customers", "repeat_customers", "repeat_purchase_rate", "clusters", "numerator", "denominator"):
        assert row[name] == whole[name]
    assert row["expected_repeat_rate"] == pytest.approx(whole["repeat_purchase_rate"])


PRODUCTS, CHANNELS, MONTHS = 8, 3, 4


def simulated(seed, *, shops, customers=700, effect=0.0):
    """Tables of many shops at once, told apart by their channels and products.

    Product 0 is bought mostly in channel 0, whose customers come back least. Its own effect is `effect`.
    """
    dice, n = np.random.default_rng(seed), shops * customers
    shop, channel, month = (
        np.repeat(np.arange(shops), customers),
        dice.integers(0, CHANNELS, n),
        dice.integers(0, MONTHS, n),
    )
    likes = np.ones((CHANNELS, PRODUCTS))
    likes[0, 0], likes[1:, 0], likes[2, 1] = 6.0, 0.4, 6.0
    steps = (likes / likes.sum(axis=1, keepdims=True)).cumsum(axis=1)
    product = (dice.random(n)[:, None] > steps[channel]).sum(axis=1)
    chance = np.array([0.12, 0.25, 0.40])[channel] + 0.03 * month + effect * (product == 0)
    repeats = dice.random(n) < chance
    first_at = np.datetime64("2026-01-01T12:00:00") + month * np.timedelta64(31, "D") + np.zeros(n, "timedelta64[s]")
    person = np.char.add("c", np.arange(n).astype(str))
    again = np.flatnonzero(repeats)
    who = np.concatenate([np.arange(n), again])
    at = np.concatenate([first_at, first_at[again] + np.timedelta64(10, "D")]).astype("datetime64[us]")
    ids = np.char.add("o", np.arange(len(who)).astype(str))
    money = np.round(dice.lognormal(3, 0.7, len(who)), 2)
    orders = {
        "order_id": ids, "customer_id": person[who], "ordered_at": at, "revenue": money,
        "order_number": np.where(np.arange(len(who)) < n, 1, 2), "status": np.repeat("completed", len(who)),
    }  # fmt: skip
    label = np.char.add(np.char.add(shop.astype(str), "-"), product.astype(str))
    lines = {"order_id": ids[:n], "line_number": np.ones(n, int), "product_id": label, "line_revenue": money[:n]}
    group = np.char.add(np.char.add(shop.astype(str), "-ch"), channel.astype(str))
    sessions = {"session_id": person, "person_id": person, "started_at": at[:n], "channel": group}
    filled = ((ORDERS, orders), (ORDER_LINES, lines), (REFUNDS, {}), (SESSIONS, sessions))
    return [table_of(schema, columns) for schema, columns in filled]


def table_of(schema, columns):
    size = len(next(iter(columns.values()), ()))
    kinds = schema.to_pyarrow()
    arrays = [
        pa.array(columns[field.name]).cast(pa.timestamp("us")).cast(field.type)
        if field.name in columns and pa.types.is_timestamp(field.type)
        else pa.array(columns[field.name]).cast(field.type, safe=False)
        if field.name in columns
        else pa.nulls(size, field.type)
        for field in kinds
    ]
    return ibis.memtable(pa.Table.from_arrays(arrays, schema=kinds))


def judged_shops(seed, **about):
    """The judged rows of each simulated shop."""
    rows = gateway_products(*simulated(seed, **about), **ASKED).to_pyarrow().to_pandas()
    parts = rows.product_id.str.split("-", expand=True)
    rows = rows.assign(shop=parts[0], product=parts[1])
    return [judge_gateways(one.reset_index(drop=True), floor=30) for _, one in rows.groupby("shop")]


def names_one(rows):
    return bool({"up", "down"} & set([*rows.repeat_verdict, *rows.later_value_verdict]))


def test_a_planted_gateway_is_found_though_its_channel_hides_it():
    shops = judged_shops(7, shops=20, customers=1000, effect=0.2)
    raw = [rows.set_index("product").repeat_purchase_rate for rows in shops]
    assert np.mean([rates["0"] - rates["1"] for rates in raw]) < 0.03, "raw rates show next to nothing of it"
    found = [set(rows["product"][rows.repeat_verdict == "up"]) for rows in shops]
    assert sum("0" in names for names in found) >= 18


def test_without_an_effect_few_shops_name_a_gateway_though_raw_rates_differ():
    shops = judged_shops(8, shops=100, customers=500)
    raw = [rows.set_index("product").repeat_purchase_rate for rows in shops]
    assert np.mean([rates["1"] - rates["0"] for rates in raw]) > 0.08
    assert sum(names_one(rows) for rows in shops) / len(shops) <= 0.07


@pytest.mark.slow
def test_without_an_effect_at_most_one_shop_in_twenty_names_a_gateway():
    alarms = [names_one(rows) for seed in range(5) for rows in judged_shops(100 + seed, shops=400)]
    # Three standard errors of 2,000 shops above the level.
    assert np.mean(alarms) <= 0.05 + 3 * (0.05 * 0.95 / len(alarms)) ** 0.5


def gateways(*rows):
    """One row per (difference, error, customers compared) of the repeat rate; later values do not differ."""
    frame = pd.DataFrame(rows, columns=["repeat_rate_difference", "repeat_rate_difference_error", "customers_compared"])
    return frame.assign(later_value_difference=0.0, later_value_difference_error=1.0)


def test_verdicts_need_customers_and_outlive_the_correction():
    frame = judge_gateways(gateways((0.2, 0.04, 30), (-0.2, 0.04, 30), (0.08, 0.04, 30), (0.2, 0.04, 29)), floor=30)
    assert frame.repeat_verdict.tolist() == ["up", "down", "within noise", "cannot tell"]
    assert set(frame.later_value_verdict) == {"within noise", "cannot tell"}
    assert frame.repeat_rate_difference_low[0] == pytest.approx(0.2 - 1.96 * 0.04, abs=1e-4)
    unknown = judge_gateways(gateways((np.nan, np.nan, 0)), floor=30)
    assert unknown.repeat_verdict.tolist() == ["cannot tell"]
    assert judge_gateways(gateways(), floor=30).repeat_verdict.tolist() == []


def test_the_window_is_of_24_hours_and_the_day_is_local(firsts_of):
    """23:30 and 00:30 UTC are one evening in New York."""
    orders = [("ana", "2026-01-10 23:30:00Z"), ("ana", "2026-01-11 00:30:00Z")]
    lines = [("o1", "p1", 10)]
    assert firsts_of(orders, lines)["p1"]["repeat_customers"] == 1
    assert firsts_of(orders, lines, zone="America/New_York")["p1"]["repeat_customers"] == 0
    assert AS_OF - timedelta(days=30) == datetime(2026, 9, 12, tzinfo=UTC)
