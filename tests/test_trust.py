"""The light over a week's data, and what a break in tracking hits."""

from datetime import date

import pandas as pd
import pytest
from ibis import _

from ecomkit.periods import Period, iso_week
from ecomkit.shop import open_shop
from ecomkit.tracking_breaks import INPUTS, Break, breaks_frame, breaks_of, marks_of
from ecomkit.trust import CANNOT_TELL, checks_of, light_and_reasons, light_of, reasons_of
from tests.calls import order, page, server, track
from tests.conftest import TOML

WEEK = iso_week("2026-W44", "UTC")
FIRST, LAST = date(2026, 10, 26), date(2026, 11, 1)


def outage(first, last, hits=("visits",)):
    return Break("tracking outage", "all events", first, last, hits)


def check(share, state):
    row = {"definition": "Calls that arrived twice", "bad_share": share, "counted": 100, "state": state}
    return row | {"check": "duplicate_share", "amber_above_share": 0.02, "red_above_share": 0.1}


@pytest.mark.parametrize(
    ("first", "last", "touches"),
    [
        pytest.param(date(2026, 10, 20), date(2026, 10, 25), False, id="ends the day before"),
        pytest.param(date(2026, 10, 20), FIRST, True, id="ends on the first day"),
        pytest.param(LAST, date(2026, 11, 9), True, id="begins on the last day"),
        pytest.param(date(2026, 11, 2), None, False, id="begins the day after"),
        pytest.param(date(2026, 1, 1), None, True, id="goes on"),
    ],
)
def test_a_break_touches_a_period_by_its_days(first, last, touches):
    assert outage(first, last).touches(WEEK) == touches


def test_marks_are_of_the_span_and_of_the_inputs():
    breaks = [
        outage(date(2026, 10, 19), date(2026, 10, 19), ("visits", "channels")),
        outage(date(2026, 10, 27), date(2026, 10, 28), ("orders",)),
        outage(date(2026, 3, 1), date(2026, 3, 1), ("orders",)),
    ]
    both = WEEK.extended_back(2)
    assert marks_of(breaks, both, "channels") == ["tracking outage (all events) on 19 October 2026"]
    assert marks_of(breaks, both, "orders") == ["tracking outage (all events) from 27 October 2026 to 28 October 2026"]
    assert len(marks_of(breaks, None, "orders")) == 2
    assert marks_of(breaks, both, "products") == []
    assert str(outage(FIRST, None)) == "tracking outage (all events) since 26 October 2026"


def test_the_light_is_the_worst_of_what_is_seen():
    green, amber, red = check(0.01, "green"), check(0.05, "amber"), check(0.5, "red")
    hint = Break("new library version", "analytics.js 2", FIRST, FIRST, ())

    def light(*checks, breaks=()):
        return light_of(pd.DataFrame(checks), breaks, WEEK)

    assert light(green, check(None, CANNOT_TELL)) == "green"
    assert light(check(None, CANNOT_TELL)) == "green"
    assert light(green, amber) == "amber"
    assert light(amber, red, green) == "red"
    assert light(green, breaks=[hint]) == "amber"
    assert light(green, breaks=[outage(FIRST, FIRST)]) == "red"
    assert light(green, breaks=[outage(date(2026, 10, 25), date(2026, 10, 25))]) == "green"
    assert reasons_of(pd.DataFrame([amber, red]), [hint], WEEK) == [
        "Calls that arrived twice: 50.0 % (red above 10.0 %)",
        "Calls that arrived twice: 5.0 % (amber above 2.0 %)",
        "new library version (analytics.js 2) on 26 October 2026",
    ]


def test_breaks_as_a_table():
    frame = breaks_frame([outage(FIRST, None, ()), outage(FIRST, LAST, INPUTS[:2])])
    assert list(frame.hits) == ["nothing", "visits and channels"]
    assert frame.last_day.isna().tolist() == [True, False]
    assert breaks_frame([]).empty


SPEND = '[[source]]\nkind = "ad_spend"\nplatform = "facebook"\npath = "spend.csv"\n'
LIMITS = "[limits]\nmin_group = 4\nunassigned_share = [0.3, 0.5]\n"


@pytest.fixture
def judged(make_shop):
    """A shop with a fault of each kind in its week, and its checks by name."""
    late = page("d1", "2026-10-26T10:00:00Z") | {"receivedAt": "2026-10-27T10:00:01Z"}
    visits = [page(f"d{n}", "2026-10-28T10:00:00Z", search="?utm_source=flyer&utm_medium=qr") for n in (2, 3, 4)]
    ordered = [
        track("Order Completed", f"d{n}", "2026-10-28T10:01:00Z", user="ana" if n == 2 else None, **order(f"o{n}"))
        for n in (2, 3, 4)
    ]
    loose = server("Order Completed", "2026-10-29T10:00:00Z", user="ben", **order("o5"))
    again = dict(visits[0], receivedAt="2026-10-28T10:00:05Z")
    toml = TOML.replace('currency = "EUR"', 'currency = "EUR"\n') + SPEND + LIMITS
    spend = "date,campaign_id,campaign_name,spend\n" + "".join(f"2026-10-27,c{n},Tea,10.00\n" for n in range(4))
    shop = open_shop(make_shop(late, *visits, *ordered, loose, again, toml=toml, files={"spend.csv": spend}))
    checks = checks_of(shop, WEEK).set_index("check")
    return shop, checks


