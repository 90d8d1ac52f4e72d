"""Frequency, recency, T and monetary value: by hand, against lifetimes, against Hardie's counts."""

import random
import warnings
from datetime import UTC, datetime
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

import ibis
import pandas as pd
import pyarrow as pa
import pytest

from ecomkit.engines import ENGINES, to_sql
from ecomkit.errors import TableError
from ecomkit.frames import to_frame
from ecomkit.metrics.clv_summary import clv_holdout, clv_summary, realised_value
from ecomkit.schemas import ORDERS, REFUNDS

with warnings.catch_warnings():
    # The import warns under pandas 3.
    warnings.simplefilter("ignore")
    from lifetimes.utils import summary_data_from_transaction_data

AS_OF = datetime(2024, 3, 1, tzinfo=UTC)
CALIBRATION_END = datetime(1997, 10, 1, tzinfo=UTC)
CDNOW_END = datetime(1998, 7, 1, tzinfo=UTC)


def order_log(*rows):
    """Type rows of (customer, instant, revenue), and status where it is not `completed`, as a table of ORDERS."""
    orders = [
        dict.fromkeys(ORDERS.names)
        | {
            "order_id": f"o{number}",
            "customer_id": customer,
            "ordered_at": datetime.fromisoformat(instant).replace(tzinfo=UTC),
            "revenue": Decimal(revenue),
            "status": (*status, "completed")[0],
        }
        for number, (customer, instant, revenue, *status) in enumerate(rows, start=1)
    ]
    return ibis.memtable(pa.Table.from_pylist(orders, ORDERS.to_pyarrow()))


def refund_log(*rows):
    """Type rows of (order, instant, amount) as a table of REFUNDS."""
    refunds = [
        dict.fromkeys(REFUNDS.names)
        | {
            "refund_id": f"r{number}",
            "order_id": order,
            "refunded_at": datetime.fromisoformat(instant).replace(tzinfo=UTC),
            "amount": Decimal(amount),
        }
        for number, (order, instant, amount) in enumerate(rows, start=1)
    ]
    return ibis.memtable(pa.Table.from_pylist(refunds, REFUNDS.to_pyarrow()))


def summarise(orders, refunds=None, *, as_of=AS_OF, zone="UTC"):
    refunds = refund_log() if refunds is None else refunds
    rows = clv_summary(orders, refunds, as_of=as_of, zone=zone).to_pyarrow().to_pylist()
    return {row.pop("customer_id"): tuple(row.values()) for row in rows}


@pytest.fixture(scope="module")
def cdnow():
    log = Path(find_spec("lifetimes").origin).parent / "datasets" / "CDNOW_sample.txt"
    lines = [line.split() for line in log.read_text().splitlines()]
    return order_log(*((customer, day, amount) for _, customer, day, _, amount in lines))


def test_a_first_day_makes_a_customer_and_later_days_are_repeats():
    orders = order_log(
        ("ana", "2024-01-01 10:00", "10"), ("ana", "2024-01-11 10:00", "20"), ("ana", "2024-01-31 10:00", "40")
    )
    # 60 days from 1 January to 29 February, less none: the day of `as_of` is not observed.
    assert summarise(orders) == {"ana": (2, 30, 59, 30.0, Decimal(70))}


def test_one_order_has_no_repeat_value():
    assert summarise(order_log(("ana", "2024-02-29 23:59:59", "10"))) == {"ana": (0, 0, 0, 0.0, Decimal(10))}


def test_orders_of_one_local_day_are_one_purchase():
    orders = order_log(
        ("ana", "2024-01-01 10:00", "10"), ("ana", "2024-01-05 04:59", "20"), ("ana", "2024-01-04 18:00", "5")
    )
    assert summarise(orders, zone="America/New_York", as_of=datetime(2024, 3, 1, 5, tzinfo=UTC)) == {
        "ana": (1, 3, 59, 25.0, Decimal(35))
    }
    assert summarise(orders)["ana"][0] == 2


