"""Breaks in tracking, in shops whose days are typed by hand."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency

from ecomkit.models.breaks import KINDS, find_breaks, too_few_to_watch
from ecomkit.models.weekday_norm import WeekdayNorm, likelihood_ratio

# 2026-01-05 is a Monday.
DAYS = pd.date_range("2026-01-05", periods=70)
BROKEN = 42
UTM = ("utm_source", "utm_medium", "utm_campaign")


def whole(number):
    return np.full(len(DAYS), number)


@dataclass
class Days:
    """A shop in which each day is like the other, to be changed by a test: `shop.calls["page"][42] = 0`."""

    sessions: np.ndarray = field(default_factory=lambda: whole(1000))
    engaged: np.ndarray = field(default_factory=lambda: whole(500))
    calls: dict = field(
        default_factory=lambda: {"page": whole(3000), "Product Viewed": whole(1000), "Product Added": whole(200)}
    )
    filled: dict = field(default_factory=lambda: {"Product Added.price": whole(200), "Product Added.sku": whole(200)})
    utm: dict = field(default_factory=lambda: {name: whole(400) for name in UTM})
    versions: dict = field(default_factory=lambda: {"1": whole(4200)})

    def scale(self, days, factor):
        for counts in (self.calls, self.filled, self.utm):
            for values in counts.values():
                values[days] = values[days] * factor
        for values in (self.sessions, self.engaged):
            values[days] = values[days] * factor

    def frames(self, *, shuffled=False, until=None):
        volumes = self._long(self.calls, ["event_name"], "calls").assign(side="client", late=0)
        libraries = self._long(self.versions, ["library_version"], "calls").assign(library="js")
        properties = self._long(self.filled, ["what"], "filled")
        event = properties.pop("what").str.split(".", n=1, expand=True)
        properties = properties.assign(event_name=event[0], property=event[1])
        asked = volumes[["day", "event_name", "calls"]]
        properties = properties.merge(asked, on=["day", "event_name"], how="left")
        visits = pd.DataFrame({"day": DAYS, "sessions": self.sessions, "engaged_sessions": self.engaged, **self.utm})
        frames = [volumes[volumes["calls"] > 0], libraries[libraries["calls"] > 0], properties, visits]
        if until is not None:
            frames = [frame[frame["day"] <= DAYS[until]] for frame in frames]
        return [frame.sample(frac=1, random_state=1) for frame in frames] if shuffled else frames

    def _long(self, counts, names, values):
        columns = [pd.DataFrame({"day": DAYS, names[0]: name, values: numbers}) for name, numbers in counts.items()]
        return pd.concat(columns, ignore_index=True)

    def breaks(self, **options):
        span = {"first_day": DAYS[0], "last_day": DAYS[options.get("until") or -1]}
        return find_breaks(*self.frames(**options), **span)

    def found(self, **options):
        """Kind, what, and the number of the first and last day of each break."""
        return [
            (
                row.kind,
                row.what,
                *(None if pd.isna(day) else (day - DAYS[0]).days for day in (row.first_day, row.last_day)),
            )
            for row in self.breaks(**options).itertuples()
        ]


def test_a_shop_in_which_each_day_is_like_the_other_has_no_break():
    assert Days().found() == []


OUTAGE = ("tracking outage", "all events", BROKEN, BROKEN)


def lose(shop, day=BROKEN, days=1):
    shop.scale(slice(day, day + days), 0)


def double(shop, event="Product Added", days=3):
    shop.calls[event][BROKEN : BROKEN + days] *= 2
    for name, values in shop.filled.items():
        if name.startswith(event):
            values[BROKEN : BROKEN + days] *= 2


def send_bots(shop, number=1000, days=3):
    shop.sessions[BROKEN : BROKEN + days] += number
    shop.calls["page"][BROKEN : BROKEN + days] += number


def lose_campaigns(shop, days=3):
    for values in shop.utm.values():
        values[BROKEN : BROKEN + days] = 0


def empty(shop, *names, days=3):
    for name in names:
        shop.filled[f"Product Added.{name}"][BROKEN : BROKEN + days] = 0


def upgrade(shop):
    shop.versions = {"1": whole(4200), "2": whole(0)}
    shop.versions["1"][BROKEN:], shop.versions["2"][BROKEN:] = 0, 4200


SIX = {
    "tracking outage": (lambda shop: lose(shop, days=3), "all events", BROKEN + 2),
    "doubled event": (double, "Product Added", BROKEN + 2),
    "property turned null": (lambda shop: empty(shop, "price"), "Product Added.price", BROKEN + 2),
    "new library version": (upgrade, "js 2", None),
    "UTM stopped parsing": (lose_campaigns, "utm_source, utm_medium, utm_campaign", BROKEN + 2),
    "bot wave": (send_bots, "sessions", BROKEN + 2),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_one_break_with_its_days(kind):
    broken, what, last = SIX[kind]
    shop = Days()
    broken(shop)
    assert shop.found() == [(kind, what, BROKEN, last)]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_known_after_its_first_day(kind):
    broken, what, _last = SIX[kind]
    shop = Days()
    broken(shop)
    assert shop.found(until=BROKEN) == [(kind, what, BROKEN, None)]


def test_the_order_of_rows_is_of_no_matter():
    shop = Days()
    for broken, _what, _last in SIX.values():
        broken(shop)
    pd.testing.assert_frame_equal(shop.breaks(), shop.breaks(shuffled=True))


def test_expected_and_observed_are_in_the_measure_of_the_kind():
    measured = {}
    for kind, (broken, _what, _last) in SIX.items():
        shop = Days()
        broken(shop)
        [row] = shop.breaks().itertuples()
        measured[kind] = (row.expected, row.observed)
    assert measured == {
        "tracking outage": (4200, 0),
        "doubled event": (0.2, 0.4),
        "property turned null": (1, 0),
        "new library version": (0, 1),
        "UTM stopped parsing": (0.4, 0),
        "bot wave": (1000, 2000),
    }


def test_without_a_call_there_is_no_break():
    frames = [frame.iloc[:0] for frame in Days().frames()]
    found = find_breaks(*frames)
    assert found.empty
    assert found[["expected", "observed"]].dtypes.eq("float64").all()
    assert too_few_to_watch(frames[0], frames[2], frames[3]).empty


def test_a_shop_whose_server_alone_sends_calls_has_nothing_to_watch():
    volumes, libraries, properties, visits = Days().frames()
    volumes = volumes.assign(side="server")
    assert find_breaks(volumes, libraries, properties.iloc[:0], visits.iloc[:0]).empty
    assert too_few_to_watch(volumes, properties.iloc[:0], visits.iloc[:0]).empty


# Seasons, sales and mailings: what a shop lives through without a break.


def test_a_rise_to_three_times_as_much_over_weeks_and_the_fall_after_it():
    shop = Days()
    for day in range(30, 51):
        shop.scale(day, 1 + 2 * (day - 30) / 20)
    shop.scale(slice(51, 70), 1.1)
    assert shop.found() == []


def test_a_shop_that_is_closed_on_sundays():
    shop = Days()
    shop.scale(slice(6, 70, 7), 0)
    assert shop.found() == []
    lose(shop, BROKEN + 3)
    assert shop.found() == [("tracking outage", "all events", BROKEN + 3, BROKEN + 3)]


def test_an_outage_over_a_closed_sunday_is_one():
    shop = Days()
    shop.scale(slice(6, 70, 7), 0)
    lose(shop, BROKEN + 4, 4)
    assert shop.found() == [("tracking outage", "all events", BROKEN + 4, BROKEN + 7)]


def newsletter(shop):
    """Twice the visits on Mondays, the additional ones with a campaign."""
    monday = slice(0, 70, 7)
    shop.scale(monday, 2)
    for values in shop.utm.values():
        values[monday] = 1400


def test_a_newsletter_that_doubles_the_visits_of_each_monday():
    shop = Days()
    newsletter(shop)
    assert shop.found() == []
    lose_campaigns(shop)
    assert shop.found() == [("UTM stopped parsing", "utm_source, utm_medium, utm_campaign", BROKEN, BROKEN + 2)]


def test_a_newsletter_that_begins_is_no_bot_wave():
    shop = Days()
    shop.scale(slice(BROKEN, 70, 7), 2)
    assert shop.found() == []


def test_visitors_of_a_press_mention_who_look_around_half_as_often_are_no_bots():
    shop = Days()
    shop.sessions[BROKEN : BROKEN + 2] += 2000
    shop.engaged[BROKEN : BROKEN + 2] += 500
    for event in ("page", "Product Viewed"):
        shop.calls[event][BROKEN : BROKEN + 2] *= 2
    assert shop.found() == []


def test_a_crowd_that_only_looks_takes_no_event_away():
    shop = Days()
    shop.sessions[BROKEN : BROKEN + 2] += 9000
    shop.engaged[BROKEN : BROKEN + 2] += 4500
    shop.calls["page"][BROKEN : BROKEN + 2] += 27000
    shop.calls["Product Viewed"][BROKEN : BROKEN + 2] += 9000
    assert shop.found() == []


def test_a_sale_lifts_several_events_at_once_and_doubles_none():
    shop = Days()
    shop.filled = {"page.title": whole(0)}
    shop.calls |= {"Checkout Started": whole(100), "Order Completed": whole(60)}
    for event in ("Product Added", "Checkout Started", "Order Completed"):
        shop.calls[event][BROKEN : BROKEN + 4] = shop.calls[event][BROKEN] * 2
    assert shop.found() == []


def test_a_campaign_that_ends_takes_its_visits_with_it():
    shop = Days()
    shop.scale(slice(BROKEN, 70), 0.6)
    lose_campaigns(shop, days=28)
    assert shop.found() == []


def test_a_coupon_that_ends_is_no_property_turned_null():
    shop = Days()
    shop.filled["Product Added.coupon"] = whole(100)
    shop.filled["Product Added.coupon"][BROKEN:] = 0
    assert shop.found() == []


def test_what_an_email_carries_depends_on_the_mailing():
    shop = Days()
    empty(shop, "price")
    volumes, libraries, properties, visits = shop.frames()
    volumes = volumes.assign(side=volumes["side"].mask(volumes["event_name"] == "Product Added", "email"))
    assert find_breaks(volumes, libraries, properties, visits).empty


def test_days_that_differ_by_chance_have_no_break():
    dice = np.random.default_rng(3)
    shop = Days()
    for values in (*shop.calls.values(), shop.versions["1"]):
        values[:] = dice.poisson(values)
    shop.sessions[:] = dice.poisson(shop.sessions)
    shop.engaged[:] = dice.binomial(shop.sessions, 0.5)
    for counts, whole_of in (
        (shop.utm, lambda name: shop.sessions),
        (shop.filled, lambda name: shop.calls["Product Added"]),
    ):
        for name, values in counts.items():
            values[:] = dice.binomial(whole_of(name), 0.4 if name in UTM else 0.97)
    assert shop.found() == []


# Where a break begins, by rule: the edge, and one short of it.


@pytest.mark.parametrize(
    ("usual", "left", "is_outage"),
    [
        pytest.param(1000, 250, True, id="a quarter is left"),
        pytest.param(1000, 251, False, id="one call more"),
        pytest.param(150, 0, True, id="150 calls a day can be watched"),
        pytest.param(149, 0, False, id="149 cannot"),
    ],
)
def test_an_outage_leaves_a_quarter_or_less(usual, left, is_outage):
    shop = Days(calls={"page": whole(usual)}, filled={"page.title": whole(0)})
    shop.calls["page"][BROKEN] = left
    assert (OUTAGE in shop.found()) == is_outage


@pytest.mark.parametrize(
    ("calls", "others", "is_doubled"),
    [
        pytest.param(1600, 1000, True, id="1.6 times"),
        pytest.param(1599, 1000, False, id="one call less"),
        # The other event may rise by 2 / 1.6 ** 0.5 = 1.581 times.
        pytest.param(2000, 1581, True, id="another rises less by half"),
        pytest.param(2000, 1582, False, id="another rises almost as much"),
    ],
)
def test_a_doubled_event_rises_alone_to_1_6_times(calls, others, is_doubled):
    shop = Days(calls={"page": whole(3000), "A": whole(1000), "B": whole(1000)}, filled={"A.x": whole(0)})
    shop.calls["A"][BROKEN], shop.calls["B"][BROKEN] = calls, others
    assert shop.found() == ([("doubled event", "A", BROKEN, BROKEN)] if is_doubled else [])


def test_a_library_that_is_loaded_twice_doubles_all_events_in_one_break():
    shop = Days()
    for values in shop.calls.values():
        values[BROKEN : BROKEN + 3] *= 2
    shop.filled = {"page.title": whole(0)}
    assert shop.found() == [("doubled event", "Product Added, Product Viewed, page", BROKEN, BROKEN + 2)]


@pytest.mark.parametrize(
    ("left", "sessions", "is_outage"),
    [
        pytest.param(50, 1000, True, id="a quarter of the calls per session"),
        pytest.param(51, 1000, False, id="one call more"),
        pytest.param(100, 2000, True, id="half of the calls in twice the visits"),
        pytest.param(101, 2020, False, id="more than half of the calls"),
    ],
)
def test_an_event_that_stops_is_an_outage_of_that_event(left, sessions, is_outage):
    shop = Days(filled={"page.title": whole(0)})
    shop.calls["Product Added"][BROKEN] = left
    shop.sessions[BROKEN], shop.engaged[BROKEN] = sessions, sessions // 2
    assert shop.found() == ([("tracking outage", "Product Added", BROKEN, BROKEN)] if is_outage else [])


@pytest.mark.parametrize(
    ("usually", "filled", "is_break"),
    [
        pytest.param(200, 100, True, id="half of what was filled"),
        pytest.param(200, 101, False, id="one more"),
        pytest.param(160, 0, True, id="four of five calls filled it"),
        pytest.param(159, 0, False, id="fewer did"),
    ],
)
def test_a_property_that_turned_null_was_mostly_filled_and_is_half_as_often(usually, filled, is_break):
    shop = Days(filled={"Product Added.price": whole(usually)})
    shop.filled["Product Added.price"][BROKEN] = filled
    assert shop.found() == ([("property turned null", "Product Added.price", BROKEN, BROKEN)] if is_break else [])


@pytest.mark.parametrize(
    ("a_day", "is_break"),
    [pytest.param(10, True, id="twenty calls in two days"), pytest.param(9, False, id="eighteen")],
)
def test_a_property_of_few_calls_is_judged_by_two_days(a_day, is_break):
    shop = Days()
    shop.calls["Product Added"][:] = a_day
    shop.filled = {"Product Added.price": whole(a_day)}
    empty(shop, "price")
    assert shop.found() == ([("property turned null", "Product Added.price", 42, 44)] if is_break else [])


@pytest.mark.parametrize(
    ("with_utm", "without", "is_break"),
    [
        pytest.param(200, 800, True, id="half as many"),
        pytest.param(201, 799, False, id="one more"),
        pytest.param(0, 800, True, id="half of the missing come without"),
        pytest.param(0, 799, False, id="one visit less"),
        pytest.param(400, 2000, False, id="others come in addition"),
    ],
)
def test_a_campaign_that_is_not_parsed_halves_and_its_visits_come_without(with_utm, without, is_break):
    shop = Days()
    for values in shop.utm.values():
        values[BROKEN] = with_utm
    shop.sessions[BROKEN] = with_utm + without
    shop.engaged[BROKEN] = shop.sessions[BROKEN] // 2
    assert shop.found() == ([("UTM stopped parsing", ", ".join(UTM), BROKEN, BROKEN)] if is_break else [])


@pytest.mark.parametrize(
    ("sessions", "engaged", "is_wave"),
    [
        pytest.param(1500, 500, True, id="1.5 times the sessions"),
        pytest.param(1499, 500, False, id="one session less"),
        # Of 1000 more, 500 of whom would be engaged, a quarter of that is.
        pytest.param(2000, 625, True, id="a quarter as engaged"),
        pytest.param(2000, 626, False, id="one more who looks around"),
    ],
)
def test_a_bot_wave_brings_half_as_many_again_who_land_and_go(sessions, engaged, is_wave):
    shop = Days()
    shop.sessions[BROKEN], shop.engaged[BROKEN] = sessions, engaged
    assert shop.found() == ([("bot wave", "sessions", BROKEN, BROKEN)] if is_wave else [])


@pytest.mark.parametrize(
    ("day", "calls", "of_the_day", "is_new"),
    [
        pytest.param(28, 42, 4200, True, id="one in a hundred calls, after four weeks"),
        pytest.param(28, 41, 4200, False, id="fewer"),
        pytest.param(27, 42, 4200, False, id="within the first four weeks"),
        pytest.param(28, 5, 400, True, id="five calls"),
        pytest.param(28, 4, 100, False, id="four"),
    ],
)
def test_a_new_version_is_rolled_out_to_one_in_a_hundred_calls(day, calls, of_the_day, is_new):
    shop = Days(versions={"1": whole(of_the_day), "2": whole(0)})
    shop.versions["1"][day], shop.versions["2"][day] = of_the_day - calls, calls
    assert shop.found() == ([("new library version", "js 2", day, day)] if is_new else [])


def test_a_version_that_was_there_before_is_not_new():
    shop = Days(versions={"1": whole(4200), "2": whole(1)})
    shop.versions["2"][BROKEN:] = 4000
    assert shop.found() == []


@pytest.mark.parametrize(("day", "is_found"), [(15, True), (14, False)], ids=["after two weeks", "a day before"])
def test_two_weeks_up_to_the_day_before_yesterday_are_enough_to_know_what_is_usual(day, is_found):
    shop = Days()
    lose(shop, day)
    assert shop.found() == ([("tracking outage", "all events", day, day)] if is_found else [])


# How long a break lasts.


def test_what_lasts_for_four_weeks_is_usual_from_then_on():
    shop = Days()
    shop.calls["Product Added"][20:60] *= 2
    shop.filled = {"page.title": whole(0)}
    assert shop.found() == [("doubled event", "Product Added", 20, None)]
    shop.calls["Product Added"][52:55] *= 2
    assert shop.found() == [("doubled event", "Product Added", 20, None), ("doubled event", "Product Added", 52, 54)]


@pytest.mark.parametrize(
    ("pause", "breaks"),
    [pytest.param(2, [(42, 47)], id="two days"), pytest.param(3, [(42, 43), (47, 48)], id="three days")],
)
def test_a_short_pause_is_none(pause, breaks):
    shop = Days()
    lose(shop, 42, 2)
    lose(shop, 44 + pause, 2)
    assert shop.found() == [("tracking outage", "all events", *days) for days in breaks]


def test_a_break_that_begins_in_the_afternoon_is_found_on_the_next_day_and_dated_back():
    shop = Days()
    shop.scale(BROKEN, 0.45)
    lose(shop, BROKEN + 1, 2)
    [row] = shop.breaks().itertuples()
    assert (row.first_day, row.last_day, row.found_day) == (DAYS[BROKEN], DAYS[BROKEN + 2], DAYS[BROKEN + 1])


def test_days_of_a_break_are_not_part_of_what_is_usual():
    shop = Days()
    for week in (21, 35):
        lose(shop, week, 7)
    lose(shop, 49, 2)
    # Had the lost days counted, the third outage would be as usual.
    assert [(first, last) for _kind, _what, first, last in shop.found()] == [(21, 27), (35, 41), (49, 50)]


def test_what_comes_back_on_its_weekday_is_the_shops_week():
    shop = Days()
    shop.filled["Product Added.price"][28::7] = 20
    assert [first for _kind, _what, first, _last in shop.found()] == [28, 35]


# One cause is one break.


def test_properties_of_an_event_that_fall_together_are_one_break():
    shop = Days()
    empty(shop, "price", "sku")
    what = "Product Added.price, Product Added.sku"
    assert shop.found() == [("property turned null", what, BROKEN, BROKEN + 2)]


def test_in_an_outage_nothing_else_is_looked_for():
    shop = Days()
    shop.scale(slice(BROKEN, BROKEN + 2), 0.2)
    empty(shop, "price", days=2)
    lose_campaigns(shop, days=2)
    assert shop.found() == [("tracking outage", "all events", BROKEN, BROKEN + 1)]


def test_other_breaks_go_on_behind_an_outage():
    shop = Days()
    empty(shop, "price", days=10)
    lose(shop, BROKEN + 4, 2)
    assert shop.found() == [
        ("property turned null", "Product Added.price", BROKEN, BROKEN + 9),
        ("tracking outage", "all events", BROKEN + 4, BROKEN + 5),
    ]


def test_the_first_and_the_last_day_seen_may_not_be_whole():
    shop = Days()
    shop.scale(69, 0.1)
    frames = shop.frames()
    assert find_breaks(*frames).empty
    assert find_breaks(*frames, last_day=DAYS[69])["first_day"].tolist() == [DAYS[69]]


def test_what_is_too_rare_to_be_watched_is_named():
    shop = Days()
    shop.calls["Product Added"][:] = 15
    shop.filled = {"Product Added.price": whole(15), "Product Added.coupon": whole(3)}
    volumes, _libraries, properties, visits = shop.frames()
    rare = too_few_to_watch(volumes, properties, visits)
    told = rare[["kind", "what", "a_day"]]
    assert list(told.itertuples(index=False, name=None)) == [("doubled event", "Product Added", 15.0)]
    assert rare["events"].tolist() == [("Product Added",)]
    # And indeed it cannot be told.
    shop.calls["Product Added"][BROKEN : BROKEN + 2] *= 2
    shop.filled = {"page.title": whole(0)}
    assert shop.found() == []


def test_a_new_shop_is_too_young_to_be_watched():
    volumes, _libraries, properties, visits = Days().frames(until=10)
    kinds = set(too_few_to_watch(volumes, properties, visits)["kind"])
    assert kinds == set(KINDS) - {"new library version"}


@pytest.mark.parametrize("counts", [(30, 70, 200, 200), (0, 15, 420, 1), (5, 5, 5, 5), (999, 1, 400, 600)])
def test_the_likelihood_ratio_is_that_of_a_table_of_two_by_two(counts):
    part, rest, usual_part, usual_rest = map(float, counts)
    table = [[part, rest], [usual_part, usual_rest]]
    expected = chi2_contingency(table, correction=False, lambda_="log-likelihood").statistic
    ratio = likelihood_ratio(np.array([[part], [rest]]), np.array([[usual_part], [usual_rest]]))
    assert ratio[0] == pytest.approx(expected, abs=1e-9)


def test_days_that_differ_more_than_draws_would_need_a_larger_difference():
    steady, uneven = WeekdayNorm(1), WeekdayNorm(1)
    for day in range(28):
        steady.learn(day % 7, np.array([[400.0], [600.0]]), np.array([True]))
        part = 300.0 if day // 7 % 2 else 500.0
        uneven.learn(day % 7, np.array([[part], [1000 - part]]), np.array([True]))
    # Each day lies 100 off 400 of 1000, where chance is off by the root of 240; 28 days have 21 degrees of freedom.
    assert (steady.dispersion()[0], uneven.dispersion()[0]) == (1.0, pytest.approx(100**2 / 240 * 28 / 21))
    day = np.array([[200.0], [800.0]])
    assert steady.compare([0], day).z[0] < uneven.compare([0], day).z[0] < 0


def test_the_events_of_a_break_are_told_beside_its_name():
    """A name may hold a dot or a comma: nothing needs to take it apart."""
    shop = Days()
    shop.calls["Video.Played, Twice"] = whole(500)
    shop.calls["Video.Played, Twice"][BROKEN : BROKEN + 3] *= 2
    [row] = shop.breaks().itertuples()
    assert (row.kind, row.what, row.events) == ("doubled event", "Video.Played, Twice", ("Video.Played, Twice",))
