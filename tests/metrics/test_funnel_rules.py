"""The funnel under each of its rules: by hand, by a walk over each person's events, and by law; on both forms."""

import random
from datetime import UTC, date, datetime, timedelta

import ibis
import pytest

from ecomkit import engines
from ecomkit.engines import ENGINES, to_sql
from ecomkit.errors import TableError, UsageError
from ecomkit.metrics.funnel import funnel
from ecomkit.metrics.funnel_outside import purchases_outside
from ecomkit.metrics.ratio import SUMS
from ecomkit.periods import Period
from ecomkit.schemas import EVENTS, PRODUCT_EVENTS

VIEW, ADD, PAY, ORDER, BOUGHT = (
    *("Product Viewed", "Product Added", "Checkout Started", "Order Completed"),
    "Product Purchased",
)
STEPS = (VIEW, ADD, ORDER)
WEEK = Period(date(2024, 1, 1), date(2024, 1, 8), "UTC")
AS_OF = datetime(2024, 2, 1, tzinfo=UTC)
UNBOUND, UNBOUND_PRODUCTS = ibis.table(EVENTS, name="events"), ibis.table(PRODUCT_EVENTS, name="product_events")
TEAS, MOBILE = {"event": VIEW, "source": "teas"}, {"device_type": "mobile"}


@pytest.fixture(
    params=[pytest.param(True, id="as-of joins"), pytest.param(False, id="windows", marks=pytest.mark.slow)]
)
def both_forms(request, monkeypatch):
    """Run a test on DuckDB's as-of joins, and with the slow ones on what engines without them run."""
    if not request.param:
        monkeypatch.setattr(engines, "joins_as_of", lambda table: False)


def ask(events, **more):
    return funnel(events, **({"steps": STEPS, "window_days": 1, "period": WEEK, "as_of": AS_OF} | more))


def people(events, **more):
    rows = ask(events, **more).to_pyarrow().to_pylist()
    return [row.get("people", row.get("sessions")) for row in rows]


def at(hour, minute=0):
    return f"2024-01-02 {hour:02d}:{minute:02d}:00Z"


def walk(*names, person="ana", first_hour=1):
    """One event an hour."""
    return [(person, name, at(hour)) for hour, name in enumerate(names, start=first_hour)]


# the order of the steps


@pytest.mark.parametrize(
    ("names", "strict", "ordered", "in_any"),
    [
        pytest.param((VIEW, ADD, ORDER), [1, 1, 1], [1, 1, 1], [1, 1, 1], id="in order"),
        pytest.param((VIEW, ADD, ADD, ORDER), [1, 1, 1], [1, 1, 1], [1, 1, 1], id="a step again does no harm"),
        pytest.param((VIEW, VIEW, ADD, ORDER), [1, 1, 1], [1, 1, 1], [1, 1, 1], id="nor does the first"),
        pytest.param((VIEW, ADD, VIEW, ORDER), [1, 1, 0], [1, 1, 1], [1, 1, 1], id="another step between"),
        pytest.param((VIEW, ORDER, ADD), [1, 0, 0], [1, 1, 0], [1, 1, 1], id="the last before the second"),
        pytest.param((ADD, VIEW, ORDER), [1, 0, 0], [1, 0, 0], [1, 1, 1], id="the second before the first"),
        pytest.param((VIEW, "Cart Viewed", ADD, ORDER), [1, 1, 1], [1, 1, 1], [1, 1, 1], id="no step between"),
        pytest.param((ADD, ORDER), [0, 0, 0], [0, 0, 0], [0, 0, 0], id="no first step"),
        pytest.param((VIEW, ORDER), [1, 0, 0], [1, 0, 0], [1, 0, 0], id="the second is missing"),
    ],
)
@pytest.mark.usefixtures("both_forms")
def test_orders_by_hand(event_log, names, strict, ordered, in_any):
    events = event_log(*walk(*names))
    assert people(events, order="strict") == strict
    assert people(events, order="ordered") == ordered
    assert people(events, order="any") == in_any


@pytest.mark.parametrize("order", ["ordered", "strict", "any"])
def test_equal_times_are_in_order_for_each_rule(event_log, order):
    noon = at(12)
    assert people(event_log(("ana", ORDER, noon), ("ana", ADD, noon), ("ana", VIEW, noon)), order=order) == [1, 1, 1]