def test_an_order_at_as_of_does_not_exist_yet():
    orders = order_log(
        ("ana", "2024-01-01", "10"),
        ("ana", "2024-02-29 23:59:59", "20"),
        ("ben", "2024-03-01 00:00:00", "30"),
    )
    assert summarise(orders) == {"ana": (1, 59, 59, 20.0, Decimal(30))}


def test_cancelled_orders_and_guests_do_not_count():
    orders = order_log(
        ("ana", "2024-01-01", "10"), ("ana", "2024-01-09", "20", "cancelled"), (None, "2024-01-10", "30")
    )
    assert summarise(orders) == {"ana": (0, 0, 59, 0.0, Decimal(10))}


def test_a_refund_lowers_the_value_once_it_has_happened_but_the_day_stays_a_purchase():
    orders = order_log(("ana", "2024-01-01", "10"), ("ana", "2024-01-11", "20"))
    refunds = refund_log(("o2", "2024-02-01", "15"), ("o2", "2024-03-01", "5"), (None, "2024-02-01", "99"))
    assert summarise(orders, refunds) == {"ana": (1, 10, 59, 5.0, Decimal(15))}
    assert summarise(orders, refunds, as_of=datetime(2024, 2, 1, tzinfo=UTC))["ana"][3] == 20.0


def test_a_worthless_repeat_order_counts_with_its_zero():
    orders = order_log(("ana", "2024-01-01", "10"), ("ana", "2024-01-11", "0"), ("ana", "2024-01-21", "8"))
    assert summarise(orders)["ana"][:4] == (2, 20, 59, 4.0)


def test_days_are_counted_over_a_change_of_clocks():
    # 10 March 2024 has 23 hours in New York.
    orders = order_log(("ana", "2024-03-09 12:00", "1"), ("ana", "2024-03-11 11:00", "1"))
    as_of = datetime(2024, 3, 12, 4, tzinfo=UTC)
    assert summarise(orders, as_of=as_of, zone="America/New_York")["ana"][:3] == (1, 2, 2)


def test_no_orders_give_no_rows():
    assert summarise(order_log()) == {}


def test_row_order_does_not_matter():
    rows = [("ana", f"2024-01-{day:02d}", str(day)) for day in (1, 3, 3, 9, 20)] + [("ben", "2024-01-02", "7")]
    shuffled = random.Random(5).sample(rows, len(rows))
    assert summarise(order_log(*rows)) == summarise(order_log(*shuffled))


def test_columns_are_those_documented():
    tables = ibis.table(ORDERS, name="orders"), ibis.table(REFUNDS, name="refunds")
    summary = clv_summary(*tables, as_of=AS_OF, zone="UTC")
    assert summary.columns == ("customer_id", "frequency", "recency", "T", "monetary_value", "net_revenue")


@pytest.mark.parametrize("engine", ENGINES)
def test_the_queries_compile_for_each_engine(engine):
    tables = ibis.table(ORDERS, name="orders"), ibis.table(REFUNDS, name="refunds")
    summary = clv_summary(*tables, as_of=AS_OF, zone="Europe/London")
    holdout = clv_holdout(*tables, calibration_end=datetime(2024, 1, 1, tzinfo=UTC), as_of=AS_OF, zone="Europe/London")
    for query in (summary, realised_value(summary), holdout):
        assert "SELECT" in to_sql(query, engine)


def test_a_table_that_lacks_columns_stops_at_the_door():
    orders = ibis.table({"order_id": "string"}, name="orders")
    with pytest.raises(TableError, match=r"^The table lacks 'customer_id', 'session_id', .* makes this table\.$"):
        clv_summary(orders, refund_log(), as_of=AS_OF, zone="UTC")


