"""Which weeks a report is of."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from ecomkit.errors import UsageError
from ecomkit.periods import Period, day_start, iso_week
from ecomkit.shop import Shop


def weeks_between(first: str, last: str, zone: str) -> list[Period]:
    """Return the ISO weeks from `first` to `last`, both included.

    Raises
    ------
    UsageError
        If a label is no week, or the last lies before the first.
    """
    start, end = iso_week(first, zone), iso_week(last, zone)
    if end.start < start.start:
        raise UsageError(f"The weeks from '{first}' to '{last}' are none: the last lies before the first. Swap them.")
    return list(_weeks(start, end))


def _weeks(start: Period, end: Period) -> Iterator[Period]:
    week = start
    while week.start <= end.start:
        yield week
        week = Period(week.end, week.end + timedelta(days=7), week.zone)


def last_settled_week(shop: Shop) -> Period:
    """Return the last complete week of which late calls are no longer waited for.

    A week is settled once the data reach `[report] wait_hours` beyond its end: once a call arrived
    so late, or the data hold a day that begins so late, as files say no arrival. Without a wait
    every complete week is.
    """
    week, wait_hours = shop.week("last"), shop.settings.report_wait_hours
    if not wait_hours:
        return week
    last_day = day_start(shop.data_end - timedelta(days=1), shop.zone)
    reached = max(shop.newest_arrival or last_day, last_day)
    while not is_settled(week, reached, wait_hours):
        week = week.before()
    return week


def is_settled(week: Period, reached: datetime, wait_hours: int) -> bool:
    """Say whether data that reach to an instant have waited long enough for the late calls of a week."""
    return reached >= week.end_at + timedelta(hours=wait_hours)