def test_in_any_order_the_window_begins_with_the_first_of_all_steps(event_log):
    late = ("ana", ORDER, "2024-01-03 01:00:01Z")
    assert people(event_log(("ana", ADD, at(1)), ("ana", VIEW, at(2)), late), order="any") == [1, 1, 0]
    in_time = ("ana", ORDER, "2024-01-03 01:00:00Z")
    assert people(event_log(("ana", ADD, at(1)), ("ana", VIEW, at(2)), in_time), order="any") == [1, 1, 1]


# what a start is


def test_the_first_start_alone_counts_with_the_entry_first(event_log):
    days = [("ana", VIEW, "2024-01-02 10:00:00Z"), ("ana", VIEW, "2024-01-04 10:00:00Z")]
    events = event_log(*days, ("ana", ADD, "2024-01-04 11:00:00Z"))
    assert people(events) == [1, 1, 0]
    assert people(events, entry="first") == [1, 0, 0]


def test_a_start_before_the_period_is_not_its_first(event_log):
    before = ("ana", VIEW, "2023-12-30 10:00:00Z")
    assert people(event_log(before, *walk(VIEW, ADD)), entry="first") == [1, 1, 0]


def test_who_started_first_too_late_is_immature_although_nobody_else_is(event_log, rows_of):
    events = event_log(*walk(VIEW, ADD))
    rows = rows_of(ask(events, entry="first", as_of=datetime(2024, 1, 2, 12, tzinfo=UTC)), "people", "immature")
    assert rows == [(0, 1)] * 3


# who is counted


def test_sessions_have_no_window_and_count_each(event_log, rows_of):
    def on(session, *entries):
        return [(*entry, {"session_id": session}) for entry in entries]

    events = event_log(
        *on("s1", ("ana", VIEW, at(1)), ("ana", ADD, at(2))),
        *on("s2", ("ana", VIEW, at(8)), ("ana", ADD, at(9)), ("ana", ORDER, "2024-01-04 10:00:00Z")),
        *on("s3", ("ben", VIEW, at(8)), (None, ADD, at(9))),
        *on(None, ("cleo", VIEW, at(8))),
    )
    rows = rows_of(ask(events, unit="session", window_days=None))
    assert [(row["sessions"], row["overall_rate"], row["immature"]) for row in rows] == [
        (3, 1.0, 0),
        (3, 1.0, 0),
        (1, 1 / 3, 0),
    ]
    # Two sessions of ana, one with an order; one of ben.
    assert [rows[-1][f"overall_rate_{name}"] for name in SUMS] == [2, 1, 3, 1.0, 2.0, 5.0]


@pytest.mark.parametrize(
    ("as_of", "sessions", "immature"),
    [
        pytest.param("2024-01-02T01:40:00+00:00", 0, 1, id="a call half an hour later would still be its"),
        pytest.param("2024-01-02T01:40:01+00:00", 1, 0, id="a second later it is over"),
    ],
)
def test_a_session_that_may_go_on_is_immature(event_log, rows_of, as_of, sessions, immature):
    here = {"session_id": "s1"}
    events = event_log(("ana", VIEW, at(1), here), ("ana", "page", at(1, 10), here))
    rows = ask(events, unit="session", window_days=None, as_of=datetime.fromisoformat(as_of))
    assert rows_of(rows, "sessions", "immature")[0] == (sessions, immature)


@pytest.mark.usefixtures("both_forms")
def test_steps_of_one_product_and_a_person_counts_once(product_event_log):
    events = product_event_log(
        ("ana", VIEW, at(1), "p1"),
        ("ana", ADD, at(2), "p2"),
        ("ana", VIEW, at(3), "p2"),
        ("ana", BOUGHT, at(4), "p2"),
        ("ben", VIEW, at(1), "p1"),
        ("ben", ADD, at(2), "p1"),
        ("ben", VIEW, at(3), "p3"),
        ("ben", ADD, at(4), "p3"),
        ("ben", BOUGHT, at(5), "p3"),
        ("cleo", VIEW, at(1), None),
    )
    assert people(events, same="product_id", steps=(VIEW, ADD, BOUGHT)) == [2, 1, 1]
    # An order is told there as its lines.
    assert people(events, same="product_id", steps=(VIEW, ORDER)) == [2, 2]


