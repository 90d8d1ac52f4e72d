"""What verdicts call a change: hardly ever where nothing changed, nearly always where much did.

A shop is big enough to see a change that is at least `ENOUGH` standard errors of the difference, by the standard
error that the verdict itself stands on: of such changes 94 % lie beyond 1.96 of them.
"""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from ecomkit.frames import to_frame
from ecomkit.metrics.bridge import bridge_sums
from ecomkit.metrics.comparisons import compare_means, compare_rates, compare_totals
from ecomkit.metrics.sales import sales
from ecomkit.metrics.visits import visit_to_order_rate
from ecomkit.models.bridge_parts import bridge_parts
from ecomkit.models.revenue_bridge import BARS, revenue_bridge
from ecomkit.periods import Period
from tests.bridge import BEFORE, NOW
from tests.simulated_weeks import Town

ENOUGH = 3.5
HEADLINES = {
    **dict.fromkeys(("net_revenue", "revenue", "orders", "customers", "refunds"), compare_totals),
    **dict.fromkeys(("aov", "units_per_order", "discount_share", "refund_share"), compare_means),
    "visit_to_order_rate": compare_rates,
}


def told(now, before):
    """Each headline's and each bar's verdict, its difference and the standard error of that."""
    found = {}
    for name, compare in HEADLINES.items():
        one = compare(now, before, name)
        found[name] = (one.verdict, one.value - one.before, (one.difference_high - one.difference_low) / 3.92)
    sums = pd.DataFrame([before | {"start_date": pd.Timestamp(BEFORE)}, now | {"start_date": pd.Timestamp(NOW)}])
    bars = revenue_bridge(sums, now=NOW, before=BEFORE).iloc[1:-1]
    for bar in bars.itertuples():
        found[f"bar of {bar.bar}"] = (bar.verdict, bar.amount, (bar.amount_high - bar.amount_low) / 3.92)
    return found


def weeks_compared(people, pairs, *, seed, same_people=True, **planted):
    rng = np.random.default_rng(seed)
    for _ in range(pairs):
        town = Town(rng, people)
        before = town.week()
        yield told((town if same_people else Town(rng, people)).week(**planted), before)


def called(pairs):
    """The share of pairs in which each number is called a change."""
    verdicts = pd.DataFrame([{name: verdict for name, (verdict, *_) in pair.items()} for pair in pairs])
    return verdicts.isin(["up", "down"]).mean()


def test_without_change_hardly_anything_is_called_one():
    shares = called(weeks_compared(6000, 60, seed=1, same_people=False))
    assert len(shares) == len(HEADLINES) + len(BARS)
    assert shares.mean() <= 0.06
    assert shares.max() <= 0.14, shares.idxmax()


@pytest.mark.slow
@pytest.mark.parametrize("same_people", [True, False], ids=["the same people come again", "other people come"])
@pytest.mark.parametrize("people", [1500, 6000, 30_000], ids=["40 orders", "160 orders", "800 orders"])
def test_of_500_pairs_of_weeks_without_change_at_most_8_percent_are_called_one(people, same_people):
    shares = called(weeks_compared(people, 500, seed=people, same_people=same_people))
    assert shares.max() <= 0.08, shares.idxmax()


PLANTED = {
    "visit-to-order rate": ("rate", ("visit_to_order_rate", "bar of visit-to-order rate", "orders")),
    "AOV": ("aov", ("aov", "bar of AOV")),
    "sessions": ("sessions", ("bar of sessions", "orders")),
}


def assert_seen(what, size, people, pairs):
    factor, names = PLANTED[what]
    found = list(weeks_compared(people, pairs, seed=people, **{factor: size}))
    shares, judged = called(found), 0
    for name in names:
        changes, errors = (np.array([pair[name][place] for pair in found]) for place in (1, 2))
        if abs(changes.mean()) >= ENOUGH * np.median(errors):
            assert shares[name] >= 0.9, name
            judged += 1
    return judged


def test_a_planted_change_is_called_in_a_shop_big_enough():
    assert assert_seen("visit-to-order rate", 1.2, 60_000, 20) >= 2


