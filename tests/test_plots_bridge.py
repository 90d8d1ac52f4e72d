"""The pictures of the bridge, read off their axes."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from ecomkit.models.bridge_parts import bridge_parts
from ecomkit.models.revenue_bridge import revenue_bridge
from ecomkit.plots.bridge import plot_bridge_parts, plot_revenue_bridge
from ecomkit.plots.colours import GREEN, GREY, INK, RED
from ecomkit.plots.ladder import plot_order_ladder
from ecomkit.plots.style import use_style
from tests.bridge import BEFORE, NOW, period_of, segments_of, spread

SIDES = {"now": NOW, "before": BEFORE}
TOLD = {"currency": "EUR", "span": "2024-W02 against 2024-W01"}


@pytest.fixture(autouse=True)
def _style():
    use_style()
    yield
    plt.close("all")


def bridge(now, before):
    rows = [row | {"start_date": pd.Timestamp(start)} for start, row in ((BEFORE, before), (NOW, now))]
    return revenue_bridge(pd.DataFrame(rows), **SIDES)


LARGE = bridge(
    period_of(spread(2400, 60, 60, 3600.0), outside=[50.0], refunds=[20.0] * 40),
    period_of(spread(1200, 60, 62, 3700.0), outside=[40.0], refunds=[20.0] * 5),
)


def colour_of(patch):
    return "#" + "".join(f"{round(part * 255):02X}" for part in patch.get_facecolor()[:3])


def test_the_bridge_starts_at_net_revenue_before_and_ends_at_net_revenue_now():
    ax = plot_revenue_bridge(LARGE, title="Why did net revenue move?", **TOLD)
    patches = ax.containers[0].patches
    assert len(patches) == len(LARGE) == 8
    assert patches[0].get_height() == pytest.approx(3640)
    assert patches[-1].get_height() == pytest.approx(2850)
    running = LARGE.amount.iloc[0]
    for patch, amount in zip(patches[1:-1], LARGE.amount[1:-1], strict=True):
        assert (patch.get_y(), patch.get_height()) == pytest.approx((running, amount))
        running += amount
    assert running == pytest.approx(2850)


def test_bars_within_noise_are_grey_and_hatched_and_the_others_say_their_direction():
    ax = plot_revenue_bridge(LARGE, title="Why did net revenue move?", **TOLD)
    verdicts = LARGE.verdict[1:-1].tolist()
    assert verdicts[:2] == ["up", "down"]
    assert "within noise" in verdicts
    for patch, verdict in zip(ax.containers[0].patches[1:-1], verdicts, strict=True):
        assert colour_of(patch) == {"up": GREEN, "down": RED}.get(verdict, GREY)
        assert bool(patch.get_hatch()) == (verdict in ("within noise", "cannot tell"))
    assert colour_of(ax.containers[0].patches[0]) == INK


def test_each_bar_has_its_amount_and_its_interval():
    ax = plot_revenue_bridge(LARGE, title="Why did net revenue move?", **TOLD)
    texts = [text.get_text() for text in ax.texts]
    assert (texts[0], texts[-1]) == ("3,640.00", "2,850.00")
    assert texts[1].startswith("+")
    assert texts[6].startswith("-")
    [lines] = ax.collections
    assert len(lines.get_segments()) == LARGE.amount_high.gt(LARGE.amount_low).sum()
    assert ax.get_ylabel() == "Net revenue (EUR)"
    assert ax.get_ylim()[0] == 0
    assert [label.get_text() for label in ax.get_xticklabels()][-1] == "Now"


def test_net_revenue_below_zero_stays_in_the_picture():
    ax = plot_revenue_bridge(
        bridge(period_of(refunds=[500.0]), period_of(spread(50, 5, 5, 300.0))), title="Why?", **TOLD
    )
    assert ax.containers[0].patches[-1].get_height() == -500
    assert ax.get_ylim()[0] < -500
    assert ax.texts[-1].get_text() == "-500.00"


def test_without_money_the_bridge_says_that_there_is_no_data():
    ax = plot_revenue_bridge(bridge(period_of(), period_of()), title="Why?", **TOLD)
    assert [text.get_text() for text in ax.texts] == ["No data for this question"]


SIDES_BY_CHANNEL = (
    [("Email", spread(400, 80, 80, 5500.0)), ("$ale", spread(1300, 52, 52, 2500.0)), (None, spread(90, 3, 3, 90.0))],
    [("Email", spread(200, 12, 12, 800.0)), ("$ale", spread(1200, 50, 50, 2600.0))],
)


@pytest.fixture
def parts():
    now, before = (period_of(*(people for _name, people in side)) for side in SIDES_BY_CHANNEL)
    return bridge_parts(bridge(now, before), segments_of(*SIDES_BY_CHANNEL, "channel"), "channel", **SIDES)


def test_the_largest_parts_stand_on_top(parts):
    ax = plot_bridge_parts(parts, title="Where did it come from?", **TOLD)
    widths = [patch.get_width() for patch in ax.containers[0].patches]
    assert np.all(np.diff(np.abs(widths)) <= 0)
    assert len(widths) == min(12, (parts.amount != 0).sum())
    assert ax.get_yticklabels()[0].get_text() == "visit-to-order, Email"
    assert any(label.get_text().endswith("not known") for label in ax.get_yticklabels())
    assert ax.get_xlabel() == "Added to net revenue (EUR)"
    assert {text.get_text() for text in ax.get_legend().get_texts()} == {"number", "mix", "rate"}
    assert ax.containers[0].patches[0].get_hatch() is None


def test_without_parts_the_picture_says_that_there_is_no_data(parts):
    ax = plot_bridge_parts(parts.head(0), title="Where did it come from?", **TOLD)
    assert [text.get_text() for text in ax.texts] == ["No data for this question"]


# the ladder

RUNGS = pd.Series(
    {
        "gross": 1000.0,
        "discount": 150.0,
        "other_reductions": 0.0,
        "revenue": 850.0,
        "refunds": 50.0,
        "net_revenue": 800.0,
        "contribution": np.nan,
    }
)


def test_what_is_taken_off_hangs_from_the_rung_above():
    ax = plot_order_ladder(RUNGS, currency="EUR", span="2024-W02", title="What is left of gross?")
    bars = [(patch.get_x(), patch.get_width()) for patch in ax.containers[0].patches]
    assert bars == [(0, 1000), (850, 150), (0, 850), (800, 50), (0, 800)]
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["Gross", "Discount", "Revenue", "Refunds booked", "Net revenue"]
    assert [text.get_text() for text in ax.texts][:2] == ["1,000.00", "-150.00 (-15.0 %)"]
    assert ax.get_xlabel() == "Amount (EUR)"


def test_other_reductions_and_a_contribution_are_rungs_where_there_are_any():
    row = RUNGS.copy()
    row[["other_reductions", "revenue", "net_revenue", "contribution"]] = [10.0, 840.0, 790.0, 395.0]
    ax = plot_order_ladder(row, currency="EUR", span="2024-W02", title="What is left of gross?")
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert "Other reductions" in labels
    assert labels[-1] == "Contribution"


@pytest.mark.parametrize("row", [None, RUNGS * 0], ids=["no row", "nothing in it"])
def test_without_a_gross_there_is_no_ladder(row):
    ax = plot_order_ladder(row, currency="EUR", span="2024-W02", title="What is left of gross?")
    assert [text.get_text() for text in ax.texts] == ["No data for this question"]
