"""Pictures of CLV, read off their axes."""

from datetime import date

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from ecomkit.plots.clv import plot_clv_path, plot_holdout, plot_realised_value, plot_value_by_tenth
from ecomkit.plots.colours import BLUE, ORANGE
from ecomkit.plots.style import use_style

LAST_DAY = date(2026, 11, 1)
REALISED = pd.DataFrame(
    {"purchase_days": [1, 2, 6], "customers": [60, 30, 10], "net_revenue": [600.0, 900.0, 1500.0]}
).assign(customers_share=[0.6, 0.3, 0.1])
TRACKED = pd.DataFrame(
    {"repeats": [0, 1, 5], "customers": [50, 20, 4], "actual": [10, 20, 16]}
    | {"expected_mbg": [5, 10, 20], "expected_bg": [15, 20, 12]}
)
PATH = pd.DataFrame(
    {
        "model": ["BG/NBD"] * 3 + ["MBG/NBD"] * 3,
        "days": [0, 180, 365] * 2,
        "clv": [0.0, 500.0, 900.0, 0.0, 600.0, 1000.0],
    }
)
TENTHS = pd.DataFrame(
    {
        "tenth": range(1, 11),
        "customers": [100] * 10,
        "clv_share": [0.5, 0.2] + [0.0375] * 8,
        "net_revenue_share": [0.1] * 10,
    }
)
PICTURES = {
    "realised": lambda frame: plot_realised_value(frame, currency="EUR", span="May 2026", title="Who?"),
    "holdout": lambda frame: plot_holdout(frame, span="182 days from 4 May 2026", title="Who?"),
    "path": lambda frame: plot_clv_path(frame, currency="EUR", rate=0.1, last_day=LAST_DAY, title="Who?"),
    "tenths": lambda frame: plot_value_by_tenth(frame, last_day=LAST_DAY, title="Who?"),
}
FRAMES = {"realised": REALISED, "holdout": TRACKED, "path": PATH, "tenths": TENTHS}


@pytest.fixture(autouse=True)
def _style():
    use_style()
    yield
    plt.close("all")


def heights(bars):
    return [round(bar.get_height(), 6) for bar in bars]


def tick_words(axis):
    axis.figure.canvas.draw()
    return [label.get_text() for label in axis.get_ticklabels()]


@pytest.mark.parametrize("name", PICTURES)
def test_an_empty_frame_gives_axes_that_say_so(name):
    ax = PICTURES[name](FRAMES[name].head(0))
    assert [text.get_text() for text in ax.texts] == ["No data for this question"]


@pytest.mark.parametrize("name", PICTURES)
def test_both_axes_name_what_they_count_and_in_which_unit(name):
    ax = PICTURES[name](FRAMES[name])
    assert ax.figure.get_suptitle() == "Who?"
    labels = {
        "realised": ("Days on which the customer has ordered", "Net revenue so far (EUR)"),
        "holdout": ("Repeat purchase days before (calibration)", "Purchase days (per customer)"),
        "path": ("Time from the end of the data (days)", "Expected so far (EUR)"),
        "tenths": ("Tenth of customers (1: highest expected value)", "Share of the total (%)"),
    }
    assert (ax.get_xlabel(), ax.get_ylabel()) == labels[name]


@pytest.mark.parametrize("name", PICTURES)
def test_no_words_are_cut_and_the_axes_stay_below_their_head_lines(name):
    ax = PICTURES[name](FRAMES[name])
    figure = ax.figure
    figure.canvas.draw()
    for text in [*figure.texts, *ax.texts, ax.xaxis.label, ax.yaxis.label]:
        box = text.get_window_extent()
        assert (box.x0 >= -1, box.y0 >= -1) == (True, True), text.get_text()
        assert (box.x1 <= figure.bbox.x1 + 1, box.y1 <= figure.bbox.y1 + 1) == (True, True), text.get_text()
    assert ax.get_tightbbox().y1 <= min(text.get_window_extent().y0 for text in figure.texts)


def test_realised_value_has_a_bar_per_group_with_its_share_of_customers():
    ax = PICTURES["realised"](REALISED)
    assert heights(ax.containers[0]) == [600, 900, 1500]
    assert [text.get_text() for text in ax.texts] == ["60 %", "30 %", "10 %"]
    assert tick_words(ax.xaxis) == ["1", "2", "6 or more"]
    assert ax.get_legend() is None
    assert ax.figure.texts[-1].get_text() == "Orders less refunds, May 2026. On the bars: share of customers."


def test_a_group_whose_refunds_outweigh_its_orders_keeps_its_label_in_sight():
    ax = PICTURES["realised"](REALISED.assign(net_revenue=[600.0, -50.0, 1500.0]))
    assert ax.texts[1].xy == (1, 0)


def test_the_holdout_shows_purchase_days_per_customer_for_what_was_and_what_each_model_expected():
    ax = PICTURES["holdout"](TRACKED)
    actual, mbg, bg = (heights(bars) for bars in ax.containers)
    assert (actual, mbg, bg) == ([0.2, 1, 4], [0.1, 0.5, 5], [0.3, 1, 3])
    words = [text.get_text() for text in ax.get_legend().get_texts()]
    assert words == ["What customers did", "MBG/NBD expected", "BG/NBD expected"]
    assert tick_words(ax.xaxis) == ["0", "1", "5 or more"]


def test_the_path_draws_a_line_per_model_from_zero():
    ax = PICTURES["path"](PATH)
    drawn = {line.get_label(): (list(line.get_ydata()), line.get_color()) for line in ax.lines}
    assert drawn == {"BG/NBD": ([0, 500, 900], ORANGE), "MBG/NBD": ([0, 600, 1000], BLUE)}
    assert (ax.get_xlim()[0], ax.get_ylim()[0]) == (0, 0)
    assert ax.figure.texts[-1].get_text() == "Customers up to 1 November 2026, discounted by 10.0 % a year."


def test_tenths_show_what_is_to_come_as_bars_and_what_came_as_dots():
    ax = PICTURES["tenths"](TENTHS)
    assert heights(ax.containers[0]) == TENTHS.clv_share.tolist()
    assert ax.collections[0].get_offsets()[:, 1].tolist() == TENTHS.net_revenue_share.tolist()
    assert ax.figure.texts[-1].get_text() == "1,000 customers up to 1 November 2026, expected by MBG/NBD."
    assert tick_words(ax.xaxis) == [str(tenth) for tenth in range(1, 11)]
