"""Sentences about products: which are seen, bought and sent back, rise and fall, and sell unseen."""

from typing import Any

from ecomkit.words.answers import against, group_name
from ecomkit.words.numbers import count, counted, interval, is_unknown, listed, money, percent

_NOUNS = {"product_id": "product", "sku": "SKU", "category": "category", "brand": "brand"}
_PLURALS = {"category": "categories"}
_MOST_NAMED, _VIEWED_MOST = 3, 12


def noun_of(by: str, number: float = 1) -> str:
    """Return what a group of products is called: `product`, `SKU`, `category` or `brand`, or several of them."""
    noun = _NOUNS.get(by, "product")
    return noun if number == 1 else _PLURALS.get(noun, f"{noun}s")


def looks_that_end(comparison: Any, label: str, *, when: str = "the week before") -> str:
    """Say how many looks of a person at a product ended in its order: `19.9 % of looks ..., up from 15.0 %`.

    Parameters
    ----------
    comparison
        The `view_to_order_rate` over all products, compared with the one before.
    label
        The span that it is of.
    when
        What it is compared with.
    """
    if is_unknown(comparison.value):
        return f"nobody is known to have viewed a product in {label}"
    rate = percent(comparison.value)
    return f"{rate} of looks at a product in {label} ended in its order, {against(comparison, percent, when=when)}"


def brought_most(path: Any, currency: str, *, by: str) -> str:
    """Name the product with the most revenue: `Garden lantern brought most, EUR 2,971.60 in 34 orders`.

    Parameters
    ----------
    path
        What `metrics.products.product_path` returns.
    currency
        The shop's currency.
    by
        What the rows stand for.
    """
    rows = [row for row in rows_of(path, "revenue", "name", "orders") if row[2] > 0 and not is_unknown(row[1])]
    if not rows:
        return f"no {noun_of(by)} was ordered"
    revenue, name, orders = max(rows, key=lambda row: row[0])
    return f"{name_of(name)} brought most, {money(revenue, currency)} in {counted(orders, 'order')}"


def sent_back_most(path: Any, *, by: str, floor: int) -> str:
    """Name the product of which the largest share of revenue was sent back, among those with enough orders.

    Parameters
    ----------
    path
        What `metrics.products.product_path` returns, with the interval of `refund_rate`.
    by
        What the rows stand for.
    floor
        Fewest orders with which a product may be named.
    """
    rows = [
        row
        for row in rows_of(path, "refund_rate", "name", "refund_rate_low", "refund_rate_high", "orders")
        if row[4] >= floor and not is_unknown(row[0]) and not is_unknown(row[1])
    ]
    if not rows:
        return f"no {noun_of(by)} has {counted(floor, 'order')} to tell what is sent back"
    rate, name, low, high, _orders = max(rows, key=lambda row: row[0])
    if not rate:
        return f"nothing was sent back of the {noun_of(by, 2)} with at least {counted(floor, 'order')}"
    limits = interval(max(low, 0.0), high, percent)
    return f"of {name_of(name)} the largest share was sent back, {percent(rate)} of its revenue ({limits})"


def most_ordered_of_views(rates: Any, *, by: str, floor: int) -> str:
    """Name the product, among the twelve viewed most, whose views end in its order most often.

    Parameters
    ----------
    rates
        What `metrics.products.visit_to_order_rate_by_product` returns.
    by
        What the rows stand for.
    floor
        Fewest sessions with which a product may be named.
    """
    viewed_most = rows_of(rates, "visit_to_order_rate", "name", "sessions")[:_VIEWED_MOST]
    large = [row for row in viewed_most if row[2] >= floor]
    if not large:
        return f"no {noun_of(by)} was viewed in {counted(floor, 'session')}"
    rate, name, _sessions = max(large, key=lambda row: row[0])
    among = f"of the {noun_of(by, 2)} viewed most, " if len(rates) > _VIEWED_MOST else ""
    return f"{among}{name_of(name)} is ordered most often once it is viewed, in {percent(rate)} of the sessions"


def apart_from_others(frame: Any, rate: str, *, by: str) -> str:
    """Name the products that lie most clearly above and below all others, if any does by more than chance.

    Parameters
    ----------
    frame
        What `metrics.standouts.compare_with_rest` returns.
    rate
        The rate that was compared.
    by
        What the rows stand for.
    """
    rows = rows_of(frame, "adjusted_p_value", "name", rate, f"{rate}_of_rest", "verdict")
    if all(row[-1] == "cannot tell" for row in rows):
        return f"no {noun_of(by)} is large enough to compare with the others"
    told = []
    for verdict, place in (("up", "above"), ("down", "below")):
        found = [row for row in rows if row[-1] == verdict]
        if found:
            _, name, value, rest, _ = min(found, key=lambda row: (row[0], -abs(row[2] - row[3])))
            told.append(f"{name_of(name)} stands out {place} the others, {percent(value)} against {percent(rest)}")
    return "; ".join(told) or f"no {noun_of(by)} stands out from the others by more than chance"


