"""Pictures of products: from view to order, risen and fallen, and where in a list they stand."""

import pandas as pd
from matplotlib.axes import Axes

from ecomkit.plots.colours import BLUE, DARK_GREY, GREEN, GREY, ORANGE, RED, SKY
from ecomkit.plots.dots import dot_axes, draw_dots, large_first, rate_dots
from ecomkit.plots.style import legend_above, new_axes, number_axis, percent_axis, without_data
from ecomkit.words import count, percent, short

MOST_PRODUCTS = 12
_MOST_OTHERS = 6
_LONGEST = 34
_STEPS = {"people_viewed": ("Viewed", SKY), "people_added": ("Added", BLUE), "people_ordered": ("Ordered", ORANGE)}
_MOVES = {"up": GREEN, "down": RED}


def plot_product_path(path: pd.DataFrame, *, noun: str, span: str, title: str) -> Axes:
    """Draw the people who viewed each product, added and ordered it, the twelve with the most revenue on top.

    Where nobody is known to have viewed anything, the orders of each product are drawn.
    """
    if not (path.people_viewed > 0).any():
        return _plot_orders(path[path.orders > 0].head(MOST_PRODUCTS), noun=noun, span=span, title=title)
    shown = path[path.people_viewed > 0].head(MOST_PRODUCTS)
    subtitle = f"People who viewed, then added, then ordered, {span}. Most revenue on top. Beside: ordered / viewed."
    ax = dot_axes(len(shown), title=title, subtitle=subtitle)
    places = range(len(shown))
    ax.hlines(places, shown.people_ordered, shown.people_viewed, colors=GREY, linewidth=2)
    for name, (label, colour) in _STEPS.items():
        ax.scatter(shown[name], places, s=70, c=colour, zorder=3, label=label)
    for place, (_, row) in enumerate(shown.iterrows()):
        ax.annotate(
            percent(row.view_to_order_rate),
            (row.people_viewed, place),
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
        )
    _name_rows(ax, [_label(name) for name in shown.name], _capital(noun))
    ax.set_xlim(0, shown.people_viewed.max() * 1.15)
    number_axis(ax.xaxis, "People", unit="count")
    legend_above(ax, columns=3)
    return ax


def plot_product_visits(rates: pd.DataFrame, *, noun: str, floor: int, span: str, title: str) -> Axes:
    """Draw the share of the sessions with a view of each product that ordered it, of the twelve viewed most."""
    shown = large_first(_first_and_found(rates, "verdict"), "visit_to_order_rate", size="sessions", floor=floor)
    subtitle = f"Sessions, {span}. Line: 95 % interval. Grey: under {floor} sessions."
    labels = [f"{_label(row['name'])} ({count(row.sessions)})" for _, row in shown.iterrows()]
    return rate_dots(
        shown,
        "visit_to_order_rate",
        labels=labels,
        is_small=shown.sessions < floor,
        rates="Sessions with a view that ordered it",
        groups=f"{_capital(noun)} (sessions with a view)",
        title=title,
        subtitle=subtitle,
    )


def plot_product_ranks(ranks: pd.DataFrame, *, noun: str, span: str, when: str, title: str) -> Axes:
    """Draw the rank of each product before and now, the twelve first of now, those that moved by chance grey."""
    shown = ranks[ranks["rank"].notna()].head(MOST_PRODUCTS)
    subtitle = f"Rank by revenue, {when} and {span}, in order. Colour: revenue moved by more than chance."
    ax = new_axes(title, subtitle, height=max(4.2, 1.9 + 0.32 * len(shown)))
    if shown.empty:
        return without_data(ax)
    # By order and not to scale: who comes from rank 400 would press all others into one line.
    places_before = shown.rank_before.astype("Float64").rank(method="first", na_option="bottom")
    for place, ((_, row), before) in enumerate(zip(shown.iterrows(), places_before, strict=True), start=1):
        colour = _MOVES.get(row.verdict, GREY)
        ax.plot([0, 1], [before, place], color=colour, linewidth=2.5, marker="o", markersize=8)
        words = "not sold" if pd.isna(row.rank_before) else count(row.rank_before)
        ax.annotate(words, (0, before), xytext=(-10, 0), textcoords="offset points", ha="right", va="center")
        label = f"{count(row['rank'])}  {_label(row['name'])}"
        ax.annotate(label, (1, place), xytext=(10, 0), textcoords="offset points", va="center", color=_ink(colour))
    ax.set_xticks([0, 1], labels=[when.capitalize(), span])
    ax.set_xlim(-0.35, 2.6)
    ax.set_ylim(len(shown) + 0.7, 0.3)
    ax.set_yticks([])
    ax.set_ylabel(f"Rank of the {noun} (1 brought most)")
    ax.set_xlabel("Period")
    ax.grid(visible=False)
    return ax


def plot_list_positions(places: pd.DataFrame, *, floor: int, span: str, title: str) -> Axes:
    """Draw the share of listings that were opened at each place of a list, of places with enough listings."""
    shown = places[places.listings >= floor]
    by = "clicked" if (shown.opened_by == "Product Clicked").any() else "viewed next"
    ax = new_axes(title, f"Listings in Product List Viewed that were {by}, {span}. Band: 95 % interval.")
    if shown.empty:
        return without_data(ax)
    position = shown.position.astype(float)
    ax.fill_between(position, shown.opened_rate_low, shown.opened_rate_high, color=SKY, alpha=0.35, linewidth=0)
    ax.plot(position, shown.opened_rate, color=BLUE, marker="o", linewidth=2)
    ax.set_ylim(bottom=0)
    ax.set_xlim(position.min() - 0.5, position.max() + 0.5)
    number_axis(ax.xaxis, "Place in the list", unit="1 is the first")
    ax.set_xticks([place for place in ax.get_xticks() if place == int(place) and place in set(position)])
    ax.grid(visible=False, axis="x")
    percent_axis(ax.yaxis, "Listings opened")
    return ax


