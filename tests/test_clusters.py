"""Identifiers merged into people: by hand at each limit, and by law over drawn pairs."""

import random
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecomkit.pipeline.clusters import MOST_OF_OTHERS, MOST_PER_PERSON, Pair, clusters, merged

START = datetime(2026, 10, 1, tzinfo=UTC)
KINDS = ("user_id", "email", "crm_id", "loyalty")


def pair(higher, lower, minute=0):
    """Two identifiers, each `type:identifier`, first sent together so many minutes after the start."""
    return Pair(tuple(higher.split(":", 1)), tuple(lower.split(":", 1)), START + timedelta(minutes=minute))


def people(*pairs):
    """The person of each identifier, both as texts."""
    return {":".join(identifier): person for identifier, person in clusters(pairs).items()}


def test_pairs_that_share_an_identifier_are_one_person():
    found = people(
        pair("user_id:ana", "email:a1", 0), pair("email:a1", "loyalty:7", 1), pair("crm_id:9", "loyalty:7", 2)
    )
    assert set(found.values()) == {"user:ana"}
    assert len(found) == 4


def test_pairs_that_share_nothing_are_people_of_their_own():
    found = people(pair("user_id:ana", "email:a1"), pair("email:b1", "loyalty:7"))
    assert found == {
        "user_id:ana": "user:ana", "email:a1": "user:ana", "email:b1": "guest:b1", "loyalty:7": "guest:b1",
    }  # fmt: skip


def test_one_value_of_two_types_is_two_identifiers():
    found = people(pair("user_id:7", "loyalty:7"), pair("user_id:8", "crm_id:7"))
    assert (found["loyalty:7"], found["crm_id:7"]) == ("user:7", "user:8")


@pytest.mark.parametrize(
    ("pairs", "person"),
    [
        pytest.param([("user_id:z", "email:a"), ("email:a", "crm_id:a")], "user:z", id="a user id"),
        pytest.param([("email:z", "crm_id:a"), ("crm_id:a", "loyalty:a")], "guest:z", id="else an address"),
        pytest.param([("crm_id:z", "loyalty:a")], "crm_id:z", id="else the external id of the first type"),
        pytest.param([("email:z", "crm_id:1"), ("email:a", "crm_id:1")], "guest:z", id="the earlier of two addresses"),
        pytest.param([("email:a", "crm_id:1"), ("user_id:u", "crm_id:1")], "user:u", id="a user id that comes last"),
    ],
)
def test_the_first_identifier_by_priority_then_by_time_names_the_person(pairs, person):
    found = people(*(pair(*ends, minute) for minute, ends in enumerate(pairs)))
    assert set(found.values()) == {person}


def test_at_one_instant_the_alphabet_names_the_person():
    assert set(people(pair("email:b", "crm_id:1"), pair("email:a", "crm_id:1")).values()) == {"guest:a"}


def test_a_person_has_one_user_id_and_what_two_share_is_the_first_ones():
    found = people(pair("user_id:ben", "email:home", 1), pair("user_id:ana", "email:home", 0))
    assert found == {"user_id:ana": "user:ana", "email:home": "user:ana", "user_id:ben": "user:ben"}


def test_two_users_do_not_become_one_over_a_chain_of_others():
    found = people(
        pair("user_id:ana", "email:a", 0),
        pair("user_id:ben", "loyalty:7", 1),
        pair("email:a", "loyalty:7", 2),
    )
    assert found == {
        "user_id:ana": "user:ana", "email:a": "user:ana", "user_id:ben": "user:ben", "loyalty:7": "user:ben",
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["email", "crm_id"])
def test_a_person_has_at_most_five_of_another_type(kind):
    found = people(*(pair("user_id:ana", f"{kind}:{number}", number) for number in range(MOST_OF_OTHERS + 1)))
    own = [identifier for identifier, person in found.items() if person == "user:ana"]
    assert len(own) == 1 + MOST_OF_OTHERS == 6
    assert found[f"{kind}:5"] == ("guest:5" if kind == "email" else "crm_id:5")


def test_the_five_of_two_people_count_together():
    three = [pair("email:a", f"crm_id:{number}", number) for number in range(3)]
    others = [pair("email:b", f"crm_id:{number}", number) for number in range(3, 6)]
    found = people(*three, *others, pair("email:a", "crm_id:5", 9))
    assert set(found.values()) == {"guest:a", "guest:b"}
    found = people(*three, *others[:2], pair("email:a", "crm_id:4", 9))
    assert set(found.values()) == {"guest:a"}


def test_an_address_that_many_users_share_swallows_nobody():
    found = people(*(pair(f"user_id:u{number}", "email:kiosk", number) for number in range(1000)))
    assert all(found[f"user_id:u{number}"] == f"user:u{number}" for number in range(1000))
    assert found["email:kiosk"] == "user:u0"


