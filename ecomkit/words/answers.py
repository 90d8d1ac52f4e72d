"""The sentences that notebooks print, computed from frames and comparisons."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

from ecomkit.words.dates import day, month
from ecomkit.words.markup import short
from ecomkit.words.numbers import count, counted, interval, is_unknown, listed, money, multiple, percent

_TABLES = {"ad_spend": "ad spend", "order_lines": "order lines", "product_events": "product events"}


def what_is_in(contents: Mapping[str, Any], needs: Sequence[str] = ("orders",)) -> str:
    """Say which rows a notebook stands on, what was set aside, and what it lacks.

    Parameters
    ----------
    contents
        What `Shop.contents` returns.
    needs
        Tables without which a part of the notebook stays empty.
    """
    untold = [_TABLES.get(name, name) for name in contents.get("cannot_tell", ()) if name in needs]
    lacks = [_TABLES.get(name, name) for name in needs if not contents.get(name)]
    lacks = [name for name in lacks if name not in untold]
    sentences = [contents.get("filters", "")]
    if contents.get("orders"):
        guests = contents.get("guest_orders") or 0
        guest_share = percent(guests / contents["orders"])
        of_guests = f", {counted(guests, 'order')} of guests among them ({guest_share})" if guests else ""
        customers = counted(contents.get("customers"), "customer")
        sentences.append(
            f"**{counted(contents['orders'], 'order')}** by {customers}{of_guests}, "
            f"and {counted(contents.get('sessions'), 'session')}, "
            f"from {day(contents.get('first_day'))} to {day(contents.get('last_day'))}."
        )
        sentences.append(
            f"The period itself holds {counted(contents.get('orders_in_period'), 'order')} "
            f"and {counted(contents.get('sessions_in_period'), 'session')}."
        )
    sentences.append(_set_aside(contents.get("set_aside") or ()))
    if untold:
        sentences.append(f"The filter cannot be told of {listed(untold)}, so what needs them stays empty.")
    if lacks:
        them = "it" if lacks == ["ad spend"] else "them"
        sentences.append(
            f"This shop has {listed([f'no {table}' for table in lacks])}, so what needs {them} stays empty."
        )
    return " ".join(sentence for sentence in sentences if sentence)


def against(comparison: Any, form: Callable[..., str], *more: Any, when: str = "the week before") -> str:
    """Say whether a number moved: `up from EUR 900.00 the week before`, and whether a break in tracking lies between.

    Parameters
    ----------
    comparison
        What `metrics.comparisons.compare_rates` and its like return.
    form
        Writes the number before, as `form(number, *more)`.
    when
        What the number is compared with.
    """
    before = form(comparison.before, *more)
    if is_unknown(comparison.before):
        return "with nothing before to compare with"
    broken = ", across a break in tracking" if getattr(comparison, "across", ()) else ""
    if comparison.verdict == "within noise":
        return f"within noise of {before} {when}{broken}"
    if comparison.verdict == "cannot tell":
        return f"too little to compare with {before} {when}{broken}"
    return f"{comparison.verdict} from {before} {when}{broken}"


def best_of(frame: Any, rate: str, *, label: str, floor: int, size: str, form: Callable[[float], str] = percent) -> str:
    """Name the group with the highest `rate` among those large enough to trust.

    Parameters
    ----------
    frame
        One row per group.
    rate
        The column to rank by; groups where it is unknown are left out.
    label
        The column that names the group; also gives the noun: `channel`, `cohort_month`.
    floor
        Fewest `size` with which a group may be named.
    size
        The column with the denominator: `sessions`, `customers`.
    form
        Writes the rate.
    """
    noun = label.removeprefix("cohort_").removesuffix("_name").replace("_", " ")
    floor_words = f"{count(floor)} {size.replace('_', ' ')}"
    rows = [
        (float(value), name)
        for value, name, members in zip(frame[rate], frame[label], frame[size], strict=True)
        if not is_unknown(value) and not is_unknown(members) and members >= floor
    ]
    if not rows:
        return f"no {noun} has {floor_words} yet"
    value, name = max(rows, key=lambda row: row[0])
    who = group_name(name, noun)
    if len(rows) == 1:
        return f"{who} is the only {noun} with at least {floor_words}, at {form(value)}"
    return f"{who} is the best {noun}, at {form(value)}"


def stands_out(
    frame: Any, rate: str, *, label: str, direction: str = "down", form: Callable[[float], str] = percent
) -> str:
    """Name the group that differs most clearly from the others, if one does by more than chance.

    Parameters
    ----------
    frame
        What `metrics.standouts.compare_with_rest` returns.
    rate
        The rate that was compared.
    label
        The column that names the group; also gives the noun.
    direction
        `down` for a group below the others, `up` for one above.
    form
        Writes the rate.
    """
    noun = label.removeprefix("cohort_").removesuffix("_name").replace("_", " ")
    place = "below" if direction == "down" else "above"
    if not any(verdict != "cannot tell" for verdict in frame["verdict"]):
        return f"no {noun} is large enough to compare with the others"
    columns = ("adjusted_p_value", rate, f"{rate}_of_rest", label, "verdict")
    found = [row for row in zip(*(frame[name] for name in columns), strict=True) if row[-1] == direction]
    if not found:
        return f"no {noun} stands out {place} the others by more than chance"
    _, value, rest, name, _ = min(found, key=lambda row: (row[0], abs(row[1] - row[2])))
    return f"{group_name(name, noun)} stands out {place} the others, at {form(value)} against {form(rest)}"


def where_it_stops(steps: Any) -> str:
    """Name the step of a funnel before which the largest share of people stops.

    Parameters
    ----------
    steps
        What `metrics.funnel.funnel` returns, in order.
    """
    rows = list(zip(steps["step"], steps["step_rate"], strict=True))
    found = [(float(rate), last, name) for (last, _), (name, rate) in pairwise(rows) if not is_unknown(rate)]
    if not found:
        return "nobody has walked far enough to say where people stop"
    rate, last, name = min(found, key=lambda one: one[0])
    return f"most stop between {short(last)} and {short(name)}, which {percent(rate)} reach"


def costs_of(costs: Any, currency: str, *, floor: int) -> str:
    """Say what a new customer costs on each channel with spend, the dearest first.

    Parameters
    ----------
    costs
        What `metrics.acquisition.cac` returns, with the interval of `cac`.
    currency
        The shop's currency.
    floor
        Fewest new customers with which a cost is said.
    """
    names = ("channel", "spend", "new_customers", "cac", "cac_low", "cac_high")
    rows = [row for row in zip(*(costs[name] for name in names), strict=True) if not is_unknown(row[1]) and row[1] > 0]

    def told(channel: str, spend: float, customers: int, cac: float, low: float, high: float) -> str:
        if is_unknown(customers):
            return f"{short(channel)} spent {money(spend, currency)} on customers who may be new"
        if not customers:
            return f"{short(channel)} spent {money(spend, currency)} and won nobody"
        return f"{short(channel)} {money(cac, currency)} ({interval(low, high, money, currency)})"

    is_large = [not is_unknown(row[2]) and row[2] >= floor for row in rows]
    large = [row for row, is_one in zip(rows, is_large, strict=True) if is_one]
    parts = [told(*row) for row in sorted(large, key=lambda row: -row[3])]
    few = [told(*row) for row, is_one in zip(rows, is_large, strict=True) if not is_one]
    if few:
        parts.append(f"on fewer than {counted(floor, 'new customer')}, so not ranked: {', '.join(few)}")
    return "; ".join(parts) or "no channel has spend in this period"


def who_pays_back(values: Any, *, floor: int) -> str:
    """Say of each channel with spend whether its new customers bring more than they cost.

    The whole interval must lie on one side of 1 to say so; channels with fewer
    than `floor` customers are not judged.

    Parameters
    ----------
    values
        What `models.payback.lifetime_value_to_cac` returns.
    floor
        Fewest customers with which a channel may be judged.
    """
    names = ("channel", "spend", "customers", "ltv_to_cac", "ltv_to_cac_low", "ltv_to_cac_high")
    sentences = []
    for channel, spend, customers, value, low, high in zip(*(values[name] for name in names), strict=True):
        if is_unknown(spend) or not spend > 0:
            continue
        bounds = f"{multiple(value)} ({interval(low, high, multiple)})"
        if customers < floor or is_unknown(value):
            sentences.append(f"{short(channel)} has too few new customers to judge")
        elif low > 1:
            sentences.append(f"{short(channel)} pays back, at {bounds}")
        elif high < 1:
            sentences.append(f"{short(channel)} does not pay back, at {bounds}")
        else:
            sentences.append(f"{short(channel)} may pay back or not, at {bounds}")
    return "; ".join(sentences) or "no channel has spend in this period"


def group_name(name: Any, noun: str) -> str:
    """Return the name of a group for a sentence; a date as the week, month or day that it stands for."""
    if isinstance(name, date) and not is_unknown(name):
        return month(name) if noun == "month" else f"The week of {day(name)}" if noun == "week" else day(name)
    # Two stars in a name would open bold text in the sentence around it.
    return short(name).replace("**", "* *")


def _set_aside(reasons: Iterable[tuple]) -> str:
    """Name the three largest reasons why rows are not in the numbers."""
    gone = [reason for reason in reasons if reason[0] in ("duplicate", "excluded", "quarantined")]
    largest = sorted(gone, key=lambda reason: (-reason[2], str(reason[1])))
    if not largest:
        return "No row was set aside."
    named = [f"{count(rows)} {outcome} ({short(reason)})" for outcome, reason, rows, *_ in largest[:3]]
    rest = sum(reason[2] for reason in largest[3:])
    total = sum(reason[2] for reason in largest)
    more = f", and {count(rest)} for other reasons" if rest else ""
    return f"{counted(total, 'row')} set aside: {', '.join(named)}{more}."
