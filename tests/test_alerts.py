"""Alerts: each rule at its edge, and the sentence that tells it."""

import pytest

from ecomkit.alert_settings import HEADLINES
from ecomkit.alerts import alerts_of
from ecomkit.errors import SettingsError
from ecomkit.headline_values import headline_values
from ecomkit.settings import load_settings

SHOP = """
[shop]
name = "Test"
time_zone = "Europe/Berlin"
currency = "EUR"
[[source]]
kind = "segment_files"
path = "calls/"
"""


def entry_of(*values, name="orders", label="Orders", unit="count"):
    """A headline with its weeks, the last one judged."""
    history = [{"week": f"2026-W{number:02d}", "value": value} for number, value in enumerate(values, 1)]
    return {"name": name, "label": label, "unit": unit, "value": values[-1], "history": history}


def told(limits, entry):
    return [alert["sentence"] for alert in alerts_of({entry["name"]: limits}, [entry], "EUR")]


@pytest.mark.parametrize(
    ("limits", "values", "sentences"),
    [
        pytest.param({"below": 50}, [50], [], id="at the lower limit"),
        pytest.param(
            {"below": 50}, [49], ["Orders: 49, less than the 50 that [alerts] asks for."], id="below the lower limit"
        ),
        pytest.param({"above": 500}, [500], [], id="at the upper limit"),
        pytest.param(
            {"above": 500}, [501], ["Orders: 501, more than the 500 that [alerts] allows."], id="above the upper limit"
        ),
        pytest.param({"falls_by": 0.3}, [100, 70], [], id="fell by as much as allowed"),
        pytest.param(
            {"falls_by": 0.3},
            [100, 59],
            ["Orders fell by 41.0 % against the week before, from 100 to 59: more than the 30 % that [alerts] allows."],
            id="fell by more",
        ),
        pytest.param({"falls_by": 0.3}, [59, 100], [], id="a rise is no fall"),
        pytest.param({"rises_by": 0.5}, [100, 150], [], id="rose by as much as allowed"),
        pytest.param(
            {"rises_by": 0.5},
            [100, 151],
            [
                "Orders rose by 51.0 % against the week before, from 100 to 151: more than the 50 % that [alerts] "
                "allows."
            ],
            id="rose by more",
        ),
        pytest.param(
            {"rises_by": 2},
            [10, 31],
            [
                "Orders rose by 210.0 % against the week before, from 10 to 31: more than the 200 % that [alerts] "
                "allows."
            ],
            id="a limit above the whole",
        ),
        pytest.param({"falls_by": 0.3, "rises_by": 0.5}, [100, None], [], id="not known"),
        pytest.param({"falls_by": 0.3, "rises_by": 0.5}, [100, None, 10], [], id="the week before is not known"),
        pytest.param({"falls_by": 0.3, "rises_by": 0.5}, [0, 10], [], id="the week before had none"),
        pytest.param({"falls_by": 0.3, "rises_by": 0.5}, [10], [], id="there is no week before"),
        pytest.param({"outside_band": True}, [*[20, 21] * 6, 21], [], id="within the band"),
        pytest.param(
            {"outside_band": True},
            [*[20, 21] * 6, 30],
            ["Orders: 30, above the band of the weeks before, 17 to 26."],
            id="above the band",
        ),
        pytest.param(
            {"outside_band": True},
            [*[20, 21] * 6, 10],
            ["Orders: 10, below the band of the weeks before, 17 to 26."],
            id="below the band",
        ),
        pytest.param({"outside_band": False}, [*[20, 21] * 6, 10], [], id="the band is not asked for"),
        pytest.param({"outside_band": True}, [20, 21, 20, 21, 20, 21, 20, 10], [], id="too few weeks for a band"),
        pytest.param(
            {"below": 50, "falls_by": 0.3},
            [100, 20],
            [
                "Orders: 20, less than the 50 that [alerts] asks for.",
                "Orders fell by 80.0 % against the week before, from 100 to 20: more than the 30 % that [alerts] "
                "allows.",
            ],
            id="two limits at once",
        ),
    ],
)
def test_an_alert_is_raised_beyond_its_limit_alone(limits, values, sentences):
    assert told(limits, entry_of(*values)) == sentences


