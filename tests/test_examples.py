"""The two real shops: CDNOW's published parameters, and a gift shop's books counted a second way."""

import importlib.util
import shutil
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from ecomkit import shop as shops
from ecomkit.frames import to_frame
from ecomkit.metrics.clv_summary import clv_summary
from ecomkit.metrics.sales import net_revenue, sales
from ecomkit.models.clv import fit_clv
from ecomkit.periods import day_start
from ecomkit.settings import load_settings

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
REAL_FILES = (
    EXAMPLES / "online_retail" / "online_retail.parquet",
    ROOT.parent / "shared" / "data" / "online_retail.parquet",
)
CENT = Decimal("0.01")
ABSENT = "the real file is not here: examples/online_retail/README.md says where to get online_retail.parquet"


def script(name, example):
    """Import a script of an example, which is in no package."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / example / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


make_orders = script("make_orders", "cdnow")
make_sample = script("make_sample", "online_retail")


def opened(example, folder):
    """Build an example in a folder of its own, beside the data that the test put there."""
    shutil.copy(EXAMPLES / example / "shop.toml", folder / "shop.toml")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shops, "STORE", folder / "store")
        return shops.open_shop(folder)


@pytest.fixture(scope="module")
def cdnow(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cdnow")
    assert make_orders.write_orders(folder / "orders.csv") == 6_919
    return opened("cdnow", folder)


@pytest.fixture(scope="module", params=["sample", "real"])
def books(request, tmp_path_factory):
    """Return the gift shop, opened, and its lines counted by pandas in thousandths of a pound."""
    folder = tmp_path_factory.mktemp(request.param)
    path = folder / "online_retail.parquet"
    if request.param == "sample":
        make_sample.write_sample(path)
    else:
        found = [file for file in REAL_FILES if file.is_file()]
        if not found:
            pytest.skip(ABSENT)
        path.symlink_to(found[0].resolve())
    lines = pd.read_parquet(path)
    assert len(lines) == {"sample": 2_000, "real": 541_909}[request.param]
    return opened("online_retail", folder), judged(lines)


def judged(lines):
    """Sort the lines by the README's table."""
    settings = load_settings(EXAMPLES / "online_retail" / "shop.toml")
    options = settings.sources[0].options
    taken_back = lines.InvoiceNo.str.startswith(options["refund_prefix"])
    shipping = lines.StockCode.isin(options["shipping_codes"])
    other = lines.StockCode.isin(options["not_products"])
    goods = ~shipping & ~other
    kind = pd.Series("stock correction", index=lines.index)
    kind[goods & ~taken_back & (lines.Quantity >= 0)] = "order"
    kind[goods & taken_back] = "refund"
    kind[shipping & ~taken_back] = "shipping"
    kind[shipping & taken_back] = "shipping sent back"
    kind[other] = "not a product"
    thousandths = (lines.UnitPrice * 1000).astype("int64") * lines.Quantity
    return lines.assign(kind=kind, amount=thousandths)


def pounds(thousandths):
    """Return a sum to the cent: some prices have tenths of a penny."""
    return (Decimal(int(thousandths)) / 1000).quantize(CENT)


def one(table, **values):
    """Return the values of an aggregation as a row."""
    [row] = table.aggregate(**values).to_pyarrow().to_pylist()
    return row


def test_cdnow_has_the_rows_that_its_readme_tells_of(cdnow):
    orders = to_frame(cdnow.orders)
    assert (len(orders), orders.customer_id.nunique(), (orders.revenue == 0).sum()) == (6_919, 2_357, 8)
    assert round(orders.revenue.sum(), 2) == 244_091.94
    days = orders.ordered_at.dt.tz_convert(cdnow.zone).dt.date
    assert len(orders) - len(set(zip(orders.customer_id, days, strict=True))) == 223
    assert (str(cdnow.first_day), str(cdnow.data_end)) == ("1997-01-01", "1998-07-01")


def test_cdnow_from_the_raw_log_through_the_pipeline_gives_the_published_parameters(cdnow):
    as_of = day_start(pd.Timestamp("1997-10-01").date(), cdnow.zone)
    summary = to_frame(clv_summary(cdnow.orders, cdnow.refunds, as_of=as_of, zone=cdnow.zone))
    bg, mbg = fit_clv(summary, model="bg").params, fit_clv(summary, model="mbg").params
    assert [round(bg[name], 3) for name in ("r", "a", "b")] == [0.243, 0.793, 2.426]
    assert round(bg["alpha"] / 7, 3) == 4.414
    assert [round(mbg[name], 3) for name in ("r", "a", "b")] == [0.525, 0.891, 1.614]
    assert round(mbg["alpha"] / 7, 3) == 6.183
    assert [round(bg[name], 2) for name in ("p", "q", "gamma")] == [6.25, 3.74, 15.44]


def test_every_line_of_the_books_is_kept_or_set_apart_with_its_reason(books):
    shop, lines = books
    steps = to_frame(shop.build_log).set_index("step").loc["read order lines"]
    parts = steps[["rows_out", "rows_excluded", "duplicates", "rows_quarantined"]].sum()
    assert steps.rows_in == parts == len(lines)
    assert steps.rows_out == lines.kind.isin(["order", "refund", "shipping"]).sum()
    assert steps.rows_quarantined == 0