def test_steps_of_one_cart(product_event_log):
    events = product_event_log(
        ("ana", ADD, at(1), "p1", {"cart_id": "c1"}),
        ("ana", "Product Removed", at(2), "p1", {"cart_id": "c2"}),
        ("ben", ADD, at(1), "p1", {"cart_id": "c3"}),
        ("ben", "Product Removed", at(2), "p2", {"cart_id": "c3"}),
    )
    assert people(events, same="cart_id", steps=(ADD, "Product Removed")) == [2, 1]


# breakdowns


@pytest.mark.usefixtures("both_forms")
def test_a_group_is_the_value_at_step_1_or_the_last_that_is_known(event_log, rows_of):
    events = event_log(
        ("ana", VIEW, at(1), MOBILE),
        ("ana", ADD, at(2), {"device_type": "desktop"}),
        ("ana", ORDER, at(3)),
        ("ben", VIEW, at(1), MOBILE),
        ("cleo", VIEW, at(1)),
    )
    columns = ("device_type", "people")
    first = rows_of(ask(events, by="device_type"), *columns)
    assert sorted(first, key=str) == sorted(
        [(None, 1), (None, 0), (None, 0), ("mobile", 2), ("mobile", 1), ("mobile", 1)], key=str
    )
    last = rows_of(ask(events, by={"last touch": "device_type"}), *columns)
    assert [row for row in last if row[0] == "desktop"] == [("desktop", 1)] * 3
    assert [row for row in last if row[0] == "mobile"] == [("mobile", 1), ("mobile", 0), ("mobile", 0)]


def test_the_group_is_that_of_the_attempt_that_counts(event_log, rows_of):
    events = event_log(
        ("ana", VIEW, "2024-01-02 10:00:00Z", MOBILE),
        ("ana", VIEW, "2024-01-05 10:00:00Z", {"device_type": "desktop"}),
        ("ana", ADD, "2024-01-05 11:00:00Z", MOBILE),
    )
    assert {row[0] for row in rows_of(ask(events, by="device_type"), "device_type")} == {"desktop"}


def test_immature_people_stand_in_their_group(event_log, rows_of):
    events = event_log(("ana", VIEW, at(1), MOBILE), ("ben", VIEW, "2024-01-01 01:00:00Z", MOBILE))
    rows = ask(events, by="device_type", as_of=datetime(2024, 1, 2, 12, tzinfo=UTC))
    assert rows_of(rows, "device_type", "people", "immature")[0] == ("mobile", 1, 1)


# filters of steps


@pytest.mark.usefixtures("both_forms")
def test_a_step_may_ask_for_values(event_log):
    events = event_log(
        ("ana", VIEW, at(1), {"source": "teas"}),
        ("ana", ADD, at(2), MOBILE),
        ("ben", VIEW, at(1), {"source": "pots"}),
        ("ben", ADD, at(2), {"device_type": "tablet"}),
        ("cleo", VIEW, at(1)),
    )
    assert people(events, steps=[TEAS, ADD]) == [1, 1]
    assert people(events, steps=[VIEW, {"event": ADD, "device_type": ["mobile", "desktop"]}]) == [3, 1]
    assert people(events, steps=[{"event": VIEW, "source": None}, ADD]) == [1, 0]
    assert people(events, steps=[{"event": VIEW, "source": [None, "pots"]}, ADD]) == [2, 1]


@pytest.mark.usefixtures("both_forms")
def test_one_event_fills_one_step_where_it_fits_two(event_log, rows_of):
    teas = {"source": "teas"}
    events = event_log(
        ("ana", VIEW, at(1), teas),
        ("ben", VIEW, at(1), teas),
        ("ben", VIEW, at(1), teas),
        ("cleo", VIEW, at(1), teas),
        ("cleo", VIEW, at(2)),
        ("dan", VIEW, at(1)),
        ("dan", VIEW, at(2), teas),
    )
    assert people(events, steps=[TEAS, VIEW]) == [4, 2]
    assert people(events, steps=[VIEW, TEAS]) == [4, 2]
    rows = rows_of(ask(events, steps=[TEAS, VIEW]), "step")
    assert rows == [("Product Viewed (source: teas)",), (VIEW,)]


