"""The picture of the ladder from gross to net revenue."""

import pandas as pd
from matplotlib.axes import Axes

from ecomkit.plots.colours import BLUE, INK, RED
from ecomkit.plots.dots import dot_axes
from ecomkit.plots.style import number_axis, without_data
from ecomkit.words import decimal, percent

# Rung, label, and whether it is taken off.
_RUNGS = (
    ("gross", "Gross", False),
    ("discount", "Discount", True),
    ("other_reductions", "Other reductions", True),
    ("revenue", "Revenue", False),
    ("refunds", "Refunds booked", True),
    ("net_revenue", "Net revenue", False),
    ("contribution", "Contribution", False),
)


def plot_order_ladder(row: pd.Series | None, *, currency: str, span: str, title: str) -> Axes:
    """Draw the rungs from gross down to net revenue; what is taken off hangs from the rung above.

    Rungs without an amount, such as the contribution without a margin, stay out.
    """
    subtitle = f"Orders not cancelled and refunds booked, {span}. Beside the bar: share of gross."
    told = [] if row is None else [rung for rung in _RUNGS if pd.notna(row[rung[0]])]
    told = [rung for rung in told if rung[0] != "other_reductions" or row[rung[0]]]
    ax = dot_axes(len(told), title=title, subtitle=subtitle)
    if not told or not any(row[name] for name, _label, _taken in told):
        return without_data(ax)
    level, lefts, widths = 0.0, [], []
    for name, _label, is_taken in told:
        amount = float(row[name])
        lefts.append(level - amount if is_taken else 0.0)
        widths.append(amount)
        level = level - amount if is_taken else amount
    places = range(len(told))
    colours = [RED if is_taken else BLUE for _name, _label, is_taken in told]
    ax.barh(places, widths, left=lefts, height=0.62, color=colours)
    gross = float(row["gross"])
    ends = [max(left, left + width, 0.0) for left, width in zip(lefts, widths, strict=True)]
    for place, ((_name, _label, is_taken), width, end) in enumerate(zip(told, widths, ends, strict=True)):
        amount = -width if is_taken else width
        share = f" ({percent(amount / gross)})" if gross and place else ""
        text = f"{decimal(amount, 2)}{share}"
        ax.annotate(text, (end, place), xytext=(6, 0), textcoords="offset points", va="center", color=INK)
    ax.set_yticks(places, labels=[label for _name, label, _taken in told])
    ax.set_ylim(max(len(told), 2) - 0.5, -0.5)
    low = min(0.0, *lefts, *(left + width for left, width in zip(lefts, widths, strict=True)))
    room = max(ends) - low
    ax.set_xlim(low - (0.05 * room if low < 0 else 0), max(ends) + 0.38 * room)
    ax.axvline(0, color=INK, linewidth=1)
    ax.grid(visible=False, axis="y")
    ax.set_ylabel("Rung")
    number_axis(ax.xaxis, "Amount", unit=currency)
    return ax
