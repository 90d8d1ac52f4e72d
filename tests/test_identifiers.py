"""Which identifiers calls send together, and what is none: values that mean no id, the undo list, aliases."""

import json
import random
from datetime import datetime

import ibis
import pytest

from ecomkit.pipeline import clusters
from ecomkit.pipeline.identifiers import OWNERS, PAIRS, owners, pairs, shared_pairs, trusted_ids, values_of
from ecomkit.shop import open_shop
from tests.calls import identify, page
from tests.conftest import TOML
from tests.stitching import CALLS, EXTERNAL_IDS, START, call, people_of, stitch
from tests.tables import rows

LATER = "2026-10-02T10:00:00+00:00"


def pairs_of(*calls):
    """The pairs of calls, each as (higher, lower, calls) with `type:identifier`."""
    kept = [{name: one.get(name) for name in CALLS} | {"row_id": number} for number, one in enumerate(calls)]
    ids = [
        {"row_id": number, "identifier_type": kind, "identifier": value}
        for number, one in enumerate(calls)
        for kind, value in one["ids"]
    ]
    found = pairs(ibis.memtable(kept, schema=CALLS), ibis.memtable(ids, schema=EXTERNAL_IDS))
    assert found.schema() == PAIRS
    return sorted(
        (f"{row['higher_type']}:{row['higher']}", f"{row['lower_type']}:{row['lower']}", row["calls"])
        for row in rows(found)
    )


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        pytest.param({"user": "ana"}, [], id="a user id alone"),
        pytest.param({"address": "a1"}, [], id="an address alone"),
        pytest.param({"ids": ["crm:1"]}, [], id="an external id alone"),
        pytest.param({"device": "d1", "user": "ana"}, [], id="a device is no identifier"),
        pytest.param({"user": "ana", "address": "a1"}, [("user_id:ana", "email:a1", 1)], id="user id and address"),
        pytest.param(
            {"user": "ana", "address": "a1", "ids": ["crm:1"]},
            [("user_id:ana", "crm:1", 1), ("user_id:ana", "email:a1", 1)],
            id="the user id with each other",
        ),
        pytest.param(
            {"address": "a1", "ids": ["crm:1", "loyalty:1"]},
            [("email:a1", "crm:1", 1), ("email:a1", "loyalty:1", 1)],
            id="else the address with each other",
        ),
        pytest.param(
            {"ids": ["loyalty:1", "crm:2", "crm:1"]},
            [("crm:1", "crm:2", 1), ("crm:1", "loyalty:1", 1)],
            id="else the first by the alphabet",
        ),
    ],
)
def test_a_call_pairs_its_first_identifier_by_priority_with_each_other(sent, found):
    assert pairs_of(call(**sent)) == found


def test_a_pair_sent_again_is_counted_and_dated_by_the_first():
    sent = [call(user="ana", address="a1", at=LATER), call(user="ana", address="a1")]
    assert pairs_of(*sent) == [("user_id:ana", "email:a1", 2)]


def owners_by_engine(told):
    """Who owns what: the engine's own look-up where no identifier stands in two pairs, Python elsewhere."""
    table = ibis.memtable(told, schema=PAIRS)
    shared = shared_pairs(table)
    merged = clusters.merged(rows(shared))
    found = owners(table, shared, ibis.memtable(merged, schema=OWNERS))
    return sorted((row["identifier_type"], row["identifier"], row["person_id"]) for row in rows(found)), len(merged)


@pytest.mark.parametrize("seed", range(4))
def test_the_engine_and_python_together_merge_as_python_alone(seed):
    dice = random.Random(seed)
    log = {}
    for _pair in range(300):
        kinds = dice.choice(
            [("user_id", "email"), ("email", "crm"), ("crm", "loyalty"), ("user_id", "loyalty"), ("crm", "crm")]
        )
        ends = list(zip(kinds, (str(dice.randrange(250)), str(dice.randrange(250))), strict=True))
        # The first of two external ids of one type is the one before by the alphabet.
        (kind, higher), (other, lower) = sorted(ends) if kinds[0] == kinds[1] else ends
        if (kind, higher) != (other, lower):
            first_at = call(at=f"2026-10-01T10:0{dice.randrange(6)}:00+00:00")["occurred_at"]
            log[kind, higher, other, lower] = first_at
    told = [
        {"higher_type": kind, "higher": higher, "lower_type": other, "lower": lower, "first_at": first_at, "calls": 1}
        for (kind, higher, other, lower), first_at in log.items()
    ]
    alone = sorted(
        (row["identifier_type"], row["identifier"], row["person_id"])
        for row in clusters.merged(told)
        if row["identifier_type"] != "user_id"
    )
    found, home = owners_by_engine(told)
    assert found == alone
    assert 0 < home < len(alone)


