"""Sentences on funnels: how long a step takes, what is lost there, what another definition would say."""

from typing import Any

from ecomkit.words.markup import short
from ecomkit.words.numbers import UNKNOWN, count, counted, decimal, is_unknown, money, percent

_UNITS = (("days", 86_400), ("hours", 3_600), ("minutes", 60), ("seconds", 1))
_RULES = {"order": "the order of the steps", "entry": "what a start is", "unit": "who is counted"}


def duration(seconds: float | None) -> str:
    """Return a length of time in the largest unit that it fills: `1.9 minutes`, `3.0 days`."""
    if is_unknown(seconds):
        return UNKNOWN
    size = abs(float(seconds))
    name, length = next((unit for unit in _UNITS if size >= unit[1]), _UNITS[-1])
    return f"{decimal(float(seconds) / length)} {name}"


def how_long(times: Any, *, floor: int) -> str:
    """Say how long those who reached the last step took, and which step took the longest.

    Parameters
    ----------
    times
        What `metrics.funnel_times.funnel_times` returns, in order.
    floor
        Fewest people or sessions with whom a step is named.
    """
    counted_as = "people" if "people" in times else "sessions"
    names = ("step", counted_as, "median_seconds", "upper_quartile_seconds", "median_seconds_between")
    rows = list(zip(*(times[name] for name in names), strict=True))
    step, reached, median, upper, _between = rows[-1]
    if not reached or is_unknown(median):
        return f"nobody has reached {short(step)}"
    told = f"half of those who reached {short(step)} took at most {duration(median)} from the first step"
    told += f", and a quarter more than {duration(upper)}"
    slow = [(between, name) for name, there, _median, _upper, between in rows if there >= floor]
    if len(slow) < 2:
        return told
    longest, name = max(slow)
    return f"{told}; the longest wait is for {short(name)}, {duration(longest)} after the step before it"


def reached_by(curve: Any, *, hours: int) -> str:
    """Say which share of those who start has reached the end within so many hours, and in all.

    Parameters
    ----------
    curve
        What `metrics.funnel_times.funnel_curve` returns, in order.
    hours
        The hours to name beside the whole window.
    """
    rows = list(zip(curve["hours"], curve["reached_share"], strict=True))
    if not rows:
        return "nobody has reached the end"
    early = max((share for hour, share in rows if hour <= hours), default=0.0)
    within = "the first hour" if hours == 1 else f"{hours} hours"
    return (
        f"{percent(early)} of those who start reach the end within {within}, {percent(rows[-1][1])} in the whole window"
    )


def what_is_lost(steps: Any, currency: str) -> str:
    """Name the step after which the most money goes no further.

    Parameters
    ----------
    steps
        What `metrics.funnel_money.funnel_money` returns, in order.
    currency
        The shop's.
    """
    rows = list(zip(steps["step"], steps["entering"], steps["lost"], strict=True))
    if not rows or not float(rows[0][1]) > 0:
        return "no product with a price was looked at"
    entered = float(rows[0][1])
    step, _entering, lost = max(rows, key=lambda row: row[2])
    end, reached, _lost = rows[-1]
    came = f"goods for {money(entered, currency)} entered and for {money(reached, currency)} reached {short(end)}"
    of_all = percent(float(lost) / entered)
    return f"{came}; most went no further than {short(step)}, {money(lost, currency)} ({of_all} of all)"


def moves_most(definitions: Any) -> str:
    """Name the choice that moves a funnel's overall rate most, and by how much.

    Parameters
    ----------
    definitions
        What `metrics.funnel_sensitivity.funnel_sensitivity` returns.
    """
    names = ("choice", "definition", "overall_rate", "moves_most")
    rows = list(zip(*(definitions[name] for name in names), strict=True))
    asked = next((rate for choice, _definition, rate, _most in rows if choice == "as asked"), None)
    if is_unknown(asked):
        return "nobody has started, so no definition tells another story"
    found = [(choice, definition, rate) for choice, definition, rate, most in rows if most]
    if not found:
        return f"every definition gives {percent(asked)}"
    choice, definition, rate = found[0]
    return f"{_chosen(choice, definition)} moves it most, from {percent(asked)} to {percent(rate)}"


def outside_of(outside: Any) -> str:
    """Say how many purchases did not walk the whole funnel.

    Parameters
    ----------
    outside
        The row that `metrics.funnel.purchases_outside` returns.
    """
    [(purchases, left_out, rate)] = zip(
        *(outside[name] for name in ("purchases", "purchases_outside", "outside_rate")), strict=True
    )
    if not purchases:
        return "there were no purchases"
    return f"{counted(left_out, 'purchase')} of {count(purchases)} ({percent(rate)}) did not walk the whole funnel"


def _chosen(choice: str, definition: str) -> str:
    if choice == "window":
        return f"a window {definition}"
    if choice == "same":
        return f"holding {definition.removesuffix('_id')}s apart"
    kind = {"strict": "no other step between", "any": "steps in any order", "ordered": "steps in order"}
    kind |= {"first": "only the first start", "restart": "every start", "session": "sessions", "person": "people"}
    return f"{_RULES[choice]} ({kind.get(definition, definition)})"