@pytest.mark.slow
@pytest.mark.parametrize("size", [1.2, 0.8], ids=["a fifth more", "a fifth less"])
@pytest.mark.parametrize("what", PLANTED)
def test_a_change_of_a_fifth_is_called_in_shops_big_enough(what, size):
    judged = [assert_seen(what, size, people, 200) for people in (6000, 20_000, 40_000, 80_000)]
    assert sum(judged) >= len(PLANTED[what][1])
    assert judged[-1] >= 1


# parts by segment

CHANNELS = {"Email": 1.0, "Direct": 0.5, "Paid Search": 0.25, "Referral": 0.125}


def parts_of_weeks(rng, people, *, same_people=True, **planted):
    """The parts of a bridge between two weeks; each channel has its own people, and what is planted is in Direct."""
    rows = []
    for channel, size in CHANNELS.items():
        town = Town(rng, int(people * size))
        before = town.week()
        town = town if same_people else Town(rng, int(people * size))
        now = town.week(**(planted if channel == "Direct" else {}))
        rows += [row | {"start_date": start, "channel": channel} for start, row in ((BEFORE, before), (NOW, now))]
    sums = pd.DataFrame(rows).assign(start_date=lambda frame: pd.to_datetime(frame.start_date))
    totals = [name for name in sums if name not in ("start_date", "channel", "start_date_before")]
    whole = sums.groupby("start_date").agg(dict.fromkeys(totals, "sum") | {"start_date_before": "first"}).reset_index()
    sides = {"now": NOW, "before": BEFORE}
    return bridge_parts(revenue_bridge(whole, **sides), sums, "channel", **sides)


@pytest.mark.slow
@pytest.mark.parametrize("same_people", [True, False], ids=["the same people come again", "other people come"])
def test_without_change_hardly_any_bridge_names_a_part(same_people):
    rng = np.random.default_rng(5)
    named = [
        parts_of_weeks(rng, 12_000, same_people=same_people).verdict.isin(["up", "down"]).any() for _ in range(200)
    ]
    assert np.mean(named) <= 0.08


@pytest.mark.slow
def test_a_channel_whose_rate_rises_by_half_is_named():
    rng = np.random.default_rng(6)
    for _ in range(30):
        parts = parts_of_weeks(rng, 60_000, rate=1.5).query("part == 'rate' and bar == 'visit-to-order rate'")
        assert parts.set_index("segment").verdict["Direct"] == "up"


# as tables, through the metrics


@pytest.mark.parametrize(
    ("people", "weeks"), [pytest.param(800, 40, id="few"), pytest.param(3000, 250, id="many", marks=pytest.mark.slow)]
)
def test_weeks_alike_are_within_noise_through_the_metrics(people, weeks):
    first = date(2024, 1, 1)
    periods = [Period(first + timedelta(days=7 * n), first + timedelta(days=7 * (n + 1)), "UTC") for n in range(weeks)]
    as_of = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=7 * weeks)
    orders, refunds, sessions = Town(np.random.default_rng(weeks), people).tables(first, weeks)
    earned = to_frame(sales(orders, refunds, zone="UTC", as_of=as_of)).set_index("week")
    rates = to_frame(visit_to_order_rate(sessions, grain="week", zone="UTC")).set_index("week")
    sums = to_frame(bridge_sums(orders, refunds, sessions, periods=periods, as_of=as_of))
    assert len(earned) == len(rates) == len(sums) == weeks
    verdicts = []
    # The first two weeks have few refunds yet.
    for before, now in zip(periods[2:], periods[3:], strict=False):
        sold, sold_before = (earned.loc[pd.Timestamp(one.start)] for one in (now, before))
        seen, seen_before = (rates.loc[pd.Timestamp(one.start)] for one in (now, before))
        found = {name: compare_totals(sold, sold_before, name).verdict for name in ("net_revenue", "revenue", "orders")}
        found["aov"] = compare_means(sold, sold_before, "aov").verdict
        found["visit_to_order_rate"] = compare_rates(seen, seen_before, "visit_to_order_rate").verdict
        bars = revenue_bridge(sums, now=now.start, before=before.start)
        assert round(bars.amount.iloc[-1] * 100) == round(sold.net_revenue * 100)
        verdicts.append(found | dict(zip(bars.bar, bars.verdict, strict=True)))
    shares = pd.DataFrame(verdicts).isin(["up", "down"]).mean()
    assert shares.mean() <= 0.08
    assert weeks < 100 or shares.max() <= 0.08, shares.idxmax()
