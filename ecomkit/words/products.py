"""Sentences about products: which are seen, bought, sent back, bought together, and which bring customers back."""

from typing import Any

from ecomkit.words.answers import group_name
from ecomkit.words.numbers import count, counted, interval, is_unknown, listed, money, percent

_NOUNS = {"product_id": "product", "sku": "SKU", "category": "category", "brand": "brand"}
_PLURALS = {"category": "categories"}
_MOST_NAMED = 3


def noun_of(by: str, number: float = 1) -> str:
    """Return what a group of products is called: `product`, `SKU`, `category` or `brand`, or several of them."""
    noun = _NOUNS.get(by, "product")
    return noun if number == 1 else _PLURALS.get(noun, f"{noun}s")


def brought_most(path: Any, currency: str, *, by: str) -> str:
    """Name the product with the most revenue: `Garden lantern brought most, EUR 2,971.60 in 34 orders`.

    Parameters
    ----------
    path
        What `metrics.product_path.product_path` returns.
    currency
        The shop's currency.
    by
        What the rows stand for.
    """
    rows = [row for row in _rows(path, "revenue", "name", "orders") if row[2] > 0 and not is_unknown(row[1])]
    if not rows:
        return f"no {noun_of(by)} was ordered"
    revenue, name, orders = max(rows, key=lambda row: row[0])
    return f"{_name(name)} brought most, {money(revenue, currency)} in {counted(orders, 'order')}"


def sent_back_most(path: Any, *, by: str, floor: int) -> str:
    """Name the product of which the largest share of revenue was sent back, among those with enough orders.

    Parameters
    ----------
    path
        What `metrics.product_path.product_path` returns, with the interval of `refund_rate`.
    by
        What the rows stand for.
    floor
        Fewest orders with which a product may be named.
    """
    rows = [
        row
        for row in _rows(path, "refund_rate", "name", "refund_rate_low", "refund_rate_high", "orders")
        if row[4] >= floor and not is_unknown(row[0]) and not is_unknown(row[1])
    ]
    if not rows:
        return f"no {noun_of(by)} has {counted(floor, 'order')} to tell what is sent back"
    rate, name, low, high, _orders = max(rows, key=lambda row: row[0])
    if not rate:
        return f"nothing was sent back of the {noun_of(by, 2)} with at least {counted(floor, 'order')}"
    limits = interval(max(low, 0.0), high, percent)
    return f"of {_name(name)} the largest share was sent back, {percent(rate)} of its revenue ({limits})"


def most_ordered_of_views(rates: Any, *, by: str, floor: int) -> str:
    """Name the product whose views end in its order most often, and say whether one stands out.

    Parameters
    ----------
    rates
        What `metrics.standouts.compare_with_rest` returns for the rates of
        `metrics.product_visits.visit_to_order_rate_by_product`.
    by
        What the rows stand for.
    floor
        Fewest sessions with which a product may be named.
    """
    large = [
        row for row in _rows(rates, "visit_to_order_rate", "name", "sessions", "verdict") if row[2] >= floor and row[1]
    ]
    if not large:
        return f"no {noun_of(by)} was viewed in {counted(floor, 'session')}"
    rate, name, *_ = max(large, key=lambda row: row[0])
    first = f"{_name(name)} is ordered most often once it is viewed, in {percent(rate)} of the sessions"
    return f"{first}; {_stand_out(rates, 'visit_to_order_rate', by=by)}"


def rose_and_fell(ranks: Any, *, by: str, when: str) -> str:
    """Name the products whose revenue moved by more than chance, with their ranks.

    Parameters
    ----------
    ranks
        What `metrics.rank_moves.judge_ranks` returns.
    by
        What the rows stand for.
    when
        What the ranks are compared with.
    """
    if not any(verdict != "cannot tell" for verdict in ranks["verdict"]):
        return f"no {noun_of(by)} sold enough to tell whether it moved"
    columns = ("name", "rank", "rank_before", "revenue", "revenue_before", "verdict")
    moved = [row for row in _rows(ranks, *columns) if row[-1] in ("up", "down")]
    if not moved:
        return f"no {noun_of(by)} rose or fell by more than chance against {when}"
    moved.sort(key=lambda row: -abs(row[3] - row[4]))
    told = [f"{_name(row[0])} {_moved(row)}" for row in moved[:_MOST_NAMED]]
    rest = len(moved) - len(told)
    return f"{listed(told)}{f', and {count(rest)} more moved' if rest else ''}"


def place_in_list(places: Any, comparison: Any) -> str:
    """Say how often the first place of a list is opened, against the last that is shown.

    Parameters
    ----------
    places
        What `metrics.list_positions.list_positions` returns, of the places to compare.
    comparison
        The rate of the first place against that of the last.
    """
    rows = _rows(places, "position", "opened_rate", "listings", "opened_by")
    if not rows:
        return "no list was viewed"
    first, last = rows[0], rows[-1]
    opened = f"Place {count(first[0])} is opened in {percent(first[1])} of {counted(first[2], 'listing')}"
    if len(rows) == 1:
        return opened
    against = f"place {count(last[0])} in {percent(last[1])}"
    verdict = {"up": "more often", "down": "less often"}.get(comparison.verdict, comparison.verdict)
    return f"{opened}, {against}: {verdict}"


