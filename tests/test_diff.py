"""`ecomkit diff`: what a late order, a refund, a merged person, a rate, a setting and the kit each added."""

import json
import random
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from ibis import _

from ecomkit.pipeline.known import Known
from ecomkit.report import walk
from ecomkit.report.causes import causes_of, is_restated
from ecomkit.report.diff import diff
from ecomkit.report.ledger import remember
from ecomkit.report.walk import State, Step, states
from ecomkit.shop import ROOT
from tests import published
from tests.calls import identify, order, page, server, track
from tests.conftest import TOML
from tests.published import publish

WEEK = "2026-W40"
RATES = '[money]\nrates = "rates.csv"\n'
RATE = "date,currency,rate\n2026-10-01,USD,{}\n"
# Two customers, one of them in dollars, an order that tests the shop, a visitor; a call before and after the week.
KNOWN = (
    page("d8", "2026-09-20T10:00:00Z"),
    track("Order Completed", "d1", "2026-10-01T10:00:00Z", user="u1", **order("o1", revenue=10)),
    track("Order Completed", "d2", "2026-10-01T11:00:00Z", user="u2", **order("o2", revenue=30) | {"currency": "USD"}),
    track("Order Completed", "d3", "2026-10-02T10:00:00Z", user="u3", **order("TEST-1", revenue=5)),
    page("d9", "2026-10-02T12:00:00Z"),
    page("d9", "2026-10-05T00:00:00Z"),
)


def later(call, received="2026-10-07T10:00:00Z"):
    return call | {"receivedAt": received}


LATE_ORDER = later(server("Order Completed", "2026-10-03T10:00:00Z", user="u4", **order("o4", revenue=7)))
REFUND = later(server("Order Refunded", "2026-10-03T10:00:00Z", user="u1", order_id="o1", total=4, currency="EUR"))
# It occurred within the week and is no late event: it only tells who is who.
IDENTIFY = later(identify("u1", "d9", "2026-10-03T10:00:00Z"))


@pytest.fixture
def two_reports(make_shop, tmp_path):
    """Publish a week, change the shop, publish it again; return the shop's folder and both reports."""

    def publish_twice(*calls, known=KNOWN, settings="", rate="0.5"):
        folder = make_shop(*known, toml=TOML + RATES, files={"rates.csv": RATE.format("0.5")})
        remember(folder)
        older = publish(folder, tmp_path / "older", WEEK)
        make_shop(*known, *calls, toml=TOML + RATES + settings, files={"rates.csv": RATE.format(rate)})
        return folder, older, publish(folder, tmp_path / "newer", WEEK)

    return publish_twice


@pytest.fixture
def only_revenue(monkeypatch):
    """Let one query stand for all headlines."""

    def values(shop, period, told):
        bought = shop.orders.filter(period.holds(_.ordered_at))
        return {"revenue": float(bought.revenue.sum().to_pyarrow().as_py() or 0)}

    monkeypatch.setattr(walk, "headline_values", values)
    monkeypatch.setattr(published, "headline_values", values)


def causes_by_headline(found):
    return {row["name"]: {told["cause"]: told["amount"] for told in row["causes"]} for row in found["restated"]}


def adds_up(found):
    """Hold every difference to its causes, digit by digit."""
    for row in found["restated"]:
        amounts = [Decimal(repr(told["amount"])) for told in row["causes"]]
        difference = Decimal(repr(row["now"])) - Decimal(repr(row["published"]))
        assert sum(amounts) == difference == Decimal(repr(row["difference"])), row["name"]
        assert sum(round(told["share"] * 100) for told in row["causes"]) == 100, row["name"]
    return True


def rewrite(folder, change):
    """Change a published report.json in place."""
    path = folder / "report.json"
    report = json.loads(path.read_text())
    change(report)
    path.write_text(json.dumps(report))


@pytest.mark.slow
def test_a_late_order_is_what_it_added(make_shop, only_revenue, monkeypatch, tmp_path):
    folder = make_shop(*KNOWN, LATE_ORDER, toml=TOML + RATES, files={"rates.csv": RATE.format("0.5")})
    newer = publish(folder, tmp_path / "newer", WEEK)
    older, then = shutil.copytree(newer, tmp_path / "older"), "2026-10-05T00:00:00+00:00"
    rewrite(older, lambda report: report["made_from"].update(known_until=then))
    rewrite(older, lambda report: report["headlines"][0].update(value=30))
    scratch, heard = tmp_path / "scratch", []
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    found = diff(older, newer / "report.json", shop=str(folder), progress=heard.append)
    [row] = found.pop("restated")
    assert row == {
        "name": "revenue",
        "label": "Revenue",
        "unit": "money",
        "published": 30,
        "now": 37,
        "difference": 7.0,
        "causes": [{"cause": "late events", "amount": 7.0, "share": 1.0}],
    }
    assert found == {
        "shop": "Test shop",
        "week": WEEK,
        "currency": "EUR",
        "known_until": [then, "2026-10-07T10:00:00+00:00"],
        "missing": [],
        "why": {"late events": "1 call that occurred before the end of the week and arrived since"},
        "cannot_tell": [],
    }
    # The shop of then was built for it, and is gone.
    assert "sources, read calls" in heard
    assert list(scratch.iterdir()) == []