def test_what_is_no_product_is_listed_with_its_rows_and_money(books):
    shop, lines = books
    listed = {row["reason"]: (row["rows"], row["amount"]) for row in shop.row_reasons.to_pyarrow().to_pylist()}
    groups = lines[lines.kind == "not a product"].groupby("StockCode").amount.agg(["size", "sum"])
    assert len(groups) > 0
    for code, group in groups.iterrows():
        rows, amount = listed[f"not a product: {code}"]
        assert (rows, amount.quantize(CENT)) == (group["size"], pounds(group["sum"])), code
    corrections = (lines.kind == "stock correction").sum()
    assert listed["negative quantity outside a refund"] == (corrections, 0)


def test_orders_and_revenue_tie_to_a_second_count_to_the_cent(books):
    shop, lines = books
    bought = lines[lines.kind.isin(["order", "shipping"])]
    revenue, shipping = (pounds(lines.amount[lines.kind == kind].sum()) for kind in ("order", "shipping"))
    orders = shop.orders
    totals = one(orders, orders=orders.count(), revenue=orders.revenue.sum(), shipping=orders.shipping.sum())
    assert totals == {"orders": bought.InvoiceNo.nunique(), "revenue": revenue, "shipping": shipping}
    of_lines = one(shop.order_lines, revenue=shop.order_lines.line_revenue.sum(), lines=shop.order_lines.count())
    assert of_lines == {"revenue": revenue, "lines": (lines.kind == "order").sum()}


def test_guests_are_in_revenue_and_in_no_customer_metric(books):
    shop, lines = books
    bought = lines[lines.kind.isin(["order", "shipping"])]
    guests = bought[bought.CustomerID.isna()].InvoiceNo.nunique()
    assert one(shop.orders, guests=shop.orders.customer_id.isnull().sum())["guests"] == guests > 0
    period = shop.week("2011-W47")
    assert shop.contents(period)["guest_orders"] == guests
    summary = clv_summary(shop.orders, shop.refunds, as_of=shop.week("2012-W01").end_at, zone=shop.zone)
    assert one(summary, customers=summary.count())["customers"] == bought.CustomerID.nunique()


def test_refunds_are_matched_to_the_latest_earlier_order_of_that_customer_and_product(books):
    shop, lines = books
    returned = lines[lines.kind == "refund"].sort_values("InvoiceDate", kind="stable")
    sold = lines[(lines.kind == "order") & lines.CustomerID.notna()].sort_values("InvoiceDate", kind="stable")
    met = pd.merge_asof(
        returned[returned.CustomerID.notna()],
        sold[["InvoiceDate", "CustomerID", "StockCode", "InvoiceNo"]].rename(columns={"InvoiceNo": "bought_in"}),
        on="InvoiceDate",
        by=["CustomerID", "StockCode"],
        allow_exact_matches=False,
    )
    matched = pounds(-met.amount[met.bought_in.notna()].sum())
    total = pounds(-returned.amount.sum())
    refunds = shop.refunds
    found = one(refunds, total=refunds.amount.sum(), matched=refunds.amount.sum(where=refunds.order_id.notnull()))
    assert found == {"total": total, "matched": matched}
    assert 0.5 < matched / total < 1
    refund_lines = one(shop.refund_lines, lines=shop.refund_lines.count())["lines"]
    assert refund_lines == len(returned)


def test_net_revenue_of_the_books_is_revenue_less_refunds_on_their_own_days(books):
    shop, lines = books
    as_of = shop.week("2012-W01").end_at
    goods = lines[lines.kind.isin(["order", "refund"])]
    bookings = net_revenue(shop.orders, shop.refunds, as_of=as_of, view="cash")
    assert one(bookings, total=bookings.amount.sum())["total"] == pounds(goods.amount.sum())
    weeks = sales(shop.orders, shop.refunds, zone=shop.zone, as_of=as_of)
    weeks = {row["week"]: row["net_revenue"] for row in weeks.to_pyarrow().to_pylist()}
    by_week = goods.groupby(goods.InvoiceDate.dt.to_period("W").dt.start_time.dt.date).amount.sum()
    assert {week: pounds(amount) for week, amount in by_week.items()} == {
        week: amount for week, amount in weeks.items() if week in by_week.index
    }


def test_the_sample_is_the_same_on_every_run_and_holds_every_trouble():
    rows = make_sample.sample_rows()
    assert rows == make_sample.sample_rows()
    lines = judged(pd.DataFrame(rows))
    assert set(lines.kind) == {
        "order",
        "refund",
        "shipping",
        "shipping sent back",
        "not a product",
        "stock correction",
    }
    assert {"POST", "DOT", "M", "D", "BANK CHARGES", "AMAZONFEE"} <= set(lines.StockCode)
    assert lines.CustomerID.isna().any()
    assert ((lines.UnitPrice == 0) & (lines.kind == "order")).any()
    assert lines.duplicated().any()