def test_only_identifiers_in_two_or_more_pairs_leave_the_engine():
    at = call()["occurred_at"]
    told = [
        {"higher_type": "user_id", "higher": str(number), "lower_type": "email", "lower": str(min(number, 8)),
         "first_at": at, "calls": 1}
        for number in range(10)
    ]  # fmt: skip
    found, home = owners_by_engine(told)
    assert home == 3
    assert found == sorted(("email", str(number), f"user:{number}") for number in range(9))


# What is no identifier

NO_IDS = ["0", "000", "-1", "-", "null", "NULL", " none ", "NaN", "undefined", "anonymous", "true", "false", "{}", "[]",
          "[object Object]", "0000-0000", "00000000-0000-0000-0000-000000000000"]  # fmt: skip


def test_values_that_mean_no_id_merge_and_stitch_nobody(make_shop):
    calls = []
    for number, none in enumerate(NO_IDS):
        two = [f"a{number}", f"b{number}"]
        for device in two:
            external = [{"id": none, "type": "crm_id", "collection": "users", "encoding": "none"}]
            one = page(device=device, user=none)
            one["context"]["externalIds"] = external
            calls += [one, identify(device, device=device, at="2026-10-02T10:00:00Z", email=none)]
            # As a device it is none: the call is the user's alone, and another's call there is not his.
            calls.append(page(device=none, user=device))
    shop = open_shop(make_shop(*calls))
    events = rows(shop.events)
    assert {row["anonymous_id"] for row in events} == {f"{one}{n}" for n in range(len(NO_IDS)) for one in "ab"} | {None}
    for row in events:
        assert row["person_id"] == f"user:{row['anonymous_id'] or row['user_id']}"
    assert {row["identifier_type"] for row in rows(shop.identity_links)} == {"anonymous_id", "user_id"}
    assert shop.people.count().to_pyarrow().as_py() == 2 * len(NO_IDS)


def test_ids_that_hold_such_a_word_are_ids(make_shop):
    shop = open_shop(make_shop(*(page(device=f"d{user}", user=user) for user in ("nullah", "10", "-12", "a0", "00x"))))
    assert {row["person_id"] for row in rows(shop.people)} == {
        "user:nullah",
        "user:10",
        "user:-12",
        "user:a0",
        "user:00x",
    }


def external(sent, **more):
    one = page(**more)
    one["context"]["externalIds"] = sent
    return one


def test_an_external_id_joins_devices_however_it_is_written(make_shop):
    written = [
        [{"id": "7", "type": "crm_id", "collection": "users", "encoding": "none"}],
        [{"id": " 7 ", "type": "CRM_ID", "collection": "users"}],
        [{"id": "7", "type": "crm_id"}],
        json.dumps([{"id": "7", "type": "crm_id", "collection": "users"}]),
        [{"id": 7, "type": "crm_id", "collection": "users"}],
        [{"id": "7", "type": "crm_id", "collection": "users"}] * 3,
        [{"id": "1", "type": "group_id"}, {"id": "7", "type": "crm_id"}],
    ]
    # A month apart: that many new devices in one week would be nobody's own.
    calls = [external(sent, device=f"d{n}", at=f"2026-0{n + 1}-01T10:00:00Z") for n, sent in enumerate(written)]
    [person] = rows(open_shop(make_shop(*calls)).people)
    assert (person["person_id"], person["anonymous_ids"]) == ("crm_id:7", len(written))


@pytest.mark.slow
def test_a_phone_number_in_an_external_id_is_not_kept(make_shop):
    sent = [{"id": "491701234567", "type": "Phone-Number", "collection": "users"}]
    [person] = rows(open_shop(make_shop(external(sent))).people)
    assert person["person_id"].startswith("phone_number:hashed-")
    assert "491701234567" not in person["person_id"]


@pytest.mark.slow
def test_what_is_no_external_id_names_nobody(make_shop):
    written = [
        [{"id": "7", "type": "crm_id", "collection": "accounts"}],
        [{"id": "7", "type": "group_id", "collection": "users"}],
        [{"id": "7", "type": "user_id", "collection": "users"}],
        [{"id": "7", "type": "", "collection": "users"}],
        [{"id": "7"}],
        [{"type": "crm_id"}],
        [{"id": None, "type": "crm_id"}],
        [7, None, "crm_id"],
        {"id": "7", "type": "crm_id"},
        "crm_id:7",
        [],
        None,
    ]
    shop = open_shop(make_shop(*(external(sent, device=f"d{number}") for number, sent in enumerate(written))))
    assert {row["person_id"] for row in rows(shop.people)} == {f"visitor:d{number}" for number in range(len(written))}


