from datetime import UTC, date, datetime, timedelta

import pytest

from ecomkit.errors import UsageError
from ecomkit.periods import Period, iso_week, last_complete_week, local_date

NEW_YORK = "America/New_York"


def test_week_44_holds_the_day_of_25_hours():
    week = iso_week("2026-W44", NEW_YORK)
    assert (week.start, week.end, week.days) == (date(2026, 10, 26), date(2026, 11, 2), 7)
    assert week.end_at - week.start_at == timedelta(days=7, hours=1)


def test_the_week_of_the_day_of_23_hours_is_an_hour_short():
    week = iso_week("2026-W10", NEW_YORK)
    assert week.end_at - week.start_at == timedelta(days=7, hours=-1)


def test_a_period_is_half_open():
    week = iso_week("2026-W44", NEW_YORK)
    second = timedelta(seconds=1)
    assert not week.holds(week.start_at - second)
    assert week.holds(week.start_at)
    assert week.holds(week.end_at - second)
    assert not week.holds(week.end_at)


@pytest.mark.parametrize("label", ["2026-W60", "2025-W53", "2026-44", "W44", "last week", "2026-W00", ""])
def test_an_unknown_week_is_refused(label):
    with pytest.raises(UsageError) as caught:
        iso_week(label, "UTC")
    assert str(caught.value) == (
        f"'{label}' is not an ISO week. Weeks are written like '2026-W44' and end with W52 or W53."
    )


def test_weeks_around_new_year_have_their_iso_names():
    assert iso_week("2026-W53", "UTC").start == date(2026, 12, 28)
    assert iso_week("2026-W01", "UTC").start == date(2025, 12, 29)
    assert Period(date(2025, 12, 29), date(2026, 1, 5), "UTC").label == "2026-W01"


def test_periods_before_keep_their_weekdays():
    week = iso_week("2026-W44", NEW_YORK)
    assert week.before().label == "2026-W43"
    assert week.before(2).label == "2026-W42"
    assert week.extended_back(4).start == date(2026, 10, 5)
    assert week.extended_back(4).label == "2026-10-05 to 2026-11-01"


@pytest.mark.parametrize(
    ("data_end", "label"),
    [(date(2026, 11, 2), "2026-W44"), (date(2026, 11, 1), "2026-W43"), (date(2026, 11, 8), "2026-W44")],
)
def test_the_last_complete_week(data_end, label):
    assert last_complete_week(data_end, "UTC").label == label


def test_a_local_day_is_not_the_utc_day():
    assert local_date(datetime(2026, 11, 1, 3, 59, tzinfo=UTC), NEW_YORK) == date(2026, 10, 31)
    assert local_date(datetime(2026, 11, 1, 4, 0, tzinfo=UTC), NEW_YORK) == date(2026, 11, 1)


def test_a_span_of_no_periods_is_refused():
    with pytest.raises(UsageError) as caught:
        iso_week("2026-W44", NEW_YORK).extended_back(0)
    assert str(caught.value) == "A span of 0 periods holds nothing. Give 1 or more."


@pytest.mark.parametrize(
    ("data_end", "days"),
    [
        pytest.param(date(2026, 10, 27), 1, id="of a single day that one"),
        pytest.param(date(2026, 10, 28), 1, id="the newest day is not over"),
        pytest.param(date(2026, 11, 1), 5, id="Saturday is the newest day"),
        pytest.param(date(2026, 11, 2), 7, id="a whole week"),
        pytest.param(date(2026, 12, 1), 7, id="a week long past"),
        pytest.param(None, 7, id="no data at all"),
    ],
)
def test_days_of_a_week_that_are_over(data_end, days):
    assert iso_week("2026-W44", "UTC").weekdays_over(data_end) == days


def test_the_year_before_has_the_same_weekdays():
    week = iso_week("2026-W53", "UTC").year_before()
    assert (week.start, week.start.isocalendar()[:2], week.start.weekday()) == (date(2025, 12, 29), (2026, 1), 0)
