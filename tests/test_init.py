"""`ecomkit init`: what is found, what the shop.toml says, and that it builds to the numbers of one written by hand."""

import gzip
import json
import shutil

import duckdb
import pytest

from ecomkit.errors import SourceError, UsageError
from ecomkit.init import start_shop
from ecomkit.settings import load_settings
from ecomkit.shop import ROOT, open_shop
from ecomkit.simulate import simulate
from tests.calls import identify, order, page, server, track
from tests.shopify import export
from tests.shopify import order as shopify_order

ORDERS = "Invoice No;Invoice Date;Customer;Stock Code;Qty;Unit Price;Colour\n"


@pytest.fixture
def place(tmp_path, own_store):
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


def fill(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def lines(*calls):
    return "".join(json.dumps(call) + "\n" for call in calls)


def rows(table):
    return table.order_by(table.columns[0]).to_pyarrow().to_pylist()


def calls():
    made = [page("d1", path=f"/{number}") for number in range(19)]
    elsewhere = page("d1")
    elsewhere["context"]["page"]["url"] = "https://preview.example/"
    bought = track("Order Completed", "d1", at="2026-10-01T10:05:00Z", user="u1", **order("o1", revenue=10))
    bought["context"]["timezone"] = "Europe/Paris"
    made[0]["context"]["timezone"] = made[1]["context"]["timezone"] = "Asia/Tokyo"
    staff = identify("u2", "d2", email="bo@shop.example")
    test = server("Order Completed", user="u2", **order("TEST-1", revenue=10))
    return [*made, elsewhere, bought, staff, test]


def test_calls_tell_hosts_zone_currency_money_and_whom_to_exclude(place):
    fill(place, {"calls.ndjson": lines(*calls())})
    start = start_shop(str(place))
    assert start.path.read_text() == (
        "# Written by 'ecomkit init' from what lies here. Correct what it could not tell.\n"
        "\n"
        "[shop]\n"
        'name = "place"\n'
        'time_zone = "Europe/Paris"  # of 100% of the calls of orders that name a zone\n'
        'currency = "EUR"  # of 100% of the orders that name one\n'
        'own_hosts = ["shop.example", "preview.example"]  # of the pages: shop.example 95%, preview.example 5%\n'
        "\n"
        "[[source]]\n"
        'kind = "segment_files"\n'
        'path = "calls.ndjson"\n'
        "\n"
        "[money]\n"
        '# "calls.ndjson": after_discount (2 of 2 orders looked at fit it)\n'
        'rule = "detect"\n'
        "\n"
        "[exclude]\n"
        '# staff = ["@shop.example"]  # 1 calls looked at have an address of the shop\'s own\n'
        '# test_orders = ["^TEST-"]  # 1 orders looked at are named so\n'
    )
    assert start.sources == (("calls.ndjson", "Segment calls, 1 file, 23 calls looked at"),)
    assert (start.unclear, start.unused) == ((), ())
    assert "bo@" not in start.path.read_text()


@pytest.mark.slow
def test_calls_are_known_in_each_form_they_are_kept_in(place):
    first, second, third = [page("d1"), page("d2")], [page("d3")], [page("d4")]
    captured = {"method": "POST", "path": "/v1/batch", "headers": {}, "body": {"batch": second}}
    browser = {"method": "POST", "path": "/v1/p", "headers": {}, "body": third[0]}
    fill(
        place,
        {
            "flat.ndjson": lines(*first),
            "body.json": json.dumps({"batch": [page("d5")], "sentAt": "2026-10-01T10:00:00Z"}),
            "capture.json": json.dumps(captured, indent=2),
            "browser.json": json.dumps(browser, indent=2),
            "old.gz": gzip.compress(lines(page("d6")).encode()),
            "package.json": '{"name": "theme", "type": "module"}',
        },
    )
    start = start_shop(str(place))
    assert [source[0] for source in start.sources] == [
        "body.json", "browser.json", "capture.json", "flat.ndjson", "old.gz",
    ]  # fmt: skip
    assert start.unused == ("package.json",)
    visitors = {row["person_id"] for row in rows(open_shop(place).people)}
    assert visitors == {f"visitor:d{number}" for number in range(1, 7)}


def test_an_archive_of_days_is_one_source_and_folders_of_senders_are_several(place):
    fill(place, {f"logs/web/{day}/a.gz": gzip.compress(lines(page("d1")).encode()) for day in (1700000000000, 17001)})
    fill(place, {"logs/server/1/a.gz": gzip.compress(lines(server("X", user="u")).encode())})
    assert [entry for entry, _what in start_shop(str(place / "logs"), into=place / "senders").sources] == [
        "../logs/server/", "../logs/web/",
    ]  # fmt: skip
    [(archive, what)] = start_shop(str(place / "logs" / "web")).sources
    assert (archive, what) == (".", "Segment calls, 2 files, 2 calls looked at")
    assert load_settings(place / "logs" / "web" / "shop.toml").sources[0].name == "segment"


@pytest.mark.slow
def test_a_made_up_shop_has_the_numbers_of_its_own_toml(tmp_path, own_store):
    by_hand, found = tmp_path / "by_hand", tmp_path / "found"
    simulate(by_hand, seed=3, customers=30, months=3)
    shutil.copytree(by_hand, found)
    (found / "shop.toml").unlink()
    start = start_shop(str(found))
    assert [what for _place, what in start.sources][1:] == ["ad spend of facebook", "ad spend of google"]
    assert start.unclear == ("the time zone of the shop's days: 'time_zone' is UTC until you name it",)
    # The reader does what the page asks for: names the zone, and takes the hints.
    text = start.path.read_text().replace('"UTC"', '"America/New_York"')
    start.path.write_text(text.replace("# staff", "staff").replace("# test_orders", "test_orders"))
    one, other = open_shop(by_hand), open_shop(found)
    for name in ("orders", "order_lines", "refunds"):
        assert rows(getattr(one, name)) == rows(getattr(other, name))
    # The shop's own rule for a channel is nothing that data tell.
    assert rows(one.people.drop("first_channel")) == rows(other.people.drop("first_channel"))
    spent = [shop.ad_spend.spend.sum().to_pyarrow().as_py() for shop in (one, other)]
    assert spent[0] == spent[1]


@pytest.mark.parametrize("example", ["cdnow", "online_retail"])
def test_an_examples_columns_are_found_as_they_were_mapped_by_hand(tmp_path, example):
    [by_hand] = load_settings(ROOT / "examples" / example / "shop.toml").sources
    if not by_hand.path.exists():
        pytest.skip(f"'{by_hand.path.name}' is not here: examples/{example}/README.md says how to fetch or make it")
    start = start_shop(str(ROOT / "examples" / example), into=tmp_path / "mine")
    [found] = load_settings(start.path).sources
    assert found.path.resolve() == by_hand.path.resolve()
    assert found.options["columns"] == by_hand.options["columns"]
    assert found.options.get("refund_prefix") == by_hand.options.get("refund_prefix")


def test_order_lines_are_mapped_and_what_is_unclear_is_said(place):
    rows_ = "1;2026-07-01;7;A;2;1.50;red\n1;2026-07-01;7;POST;1;4.00;\nC2;2026-07-02;7;A;-1;1.50;red\n"
    fill(place, {"orders.csv": ORDERS + rows_})
    start = start_shop(str(place / "orders.csv"))
    assert start.path == place / "shop.toml"
    source = start.path.read_text().split("[[source]]\n")[1].split("\n\n[money]")[0]
    assert source == (
        '# shipping_codes = ["POST"]  # looks like postage, not a product\n'
        'kind = "order_files"\n'
        'path = "orders.csv"\n'
        'refund_prefix = "C"\n'
        "\n"
        "[source.columns]\n"
        'order_id = "Invoice No"\n'
        'ordered_at = "Invoice Date"\n'
        'customer_id = "Customer"\n'
        'product_id = "Stock Code"\n'
        'unit_price = "Unit Price"\n'
        'quantity = "Qty"'
    )
    assert start.unclear == (
        "what the columns Colour of orders.csv are; they are not read",
        "the time zone of the shop's days: 'time_zone' is UTC until you name it",
        "the shop's currency: 'currency' is EUR until you name it",
    )
    shop = open_shop(place)
    assert [float(row["revenue"]) for row in rows(shop.orders)] == [7]
    assert [float(row["amount"]) for row in rows(shop.refunds)] == [1.5]


@pytest.mark.slow
def test_an_export_of_shopify_ad_spend_and_rates_are_known_by_their_header(place):
    fill(
        place,
        {
            "shopify/orders_export_1.csv": export(shopify_order("#1", ("TEE", 1, 5.0))),
            "shopify/orders_export_2.csv": export(shopify_order("#2", ("TEE", 1, 7.0), Currency="USD")),
            "rates.csv": "date,currency,rate\n2026-03-02,USD,0.5\n",
            "meta_ads.csv": "Day,Campaign name,Amount spent (EUR),Impressions\n2026-03-02,Spring,3.50,100\n",
            "notes.csv": "who,what\na,b\n",
        },
    )
    start = start_shop(str(place))
    assert start.sources == (
        ("meta_ads.csv", "ad spend of facebook"),
        ("shopify", "Shopify's orders export, 2 files"),
    )
    assert start.unused == ("notes.csv (columns who, what)",)
    settings = load_settings(start.path)
    assert (settings.currency, settings.rates.name) == ("EUR", "rates.csv")
    shop = open_shop(place)
    assert [float(row["revenue"]) for row in rows(shop.orders)] == [5, 3.5]
    assert [(row["platform"], float(row["spend"])) for row in rows(shop.ad_spend)] == [("facebook", 3.5)]
    assert "ada@" not in start.path.read_text()


def test_spend_in_a_currency_without_rates_is_asked_about(place):
    fill(place, {"calls.ndjson": lines(*calls()), "ads.csv": "date,campaign_id,Cost (USD)\n2026-03-02,1,5\n"})
    assert start_shop(str(place)).unclear == (
        "the platform of ads.csv: its name tells none, so its own name stands in shop.toml",
        "what USD is worth: name a file with columns date, currency, rate as 'rates' in [money]",
    )


def test_tables_of_a_duckdb_file_are_a_source(place):
    with duckdb.connect(str(place / "warehouse.duckdb")) as con:
        con.execute("CREATE SCHEMA web; CREATE SCHEMA facebook_ads; CREATE SCHEMA hr")
        con.execute("CREATE TABLE web.tracks (id TEXT, event TEXT)")
        con.execute("CREATE TABLE web.pages AS SELECT 'm' AS id, 'https://shop.example/' AS context_page_url")
        con.execute(
            "CREATE TABLE web.order_completed AS "
            "SELECT 'GBP' AS currency, 'Europe/London' AS context_timezone, 'TEST1' AS order_id"
        )
        con.execute("CREATE TABLE facebook_ads.insights (ad_id TEXT); CREATE TABLE hr.people (name TEXT)")
    start = start_shop(str(place / "warehouse.duckdb"))
    assert start.sources == (
        ("warehouse.duckdb web", "Segment's tables in 1 schema"),
        ("warehouse.duckdb facebook_ads", "ad spend of facebook, in Segment's tables"),
    )
    assert start.unused == ("schema hr",)
    settings = load_settings(start.path)
    assert (settings.currency, settings.time_zone) == ("GBP", "Europe/London")
    assert settings.own_hosts == ("shop.example",)
    assert [source.url for source in settings.sources] == [f"duckdb://{place / 'warehouse.duckdb'}"] * 2


def test_a_shop_toml_is_not_written_over(place):
    fill(place, {"shop.toml": "mine", "calls.ndjson": lines(page("d1"))})
    with pytest.raises(UsageError) as caught:
        start_shop(str(place))
    assert str(caught.value) == (
        f"'{place / 'shop.toml'}' is there already and is not written over. "
        "Remove it, or name another folder with --into."
    )
    assert (place / "shop.toml").read_text() == "mine"


def test_where_nothing_is_found_the_message_says_what_was_there_and_what_would_be_read(place):
    fill(place, {"readme.txt": "hello", "empty.csv": "", "broken.csv.gz": b"\x1f\x8b\x08broken"})
    with pytest.raises(SourceError) as caught:
        start_shop(str(place))
    assert str(caught.value) == (
        f"'{place}' holds nothing that the kit can read. It has 'broken.csv.gz (cannot be read)', "
        "'empty.csv (columns )', 'readme.txt'. The kit reads Segment calls (newline JSON, gzipped or not, HTTP "
        "bodies), order lines and ad spend (CSV or Parquet with a header), Shopify's orders export, and the tables of "
        "Segment's warehouses."
    )
    assert not (place / "shop.toml").exists()


def test_a_place_that_is_not_there_and_a_secret_in_a_url_are_refused(tmp_path):
    with pytest.raises(UsageError) as caught:
        start_shop(str(tmp_path / "none"))
    assert str(caught.value) == (
        f"There is no file or folder '{tmp_path / 'none'}'. Name a folder, a file, or a database such as "
        "'postgres://host/database'."
    )
    with pytest.raises(UsageError) as caught:
        start_shop("postgres://ada:s3cret@host/shop", into=tmp_path)
    assert str(caught.value) == (
        "The url holds a password or another secret, which would land in shop.toml. Take it out, and give it by "
        "the environment (PGPASSWORD), in .pgpass or as application default credentials."
    )


def test_names_from_outside_cannot_break_out_of_the_toml(place):
    fill(place, {'a "b"\n]# .csv': 'order "id",date,price\n1,2026-07-01,5\n'})
    start = start_shop(str(place))
    [source] = load_settings(start.path).sources
    assert source.path.name == 'a "b"\n]# .csv'
    assert source.options["columns"]["order_id"] == 'order "id"'
