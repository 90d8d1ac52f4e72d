"""Pictures of products, read off their axes."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from ecomkit import plots
from ecomkit.plots.colours import BLUE, GREEN, GREY, RED
from ecomkit.plots.style import use_style

SPAN = "2026-W01 to 2026-W13"


@pytest.fixture(autouse=True)
def _style():
    use_style()
    yield
    plt.close("all")


def labels(ax):
    return [text.get_text() for text in ax.get_yticklabels()]


def texts(ax):
    return [text.get_text() for text in ax.texts]


def colours(ax):
    return [plt.matplotlib.colors.to_hex(colour).upper() for colour in ax.collections[1].get_facecolors()]


def with_limits(frame, name):
    return frame.assign(**{f"{name}_low": frame[name] - 0.1, f"{name}_high": frame[name] + 0.1})


def test_a_path_has_a_dot_for_each_step_and_the_rate_beside():
    path = pd.DataFrame(
        {
            "name": ["Fog", "<b>$Pine$</b> " + "x" * 60, None, "Never viewed"],
            "orders": [30, 9, 2, 1],
            "people_viewed": [100, 50, 10, 0],
            "people_added": [60, 20, 5, 0],
            "people_ordered": [20, 5, 1, 0],
            "view_to_order_rate": [0.2, 0.1, 0.1, None],
        }
    )
    ax = plots.plot_product_path(path, noun="product", span=SPAN, title="Which?")
    assert [list(dots.get_offsets()[:, 0]) for dots in ax.collections[1:]] == [[100, 50, 10], [60, 20, 5], [20, 5, 1]]
    assert texts(ax) == ["20.0 %", "10.0 %", "10.0 %"]
    assert labels(ax)[0] == "Fog"
    assert labels(ax)[1].startswith("<b>$Pine$</b> x")
    assert len(labels(ax)[1]) <= 34
    assert labels(ax)[2] == "not named"
    assert ax.get_xlabel() == "People (count)"
    assert ax.get_ylabel() == "Product"
    assert SPAN in ax.figure.texts[-1].get_text().replace("\n", " ")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["Viewed", "Added", "Ordered"]


def test_without_views_the_orders_of_each_product_are_drawn():
    path = pd.DataFrame({"name": ["Fog", "Pine", "Gone"], "people_viewed": 0, "orders": [30, 9, 0]})
    ax = plots.plot_product_path(path, noun="product", span=SPAN, title="Which?")
    assert [bar.get_width() for bar in ax.patches] == [30, 9]
    assert labels(ax) == ["Fog", "Pine"]
    assert "No views are tracked" in ax.figure.texts[-1].get_text()


def visits(*rows):
    frame = pd.DataFrame(rows, columns=["name", "sessions", "visit_to_order_rate", "verdict"])
    return with_limits(frame, "visit_to_order_rate")


def test_the_best_product_is_on_top_and_small_ones_are_grey():
    rates = visits(("Fog", 100, 0.1, "down"), ("Pine", 90, 0.3, "within noise"), ("Few", 5, 0.9, "cannot tell"))
    ax = plots.plot_product_visits(rates, noun="SKU", floor=30, span=SPAN, title="Which?")
    assert labels(ax) == ["Pine (90)", "Fog (100)", "Few (5)"]
    assert colours(ax) == [BLUE.upper(), BLUE.upper(), GREY.upper()]
    assert ax.get_ylabel() == "SKU (sessions with a view)"


def test_what_differs_by_more_than_chance_is_drawn_beside_the_first_twelve():
    rates = visits(*((f"p{number}", 100, 0.1, "within noise") for number in range(20)), ("Found", 40, 0.5, "up"))
    ax = plots.plot_product_visits(rates, noun="product", floor=30, span=SPAN, title="Which?")
    assert labels(ax) == ["Found (40)", *(f"p{number} (100)" for number in range(12))]


def test_a_rank_is_a_line_from_before_to_now_in_the_colour_of_its_verdict():
    ranks = pd.DataFrame(
        {
            "name": ["Fog", "Pine", "New", "Gone"],
            "rank": pd.array([1, 2, 3, None], "Int64"),
            "rank_before": pd.array([400, 1, None, 3], "Int64"),
            "verdict": ["up", "down", "within noise", "down"],
        }
    )
    ax = plots.plot_product_ranks(ranks, noun="product", span=SPAN, when="13 weeks before", title="Which?")
    assert [list(line.get_ydata()) for line in ax.lines] == [[2, 1], [1, 2], [3, 3]]
    assert [line.get_color() for line in ax.lines] == [GREEN, RED, GREY]
    assert texts(ax) == ["400", "1  Fog", "1", "2  Pine", "not sold", "3  New"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1], "rank 1 is on top"
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["13 weeks before", SPAN]


def test_the_curve_of_places_leaves_those_with_few_listings_out():
    places = with_limits(
        pd.DataFrame(
            {
                "position": [1, 2, 3],
                "listings": [100, 90, 2],
                "opened_rate": [0.3, 0.2, 1.0],
                "opened_by": "Product Clicked",
            }
        ),
        "opened_rate",
    )
    ax = plots.plot_list_positions(places, floor=30, span=SPAN, title="Does it?")
    assert list(ax.lines[0].get_xdata()) == [1, 2]
    assert list(ax.lines[0].get_ydata()) == [0.3, 0.2]
    assert list(ax.get_xticks()) == [1, 2]
    assert "were clicked" in ax.figure.texts[-1].get_text().replace("\n", " ")
    viewed = places.assign(opened_by="Product Viewed")
    told = (
        plots.plot_list_positions(viewed, floor=30, span=SPAN, title="Does it?")
        .figure.texts[-1]
        .get_text()
        .replace("\n", " ")
    )
    assert "were viewed next" in told


def test_pairs_that_go_together_come_first_and_all_pairs_are_a_line():
    pairs = with_limits(
        pd.DataFrame(
            {
                "first_name": ["a", "c", "e"],
                "second_name": ["b", "d", "f"],
                "orders_with_both": [40, 50, 60],
                "lift": [2.1, 2.0, 3.0],
                "lift_of_all_pairs": 0.8,
                "verdict": ["up", "up", "within noise"],
            }
        ),
        "lift",
    )
    pairs["lift_low"] = [1.0, 1.9, 2.9]
    ax = plots.plot_product_pairs(pairs, floor=30, span=SPAN, title="Which?")
    assert labels(ax) == ["c + d (50)", "a + b (40)", "e + f (60)"]
    assert colours(ax) == [BLUE.upper(), BLUE.upper(), GREY.upper()]
    assert list(ax.lines[0].get_xdata()) == [0.8, 0.8]


def test_gateways_are_differences_beside_a_line_at_none():
    firsts = with_limits(
        pd.DataFrame(
            {
                "name": ["Fog", "Pine", "Few", "Alone"],
                "customers": [80, 90, 5, 3],
                "customers_compared": [80, 90, 5, 0],
                "repeat_rate_difference": [-0.1, 0.1, 0.5, None],
                "repeat_verdict": ["within noise", "up", "cannot tell", "cannot tell"],
            }
        ),
        "repeat_rate_difference",
    )
    ax = plots.plot_gateways(firsts, noun="product", floor=30, within_days=90, title="Which?")
    assert labels(ax) == ["Pine (90)", "Fog (80)", "Few (5)"]
    assert list(ax.lines[0].get_xdata()) == [0, 0]
    assert ax.get_ylabel() == "First product (customers)"


def test_products_without_views_are_drawn_by_their_share():
    rows = pd.DataFrame(
        {"name": ["Fog", "Pine"], "orders": [50, 40], "without_view_rate": [0.1, 0.9], "verdict": ["down", "up"]}
    )
    rows = with_limits(rows, "without_view_rate")
    ax = plots.plot_sold_without_view(rows, noun="product", floor=30, span=SPAN, title="Which?")
    assert labels(ax) == ["Pine (40)", "Fog (50)"]
    assert ax.get_xlabel() == "Orders without a view before (%)"


def test_without_rows_every_picture_says_so():
    about = {"span": SPAN, "title": "Which?"}
    path = pd.DataFrame(
        columns=["name", "orders", "people_viewed", "people_added", "people_ordered", "view_to_order_rate"]
    )
    empty = [
        plots.plot_product_path(path, noun="product", **about),
        plots.plot_product_visits(visits(), noun="product", floor=30, **about),
        plots.plot_product_ranks(
            pd.DataFrame(columns=["name", "rank", "rank_before", "verdict"]), noun="product", when="before", **about
        ),
        plots.plot_list_positions(
            pd.DataFrame(columns=["position", "listings", "opened_rate", "opened_by"]), floor=30, **about
        ),
        plots.plot_product_pairs(
            pd.DataFrame(columns=["first_name", "second_name", "orders_with_both", "lift", "lift_low", "verdict"]),
            floor=30,
            **about,
        ),
    ]
    assert {tuple(texts(ax)) for ax in empty} == {("No data for this question",)}
