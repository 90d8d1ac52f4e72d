"""The bars of the bridge: against all 24 orders of change, at the edges where a factor is missing, and part by part."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecomkit.models.bridge_parts import bridge_category_parts, bridge_parts
from ecomkit.models.revenue_bridge import BARS, FACTORS, in_cents, revenue_bridge, shapley_weights
from tests.bridge import BEFORE, NOW, in_sessions_of, period_of, segments_of, spread

SIDES = {"now": NOW, "before": BEFORE}


def table(now, before):
    """The sums of two periods, each from arrays of people's sessions, converting sessions, orders and revenue."""
    rows = [row | {"start_date": pd.Timestamp(start)} for start, row in ((BEFORE, before), (NOW, now)) if row]
    return pd.DataFrame(rows, columns=list(rows[0]) if rows else ["start_date", *period_of()])


def bars_of(now, before, **held):
    return revenue_bridge(table(now, before), **SIDES, **held).set_index("bar")


def by_every_order(before, now):
    """The mean, over all orders in which factors can change, of what each one's change adds to their product."""
    bars = np.zeros(len(before))
    orders = list(permutations(range(len(before))))
    for order in orders:
        state = list(before)
        for one in order:
            was = np.prod(state)
            state[one] = now[one]
            bars[one] += np.prod(state) - was
    return bars / len(orders)


def test_a_bar_is_the_mean_over_all_24_orders_of_change():
    before, now = np.array([1000, 0.05, 1.1, 60.0]), np.array([1300, 0.04, 1.0, 72.0])
    bars = (now - before) * shapley_weights(np.array([before, now]))
    assert bars == pytest.approx(by_every_order(before, now))
    assert bars.sum() == pytest.approx(now.prod() - before.prod())


def test_the_bridge_by_hand():
    before = period_of(spread(100, 5, 5, 300.0), outside=[40.0], refunds=[10.0])
    now = period_of(spread(200, 5, 5, 300.0), outside=[25.0], refunds=[12.5, 2.5])
    bars = bars_of(now, before)
    # Twice the sessions and half the rate: both change the product by as much, in opposite ways.
    half = by_every_order([100, 0.05, 1, 60], [200, 0.025, 1, 60])[0]
    assert bars.amount.to_dict() == pytest.approx(
        {
            "net revenue before": 330.0,
            "sessions": half,
            "visit-to-order rate": -half,
            "orders per converting session": 0.0,
            "AOV": 0.0,
            "orders outside sessions": -15.0,
            "refunds": -5.0,
            "net revenue now": 310.0,
        }
    )
    assert bars.factor_before[list(BARS)].tolist() == pytest.approx([100, 0.05, 1, 60, 1, 10])
    assert bars.factor_now[list(BARS)].tolist() == pytest.approx([200, 0.025, 1, 60, 1, 15])
    assert bars.verdict["sessions"] == "up"
    assert bars.verdict["refunds"] == "cannot tell"
    assert pd.isna(bars.verdict["net revenue now"])


NOTHING = None
VISITS_ONLY = period_of(spread(100, 0, 0, 0.0))
ORDERS_OUTSIDE = period_of(outside=[100.0, 50.0])
FULL = period_of(spread(100, 5, 6, 300.0))


@pytest.mark.parametrize(
    ("now", "before", "amounts"),
    [
        pytest.param(NOTHING, NOTHING, (0, 0, 0, 0, 0, 0), id="nothing on both sides"),
        pytest.param(FULL, NOTHING, (300, 0, 0, 0, 0, 0), id="nothing before: the sessions brought it all"),
        pytest.param(NOTHING, FULL, (-300, 0, 0, 0, 0, 0), id="nothing now"),
        pytest.param(FULL, VISITS_ONLY, (0, 300, 0, 0, 0, 0), id="no orders before: the rate brought it all"),
        pytest.param(VISITS_ONLY, FULL, (0, -300, 0, 0, 0, 0), id="no orders now"),
        pytest.param(VISITS_ONLY, VISITS_ONLY, (0, 0, 0, 0, 0, 0), id="no orders at all"),
        pytest.param(ORDERS_OUTSIDE, NOTHING, (0, 0, 0, 0, 150, 0), id="no sessions at all"),
        pytest.param(FULL, ORDERS_OUTSIDE, (300, 0, 0, 0, -150, 0), id="no sessions before"),
        pytest.param(period_of(refunds=[20.0]), NOTHING, (0, 0, 0, 0, 0, -20), id="a refund alone"),
    ],
)
def test_where_a_factor_is_missing_the_change_falls_on_what_is_known(now, before, amounts):
    bars = bars_of(now, before)
    assert tuple(bars.amount[list(BARS)]) == amounts
    assert bars.amount.iloc[:-1].sum() == pytest.approx(bars.amount.iloc[-1])


def test_orders_of_no_value_are_orders():
    free = period_of(spread(100, 5, 5, 0.0))
    bars = bars_of(FULL, free)
    assert bars.factor_before["AOV"] == 0
    assert bars.amount["AOV"] > 0
    assert bars.amount[list(FACTORS)].sum() == pytest.approx(300)


