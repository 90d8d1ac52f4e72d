"""Pictures, read off their axes: places, heights, words and units."""

from datetime import date

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import pytest

from ecomkit.plots.acquisition import plot_cac, plot_kinds_of_cac, plot_lifetime_value_to_cac, plot_new_customers
from ecomkit.plots.colours import BLUE, GREY, ORANGE, PALETTE
from ecomkit.plots.coverage import plot_first_touch, plot_reconciliation, plot_sessions_by_channel, plot_spend_seen
from ecomkit.plots.funnel import plot_funnel
from ecomkit.plots.quality import plot_checks, plot_daily_volumes, plot_set_aside
from ecomkit.plots.retention import plot_cohort_retention, plot_repeat_purchase_rate
from ecomkit.plots.sales import (
    plot_new_and_returning,
    plot_order_links,
    plot_visit_to_order_rate_by,
    plot_weekly_aov,
    plot_weekly_net_revenue,
    plot_weekly_visit_to_order_rate,
)
from ecomkit.plots.style import caption, use_style

WEEK = date(2026, 10, 26)


@pytest.fixture(autouse=True)
def _style():
    use_style()
    yield
    plt.close("all")


def with_interval(frame, name, low, high):
    return frame.assign(**{f"{name}_low": low, f"{name}_high": high})


def weeks_of(name, values):
    weeks = pd.DataFrame({"week": pd.to_datetime(["2026-10-12", "2026-10-19", "2026-10-26"]), name: values})
    return with_interval(weeks, name, weeks[name] * 0.9, weeks[name] * 1.1)


RATES = with_interval(
    pd.DataFrame(
        {
            "channel": ["Tiny", "Direct", "Paid Search"],
            "sessions": [5, 100, 1200],
            "visit_to_order_rate": [0.4, 0.05, 0.08],
        }
    ),
    "visit_to_order_rate",
    [0.1, 0.03, 0.07],
    [0.7, 0.08, 0.09],
)
STEPS = pd.DataFrame(
    {
        "step_number": [1, 2, 3],
        "step": ["Product Viewed", "Product Added", "Order Completed"],
        "people": [2000, 500, 100],
        "step_rate": [None, 0.25, 0.2],
        "overall_rate": [1.0, 0.25, 0.05],
    }
)
COHORTS = with_interval(
    pd.DataFrame(
        {
            "cohort_month": pd.to_datetime(["2026-05-01", "2026-06-01"]),
            "customers": [40, 12],
            "repeat_purchase_rate": [0.25, 0.5],
        }
    ),
    "repeat_purchase_rate",
    [0.1, 0.2],
    [0.4, 0.8],
)
CELLS = pd.DataFrame(
    {
        "cohort_month": pd.to_datetime(["2026-08-01"] * 3 + ["2026-09-01"] * 3),
        "months_since": [0, 1, 2, 0, 1, 2],
        "retention_rate": [1.0, 0.2, 0.1, 1.0, 0.3, None],
    }
)
COSTS = with_interval(
    pd.DataFrame(
        {
            "channel": ["Organic Search", "Paid Search", "Paid Social", "Display"],
            "spend": [None, 4000.0, 3000.0, 512.5],
            "new_customers": [70, 100, 50, 0],
            "cac": [None, 40.0, 60.0, None],
            "spend_without_customers": [False, False, False, True],
        }
    ),
    "cac",
    [None, 33.0, 46.0, None],
    [None, 49.0, 80.0, None],
)
KINDS = with_interval(
    pd.DataFrame(
        {"kind": ["blended", "paid", "fully_loaded"], "new_customers": [200, 150, 12], "cac": [20.0, 30.0, None]}
    ),
    "cac",
    [17.0, 25.0, None],
    [23.0, 36.0, None],
)
WON = with_interval(
    pd.DataFrame({"channel": ["Email", "Direct", "Display"], "new_customers": [5, 20, 0]}),
    "new_customers",
    [1.6, 12.2, 0.0],
    [11.7, 30.9, 3.7],
)
LINKS = pd.DataFrame({"session_rule": [None, "by person and time", "same device"], "orders": [10, 30, 160]})
VALUES = with_interval(
    pd.DataFrame(
        {
            "channel": ["Paid Search", "Paid Social"],
            "customers": [100, 50],
            "spend": [4000.0, 3000.0],
            "cac": [40.0, 60.0],
            "realised_per_customer": [90.0, 20.0],
            "expected_per_customer": [30.0, 10.0],
            "lifetime_value_per_customer": [120.0, 30.0],
            "ltv_to_cac": [3.0, 0.5],
        }
    ),
    "ltv_to_cac",
    [2.5, 0.4],
    [3.5, 0.6],
)