@pytest.mark.parametrize(
    ("entry", "limits", "sentence"),
    [
        pytest.param(
            entry_of(2400.0, 1200.4, name="net_revenue", label="Net revenue", unit="money"),
            {"below": 2000.5},
            "Net revenue: EUR 1,200, less than the EUR 2,000 that [alerts] asks for.",
            id="much money has no cents",
        ),
        pytest.param(
            entry_of(0.05, 0.04, name="visit_to_order_rate", label="Visit-to-order rate", unit="rate"),
            {"below": 0.045},
            "Visit-to-order rate: 4.0 %, less than the 4.5 % that [alerts] asks for.",
            id="rate",
        ),
        pytest.param(
            entry_of(0.013, 0.0124, name="visit_to_order_rate", label="Visit-to-order rate", unit="rate"),
            {"below": 0.0125},
            "Visit-to-order rate: 1.24 %, less than the 1.25 % that [alerts] asks for.",
            id="rate near its limit",
        ),
        pytest.param(
            entry_of(0.05, 0.0500012, name="visit_to_order_rate", label="Visit-to-order rate", unit="rate"),
            {"above": 0.05},
            "Visit-to-order rate: 5.0001 %, more than the 5 % that [alerts] allows.",
            id="rate nearer still",
        ),
        pytest.param(
            entry_of(0.05, 0.0133, name="visit_to_order_rate", label="Visit-to-order rate", unit="rate"),
            {"below": 0.0136},
            "Visit-to-order rate: 1.3 %, less than the 1.36 % that [alerts] asks for.",
            id="limit of a rate as it stands",
        ),
        pytest.param(
            entry_of(2400.0, 1999.62, name="net_revenue", label="Net revenue", unit="money"),
            {"below": 2000},
            "Net revenue: EUR 1,999.6, less than the EUR 2,000.0 that [alerts] asks for.",
            id="money near its limit",
        ),
        pytest.param(
            entry_of(50, 50, name="units", label="Units"),
            {"below": 50.4},
            "Units: 50.0, less than the 50.4 that [alerts] asks for.",
            id="count near its limit",
        ),
        pytest.param(
            entry_of(0.0124, 0.0122, name="visit_to_order_rate", label="Visit-to-order rate", unit="rate"),
            {"falls_by": 0.0161},
            "Visit-to-order rate fell by 1.613 % against the week before, from 1.24 % to 1.22 %: more than the 1.61 % "
            "that [alerts] allows.",
            id="fall near its limit",
        ),
        pytest.param(
            entry_of(*[20, 21] * 6, 25.62),
            {"outside_band": True},
            "Orders: 25.62, above the band of the weeks before, 17.26 to 25.56.",
            id="near an end of the band",
        ),
        pytest.param(
            entry_of(100, 50, name="new_customers", label="New customers, 13 weeks"),
            {"falls_by": 0.125},
            "New customers, 13 weeks, fell by 50.0 % against the week before, from 100 to 50: more than the 12.5 % "
            "that [alerts] allows.",
            id="label with a comma",
        ),
    ],
)
def test_a_number_is_told_in_its_unit(entry, limits, sentence):
    assert told(limits, entry) == [sentence]


def test_an_alert_holds_what_a_machine_asks_for():
    [low, band] = alerts_of({"orders": {"below": 15, "outside_band": True}}, [entry_of(*[20, 21] * 6, 10)], "EUR")
    assert {key: low[key] for key in ("name", "rule", "value", "limits")} == {
        "name": "orders", "rule": "below", "value": 10, "limits": [15],
    }  # fmt: skip
    assert band["rule"] == "outside_band"
    # Eleven steps of log(21 / 20) = 0.0488; t of 11 degrees at 99.8 % is 4.025: 21 x exp(+-4.025 x 0.0488).
    assert [round(end, 1) for end in band["limits"]] == [17.3, 25.6]


