"""The funnel: its rules at each edge, its laws, and a second way to each count."""

import random
from datetime import UTC, date, datetime, timedelta

import ibis
import pytest

from ecomkit.errors import TableError, UsageError
from ecomkit.metrics.funnel import funnel
from ecomkit.metrics.funnel_outside import purchases_outside
from ecomkit.metrics.ratio import SUMS
from ecomkit.periods import Period, iso_week
from ecomkit.schemas import EVENTS

VIEW, ADD, PAY, ORDER = "Product Viewed", "Product Added", "Checkout Started", "Order Completed"
STEPS = (VIEW, ADD, ORDER)
WEEK = Period(date(2024, 1, 1), date(2024, 1, 8), "UTC")
AS_OF = datetime(2024, 2, 1, tzinfo=UTC)
UNBOUND = ibis.table(EVENTS, name="events")


def people(table):
    return [row["people"] for row in table.to_pyarrow().to_pylist()]


def ask(events, *, steps=STEPS, window_days=1, period=WEEK, as_of=AS_OF):
    return funnel(events, steps=steps, window_days=window_days, period=period, as_of=as_of)


def test_funnel_by_hand(event_log, rows_of):
    events = event_log(
        ("ana", VIEW, "2024-01-02 10:00:00Z"),
        ("ana", ADD, "2024-01-02 10:05:00Z"),
        ("ana", ORDER, "2024-01-02 10:10:00Z"),
        ("ben", VIEW, "2024-01-03 10:00:00Z"),
        ("ben", ADD, "2024-01-03 10:01:00Z"),
        ("cleo", VIEW, "2024-01-04 10:00:00Z"),
        ("dan", ADD, "2024-01-04 10:00:00Z"),
        (None, VIEW, "2024-01-04 10:00:00Z"),
    )
    columns = ("step_number", "step", "people", "step_rate", "overall_rate", "immature")
    assert rows_of(ask(events), *columns) == [
        (1, VIEW, 3, None, 1.0, 0),
        (2, ADD, 2, 2 / 3, 2 / 3, 0),
        (3, ORDER, 1, 1 / 2, 1 / 3, 0),
    ]
    last = rows_of(ask(events))[-1]
    assert [last[f"step_rate_{name}"] for name in SUMS] == [2, 1, 2, 1.0, 1.0, 2.0]
    assert [last[f"overall_rate_{name}"] for name in SUMS] == [3, 1, 3, 1.0, 1.0, 3.0]


@pytest.mark.parametrize(
    ("ordered_at", "reached"),
    [
        pytest.param("2024-01-03 09:59:59Z", 1, id="one second before the window ends"),
        pytest.param("2024-01-03 10:00:00Z", 1, id="the last instant of the window counts"),
        pytest.param("2024-01-03 10:00:01Z", 0, id="one second later does not"),
    ],
)
def test_window_counts_from_the_first_step(event_log, ordered_at, reached):
    events = event_log(
        ("ana", VIEW, "2024-01-02 10:00:00Z"), ("ana", ADD, "2024-01-02 22:00:00Z"), ("ana", ORDER, ordered_at)
    )
    assert people(ask(events)) == [1, 1, reached]


@pytest.mark.parametrize(
    ("viewed_at", "entered"),
    [
        pytest.param("2023-12-31 23:59:59Z", 0, id="one second before the period"),
        pytest.param("2024-01-01 00:00:00Z", 1, id="its first instant"),
        pytest.param("2024-01-07 23:59:59Z", 1, id="one second before its end"),
        pytest.param("2024-01-08 00:00:00Z", 0, id="its end"),
    ],
)
def test_attempts_start_in_the_period(event_log, viewed_at, entered):
    assert people(ask(event_log(("ana", VIEW, viewed_at))))[0] == entered


def test_later_steps_may_fall_after_the_period(event_log):
    events = event_log(
        ("ana", VIEW, "2024-01-07 23:00:00Z"),
        ("ana", ADD, "2024-01-08 01:00:00Z"),
        ("ana", ORDER, "2024-01-08 02:00:00Z"),
    )
    assert people(ask(events)) == [1, 1, 1]


