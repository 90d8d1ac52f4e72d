import pytest
from ibis import _

from ecomkit.errors import SourceError
from ecomkit.shop import open_shop
from tests.calls import order, server
from tests.tables import rows

TOML = """
[shop]
name = "Orders only"
time_zone = "Europe/London"
currency = "GBP"
[[source]]
kind = "order_files"
path = "orders.csv"
refund_prefix = "C"
shipping_codes = ["POST"]
not_products = ["FEE"]
[source.columns]
order_id = "Invoice"
ordered_at = "Date"
customer_id = "Customer"
product_id = "Code"
quantity = "Qty"
unit_price = "Price"
"""
HEADER = "Invoice,Date,Customer,Code,Qty,Price\n"


def shop_of(make_shop, lines, toml=TOML):
    return open_shop(make_shop(toml=toml, files={"orders.csv": HEADER + lines}))


def test_lines_become_orders_in_local_time_with_shipping_apart(make_shop):
    shop = shop_of(make_shop, "1,2026-07-01 00:30:00,7.0,A,2,1.50\n1,2026-07-01 00:30:00,7.0,POST,1,4.00\n")
    [row] = rows(shop.orders)
    assert row["ordered_at"].isoformat() == "2026-06-30T23:30:00+00:00"
    assert (row["customer_id"], float(row["revenue"]), float(row["shipping"])) == ("user:7", 3.0, 4.0)
    assert len(rows(shop.order_lines)) == 1
    assert [row["person_id"] for row in rows(shop.people)] == ["user:7"]


def test_a_refund_goes_to_the_customers_latest_earlier_order_with_that_product(make_shop):
    shop = shop_of(
        make_shop,
        "1,2026-07-01,7,A,1,5\n2,2026-07-02,7,A,1,5\n3,2026-07-04,7,A,1,5\nC9,2026-07-03,7,A,-1,5\n"
        "C10,2026-07-05,7,B,-1,2\n4,2026-07-01,,A,1,5\nC11,2026-07-05,,A,-1,5\n",
    )
    found = {row["refund_id"]: (row["order_id"], float(row["amount"])) for row in rows(shop.refunds)}
    assert found == {"C9:2": ("2", 5.0), "C10:unmatched": (None, 2.0), "C11:unmatched": (None, 5.0)}
    status = {row["order_id"]: row["status"] for row in rows(shop.orders)}
    assert status == {"1": "completed", "2": "refunded", "3": "completed", "4": "completed"}


@pytest.mark.slow
def test_guests_count_in_orders_and_have_no_customer(make_shop):
    shop = shop_of(make_shop, "1,2026-07-01,,A,1,5\n")
    [row] = rows(shop.orders)
    assert (row["customer_id"], row["order_number"], float(row["revenue"])) == (None, None, 5.0)


@pytest.mark.slow
def test_rows_that_are_no_trade_are_set_apart_with_their_money(make_shop):
    shop = shop_of(make_shop, "1,2026-07-01,7,A,1,5\n1,2026-07-01,7,FEE,1,9\n1,2026-07-01,7,A,-3,0\n")
    reasons = {row["reason"]: (row["rows"], float(row["amount"])) for row in rows(shop.row_reasons)}
    assert reasons == {"not a product: FEE": (1, 9.0), "negative quantity outside a refund": (1, 0.0)}
    assert float(rows(shop.orders)[0]["revenue"]) == 5


@pytest.mark.slow
def test_unusable_rows_are_quarantined_with_their_line(make_shop):
    shop = shop_of(make_shop, "1,2026-07-01,7,A,1,5\n2,soon,7,A,1,5\n3,2026-07-01,7,A,many,5\n4,2026-07-01,7,A,1,\n")
    found = [(row["line_number"], row["reason"]) for row in rows(shop.quarantine)]
    assert found == [(3, "no readable time"), (4, "no readable quantity"), (5, "no readable price")]
    [step] = rows(shop.build_log.filter(_.step == "read order lines"))
    assert (step["rows_in"], step["rows_out"], step["rows_quarantined"]) == (4, 1, 3)


@pytest.mark.slow
def test_an_unknown_column_in_the_mapping_names_all_offenders(make_shop):
    toml = TOML.replace('"Qty"', '"Quantity"').replace("product_id =", "product =")
    with pytest.raises(SourceError) as caught:
        shop_of(make_shop, "1,2026-07-01,7,A,1,5\n", toml=toml)
    path = str(caught.value).split("'")[1]
    assert str(caught.value) == (
        f"The columns of '{path}' (source 'orders') do not fit: "
        "'product' is not a name the kit knows. Did you mean 'product_id'? "
        "the file has no column 'Quantity' for 'quantity'. "
        "The kit knows 'order_id', 'customer_id', 'ordered_at', 'product_id', 'sku', 'name', 'category', 'brand', "
        "'variant', 'unit_price', 'quantity', 'line_total', 'discount', 'shipping', 'tax', 'currency', 'coupon', "
        "'country'. "
        "The file has 'Invoice', 'Date', 'Customer', 'Code', 'Qty', 'Price'. "
        "Correct the columns of this source in shop.toml."
    )


@pytest.mark.slow
def test_a_missing_or_empty_file_says_so(make_shop):
    folder = make_shop(toml=TOML)
    with pytest.raises(SourceError, match=r"^There is no file '.*orders\.csv' \(source 'orders'\)\. Correct 'path'"):
        open_shop(folder)
    (folder / "orders.csv").write_text("")
    with pytest.raises(SourceError, match=r"^The file '.*orders\.csv' \(source 'orders'\) is empty\. Export it again"):
        open_shop(folder)