# The undo list


def at_ms(text):
    return round(datetime.fromisoformat(text).timestamp() * 1000)


TWO = [
    call("d1", user="ana", address="a1", ids=["crm:1"]),
    call("d2", LATER, address="a1"),
    call("d3", LATER, ids=["crm:1"]),
    call("d1", LATER),
]


@pytest.mark.parametrize(
    ("undo", "people"),
    [
        pytest.param([], ["user:ana", "user:ana", "user:ana", "user:ana"], id="nothing"),
        pytest.param(["email:a1"], ["user:ana", "visitor:d2", "user:ana", "user:ana"], id="an address"),
        pytest.param(["crm:1"], ["user:ana", "user:ana", "visitor:d3", "user:ana"], id="an external id"),
        pytest.param(["user_id:ana"], ["guest:a1", "guest:a1", "guest:a1", "guest:a1"], id="a user id"),
        pytest.param(
            ["anonymous_id:d1"], ["user:ana", "user:ana", "user:ana", f"visitor:d1:{at_ms(START)}"], id="a device"
        ),
        pytest.param(["email:other", "crm:2", "anonymous_id:x"], ["user:ana"] * 4, id="others"),
        pytest.param(["crm:a1", "email:1", "loyalty:1"], ["user:ana"] * 4, id="the same values of other types"),
    ],
)
def test_what_is_on_the_undo_list_joins_nobody(undo, people):
    # The last call lies a day after the device's: too long for one that is shared.
    assert [person for person, _rule in people_of(TWO, undo=undo)] == people


def test_the_undo_list_takes_back_a_merge_of_two_addresses():
    sent = [call("d1", address="a1", ids=["card:1"]), call("d2", address="b1", ids=["card:1"])]
    assert {person for person, _rule in people_of(sent)} == {"guest:a1"}
    assert {person for person, _rule in people_of(sent, undo=["card:1"])} == {"guest:a1", "guest:b1"}


def test_an_undone_id_has_no_owner():
    _placed, found = stitch(TWO, undo=["email:a1", "crm:1"])
    assert found == []


def test_entries_of_the_undo_list_are_read_by_type():
    undo = ["email:a:b", "user_id:7", "email:c", "crm.id:email:x"]
    assert values_of(undo, "email") == ["a:b", "c"]
    assert values_of(undo, "user_id") == ["7"]
    ids = ibis.memtable([{"row_id": 1, "identifier_type": "crm.id", "identifier": "email:x"}], schema=EXTERNAL_IDS)
    assert rows(trusted_ids(ids, undo)) == []
    assert len(rows(trusted_ids(ids, []))) == 1


# Aliases


def alias(user, previous, at="2026-10-01T12:00:00Z"):
    one = identify(user, device=None, at=at)
    return one | {"type": "alias", "previousId": previous}


@pytest.mark.slow
def test_aliases_are_recorded_and_not_followed_and_a_loop_of_them_changes_nothing(make_shop):
    sent = [page(device="d1", user="a"), page(device="d2", user="b"), page(device="d3")]
    loop = [alias("b", "a"), alias("a", "b"), alias("a", "a"), alias("a", "d3"), alias("b", None), alias("null", "a")]
    plain, looped = open_shop(make_shop(*sent)), open_shop(make_shop(*sent, *loop, name="looped"))
    for name in ("people", "sessions", "events"):
        assert rows(getattr(plain, name)) == rows(getattr(looped, name)), name
    links = rows(looped.identity_links)
    told = [row for row in links if row["identifier_type"] == "previous_id"]
    assert [(row["identifier"], row["person_id"]) for row in told] == [
        ("a", "user:a"),
        ("a", "user:b"),
        ("b", "user:a"),
        ("d3", "user:a"),
    ]
    assert {row["rule"] for row in told} == {"alias: recorded, not followed"}
    assert [row for row in links if row not in told] == rows(plain.identity_links)


@pytest.mark.slow
def test_an_undone_identifier_is_named_in_the_shops_settings(make_shop):
    toml = TOML + '[identity]\nundo = ["user_id:test", "anonymous_id:d1"]\n'
    shop = open_shop(
        make_shop(page(device="d1"), identify("ana", device="d1", at=LATER), page(device="d2", user="test"), toml=toml)
    )
    assert {row["person_id"] for row in rows(shop.people)} == {"visitor:d1:0", "user:ana", "visitor:d2"}
