"""Breaks in a shop's tracking: what stopped, doubled, emptied or flooded the data, and since when.

A number that moves because the tracking broke is no news of the business.
"""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from ecomkit.models import break_rules as rules
from ecomkit.models.break_rules import KINDS, Rule
from ecomkit.models.day_watch import NEW_NORM_DAYS, Watched, watch
from ecomkit.models.too_few import too_few

__all__ = ["ALL_EVENTS", "KINDS", "find_breaks", "too_few_to_watch"]

ALL_EVENTS = "all events"
SESSIONS = "sessions"
COLUMNS = ["kind", "what", "events", "first_day", "last_day", "found_day", "expected", "observed"]
# A campaign belongs to a visit, not to each of its calls.
_OF_VISITS = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "campaign_id", "click_id")
UTM = ("utm_source", "utm_medium", "utm_campaign")
# Of the calls of a library: less may be a single browser that nobody updates.
ROLLED_OUT, FEWEST_OF_VERSION = 0.01, 5
# A version of a library that sends little may pause for days.
_VERSION_PAUSE_DAYS = 7


class Series(NamedTuple):
    """What is watched: its name, and the event that it is about, none for what is about all of them."""

    what: str
    events: tuple[str, ...] = ()


def find_breaks(
    volumes: pd.DataFrame,
    libraries: pd.DataFrame,
    properties: pd.DataFrame,
    visits: pd.DataFrame,
    *,
    first_day: date | None = None,
    last_day: date | None = None,
) -> pd.DataFrame:
    """Mark the breaks in what arrived per day, each known by the end of its second day.

    That takes enough calls: `too_few_to_watch` names what has fewer. A day is
    set beside the last four clean days of its weekday, so that seasons, closed
    Sundays and weekly newsletters are no breaks; the first two weeks cannot be
    judged. One cause is one break: on the days of an outage or of a bot wave
    nothing else is looked for. What lasts for four weeks is usual from then on.

    The kinds: `tracking outage` (a quarter or less of all client calls, or of
    one event's calls per session), `doubled event` (1.6 times as many calls per
    session, of one event or of all: a sale lifts several), `property turned
    null` (filled half as often or less, of those that most calls fill), `UTM
    stopped parsing` (half as many sessions or fewer name it, and the missing
    ones come without), `bot wave` (1.5 times as many sessions or more, the
    extra ones land and go), `new library version`.

    Parameters
    ----------
    volumes, libraries, properties, visits
        Rows per day, as `daily_volumes`, `library_days`, `filled_properties`
        and `daily_visits` of `ecomkit.metrics.quality` return them, in any order.
    first_day, last_day
        The first and last day whose calls are all there. By default the first
        and the last day with calls are left out, as they may not be whole.

    Returns
    -------
    DataFrame
        One row per break, in order of `first_day`: `kind`, `what` (an event,
        `event.property`, a library with its version, UTM columns, sessions; several
        joined by commas), `events` (a tuple of those it is about; empty where it is
        about all), `last_day` (null where it has not ended, or has become usual),
        `found_day` (the day after which it was known), `expected` and
        `observed`: calls, calls per session, shares or sessions, by kind.
    """
    days = _whole_days(volumes, first_day, last_day)
    rows = []
    for rule, series, watched in _watched(volumes, properties, visits, days):
        for span in watched.spans:
            last = None if span.last is None else days[span.last]
            seen = (days[span.first], last, days[span.found], span.expected, span.observed)
            rows.append((rule.kind, *series[span.series], *seen))
    rows += _new_versions(libraries, days)
    found = _one_per_cause(rows).astype({"expected": "float64", "observed": "float64"})
    for column in ("first_day", "last_day", "found_day"):
        found[column] = pd.to_datetime(found[column])
    return found.sort_values(["first_day", "kind", "what"], ignore_index=True)


def too_few_to_watch(
    volumes: pd.DataFrame,
    properties: pd.DataFrame,
    visits: pd.DataFrame,
    *,
    first_day: date | None = None,
    last_day: date | None = None,
) -> pd.DataFrame:
    """Name what is too rare, or too uneven, for a break to show within two days: there `find_breaks` cannot tell.

    Asked for each series as it is at the end of the data: would twice the
    calls of an event, none of a property or of a campaign, or a wave of as many
    bots as there are visits be told from chance?

    Parameters
    ----------
    volumes, properties, visits, first_day, last_day
        As `find_breaks` takes them.

    Returns
    -------
    DataFrame
        One row per kind and series: `kind`, `what`, `events`, `a_day`: calls, filled
        properties or sessions on a usual day. Properties that many calls leave
        empty are not watched at all, and not named.
    """
    days = _whole_days(volumes, first_day, last_day)
    rows = []
    for rule, series, watched in _watched(volumes, properties, visits, days):
        # What is too rare to be seen to double is named once.
        if rule is not rules.EVENT_OUTAGE:
            rows += [(rule.kind, *series[number], a_day) for number, a_day in too_few(rule, watched.norm)]
    return pd.DataFrame(rows, columns=["kind", "what", "events", "a_day"])


def _whole_days(volumes: pd.DataFrame, first_day: date | None, last_day: date | None) -> pd.DatetimeIndex:
    if volumes.empty:
        return pd.DatetimeIndex([])
    one = pd.Timedelta(days=1)
    first = volumes["day"].min() + one if first_day is None else pd.Timestamp(first_day)
    last = volumes["day"].max() - one if last_day is None else pd.Timestamp(last_day)
    return pd.date_range(first, last)