def plot_sold_without_view(gaps: pd.DataFrame, *, noun: str, floor: int, span: str, title: str) -> Axes:
    """Draw the share of each product's orders without a view before, of the first twelve."""
    shown = large_first(_first_and_found(gaps, "verdict"), "without_view_rate", size="orders", floor=floor)
    subtitle = f"Orders of known people in a session, {span}. Line: 95 % interval. Grey: under {floor} orders."
    labels = [f"{_label(row['name'])} ({count(row.orders)})" for _, row in shown.iterrows()]
    return rate_dots(
        shown,
        "without_view_rate",
        labels=labels,
        is_small=shown.orders < floor,
        rates="Orders without a view before",
        groups=f"{_capital(noun)} (orders)",
        title=title,
        subtitle=subtitle,
    )


def plot_product_pairs(pairs: pd.DataFrame, *, floor: int, span: str, title: str) -> Axes:
    """Draw the lift of the twelve pairs that lie furthest above the lift of all pairs, those within noise grey.

    Rare pairs have wild lifts, so the lower limit says which lie furthest.
    """
    is_found = pairs.verdict == "up"
    shown = pd.concat(
        [part.sort_values("lift_low", ascending=False, kind="stable") for part in (pairs[is_found], pairs[~is_found])]
    )
    shown = shown.head(MOST_PRODUCTS).reset_index(drop=True)
    subtitle = (
        f"Pairs in at least {floor} orders, {span}. Line: 95 % interval. Dashed: all pairs together. Grey: not above "
        "them by more than chance."
    )
    ax = dot_axes(len(shown), title=title, subtitle=subtitle)
    labels = [
        f"{_label(row.first_name, 24)} + {_label(row.second_name, 24)} ({count(row.orders_with_both)})"
        for _, row in shown.iterrows()
    ]
    draw_dots(ax, shown, "lift", labels=labels, is_small=shown.verdict != "up")
    if not shown.empty:
        ax.axvline(shown.lift_of_all_pairs[0], color=DARK_GREY, linestyle="--", linewidth=1.5)
        number_axis(ax.xaxis, "Lift", unit="times what chance gives")
        ax.set_xlim(left=0)
        ax.set_ylabel("Pair (orders with both)")
    return ax


def plot_gateways(gateways: pd.DataFrame, *, noun: str, floor: int, within_days: int, title: str) -> Axes:
    """Draw how much more often the customers of each first product came back, of the twelve with the most."""
    known = _first_and_found(gateways[gateways.repeat_rate_difference.notna()], "repeat_verdict")
    shown = large_first(known, "repeat_rate_difference", size="customers_compared", floor=floor)
    subtitle = (
        f"Customers by what their first order held, {within_days} days from it, against others of the same channel and "
        f"month. Line: 95 % interval. Grey: under {floor}."
    )
    ax = dot_axes(len(shown), title=title, subtitle=subtitle)
    labels = [f"{_label(row['name'])} ({count(row.customers)})" for _, row in shown.iterrows()]
    draw_dots(ax, shown, "repeat_rate_difference", labels=labels, is_small=shown.customers_compared < floor)
    if not shown.empty:
        ax.axvline(0, color=DARK_GREY, linestyle="--", linewidth=1.5)
        percent_axis(ax.xaxis, "Repeat purchase rate above others, in points")
        ax.set_ylabel(f"First {noun} (customers)")
    return ax


def _plot_orders(shown: pd.DataFrame, *, noun: str, span: str, title: str) -> Axes:
    ax = dot_axes(len(shown), title=title, subtitle=f"Orders, {span}. Most revenue on top. No views are tracked.")
    if shown.empty:
        return without_data(ax)
    bars = ax.barh(range(len(shown)), shown.orders, height=0.6, color=ORANGE)
    ax.bar_label(bars, [count(orders) for orders in shown.orders], padding=5)
    _name_rows(ax, [_label(name) for name in shown.name], _capital(noun))
    ax.set_xlim(0, shown.orders.max() * 1.15)
    number_axis(ax.xaxis, "Orders with it", unit="count")
    return ax


def _first_and_found(frame: pd.DataFrame, verdict: str) -> pd.DataFrame:
    """Return the rows to draw: the first twelve, and a few of the others that differ by more than chance."""
    others = frame[MOST_PRODUCTS:]
    return pd.concat([frame[:MOST_PRODUCTS], others[others[verdict].isin(["up", "down"])][:_MOST_OTHERS]])


def _name_rows(ax: Axes, labels: list[str], label: str) -> None:
    ax.set_yticks(range(len(labels)), labels=labels)
    ax.set_ylim(max(len(labels), 2) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")
    ax.set_ylabel(label)


def _label(name: object, longest: int = _LONGEST) -> str:
    return short(name, longest) if isinstance(name, str) else "not named"


def _capital(noun: str) -> str:
    return noun[:1].upper() + noun[1:]


def _ink(colour: str) -> str:
    return DARK_GREY if colour == GREY else colour
