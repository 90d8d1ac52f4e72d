"""Pictures of what visits do on their way: carts left behind, features used, promotions clicked."""

import pandas as pd
from matplotlib.axes import Axes

from ecomkit.plots.colours import BLUE, DARK_GREY, GREY, INK, ORANGE
from ecomkit.plots.dots import dot_axes, large_first, rate_dots, under
from ecomkit.plots.style import new_axes, number_axis, percent_axis, without_data
from ecomkit.words import count, percent, short

_LETTERS = 36
_APART = 0.17


def plot_abandonment(steps: pd.DataFrame, *, span: str, title: str) -> Axes:
    """Draw per step the sessions that reached it, and the part of them that left there without an order."""
    ax = new_axes(title, f"Sessions with a cart by their last step, {span}. Orange: left there without an order.")
    if steps.empty or not steps.sessions.sum():
        return without_data(ax)
    places = range(len(steps))
    ax.barh(places, steps.sessions - steps.sessions_left, color=BLUE, height=0.62)
    ax.barh(places, steps.sessions_left, left=steps.sessions - steps.sessions_left, color=ORANGE, height=0.62)
    for place, (_, row) in zip(places, steps.iterrows(), strict=True):
        ax.annotate(
            _left_label(row), (row.sessions, place), xytext=(6, 0), textcoords="offset points", va="center", color=INK
        )
    labels = [
        f"{step}{'' if seen else ' (never seen)'}" for step, seen in zip(steps.step, steps.sessions_seen, strict=True)
    ]
    ax.set_yticks(places, labels=labels)
    ax.set_ylim(len(steps) - 0.5, -0.5)
    ax.set_xlim(0, steps.sessions.max() * 1.42)
    ax.grid(visible=False)
    ax.set_ylabel("Step from the cart on")
    number_axis(ax.xaxis, "Sessions that reached the step", unit="count")
    return ax


def plot_feature_use(features: pd.DataFrame, *, floor: int, span: str, title: str) -> Axes:
    """Draw per feature the visit-to-order rate of sessions with it and without, each with its interval."""
    used = features[features.sessions > 0].reset_index(drop=True)
    subtitle = f"Share of sessions with an order, {span}, with 95 % intervals. Grey: used by fewer than {floor} people."
    ax = dot_axes(2 * len(used), title=title, subtitle=subtitle)
    if used.empty:
        return without_data(ax)
    is_small = under(floor, used.people)
    rate, rest = "visit_to_order_rate", "without_visit_to_order_rate"
    for name, colour, shift, label in ((rate, BLUE, -_APART, "with"), (rest, ORANGE, _APART, "without")):
        places = [place + shift for place in range(len(used))]
        colours = [GREY if small else colour for small in is_small]
        ax.hlines(places, used[f"{name}_low"], used[f"{name}_high"], colors=colours, linewidth=2.5)
        ax.scatter(used[name], places, s=55, c=colours, zorder=3, label=f"_{label}")
        ax.scatter([], [], s=55, c=colour, label=label)
    labels = [f"{short(row.feature)} ({count(row.sessions)})" for row in used.itertuples()]
    ax.set_yticks(range(len(used)), labels=labels)
    for text, small in zip(ax.get_yticklabels(), is_small, strict=True):
        text.set_color(DARK_GREY if small else INK)
    ax.set_ylim(len(used) - 0.5, -0.5)
    ax.set_xlim(left=0)
    ax.grid(visible=False, axis="y")
    ax.set_ylabel("Feature (sessions with it)")
    ax.legend(title="Sessions", loc="best", frameon=True)
    percent_axis(ax.xaxis, "Visit-to-order rate")
    return ax


def plot_click_rates(shown: pd.DataFrame, *, floor: int, span: str, title: str) -> Axes:
    """Draw the click rate of each promotion with its interval, the highest of the larger ones on top."""
    ranked = large_first(shown, "click_rate", size="people", floor=floor).head(12)
    subtitle = f"Share of sessions that saw it and clicked, {span}. Grey: seen by fewer than {floor} people."
    labels = [f"{short(row.promotion_id, _LETTERS)} ({count(row.sessions)})" for row in ranked.itertuples()]
    return rate_dots(
        ranked,
        "click_rate",
        labels=labels,
        is_small=list(under(floor, ranked.people)),
        rates="Click rate",
        groups="Promotion (sessions that saw it)",
        title=title,
        subtitle=subtitle,
    )


def _left_label(row: pd.Series) -> str:
    if not row.sessions_left:
        return count(row.sessions)
    return f"{count(row.sessions)}: {count(row.sessions_left)} left here,\n{percent(row.abandonment_rate)} of step"