@pytest.mark.parametrize(
    ("as_of", "entered", "immature"),
    [
        pytest.param("2024-01-03 09:59:59Z", 0, 1, id="the window ends after the data"),
        pytest.param("2024-01-03 10:00:00Z", 0, 1, id="its last instant is not in the data"),
        pytest.param("2024-01-03 10:00:01Z", 1, 0, id="its last instant is in the data"),
    ],
)
def test_people_whose_window_is_not_over_are_immature(event_log, rows_of, as_of, entered, immature):
    events = event_log(("ana", VIEW, "2024-01-02 10:00:00Z"), ("ana", ADD, "2024-01-02 10:05:00Z"))
    rows = rows_of(ask(events, as_of=datetime.fromisoformat(as_of)), "people", "immature")
    assert rows == [(entered, immature), (entered, immature), (0, immature)]


def test_a_person_with_one_mature_attempt_is_not_immature_and_the_young_attempt_does_not_compete(event_log, rows_of):
    events = event_log(
        ("ana", VIEW, "2024-01-02 10:00:00Z"),
        ("ana", VIEW, "2024-01-05 10:00:00Z"),
        ("ana", ADD, "2024-01-05 10:01:00Z"),
    )
    rows = rows_of(ask(events, as_of=datetime(2024, 1, 6, tzinfo=UTC)), "people", "immature")
    assert rows == [(1, 0), (0, 0), (0, 0)]


def test_nothing_at_or_after_as_of_counts(event_log):
    events = event_log(("ana", VIEW, "2024-01-02 10:00:00Z"), ("ana", ADD, "2024-01-03 10:00:00Z"))
    assert people(ask(events, as_of=datetime(2024, 1, 3, 10, 0, 1, tzinfo=UTC))) == [1, 1, 0]
    assert people(ask(events, window_days=0.5, as_of=datetime(2024, 1, 3, 10, tzinfo=UTC))) == [1, 0, 0]


def test_an_order_cancelled_later_was_a_purchase_and_fills_its_step(event_log, rows_of):
    events = event_log(
        ("ana", VIEW, "2024-01-02 10:00:00Z"),
        ("ana", ADD, "2024-01-02 10:05:00Z"),
        ("ana", ORDER, "2024-01-02 10:10:00Z"),
        ("ana", "Order Cancelled", "2024-01-02 10:20:00Z"),
    )
    assert people(ask(events)) == [1, 1, 1]
    asked = {"steps": STEPS, "window_days": 1, "period": WEEK, "as_of": datetime(2024, 2, 1, tzinfo=UTC)}
    assert rows_of(purchases_outside(events, **asked), "purchases", "purchases_outside") == [(1, 0)]


def test_equal_times_stand_in_the_order_of_the_steps(event_log):
    noon = "2024-01-02 12:00:00Z"
    events = event_log(("ana", ORDER, noon), ("ana", ADD, noon), ("ana", VIEW, noon))
    assert people(ask(events)) == [1, 1, 1]


def test_a_step_before_the_one_it_follows_does_not_count(event_log):
    events = event_log(
        ("ana", ADD, "2024-01-02 09:59:59Z"),
        ("ana", VIEW, "2024-01-02 10:00:00Z"),
        ("ana", ORDER, "2024-01-02 11:00:00Z"),
    )
    assert people(ask(events)) == [1, 0, 0]


def test_a_later_start_in_the_window_does_not_cut_the_attempt_off(event_log):
    events = event_log(
        ("ana", VIEW, "2024-01-02 10:00:00Z"),
        ("ana", ADD, "2024-01-02 11:00:00Z"),
        ("ana", VIEW, "2024-01-02 12:00:00Z"),
        ("ana", ORDER, "2024-01-02 13:00:00Z"),
    )
    assert people(ask(events)) == [1, 1, 1]


def test_the_deepest_attempt_counts_not_the_first(event_log):
    events = event_log(
        ("ana", VIEW, "2024-01-02 10:00:00Z"),
        ("ana", ADD, "2024-01-02 11:00:00Z"),
        ("ana", VIEW, "2024-01-04 10:00:00Z"),
        ("ana", ADD, "2024-01-04 11:00:00Z"),
        ("ana", ORDER, "2024-01-04 12:00:00Z"),
    )
    assert people(ask(events)) == [1, 1, 1]


def test_without_people_rates_are_unknown(event_log, rows_of):
    rows = rows_of(ask(event_log()), "people", "step_rate", "overall_rate", "immature")
    assert rows == [(0, None, None, 0)] * 3


# by law, and by another way


