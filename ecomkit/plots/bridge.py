"""Pictures of why net revenue moved: the bridge, and what each bar is made of."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from ecomkit.plots.colours import BLUE, DARK_GREY, GREEN, GREY, INK, ORANGE, RED, SKY
from ecomkit.plots.dots import dot_axes
from ecomkit.plots.style import new_axes, number_axis, without_data
from ecomkit.words import count, decimal, short

_MOST_PARTS = 12
_HATCH = "////"
_LABELS = {
    "net revenue before": "Before",
    "sessions": "Sessions",
    "visit-to-order rate": "Visit-to-\norder rate",
    "orders per converting session": "Orders per\nconverting\nsession",
    "AOV": "AOV",
    "orders outside sessions": "Orders\noutside\nsessions",
    "refunds": "Refunds",
    "net revenue now": "Now",
}
_PART_COLOURS = {"sessions": SKY, "mix": ORANGE, "rate": BLUE}
_PART_LABELS = {"sessions": "number", "mix": "mix", "rate": "rate"}
_BAR_LABELS = {"orders per converting session": "orders per visit", "visit-to-order rate": "visit-to-order"}


def plot_revenue_bridge(bars: pd.DataFrame, *, currency: str, span: str, title: str) -> Axes:
    """Draw net revenue before, what each bar adds or takes, and net revenue now.

    A bar that is not told from chance is grey and hatched.
    """
    subtitle = f"Net revenue, cash view, {span}. Line: 95 % interval. Grey, hatched: within noise, or too few people."
    ax = new_axes(title, subtitle, height=5.0)
    if bars.empty or not bars.amount.any():
        return without_data(ax)
    is_total = bars.verdict.isna()
    ends = bars.amount.where(is_total, bars.amount.cumsum())
    starts = (ends - bars.amount).where(~is_total, 0.0)
    is_sure = is_total | bars.verdict.isin(["up", "down"])
    colours = [
        INK if total else GREY if not sure else GREEN if amount > 0 else RED
        for total, sure, amount in zip(is_total, is_sure, bars.amount, strict=True)
    ]
    drawn = ax.bar(range(len(bars)), bars.amount, bottom=starts, width=0.62, color=colours)
    for patch, sure in zip(drawn, is_sure, strict=True):
        if not sure:
            patch.set(hatch=_HATCH, edgecolor="white", linewidth=0)
    places = pd.Series(range(len(bars)), dtype=float)
    # From the end of each bar, which is known but for chance in what it adds.
    lows, highs = starts + bars.amount_low, starts + bars.amount_high
    has_interval = ~is_total & (bars.amount_high > bars.amount_low)
    ax.vlines(places[has_interval], lows[has_interval], highs[has_interval], colors=DARK_GREY, linewidth=1.5)
    for place, end in enumerate(ends[:-1]):
        ax.plot([place, place + 1], [end, end], color=GREY, linewidth=1, zorder=0)
    tops = pd.concat([starts, ends, highs.where(has_interval)], axis=1).max(axis=1)
    for place, (amount, total, top) in enumerate(zip(bars.amount, is_total, tops, strict=True)):
        ax.annotate(
            _signed(amount, total),
            (place, top),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            color=INK,
        )
    ax.axhline(0, color=INK, linewidth=1)
    bottoms = pd.concat([starts, ends, lows.where(has_interval), pd.Series([0.0])]).min()
    room = (max(tops.max(), 0.0) - bottoms) * 0.12
    ax.set_ylim(bottoms - (room if bottoms < 0 else 0), max(tops.max(), 0.0) + room)
    ax.set_xticks(range(len(bars)), labels=[_LABELS[bar] for bar in bars.bar], fontsize=10)
    ax.set_xlim(-0.6, len(bars) - 0.4)
    ax.grid(visible=False, axis="x")
    ax.set_xlabel("What moved it, in the order of a visit")
    number_axis(ax.yaxis, "Net revenue", unit=currency)
    return ax


def plot_bridge_parts(parts: pd.DataFrame, *, currency: str, span: str, title: str) -> Axes:
    """Draw the largest parts of the bars: more or fewer sessions, mix or rate of a segment, the largest on top.

    A part that is not told from chance is hatched and pale.
    """
    known = parts[parts.amount != 0]
    shown = known.reindex(known.amount.abs().sort_values(ascending=False, kind="stable").index).head(_MOST_PARTS)
    subtitle = f"{count(len(shown))} largest of {count(len(parts))} parts, {span}. Line: 95 % interval. "
    subtitle += "Pale, hatched: within noise, or too few people."
    ax = dot_axes(len(shown) + 2, title=title, subtitle=subtitle)
    if shown.empty:
        return without_data(ax)
    is_sure = shown.verdict.isin(["up", "down"])
    drawn = ax.barh(range(len(shown)), shown.amount, height=0.62, color=[_PART_COLOURS[part] for part in shown.part])
    for patch, sure in zip(drawn, is_sure, strict=True):
        if not sure:
            patch.set(hatch=_HATCH, edgecolor="white", linewidth=0, alpha=0.45)
    ax.hlines(range(len(shown)), shown.amount_low, shown.amount_high, colors=DARK_GREY, linewidth=1.5)
    labels = [
        f"{_BAR_LABELS.get(bar, bar)}, {'not known' if pd.isna(segment) else short(segment, 22)}"
        for bar, segment in zip(shown.bar, shown.segment, strict=True)
    ]
    ax.set_yticks(range(len(shown)), labels=labels)
    ax.set_ylim(max(len(shown), 2) - 0.5, -0.5)
    ax.axvline(0, color=INK, linewidth=1)
    ax.grid(visible=False, axis="y")
    ax.set_ylabel("Bar of the bridge, segment")
    number_axis(ax.xaxis, "Added to net revenue", unit=currency)
    kinds = [part for part in _PART_COLOURS if (shown.part == part).any()]
    if len(kinds) > 1:
        handles = [Patch(color=_PART_COLOURS[part], label=_PART_LABELS[part]) for part in kinds]
        ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0, ncols=3, frameon=False)
    return ax


def _signed(amount: float, is_total: bool) -> str:
    if not amount and not is_total:
        return "0"
    return f"{'+' if amount > 0 and not is_total else ''}{decimal(amount, 2)}"
