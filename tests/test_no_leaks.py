"""No email address, name or phone is stored or published: some are planted everywhere, and everything is scanned."""

import json
import re
import sys

import duckdb
import pytest

from ecomkit import cli
from ecomkit.shop import build_shop
from tests.calls import identify, order, page, server, track
from tests.conftest import TOML
from tests.shopify import HEADER, export
from tests.shopify import order as shopify_order

SOURCES = """
[[source]]
kind = "order_files"
path = "orders.csv"
[[source]]
kind = "order_files"
format = "shopify"
path = "export.csv"
[[source]]
kind = "ad_spend"
platform = "facebook"
channel = "Paid Social"
path = "ads.csv"
"""
UNDATED = {"timestamp": "never", "receivedAt": None, "sentAt": None}
PHONES = [
    "+49 170 5550001", "+491705550002", "+49-170-555-0003", "+49 (170) 555 0004", "%2B491705550005",
    "%2B49%20170%205550006",
]  # fmt: skip


def address(place: str) -> str:
    """An address that names the place where it was planted."""
    return f"leak.{place}@private.example"


def quoted(place: str) -> str:
    return address(place).replace("@", "%40")


def loud(place: str) -> str:
    return address(place).upper()


def traits(place: str) -> dict:
    return {
        "email": loud(place),
        "firstName": "Leakfirst",
        "lastName": 'O"Leaklast',
        "last_name": "Leaklast",
        "name": "Leakfirst Leaklast",
        "phone": "+49 170 5550001",
        "address": {"street": "Leakstreet 1", "city": "Leaktown"},
    }


def calls() -> list:
    everywhere = {
        name: address(name)
        for name in (
            "title", "product_id", "sku", "name", "category", "brand", "variant", "coupon", "cart_id", "checkout_id",
            "list_id", "promotion_id", "coupon_id", "currency", "country", "affiliation", "share_message", "id",
            "email_id", "delivery_id", "newsletter_id", "campaign_name", "email_subject", "link_id", "customer_id",
        )
    }  # fmt: skip
    products = [everywhere | {"price": 5, "quantity": 2, "product_id": quoted("item"), "name": loud("item-name")}]
    campaign = {name: address(f"campaign.{name}") for name in ("name", "source", "medium", "term", "content", "id")}
    tags = "&".join(f"utm_{name}={quoted('tag.' + name)}" for name in ("source", "medium", "campaign", "term", "id"))
    found = [
        page(path=f"/u/{address('path')}", search=f"?email={quoted('search')}&phone={PHONES[4]}&{tags}"),
        page(path=f"/u/{quoted('quoted-path')}/x", referrer=f"https://other.example/{address('referrer')}?q=1"),
        page(path=f"/u/{loud('loud').replace('@', '%2540')}", referrer=f"https://o.example/?e={address('referrer.q')}"),
        page(device=address("device"), user=loud("user")),
        page(path="/müller.leakfirst@private.example"),
        track("Products Searched", query=f"shirt for {address('query')} or {PHONES[0]}"),
        *(track("Products Searched", query=f"call {phone}") for phone in PHONES),
        track("Product Viewed", **everywhere, price=3),
        track("Product Added", device="d2", **{name: quoted(name) for name in everywhere}),
        track("Product List Viewed", products=products, list_id=loud("list")),
        track(f"Signed up {address('event')}"),
        track("Email Opened", device=None, recipient=address("recipient"), link_url=f"mailto:{address('mailto')}"),
        track(
            "Email Link Clicked", **everywhere, link_url=f"https://shop.example/{address('link')}?e={quoted('link')}"
        ),
        identify(address("identify"), **traits("traits")),
        identify("u7", **traits("traits")) | {"context": {"traits": traits("context.traits"), "campaign": campaign}},
        server("Order Completed", email=address("server"), **order("o1", product="p1") | {"coupon": loud("coupon")}),
        server("Order Completed", user=address("buyer"), **order(address("order")) | {"products": products}),
        server("Order Completed", user="u8", **order(quoted("order")) | traits("properties") | {"currency": "EUR"}),
        server("Order Refunded", user="u8", order_id=address("order"), **traits("refund")),
        page() | {"messageId": address("message")},
        page() | {"type": "alias", "previousId": address("previous"), "userId": "u9"},
        page() | {"type": "group", "groupId": address("group"), "traits": traits("group")},
    ]
    return [*found, json.dumps({"batch": [json.loads(json.dumps(call)) for call in [*found[:4], *bad_calls()]]})]


def bad_calls() -> list:
    """Calls that are quarantined, whole JSON each."""
    undated = [identify(address("undated"), **traits("undated")) | UNDATED]
    # Names and phones in other types than text, and an address that JSON spells out.
    odd = traits("odd") | {"name": {"first": "Leakfirst"}, "phone": 491705550001, "firstName": ["Leakfirst"]}
    undated.append(identify("u", **odd) | UNDATED)
    return undated


def bad_lines() -> list[str]:
    whole = [json.dumps(call) for call in bad_calls()]
    spelled = [line.replace("@", "\\u0040") for line in whole]
    cut = [line[: line.index("Leak") + 6] for line in whole] + [line[:-10] for line in whole + spelled]
    loose = [
        f"no json: {address('loose')} {loud('loose')} {quoted('loose')}",
        f'{{"url": "https://shop.example/?phone={PHONES[4]}&name=Leakfirst&e={quoted("q")}", "phone": "+49 170"',
        "{'firstName': 'Leakfirst', 'phone': '+49 170 5550001'}",
        '{"first_name" : "Leakfirst", "fullName": "Leakfirst Leaklast", "telephone": "0170 5550001"',
        *(f'{{"text": "call {phone}"' for phone in PHONES),
        # What is shown ends in the midst of an address.
        *("x" * length + f" {address('cut')}" for length in (1980, 1990, 3980)),
        json.dumps([traits("list")]),
        json.dumps(json.dumps(traits("twice"))),
    ]
    return [*whole, *spelled, *cut, *loose]