@pytest.mark.slow
def test_all_at_once_each_cause_is_found_with_its_amount(two_reports):
    folder, older, newer = two_reports(
        LATE_ORDER, REFUND, IDENTIFY, settings='[exclude]\ntest_orders = ["^TEST-"]\n', rate="0.6"
    )

    def counted_a_hundred_more(report):
        report["made_from"]["definition"] = "that of an older kit"
        [entry] = [entry for entry in report["headlines"] if entry["name"] == "net_revenue"]
        entry["value"] += 100

    rewrite(older, counted_a_hundred_more)
    found = diff(older, newer, shop=str(folder))
    assert adds_up(found)
    causes = causes_by_headline(found)
    assert causes["net_revenue"] == {
        "definition": -100.0, "settings": -5.0, "rates": 3.0, "refunds": -4.0, "late events": 7.0,
    }  # fmt: skip
    assert causes["revenue"] == {"settings": -5.0, "rates": 3.0, "late events": 7.0}
    # 3 of 5 sessions; without the test order 2 of 4; with the visitor known 3 of 4.
    assert causes["identified_sessions_share"] == {"settings": -0.1, "identity": 0.25}
    # One order less and one more are no restatement.
    assert "orders" not in causes
    assert found["why"] == {
        "definition": "the kit's own code changed, or what none of the other causes explains",
        "settings": "shop.toml changed in [exclude]",
        "rates": "the file of rates changed",
        "refunds": "1 call of refunds and cancellations that arrived since",
        "late events": "1 call that occurred before the end of the week and arrived since",
        "identity": "1 call that arrived since and can only tell who was who: identify calls, and what occurred after "
        "the week",
    }
    assert (found["missing"], found["cannot_tell"]) == ([], [])


@pytest.mark.slow
def test_what_the_ledger_lacks_is_one_cause_with_its_neighbour(two_reports, only_revenue, own_store):
    folder, older, newer = two_reports(LATE_ORDER, settings='[exclude]\ntest_orders = ["^TEST-"]\n', rate="0.6")
    shutil.rmtree(own_store / "ledger")
    found = diff(older, newer, shop=str(folder))
    assert adds_up(found)
    assert causes_by_headline(found) == {"revenue": {"sources or settings or rates": -2.0, "late events": 7.0}}
    lacks = " of then are not on this machine. Run `ecomkit diff` where the reports were made to tell these causes "
    assert found["cannot_tell"] == [f"The settings and rates{lacks}apart.", f"The rates{lacks}apart."]


@pytest.mark.slow
def test_two_past_reports_are_compared_as_their_shops_were(two_reports, only_revenue, make_shop):
    folder, older, newer = two_reports(LATE_ORDER, rate="0.6")
    remember(folder)
    much_later = later(LATE_ORDER | {"messageId": "another"}, "2026-10-09T10:00:00Z")
    much_later["properties"] = order("o5", revenue=100)
    make_shop(*KNOWN, LATE_ORDER, much_later, toml=TOML + RATES, files={"rates.csv": RATE.format("0.9")})
    found = diff(older, newer, shop=str(folder))
    assert causes_by_headline(found) == {"revenue": {"rates": 3.0, "late events": 7.0}}


@pytest.mark.slow
def test_of_a_week_that_went_on_all_calls_since_are_late_events(two_reports, only_revenue):
    folder, older, newer = two_reports(LATE_ORDER, KNOWN[-1], IDENTIFY, known=KNOWN[:-1])
    found = diff(older, newer, shop=str(folder))
    assert causes_by_headline(found) == {"revenue": {"late events": 7.0}}
    assert found["why"] == {"late events": "3 calls that occurred before the end of the week and arrived since"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_any_calls_that_arrive_late_explain_all_of_the_difference(seed, tmp_path, own_store):
    folder, dice = tmp_path / "shop", random.Random(seed)
    shutil.copytree(ROOT / "data/fixtures/tiny", folder)
    path = folder / "segment" / "calls.ndjson"
    lines = path.read_text().splitlines()
    chosen = [number for number, line in enumerate(lines) if line.endswith("}") and dice.random() < 0.3]
    late = {number: json.dumps(later(json.loads(lines[number]), "2026-11-05T10:00:00Z")) for number in chosen}
    path.write_text("\n".join(line for number, line in enumerate(lines) if number not in late))
    older = publish(folder, tmp_path / "older", "2026-W44")
    path.write_text("\n".join(late.get(number, line) for number, line in enumerate(lines)))
    found = diff(older, publish(folder, tmp_path / "newer", "2026-W44"), shop=str(folder))
    assert found["restated"]
    assert adds_up(found)
    assert {cause for causes in causes_by_headline(found).values() for cause in causes} <= {
        "refunds", "late events", "identity",
    }  # fmt: skip


END = datetime(2026, 10, 5, tzinfo=UTC)
THEN, NOW = END + timedelta(days=1), END + timedelta(days=3)
MADE = {"settings": {"shop": "s1"}, "rates": "r1", "definition": "k1", "known_until": THEN.isoformat()}
TICK = timedelta(microseconds=1)


def known(refunds, occurred, names):
    return Known(refunds + TICK, occurred + TICK, names + TICK, END)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param({}, [("sources", "s1", "r1", (THEN, THEN, THEN))], id="nothing"),
        pytest.param({"definition": "k2"}, [("definition", "s1", "r1", (THEN, THEN, THEN))], id="the kit"),
        pytest.param(
            {"settings": {"shop": "s2"}, "rates": None},
            [
                ("sources", "s1", "r1", (THEN, THEN, THEN)),
                ("settings", "s2", "r1", (THEN, THEN, THEN)),
                ("rates", "s2", None, (THEN, THEN, THEN)),
            ],
            id="settings before rates",
        ),
        pytest.param(
            {"known_until": NOW.isoformat()},
            [
                ("sources", "s1", "r1", (THEN, THEN, THEN)),
                ("refunds", "s1", "r1", (NOW, THEN, THEN)),
                ("late events", "s1", "r1", (NOW, NOW, THEN)),
                ("identity", "s1", "r1", (NOW, NOW, NOW)),
            ],
            id="calls, one kind after the other",
        ),
        pytest.param({"known_until": None}, [("sources", "s1", "r1", None)], id="no arrivals are told"),
    ],
)
def test_one_thing_is_changed_at_a_time(changed, expected):
    assert states(MADE, MADE | changed, END) == [
        State(cause, ({"shop": settings}, rates), kinds and known(*kinds)) for cause, settings, rates, kinds in expected
    ]