AMOUNTS = st.integers(0, 10_000_000).map(lambda cents: cents / 100)
PERIODS = st.builds(
    lambda visits, rate, more, money, outside, refunds: period_of(
        spread(
            visits, int(visits * rate), int(visits * rate) + more * (visits * rate >= 1), money * (visits * rate >= 1)
        ),
        outside=outside,
        refunds=refunds,
    ),
    *(st.integers(0, 400), st.floats(0, 1), st.integers(0, 20), AMOUNTS),
    *(st.lists(AMOUNTS, max_size=3), st.lists(AMOUNTS, max_size=3)),
)


@settings(max_examples=60, deadline=None)
@given(now=PERIODS, before=PERIODS)
def test_the_bars_sum_to_the_change_to_the_cent(now, before):
    cents = [round(amount * 100) for amount in bars_of(now, before).amount]
    assert (cents[0], cents[-1]) == (round(before["net_revenue"] * 100), round(now["net_revenue"] * 100))
    assert sum(cents[:-1]) == cents[-1]


@pytest.mark.parametrize(
    ("amounts", "cents", "rounded"),
    [
        pytest.param([1 / 3, 1 / 3, 1 / 3], 100, [0.34, 0.33, 0.33], id="the first of equal remainders"),
        pytest.param([0.006, 0.003, -0.004], 0, [0.01, 0.0, -0.01], id="the largest remainders go up"),
        pytest.param([12.3, -0.1, 7.45], 1965, [12.3, -0.1, 7.45], id="whole cents stay"),
        pytest.param([], 0, [], id="none"),
    ],
)
def test_cents_by_largest_remainder(amounts, cents, rounded):
    assert in_cents(np.array(amounts), cents).tolist() == pytest.approx(rounded, abs=1e-9)


@pytest.mark.parametrize(
    ("people", "people_before", "verdicts"),
    [
        pytest.param(30, 30, ("up", "up", "cannot tell"), id="30 people with sessions on both sides"),
        pytest.param(29, 30, ("up", "cannot tell", "cannot tell"), id="29 now: a total may still be judged"),
        pytest.param(29, 29, ("cannot tell", "cannot tell", "cannot tell"), id="29 on both"),
    ],
)
def test_a_verdict_needs_enough_people(people, people_before, verdicts):
    now = period_of((np.full(people, 3.0), np.full(people, 2.0), np.full(people, 2.0), np.full(people, 50.0)))
    few = np.r_[np.ones(12), np.zeros(people_before - 12)]
    before = period_of((np.ones(people_before), few, few, 20.0 * few))
    bars = bars_of(now, before)
    assert tuple(bars.verdict[["sessions", "visit-to-order rate", "AOV"]]) == verdicts


def test_who_is_alike_in_both_periods_makes_a_change_surer():
    rng = np.random.default_rng(4)
    visits = 1.0 + rng.poisson(3.0, 60)
    nobody = np.zeros(60)
    one, other = (visits, nobody, nobody, nobody), (visits + (np.arange(60) < 20), nobody, nobody, nobody)
    told = {
        "the same people": period_of(other) | in_sessions_of(other, one),
        "other people": period_of(other),
        # Products with another period say nothing of this one.
        "another period": period_of(other) | in_sessions_of(other, one) | {"start_date_before": pd.Timestamp(NOW)},
    }
    free = {"sessions_with_order": 20.0, "orders_in_sessions": 20.0, "revenue_in_sessions": 400.0, "net_revenue": 400.0}
    bars = {name: bars_of(now | free, period_of(one) | free) for name, now in told.items()}
    verdicts = {name: frame.verdict["sessions"] for name, frame in bars.items()}
    assert verdicts == {"the same people": "up", "other people": "within noise", "another period": "within noise"}


def test_what_is_the_same_for_everybody_has_not_moved():
    bars = bars_of(period_of(spread(100, 40, 40, 2000.0)), period_of(spread(100, 40, 40, 1000.0)))
    assert bars.verdict["orders per converting session"] == "within noise"
    assert np.isnan(bars.p_value["orders per converting session"])


# parts


def parts_of(now, before, by="channel", **held):
    sums = segments_of(now, before, by)
    whole = table(*(period_of(*(people for _name, people in side)) for side in (now, before)))
    bars = revenue_bridge(whole, **SIDES)
    return bars.set_index("bar"), bridge_parts(bars, sums, by, **SIDES, **held)


TWO = (
    [("Email", spread(100, 20, 22, 1500.0)), ("Direct", spread(300, 15, 15, 700.0))],
    [("Email", spread(200, 30, 30, 1800.0)), ("Direct", spread(200, 12, 13, 650.0))],
)


def test_the_parts_of_each_bar_sum_to_it_to_the_cent():
    bars, parts = parts_of(*TWO)
    for bar in FACTORS:
        of_bar = parts[parts.bar == bar]
        assert round(of_bar.amount.sum() * 100) == round(bars.amount[bar] * 100)
        assert set(of_bar.part) == ({"sessions"} if bar == "sessions" else {"mix", "rate"})


