"""Sentences about what a shop earned and what it sold."""

from typing import Any

from ecomkit.words.answers import group_name
from ecomkit.words.numbers import counted, is_unknown, money, percent


def partial_week(label: str, weekdays: int) -> str:
    """Say that a week is not over, and which part of it and of all others counts; nothing of a whole week."""
    if weekdays == 7:
        return ""
    return f"{label} is not over, so weeks count their first {counted(weekdays, 'day')} alone."


def largest_of(frame: Any, share: str, *, by: str, unknown: str = "not known") -> str:
    """Name the group with the largest share of the money: `Email makes up the most, 38.3 % of the revenue`.

    Parameters
    ----------
    frame
        What `metrics.sales_by.sales_by` returns.
    share
        The column of shares.
    by
        The column that names the group.
    unknown
        What the group is called of which nobody knows.
    """
    rows = [(float(value), name) for value, name in zip(frame[share], frame[by], strict=True) if not is_unknown(value)]
    if not rows:
        return "there is nothing to split"
    value, name = max(rows, key=lambda row: row[0])
    who = unknown.capitalize() if is_unknown(name) else group_name(name, by)
    return f"{who} makes up the most, {percent(value)} of the revenue"


def moved_most(frame: Any, value: str, *, by: str, currency: str, unknown: str = "not known") -> str:
    """Name the group whose money moved most among those that moved by more than chance.

    Parameters
    ----------
    frame
        What `metrics.standouts.compare_groups` returns.
    value
        The total compared.
    by
        The column that names the group; also gives the noun.
    currency
        The shop's.
    unknown
        What the group is called of which nobody knows.
    """
    noun = by.removesuffix("_id").removesuffix("_type").replace("_", " ")
    if not any(verdict != "cannot tell" for verdict in frame["verdict"]):
        return f"no {noun} is large enough to tell whether it moved"
    columns = ("change", value, f"{value}_before", by, "verdict")
    moved = [row for row in zip(*(frame[name] for name in columns), strict=True) if row[-1] in ("up", "down")]
    if not moved:
        return f"no {noun} moved by more than chance"
    _change, now, before, name, verdict = max(moved, key=lambda row: abs(row[0]))
    who = unknown.capitalize() if is_unknown(name) else group_name(name, noun)
    return f"{who} is {verdict}, at {money(now, currency)} after {money(before, currency)}"


def differs_most(frame: Any, share: str, *, by: str) -> str:
    """Name the group on which high-value customers spend most unlike all others, if by more than chance.

    Parameters
    ----------
    frame
        What `metrics.standouts.compare_groups` returns for high-value customers and all others.
    share
        The column of shares.
    by
        The column that names the group; also gives the noun.
    """
    if not any(verdict != "cannot tell" for verdict in frame["verdict"]):
        return f"no {by} has enough buyers among them to compare with all others"
    columns = (share, f"{share}_before", by, "verdict")
    found = [row for row in zip(*(frame[name] for name in columns), strict=True) if row[-1] in ("up", "down")]
    if not found:
        return f"on no {by} do they spend another share than all others, by more than chance"
    value, others, name, verdict = max(found, key=lambda row: abs(row[0] - row[1]))
    more = "more" if verdict == "up" else "less"
    who = "what is not known" if is_unknown(name) else group_name(name, by)
    return f"on {who} they spend {more} of it than all others, {percent(value)} against {percent(others)}"