def _watched(
    volumes: pd.DataFrame, properties: pd.DataFrame, visits: pd.DataFrame, days: pd.DatetimeIndex
) -> Iterator[tuple[Rule, list[Series], Watched]]:
    """Watch the series of each kind, those first that explain others."""
    calls = _by_day(volumes[volumes["side"] == "client"], "event_name", "calls", days)
    visits = visits.set_index("day").reindex(days, fill_value=0)
    sessions = visits["sessions"].to_numpy("float64")
    weekdays, known = days.day_of_week.to_numpy(), np.ones(len(days), dtype=bool)

    def watched(rule: Rule, series: list[Series], part: np.ndarray, whole: np.ndarray):
        return rule, series, watch(np.stack([part, whole - part]), weekdays, known, rule)

    total = calls.to_numpy("float64").sum(axis=1, keepdims=True)
    outages = watched(rules.OUTAGE, [Series(ALL_EVENTS)], total, total)
    yield outages
    known = known & ~outages[-1].broken.any(axis=1)
    bots = watched(rules.BOT_WAVE, [Series(SESSIONS)], _column(visits["engaged_sessions"]), sessions[:, None])
    yield bots
    known = known & ~bots[-1].broken.any(axis=1)
    each = calls.to_numpy("float64")
    for rule in (rules.DOUBLED_EVENT, rules.EVENT_OUTAGE):
        # Calls per session: the rest is not other calls but sessions.
        yield watched(rule, [Series(event, (event,)) for event in calls.columns], each, each + sessions[:, None])
    # What an email carries depends on the mailing.
    by_mail = volumes.loc[volumes["side"] == "email", "event_name"]
    told = properties[~properties["property"].isin(_OF_VISITS) & ~properties["event_name"].isin(by_mail)]
    filled, asked = (_by_day(told, ["event_name", "property"], values, days) for values in ("filled", "calls"))
    of_events = [Series(f"{event}.{name}", (event,)) for event, name in filled.columns]
    yield watched(rules.EMPTIED_PROPERTY, of_events, filled.to_numpy("float64"), asked.to_numpy("float64"))
    yield watched(
        rules.UNPARSED_UTM, [Series(name) for name in UTM], visits[list(UTM)].to_numpy("float64"), sessions[:, None]
    )


def _by_day(frame: pd.DataFrame, names: str | list[str], values: str, days: pd.DatetimeIndex) -> pd.DataFrame:
    wide = frame.pivot_table(index="day", columns=names, values=values, aggfunc="sum", fill_value=0)
    return wide.reindex(days, fill_value=0)


def _column(series: pd.Series) -> np.ndarray:
    return series.to_numpy("float64")[:, None]


def _new_versions(libraries: pd.DataFrame, days: pd.DatetimeIndex) -> list[tuple]:
    """Return a row per version of a library that is rolled out after the first four weeks."""
    known = libraries[libraries["day"].isin(days)]
    if known.empty:
        return []
    known = known.assign(library_version=known["library_version"].fillna("without a version")).sort_values("day")
    known["share"] = known["calls"] / known.groupby(["day", "library"])["calls"].transform("sum")
    known["so_far"] = known.groupby(["library", "library_version"])["calls"].cumsum()
    rows = []
    for (library, version), of_version in known.groupby(["library", "library_version"]):
        used = of_version[(of_version["share"] >= ROLLED_OUT - 1e-9) & (of_version["so_far"] >= FEWEST_OF_VERSION)]
        if of_version["day"].iloc[0] >= days[0] + pd.Timedelta(days=NEW_NORM_DAYS) and len(used):
            first, last = used["day"].iloc[0], used["day"].iloc[-1]
            is_over = days[-1] - last >= pd.Timedelta(days=_VERSION_PAUSE_DAYS)
            seen = (first, last if is_over else None, first, 0.0, float(used["share"].iloc[0]))
            rows.append((rules.NEW_VERSION, *Series(f"{library} {version}"), *seen))
    return rows


def _one_per_cause(rows: list[tuple]) -> pd.DataFrame:
    """Put into one row what broke in one place on one day: properties of an event, several events, UTM columns."""
    causes: dict[tuple, dict] = {}
    for row in rows:
        told = dict(zip(COLUMNS, row, strict=True))
        cause = (told["kind"], _place(told), told["first_day"])
        first = causes.setdefault(cause, told)
        if first is not told:
            first["what"] += f", {told['what']}"
            first["events"] = tuple(dict.fromkeys(first["events"] + told["events"]))
            has_ended = first["last_day"] is not None and told["last_day"] is not None
            first["last_day"] = max(first["last_day"], told["last_day"]) if has_ended else None
            first["found_day"] = min(first["found_day"], told["found_day"])
    return pd.DataFrame(list(causes.values()), columns=COLUMNS)


def _place(told: dict) -> tuple[str, ...] | str:
    if told["kind"] == rules.EMPTIED_PROPERTY.kind:
        return told["events"]
    # An outage of all calls is none of the single events that stop on the same day.
    return told["what"] if told["kind"] == rules.NEW_VERSION or told["what"] == ALL_EVENTS else ""
