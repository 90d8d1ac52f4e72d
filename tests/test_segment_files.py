import gzip
import json

import pytest
from ibis import _

from ecomkit.errors import SourceError
from ecomkit.settings import Source
from ecomkit.shop import open_shop
from ecomkit.sources.segment_files import segment_file_paths
from tests.calls import identify, order, page, server, track
from tests.tables import rows


def test_a_folder_of_plain_and_gzipped_files_is_read_as_one(make_shop):
    folder = make_shop(page())
    (folder / "calls.ndjson").unlink()
    archive = folder / "calls.ndjson" / "1790812800000"
    archive.mkdir(parents=True)
    (archive / "a.ndjson").write_text(json.dumps(page(device="plain")))
    (archive / "b.gz").write_bytes(gzip.compress(json.dumps(page(device="zipped")).encode()))
    (archive / "c.gz").write_text(json.dumps(page(device="already unzipped")))
    (archive / "dummy-object.txt").write_text("")
    shop = open_shop(folder)
    assert {row["anonymous_id"] for row in rows(shop.events)} == {"plain", "zipped", "already unzipped"}


def test_bad_lines_are_quarantined_with_file_line_and_reason_and_nothing_is_lost(make_shop):
    whole = json.dumps(page())
    folder = make_shop(
        page(),
        whole[: len(whole) // 2],
        "",
        "not json at all",
        "[1, 2]",
        {"type": "page", "messageId": "x1", "timestamp": "2026-10-01T10:00:00Z"},
        {"type": "vanish", "messageId": "x2", "anonymousId": "d", "timestamp": "2026-10-01T10:00:00Z"},
        {"type": "track", "messageId": "x3", "anonymousId": "d", "timestamp": "2026-10-01T10:00:00Z"},
        {"type": "page", "messageId": "x4", "anonymousId": "d", "timestamp": "yesterday"},
        track("Order Completed"),
        page(at="1970-01-01T00:00:00Z"),
        {**page(at="2027-01-01T00:00:00Z"), "receivedAt": "2026-10-01T10:00:00Z"},
    )
    shop = open_shop(folder)
    found = {row["line_number"]: row["reason"] for row in rows(shop.quarantine)}
    assert found == {
        2: "not JSON",
        4: "not JSON",
        5: "not a JSON object",
        6: "no user id, visitor id or email",
        7: "unknown call type",
        8: "track call without an event name",
        9: "no readable timestamp",
        10: "order call without an order id",
        11: "dated before 2000",
        12: "dated more than a day after its arrival",
    }
    assert {row["source_file"] for row in rows(shop.quarantine)} == {"calls.ndjson"}
    log = rows(shop.build_log.filter(_.step == "read calls"))[0]
    assert (log["rows_in"], log["rows_out"], log["rows_quarantined"]) == (11, 1, 10)


def test_quarantined_text_holds_no_address_name_phone_or_query_value(make_shop):
    line = (
        '{"type": "identify", "traits": {"email": "ada@example.com", "firstName": "Ada", "phone": "+49 170 1234567"}, '
        '"url": "https://shop.example/?q=secret", "note": "call +1 (555) 010-9999 or bob%40example.org"'
    )
    shop = open_shop(make_shop(line))
    [row] = rows(shop.quarantine)
    for private in ("ada@", "Ada", "170", "secret", "010-9999", "bob%40"):
        assert private not in row["raw"]
    assert "traits" in row["raw"]


def test_a_file_with_broken_bytes_loses_none_of_its_lines(make_shop):
    folder = make_shop(page())
    good = json.dumps(page(device="good")).encode()
    (folder / "calls.ndjson").write_bytes(good + b'\n{"type": "page", "\xff\n' + json.dumps(page(device="ü")).encode())
    shop = open_shop(folder)
    assert {row["anonymous_id"] for row in rows(shop.events)} == {"good", "ü"}
    assert [row["line_number"] for row in rows(shop.quarantine)] == [2]


def test_addresses_never_reach_a_table(make_shop):
    folder = make_shop(
        page(user="ada@example.com", device="bob@example.com", path="/u/cy@example.com"),
        identify("u1", email="Dee@Example.com"),
        track("Products Searched", query="eve@example.com"),
        page(search="?email=fay@example.com&utm_campaign=gus%40example.com"),
        server("Order Completed", email="hal@example.com", **order()),
    )
    shop = open_shop(folder)
    tables = [getattr(shop, name) for name in ("events", "people", "identity_links", "sessions", "orders")]
    text = " ".join(str(rows(table)) for table in tables)
    assert "@" not in text
    assert "%40" not in text
    assert rows(shop.people.filter(_.user_id == "u1"))[0]["email_hash"] is not None


def test_the_same_address_in_other_case_is_the_same_person(make_shop):
    shop = open_shop(
        make_shop(
            server("Order Completed", email="Ada@Example.com", **order("o1")),
            server("Order Completed", email=" ada@example.com", **order("o2")),
        )
    )
    assert len({row["customer_id"] for row in rows(shop.orders)}) == 1


def test_offsets_count_and_money_as_text_is_read_and_counted(make_shop):
    shop = open_shop(
        make_shop(
            track("Completed Order", at="2026-10-01T12:00:00+02:00", **order(revenue=10.0) | {"revenue": "$1,010.50"})
        )
    )
    [row] = rows(shop.orders)
    assert row["ordered_at"].isoformat() == "2026-10-01T10:00:00+00:00"
    assert float(row["revenue"]) == 1010.5
    reasons = {row["reason"]: row["rows"] for row in rows(shop.row_reasons)}
    told = ("event name in an older spelling", "money sent as text", "money with a currency sign")
    assert {reason: reasons.get(reason) for reason in told} == dict.fromkeys(told, 1)


def test_not_a_number_is_no_money(make_shop):
    line = json.dumps(track("Product Viewed", product_id="p1", price=1)).replace('"price": 1', '"price": NaN')
    [row] = rows(open_shop(make_shop(line)).product_events)
    assert row["price"] is None


def test_a_missing_timestamp_is_worked_out_from_the_arrival(make_shop):
    call = page() | {
        "originalTimestamp": "2026-10-01T10:00:05Z",
        "sentAt": "2026-10-01T10:00:06Z",
        "receivedAt": "2026-10-01T09:58:36Z",
    }
    del call["timestamp"]
    [row] = rows(open_shop(make_shop(call)).events)
    assert row["occurred_at"].isoformat() == "2026-10-01T09:58:35+00:00"


def test_products_in_a_string_are_read(make_shop):
    items = json.dumps([{"productId": "p1", "price": "4.50"}, {"productId": "p2", "price": 1, "quantity": 3}])
    shop = open_shop(make_shop(server("Order Completed", user="u", order_id="o", revenue=7.5, products=items)))
    lines = [(row["product_id"], float(row["line_gross"]), row["quantity"]) for row in rows(shop.order_lines)]
    assert lines == [("p1", 4.5, 1), ("p2", 3.0, 3)]


def test_a_missing_path_says_where_paths_count_from(tmp_path):
    with pytest.raises(SourceError) as caught:
        segment_file_paths(Source("segment_files", tmp_path / "calls", "web"))
    assert str(caught.value) == (
        f"There is no file or folder '{tmp_path / 'calls'}' (source 'web'). "
        "Correct 'path' in shop.toml: it counts from the folder of the shop.toml."
    )


def test_a_folder_without_calls_names_what_it_holds(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(SourceError) as caught:
        segment_file_paths(Source("segment_files", tmp_path, "web"))
    assert str(caught.value) == (
        f"The folder '{tmp_path}' (source 'web') holds no file of calls; it has 'notes.txt'. Files of calls end in "
        "'.json', '.ndjson', '.jsonl', '.json.gz', '.ndjson.gz', '.jsonl.gz', '.gz'."
    )


def test_an_empty_file_of_calls_stops_the_build_with_its_name(make_shop):
    folder = make_shop()
    with pytest.raises(SourceError) as caught:
        open_shop(folder)
    assert str(caught.value) == (
        f"The file '{folder / 'calls.ndjson'}' (source 'calls') is empty. Export it again, or remove the source."
    )


def test_a_gzip_file_cut_in_half_names_itself(make_shop):
    folder = make_shop()
    whole = gzip.compress(json.dumps(page()).encode() * 50)
    (folder / "calls.ndjson").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(
        SourceError, match=r"^The file '.*calls\.ndjson' \(source 'calls'\) cannot be read to its end: "
    ) as caught:
        open_shop(folder)
    assert str(caught.value).endswith("Copy or export it again.")


@pytest.mark.parametrize(
    "content", [b"\x1f\x8b", b"\x1f\x8bno gzip at all, whatever it begins with"], ids=["two bytes", "text"]
)
def test_a_file_that_only_begins_like_gzip_names_itself(make_shop, content):
    folder = make_shop()
    (folder / "calls.ndjson").write_bytes(content)
    with pytest.raises(SourceError, match=r"cannot be read to its end: .* Copy or export it again\.$"):
        open_shop(folder)


def test_a_line_that_never_ends_costs_only_itself(make_shop):
    endless = '{"type": "page", "properties": {"title": "' + "x" * 12_000_000
    shop = open_shop(make_shop(page(), endless, page(device="d2")))
    assert [row["line_number"] for row in rows(shop.quarantine)] == [2]
    assert len(rows(shop.events)) == 2


def test_a_long_line_cut_within_a_character_costs_only_itself(make_shop):
    endless = json.dumps({"type": "page", "ab": "é" * 9_000_000}, ensure_ascii=False)
    shop = open_shop(make_shop(page(), endless, page(device="d2")))
    assert [row["line_number"] for row in rows(shop.quarantine)] == [2]
    assert len(rows(shop.events)) == 2


def test_a_file_named_like_a_pattern_is_that_file(make_shop):
    folder = make_shop(page(device="other"))
    (folder / "calls.ndjson").rename(folder / "callsX.ndjson")
    (folder / "calls[*]?.ndjson").write_text(json.dumps(page(device="own")))
    toml = (folder / "shop.toml").read_text()
    (folder / "shop.toml").write_text(toml.replace("calls.ndjson", "calls[*]?.ndjson"))
    assert {row["anonymous_id"] for row in rows(open_shop(folder).events)} == {"own"}


def test_phones_as_ids_and_queries_in_paths_are_not_kept(make_shop):
    shop = open_shop(
        make_shop(
            page(user="+49 170 1234567", path="/thanks?first_name=Jane#Jane", search="?utm_source=%2B491701234567")
        )
    )
    text = str(rows(shop.events)) + str(rows(shop.people)) + str(rows(shop.sessions))
    for private in ("1234567", "Jane"):
        assert private not in text
    assert [row["page_path"] for row in rows(shop.events)] == ["/thanks"]
