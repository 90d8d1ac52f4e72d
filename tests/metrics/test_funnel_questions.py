"""Times, weeks, money and other definitions of a funnel: by hand, by law, and by a second way."""

import json
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import ibis
import numpy as np
import pytest

from ecomkit import engines
from ecomkit.errors import UsageError
from ecomkit.metrics.funnel import funnel, last_step
from ecomkit.metrics.funnel_events import with_order_sessions, with_session_column
from ecomkit.metrics.funnel_money import funnel_money
from ecomkit.metrics.funnel_sensitivity import funnel_sensitivity
from ecomkit.metrics.funnel_times import funnel_curve, funnel_times
from ecomkit.metrics.funnel_trend import funnel_trend
from ecomkit.metrics.ratio import SUMS
from ecomkit.periods import Period
from ecomkit.schemas import EVENTS, ORDERS, PRODUCT_EVENTS, SESSIONS
from ecomkit.shop import ROOT

VIEW, ADD, PAY, ORDER, BOUGHT = (
    *("Product Viewed", "Product Added", "Checkout Started", "Order Completed"),
    "Product Purchased",
)
WEEK = Period(date(2024, 1, 1), date(2024, 1, 8), "UTC")
AS_OF = datetime(2024, 2, 1, tzinfo=UTC)
ASKED = {"steps": (VIEW, ADD, ORDER), "window_days": 1, "period": WEEK, "as_of": AS_OF}
UNBOUND = ibis.table(EVENTS, name="events")


def at(hour, minute=0, second=0, day=2):
    return f"2024-01-{day:02d} {hour:02d}:{minute:02d}:{second:02d}Z"


def walks(*seconds_to_add_and_order):
    """Views of several people at 10 o'clock, with the seconds until they add and until they order."""
    noon = datetime(2024, 1, 2, 10, tzinfo=UTC)
    log = []
    for number, (add, order) in enumerate(seconds_to_add_and_order):
        log.append((f"p{number}", VIEW, noon))
        log += [(f"p{number}", ADD, noon + timedelta(seconds=add))] if add is not None else []
        log += [(f"p{number}", ORDER, noon + timedelta(seconds=order))] if order is not None else []
    return log


# times


def test_times_by_hand(event_log, rows_of):
    events = event_log(*walks((10, 40), (20, 100), (30, None), (60, None), (None, None)))
    added, ordered = rows_of(funnel_times(events, **ASKED))
    assert (added["step_number"], added["step"], added["people"]) == (2, ADD, 4)
    quartiles = ("lower_quartile_seconds", "median_seconds", "upper_quartile_seconds")
    assert [added[name] for name in quartiles] == [17.5, 25.0, 37.5]
    assert [ordered[name] for name in quartiles] == [55.0, 70.0, 85.0]
    assert [ordered[f"{name}_between"] for name in quartiles] == [42.5, 55.0, 67.5]


def test_a_time_is_that_of_the_attempt_that_counts(event_log, rows_of):
    events = event_log(
        ("ana", VIEW, at(1)), ("ana", VIEW, at(5)), ("ana", ADD, at(6)), ("ana", VIEW, at(7)), ("ana", ADD, at(7, 1))
    )
    # All three reach step 2; the earliest counts.
    assert rows_of(funnel_times(events, **ASKED), "median_seconds") == [(5 * 3600.0,), (None,)]


def test_without_people_there_is_no_time(event_log, rows_of):
    rows = rows_of(funnel_times(event_log(), **ASKED), "step", "people", "median_seconds", "median_seconds_between")
    assert rows == [(ADD, 0, None, None), (ORDER, 0, None, None)]


@pytest.mark.parametrize("size", [1, 2, 3, 10, 101])
def test_quartiles_are_those_of_numpy(event_log, rows_of, size):
    draw = random.Random(size)
    seconds = [draw.randint(0, 80_000) for _ in range(size)]
    [row, _] = rows_of(funnel_times(event_log(*walks(*((one, None) for one in seconds))), **ASKED))
    found = [row["lower_quartile_seconds"], row["median_seconds"], row["upper_quartile_seconds"]]
    assert found == pytest.approx(np.quantile(seconds, [0.25, 0.5, 0.75]), rel=1e-12)


