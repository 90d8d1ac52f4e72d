"""Pictures of what sales are made of: groups beside the time before, order values, what good customers buy."""

import pandas as pd
from matplotlib.axes import Axes

from ecomkit.plots.colours import BLUE, DARK_GREY, GREY, ORANGE
from ecomkit.plots.dots import dot_axes
from ecomkit.plots.style import legend_above, new_axes, number_axis, percent_axis, without_data
from ecomkit.words import count, money, percent, short

MOST_GROUPS = 12


def plot_sales_by(
    groups: pd.DataFrame, *, by: str, currency: str, span: str, when: str, title: str, unknown: str = "not known"
) -> Axes:
    """Draw the revenue of each group as a bar and of the time before as a line, the largest twelve groups on top.

    `groups` is what `metrics.standouts.compare_groups` returns for `revenue`.
    """
    shown = groups.head(MOST_GROUPS)
    left_out = f" The largest {MOST_GROUPS} of {count(len(groups))}." if len(groups) > len(shown) else ""
    ax = dot_axes(len(shown), title=title, subtitle=f"Revenue before refunds, {span}. Line: {when}.{left_out}")
    if shown.empty or not (shown.revenue.any() or shown.revenue_before.any()):
        return without_data(ax)
    places = range(len(shown))
    bars = ax.barh(places, shown.revenue, height=0.62, color=BLUE, label=span)
    ax.vlines(
        shown.revenue_before, [place - 0.42 for place in places], [place + 0.42 for place in places],
        colors=ORANGE, linewidth=3, label=when[:1].upper() + when[1:],
    )  # fmt: skip
    ends = shown[["revenue", "revenue_before"]].max(axis=1)
    for bar, end, value in zip(bars, ends, shown.revenue, strict=True):
        label = count(value)
        ax.annotate(
            label, (end, bar.get_y() + bar.get_height() / 2), xytext=(6, 0), textcoords="offset points", va="center"
        )
    ax.set_yticks(places, labels=[short(name, 34) if isinstance(name, str) else unknown for name in shown[by]])
    ax.set_ylim(len(shown) - 0.5, -0.5)
    ax.set_xlim(min(0, shown.revenue.min()), ends.max() * 1.15)
    ax.grid(visible=False, axis="y")
    ax.set_ylabel(by.removesuffix("_id").replace("_", " ").capitalize())
    number_axis(ax.xaxis, "Revenue", unit=currency)
    legend_above(ax, columns=2)
    return ax


def plot_order_values(
    steps: pd.DataFrame,
    before: pd.DataFrame,
    *,
    median: float,
    mean: float,
    currency: str,
    span: str,
    when: str,
    title: str,
) -> Axes:
    """Draw the share of orders in each step of value as bars, of the time before as a line, median and mean marked.

    `steps` and `before` are what `metrics.order_sizes.order_value_steps` returns, with one width of step.
    """
    ax = new_axes(title, f"Orders not cancelled, {span}, by revenue before refunds. The last step is open.")
    if steps.empty:
        return without_data(ax)
    starts = sorted({*steps.from_value, *before.from_value})
    width = min((b - a for a, b in zip(starts, starts[1:], strict=False)), default=1.0)
    ax.bar(steps.from_value, steps.order_share, width=width * 0.92, align="edge", color=BLUE, label=span)
    if not before.empty:
        line, label = before.sort_values("from_value"), when[:1].upper() + when[1:]
        ax.step(line.from_value, line.order_share, where="post", color=DARK_GREY, linewidth=2, label=label)
    for value, name, style in ((median, "Median", "-"), (mean, "Mean", "--")):
        if pd.notna(value):
            ax.axvline(value, color=ORANGE, linestyle=style, linewidth=2, label=f"{name} {money(value, currency)}")
    number_axis(ax.xaxis, "Revenue of an order", unit=currency)
    percent_axis(ax.yaxis, "Orders")
    ax.set_xlim(0, max(starts) + width)
    ax.grid(visible=False, axis="x")
    ax.legend(frameon=False)
    return ax


def plot_product_mix(mix: pd.DataFrame, *, by: str, best: str, title: str) -> Axes:
    """Draw the share of their money that high-value customers and all others spend on each group, with intervals.

    `mix` is what `metrics.product_mix.product_mix` returns, with the interval of `revenue_share`.
    """
    top = mix[mix.is_high_value].sort_values("revenue_share", ascending=False, kind="stable").head(MOST_GROUPS)
    names = list(top[by])
    subtitle = f"Line revenue before refunds. High-value: {best}. Line: 95 % interval."
    ax = dot_axes(2 * len(names), title=title, subtitle=subtitle)
    if not names:
        return without_data(ax)
    for is_best, colour, shift, label in ((True, BLUE, -0.16, "High-value"), (False, GREY, 0.16, "All others")):
        rows = mix[mix.is_high_value == is_best].set_index(by).reindex(names)
        places = [place + shift for place in range(len(names))]
        ax.hlines(places, rows.revenue_share_low, rows.revenue_share_high, colors=colour, linewidth=2.5)
        ax.scatter(rows.revenue_share, places, s=70, color=colour, zorder=3, label=label)
        for place, value in zip(places, rows.revenue_share, strict=True):
            ax.annotate(
                percent(value), (value, place), xytext=(0, 8 if is_best else -16), textcoords="offset points",
                ha="center", color=DARK_GREY, size=10,
            )  # fmt: skip
    labels = [short(name, 34) if isinstance(name, str) else "not known" for name in names]
    ax.set_yticks(range(len(names)), labels=labels)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_xlim(left=0)
    ax.grid(visible=False, axis="y")
    ax.set_ylabel(by.removesuffix("_id").replace("_", " ").capitalize())
    percent_axis(ax.xaxis, "Share of the group's spending")
    legend_above(ax, columns=2)
    return ax