def test_cdnow_gives_the_published_counts(cdnow):
    summary = to_frame(clv_summary(cdnow, refund_log(), as_of=CALIBRATION_END, zone="UTC"))
    repeat_buyers = summary[summary.frequency > 0]
    assert (len(summary), len(repeat_buyers), repeat_buyers.frequency.sum()) == (2357, 946, 2457)
    assert round(repeat_buyers.monetary_value.mean(), 2) == 35.08
    assert round(repeat_buyers.frequency.corr(repeat_buyers.monetary_value), 4) == 0.1139
    whole = to_frame(clv_summary(cdnow, refund_log(), as_of=CDNOW_END, zone="UTC"))
    assert round(whole.net_revenue.sum(), 2) == 244_091.94
    assert (whole.frequency + 1).sum() == 6_696


def test_cdnow_agrees_with_lifetimes_whose_last_day_is_inclusive(cdnow):
    summary = to_frame(clv_summary(cdnow, refund_log(), as_of=CALIBRATION_END, zone="UTC"))
    log = to_frame(cdnow)
    log["day"] = log.ordered_at.dt.tz_localize(None)
    theirs = summary_data_from_transaction_data(
        log,
        "customer_id",
        "day",
        monetary_value_col="revenue",
        observation_period_end="1997-09-30",
    )
    ours = summary.set_index("customer_id").loc[theirs.index]
    columns = ["frequency", "recency", "T", "monetary_value"]
    pd.testing.assert_frame_equal(ours[columns].astype("float64"), theirs[columns], rtol=1e-12)


def test_the_holdout_of_cdnow_has_the_published_repeat_purchases(cdnow):
    holdout = to_frame(clv_holdout(cdnow, refund_log(), calibration_end=CALIBRATION_END, as_of=CDNOW_END, zone="UTC"))
    actual = holdout.groupby(holdout.frequency.clip(upper=7)).frequency_holdout.agg(["size", "mean"])
    assert actual["size"].tolist() == [1411, 439, 214, 100, 62, 38, 29, 64]
    assert actual["mean"].round(4).tolist() == [0.2367, 0.6970, 1.3925, 1.5600, 2.5323, 2.9474, 3.8621, 6.3594]
    assert holdout.frequency_holdout.sum() == 1882


def test_the_holdout_knows_no_customer_born_in_it():
    orders = order_log(("ana", "2024-01-01", "10"), ("ana", "2024-02-10", "7"), ("ben", "2024-02-01", "5"))
    end = datetime(2024, 2, 1, tzinfo=UTC)
    rows = clv_holdout(orders, refund_log(), calibration_end=end, as_of=AS_OF, zone="UTC").to_pyarrow().to_pylist()
    assert [(row["customer_id"], row["frequency"], row["T"], row["frequency_holdout"]) for row in rows] == [
        ("ana", 0, 30, 1)
    ]
    assert rows[0]["net_revenue_holdout"] == 7


def test_realised_value_splits_customers_and_money_by_purchase_days():
    orders = order_log(
        ("ana", "2024-01-01", "10"),
        ("ben", "2024-01-01", "30"),
        ("eve", "2024-01-01", "5"),
        ("eve", "2024-01-02", "5"),
        *(("max", f"2024-01-{day:02d}", "10") for day in range(1, 6)),
    )
    summary = clv_summary(orders, refund_log(), as_of=AS_OF, zone="UTC")
    assert realised_value(summary, most_days=3).to_pyarrow().to_pylist() == [
        {
            "purchase_days": days,
            "customers": customers,
            "net_revenue": net_revenue,
            "net_revenue_per_customer": net_revenue / customers,
            "customers_share": customers / 4,
            "net_revenue_share": net_revenue / 100,
        }
        for days, customers, net_revenue in [(1, 2, 40), (2, 1, 10), (3, 1, 50)]
    ]


def test_realised_value_without_money_has_no_share_of_it():
    summary = clv_summary(order_log(("ana", "2024-01-01", "0")), refund_log(), as_of=AS_OF, zone="UTC")
    [row] = realised_value(summary).to_pyarrow().to_pylist()
    assert (row["net_revenue_per_customer"], row["net_revenue_share"], row["customers_share"]) == (0, None, 1)
