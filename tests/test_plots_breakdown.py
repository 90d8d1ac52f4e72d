"""Pictures of what sales are made of, read off their axes."""

import pandas as pd
import pytest

from ecomkit.plots.breakdown import plot_order_values, plot_product_mix, plot_sales_by
from ecomkit.plots.sales import plot_weekly_net_revenue
from ecomkit.plots.style import use_style


@pytest.fixture(autouse=True)
def _style():
    use_style()


def labels(axis):
    axis.figure.canvas.draw()
    return [label.get_text() for label in axis.get_ticklabels()]


def subtitle(ax):
    return " ".join(ax.figure.texts[-1].get_text().split())


def sold(*rows):
    return pd.DataFrame(rows, columns=["channel", "revenue", "revenue_before"])


def test_each_group_has_its_bar_and_the_time_before_as_a_line():
    groups = sold(("Email", 90.0, 100.0), (None, 60.0, 20.0))
    ax = plot_sales_by(
        groups, by="channel", currency="EUR", span="W44", when="the week before", title="Where?", unknown="no session"
    )
    assert [bar.get_width() for bar in ax.patches] == [90, 60]
    [lines] = ax.collections
    assert [line[0][0] for line in lines.get_segments()] == [100, 20]
    assert labels(ax.yaxis) == ["Email", "no session"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["The week before", "W44"]
    assert subtitle(ax) == "Revenue before refunds, W44. Line: the week before."


def test_twelve_groups_are_enough_and_the_rest_is_counted():
    groups = sold(*[(f"c{number}", 90.0 - number, 1.0) for number in range(15)])
    ax = plot_sales_by(groups, by="channel", currency="EUR", span="W44", when="before", title="Where?")
    assert len(ax.patches) == 12
    assert subtitle(ax).endswith("The largest 12 of 15.")


def steps(*shares):
    return pd.DataFrame({"from_value": [10.0 * n for n in range(len(shares))], "order_share": shares})


def test_order_values_stand_from_step_to_step_with_their_median_and_mean():
    ax = plot_order_values(
        steps(0.2, 0.5, 0.3),
        steps(0.4, 0.6),
        median=14.0,
        mean=17.0,
        currency="EUR",
        span="W44",
        when="before",
        title="?",
    )
    assert [(bar.get_x(), bar.get_height()) for bar in ax.patches] == [(0, 0.2), (10, 0.5), (20, 0.3)]
    before, median, mean = ax.lines
    assert list(before.get_ydata()) == [0.4, 0.6]
    assert (median.get_xdata()[0], mean.get_xdata()[0]) == (14, 17)
    assert "Median EUR 14.00" in [text.get_text() for text in ax.get_legend().get_texts()]
    assert ax.get_xlabel() == "Revenue of an order (EUR)"


def test_the_mix_of_high_value_customers_stands_beside_that_of_all_others():
    mix = pd.DataFrame(
        {
            "category": ["Pots", "Pots", "Teas", "Teas"],
            "is_high_value": [False, True, False, True],
            "revenue_share": [0.3, 0.4, 0.7, 0.6],
            "revenue_share_low": [0.2, 0.3, 0.6, 0.5],
            "revenue_share_high": [0.4, 0.5, 0.8, 0.7],
        }
    )
    ax = plot_product_mix(mix, by="category", best="the best tenth", title="?")
    assert labels(ax.yaxis) == ["Teas", "Pots"]
    best, others = ax.collections[1], ax.collections[3]
    assert [tuple(point)[0] for point in best.get_offsets()] == [0.6, 0.4]
    assert [tuple(point)[0] for point in others.get_offsets()] == [0.7, 0.3]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["High-value", "All others"]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plot_sales_by(sold(), by="channel", currency="EUR", span="W44", when="before", title="?"),
        lambda: plot_order_values(
            steps(), steps(), median=float("nan"), mean=1.0, currency="EUR", span="W44", when="before", title="?"
        ),
        lambda: plot_product_mix(
            pd.DataFrame(columns=["category", "is_high_value", "revenue_share"]).astype({"is_high_value": bool}),
            by="category",
            best="the best tenth",
            title="?",
        ),
    ],
    ids=["sales", "values", "mix"],
)
def test_without_data_it_says_so(draw):
    assert [text.get_text() for text in draw().texts] == ["No data for this question"]


def test_a_week_shows_the_year_before_where_that_was_observed():
    weeks = pd.DataFrame({"week": pd.to_datetime(["2026-10-19", "2026-10-26"]), "net_revenue": [10.0, 20.0]})
    weeks = weeks.assign(net_revenue_low=5.0, net_revenue_high=25.0)
    told = {"week": weeks.week[1].date(), "currency": "EUR", "title": "?"}
    ax = plot_weekly_net_revenue(weeks.assign(net_revenue_year_before=[7.0, None]), **told)
    assert list(ax.lines[1].get_ydata())[0] == 7
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["This year", "Same week a year before"]
    assert plot_weekly_net_revenue(weeks.assign(net_revenue_year_before=float("nan")), **told).get_legend() is None