def rose_and_fell(ranks: Any, *, by: str, when: str) -> str:
    """Name the products whose revenue moved by more than chance, with their ranks.

    Parameters
    ----------
    ranks
        What `metrics.products.judge_ranks` returns.
    by
        What the rows stand for.
    when
        What the ranks are compared with.
    """
    if not any(verdict != "cannot tell" for verdict in ranks["verdict"]):
        return f"no {noun_of(by)} sold enough to tell whether it moved"
    columns = ("name", "rank", "rank_before", "revenue", "revenue_before", "verdict")
    moved = [row for row in rows_of(ranks, *columns) if row[-1] in ("up", "down")]
    if not moved:
        return f"no {noun_of(by)} rose or fell by more than chance against {when}"
    moved.sort(key=lambda row: -abs(row[3] - row[4]))
    told = [f"{name_of(row[0])} {_moved(row)}" for row in moved[:_MOST_NAMED]]
    rest = len(moved) - len(told)
    return f"{listed(told)}{f', and {count(rest)} more moved' if rest else ''}"


def place_in_list(places: Any, comparison: Any) -> str:
    """Say how often the first place of a list is opened, against the last that is shown.

    Parameters
    ----------
    places
        What `metrics.products.list_positions` returns, of the places to compare.
    comparison
        The rate of the first place against that of the last.
    """
    rows = rows_of(places, "position", "opened_rate", "listings", "opened_by")
    if not rows:
        return "no list was viewed that tells the places of its products"
    first, last = rows[0], rows[-1]
    opened = f"place {count(first[0])} is opened in {percent(first[1])} of {counted(first[2], 'listing')}"
    if len(rows) == 1:
        return opened
    other = f"place {count(last[0])} in {percent(last[1])}"
    verdict = {"up": "more often", "down": "less often"}.get(comparison.verdict, comparison.verdict)
    return f"{opened}, {other}: {verdict}"


def gaps(frame: Any, *, by: str) -> str:
    """Name the product that sells without being viewed far more often than the others: a possible tracking gap.

    Parameters
    ----------
    frame
        What `metrics.standouts.compare_with_rest` returns of
        `metrics.products.sold_without_view`.
    by
        What the rows stand for.
    """
    large = [row for row in rows_of(frame, "verdict") if row[0] != "cannot tell"]
    if not large:
        return f"no {noun_of(by)} sold enough to tell a tracking gap"
    columns = ("without_view_rate", "name", "without_view_rate_of_rest", "verdict")
    found = sorted((row for row in rows_of(frame, *columns) if row[3] == "up"), key=lambda row: -row[0])
    if not found:
        return f"no {noun_of(by)} stands out as a tracking gap"
    rate, name, rest, _ = found[0]
    more = len(found) - 1
    others = f", and {count(more)} more" if more else ""
    told = f"{percent(rate)} of its orders against {percent(rest)} of the others"
    return f"a possible tracking gap: {name_of(name)}, {told}{others}"


def what_amplitude_shows(figures: Any, currency: str) -> str:
    """Say how many purchases and how much revenue Amplitude is expected to show, under either setting.

    Parameters
    ----------
    figures
        What `metrics.products.amplitude_reconciliation` returns.
    currency
        The shop's currency.
    """
    events = dict(rows_of(figures, "figure", "events"))
    amounts = dict(rows_of(figures, "figure", "amount"))
    names = ("revenue_by_default", "revenue_per_product", "revenue_of_the_kit")
    default, per_product, own = (money(amounts[name], currency) for name in names)
    orders = counted(events["order_completed_events"], "order")
    purchased = f"{count(events['product_purchased_events'])} Product Purchased of {orders}"
    return f"{purchased}, worth {default} by default and {per_product} per product, where the kit counts {own}"


def _moved(row: tuple) -> str:
    _name_, rank, before, *_, verdict = row
    if is_unknown(before):
        return f"came in at rank {count(rank)}"
    if is_unknown(rank):
        return f"no longer sells (rank {count(before)} before)"
    if rank == before:
        return f"sold {'more' if verdict == 'up' else 'less'} and kept rank {count(rank)}"
    return f"{'rose' if rank < before else 'fell'} from rank {count(before)} to {count(rank)}"


def rows_of(frame: Any, *columns: str) -> list[tuple]:
    """Return the values of some columns, row by row."""
    return list(zip(*(frame[name] for name in columns), strict=True))


def name_of(name: Any) -> str:
    """Return the name of a product for a sentence."""
    return group_name(name, "product")