def test_each_share_by_hand(judged):
    _shop, checks = judged
    shares = {name: (row.bad_share, row.counted, row.state) for name, row in checks.iterrows()}
    assert shares["duplicate_share"] == (pytest.approx(1 / 9), 9, "red")
    assert shares["late_share"] == (pytest.approx(1 / 8), 8, "red")
    assert shares["unlinked_orders_share"] == (0.25, 4, "amber")
    assert shares["unknown_customers_share"] == (0.5, 4, "amber")
    # Three of four sessions, and the shop's own limits.
    assert shares["unassigned_share"] == (0.75, 4, "red")
    assert (checks.amber_above_share["unassigned_share"], checks.red_above_share["unassigned_share"]) == (0.3, 0.5)
    # All of the money, which stands on four campaigns' days.
    assert shares["unmatched_spend_share"] == (1.0, 4, "red")
    assert shares["quarantined_share"] == (0.0, 9, "green")
    assert shares["money_rule_share"][0] == 0.0
    assert shares["unreconciled_share"][1:] == (0, CANNOT_TELL)


def test_a_share_of_few_is_not_judged(judged):
    shop, _checks = judged
    before = checks_of(shop, WEEK.before()).set_index("check")
    assert (
        before.state[["duplicate_share", "unlinked_orders_share", "unmatched_spend_share"]].tolist()
        == [CANNOT_TELL] * 3
    )
    assert before.bad_share[["duplicate_share", "unlinked_orders_share"]].isna().all()


def test_a_shop_without_calls_has_no_breaks_and_cannot_be_judged_by_them(make_shop):
    toml = TOML.replace('kind = "segment_files"', 'kind = "order_files"').replace("calls.ndjson", "orders.csv")
    lines = "order_id,ordered_at,unit_price\n" + "".join(f"{n},2026-10-28 10:00:00,5\n" for n in range(40))
    shop = open_shop(make_shop(toml=toml, files={"orders.csv": lines}))
    assert breaks_of(shop) == []
    checks = checks_of(shop, WEEK).set_index("check")
    assert checks.state["late_share"] == checks.state["unassigned_share"] == CANNOT_TELL
    assert checks.state["unlinked_orders_share"] == CANNOT_TELL, "nothing is tracked, so nothing is lost"
    assert checks.state["unknown_customers_share"] == "red"


def test_a_day_without_a_call_of_a_browser_is_amber_and_two_are_red(make_shop):
    """Also in a shop of which too few calls come for an outage to be told by its counts."""
    september = [page(f"d{n}", f"2026-09-{n % 28 + 1:02d}T{n % 24:02d}:00:00Z") for n in range(28 * 14)]
    one = [page("x", f"2026-09-{day}T10:00:00Z") for day in (28, 29, 30)]
    one += [page("x", f"2026-10-0{day}T10:00:00Z") for day in (1, 2, 3)]
    shop = open_shop(make_shop(*september, *one))
    week = Period(date(2026, 9, 28), date(2026, 10, 5), "UTC")
    checks = checks_of(shop, week).set_index("check")
    assert (checks.bad_share["silent_days_share"], checks.state["silent_days_share"]) == (pytest.approx(1 / 7), "amber")
    after = checks_of(shop, iso_week("2026-W41", "UTC")).set_index("check")
    assert (after.bad_share["silent_days_share"], after.state["silent_days_share"]) == (1.0, "red")
    first = checks_of(shop, week.before()).set_index("check")
    assert first.bad_share["silent_days_share"] == 0.0


def test_the_fixture_shop_shows_the_breaks_that_were_planted(shop):
    found = [(one.kind, one.what, one.first_day, one.hits) for one in breaks_of(shop)]
    assert found == [
        ("property turned null", "Product Viewed.category", date(2026, 9, 15), ("products",)),
        # Planted from the sixth on: two days tell, and it is found on the second.
        ("doubled event", "Product Viewed", date(2026, 10, 7), ("products",)),
        ("new library version", "analytics.js next-1.85.0", date(2026, 10, 28), ()),
    ]
    light, reasons = light_and_reasons(shop, shop.week("last"))
    assert (light, reasons) == ("amber", ["new library version (analytics.js next-1.85.0) on 28 October 2026"])
    assert light_and_reasons(shop, shop.week("2026-W43")) == ("green", [])
    assert light_and_reasons(shop, shop.week("2026-W41"))[0] == "red"


def test_days_of_the_accounts_are_days_of_the_shop(shop):
    week = shop.week("last")
    counted = shop.call_days.filter(_.outcome == "kept", _.day >= week.start, _.day < week.end).calls.sum()
    events = shop.events.filter(week.holds(shop.events.occurred_at)).count()
    assert counted.to_pyarrow().as_py() == events.to_pyarrow().as_py()


def test_until_spans_from_one_period_to_the_end_of_another():
    assert WEEK.before(3).until(WEEK) == Period(date(2026, 10, 5), date(2026, 11, 2), "UTC")