def bought_together(pairs: Any, looked_at: Any, *, floor: int) -> str:
    """Name the pairs that are in one order more often than pairs are, and count what is hidden.

    Parameters
    ----------
    pairs
        What `metrics.pair_lifts.judge_pairs` returns.
    looked_at
        The row of `metrics.baskets.pairs_looked_at`.
    floor
        Fewest orders with both for a pair to be shown.
    """
    found = [
        row
        for row in _rows(pairs, "lift", "first_name", "second_name", "orders_with_both", "verdict")
        if row[4] == "up"
    ]
    found.sort(key=lambda row: -row[0])
    hidden = f"{counted(looked_at.pairs_hidden, 'pair')} in fewer than {counted(floor, 'order')} are not shown"
    large = looked_at.orders_too_large
    left_out = f"; {counted(large, 'order')} too large to pair left out" if large else ""
    if not found:
        return f"no pair is bought together more often than pairs are; {hidden}{left_out}"
    told = [f"{_name(a)} with {_name(b)} ({count(both)} orders, lift {lift:.1f})" for lift, a, b, both, _ in found[:2]]
    return f"{listed(told)} {'go' if len(told) > 1 else 'goes'} together most clearly; {hidden}{left_out}"


def gateways(frame: Any, *, by: str, floor: int) -> str:
    """Name the first products whose customers come back more, or less, than others of their channel and month.

    Parameters
    ----------
    frame
        What `metrics.gateway_finds.judge_gateways` returns.
    by
        What the rows stand for.
    floor
        Fewest customers for a verdict.
    """
    if not any(verdict != "cannot tell" for verdict in frame["repeat_verdict"]):
        return f"no first {noun_of(by)} has {counted(floor, 'customer')} to compare yet"
    columns = ("repeat_rate_difference", "name", "repeat_purchase_rate", "expected_repeat_rate", "repeat_verdict")
    rows = _rows(frame, *columns)
    told = []
    for verdict, word in (("up", "more"), ("down", "less")):
        found = sorted((row for row in rows if row[-1] == verdict), key=lambda row: -abs(row[0]))
        told += [
            f"who first bought {_name(name)} came back {word} often, {percent(rate)} against {percent(expected)} "
            "of new customers of the same channel and month"
            for _, name, rate, expected, _ in found[:1]
        ]
    return "; ".join(told) or f"no first {noun_of(by)} goes with coming back by more than chance"


def gaps(frame: Any, *, by: str) -> str:
    """Say of how many orders nobody saw a view, and which product stands out as a tracking gap.

    Parameters
    ----------
    frame
        What `metrics.standouts.compare_with_rest` returns for the rates of
        `metrics.tracking_gaps.sold_without_view`.
    by
        What the rows stand for.
    """
    large = [row for row in _rows(frame, "verdict") if row[0] != "cannot tell"]
    if not large:
        return f"no {noun_of(by)} sold enough to tell a tracking gap"
    columns = ("without_view_rate", "name", "without_view_rate_of_rest", "verdict")
    found = sorted((row for row in _rows(frame, *columns) if row[3] == "up"), key=lambda row: -row[0])
    if not found:
        return f"no {noun_of(by)} stands out as a tracking gap"
    rate, name, rest, _ = found[0]
    more = len(found) - 1
    others = f", and {count(more)} more" if more else ""
    return f"tracking gap: {_name(name)}, {percent(rate)} of its orders against {percent(rest)} of the others{others}"


def _stand_out(frame: Any, rate: str, *, by: str) -> str:
    """Name the groups that lie most clearly above and below all others."""
    rows = _rows(frame, "adjusted_p_value", "name", rate, f"{rate}_of_rest", "verdict")
    told = []
    for verdict, place in (("up", "above"), ("down", "below")):
        found = [row for row in rows if row[-1] == verdict]
        if found:
            _, name, value, rest, _ = min(found, key=lambda row: (row[0], -abs(row[2] - row[3])))
            told.append(f"{_name(name)} stands out {place} the others, {percent(value)} against {percent(rest)}")
    return "; ".join(told) or f"no {noun_of(by)} stands out from the others by more than chance"


def _moved(row: tuple) -> str:
    _name_, rank, before, *_, verdict = row
    if is_unknown(before):
        return f"came in at rank {count(rank)}"
    if is_unknown(rank):
        return f"no longer sells (rank {count(before)} before)"
    if rank == before:
        return f"sold {'more' if verdict == 'up' else 'less'} and kept rank {count(rank)}"
    return f"{'rose' if rank < before else 'fell'} from rank {count(before)} to {count(rank)}"


def _rows(frame: Any, *columns: str) -> list[tuple]:
    return list(zip(*(frame[name] for name in columns), strict=True))


def _name(name: Any) -> str:
    return group_name(name, "product")
