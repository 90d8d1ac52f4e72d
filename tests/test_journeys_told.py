"""Sentences and pictures on carts left behind, features, searches, promotions and coupons."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from ecomkit.plots import plot_abandonment, plot_click_rates, plot_feature_use, use_style
from ecomkit.plots.colours import BLUE, GREY, ORANGE
from ecomkit.words import (
    after_denials,
    clicked_promotions,
    dead_ends,
    goes_with_orders,
    not_tracked,
    where_carts_are_left,
)

STEPS = pd.DataFrame(
    {
        "step": ["Product Added", "Cart Viewed", "Checkout Started"],
        "sessions": [1200, 1000, 400],
        "sessions_seen": [1100, 0, 400],
        "sessions_left": [200, 600, 0],
        "sessions_with_order": [100, 100, 100],
        "abandonment_rate": [1 / 6, 0.6, 0.0],
    }
)
RATE = "visit_to_order_rate"
FEATURES = pd.DataFrame(
    {
        "feature": ["search", "click in a list", "wishlist", "promotion viewed", "coupon denied"],
        "sessions": [300, 500, 0, 400, 12],
        "people": [200, 400, 0, 300, 10],
        RATE: [0.3, 0.15, None, 0.05, 0.4],
        f"{RATE}_low": [0.25, 0.12, None, 0.03, 0.1],
        f"{RATE}_high": [0.35, 0.18, None, 0.08, 0.7],
        f"without_{RATE}": [0.1, 0.14, 0.12, 0.13, 0.12],
        f"without_{RATE}_low": [0.09, 0.12, 0.1, 0.11, 0.1],
        f"without_{RATE}_high": [0.11, 0.16, 0.14, 0.15, 0.14],
        "adjusted_p_value": [0.001, 0.6, None, 0.01, None],
        "verdict": ["up", "within noise", "cannot tell", "down", "cannot tell"],
    }
)
PROMOTIONS = pd.DataFrame(
    {
        "promotion_id": ["home", "small", "**gift** <b>"],
        "sessions": [300, 9, 200],
        "people": [250, 8, 180],
        "click_rate": [0.02, 0.5, 0.1],
        "click_rate_low": [0.01, 0.2, 0.06],
        "click_rate_high": [0.04, 0.8, 0.15],
        "verdict": ["down", "cannot tell", "up"],
    }
)


@pytest.fixture(autouse=True)
def _style():
    use_style()
    yield
    plt.close("all")


def test_the_step_where_most_leave_is_named():
    assert where_carts_are_left(STEPS) == (
        "most were last seen at Cart Viewed, 600 of 800 sessions that left; "
        "of 400 sessions that began the checkout, 75.0 % left it"
    )
    no_checkout = STEPS.assign(sessions=[1200, 1000, 0])
    assert where_carts_are_left(no_checkout) == "most were last seen at Cart Viewed, 600 of 800 sessions that left"
    assert not_tracked(STEPS) == "; never seen, so nobody stops there: Cart Viewed"


def test_nobody_left_and_every_step_is_seen():
    kept = STEPS.assign(sessions_left=0, sessions_seen=1)
    assert where_carts_are_left(kept) == "no session left a cart behind"
    assert not_tracked(kept) == ""


def test_what_goes_with_orders_is_told_both_ways():
    assert goes_with_orders(FEATURES) == (
        "with more orders go search (30.0 % against 10.0 % without); "
        "with fewer orders go promotion viewed (5.0 % against 13.0 % without)"
    )


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        ("within noise", "no feature goes with more or fewer orders by more than chance"),
        ("cannot tell", "no feature is used by enough people to compare"),
    ],
)
def test_no_feature_is_told_of_without_a_verdict(verdict, told):
    assert goes_with_orders(FEATURES.assign(verdict=verdict)) == told


@pytest.mark.parametrize(
    ("verdicts", "told"),
    [
        (["up", "cannot tell"], "20.0 % of 10 searches led to no product, more often than others 'coffee' (50.0 %)"),
        (
            ["within noise", "cannot tell"],
            "20.0 % of 10 searches led to no product; no query stands out among those of enough people",
        ),
    ],
)
def test_dead_ends_are_told(verdicts, told):
    queries = pd.DataFrame(
        {
            "query": ["coffee", "tea"],
            "searches": [4, 6],
            "dead_ends": [2, 0],
            "dead_end_rate": [0.5, 0],
            "verdict": verdicts,
        }
    )
    assert dead_ends(queries) == told
    assert dead_ends(queries.head(0)) == "nobody searched"


def test_a_long_query_is_cut():
    queries = pd.DataFrame(
        {"query": ["x" * 90], "searches": [1], "dead_ends": [1], "dead_end_rate": [1.0], "verdict": ["up"]}
    )
    assert (
        dead_ends(queries) == f"100.0 % of 1 search led to no product, more often than others '{'x' * 39}…' (100.0 %)"
    )


def test_promotions_are_told_by_their_verdict():
    assert clicked_promotions(PROMOTIONS) == (
        "**gift** <b> is clicked more often than the others, at 10.0 %; "
        "home is clicked less often than the others, at 2.0 %"
    ).replace("**gift**", "* *gift* *")
    noise = PROMOTIONS.assign(verdict="within noise")
    assert clicked_promotions(noise) == "no promotion is clicked more or less often than the others"
    few = PROMOTIONS.assign(verdict="cannot tell")
    assert clicked_promotions(few) == "no two promotions were seen by enough people to compare them"


def test_denials_are_told_with_what_followed():
    coupons = pd.DataFrame({"coupon": ["TEN", None], "sessions": [3, 1], "sessions_with_order_after": [1, 0]})
    assert after_denials(coupons) == "4 denials of a coupon, most of TEN (3); after 1 an order followed in the visit"
    assert after_denials(coupons.tail(1)) == (
        "1 denial of a coupon, most without a code (1); after 0 an order followed in the visit"
    )
    assert after_denials(coupons.head(0)) == "no coupon was denied"


def widths(ax, colour):
    return [bar.get_width() for bar in ax.patches if bar.get_facecolor()[:3] == plt.matplotlib.colors.to_rgb(colour)]


def test_bars_split_what_went_on_from_what_was_left():
    ax = plot_abandonment(STEPS, span="W44", title="Where are carts left behind?")
    assert widths(ax, BLUE) == [1000, 400, 400]
    assert widths(ax, ORANGE) == [200, 600, 0]
    assert [text.get_text() for text in ax.texts] == [
        "1,200: 200 left here,\n16.7 % of step",
        "1,000: 600 left here,\n60.0 % of step",
        "400",
    ]
    assert [text.get_text() for text in ax.get_yticklabels()] == [
        "Product Added",
        "Cart Viewed (never seen)",
        "Checkout Started",
    ]
    assert ax.get_xlabel() == "Sessions that reached the step (count)"
    assert ax.figure.get_suptitle() == "Where are carts left behind?"


def test_features_stand_beside_sessions_without_them():
    ax = plot_feature_use(FEATURES, floor=30, span="W44", title="Do they lead to orders?")
    assert [text.get_text() for text in ax.get_yticklabels()] == [
        "search (300)", "click in a list (500)", "promotion viewed (400)", "coupon denied (12)"
    ]  # fmt: skip
    with_it, without = (ax.collections[number].get_offsets()[:, 0].tolist() for number in (1, 4))
    assert with_it == [0.3, 0.15, 0.05, 0.4]
    assert without == [0.1, 0.14, 0.13, 0.12]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["with", "without"]
    assert plt.matplotlib.colors.to_hex(ax.collections[1].get_facecolors()[3]).upper() == GREY
    assert ax.get_xlabel() == "Visit-to-order rate (%)"


def test_promotions_are_ranked_among_those_seen_by_enough():
    ax = plot_click_rates(PROMOTIONS, floor=30, span="W44", title="Which promotions are clicked?")
    assert [text.get_text() for text in ax.get_yticklabels()] == ["**gift** <b> (200)", "home (300)", "small (9)"]
    assert ax.collections[1].get_offsets()[:, 0].tolist() == [0.1, 0.02, 0.5]
    assert ax.get_xlabel() == "Click rate (%)"


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plot_abandonment(STEPS.assign(sessions=0), span="W44", title="?"),
        lambda: plot_feature_use(FEATURES.assign(sessions=0), floor=30, span="W44", title="?"),
        lambda: plot_click_rates(PROMOTIONS.head(0), floor=30, span="W44", title="?"),
    ],
)
def test_without_data_a_picture_says_so(draw):
    assert [text.get_text() for text in draw().texts] == ["No data for this question"]