def test_without_limits_there_are_no_alerts():
    assert alerts_of({}, [entry_of(100, 0)], "EUR") == []
    assert alerts_of({"aov": {"below": 10}}, [entry_of(100, 0)], "EUR") == []


def settings_of(tmp_path, alerts):
    (tmp_path / "shop.toml").write_text(f"{SHOP}[alerts]\n{alerts}\n", encoding="utf-8")
    return load_settings(tmp_path / "shop.toml")


def test_limits_are_read_as_they_stand(tmp_path):
    limits = "orders = {below = 50, above = 500, falls_by = 0.3, rises_by = 0.5, outside_band = true}"
    assert settings_of(tmp_path, limits).alerts == {
        "orders": {"below": 50, "above": 500, "falls_by": 0.3, "rises_by": 0.5, "outside_band": True}
    }


def test_a_shop_that_asks_for_none_has_no_alerts(tmp_path):
    assert settings_of(tmp_path, "").alerts == {}


ALL = ", ".join(f"'{name}'" for name in HEADLINES)


@pytest.mark.parametrize(
    ("alerts", "problem"),
    [
        pytest.param(
            "ordres = {below = 5}", "'ordres' in [alerts] is no headline. Did you mean 'orders'?", id="near miss"
        ),
        pytest.param(
            "weather = {below = 5}", f"'weather' in [alerts] is no headline. The headlines are {ALL}", id="no headline"
        ),
        pytest.param(
            "orders = 50",
            "'orders' in [alerts] is 50, not limits such as {below = 50, falls_by = 0.3}",
            id="a number alone",
        ),
        pytest.param(
            "orders = {bellow = 50}",
            "unknown key 'bellow' of 'orders' in [alerts]. Did you mean 'below'?",
            id="near miss of a rule",
        ),
        pytest.param(
            "orders = {below = 'few'}", "'below' of 'orders' in [alerts] is 'few', not a number", id="limit of text"
        ),
        pytest.param(
            "orders = {above = true}", "'above' of 'orders' in [alerts] is True, not a number", id="limit of truth"
        ),
        pytest.param("orders = {above = inf}", "'above' of 'orders' in [alerts] is inf, not a number", id="no limit"),
        pytest.param(
            "orders = {falls_by = 30}",
            "'falls_by' of 'orders' in [alerts] is 30, not a share between 0 and 1 such as 0.3, which is 30 %",
            id="fall in per cent",
        ),
        pytest.param(
            "orders = {rises_by = 0}",
            "'rises_by' of 'orders' in [alerts] is 0, not a share above 0 such as 0.5, which is 50 %",
            id="rise by nothing",
        ),
        pytest.param(
            "visit_to_order_rate = {below = 3}",
            "'below' of 'visit_to_order_rate' in [alerts] is 3, not a share of 0 to 1 such as 0.05, which is 5 %",
            id="rate in per cent",
        ),
        pytest.param(
            "orders = {outside_band = 0.95}",
            "'outside_band' of 'orders' in [alerts] is 0.95, not true or false",
            id="band of a level",
        ),
        pytest.param(
            "orders = {below = 50, above = 50}",
            "'below' of 'orders' in [alerts] is 50, not less than its 'above', 50",
            id="nothing between",
        ),
        pytest.param(
            "ordres = {below = 5}\naov = {above = 'much', falls_by = 2}",
            "'ordres' in [alerts] is no headline. Did you mean 'orders'?; 'above' of 'aov' in [alerts] is 'much', not "
            "a number; 'falls_by' of 'aov' in [alerts] is 2, not a share between 0 and 1 such as 0.3, which is 30 %",
            id="all at once",
        ),
    ],
)
def test_a_wrong_limit_is_named(tmp_path, alerts, problem):
    with pytest.raises(SettingsError) as caught:
        settings_of(tmp_path, alerts)
    end = "" if problem.endswith("?") else "."
    assert str(caught.value) == (f"'{tmp_path / 'shop.toml'}' cannot be used: {problem}{end} Mend these and run again.")


def test_every_headline_can_be_watched(shop):
    assert set(HEADLINES) == set(headline_values(shop, shop.week("last"), {}))
