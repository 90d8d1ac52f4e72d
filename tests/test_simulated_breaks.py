"""Breaks that the simulator plants: what becomes of the calls, and of nothing else."""

import gzip
import json
from collections import Counter
from datetime import date, datetime

import pytest

from ecomkit.errors import UsageError
from ecomkit.models.breaks import KINDS as KINDS_FOUND
from ecomkit.simulate import Break, simulate
from ecomkit.simulate.breaks import BOTS_A_DAY, KINDS, NEW_VERSION

FIRST = date(2026, 9, 10)
# The shop is in New York, four hours behind.
BEGIN, END = datetime.fromisoformat("2026-09-10T04:00:00Z"), datetime.fromisoformat("2026-09-12T04:00:00Z")


def calls_of(folder):
    """The calls of a shop by message id and arrival; what is not whole is left out."""
    found = {}
    for path in sorted((folder / "segment").glob("*.gz")):
        for line in gzip.decompress(path.read_bytes()).decode().splitlines():
            if line.startswith("{") and line.endswith("}"):
                call = json.loads(line)
                if not call["messageId"].startswith("broken"):
                    found[call["messageId"], call["receivedAt"]] = call
    return found


def is_broken(call, *, end=END):
    from_browser = call["context"].get("library", {}).get("name") == "analytics.js"
    return from_browser and BEGIN <= datetime.fromisoformat(call["timestamp"]) < end


@pytest.fixture(scope="module")
def make(tmp_path_factory):
    def simulated(*breaks):
        folder = tmp_path_factory.mktemp("shop")
        return simulate(folder, seed=3, customers=60, months=3, breaks=breaks), calls_of(folder)

    return simulated


@pytest.fixture(scope="module")
def healthy(make):
    return make()[1]


def test_the_kinds_are_those_that_are_looked_for():
    assert set(KINDS) == set(KINDS_FOUND)


def test_a_shop_without_breaks_says_nothing_of_them(make):
    assert "breaks" not in make()[0]


def test_a_break_changes_no_other_truth(make):
    truth, _calls = make(Break("new library version", FIRST, 1))
    [told] = truth.pop("breaks")
    assert truth == make()[0]
    assert told == {
        "kind": "new library version",
        "what": "",
        "from": "2026-09-10T04:00:00.000Z",
        "before": "2026-11-02T05:00:00.000Z",
        "lines_added": 0,
    }


def test_an_outage_loses_all_browser_calls_from_an_hour_on(make, healthy):
    truth, calls = make(Break("tracking outage", FIRST, 2))
    begin = datetime.fromisoformat(truth["breaks"][0]["from"])
    assert 8 <= (begin - BEGIN).total_seconds() / 3600 < 22
    lost = {
        key for key, call in healthy.items() if is_broken(call) and datetime.fromisoformat(call["timestamp"]) >= begin
    }
    assert lost
    assert calls == {key: call for key, call in healthy.items() if key not in lost}


def test_a_doubled_event_is_sent_again_under_another_message_id(make, healthy):
    _truth, calls = make(Break("doubled event", FIRST, 2, "Product Viewed"))
    doubled = Counter(
        call["timestamp"] for call in healthy.values() if is_broken(call) and call.get("event") == "Product Viewed"
    )
    again = [call for (message_id, _at), call in calls.items() if message_id.endswith("-again")]
    assert doubled
    assert Counter(call["timestamp"] for call in again) == doubled
    assert {call["event"] for call in again} == {"Product Viewed"}
    assert {key: call for key, call in calls.items() if call not in again} == healthy


def test_a_property_turns_null_on_its_event_alone(make, healthy):
    _truth, calls = make(Break("property turned null", FIRST, 2, "Product Viewed.price"))
    assert calls.keys() == healthy.keys()
    for key, call in calls.items():
        if is_broken(call) and call.get("event") == "Product Viewed":
            assert call["properties"] == healthy[key]["properties"] | {"price": None}
        else:
            assert call == healthy[key]


def test_a_new_library_version_stays(make, healthy):
    _truth, calls = make(Break("new library version", FIRST, 1))
    end = datetime.fromisoformat("2026-11-02T05:00:00Z")
    versions = {
        (is_broken(call, end=end), call["context"]["library"]["version"])
        for call in calls.values()
        if "library" in call["context"]
    }
    assert versions == {(True, NEW_VERSION), (False, "next-1.84.3"), (False, "2.4.0")}
    assert calls.keys() == healthy.keys()


def test_a_campaign_is_gone_from_all_places_and_its_page_stays(make, healthy):
    _truth, calls = make(Break("UTM stopped parsing", FIRST, 2))
    assert calls.keys() == healthy.keys()
    changed = {key for key, call in calls.items() if call != healthy[key]}
    assert changed == {key for key, call in healthy.items() if is_broken(call) and "utm_" in json.dumps(call)}
    for key in changed:
        assert "utm_" not in json.dumps(calls[key])
        assert calls[key]["context"]["page"]["path"] == healthy[key]["context"]["page"]["path"]


def test_a_bot_wave_adds_visits_of_one_page_each(make, healthy):
    _truth, calls = make(Break("bot wave", FIRST, 2))
    added = {key: call for key, call in calls.items() if key not in healthy}
    assert {key: call for key, call in calls.items() if key in healthy} == healthy
    assert len({call["anonymousId"] for call in added.values()}) == len(added) == 2 * BOTS_A_DAY
    assert all(call["type"] == "page" and is_broken(call) for call in added.values())
    agents = {call["context"].get("userAgent") for call in healthy.values()}
    assert {call["context"]["userAgent"] for call in added.values()} <= agents


def test_breaks_may_overlap_and_no_message_id_is_used_twice(make):
    truth, calls = make(Break("tracking outage", FIRST, 2), Break("bot wave", date(2026, 10, 1), 1))
    assert [planted["kind"] for planted in truth["breaks"]] == ["tracking outage", "bot wave"]
    bodies = {}
    for (message_id, _at), call in calls.items():
        assert bodies.setdefault(message_id, call["timestamp"]) == call["timestamp"]


def test_an_unknown_kind_is_named_before_anything_is_written(tmp_path):
    with pytest.raises(UsageError) as caught:
        simulate(tmp_path / "shop", seed=3, breaks=[Break("flood", FIRST, 1)])
    assert str(caught.value) == (
        "This shop cannot be simulated: no break is of kind 'flood', but of 'tracking outage', 'doubled event', "
        "'property turned null', 'new library version', 'UTM stopped parsing', 'bot wave'. Change these."
    )
    assert not (tmp_path / "shop").exists()