@pytest.mark.slow
def test_ad_spend_has_channel_purpose_and_restated_rows_count_once(make_shop):
    spend = '[[source]]\nkind = "ad_spend"\nplatform = "facebook"\npath = "ads.csv"\n'
    toml = TOML + spend + '[spend]\nretargeting = ["*remark*"]\n'
    ads = (
        "date,campaign_id,campaign_name,spend\n2026-07-01,1,Summer,5\n2026-07-01,1,Summer,7\n"
        "2026-07-01,2,A remarketing,1\nx,3,y,1\n"
    )
    folder = make_shop(toml=toml, files={"orders.csv": HEADER + "1,2026-07-01,7,A,1,5\n", "ads.csv": ads})
    shop = open_shop(folder)
    found = [(row["campaign_id"], float(row["spend"]), row["channel"], row["purpose"]) for row in rows(shop.ad_spend)]
    assert found == [("1", 7.0, "Paid Social", "prospecting"), ("2", 1.0, "Paid Social", "retargeting")]
    [step] = rows(shop.build_log.filter(_.step == "read ad spend"))
    assert (step["rows_in"], step["rows_out"], step["duplicates"], step["rows_quarantined"]) == (4, 2, 1, 1)


@pytest.mark.slow
def test_an_order_that_calls_sent_already_counts_once(make_shop):
    from tests.calls import order, server

    toml = TOML + '[[source]]\nkind = "segment_files"\npath = "calls.ndjson"\n'
    call = server("Order Completed", user="7", **order("1", revenue=5.0, currency="GBP"))
    shop = open_shop(
        make_shop(call, toml=toml, files={"orders.csv": HEADER + "1,2026-07-01,7,A,1,5\n2,2026-07-02,7,A,1,5\n"})
    )
    found = {row["order_id"]: row["money_rule"] for row in rows(shop.orders)}
    assert list(found) == ["2", "1"]
    [step] = rows(shop.build_log.filter(_.step == "orders"))
    assert (step["rows_in"], step["rows_out"], step["duplicates"]) == (3, 2, 1)


@pytest.mark.slow
def test_offsets_of_every_spelling_count_and_a_date_is_no_offset(make_shop):
    times = ("2026-07-01 12:00:00+00", "2026-07-01 12:00:00 UTC", "2026-07-01T14:00:00+02:00", "2026-07-01")
    shop = shop_of(make_shop, "".join(f"{n},{at},7,A,1,5\n" for n, at in enumerate(times)))
    found = [row["ordered_at"].isoformat() for row in rows(shop.orders.order_by("order_id"))]
    assert found == ["2026-07-01T12:00:00+00:00"] * 3 + ["2026-06-30T23:00:00+00:00"]


@pytest.mark.slow
def test_campaigns_without_an_id_go_by_their_name(make_shop):
    toml = TOML + '[[source]]\nkind = "ad_spend"\nplatform = "facebook"\npath = "ads.csv"\n'
    ads = 'date,campaign_name,spend\n2026-07-01,Summer,"5,50"\n2026-07-01,Winter,7\n2026-07-01,Winter,8\n'
    shop = open_shop(make_shop(toml=toml, files={"orders.csv": HEADER + "1,2026-07-01,7,A,1,5\n", "ads.csv": ads}))
    assert sorted(float(row["spend"]) for row in rows(shop.ad_spend)) == [5.5, 8.0]


@pytest.mark.slow
def test_half_a_metre_keeps_its_money(make_shop):
    shop = shop_of(make_shop, "1,2026-07-01,7,A,0.4,10\n")
    [line] = rows(shop.order_lines)
    assert (line["quantity"], float(line["line_gross"]), float(line["line_revenue"])) == (1, 4.0, 4.0)


def test_a_refund_that_calls_tell_of_counts_once_whatever_comes_first(make_shop):
    calls = [
        server("Order Completed", at="2026-07-01T10:00:00Z", user="7", **order("1", revenue=5.0, product="A")),
        server("Order Refunded", at="2026-07-03T09:00:00Z", user="7", order_id="1", total=5.0),
    ]
    toml = TOML + '[[source]]\nkind = "segment_files"\npath = "calls.ndjson"\n'
    files = {"orders.csv": HEADER + "1,2026-07-01 11:00:00,7,A,1,5\nC9,2026-07-03 11:00:00,7,A,-1,5\n"}
    shop = open_shop(make_shop(*calls, toml=toml.replace("GBP", "EUR"), files=files))
    assert [float(row["amount"]) for row in rows(shop.refunds)] == [5.0]
    again = shop.row_reasons.filter(_.reason == "refund that calls tell of")
    assert [(row["outcome"], row["rows"], float(row["amount"])) for row in rows(again)] == [("duplicate", 1, 5.0)]


def test_two_sources_may_read_one_file_in_different_ways(make_shop):
    source = '[[source]]\nkind = "ad_spend"\nname = "{0}"\nplatform = "{0}"\npath = "spend.csv"\n'
    source += 'columns = {{spend = "{0}"}}\n'
    toml = TOML + source.format("facebook") + source.format("google")
    files = {"orders.csv": HEADER + "1,2026-07-01,7,A,1,5\n", "spend.csv": "date,facebook,google\n2026-07-01,100,7\n"}
    shop = open_shop(make_shop(toml=toml, files=files))
    assert {row["platform"]: float(row["spend"]) for row in rows(shop.ad_spend)} == {"facebook": 100, "google": 7}
