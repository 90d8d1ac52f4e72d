"""What pictures show, in words: held against the numbers that were drawn, and against hostile names."""

import re
from types import SimpleNamespace

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from IPython.core.formatters import DisplayFormatter
from IPython.core.pylabtools import print_figure, select_figure_formats
from matplotlib.figure import Figure

from ecomkit.plots.alt_text import LONGEST, describe
from ecomkit.plots.bridge import plot_bridge_parts
from ecomkit.plots.colours import GREY, ORANGE, RED
from ecomkit.plots.style import new_axes, number_axis, percent_axis, use_style
from ecomkit.words import use_locale
from tests.test_plots import FRAMES, PICTURES

HOSTILE = ["x" * 10_000, "\u202eevil\u200f", "a\nb", "<script>alert(1)</script>", '"', "$x^2$", "_under", ""]


@pytest.fixture(autouse=True)
def _style():
    use_style()


def picture(subtitle="Made up, 2026-W44."):
    """Axes of the kit with nothing on them yet."""
    return new_axes("How much?", subtitle)


TOLD = {
    "net revenue": "Line: net revenue per week (EUR) by ISO week (Monday to Sunday), with 95 % intervals. This year, 3 "
    "points: W42 EUR 900; W43 EUR 1,100; W44 EUR 1,234. Marked: W44. Orders less the refunds booked in each week, "
    "2026-W42 to 2026-W44.",
    "new and returning": "Stacked bars: revenue per week (EUR) by ISO week (Monday to Sunday). New, 3 bars: W42 EUR "
    "100.00; W43 EUR 200.00; W44 EUR 300.00. Returning, 3 bars: W42 EUR 50.00; W43 EUR 60.00; W44 EUR 70.00. Together, "
    "3 bars: W42 EUR 150.00; W43 EUR 260.00; W44 EUR 370.00. Revenue before refunds, 2026-W42 to 2026-W44.",
    "rate by channel": "Points: sessions with an order (%) by channel (sessions), with 95 % intervals. 3 points: Paid "
    "Search (1,200) 8.0 %; Direct (100) 5.0 %; Tiny (5) 40.0 %. Grey (under 30 sessions): Tiny (5). Sessions, in May "
    "2026.",
    "funnel": "Bars: people who reached the step (count) by step of the funnel. 3 bars: Product Viewed 2,000; Product "
    "Added 500: 25.0 % of step before, 25.0 % of first step; Order Completed 100: 20.0 % of step before, 5.0 % of "
    "first step. People by their deepest attempt, in May 2026.",
}


@pytest.mark.parametrize("name", TOLD)
def test_a_picture_is_told_in_plain_sentences(name):
    assert describe(PICTURES[name](FRAMES[name])) == TOLD[name]


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_is_told_on_one_line_of_at_most_500_letters(name):
    told = describe(PICTURES[name](FRAMES[name]))
    assert 60 < len(told) <= LONGEST
    assert told.isprintable()
    assert told.endswith((".", "…"))
    assert not re.search(r"\bnan\b|unknown|\(\)|: \.|; ;", told)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_without_data_says_so(name):
    assert describe(PICTURES[name](FRAMES[name].head(0))) == "No data for this question."


@pytest.mark.parametrize("name", PICTURES)
def test_names_from_outside_are_shortened_and_plain(name):
    """By law: whatever the names are, the text stays short, on one line and without marks that nobody sees."""
    frame = FRAMES[name]
    texts = [column for column in frame if column in ("channel", "campaign_name", "event_name", "step", "definition")]
    named = frame.assign(**{column: (HOSTILE * len(frame))[: len(frame)] for column in texts})
    told = describe(PICTURES[name](named))
    assert len(told) <= LONGEST
    assert told.isprintable()
    assert "x" * 50 not in told


def test_many_marks_are_told_by_their_ends_and_extremes():
    ax = picture("Sessions, 2026-W44. Line: 95 % interval. Grey: under 30.")
    values = [3, 9, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5]
    ax.hlines(range(12), [value - 1 for value in values], [value + 1 for value in values])
    ax.scatter(values, range(12), c=[GREY, GREY, *["#0072B2"] * 10])
    ax.set_yticks(range(12), labels=[f"row {letter}" for letter in "abcdefghijkl"])
    number_axis(ax.xaxis, "Orders", unit="count")
    ax.set_ylabel("ISO week")
    assert describe(ax) == (
        "Points: orders (count) by ISO week, with 95 % intervals. 12 points: first 3 at row a; last 5 at row l; lowest "
        "1 at row c and 1 more; highest 9 at row b and 1 more. Grey (under 30): row a; row b. Sessions, 2026-W44."
    )


