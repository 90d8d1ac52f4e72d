"""Pictures of funnels, read off their axes."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from ecomkit.plots.colours import BLUE, GREY
from ecomkit.plots.funnel import (
    plot_funnel,
    plot_funnel_by,
    plot_funnel_curve,
    plot_funnel_money,
    plot_funnel_sensitivity,
    plot_funnel_trend,
)
from ecomkit.plots.style import use_style

STEPS = ["Product Viewed", "Product Added (coupon: TEA)", "Order Completed"]
GROUPS = pd.DataFrame(
    [
        {"channel": channel, "step_number": number, "step": step, "people": size, "overall_rate": rate}
        for channel, sizes in (
            ("Email", (50, 25, 10)),
            ("Direct", (200, 80, 20)),
            ("Print", (5, 5, 5)),
            (None, (40, 4, 0)),
        )
        for number, (step, size, rate) in enumerate(
            zip(STEPS, sizes, (n / sizes[0] for n in sizes), strict=True), start=1
        )
    ]
)
CURVE = pd.DataFrame({"hours": [1, 20], "reached_share": [0.1, 0.2], "variance": [0.0001, 0.0004]})
TREND = pd.DataFrame(
    {
        "week": pd.to_datetime(["2026-10-05", "2026-10-12", "2026-10-19"]),
        "overall_rate": [0.2, 0.3, 0.25],
        "overall_rate_low": [0.1, 0.2, 0.1],
        "overall_rate_high": [0.3, 0.4, 0.4],
        "is_mature": [1, 1, 0],
    }
)
MONEY = pd.DataFrame(
    {
        "step": STEPS,
        "entering": [1000.0, 400.0, 100.0],
        "lost": [600.0, 300.0, 0.0],
        "lost_share": [0.6, 0.75, 0.0],
    }
)
DEFINITIONS = pd.DataFrame(
    {
        "choice": ["as asked", "same"],
        "definition": ["ordered, restart, person, 7 days", "product_id"],
        "overall_rate": [0.2, 0.1],
        "overall_rate_low": [0.15, 0.05],
        "overall_rate_high": [0.25, 0.15],
    }
)
PICTURES = {
    "steps": (
        lambda frame: plot_funnel(frame, span="May 2026", title="Where?"),
        GROUPS[GROUPS.channel == "Email"].assign(step_rate=0.5),
    ),
    "groups": (lambda frame: plot_funnel_by(frame, by="channel", floor=30, span="May 2026", title="Where?"), GROUPS),
    "curve": (lambda frame: plot_funnel_curve(frame, window_days=2, span="May 2026", title="Where?"), CURVE),
    "trend": (lambda frame: plot_funnel_trend(frame, title="Where?"), TREND),
    "money": (lambda frame: plot_funnel_money(frame, currency="EUR", span="May 2026", title="Where?"), MONEY),
    "definitions": (lambda frame: plot_funnel_sensitivity(frame, span="May 2026", title="Where?"), DEFINITIONS),
}


@pytest.fixture(autouse=True)
def closed():
    use_style()
    yield
    plt.close("all")


def draw(name):
    picture, frame = PICTURES[name]
    return picture(frame)


def labels(axis):
    return [text.get_text() for text in axis.get_ticklabels()]


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_has_title_span_and_units(name):
    ax = draw(name)
    assert ax.figure.get_suptitle() == "Where?"
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    assert any(unit in ax.get_xlabel() + ax.get_ylabel() for unit in ("(%)", "(count)", "(EUR)"))


@pytest.mark.parametrize("name", PICTURES)
def test_an_empty_frame_gives_axes_that_say_so(name):
    picture, frame = PICTURES[name]
    assert [text.get_text() for text in picture(frame.head(0)).texts] == ["No data for this question"]


def test_sessions_are_called_sessions():
    ax = plot_funnel(PICTURES["steps"][1].rename(columns={"people": "sessions"}), span="May", title="Where?")
    assert ax.get_xlabel() == "Sessions that reached the step (count)"


def test_large_groups_are_lines_and_the_largest_comes_first():
    ax = draw("groups")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["Direct (200)", "Email (50)", "unknown (40)"]
    assert list(ax.lines[1].get_ydata()) == [1.0, 0.5, 0.2]
    assert ax.get_legend().get_title().get_text() == "Channel"
    assert labels(ax.xaxis)[0] == "Product\nViewed"


def test_one_group_needs_no_legend():
    ax = plot_funnel_by(GROUPS[GROUPS.channel == "Email"], by="channel", floor=30, span="May", title="Where?")
    assert ax.get_legend() is None


def test_the_curve_begins_at_nothing_and_goes_on_to_the_end_of_the_window():
    ax = draw("curve")
    [line] = ax.lines
    assert list(line.get_xdata()) == [0.0, 1.0, 20.0, 48.0]
    assert list(line.get_ydata()) == [0.0, 0.1, 0.2, 0.2]
    assert ax.get_xlim() == (0, 48)


def test_weeks_with_attempts_too_young_are_grey():
    ax = draw("trend")
    [dots] = [one for one in ax.collections if len(one.get_offsets()) == 3]
    assert [float(y) for _x, y in dots.get_offsets()] == [0.2, 0.3, 0.25]
    assert [to_hex(colour).upper() for colour in dots.get_facecolors()] == [BLUE, BLUE, GREY]
    assert labels(ax.xaxis) == ["W41", "W42", "W43"]


def test_money_is_split_into_what_went_on_and_what_did_not():
    ax = draw("money")
    assert [bar.get_width() for bar in ax.patches] == [400.0, 100.0, 100.0, 600.0, 300.0, 0.0]
    assert [text.get_text() for text in ax.texts] == [
        "EUR 1,000: EUR 600\nwent no further (60.0 %)",
        "EUR 400: EUR 300\nwent no further (75.0 %)",
        "EUR 100",
    ]
    assert labels(ax.yaxis)[1] == "Product Added\n(coupon: TEA)"


def test_definitions_stand_beside_the_one_asked():
    ax = draw("definitions")
    assert labels(ax.yaxis) == ["asked: ordered, restart, person, 7 days", "same: product id"]
    assert [line.get_xdata()[0] for line in ax.lines] == [0.2]