def test_mix_and_rate_by_hand():
    bars, parts = parts_of(*TWO)
    change = 35 / 400 - 42 / 400
    worth = bars.amount["visit-to-order rate"] / change
    found = parts[parts.bar == "visit-to-order rate"].set_index(["segment", "part"])
    overall = (35 / 400 + 42 / 400) / 2
    mix = (0.25 - 0.5) * ((0.2 + 0.15) / 2 - overall) * worth
    rate = (0.25 + 0.5) / 2 * (0.2 - 0.15) * worth
    assert found.amount["Email", "mix"] == pytest.approx(mix, abs=0.011)
    assert found.amount["Email", "rate"] == pytest.approx(rate, abs=0.011)
    assert (found.factor_before["Email", "mix"], found.factor_now["Email", "mix"]) == (0.5, 0.25)
    assert (found.factor_before["Email", "rate"], found.factor_now["Email", "rate"]) == (0.15, 0.2)


def test_a_segment_that_comes_or_goes_is_mix():
    bars, parts = parts_of(
        [("Email", spread(100, 20, 20, 1500.0)), (None, spread(100, 5, 5, 100.0))],
        [("Email", spread(100, 20, 20, 1500.0))],
    )
    new = parts[parts.segment.isna() & (parts.bar == "visit-to-order rate")].set_index("part")
    assert new.amount["rate"] == 0
    assert new.amount["mix"] < 0
    assert np.isnan(new.factor_before["rate"])
    assert len(parts[parts.segment.isna()]) == 7
    assert round(parts.amount.sum() * 100) == round(bars.amount[list(FACTORS)].sum() * 100)


def test_without_any_session_there_are_no_parts():
    bars = revenue_bridge(table(ORDERS_OUTSIDE, NOTHING), **SIDES)
    parts = bridge_parts(bars, segments_of([], [], "channel"), "channel", **SIDES)
    assert len(parts) == 0


def test_a_part_of_few_people_is_not_judged():
    _bars, parts = parts_of(*TWO, min_group=101)
    found = parts[parts.bar == "visit-to-order rate"].set_index(["segment", "part"])
    assert found.verdict["Email", "rate"] == "cannot tell"
    assert found.verdict["Direct", "rate"] != "cannot tell"


def categories(*rows):
    names = ("start_date", "category", "orders_in_sessions", "units", "line_revenue", "units_clusters")
    products = ("orders_in_sessions_units_products", "orders_in_sessions_line_revenue_products", "units_squares")
    products += ("units_line_revenue_products", "line_revenue_squares", "orders_in_sessions_squares")
    return pd.DataFrame(
        [
            dict(zip(names, (pd.Timestamp(row[0]), *row[1:]), strict=True))
            | dict(zip(products, (row[3], row[4], row[3], row[4], row[4] ** 2 / row[5], row[2]), strict=True))
            for row in rows
        ],
        columns=[*names, *products],
    )


def test_the_categories_of_lines_sum_to_the_bar_of_aov():
    before, now = period_of(spread(100, 10, 10, 500.0)), period_of(spread(100, 10, 10, 650.0))
    bars = revenue_bridge(table(now, before), **SIDES)
    sums = categories(
        (BEFORE, "Tea", 10, 20, 200.0, 9), (BEFORE, "Lanterns", 10, 6, 300.0, 6), (NOW, "Tea", 10, 40, 400.0, 9),
        (NOW, "Gifts", 10, 5, 250.0, 5),
    )  # fmt: skip
    parts = bridge_category_parts(bars, sums, **SIDES).set_index(["segment", "part"])
    # 10 orders on both sides: a unit per order more or less is worth its price x 10.
    assert parts.amount["Tea", "mix"] == pytest.approx(200)
    assert parts.amount["Lanterns", "mix"] == pytest.approx(-300)
    assert parts.amount["Gifts", "mix"] == pytest.approx(250)
    assert (parts.amount.xs("rate", level="part") == 0).all()
    assert parts.amount.sum() == pytest.approx(150)
    assert (parts.factor_before["Tea", "mix"], parts.factor_now["Tea", "mix"]) == (2, 4)


def test_what_lines_do_not_explain_is_a_row_of_its_own():
    before, now = period_of(spread(100, 10, 10, 500.0)), period_of(spread(100, 10, 10, 650.0))
    bars = revenue_bridge(table(now, before), **SIDES)
    sums = categories((BEFORE, "Tea", 10, 20, 500.0, 9), (NOW, "Tea", 10, 22, 550.0, 9))
    parts = bridge_category_parts(bars, sums, **SIDES).set_index("segment")
    assert parts.amount["not in any line"] == pytest.approx(100)
    assert parts.verdict["not in any line"] == "cannot tell"
    assert parts.amount.sum() == pytest.approx(150)


def test_a_period_without_lines_has_no_categories():
    bars = revenue_bridge(table(FULL, FULL), **SIDES)
    assert bridge_category_parts(bars, categories(), **SIDES).empty