def test_an_end_that_is_an_extreme_is_told_once():
    ax = picture()
    ax.plot(range(10), [value / 100 for value in range(10, 0, -1)], label="Share")
    percent_axis(ax.yaxis, "Reached")
    number_axis(ax.xaxis, "Time", unit="hours")
    assert "Share, 10 points: first and highest 10.0 % at 0 hours; last and lowest 1.0 % at 9 hours." in describe(ax)


def test_marks_that_are_all_the_same_are_told_once():
    ax = picture()
    ax.plot(range(10), [0.0] * 10, label="Late")
    percent_axis(ax.yaxis, "Share")
    assert "Late, 10 points, 0 to 9, all 0.0 %." in describe(ax)


def test_a_gap_is_no_mark_and_a_text_in_its_place_is_told():
    ax = picture()
    ax.scatter([2.0, float("nan"), float("nan")], range(3))
    ax.text(0.02, 1, "nobody came", transform=ax.get_yaxis_transform())
    ax.set_yticks(range(3), labels=["Email", "Flyer", "Radio"])
    number_axis(ax.xaxis, "Cost", unit="EUR")
    assert "2 points: Email EUR 2.00; Flyer nobody came." in describe(ax)


@pytest.mark.parametrize(
    ("value", "note", "told"),
    [
        pytest.param(1234.5, "1,234.50", "Email 1,234.50", id="the same amount"),
        pytest.param(1234.5, "+1,234.50", "Email +1,234.50", id="with a sign"),
        pytest.param(229, "229: 54.8 % of step before", "Email 229: 54.8 % of step before", id="and more"),
        pytest.param(1, "166 sessions", "Email EUR 1.00 (166 sessions)", id="another number that begins alike"),
        pytest.param(12, "5.9x (4.4x to 7.7x)", "Email EUR 12.00 (5.9x (4.4x to 7.7x))", id="something else"),
    ],
)
def test_what_is_written_beside_a_mark_is_told_once(value, note, told):
    ax = picture()
    ax.annotate(note, (value, 0), xytext=(6, 0), textcoords="offset points")
    ax.barh([0], [value])
    ax.set_xlim(0, 900)
    ax.set_yticks([0], labels=["Email"])
    number_axis(ax.xaxis, "Revenue", unit="EUR")
    assert f"1 bar: {told}." in describe(ax)


def test_what_texts_mean_is_told_as_the_subtitle_has_it():
    ax = picture("Orders, 2026-W44. On the bars: share of customers.")
    ax.barh([0, 1], [10, 20])
    for place, share in enumerate(("75 %", "25 %")):
        ax.annotate(share, (1, place))
    ax.set_yticks([0, 1], labels=["once", "twice"])
    number_axis(ax.xaxis, "Orders", unit="count")
    assert "2 bars: once 10 (75 %); twice 20 (25 %). In brackets: share of customers." in describe(ax)


def test_bars_on_an_axis_of_numbers_begin_at_their_edge():
    ax = picture()
    ax.bar([0, 10, 20], [0.5, 0.3, 0.2], width=9, align="edge", label="Now")
    ax.axvline(12.5, linestyle="--", label="Mean EUR 12.50")
    number_axis(ax.xaxis, "Revenue of an order", unit="EUR")
    percent_axis(ax.yaxis, "Orders")
    told = describe(ax)
    assert "Now, 3 bars: from EUR 0.00: 50.0 %; from EUR 10.00: 30.0 %; from EUR 20.00: 20.0 %." in told
    assert "Across: Mean EUR 12.50." in told