CHECKS = pd.DataFrame(
    {
        "definition": ["Calls that arrived twice", "Orders of nobody known", "Orders that met no session", "Unlooked"],
        "bad_share": [0.01, 0.2, 0.9, None],
        "amber_above_share": [0.02, 0.1, 0.2, 0.02],
        "red_above_share": [0.1, 0.5, 0.5, 0.1],
        "state": ["green", "amber", "cannot tell", "cannot tell"],
    }
)
DAYS = pd.date_range("2026-10-19", "2026-11-01", freq="D")
VOLUMES = pd.DataFrame(
    {
        "day": [*DAYS, *DAYS],
        "event_name": ["page"] * 14 + ["Product Added"] * 14,
        "side": "client",
        "calls": [60] * 14 + [40] * 14,
    }
)
BREAKS = pd.DataFrame(
    {
        "events": [("Product Added",), (), ("Product Added",)],
        "first_day": pd.to_datetime(["2026-10-10", "2026-10-21", "2026-10-30"]),
        "last_day": pd.to_datetime(["2026-10-20", "2026-10-22", None]),
    }
)
OUTCOMES = pd.DataFrame(
    {"day": DAYS, "calls": 100, "kept": 90, "duplicates": 4, "excluded": 5, "quarantined": 1, "late": 2}
)
CREDIT = pd.DataFrame({"channel": ["Direct", "Email"], "before_share": [0.7, 0.3], "after_share": [0.4, 0.6]})
BY_CHANNEL = pd.DataFrame({"channel": ["Unassigned", "Direct"], "sessions": [10, 90]})
SPENT = pd.DataFrame(
    {
        "campaign_name": ["Brand", "A very long campaign name that nobody can read to its end"],
        "spend": [400.0, 100.0],
        "sessions_of_channel": [30, 0],
        "sessions_of_campaign": [12, 0],
    }
)
MATCHED = pd.DataFrame(
    {
        "week": pd.to_datetime(["2026-10-19", "2026-10-26"]),
        "orders_in_both": [40, 30],
        "missing_in_calls": [2, 0],
        "missing_in_export": [0, 1],
    }
)


def title_and_source(ax):
    return ax.figure.get_suptitle(), ax.figure.texts[-1].get_text()


def tick_labels(axis):
    axis.figure.canvas.draw()
    return [label.get_text() for label in axis.get_ticklabels()]


def shown_ticks(axis):
    low, high = sorted(axis.get_view_interval())
    return [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]


def words_on(ax):
    return [text.get_text() for text in ax.texts]