def test_a_purchase_outside_is_one_that_the_filters_leave_out(event_log, rows_of):
    events = event_log(
        ("ana", VIEW, at(1), {"source": "teas"}), ("ana", ORDER, at(2)), ("ben", VIEW, at(1)), ("ben", ORDER, at(2))
    )
    asked = {"window_days": 1, "period": WEEK, "as_of": AS_OF}
    assert rows_of(purchases_outside(events, steps=[TEAS, ORDER], **asked)) == [
        {"purchases": 2, "purchases_outside": 1, "outside_rate": 0.5}
    ]


# at the door


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        pytest.param(
            {"order": "orderd", "entry": "last"},
            "'order' is 'orderd', which is no rule of a funnel. Did you mean 'ordered'? Choose one of 'ordered', "
            "'strict', 'any'. 'entry' is 'last', which is no rule of a funnel. Choose one of 'restart', 'first'.",
            id="all unknown rules at once",
        ),
        pytest.param(
            {"same": "product"},
            "'same' is 'product', which is no rule of a funnel. Did you mean 'product_id'? Choose one of 'product_id', "
            "'cart_id' or None.",
            id="held by nothing known",
        ),
        pytest.param(
            {"unit": "session"},
            "A session ends by itself, so its funnel has no window; window_days is 1. Give None.",
            id="a window for sessions",
        ),
        pytest.param(
            {"window_days": None},
            "The window is None days. Give the time from the first step to the last.",
            id="no window for people",
        ),
        pytest.param(
            {"window_days": float("nan")},
            "The window is nan days. Give the time from the first step to the last.",
            id="a window of nothing",
        ),
        pytest.param(
            {"window_days": float("inf")},
            "The window is inf days. Give the time from the first step to the last.",
            id="a window without end",
        ),
        pytest.param(
            {"by": "device"},
            "'by' names 'device', which the table lacks. Did you mean 'device_type'? It has "
            + ", ".join(f"'{name}'" for name in EVENTS.names)
            + ".",
            id="by an unknown column",
        ),
        pytest.param(
            {"by": {"first touch": "device_type"}},
            "'by' is {'first touch': 'device_type'}. Give a column, or one rule and its column, such as "
            "{'last touch': 'device_type'}; the rules are 'step 1', 'last touch'.",
            id="by an unknown rule",
        ),
        pytest.param(
            {"order": "any", "steps": [TEAS, VIEW]},
            "One event can fit two of the steps 'Product Viewed (source: teas)', 'Product Viewed', which only the "
            "order 'ordered' tells apart; 'any' was asked. Filter the steps by different values of one column.",
            id="steps that share events, in any order",
        ),
        pytest.param(
            {"steps": [{"event": VIEW, "devicetype": "mobile"}, {"event": ORDER, "coupon": 5}, {"source": "x"}]},
            "These steps are no funnel: 'Product Viewed' is filtered by 'devicetype', which the table lacks. Did you "
            "mean 'device_type'? 'Order Completed' is filtered by 'coupon', of type string, which is never 5. "
            "{'source': 'x'} names no event. Give 2 to 10 different event names.",
            id="filters that cannot be",
        ),
        pytest.param(
            {"steps": [{"event": VIEW, "source": []}, ADD]},
            "These steps are no funnel: 'Product Viewed' is filtered by 'source', which may have no value at all. "
            "Give 2 to 10 different event names.",
            id="a filter without values",
        ),
        pytest.param(
            {"steps": [TEAS, TEAS]},
            "These steps are no funnel: 'Product Viewed (source: teas)' stands there 2 times. Give 2 to 10 different "
            "event names.",
            id="a step twice with its filter",
        ),
    ],
)
def test_rules_that_cannot_be_are_all_named(wrong, message):
    with pytest.raises(UsageError) as caught:
        ask(UNBOUND, **wrong)
    assert str(caught.value) == message


