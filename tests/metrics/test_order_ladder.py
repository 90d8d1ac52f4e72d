"""The ladder from gross to net: by hand, and tied to `sales` to the cent."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import ibis
import pytest

from ecomkit.frames import to_frame
from ecomkit.metrics.order_ladder import order_ladder
from ecomkit.metrics.sales import sales
from ecomkit.periods import Period
from ecomkit.schemas import ORDERS, REFUNDS
from ecomkit.words import from_gross_to_net, rungs_of

AS_OF = datetime(2024, 1, 15, tzinfo=UTC)
WEEK = Period(date(2024, 1, 8), date(2024, 1, 15), "UTC")
TOLD = {"periods": [WEEK.before(), WEEK], "as_of": AS_OF}
RUNGS = ("orders", "gross", "discount", "other_reductions", "revenue", "refunds", "net_revenue", "contribution")


def test_the_ladder_by_hand(order_log, refund_log, rows_of):
    orders = order_log(
        ("ana", "2024-01-08 00:00:00Z", {"gross": 30, "discount": 5, "revenue": 25}),
        ("ben", "2024-01-14 23:59:59Z", {"gross": 20, "discount": 0, "revenue": 18}),
        ("cem", "2024-01-09 10:00:00Z", {"gross": None, "discount": 1, "revenue": 9}),
        ("dan", "2024-01-09 10:00:00Z", {"gross": 99, "revenue": 99, "status": "cancelled"}),
        ("eve", "2024-01-07 23:59:59Z", {"gross": 40, "discount": 0, "revenue": 40}),
    )
    refunds = refund_log(("o5", "2024-01-10 10:00:00Z", 12), ("o4", "2024-01-10 10:00:00Z", 99))
    assert rows_of(order_ladder(orders, refunds, **TOLD), "start_date", *RUNGS) == [
        (WEEK.before().start, 1, 40, 0, 0, 40, 0, 40, None),
        (WEEK.start, 3, 60, 6, 2, 52, 12, 40, None),
    ]
    [_, (contribution,)] = rows_of(order_ladder(orders, refunds, margin=0.25, **TOLD), "contribution")
    assert contribution == 10.0


def test_a_refund_alone_is_a_rung(order_log, refund_log, rows_of):
    refunds = refund_log((None, "2024-01-10 10:00:00Z", 12))
    found = rows_of(order_ladder(order_log(), refunds, **TOLD), *RUNGS)
    assert found == [(0, 0, 0, 0, 0, 12, -12, None)]
    assert rows_of(order_ladder(order_log(), refund_log(), **TOLD)) == []


def test_the_ladder_ties_to_sales_to_the_cent(shop):
    as_of = shop.week("last").end_at
    weeks = sales(shop.orders, shop.refunds, zone=shop.zone, as_of=as_of).to_pyarrow().to_pylist()
    periods = [Period(row["week"], row["week"] + timedelta(days=7), shop.zone) for row in weeks]
    ladder = order_ladder(shop.orders, shop.refunds, periods=periods, as_of=as_of).to_pyarrow().to_pylist()
    assert len(ladder) == len(weeks) > 100
    for row, week in zip(ladder, weeks, strict=True):
        assert row["start_date"] == week["week"]
        for name in ("orders", "revenue", "discount", "refunds", "net_revenue"):
            assert row[name] == week[name]
        assert row["gross"] - row["discount"] - row["other_reductions"] == row["revenue"]
        assert row["revenue"] - row["refunds"] == row["net_revenue"]
    # The fixture has orders whose sums do not fit their rule.
    assert any(row["other_reductions"] for row in ladder)


def test_columns_are_the_documented_ones():
    orders, refunds = ibis.table(ORDERS, name="orders"), ibis.table(REFUNDS, name="refunds")
    assert order_ladder(orders, refunds, **TOLD).columns == ("start_date", *RUNGS)


# in words

ROW = dict(zip(RUNGS, (3, 60.0, 6.0, 2.0, 52.0, 12.0, 40.0, None), strict=True))


def test_the_sentence_says_what_was_taken_off():
    assert from_gross_to_net(ROW, "EUR") == (
        "Of **EUR 60.00 gross**, EUR 6.00 was discount (10.0 % of it), EUR 2.00 of reductions that no discount "
        "explains and EUR 12.00 went back (20.0 % of it): EUR 40.00 net; no margin is given."
    )
    plain = ROW | {"other_reductions": 0.0, "revenue": 54.0, "net_revenue": 42.0, "contribution": 21.0}
    assert from_gross_to_net(plain, "EUR") == (
        "Of **EUR 60.00 gross**, EUR 6.00 was discount (10.0 % of it) and EUR 12.00 went back (20.0 % of it): "
        "EUR 42.00 net, EUR 21.00 of contribution."
    )
    assert from_gross_to_net(None, "EUR") == "**unknown**"


def test_a_cent_of_rounding_is_in_the_table_and_in_no_sentence():
    row = ROW | {"gross": 6000.0, "other_reductions": 0.01}
    assert "no discount explains" not in from_gross_to_net(row, "EUR")
    assert "less other reductions" in rungs_of(row, "EUR")["rung"]


def test_without_gross_there_are_no_shares():
    nothing = dict.fromkeys(RUNGS, 0.0) | {"refunds": 5.0, "net_revenue": -5.0, "contribution": float("nan")}
    assert from_gross_to_net(nothing, "EUR") == (
        "Of **EUR 0.00 gross**, EUR 0.00 was discount and EUR 5.00 went back: EUR -5.00 net; no margin is given."
    )
    assert set(rungs_of(nothing, "EUR")["share of gross"]) == {"–"}


@pytest.mark.parametrize(
    ("row", "rungs", "last"),
    [
        pytest.param(ROW, 7, "no margin given", id="no margin"),
        pytest.param(ROW | {"contribution": 10.0, "other_reductions": 0.0}, 6, "EUR 10.00", id="a margin"),
        pytest.param(None, 6, "–", id="no row"),
    ],
)
def test_the_rungs_stand_one_below_the_other(row, rungs, last):
    told = rungs_of(row, "EUR")
    assert (len(told["rung"]), told["amount"][-1]) == (rungs, last)
    if row:
        assert told["amount"][:2] == ["EUR 60.00", "EUR -6.00"]
        assert told["share of gross"][:2] == ["100.0 %", "-10.0 %"]
        assert [cell.values for cell in told["amount"][:2]] == [(60.0,), (-6.0,)]
        assert [cell.values for cell in told["share of gross"][:2]] == [(1.0,), (-0.1,)]


def test_a_row_of_the_fixture_reads_as_it_is(shop):
    week = shop.week("last")
    row = to_frame(order_ladder(shop.orders, shop.refunds, periods=[week], as_of=week.end_at, margin=0.5)).iloc[0]
    assert Decimal(str(row.contribution)) == Decimal(str(row.net_revenue)) / 2
    assert f"EUR {row.gross:,.2f} gross" in from_gross_to_net(row, "EUR")
