"""Devices stitched to people: by hand at each edge of time and number."""

from datetime import datetime, timedelta

import pytest

from ecomkit.pipeline.identity import CLOSE_BY_MS, MOST_NEW_DEVICES_A_WEEK, MOST_PEOPLE_ON_A_DEVICE
from tests.stitching import START, call, people_of, stitch

NOON = datetime.fromisoformat("2026-10-07T12:00:00+00:00")
VISITOR = "visitor not identified"
BEFORE, AFTER = "identified on the device before", "identified on the device later"
JUST_BEFORE, JUST_AFTER = "identified on the shared device just before", "identified on the shared device just after"
UNKNOWN = "on a shared device: not guessed"
HALF_AN_HOUR = timedelta(milliseconds=CLOSE_BY_MS)
SECOND, MILLISECOND = timedelta(seconds=1), timedelta(milliseconds=1)


def ms(instant):
    return round(instant.timestamp() * 1000)


def persons(calls, **settings):
    return [person for person, _rule in people_of(calls, **settings)]


# Named calls


@pytest.mark.parametrize(
    ("sent", "person", "rule"),
    [
        pytest.param({"user": "ana", "address": "b"}, "user:ana", "user id on the call", id="its user id"),
        pytest.param({"address": "a", "ids": ["crm:9"]}, "user:ana", "address of a known user", id="else its address"),
        pytest.param({"address": "g"}, "guest:g", "address of a guest", id="an address that no user has"),
        pytest.param({"ids": ["crm:1"]}, "user:ana", "external id", id="else an external id"),
        pytest.param({"ids": ["crm:7"]}, "crm:7", "external id", id="an external id that nobody has"),
        pytest.param({"ids": ["crm:7", "crm:1"]}, "crm:1", "external id", id="the first of two external ids"),
        pytest.param({}, "visitor:d9", VISITOR, id="nothing"),
    ],
)
def test_a_call_belongs_to_whom_it_names(sent, person, rule):
    # Before it, a call that names Ana by her user id, her address and her number.
    known = call("d1", user="ana", address="a", ids=["crm:1"])
    if person == "crm:1":
        # The two ids are sent together, so that the first by the alphabet names them both, unless Ana has it.
        known = call("d1", user="ana", address="a")
    assert people_of([known, call("d9", **sent)])[1] == (person, rule)


def test_a_call_without_device_that_names_nobody_known_is_nobodys_visit():
    # A server's call with an address only, and one with a user id only.
    assert persons([call(address="g", side="server"), call(user="ana", side="server")]) == ["guest:g", "user:ana"]


# Bounded by time


@pytest.mark.parametrize("days", [1, 30, 365])
@pytest.mark.parametrize(
    ("earlier", "rule"),
    [
        pytest.param(timedelta(0), AFTER, id="at the instant"),
        pytest.param(-MILLISECOND, AFTER, id="a millisecond less"),
        pytest.param(-SECOND, AFTER, id="a second less"),
        pytest.param(MILLISECOND, VISITOR, id="a millisecond more"),
        pytest.param(SECOND, VISITOR, id="a second more"),
    ],
)
def test_the_look_back_ends_so_many_days_before_the_first_identification(days, earlier, rule):
    first = NOON - timedelta(days=days) - earlier
    found = people_of([call("d1", first), call("d1", NOON, user="ana")], look_back_days=days)
    assert found[0] == ("user:ana" if rule == AFTER else "visitor:d1", rule)


def test_no_look_back_gives_nothing_that_lies_before():
    calls = [call("d1", NOON - MILLISECOND), call("d1", NOON), call("d1", NOON, user="ana"), call("d1", NOON + SECOND)]
    assert people_of(calls, look_back_days=0) == [
        ("visitor:d1", VISITOR),
        ("user:ana", BEFORE),
        ("user:ana", "user id on the call"),
        ("user:ana", BEFORE),
    ]


def test_the_look_back_counts_from_the_first_identification_not_the_last():
    calls = [
        call("d1", NOON - timedelta(days=40)),
        call("d1", NOON, user="ana"),
        call("d1", NOON + timedelta(days=400), user="ana"),
        call("d1", NOON + timedelta(days=2000)),
    ]
    assert persons(calls, look_back_days=30) == ["visitor:d1", "user:ana", "user:ana", "user:ana"]


# Several people on one device


