"""The span of local days that a shop is simulated for, and how busy each day is."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from ecomkit.periods import day_start

ZONE = "America/New_York"
OPENING_HOUR = 7  # visits start between here and midnight, so that two visits of one person never touch
OPEN_MS = (24 - OPENING_HOUR) * 3_600_000

_MONTH_FACTORS = (0.85, 0.90, 0.95, 0.95, 1.00, 0.80, 0.75, 0.80, 0.95, 1.10, 1.35, 1.50)
_WEEKDAY_FACTORS = (1.05, 1.0, 1.0, 0.95, 0.9, 0.95, 1.15)
_GIVEAWAY_FACTOR = 3.0
_GROWTH = (0.55, 1.55)


@dataclass(frozen=True)
class Calendar:
    """Local days from `first_day` to `last_day`, both included."""

    first_day: date
    last_day: date
    giveaway_month: str
    opening_ms: np.ndarray
    months: np.ndarray
    busyness: np.ndarray

    @property
    def days(self) -> int:
        """Number of local days."""
        return len(self.opening_ms)

    @property
    def end_ms(self) -> int:
        """First instant after the last day, in milliseconds since 1970."""
        return milliseconds(day_start(self.last_day + timedelta(days=1), ZONE))

    def instants(self, days: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
        """Turn day numbers and numbers from 0 to 1 into instants, most of them in the late afternoon."""
        within = (uniforms**0.7 * OPEN_MS).astype(np.int64)
        latest = np.where(days == self.days - 1, self.end_ms - 3_600_000, np.iinfo(np.int64).max)
        return np.minimum(self.opening_ms[days] + within, latest)


def milliseconds(instant: datetime) -> int:
    """Return milliseconds since 1970."""
    return round(instant.timestamp() * 1000)


def make_calendar(last_day: date, months: int) -> Calendar:
    """Lay out the days from the first of the month `months` before `last_day`'s month to `last_day`."""
    count = last_day.year * 12 + last_day.month - 1 - months
    first_day = date(count // 12, count % 12 + 1, 1)
    giveaway = count + months // 3
    giveaway_month = f"{giveaway // 12}-{giveaway % 12 + 1:02d}"

    days = [first_day + timedelta(days=number) for number in range((last_day - first_day).days + 1)]
    opening = [datetime.combine(day, time(OPENING_HOUR), tzinfo=ZoneInfo(ZONE)).astimezone(UTC) for day in days]
    labels = [f"{day:%Y-%m}" for day in days]
    growth = np.linspace(*_GROWTH, len(days))
    factors = [
        _MONTH_FACTORS[day.month - 1]
        * _WEEKDAY_FACTORS[day.weekday()]
        * (_GIVEAWAY_FACTOR if label == giveaway_month else 1.0)
        for day, label in zip(days, labels, strict=True)
    ]
    busyness = growth * np.array(factors)
    return Calendar(
        first_day=first_day,
        last_day=last_day,
        giveaway_month=giveaway_month,
        opening_ms=np.array([milliseconds(instant) for instant in opening], dtype=np.int64),
        months=np.array(labels),
        busyness=busyness / busyness.sum(),
    )