def random_log(seed, people=80):
    """Events of many short visits, with equal times and repeats on purpose."""
    draw = random.Random(seed)
    start = datetime(2023, 12, 30, tzinfo=UTC)
    log = []
    for person in range(people):
        visits = [start + timedelta(hours=draw.randint(0, 24 * 12)) for _ in range(draw.randint(1, 4))]
        for visit in visits:
            log += [
                (
                    f"p{person}",
                    draw.choice((VIEW, VIEW, ADD, ADD, PAY, ORDER, "Cart Viewed")),
                    visit + timedelta(hours=later),
                )
                for later in (draw.choice((0, 0, 1, 2, 6, 23, 24, 25)) for _ in range(draw.randint(1, 8)))
            ]
    return log


def depth_by_hand(events, steps, window):
    """windowFunnel's level for one person's time-ordered events, per start: greedy, each start by itself."""
    depths = {}
    for started_at in sorted({at for name, at in events if name == steps[0]}):
        depth, reached_at = 1, started_at
        for step in steps[1:]:
            later = [at for name, at in events if name == step and reached_at <= at <= started_at + window]
            if not later:
                break
            depth, reached_at = depth + 1, min(later)
        depths[started_at] = depth
    return depths


def funnel_by_hand(log, steps, window, period, as_of):
    by_person = {}
    for person, name, at in log:
        if at < as_of:
            by_person.setdefault(person, []).append((name, at))
    deepest, immature = [], 0
    for events in by_person.values():
        depths = {at: depth for at, depth in depth_by_hand(events, steps, window).items() if period.holds(at)}
        mature = [depth for at, depth in depths.items() if at + window < as_of]
        if mature:
            deepest.append(max(mature))
        elif depths:
            immature += 1
    return [sum(depth >= k for depth in deepest) for k in range(1, len(steps) + 1)], immature


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("steps", [(VIEW, ADD), STEPS, (VIEW, ADD, PAY, ORDER)], ids=len)
def test_a_walk_over_each_persons_events_counts_the_same(event_log, rows_of, seed, steps):
    log = random_log(seed)
    as_of = datetime(2024, 1, 6, tzinfo=UTC)
    rows = rows_of(ask(event_log(*log), steps=steps, as_of=as_of), "people", "immature")
    counts, immature = funnel_by_hand(log, steps, timedelta(days=1), WEEK, as_of)
    assert counts[0] > 0
    assert immature > 0
    assert rows == [(count, immature) for count in counts]


def test_a_funnel_never_widens_and_a_longer_window_never_loses_anyone(event_log):
    events = event_log(*random_log(5))
    short, long = people(ask(events, window_days=0.25)), people(ask(events, window_days=2))
    assert short == sorted(short, reverse=True)
    assert long == sorted(long, reverse=True)
    assert all(few <= many for few, many in zip(short, long, strict=True))


def test_order_of_rows_and_duplicates_change_nothing(event_log, rows_of):
    log = random_log(6)
    shuffled = random.Random(1).sample(log, len(log))
    assert (
        rows_of(ask(event_log(*log))) == rows_of(ask(event_log(*shuffled))) == rows_of(ask(event_log(*log, *shuffled)))
    )


# by shape, and at the door


def test_columns_are_the_documented_ones():
    assert ask(UNBOUND).columns == (
        *("step_number", "step", "people", "step_rate", "overall_rate", "immature"),
        *(f"step_rate_{name}" for name in SUMS),
        *(f"overall_rate_{name}" for name in SUMS),
    )


def test_ten_steps_are_a_funnel():
    steps = ["page", "Products Searched", "Product List Viewed", "Product Clicked", VIEW, ADD, "Cart Viewed", PAY]
    assert ask(UNBOUND, steps=[*steps, "Payment Info Entered", ORDER]).columns


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        pytest.param([VIEW], "The number of steps is 1.", id="one step"),
        pytest.param(
            [VIEW, "Order Complete", "Zebra"],
            "'Order Complete' is not an event of the tracking plan. Did you mean 'Order Completed'? "
            "'Zebra' is not an event of the tracking plan.",
            id="unknown names",
        ),
        pytest.param([VIEW, ADD, VIEW], "'Product Viewed' stands there 2 times.", id="a step twice"),
        pytest.param(
            ["Produkt Viewed"] * 11,
            "'Produkt Viewed' is not an event of the tracking plan. Did you mean 'Product Viewed'? "
            "'Produkt Viewed' stands there 11 times. The number of steps is 11.",
            id="all at once",
        ),
    ],
)
def test_steps_that_are_no_funnel_are_all_named(steps, problem):
    with pytest.raises(UsageError) as caught:
        ask(UNBOUND, steps=steps)
    assert str(caught.value) == f"These steps are no funnel: {problem} Give 2 to 10 different event names."