# the curve


def test_the_curve_without_immature_people_is_the_share_of_the_funnel(event_log, rows_of):
    events = event_log(*walks((10, 1800), (20, 3600), (30, 3601), (60, None)))
    rows = rows_of(funnel_curve(events, **ASKED), "hours", "reached", "at_risk", "reached_share")
    assert rows == [(1, 2, 4, pytest.approx(0.5)), (2, 1, 2, pytest.approx(0.75))]


def kaplan_meier(spans):
    """Share that has reached the end after each time: (seconds, reached) per attempt."""
    left, shares = 1.0, {}
    for time in sorted({seconds for seconds, reached in spans if reached}):
        at_risk = sum(seconds >= time for seconds, _ in spans)
        left *= 1 - sum(seconds == time and reached for seconds, reached in spans) / at_risk
        shares[max(1, -(-time // 3600))] = 1 - left
    return shares


def test_people_too_young_are_watched_until_the_data_ends(event_log, rows_of):
    draw = random.Random(3)
    as_of, log, spans = datetime(2024, 1, 3, 12, tzinfo=UTC), [], []
    for number in range(60):
        started_at = datetime(2024, 1, 2, 6, tzinfo=UTC) + timedelta(minutes=draw.randint(0, 24 * 60))
        wait = draw.randint(60, 86_000)
        log += [(f"p{number}", VIEW, started_at), (f"p{number}", ADD, started_at)]
        reached = draw.random() < 0.6 and started_at + timedelta(seconds=wait) < as_of
        log += [(f"p{number}", ORDER, started_at + timedelta(seconds=wait))] if reached else []
        watched = min(86_400, (as_of - started_at).total_seconds())
        spans.append((wait if reached else watched, reached))
    rows = rows_of(funnel_curve(event_log(*log), **(ASKED | {"as_of": as_of})), "hours", "reached_share")
    assert dict(rows) == pytest.approx(kaplan_meier(spans), rel=1e-9)
    assert rows[-1][1] > sum(reached for _, reached in spans) / len(spans)


def test_when_all_who_are_left_reach_the_end_the_curve_ends_at_one(event_log, rows_of):
    [row] = rows_of(funnel_curve(event_log(*walks((1, 2), (1, 3))), **ASKED), "reached_share", "variance")
    assert row == (1.0, 0.0)
    assert rows_of(funnel_curve(event_log(), **ASKED)) == []


# weeks


def test_a_person_counts_in_each_week_with_a_start(event_log, rows_of):
    two = Period(date(2024, 1, 1), date(2024, 1, 15), "UTC")
    events = event_log(
        ("ana", VIEW, at(10, day=2)),
        ("ana", VIEW, at(10, day=9)),
        ("ana", ADD, at(11, day=9)),
        ("ben", VIEW, at(1, day=14)),
    )
    asked = ASKED | {"period": two, "as_of": datetime(2024, 1, 14, 12, tzinfo=UTC)}
    columns = ("week", "step_number", "people", "immature", "is_mature")
    first, second = date(2024, 1, 1), date(2024, 1, 8)
    assert rows_of(funnel_trend(events, **asked), *columns) == [
        *((first, number, count, 0, 1) for number, count in ((1, 1), (2, 0), (3, 0))),
        *((second, number, count, 1, 0) for number, count in ((1, 1), (2, 1), (3, 0))),
    ]
    # With the first start alone, each week has its own.
    assert [row[2] for row in rows_of(funnel_trend(events, entry="first", **asked), *columns)] == [1, 0, 0, 1, 1, 0]


def test_each_week_is_the_funnel_of_that_week(event_log, rows_of):
    draw = random.Random(4)
    start = datetime(2024, 1, 1, tzinfo=UTC)
    log = [
        (f"p{draw.randint(0, 20)}", draw.choice((VIEW, ADD, ORDER)), start + timedelta(hours=draw.randint(0, 24 * 27)))
        for _ in range(600)
    ]
    events, weeks = event_log(*log), [WEEK, *(WEEK.before(-number) for number in range(1, 4))]
    rows = rows_of(funnel_trend(events, **(ASKED | {"period": weeks[0].until(weeks[-1])})))
    for week in weeks:
        theirs = rows_of(funnel(events, **(ASKED | {"period": week})))
        ours = [{name: row[name] for name in theirs[0]} for row in rows if row["week"] == week.start]
        assert ours == theirs


# money


def test_money_by_hand(product_event_log, rows_of):
    ten, three = {"price": "10.00"}, {"price": "12.50", "quantity": 3}
    events = product_event_log(
        ("ana", VIEW, at(1), "p1", ten),
        ("ana", VIEW, at(2), "p2", ten),
        ("ana", ADD, at(3), "p2", three),
        ("ben", VIEW, at(1), "p1", ten),
        ("ben", ADD, at(2), "p1", ten),
        ("ben", BOUGHT, at(3), "p1", {"price": "9.00", "quantity": 2}),
        ("cleo", VIEW, at(1), "p1", {"price": None}),
    )
    money = funnel_money(events, window_days=1, period=WEEK, as_of=AS_OF)
    assert rows_of(money, "step", "attempts", "entering", "lost", "unpriced") == [
        (VIEW, 4, Decimal("65.50"), Decimal("10.00"), 1),
        (ADD, 2, Decimal("55.50"), Decimal("37.50"), 0),
        (BOUGHT, 1, Decimal("18.00"), Decimal("0.00"), 0),
    ]
    assert rows_of(money, "lost_share") == [(pytest.approx(10 / 65.5),), (pytest.approx(37.5 / 55.5),), (0.0,)]


def test_a_view_told_twice_counts_once_and_two_lines_of_an_order_twice(product_event_log, rows_of):
    ten = {"price": "10.00"}
    walk = [("ana", VIEW, at(1), "p1", ten)] * 2 + [("ana", ADD, at(2), "p1", ten)] * 2
    money = funnel_money(product_event_log(*walk), window_days=1, period=WEEK, as_of=AS_OF)
    assert rows_of(money, "entering") == [(10,), (10,), (0,)]
    money = funnel_money(
        product_event_log(*walk, *[("ana", BOUGHT, at(3), "p1", ten)] * 2), window_days=1, period=WEEK, as_of=AS_OF
    )
    assert rows_of(money, "entering") == [(20,), (20,), (20,)]


def test_what_is_lost_and_what_reached_the_end_add_up_to_what_entered(product_event_log, rows_of):
    draw = random.Random(5)
    start = datetime(2024, 1, 1, tzinfo=UTC)
    log = [
        (
            f"p{draw.randint(0, 15)}",
            draw.choice((VIEW, VIEW, ADD, BOUGHT)),
            start + timedelta(hours=draw.randint(0, 160)),
            f"t{draw.randint(0, 3)}",
            {"price": f"{draw.randint(100, 9999) / 100:.2f}", "quantity": draw.randint(1, 4)},
        )
        for _ in range(800)
    ]
    rows = rows_of(funnel_money(product_event_log(*log), window_days=1, period=WEEK, as_of=AS_OF))
    assert all(row["lost"] > 0 for row in rows[:-1])
    for row, following in zip(rows, rows[1:], strict=False):
        assert row["entering"] - row["lost"] == following["entering"]
    assert rows[0]["entering"] == sum(row["lost"] for row in rows) + rows[-1]["entering"]


def test_without_product_events_each_step_has_no_money(product_event_log, rows_of):
    rows = rows_of(funnel_money(product_event_log(), window_days=1, period=WEEK, as_of=AS_OF))
    assert [(row["attempts"], row["entering"], row["lost"], row["lost_share"]) for row in rows] == [
        (0, Decimal("0"), Decimal("0"), None)
    ] * 3


# other definitions


def test_each_definition_is_the_funnel_that_it_names(event_log, product_event_log, rows_of):
    session = {"session_id": "s1"}
    events = event_log(
        ("ana", VIEW, at(1), session),
        ("ana", ADD, at(2), session),
        ("ana", PAY, at(3), session),
        ("ana", ADD, at(3, 1), session),
        ("ana", ORDER, at(4), session),
        ("ben", VIEW, at(1)),
        ("ben", VIEW, at(1, day=4)),
        ("ben", ADD, at(2, day=4)),
        ("ben", PAY, at(3, day=4)),
        ("ben", ORDER, at(20, day=4)),
    )
    products = product_event_log(("ana", VIEW, at(1), "p1"), ("ana", ADD, at(2), "p2"), ("ben", VIEW, at(1), "p1"))
    asked = ASKED | {"steps": (VIEW, ADD, PAY, ORDER)}
    rows = rows_of(funnel_sensitivity(events, product_events=products, **asked))
    told = {(row["choice"], row["definition"]): (row["counted"], row["started"], row["finished"]) for row in rows}
    assert told == {
        ("as asked", "ordered, restart, person, 1 days"): ("people", 2, 2),
        ("order", "strict"): ("people", 2, 1),
        ("order", "any"): ("people", 2, 2),
        ("entry", "first"): ("people", 2, 1),
        ("unit", "session"): ("sessions", 1, 1),
        ("window", "half as long"): ("people", 2, 1),
        ("window", "twice as long"): ("people", 2, 2),
        ("same", "product_id"): ("people", 2, 0),
    }
    assert (rows[0]["choice"], rows[0]["change"]) == ("as asked", 0.0)
    assert [row["moves_most"] for row in rows] == [0, 1, *[0] * 6]
    assert (rows[1]["choice"], rows[1]["change"]) == ("same", -1.0)
    assert [abs(row["change"]) for row in rows[1:]] == sorted((abs(row["change"]) for row in rows[1:]), reverse=True)


def test_definitions_that_cannot_be_asked_are_left_out(event_log, rows_of):
    teas = {"event": VIEW, "source": "teas"}
    rows = rows_of(funnel_sensitivity(event_log(), **(ASKED | {"steps": [teas, VIEW]})), "choice", "overall_rate")
    assert rows == [(choice, None) for choice in ("as asked", "entry", "unit", "window", "window")]
    products = ibis.table(PRODUCT_EVENTS, name="product_events")
    asked = ASKED | {"steps": ("page", ORDER)}
    both = [funnel_sensitivity(UNBOUND, product_events=table, **asked).columns for table in (products, None)]
    assert both[0] == both[1]


def test_product_events_that_lack_the_column_of_a_step_are_left_out(event_log, product_event_log, rows_of):
    mobile = {"event": VIEW, "device_type": "mobile"}
    asked = ASKED | {"steps": [mobile, ORDER]}
    rows = rows_of(funnel_sensitivity(event_log(), product_events=product_event_log(), **asked), "choice")
    assert ("same",) not in rows
    by_name = rows_of(funnel_sensitivity(event_log(), product_events=product_event_log(), **ASKED), "choice")
    assert ("same",) in by_name


def test_no_definition_moves_what_does_not_move(event_log, rows_of):
    events = event_log(*(("ana", name, at(hour)) for hour, name in enumerate((VIEW, ADD, ORDER), start=1)))
    rows = rows_of(funnel_sensitivity(events, **(ASKED | {"window_days": 2})), "choice", "moves_most", "change")
    assert {row[1] for row in rows if row[0] != "unit"} == {0}
    assert {row[2] for row in rows if row[0] != "unit"} == {0.0}


# on the other form, and at the door


@pytest.mark.slow
def test_all_questions_have_the_same_answers_without_as_of_joins(event_log, rows_of, monkeypatch):
    draw = random.Random(6)
    start = datetime(2024, 1, 1, tzinfo=UTC)
    events = event_log(
        *(
            (f"p{draw.randint(0, 30)}", draw.choice((VIEW, ADD, ORDER)), start + timedelta(hours=draw.randint(0, 200)))
            for _ in range(500)
        )
    )

    def answers():
        return [rows_of(ask(events, **ASKED)) for ask in (funnel_times, funnel_curve, funnel_trend, funnel_sensitivity)]

    joined = answers()
    monkeypatch.setattr(engines, "joins_as_of", lambda table: False)
    assert answers() == joined
    assert len(joined[1]) > 3


def test_a_window_of_no_time_is_refused_everywhere():
    for ask in (funnel_times, funnel_curve, funnel_trend, funnel_sensitivity):
        with pytest.raises(UsageError, match="^The window is 0 days"):
            ask(UNBOUND, **(ASKED | {"window_days": 0}))


# what events lack


def test_events_get_the_channel_of_their_session(event_log, session_log, rows_of):
    events = event_log(("ana", VIEW, at(1), {"session_id": "s1"}), ("ana", ORDER, at(2)))
    sessions = session_log(("ana", at(1), 0, {"channel": "Email"}))
    added = with_session_column(events, sessions, "channel")
    assert sorted(rows_of(added, "event_name", "channel"), key=str) == [(ORDER, None), (VIEW, "Email")]
    assert with_session_column(events, sessions, "device_type") is events
    with pytest.raises(UsageError) as caught:
        with_session_column(UNBOUND, ibis.table(SESSIONS, name="sessions"), "chanel")
    assert str(caught.value) == "Neither events nor sessions have 'chanel'. Did you mean 'channel'?"


def test_an_order_that_a_server_told_gets_the_session_of_the_order(event_log, order_log, rows_of):
    events = event_log(
        ("ana", ORDER, at(1), {"order_id": "o1"}),
        ("ben", ORDER, at(1), {"order_id": "o2", "session_id": "s9"}),
        ("ana", "Order Refunded", at(5), {"order_id": "o1"}),
    )
    orders = order_log(("ana", at(1), {"session_id": "s1"}), ("ben", at(1), {"session_id": "s2"}))
    given = with_order_sessions(events, orders)
    assert given.columns == events.columns
    assert sorted(rows_of(given, "event_name", "session_id"), key=str) == [
        (ORDER, "s1"),
        (ORDER, "s9"),
        ("Order Refunded", None),
    ]
    assert with_order_sessions(UNBOUND, ibis.table(ORDERS, name="orders")).columns == EVENTS.names


def test_last_steps_compare_like_other_rates(event_log, rows_of):
    events = event_log(*walks((10, 40), (20, None)))
    [row] = rows_of(last_step(funnel(events, **ASKED)))
    assert (row["step"], row["people"], row["overall_rate"]) == (ORDER, 1, 0.5)
    assert [row[name] for name in SUMS] == [2, 1, 2, 1.0, 1.0, 2.0]


# what is planted in the fixture


def test_sessions_reach_as_deep_as_the_shop_was_made_to(shop, rows_of):
    """The truth tells how deep visits without an order went; a visit with one went through all steps."""
    truth = json.loads((ROOT / "data/fixtures/shop/truth.json").read_text(encoding="utf-8"))
    depth, ordered = truth["depth_of_sessions_without_order"], truth["orders"] / truth["sessions"]
    beyond = {PAY: depth["checkout"]}
    beyond[ADD] = beyond[PAY] + depth["cart"]
    beyond[VIEW] = beyond[ADD] + depth["product"]
    period = Period(date(2024, 8, 1), date(2026, 11, 1), shop.zone)
    events = with_order_sessions(shop.events, shop.orders)
    asked = {"unit": "session", "window_days": None, "period": period, "as_of": shop.week("last").end_at}
    rows = rows_of(funnel(events, steps=("page", VIEW, ADD, PAY, ORDER), **asked), "step", "overall_rate")
    expected = {step: ordered + (1 - ordered) * share for step, share in beyond.items()}
    assert {step: rate for step, rate in rows if step in expected} == pytest.approx(expected, abs=0.012)