PICTURES = {
    "net revenue": lambda frame: plot_weekly_net_revenue(frame, week=WEEK, currency="EUR", title="How much?"),
    "aov": lambda frame: plot_weekly_aov(frame, week=WEEK, currency="EUR", title="How much?"),
    "weekly rate": lambda frame: plot_weekly_visit_to_order_rate(frame, week=WEEK, title="How much?"),
    "new and returning": lambda frame: plot_new_and_returning(frame, week=WEEK, currency="EUR", title="How much?"),
    "rate by channel": lambda frame: plot_visit_to_order_rate_by(
        frame, by="channel", floor=30, span="in May 2026", title="How much?"
    ),
    "funnel": lambda frame: plot_funnel(frame, span="in May 2026", title="How much?"),
    "repeat purchase rate": lambda frame: plot_repeat_purchase_rate(frame, within_days=90, floor=30, title="How much?"),
    "cohort retention": lambda frame: plot_cohort_retention(frame, title="How much?"),
    "cac": lambda frame: plot_cac(frame, currency="EUR", floor=30, span="in May 2026", title="How much?"),
    "new customers": lambda frame: plot_new_customers(frame, span="in May 2026", title="How much?"),
    "kinds of cac": lambda frame: plot_kinds_of_cac(
        frame, currency="EUR", floor=30, span="in May 2026", title="How much?"
    ),
    "order links": lambda frame: plot_order_links(frame, span="in May 2026", title="How much?"),
    "checks": lambda frame: plot_checks(frame, span="in May 2026", title="How much?"),
    "daily volumes": lambda frame: plot_daily_volumes(
        frame, BREAKS, first_day=date(2026, 10, 19), end=date(2026, 11, 2), title="How much?"
    ),
    "set aside": lambda frame: plot_set_aside(
        frame, first_day=date(2026, 10, 19), end=date(2026, 11, 2), title="How much?"
    ),
    "first touch": lambda frame: plot_first_touch(frame, title="How much?"),
    "sessions by channel": lambda frame: plot_sessions_by_channel(frame, span="in May 2026", title="How much?"),
    "spend seen": lambda frame: plot_spend_seen(frame, span="in May 2026", currency="EUR", title="How much?"),
    "reconciliation": lambda frame: plot_reconciliation(frame, title="How much?"),
    "lifetime value to cac": lambda frame: plot_lifetime_value_to_cac(
        frame, currency="EUR", floor=30, span="in May 2026", title="How much?"
    ),
}
FRAMES = {
    "net revenue": weeks_of("net_revenue", [900.0, 1100.0, 1234.5]),
    "aov": weeks_of("aov", [50.0, 60.0, 55.0]),
    "weekly rate": weeks_of("visit_to_order_rate", [0.05, 0.06, 0.07]),
    "new and returning": weeks_of("new_revenue", [100.0, 200.0, 300.0]).assign(
        returning_revenue=[50.0, 60.0, 70.0], unknown_revenue=0.0, guest_revenue=0.0
    ),
    "rate by channel": RATES,
    "funnel": STEPS,
    "repeat purchase rate": COHORTS,
    "cohort retention": CELLS,
    "cac": COSTS,
    "new customers": WON,
    "kinds of cac": KINDS,
    "order links": LINKS,
    "checks": CHECKS,
    "daily volumes": VOLUMES,
    "set aside": OUTCOMES,
    "first touch": CREDIT,
    "sessions by channel": BY_CHANNEL,
    "spend seen": SPENT,
    "reconciliation": MATCHED,
    "lifetime value to cac": VALUES,
}


@pytest.mark.parametrize("name", PICTURES)
def test_an_empty_frame_gives_axes_that_say_so(name):
    ax = PICTURES[name](FRAMES[name].head(0))
    assert words_on(ax) == ["No data for this question"]
    assert ax.figure.get_suptitle() == "How much?"


@pytest.mark.parametrize("name", PICTURES)
def test_title_source_and_units_stand_on_every_picture(name):
    ax = PICTURES[name](FRAMES[name])
    title, source = title_and_source(ax)
    assert title == "How much?"
    assert len(source) > 20
    assert ax.get_xlabel()
    assert ax.get_ylabel()


@pytest.mark.parametrize("name", PICTURES)
def test_no_words_are_cut_or_smaller_than_eleven_points(name):
    ax = PICTURES[name](FRAMES[name])
    figure = ax.figure
    figure.canvas.draw()
    texts = [*figure.texts, *ax.texts, *shown_ticks(ax.xaxis), *shown_ticks(ax.yaxis), ax.xaxis.label, ax.yaxis.label]
    for text in (text for text in texts if text.get_text()):
        box = text.get_window_extent()
        assert text.get_fontsize() >= 11
        assert box.x0 >= -1, text.get_text()
        assert box.x1 <= figure.bbox.x1 + 1, text.get_text()
        assert box.y0 >= -1, text.get_text()
        assert box.y1 <= figure.bbox.y1 + 1, text.get_text()