def test_a_shared_device_never_hands_one_persons_past_to_another():
    day = timedelta(days=1)
    calls = [
        call("d1", NOON - day),
        call("d1", NOON, user="ana"),
        call("d1", NOON + SECOND),
        call("d1", NOON + day - MILLISECOND),
        call("d1", NOON + day, user="ben"),
        call("d1", NOON + day + MILLISECOND),
        call("d1", NOON + 2 * day, user="ana"),
        call("d1", NOON + 3 * day),
    ]
    assert persons(calls) == ["user:ana"] * 4 + ["user:ben"] * 2 + ["user:ana"] * 2
    assert [rule for _person, rule in people_of(calls)] == [
        AFTER, "user id on the call", BEFORE, BEFORE, "user id on the call", BEFORE, "user id on the call", BEFORE,
    ]  # fmt: skip


def test_what_lies_before_two_people_is_the_first_ones_within_the_look_back():
    day = timedelta(days=1)
    calls = [
        call("d1", NOON - 31 * day), call("d1", NOON - 30 * day), call("d1", NOON, user="ben"),
        call("d1", NOON + day, user="ana"),
    ]  # fmt: skip
    assert persons(calls, look_back_days=30) == ["visitor:d1", "user:ben", "user:ben", "user:ana"]


def test_a_device_is_nobodys_on_another_device():
    calls = [call("d1", user="ana"), call("d2", user="ben"), call("d1"), call("d2"), call("d3")]
    assert persons(calls) == ["user:ana", "user:ben", "user:ana", "user:ben", "visitor:d3"]


def household(people, *more, device="d1"):
    """A device on which so many people are named, a day apart, the last one at noon; then more calls."""
    named = [call(device, NOON - timedelta(days=people - 1 - number), user=f"u{number}") for number in range(people)]
    return [*named, *more]


@pytest.mark.parametrize(
    ("people", "rule"),
    [
        pytest.param(MOST_PEOPLE_ON_A_DEVICE, BEFORE, id="a household"),
        pytest.param(MOST_PEOPLE_ON_A_DEVICE + 1, UNKNOWN, id="one more"),
    ],
)
def test_a_device_of_more_than_five_people_guesses_nothing(people, rule):
    assert MOST_PEOPLE_ON_A_DEVICE == 5
    last = call("d1", NOON + timedelta(hours=2))
    person, found = people_of(household(people, last))[-1]
    assert found == rule
    assert person == (f"user:u{people - 1}" if rule == BEFORE else f"visitor:d1:{ms(NOON)}")


SHARED = MOST_PEOPLE_ON_A_DEVICE + 1


@pytest.mark.parametrize(
    ("after", "rule"),
    [
        pytest.param(HALF_AN_HOUR - SECOND, JUST_BEFORE, id="a second less than half an hour after"),
        pytest.param(HALF_AN_HOUR, JUST_BEFORE, id="half an hour after"),
        pytest.param(HALF_AN_HOUR + MILLISECOND, UNKNOWN, id="a millisecond more"),
        pytest.param(HALF_AN_HOUR + SECOND, UNKNOWN, id="a second more"),
    ],
)
def test_on_a_shared_device_a_call_is_his_who_was_named_half_an_hour_before(after, rule):
    person, found = people_of(household(SHARED, call("d1", NOON + after)))[-1]
    assert (person, found) == ("user:u5" if rule == JUST_BEFORE else f"visitor:d1:{ms(NOON)}", rule)


@pytest.mark.parametrize(
    ("before", "rule"),
    [
        pytest.param(HALF_AN_HOUR - SECOND, JUST_AFTER, id="a second less than half an hour before"),
        pytest.param(HALF_AN_HOUR, JUST_AFTER, id="half an hour before"),
        pytest.param(HALF_AN_HOUR + MILLISECOND, UNKNOWN, id="a millisecond more"),
        pytest.param(HALF_AN_HOUR + SECOND, UNKNOWN, id="a second more"),
    ],
)
def test_on_a_shared_device_a_call_is_his_who_is_named_half_an_hour_later(before, rule):
    person, found = people_of(household(SHARED, call("d1", NOON - before)))[-1]
    last_ms = ms(NOON - timedelta(days=1))
    assert (person, found) == ("user:u5" if rule == JUST_AFTER else f"visitor:d1:{last_ms}", rule)


def test_between_two_who_are_both_close_the_next_one_counts():
    later = call("d1", NOON + timedelta(minutes=40), user="u0")
    person, found = people_of(household(SHARED, later, call("d1", NOON + timedelta(minutes=20))))[-1]
    assert (person, found) == ("user:u0", JUST_AFTER)


def test_what_nobody_is_close_to_is_one_visitor_between_two_who_are_named():
    hours = [call("d1", NOON + timedelta(hours=hour)) for hour in (-48, -47, 1, 2)]
    first = call("d1", NOON - timedelta(days=90))
    found = persons(household(SHARED, first, *hours))[SHARED:]
    two_before = ms(NOON - timedelta(days=2))
    assert found == ["visitor:d1:0", "user:u3", f"visitor:d1:{two_before}", *[f"visitor:d1:{ms(NOON)}"] * 2]