def test_a_funnel_of_one_product_wants_product_events_and_steps_that_tell_of_products():
    with pytest.raises(TableError, match="^The table lacks 'sku', 'category'"):
        ask(UNBOUND, same="product_id")
    with pytest.raises(UsageError) as caught:
        ask(UNBOUND_PRODUCTS, same="product_id", steps=(VIEW, PAY, "Zebra"))
    assert str(caught.value) == (
        "These steps are no funnel: 'Checkout Started' is not an event of product_events, which tells of one product. "
        "'Zebra' is not an event of the tracking plan. Give 2 to 10 different event names."
    )


def test_different_values_of_one_column_tell_steps_apart(event_log):
    pots = {"event": VIEW, "source": "pots"}
    events = event_log(("ana", VIEW, at(1), {"source": "pots"}), ("ana", VIEW, at(2), {"source": "teas"}))
    assert people(events, steps=[TEAS, pots], order="any") == [1, 1]
    assert people(events, steps=[TEAS, pots]) == [1, 0]


@pytest.mark.parametrize("engine", ENGINES)
def test_each_rule_compiles_for_every_engine(engine):
    last_touch = {"last touch": "device_type"}
    strict = ask(UNBOUND, order="strict", entry="first", unit="session", window_days=None, by=last_touch)
    for asked in (strict, ask(UNBOUND, order="any"), ask(UNBOUND, steps=[TEAS, VIEW])):
        assert "ASOF" not in to_sql(asked, engine)


def test_a_breakdown_adds_one_column_and_sessions_are_called_sessions():
    plain = ask(UNBOUND).columns
    assert ask(UNBOUND, by="source").columns == ("source", *plain)
    sessions = ask(UNBOUND, unit="session", window_days=None).columns
    assert sessions == tuple("sessions" if name == "people" else name for name in plain)


# by another way: a walk over each person's events


def random_log(seed, people=40):
    draw = random.Random(seed)
    start = datetime(2023, 12, 31, tzinfo=UTC)
    log = []
    for person in range(people):
        for _visit in range(draw.randint(1, 3)):
            visit = start + timedelta(hours=draw.randint(0, 24 * 9))
            for _call in range(draw.randint(1, 7)):
                told = {
                    "device_type": draw.choice(("mobile", "desktop", None)),
                    "source": draw.choice(("teas", "pots")),
                }
                name = draw.choice((VIEW, VIEW, VIEW, ADD, ADD, PAY, ORDER, "Cart Viewed"))
                log.append((f"p{person}", name, visit + timedelta(hours=draw.choice((0, 0, 1, 2, 6, 23, 24))), told))
    return log


def strict_depths(events, steps, window):
    ordered = sorted((at, steps.index(name)) for name, at in events if name in steps)
    for number, (started_at, step) in enumerate(ordered):
        if step == 0:
            now = 0
            for reached_at, other in ordered[number:]:
                if other not in (now, now + 1) or reached_at > started_at + window:
                    break
                now = other
            yield started_at, now + 1


def any_depths(events, steps, window):
    for _name, started_at in [event for event in events if event[0] in steps]:
        there = {name for name, at in events if started_at <= at <= started_at + window}
        missing = [number for number, step in enumerate(steps) if step not in there]
        depth = missing[0] if missing else len(steps)
        if depth:
            yield started_at, depth


def ordered_depths(events, steps, window):
    for started_at in [at for name, at in events if name == steps[0]]:
        depth, reached_at = 1, started_at
        for step in steps[1:]:
            later = [at for name, at in events if name == step and reached_at <= at <= started_at + window]
            if not later:
                break
            depth, reached_at = depth + 1, min(later)
        yield started_at, depth


WALKS = {"ordered": ordered_depths, "strict": strict_depths, "any": any_depths}


def by_hand(log, order, entry, steps, window, as_of):
    theirs = {}
    for person, name, at_, _told in log:
        if at_ < as_of:
            theirs.setdefault(person, []).append((name, at_))
    deepest, immature = [], 0
    for events in theirs.values():
        tries = sorted(one for one in WALKS[order](events, steps, window) if WEEK.holds(one[0]))
        if entry == "first":
            tries = [one for one in tries if one[0] == tries[0][0]]
        mature = [depth for started_at, depth in tries if started_at + window < as_of]
        deepest += [max(mature)] if mature else []
        immature += bool(tries) and not mature
    return [(sum(depth >= k for depth in deepest), immature) for k in range(1, len(steps) + 1)]