def files() -> dict[str, str]:
    return {
        "orders.csv": (
            "order_id,customer_id,ordered_at,product_id,name,quantity,unit_price,coupon,buyer_name,phone\n"
            f"{address('csv.order')},{address('csv')},2026-10-01 10:00,{address('csv.product')},"
            f"{address('csv.name')},1,5,{address('csv.coupon')},Leakfirst Leaklast,{PHONES[0]}\n"
            f"c2,{loud('csv')},never,p,{quoted('csv.name')},1,5,,Leakfirst,{PHONES[1]}\n"
            f"c3,{address('csv')},2026-10-01,p,too,many,fields,1,5,,Leakfirst,{PHONES[1]},{address('csv.more')}\n"
        ),
        "export.csv": export(
            shopify_order("#1001", (loud("shopify.sku"), 1, 5.0), Email=address("shopify"), Total="5", Subtotal="5"),
            shopify_order("#1002", ("TEE", 1, 5.0), Email=address("shopify"), Created_at="never", Subtotal="5"),
        ),
        "ads.csv": (
            "date,campaign_id,campaign_name,spend\n"
            f"2026-10-01,{address('ads.id')},{address('ads')},5.00\n"
            f"never,{quoted('ads.id')},{loud('ads')},5.00\n"
        ),
    }


def leaks(text: str) -> set[str]:
    """What of the planted stands in a text: addresses, names, streets and phones."""
    found = {match.lower() for match in re.findall(r"(?i)(?:leak[\w.]*|müller\S*)", text)}
    digits = re.sub(r"[\s()/-]|%20", "", text)
    return found | set(re.findall(r"(?:49|(?<![0-9])0)170555000\d", digits))


@pytest.fixture
def planted(make_shop):
    plain = [page(device=f"good{number}", at=f"2026-10-0{number % 9 + 1}T10:00:00Z") for number in range(900)]
    return make_shop(*plain, *calls(), *bad_lines(), toml=TOML + SOURCES, files=files())


def test_the_scan_finds_what_is_planted():
    assert leaks(json.dumps(calls()))
    for text in (address("x"), quoted("x"), loud("x"), "Mr Leakfirst", *PHONES):
        assert leaks(text)
    assert not leaks("[address] *** [phone] hashed-0a17 49 EUR 170.555")
    assert HEADER


def test_no_table_holds_an_address_name_or_phone(planted):
    path = build_shop(planted)
    with duckdb.connect(str(path), read_only=True) as con:
        names = [row[0] for row in con.execute("SELECT table_name FROM information_schema.tables").fetchall()]
        found = {}
        for name in names:
            query = con.execute(f"SELECT COLUMNS(*)::VARCHAR FROM {name}")
            columns = [column[0] for column in query.description]
            for row in query.fetchall():
                for column, value in zip(columns, row, strict=True):
                    if value and leaks(value):
                        found.setdefault((name, column), set()).update(leaks(value))
        quarantined = con.execute("SELECT count(*) FROM quarantine").fetchone()[0]
    assert found == {}
    assert quarantined >= len(bad_lines()) + len(bad_calls())


@pytest.mark.slow
def test_no_byte_of_the_file_or_beside_it_holds_one(planted, own_store):
    build_shop(planted)
    for path in own_store.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert leaks(content.decode("latin-1")) == set(), path
            assert leaks(content.decode("utf-16-le", errors="ignore")) == set(), path


def test_no_command_tells_one(planted, monkeypatch, capsys):
    told = []
    for arguments in (["check"], ["check", "--json"], ["explain", "aov"], ["explain", "sales"]):
        monkeypatch.setattr(sys, "argv", ["ecomkit", arguments[0], str(planted), *arguments[1:]])
        with pytest.raises(SystemExit):
            cli.main()
        told += capsys.readouterr()
    assert "quarantined" in told[0]
    assert '"rows_quarantined"' in told[2]
    assert leaks(" ".join(told)) == set()


def test_no_message_of_a_bare_check_tells_one(planted, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["ecomkit", "check", str(planted / "calls.ndjson"), "--json"])
    with pytest.raises(SystemExit):
        cli.main()
    told = capsys.readouterr()
    assert json.loads(told.out)["rows_quarantined"] >= len(bad_lines())
    assert leaks(told.out + told.err) == set()


@pytest.mark.slow
def test_no_page_of_a_report_holds_one(planted, tmp_path):
    from rich.console import Console

    from ecomkit.report.run import run_report

    text = (planted / "shop.toml").read_text()
    (planted / "shop.toml").write_text(text + "[limits]\nmax_quarantined_share = 1.0\n")
    with (tmp_path / "terminal").open("w") as terminal:
        console = Console(file=terminal)
        published = run_report(str(planted), week="2026-W40", out=tmp_path / "report", console=console)
    assert published.failed == ()
    pages = sorted(published.folder.rglob("*"))
    assert published.folder / "report.json" in pages
    for path in [*pages, tmp_path / "terminal"]:
        if path.is_file() and path.suffix in (".html", ".json", ""):
            text = path.read_text(encoding="utf-8")
            # Pictures lie in the pages as text of 64 letters, where five in a row may spell anything.
            assert leaks(re.sub(r"base64,[A-Za-z0-9+/=]+", "", text)) == set(), path.name