def test_a_week_that_went_on_has_no_step_for_identity():
    before_the_end = END - TICK - TICK
    older, newer = MADE | {"known_until": before_the_end.isoformat()}, MADE | {"known_until": NOW.isoformat()}
    assert [(state.cause, state.known) for state in states(older, newer, END)] == [
        ("sources", known(before_the_end, before_the_end, before_the_end)),
        ("refunds", known(NOW, before_the_end, before_the_end)),
        ("late events", known(NOW, NOW, NOW)),
    ]


def steps(*told):
    return [Step(cause, None if value is None else {"n": value, "other": 1}) for cause, value in told]


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        pytest.param([("sources", 10), ("rates", 12), ("refunds", 9)], {"rates": 2, "refunds": -3}, id="each its own"),
        pytest.param([("definition", 11), ("rates", 9)], {"definition": 1, "rates": -2}, id="the first from the old"),
        pytest.param([("definition", 10), ("rates", 8.5)], {"definition": 0.5, "rates": -1.5}, id="and to the new"),
        pytest.param(
            [("sources", None), ("settings", None), ("rates", 12), ("refunds", 9)],
            {"sources or settings or rates": 2, "refunds": -3},
            id="causes before the first known state are one",
        ),
        pytest.param(
            [("sources", 10), ("settings", None), ("rates", 9)], {"settings or rates": -1}, id="between two known ones"
        ),
        pytest.param(
            [("sources", 10), ("refunds", 12), ("identity", None)],
            {"refunds": 2, "identity": -3},
            id="the last is not",
        ),
        pytest.param([("sources", None), ("rates", None)], {"sources or rates": -1}, id="none known"),
    ],
)
def test_causes_of_a_fall_from_ten_to_nine(way, expected):
    assert causes_of("n", 10, 9, steps(*way)) == [(cause, Decimal(repr(added))) for cause, added in expected.items()]


def test_a_headline_of_an_own_notebook_has_one_cause_for_all():
    assert causes_of("mine", 10, 9, steps(("sources", 10), ("rates", 9))) == [("sources or rates", Decimal(-1))]


def test_amounts_add_up_where_binary_numbers_do_not():
    told = causes_of("n", 0.1, 0.6, steps(("sources", 0.3), ("rates", 0.7), ("refunds", 0.6)))
    assert told == [("sources", Decimal("0.2")), ("rates", Decimal("0.4")), ("refunds", Decimal("-0.1"))]


@pytest.mark.parametrize(
    ("name", "published_value", "now", "restated"),
    [
        pytest.param("orders", 31, 31, False, id="the same"),
        pytest.param("orders", 31, 32, True, id="one more"),
        pytest.param("aov", 39.45472127, 39.45472128, False, id="the tenth digit may be rounding"),
        pytest.param("aov", 39.45472127, 39.45472137, True, id="the ninth is not"),
        pytest.param("revenue", 8_999_999.98, 8_999_999.99, True, id="a cent of nine millions"),
        pytest.param("clv_per_customer", 38.80123618, 38.80123894, False, id="where a fit began"),
        pytest.param("clv_per_customer", 38.8012, 38.8013, True, id="what a fit was made of"),
        pytest.param("orders", 0, 1e-9, True, id="nothing and something"),
        pytest.param("orders", None, None, False, id="unknown twice"),
        pytest.param("orders", None, 0, True, id="unknown and none"),
    ],
)
def test_what_is_restated(name, published_value, now, restated):
    assert is_restated(name, published_value, now) == is_restated(name, now, published_value) == restated