@pytest.mark.parametrize("entry", ["restart", "first"])
@pytest.mark.parametrize("order", WALKS)
@pytest.mark.usefixtures("both_forms")
def test_a_walk_counts_the_same_under_each_rule(event_log, rows_of, order, entry):
    log, as_of = random_log(0), datetime(2024, 1, 6, 12, tzinfo=UTC)
    rows = rows_of(ask(event_log(*log), order=order, entry=entry, as_of=as_of), "people", "immature")
    assert rows == by_hand(log, order, entry, STEPS, timedelta(days=1), as_of)
    assert rows[0][0] > rows[-1][0]
    assert rows[0][1] > 0


# by law


@pytest.mark.parametrize("seed", [3, 5])
def test_any_order_holds_at_least_as_many_as_ordered_and_that_as_strict(event_log, seed):
    events = event_log(*random_log(seed))
    strict, ordered, in_any = (people(events, order=order) for order in ("strict", "ordered", "any"))
    assert all(fewest <= few <= many for fewest, few, many in zip(strict, ordered, in_any, strict=True))
    assert all(list(one) == sorted(one, reverse=True) for one in (strict, ordered, in_any))
    assert sum(strict) < sum(ordered) < sum(in_any)
    first = people(events, entry="first")
    assert first[0] == ordered[0]
    assert all(few <= many for few, many in zip(first, ordered, strict=True))


@pytest.mark.parametrize("by", ["device_type", {"last touch": "device_type"}], ids=["step 1", "last touch"])
@pytest.mark.parametrize("order", WALKS)
@pytest.mark.usefixtures("both_forms")
def test_groups_add_up_to_the_whole(event_log, rows_of, order, by):
    asked = {"order": order, "as_of": datetime(2024, 1, 6, 12, tzinfo=UTC)}
    events = event_log(*random_log(7))
    groups = rows_of(ask(events, by=by, **asked), "device_type", "step_number", "people", "immature")
    assert len({group[0] for group in groups}) == 3
    for row in rows_of(ask(events, **asked)):
        parts = [group for group in groups if group[1] == row["step_number"]]
        assert sum(part[2] for part in parts) == row["people"]
        assert sum(part[3] for part in parts) == row["immature"]


@pytest.mark.parametrize("order", WALKS)
def test_order_of_rows_and_duplicates_change_nothing(event_log, rows_of, order):
    log = random_log(8)
    shuffled = random.Random(1).sample(log, len(log))
    asked = {"order": order, "by": {"last touch": "device_type"}}
    expected = rows_of(ask(event_log(*log), **asked))
    assert rows_of(ask(event_log(*shuffled), **asked)) == expected
    assert rows_of(ask(event_log(*log, *shuffled), **asked)) == expected


@pytest.mark.usefixtures("both_forms")
def test_steps_that_share_events_are_walked_event_by_event(event_log):
    log = random_log(0)
    steps = [TEAS, VIEW, ADD]

    def fits(event):
        name, told = event
        return [
            k for k, fit in enumerate((name == VIEW and told["source"] == "teas", name == VIEW, name == ADD)) if fit
        ]

    theirs = {}
    for person, name, at_, told in log:
        if fits((name, told)):
            theirs.setdefault(person, []).append((at_, fits((name, told))))
    deepest = []
    for events in theirs.values():
        events.sort(key=lambda event: (event[0], event[1][0], sum(2**k for k in event[1])))
        depths = []
        for number, (started_at, filled) in enumerate(events):
            if 0 in filled and WEEK.holds(started_at):
                depth = 1
                for at_, others in events[number + 1 :]:
                    depth += depth in others and at_ <= started_at + timedelta(days=1)
                depths.append(depth)
        deepest += [max(depths)] if depths else []
    expected = [sum(depth >= k for depth in deepest) for k in (1, 2, 3)]
    assert expected[0] > expected[1] > expected[2] > 0
    assert people(event_log(*log), steps=steps) == expected
