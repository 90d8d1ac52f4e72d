"""The past loaded again: a shop as of a day knows only what had been received by the end of that day."""

from datetime import date

import pytest
from ibis import _

from ecomkit.pipeline.build_log import NOT_YET_KNOWN
from ecomkit.schemas import CANONICAL
from ecomkit.shop import open_shop
from tests.calls import identify, order, page, server, track
from tests.conftest import TOML
from tests.tables import rows

AS_OF = date(2026, 10, 3)
KNOWN = (
    page("d1", "2026-10-01T10:00:00Z"),
    track("Order Completed", "d1", "2026-10-01T10:10:00Z", **order("o1")),
    page("d2", "2026-10-03T23:59:59Z"),
)
LATER = (
    # It happened before, and came after: the end of the day is the first instant not known.
    {**page("d1", "2026-10-01T10:20:00Z"), "receivedAt": "2026-10-04T00:00:00Z"},
    identify("ana", "d1", "2026-10-05T09:00:00Z", email="ana@x.example"),
    identify("ana", "d2", "2026-10-06T09:00:00Z"),
    server("Order Refunded", "2026-10-06T10:00:00Z", user="ana", order_id="o1", total=10.0),
)


@pytest.fixture
def then(make_shop):
    """The shop of all calls as of the third, and the shop of nothing but what was known then."""
    return open_shop(make_shop(*KNOWN, *LATER, name="all"), as_of=AS_OF), open_shop(make_shop(*KNOWN, name="early"))


@pytest.mark.slow
def test_every_table_is_that_of_the_calls_received_by_then(then):
    assert [row["person_id"] for row in rows(then[0].people)] == ["visitor:d1", "visitor:d2"]
    for name in CANONICAL.keys() - {"build_log", "row_reasons"}:
        ours, theirs = (sorted(map(str, rows(shop.con.table(name)))) for shop in then)
        assert ours == theirs, name
    # What came later is excluded by name, and counted.
    as_of, _early = then
    [reason] = rows(as_of.row_reasons.filter(_.reason == NOT_YET_KNOWN))
    assert (reason["outcome"], reason["rows"]) == ("excluded", len(LATER))
    [log] = rows(as_of.build_log.filter(_.step == "read calls"))
    assert (log["rows_in"], log["rows_out"], log["rows_excluded"]) == (7, 3, 4)


@pytest.mark.slow
def test_all_that_is_known_today_merges_both_devices(make_shop):
    folder = make_shop(*KNOWN, *LATER)
    assert [row["person_id"] for row in rows(open_shop(folder).people)] == ["user:ana"]
    # A past day opened beside it leaves the shop of today where it is.
    today = sorted(path.name for path in (folder.parent / "store" / "shops").glob("*.duckdb"))
    open_shop(folder, as_of=AS_OF)
    assert set(today) < {path.name for path in (folder.parent / "store" / "shops").glob("*.duckdb")}


FILES = """
[[source]]
kind = "order_files"
path = "orders.csv"
format = "shopify"
[[source]]
kind = "ad_spend"
platform = "facebook"
path = "spend.csv"
"""


@pytest.mark.slow
def test_rows_of_files_count_from_their_own_time(make_shop):
    orders = (
        "Name,Email,Financial Status,Created at,Lineitem name,Lineitem price,Lineitem quantity,Currency,Subtotal,"
        "Total,Cancelled at\n"
        "#1,,paid,2026-10-02 10:00:00 +0000,Tea,5.00,1,EUR,5.00,5.00,2026-10-05 10:00:00 +0000\n"
        "#2,,paid,2026-10-04 00:00:00 +0000,Tea,5.00,1,EUR,5.00,5.00,\n"
    )
    spend = "date,campaign_id,campaign_name,spend\n2026-10-03,c1,Tea,4.00\n2026-10-04,c1,Tea,5.00\n"
    shop = open_shop(
        make_shop(*KNOWN[:1], toml=TOML + FILES, files={"orders.csv": orders, "spend.csv": spend}), as_of=AS_OF
    )
    assert [(row["order_id"], row["status"]) for row in rows(shop.orders)] == [("1", "completed")]
    assert [row["date"] for row in rows(shop.ad_spend)] == [date(2026, 10, 3)]
    left_out = rows(shop.row_reasons.filter(_.reason == NOT_YET_KNOWN).select("step", "rows").order_by("step"))
    assert left_out == [{"step": "read ad spend", "rows": 1}, {"step": "read order lines", "rows": 1}]