def test_the_look_back_does_not_reach_into_a_shared_device():
    first = call("d1", NOON - timedelta(days=SHARED))
    assert people_of(household(SHARED, first))[-1] == ("visitor:d1:0", UNKNOWN)


def test_a_device_on_the_undo_list_is_a_shared_one():
    calls = [call("d1", NOON, user="ana"), call("d1", NOON + HALF_AN_HOUR), call("d1", NOON + HALF_AN_HOUR + SECOND)]
    assert people_of(calls, undo=["anonymous_id:d1"])[1:] == [
        ("user:ana", JUST_BEFORE), (f"visitor:d1:{ms(NOON)}", UNKNOWN),
    ]  # fmt: skip


# One identifier on many devices


def on_devices(number, **named):
    """Someone named on so many devices of one week, and a call before on each."""
    # 2026-10-01, a Thursday: weeks since 1970 start on Thursdays.
    start = datetime.fromisoformat(START)
    first = [call(f"d{n}", start + timedelta(minutes=n)) for n in range(number)]
    return first, [call(f"d{n}", start + timedelta(hours=1, minutes=n), **named) for n in range(number)]


@pytest.mark.parametrize("named", [{"address": "kiosk"}, {"ids": ["crm:1"]}, {"user": "demo"}], ids=str)
@pytest.mark.parametrize("number", [MOST_NEW_DEVICES_A_WEEK, MOST_NEW_DEVICES_A_WEEK + 1])
def test_who_turns_up_on_more_than_five_new_devices_in_a_week_stitches_none(named, number):
    assert MOST_NEW_DEVICES_A_WEEK == 5
    first, later = on_devices(number, **named)
    before, then = persons(first + later)[:number], persons(first + later)[number:]
    name = {"address": "guest:kiosk", "ids": "crm:1", "user": "user:demo"}[next(iter(named))]
    visitors = [f"visitor:d{n}" for n in range(number)]
    if number == MOST_NEW_DEVICES_A_WEEK:
        assert before + then == [name] * (2 * number)
    else:
        # A user id still names its own calls; an address that anybody types names nobody.
        assert (before, then) == (visitors, [name] * number if "user" in named else visitors)


def test_more_than_five_devices_over_two_weeks_are_a_persons_own():
    start = datetime.fromisoformat(START)
    calls = [call(f"d{n}", start + timedelta(days=n * 2), address="a") for n in range(8)]
    assert set(persons(calls)) == {"guest:a"}


def test_a_device_counts_as_new_only_in_the_week_of_its_first_call():
    start = datetime.fromisoformat(START)
    calls = [call(f"d{n}", start + timedelta(weeks=n), address="a") for n in range(8)]
    again = [call(f"d{n}", start + timedelta(weeks=8, minutes=n), address="a") for n in range(8)]
    assert set(persons(calls + again)) == {"guest:a"}


def test_a_log_in_that_many_know_does_not_make_a_device_one_of_two_people():
    first, later = on_devices(MOST_NEW_DEVICES_A_WEEK + 1, user="demo")
    own = call("d0", NOON, user="ana")
    assert persons([*first, *later, own, call("d0", NOON + SECOND)])[0] == "user:ana"
    assert persons([*first, *later, own, call("d0", NOON + SECOND)])[-1] == "user:ana"


def test_the_order_of_calls_given_decides_nothing():
    day = timedelta(days=1)
    calls = household(3, call("d1", NOON - 9 * day), call("d1", NOON + day), call("d2", NOON, user="u1", address="a"),
                      call("d3", NOON, address="a"), call("d3", NOON + day))  # fmt: skip
    straight, _owners = stitch(calls)
    turned, _owners = stitch(calls[::-1])
    assert [row["person_id"] for row in straight] == [row["person_id"] for row in turned][::-1]


def test_adding_later_calls_renames_nobody_who_had_a_user_id():
    day = timedelta(days=1)
    first = [
        call("d1", NOON - day), call("d1", NOON, user="ana", address="a"), call("d2", NOON, address="a"),
        call("d3", NOON, user="ben", ids=["crm:1"]), call("d3", NOON + SECOND),
    ]  # fmt: skip
    later = [
        call("d1", NOON + 9 * day, user="ben", address="a"), call("d2", NOON + 9 * day, user="cleo"),
        call("d3", NOON + 9 * day, user="ana", ids=["crm:1"]), call("d4", NOON + 9 * day, address="a", ids=["crm:1"]),
    ]  # fmt: skip
    assert persons(first + later)[: len(first)] == persons(first)
