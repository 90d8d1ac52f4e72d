"""How much of the data can be told apart."""

from datetime import date
from decimal import Decimal

from ecomkit.metrics.coverage import identity_coverage, unassigned_sources, unmatched_spend
from ecomkit.periods import Period

WEEK = Period(date(2026, 10, 26), date(2026, 11, 2), "America/New_York")
AT = "2026-10-26 12:00:00Z"


def test_known_is_more_than_a_device(session_log, order_log, rows_of):
    sessions = session_log(
        ("user:ana", AT, 0), ("guest:h1", AT, 0), ("loyalty_card:c1", AT, 0), ("visitor:d1", AT, 0), (None, AT, 0)
    )
    orders = order_log(
        ("user:ana", AT), ("visitor:d1", AT), (None, AT), ("user:ana", AT, {"status": "cancelled"}), ("guest:h1", AT)
    )
    [row] = rows_of(identity_coverage(sessions, orders))
    assert row == {
        "sessions": 5, "identified_sessions": 3, "identified_sessions_share": 0.6,
        "orders": 4, "identified_orders": 2, "identified_orders_share": 0.5,
    }  # fmt: skip


def test_without_rows_the_shares_are_unknown(session_log, order_log, rows_of):
    [row] = rows_of(identity_coverage(session_log(), order_log()))
    assert (row["sessions"], row["identified_sessions_share"], row["identified_orders_share"]) == (0, None, None)


def test_unassigned_sessions_by_what_they_say_of_themselves(session_log, rows_of):
    flyer = {"channel": "Unassigned", "utm_source": "Flyer", "utm_medium": "qr"}
    sessions = session_log(
        ("ana", AT, 1, flyer),
        ("ben", AT, 0, flyer | {"utm_source": "flyer", "utm_medium": "QR"}),
        ("cat", AT, 0, {"channel": None, "referrer_host": "odd.example"}),
        ("dan", AT, 1, {"channel": "Direct"}),
    )
    columns = ("utm_source", "utm_medium", "referrer_host", "sessions", "sessions_with_order", "unassigned_share")
    assert rows_of(unassigned_sources(sessions), *columns) == [
        ("flyer", "qr", None, 2, 1, 0.5),
        (None, None, "odd.example", 1, 0, 0.25),
    ]
    assert rows_of(unassigned_sources(session_log())) == []


def test_spend_meets_the_sessions_of_its_channel_and_of_its_campaign(session_log, spend_log, rows_of):
    sessions = session_log(
        ("ana", AT, 0, {"channel": "Paid Search", "campaign_id": "c1"}),
        ("ben", AT, 0, {"channel": "Paid Search"}),
        # Local midnight of New York is four hours later than UTC's: this one is of the week before.
        ("cat", "2026-10-26 03:59:59Z", 0, {"channel": "Paid Social"}),
    )
    campaign = {"platform": "google", "campaign_id": "c1", "campaign_name": "Brand"}
    spend = spend_log(
        ("2026-10-26", "Paid Search", 10, campaign),
        ("2026-11-01", "Paid Search", 5, campaign),
        ("2026-11-02", "Paid Search", 99, campaign),
        ("2026-10-27", "Paid Social", 20, {"platform": "facebook", "campaign_id": "c2"}),
        ("2026-10-28", None, 1, {"platform": "other"}),
        ("2026-10-28", "Display", 0, {"platform": "other"}),
    )
    columns = ("platform", "channel", "spend", "sessions_of_channel", "sessions_of_campaign")
    assert rows_of(unmatched_spend(spend, sessions, period=WEEK), *columns) == [
        ("facebook", "Paid Social", Decimal("20.0000"), 0, 0),
        ("google", "Paid Search", Decimal("15.0000"), 2, 1),
        ("other", None, Decimal("1.0000"), 0, 0),
    ]