@pytest.mark.parametrize("name", PICTURES)
def test_the_axes_stay_below_their_head_lines(name):
    ax = PICTURES[name](FRAMES[name])
    ax.figure.canvas.draw()
    lowest = min(text.get_window_extent().y0 for text in ax.figure.texts)
    assert ax.get_tightbbox().y1 <= lowest


def test_spend_that_brought_nobody_has_a_row_and_words_but_no_bar():
    nobody = ["cac", "realised_per_customer", "expected_per_customer", "lifetime_value_per_customer", "ltv_to_cac"]
    values = VALUES.head(1).assign(customers=0, **dict.fromkeys(nobody))
    values[nobody] = values[nobody].astype("float64")
    ax = PICTURES["lifetime value to cac"](values)
    assert words_on(ax) == ["nobody known to be new"]
    assert ax.get_xlim() == (0.0, 1.5)
    alone = PICTURES["cac"](COSTS.tail(1))
    assert words_on(alone) == ["EUR 512.50 spent, no new customer"]


@pytest.mark.parametrize("kind", ["Int64", "float64"])
def test_a_channel_whose_new_customers_are_unknown_is_small_and_says_so(kind):
    costs = COSTS.assign(new_customers=pd.array([70, 100, None, 0], dtype=kind))
    costs.loc[2, ["cac", "cac_low", "cac_high"]] = None
    ax = PICTURES["cac"](costs)
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        *("Paid Search (100)", "Display (0)", "Paid Social (unknown)"),
    ]
    assert words_on(ax) == ["EUR 512.50 spent, no new customer"]
    assert PICTURES["new customers"](costs.assign(new_customers_low=0, new_customers_high=200)).get_yticks().size == 2


def test_words_beside_the_bars_do_not_meet_the_legend():
    costly = VALUES.assign(cac=[40.0, 400.0])
    ax = PICTURES["lifetime value to cac"](costly)
    ax.figure.canvas.draw()
    legend = ax.get_legend().get_window_extent()
    assert not [text for text in ax.texts if legend.overlaps(text.get_window_extent())]


def test_a_long_title_wraps_and_pushes_the_axes_down():
    title = "Does the share of visits that end in an order change from week to week, beyond chance alone?"
    ax = plot_weekly_visit_to_order_rate(FRAMES["weekly rate"], week=WEEK, title=title)
    ax.figure.canvas.draw()
    assert ax.figure.get_suptitle().count("\n") == 1
    assert ax.get_tightbbox().y1 <= min(text.get_window_extent().y0 for text in ax.figure.texts)


def test_weekly_line_holds_the_frame_and_marks_the_week():
    ax = PICTURES["net revenue"](FRAMES["net revenue"])
    line, mark = ax.lines
    assert list(line.get_ydata()) == [900.0, 1100.0, 1234.5]
    assert (list(mark.get_ydata()), mark.get_color()) == ([1234.5], ORANGE)
    assert tick_labels(ax.xaxis) == ["W42", "W43", "W44"]
    assert ax.get_ylabel() == "Net revenue per week (EUR)"
    assert "1,000" in tick_labels(ax.yaxis)
    assert title_and_source(ax)[1].endswith("2026-W42 to 2026-W44. Band: 95 % interval.")
    assert ax.get_legend() is None


def test_a_week_without_a_row_is_a_gap_in_the_line():
    ax = PICTURES["net revenue"](FRAMES["net revenue"].drop(index=1))
    assert pd.isna(ax.lines[0].get_ydata()[1])


def test_a_week_that_is_not_in_the_frame_is_not_marked():
    ax = PICTURES["net revenue"](FRAMES["net revenue"].head(2))
    assert len(ax.lines) == 1


def test_rates_are_written_as_percent():
    ax = PICTURES["weekly rate"](FRAMES["weekly rate"])
    assert ax.get_ylabel() == "Sessions with an order (%)"
    assert "2 %" in tick_labels(ax.yaxis)