def test_a_window_of_no_time_is_refused():
    with pytest.raises(UsageError) as caught:
        ask(UNBOUND, window_days=0)
    assert str(caught.value) == "The window is 0 days. Give the time from the first step to the last."


def test_a_table_without_the_columns_stops_at_the_door():
    with pytest.raises(TableError, match="^The table lacks 'message_id', 'event_name'"):
        ask(ibis.table({"person_id": "string"}, name="t"))


# purchases outside the funnel


def outside(rows_of, events, *, steps=STEPS, window_days=1, period=WEEK, as_of=AS_OF):
    table = purchases_outside(events, steps=steps, window_days=window_days, period=period, as_of=as_of)
    return rows_of(table, "purchases", "purchases_outside", "outside_rate")


def test_purchases_outside_by_hand(event_log, rows_of):
    events = event_log(
        ("ana", VIEW, "2024-01-02 10:00:00Z"),
        ("ana", ADD, "2024-01-02 10:05:00Z"),
        ("ana", ORDER, "2024-01-02 10:10:00Z"),
        ("ana", ORDER, "2024-01-02 11:00:00Z"),
        ("ben", ADD, "2024-01-03 10:00:00Z"),
        ("ben", ORDER, "2024-01-03 10:01:00Z"),
        (None, ORDER, "2024-01-04 10:00:00Z"),
    )
    # ana's second order follows the same view and addition.
    assert outside(rows_of, events) == [(4, 2, 0.5)]
    assert outside(rows_of, events, steps=(ADD, ORDER)) == [(4, 1, 0.25)]
    assert outside(rows_of, event_log()) == [(0, 0, None)]


def test_a_purchase_on_monday_knows_the_view_of_a_week_before_though_sunday_had_23_hours(event_log, rows_of):
    events = event_log(("ana", VIEW, "2024-03-04 04:30:00Z"), ("ana", ORDER, "2024-03-11 04:10:00Z"))
    asked = {"period": iso_week("2024-W11", "America/New_York"), "as_of": datetime(2024, 3, 18, 4, tzinfo=UTC)}
    assert outside(rows_of, events, steps=(VIEW, ORDER), window_days=7, **asked) == [(1, 0, 0.0)]


@pytest.mark.parametrize(
    ("ordered_at", "left_out"),
    [
        pytest.param("2024-01-03 10:00:00Z", 0, id="the last instant of the window"),
        pytest.param("2024-01-03 10:00:01Z", 1, id="one second later"),
        pytest.param("2024-01-02 10:05:00Z", 0, id="at the step before"),
        pytest.param("2024-01-02 10:04:59Z", 1, id="one second before the step before"),
    ],
)
def test_edges_of_a_purchase_inside(event_log, rows_of, ordered_at, left_out):
    events = event_log(
        ("ana", VIEW, "2024-01-02 10:00:00Z"), ("ana", ADD, "2024-01-02 10:05:00Z"), ("ana", ORDER, ordered_at)
    )
    assert outside(rows_of, events)[0][:2] == (1, left_out)


def test_a_purchase_early_in_the_period_may_have_begun_before_it(event_log, rows_of):
    events = event_log(
        ("ana", VIEW, "2023-12-31 12:00:00Z"),
        ("ana", ADD, "2023-12-31 12:30:00Z"),
        ("ana", ORDER, "2024-01-01 11:00:00Z"),
    )
    assert outside(rows_of, events) == [(1, 0, 0.0)]


def test_a_purchase_told_twice_counts_once(rows_of, event_log):
    events = event_log(("ana", ORDER, "2024-01-02 10:00:00Z"), ("ana", ORDER, "2024-01-02 10:00:03Z"))
    assert outside(rows_of, events.mutate(order_id=ibis.literal("o1"))) == [(1, 1, 1.0)]


@pytest.mark.parametrize("seed", range(4))
def test_a_walk_over_each_purchase_counts_the_same(event_log, rows_of, seed):
    log = random_log(seed)
    window = timedelta(days=1)
    bought = [(person, at) for person, name, at in log if name == ORDER and WEEK.holds(at)]

    def is_inside(person, at):
        theirs = [(name, when) for someone, name, when in log if someone == person and when <= at]
        return any(
            viewed <= added
            for name, viewed in theirs
            for other, added in theirs
            if name == VIEW and other == ADD and at <= viewed + window
        )

    expected = sum(not is_inside(*purchase) for purchase in bought)
    assert 0 < expected < len(bought)
    assert outside(rows_of, event_log(*log))[0][:2] == (len(bought), expected)