def test_a_loyalty_card_that_many_guests_show_joins_five_at_most():
    found = people(*(pair(f"email:a{number}", "loyalty:till", number) for number in range(100)))
    assert sum(person == "guest:a0" for person in found.values()) == 1 + MOST_OF_OTHERS
    assert len(set(found.values())) == 1 + 100 - MOST_OF_OTHERS


def test_a_pair_that_breaks_a_limit_is_followed_where_it_breaks_none_any_more_for_another():
    # The card is Ana's, so Ben's address stays Ben's: what is dropped is the pair, not the identifier.
    found = people(
        pair("user_id:ana", "loyalty:7", 0), pair("user_id:ben", "loyalty:7", 1), pair("user_id:ben", "email:b", 2)
    )
    assert (found["loyalty:7"], found["email:b"]) == ("user:ana", "user:ben")


def test_rows_of_pairs_become_rows_of_owners():
    row = {"higher_type": "user_id", "higher": "ana", "lower_type": "email", "lower": "a1", "first_at": START}
    owners = [
        {"identifier_type": "user_id", "identifier": "ana", "person_id": "user:ana"},
        {"identifier_type": "email", "identifier": "a1", "person_id": "user:ana"},
    ]
    assert merged([row | {"calls": 3}]) == owners
    assert merged([]) == []


# Laws. Few values, so that identifiers collide, limits are met and instants are the same.


@st.composite
def _pairs(draw):
    kinds = draw(st.lists(st.sampled_from(range(len(KINDS))), min_size=2, max_size=2).map(sorted))
    ends = [(KINDS[kind], str(draw(st.integers(0, 8)))) for kind in kinds]
    return Pair(*ends, START + timedelta(minutes=draw(st.integers(0, 20))))


logs = st.lists(_pairs().filter(lambda pair: pair.higher != pair.lower), max_size=60)
LAW = settings(max_examples=300, deadline=None, derandomize=True, database=None)


@LAW
@given(log=logs)
def test_every_identifier_is_one_persons_and_no_limit_is_broken(log):
    found = clusters(log)
    assert set(found) == {identifier for pair in log for identifier in (pair.higher, pair.lower)}
    members = {}
    for (kind, value), person in found.items():
        members.setdefault(person, {}).setdefault(kind, set()).add(value)
    for person, held in members.items():
        assert all(len(values) <= MOST_PER_PERSON.get(kind, MOST_OF_OTHERS) for kind, values in held.items())
        named = {"user": "user_id", "guest": "email"}.get(person.split(":")[0], person.split(":")[0])
        assert person.split(":", 1)[1] in held[named]
        first = next(kind for kind in KINDS if kind in held)
        assert named == first


@LAW
@given(log=logs)
def test_people_are_joined_by_nothing_but_pairs(log):
    """Two identifiers of one person are connected by pairs that lie within that person."""
    found = clusters(log)
    reached = {identifier: identifier for identifier in found}

    def top(identifier):
        while reached[identifier] != identifier:
            identifier = reached[identifier]
        return identifier

    for one in log:
        if found[one.higher] == found[one.lower]:
            reached[top(one.higher)] = top(one.lower)
    assert len({top(identifier) for identifier in found}) == len(set(found.values()))


@LAW
@given(log=logs, seed=st.integers(0, 1000))
def test_the_order_and_copies_of_rows_decide_nothing(log, seed):
    dice = random.Random(seed)
    other = log + dice.sample(log, len(log) // 2)
    dice.shuffle(other)
    assert clusters(other) == clusters(log)


@LAW
@given(log=logs, minute=st.integers(0, 20))
def test_what_comes_later_renames_nobody_who_has_a_user_id(log, minute):
    until = START + timedelta(minutes=minute)
    before, after = clusters([pair for pair in log if pair.first_at < until]), clusters(log)
    for identifier, person in before.items():
        if person.startswith("user:"):
            assert after[identifier] == person


@LAW
@given(log=logs, minute=st.integers(0, 20))
def test_what_comes_later_parts_nobody(log, minute):
    until = START + timedelta(minutes=minute)
    before, after = clusters([pair for pair in log if pair.first_at < until]), clusters(log)
    for identifier, person in before.items():
        assert len({after[other] for other in before if before[other] == person}) == 1, identifier


def test_many_types_of_one_person_take_no_time_that_grows_with_their_square():
    log = [pair("user_id:ana", f"type_{number}:1", number) for number in range(20_000)]
    started = time.process_time()
    found = clusters(log)
    # Tenths of a second; looking at all of them for each one takes twenty.
    assert time.process_time() - started < 5
    assert set(found.values()) == {"user:ana"}