def test_groups_are_ranked_but_small_ones_come_last_and_grey():
    ax = PICTURES["rate by channel"](RATES)
    assert tick_labels(ax.yaxis) == ["Paid Search (1,200)", "Direct (100)", "Tiny (5)"]
    dots = ax.collections[1]
    assert dots.get_offsets()[:, 0].tolist() == [0.08, 0.05, 0.4]
    assert [mpl.colors.to_hex(colour).upper() for colour in dots.get_facecolors()] == [BLUE, BLUE, GREY]


def test_a_name_with_dollar_signs_is_shown_as_it_is():
    ax = PICTURES["rate by channel"](RATES.assign(channel=["$ale$", "a_b", "<b>x</b>"]))
    assert tick_labels(ax.yaxis) == ["<b>x</b> (1,200)", "a_b (100)", "$ale$ (5)"]


def test_parts_of_the_revenue_are_stacked_and_a_part_without_money_is_left_out():
    ax = PICTURES["new and returning"](FRAMES["new and returning"])
    assert [bars.get_label() for bars in ax.containers] == ["New", "Returning"]
    assert [bar.get_y() for bar in ax.containers[1]] == [100.0, 200.0, 300.0]
    assert [bar.get_height() for bar in ax.containers[1]] == [50.0, 60.0, 70.0]


def test_one_part_alone_needs_no_legend():
    frame = FRAMES["new and returning"].assign(returning_revenue=0.0)
    assert PICTURES["new and returning"](frame).get_legend() is None


def test_funnel_bars_carry_both_rates():
    ax = PICTURES["funnel"](STEPS)
    assert [bar.get_width() for bar in ax.patches] == [2000, 500, 100]
    assert words_on(ax) == [
        "2,000",
        "500: 25.0 % of step before,\n25.0 % of first step",
        "100: 20.0 % of step before,\n5.0 % of first step",
    ]
    assert tick_labels(ax.yaxis) == ["Product Viewed", "Product Added", "Order Completed"]


def test_cohorts_keep_their_order_in_time_and_small_ones_are_grey():
    ax = PICTURES["repeat purchase rate"](COHORTS)
    assert tick_labels(ax.yaxis) == ["May 2026 (40)", "Jun 2026 (12)"]
    colours = [mpl.colors.to_hex(colour).upper() for colour in ax.collections[1].get_facecolors()]
    assert colours == [BLUE, GREY]
    assert ax.get_xlabel() == "Customers who ordered again within 90 days (%)"


def test_the_heatmap_leaves_months_that_are_not_over_empty():
    ax = PICTURES["cohort retention"](CELLS)
    mesh = ax.collections[0]
    shown = mesh.get_array()
    assert shown.filled(-1).tolist() == [[0.2, 0.1], [0.3, -1.0]]
    assert tick_labels(ax.yaxis) == ["Aug 2026", "Sep 2026"]
    assert mesh.colorbar.ax.get_ylabel() == "Share with an order (%)"


def test_a_month_that_is_over_for_no_cohort_has_no_column():
    ax = PICTURES["cohort retention"](CELLS[CELLS.months_since.lt(2) | CELLS.retention_rate.isna()])
    assert tick_labels(ax.xaxis) == ["1"]


def test_cac_shows_channels_with_spend_and_names_spend_without_customers():
    ax = PICTURES["cac"](COSTS)
    assert tick_labels(ax.yaxis) == ["Paid Social (50)", "Paid Search (100)", "Display (0)"]
    assert words_on(ax) == ["EUR 512.50 spent, no new customer"]
    assert ax.get_xlabel() == "Spend per new customer (EUR)"


def test_channels_that_brought_nobody_are_left_out_of_the_count():
    assert tick_labels(PICTURES["new customers"](WON).yaxis) == ["Direct", "Email"]


def test_kinds_of_cac_without_a_value_are_left_out():
    assert tick_labels(PICTURES["kinds of cac"](KINDS).yaxis) == ["Blended (200)", "Paid (150)"]