@pytest.mark.parametrize(
    ("subtitle", "colours", "told"),
    [
        pytest.param("All.", [RED, RED], " All red.", id="a judgement that all share"),
        pytest.param("All.", [ORANGE, ORANGE], "", id="a colour that says nothing"),
        pytest.param("All. Orange: not assigned.", [GREY, ORANGE], " Orange (not assigned): b.", id="explained"),
        pytest.param("All. Grey: small.", [GREY, GREY], " All grey (small).", id="explained, and all"),
    ],
)
def test_colours_are_told_where_they_tell_something(subtitle, colours, told):
    ax = picture(subtitle)
    ax.barh([0, 1], [1, 2], color=colours)
    ax.set_yticks([0, 1], labels=["a", "b"])
    number_axis(ax.xaxis, "Orders", unit="count")
    ax.set_ylabel("Group")
    assert describe(ax) == f"Bars: orders (count) by group. 2 bars: a 1; b 2.{told} All."


def test_colours_that_only_a_legend_names_and_hatches_are_told():
    parts = pd.DataFrame(
        {
            "bar": ["AOV", "sessions"],
            "by": "device_type",
            "segment": ["desktop", "mobile"],
            "part": ["mix", "sessions"],
            "amount": [50.0, -20.0],
            "amount_low": [10.0, -30.0],
            "amount_high": [90.0, 10.0],
            "verdict": ["up", "within noise"],
        }
    )
    told = describe(plot_bridge_parts(parts, currency="EUR", span="W44 against W43", title="Why?"))
    assert "2 bars: AOV, desktop EUR 50.00; sessions, mobile EUR -20.00." in told
    assert "Orange (mix): AOV, desktop. Light blue (number): sessions, mobile." in told
    assert "Hatched (within noise, or too few people): sessions, mobile." in told


def test_a_heat_map_is_told_by_its_extremes_and_its_frames():
    told = describe(PICTURES["cohort retention"](FRAMES["cohort retention"]))
    assert told.startswith("Heat map of share with an order (%) by month of first order and months since the first")
    told = describe(PICTURES["daily volumes"](FRAMES["daily volumes"]))
    assert "Red: a quarter or less, blue: four times or more." in told
    assert "Framed (a break): " in told


def test_numbers_in_the_text_follow_the_locale():
    use_locale("de_DE")
    assert "W43 1.100 EUR" in describe(PICTURES["net revenue"](FRAMES["net revenue"]))


def test_a_day_with_a_full_stop_ends_no_sentence():
    ax = picture("Orders, 1. August 2026 to 31. Oktober 2026. Grey: under 30.")
    ax.barh([0], [1])
    ax.set_yticks([0], labels=["Email"])
    number_axis(ax.xaxis, "Orders", unit="count")
    assert describe(ax).endswith("1 bar: Email 1. Orders, 1. August 2026 to 31. Oktober 2026.")


@pytest.fixture
def notebook(monkeypatch):
    """What shows values in a notebook, with figures drawn as the inline backend has them drawn."""
    shell = SimpleNamespace(display_formatter=DisplayFormatter())
    select_figure_formats(shell, {"png"})
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    return shell.display_formatter


def test_a_notebook_keeps_the_text_beside_the_picture(notebook):
    ax = PICTURES["net revenue"](FRAMES["net revenue"])
    bare = print_figure(ax.figure, fmt="png", base64=True)
    data, metadata = notebook.format(ax.figure)
    assert (data["image/png"], data["text/plain"]) == (bare, repr(ax.figure))
    assert metadata == {"image/png": {"alt": TOLD["net revenue"]}}


def test_the_way_to_draw_is_wrapped_once_and_tells_of_no_figure_but_the_kits(notebook):
    ways = notebook.formatters["image/png"].type_printers
    picture()
    first = ways[Figure]
    picture()
    assert ways[Figure] is first
    figure, ax = plt.subplots()
    ax.plot([1, 2])
    assert notebook.format(figure)[1] == {}


def test_large_pictures_keep_what_the_backend_says_of_their_size(notebook, monkeypatch):
    monkeypatch.setitem(
        notebook.formatters["image/png"].type_printers, Figure, lambda figure: ("png", {"width": 400, "height": 200})
    )
    figure = PICTURES["funnel"](FRAMES["funnel"]).figure
    assert notebook.format(figure)[1]["image/png"] == {"width": 400, "height": 200, "alt": TOLD["funnel"]}


def test_outside_a_notebook_nothing_is_wrapped(monkeypatch):
    monkeypatch.setattr("IPython.get_ipython", lambda: None)
    assert picture().figure.get_gid() == "ecomkit"
