"""Spans of local days, as the UTC instants that bound them."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ecomkit.errors import UsageError


def day_start(day: date, zone: str) -> datetime:
    """Return the UTC instant at which the local `day` begins in `zone`."""
    return datetime.combine(day, time(), tzinfo=ZoneInfo(zone)).astimezone(UTC)


def local_date(instant: datetime, zone: str) -> date:
    """Return the local day in `zone` on which `instant` falls."""
    return instant.astimezone(ZoneInfo(zone)).date()


@dataclass(frozen=True)
class Period:
    """Local days from `start` to before `end`, in `zone`.

    A day of 23 or 25 hours counts as one day; `start_at` and `end_at` are the
    exact UTC instants, half open.
    """

    start: date
    end: date
    zone: str

    @property
    def start_at(self) -> datetime:
        """First instant of the period, in UTC."""
        return day_start(self.start, self.zone)

    @property
    def end_at(self) -> datetime:
        """First instant after the period, in UTC."""
        return day_start(self.end, self.zone)

    @property
    def days(self) -> int:
        """Length in local days."""
        return (self.end - self.start).days

    def holds(self, instant):
        """Say whether an instant, or each of a column of instants, falls into the period."""
        return (instant >= self.start_at) & (instant < self.end_at)

    @property
    def label(self) -> str:
        """The ISO week's name if the period is one, else its first and last day."""
        year, number, weekday = self.start.isocalendar()
        if weekday == 1 and self.days == 7:
            return f"{year}-W{number:02d}"
        return f"{self.start} to {self.end - timedelta(days=1)}"

    def before(self, periods: int = 1) -> "Period":
        """Return the period of the same length that ends where this one starts, or earlier ones."""
        shift = timedelta(days=self.days * periods)
        return Period(self.start - shift, self.end - shift, self.zone)

    def year_before(self) -> "Period":
        """Return the same weekdays a year ago: 52 weeks before."""
        return Period(self.start - timedelta(weeks=52), self.end - timedelta(weeks=52), self.zone)

    def weekdays_over(self, data_end: date | None) -> int:
        """Return how many of the days are over, at least 1, where the data end before `data_end`; all of a whole week.

        The newest day of data may still be going on, so it is not over.
        """
        if data_end is None or data_end >= self.end:
            return self.days
        return max((data_end - self.start).days - 1, 1)

    def first_days(self, days: int) -> "Period":
        """Return the first `days` local days of this period."""
        return Period(self.start, self.start + timedelta(days=days), self.zone)

    def four_weeks_before(self, *, days: int) -> "Period":
        """Return the four weeks that end `days` days before this one does."""
        end = self.end - timedelta(days=days)
        return Period(end - timedelta(days=28), end, self.zone)

    def until(self, later: "Period") -> "Period":
        """Return the span from the start of this period to the end of a later one."""
        return Period(self.start, later.end, self.zone)

    def extended_back(self, periods: int) -> "Period":
        """Return this period together with the `periods - 1` before it; one period or more."""
        if periods < 1:
            raise UsageError(f"A span of {periods} periods holds nothing. Give 1 or more.")
        return Period(self.start - timedelta(days=self.days * (periods - 1)), self.end, self.zone)


def all_days(zone: str) -> Period:
    """Return a period that holds every day of any data, in `zone`."""
    return Period(date(1970, 1, 1), date(2200, 1, 1), zone)


def iso_week(label: str, zone: str) -> Period:
    """Return the ISO week named like `2026-W44`: Monday to Sunday, local days of `zone`.

    Raises
    ------
    UsageError
        If the text has another form or the year has no such week.
    """
    match = re.fullmatch(r"(\d{4})-W(\d{2})", label)
    try:
        monday = date.fromisocalendar(int(match[1]), int(match[2]), 1) if match else None
    except ValueError:
        monday = None
    if monday is None:
        raise UsageError(f"'{label}' is not an ISO week. Weeks are written like '2026-W44' and end with W52 or W53.")
    return Period(monday, monday + timedelta(days=7), zone)


def last_complete_week(data_end: date, zone: str) -> Period:
    """Return the last ISO week that ends on or before `data_end`, the first day without data."""
    monday = data_end - timedelta(days=data_end.weekday())
    return Period(monday - timedelta(days=7), monday, zone)