def test_orders_without_a_session_are_grey_and_named():
    ax = PICTURES["order links"](LINKS)
    assert tick_labels(ax.yaxis) == ["same device", "by person and time", "no session"]
    assert words_on(ax) == ["160 (80.0 %)", "30 (15.0 %)", "10 (5.0 %)"]
    assert mpl.colors.to_hex(ax.patches[2].get_facecolor()).upper() == GREY


def test_a_check_stands_where_its_share_is_between_none_and_red():
    ax = plot_checks(CHECKS, span="in May 2026", title="How much?")
    places = [tuple(collection.get_offsets()[0]) for collection in ax.collections]
    # A tenth of red; two fifths of it; far beyond it, at the edge. What has no share has no row.
    assert places == [pytest.approx((0.1, 0)), pytest.approx((0.4, 1)), pytest.approx((1.5, 2))]
    assert words_on(ax) == ["1.0 %", "20.0 %", "90.0 % (too few)"]


def test_breaks_are_framed_on_their_events_and_days():
    ax = PICTURES["daily volumes"](VOLUMES)
    assert tick_labels(ax.yaxis) == ["page", "Product Added"]
    first = mpl.dates.date2num(DAYS[0])
    frames = [(box.get_x() - first, box.get_width(), box.get_y(), box.get_height()) for box in ax.patches]
    # One that began before the picture, one of all events, one that goes on after its last day.
    assert frames == [(0, 2, 1, 1), (2, 2, 0, 2), (11, 3, 1, 1)]


def test_emails_and_rare_events_are_not_in_the_picture_of_volumes():
    rare = VOLUMES.assign(calls=VOLUMES.calls.where(VOLUMES.event_name == "page", 4))
    assert tick_labels(PICTURES["daily volumes"](rare).yaxis) == ["page"]
    assert words_on(PICTURES["daily volumes"](VOLUMES.assign(side="email"))) == ["No data for this question"]


def test_shares_of_the_week_are_of_all_its_calls():
    ax = PICTURES["set aside"](OUTCOMES)
    heights = {line.get_label(): list(line.get_ydata()) for line in ax.lines}
    assert heights["duplicates"] == pytest.approx([0.04, 0.04])
    assert heights["late"] == pytest.approx([0.02, 0.02])


def test_what_no_channel_claims_and_no_session_answers_is_set_off():
    ax = plot_sessions_by_channel(BY_CHANNEL, span="in May 2026", title="How much?")
    assert [mpl.colors.to_hex(bar.get_facecolor()).upper() for bar in ax.patches] == [BLUE, ORANGE]
    ax = plot_spend_seen(SPENT, span="in May 2026", currency="EUR", title="How much?")
    assert [mpl.colors.to_hex(bar.get_facecolor()).upper() for bar in ax.patches] == [BLUE, ORANGE]


def test_value_bars_stack_to_the_lifetime_value_beside_the_cost():
    ax = PICTURES["lifetime value to cac"](VALUES)
    earned, expected = ax.containers
    assert [bar.get_width() for bar in earned] == [90.0, 20.0]
    assert [bar.get_x() + bar.get_width() for bar in expected] == [120.0, 30.0]
    assert words_on(ax) == ["3.0x (2.5x to 3.5x)", "0.5x (0.4x to 0.6x)"]


def test_the_palette_is_fixed():
    colours = mpl.rcParams["axes.prop_cycle"].by_key()["color"]
    assert tuple(mpl.colors.to_hex(colour).upper() for colour in colours) == PALETTE


def test_every_figure_after_a_caption_says_which_part_it_shows_until_the_style_is_set_anew():
    caption("Only channel Email.")
    plotted = plot_weekly_aov(weeks_of("aov", [50.0, 55.0, 60.0]), week=WEEK, currency="EUR", title="Worth?")
    assert " ".join(title_and_source(plotted)[1].split()).endswith("Band: 95 % interval. Only channel Email.")
    use_style()
    plotted = plot_weekly_aov(weeks_of("aov", [50.0, 55.0, 60.0]), week=WEEK, currency="EUR", title="Worth?")
    assert "Only" not in title_and_source(plotted)[1]
