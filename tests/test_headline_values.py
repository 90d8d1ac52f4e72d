"""Headlines of any week: the same numbers as the notebook of that week's own report."""

import ast
import json

import pytest

from ecomkit.headline_values import DEFAULTS, headline_history, headline_values
from ecomkit.headlines import MIME
from ecomkit.periods import iso_week
from ecomkit.shop import ROOT, open_shop
from tests.calls import order, page, server, track

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def handed_over(notebook):
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    displays = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    return {entry["name"]: entry["value"] for display in displays for entry in display.get(MIME, [])}


def parameters_of(notebook):
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    [source] = ["".join(cell["source"]) for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    return {line.target.id: ast.literal_eval(line.value) for line in ast.parse(source).body}


@pytest.fixture(scope="module")
def last_week(shop):
    return headline_values(shop, shop.week("last"), {})


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_hands_over_what_its_week_is_said_to_be(notebook, last_week):
    stored = handed_over(notebook)
    assert stored
    assert {name: last_week[name] for name in stored} == stored


def test_there_is_no_headline_but_the_notebooks(last_week):
    assert set(last_week) == {name for notebook in NOTEBOOKS for name in handed_over(notebook)}


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_not_told_is_as_the_notebook_has_it(notebook):
    own = parameters_of(notebook)
    assert {name: own[name] for name in DEFAULTS if name in own} == {
        name: DEFAULTS[name] for name in DEFAULTS if name in own
    }


@pytest.fixture(scope="module")
def quarter(shop):
    return headline_history(shop, shop.week("last"), {}, weeks=13)


def test_the_history_ends_with_the_week_itself_and_begins_with_the_oldest(quarter, last_week):
    assert {name: values[-1] for name, values in quarter.items()} == {
        name: ("2026-W44", value) for name, value in last_week.items()
    }
    assert [week for week, _value in quarter["orders"]] == [f"2026-W{number}" for number in range(32, 45)]


@pytest.mark.parametrize("back", [1, 12], ids="{} weeks back".format)
def test_an_earlier_week_is_what_its_own_report_says(shop, quarter, back):
    values = headline_values(shop, shop.week("last").before(back), {})
    history = {name: weeks[-1 - back][1] for name, weeks in quarter.items()}
    # A fit that begins near its end ends near it, far within the digits that a report prints.
    assert history.pop("clv_per_customer") == pytest.approx(values.pop("clv_per_customer"), rel=1e-5)
    assert history == values


OTHERS = {"weeks": 4, "window_days": 2.5, "steps": ["Product Viewed", "Order Completed"], "within_days": 30}


@pytest.mark.slow
def test_parameters_reach_both(shop):
    told = OTHERS | {"horizon_days": 90, "yearly_discount_rate": 0.2, "visits_by": "device_type"}
    week = iso_week("2026-W11", shop.zone)  # the clocks go forward in the week before
    values = headline_values(shop, week, told)
    history = {name: weeks[-1][1] for name, weeks in headline_history(shop, week, told, weeks=2).items()}
    assert history == values
    usual = headline_values(shop, week, {})
    assert all(values[name] != usual[name] for name in ("funnel_overall_rate", "cac_blended", "clv_per_customer"))


@pytest.mark.slow
def test_filters_pick_what_each_notebook_picks():
    part = open_shop("shop", filters={"channel": "Email"})
    week = part.week("last")
    values = headline_values(part, week, {})
    assert {name: weeks[-1][1] for name, weeks in headline_history(part, week, {}, weeks=1).items()} == values
    orders = part.orders.filter(week.holds(part.orders.ordered_at), part.orders.status != "cancelled")
    assert values["orders"] == orders.count().to_pyarrow().as_py()
    buyers = open_shop("shop", filters={"channel": "Email"}, select="customers")
    months = week.extended_back(13)
    firsts = buyers.orders.filter(months.holds(buyers.orders.ordered_at), buyers.orders.order_number == 1)
    assert values["new_customers"] == firsts.count().to_pyarrow().as_py()


@pytest.mark.slow
def test_a_week_knows_nothing_of_what_came_after_it(make_shop):
    """Orders are cancelled and refunded in later weeks; of the last week only Monday to Wednesday are over."""
    folder = make_shop(
        page("d1", "2026-09-28T09:00:00Z"),
        track("Order Completed", "d1", "2026-09-28T09:10:00Z", user="u1", **order("o1", revenue=10.0)),
        track("Order Completed", "d2", "2026-09-29T10:00:00Z", user="u2", **order("o2", revenue=20.0, product="p2")),
        track("Order Completed", "d3", "2026-10-06T10:00:00Z", user="u3", **order("o3", revenue=40.0)),
        server("Order Refunded", "2026-10-06T11:00:00Z", user="u2", order_id="o2", total=20.0, currency="EUR"),
        server("Order Cancelled", "2026-10-07T11:00:00Z", user="u2", order_id="o2"),
        server("Order Refunded", "2026-10-08T11:00:00Z", user="u1", order_id="o1", total=4.0, currency="EUR"),
        server("Order Cancelled", "2026-10-12T11:00:00Z", user="u1", order_id="o1"),
        track("Order Completed", "d3", "2026-10-14T10:00:00Z", user="u3", **order("o4", revenue=80.0)),
        track("Order Completed", "d3", "2026-10-15T10:00:00Z", user="u3", **order("o5", revenue=160.0)),
    )
    shop = open_shop(folder)
    assert str(shop.data_end) == "2026-10-16"
    history = headline_history(shop, iso_week("2026-W42", "UTC"), {}, weeks=3)
    assert history["orders"] == [("2026-W40", 2), ("2026-W41", 1), ("2026-W42", 1)]
    assert [value for _week, value in history["revenue"]] == [30, 40, 80]
    # Of o2 nothing is left when week 41 ends; o1 is cancelled after it, so its refund counts.
    assert [value for _week, value in history["net_revenue"]] == [30, 36, 80]
    # Notebook 03 counts all days of the week.
    assert [value for _week, value in history["units"]] == [2, 1, 2]
    for number, name in enumerate(["2026-W40", "2026-W41", "2026-W42"]):
        values = headline_values(shop, iso_week(name, "UTC"), {})
        assert {name: weeks[number][1] for name, weeks in history.items()} == values


def test_weeks_that_began_before_the_data_are_left_out(make_shop):
    shop = open_shop(make_shop(page("d1", "2026-09-30T09:00:00Z"), page("d1", "2026-10-11T09:00:00Z")))
    history = headline_history(shop, iso_week("2026-W41", "UTC"), {})
    assert history["visit_to_order_rate"] == [("2026-W41", 0)]
    assert history["units"] == [("2026-W41", 0)]
    assert {name: weeks[0][1] for name, weeks in history.items()} == headline_values(
        shop, iso_week("2026-W41", "UTC"), {}
    )
    # Nobody ordered, which is no number of these.
    assert history["aov"] == history["cac_blended"] == history["clv_per_customer"] == [("2026-W41", None)]
    assert headline_history(shop, iso_week("2026-W40", "UTC"), {}) == {}
