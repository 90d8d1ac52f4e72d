"""Two thousand spoiled lines never crash a build and never vanish, and cost no other line."""

import gzip
import json
import random

import pytest
from ibis import _

from ecomkit.shop import open_shop
from tests.calls import identify, order, page, server, track
from tests.tables import rows

LINES = 2_000
ODD_VALUES = [
    None, True, False, 0, -1, 1e308, -1e308, 10**400, 1.5, "", " ", "null", "NaN", "-0", "1e999", "0x10", "١٢٣", [], {},
    [[]], [None], [{}], {"a": {"b": {"c": []}}}, [1, "two", {"three": 3}], "\x00", "a\x00b", "\x1f\x1e\x07", "\ufeff",
    "\u202eabc", "😀" * 50, "é" * 3_000, "'; DROP TABLE calls; --", "${x}", "{{x}}", "\\", '"', "a\rb", "a\u2028b",
    "\ud800", "\udfff\ud800",
]  # fmt: skip
ODD_DATES = [
    "2026-02-30T00:00:00Z", "2026-10-01", "01.10.2026", "10/01/2026 5pm", 1790812800, 1790812800000, "1790812800",
    "2026-10-01T10:00:00+99:99", "2026-10-01T25:61:61Z", "-2026-10-01T00:00:00Z", "292278994-08-17T07:12:55Z",
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "2026-10-01T10:00:00.123456789123Z", "infinity",
    "-infinity", "epoch", "now", "today", "2026-W40", "2026-10-01T10:00:00 Europe/Berlin", "20261001T100000Z",
]  # fmt: skip
ODD_NUMBERS = ["NaN", "Infinity", "-Infinity", "1e999", "9" * 400, "00012", "+5", ".5", "0x1F", "1_000", "1e-999"]


def good(number: int) -> dict:
    kinds = (
        lambda: page(device=f"d{number}", path=f"/p/{number}"),
        lambda: track("Product Viewed", product_id=f"p{number}", price=number, quantity=1),
        lambda: identify(f"u{number}", email=f"u{number}@example.com", created_at="2026-01-01T00:00:00Z"),
        lambda: server("Order Completed", user=f"u{number}", **order(f"o{number}", revenue=float(number % 90 + 1))),
        lambda: server("Order Refunded", user=f"u{number}", order_id=f"o{number - 1}", total=1.5),
    )
    return kinds[number % len(kinds)]()


def places(value, path=()):
    """Yield the path of every value of a call."""
    if path:
        yield path
    if isinstance(value, dict | list):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in inner:
            yield from places(item, (*path, key))


def replaced(call: dict, path: tuple, new) -> dict:
    copy = json.loads(json.dumps(call))
    inside = copy
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = new
    return copy


def odd_value(call: dict, dice: random.Random) -> bytes:
    path = dice.choice(list(places(call)))
    return json.dumps(replaced(call, path, dice.choice(ODD_VALUES)), ensure_ascii=dice.random() < 0.5).encode(
        "utf-8", "surrogatepass"
    )


def odd_date(call: dict, dice: random.Random) -> bytes:
    clock = dice.choice(["timestamp", "sentAt", "receivedAt", "originalTimestamp"])
    return json.dumps(call | {clock: dice.choice(ODD_DATES)}).encode()


def odd_number(call: dict, dice: random.Random) -> bytes:
    path = dice.choice(list(places(call)))
    return json.dumps(replaced(call, path, "@@")).replace('"@@"', dice.choice(ODD_NUMBERS)).encode()


def odd_id(call: dict, dice: random.Random) -> bytes:
    key = dice.choice(["messageId", "anonymousId", "userId", "type", "event"])
    return json.dumps(call | {key: dice.choice(ODD_VALUES[:20])}).encode()


def odd_shape(call: dict, dice: random.Random) -> bytes:
    key = dice.choice(["context", "properties", "traits", "products"])
    new = dice.choice(["text", 5, [], [1], None, {"products": "text"}, {"products": {"a": 1}}, {"products": [1, [2]]}])
    return json.dumps(call | {key: new}).encode()


def cut(call: dict, dice: random.Random) -> bytes:
    line = json.dumps(call).encode()
    return line[: dice.randrange(1, len(line))]


def trailing(call: dict, dice: random.Random) -> bytes:
    return json.dumps(call).encode() + dice.choice([b"}", b",", b" garbage", b"{}", b"]", b"\x00", b" // note", b",{}"])


def leading(call: dict, dice: random.Random) -> bytes:
    return (
        dice.choice([b"\xef\xbb\xbf", b"\xff\xfe", b"\x00", b"\x1f", b"\x1e", b",", b"[", b'"', b")]}'"])
        + json.dumps(call).encode()
    )


def spoiled_bytes(call: dict, dice: random.Random) -> bytes:
    line = bytearray(json.dumps(call).encode())
    for _number in range(dice.randrange(1, 6)):
        line[dice.randrange(len(line))] = dice.choice([b for b in range(256) if b not in (10, 13)])
    return bytes(line)


def other_encoding(call: dict, dice: random.Random) -> bytes:
    encoding = dice.choice(["utf-16-le", "latin-1", "cp1252", "utf-32-be"])
    text = json.dumps(call | {"note": "Zoë Ünal"}, ensure_ascii=False)
    return text.encode(encoding).replace(b"\n", b"").replace(b"\r", b"")


def doubled_keys(call: dict, dice: random.Random) -> bytes:
    key = dice.choice(list(call))
    return (json.dumps(call)[:-1] + f', "{key}": {json.dumps(dice.choice(ODD_VALUES[:20]))}}}').encode()


def deep(call: dict, dice: random.Random) -> bytes:
    depth = dice.choice([100, 1_000, 10_000])
    opened, closed = dice.choice([("[", "]"), ('{"a":', "}")])
    nested = opened * depth + ("1" if opened != "[" else "") + closed * dice.choice([depth, depth - 1])
    return (json.dumps(call)[:-1] + f', "{dice.choice(["extra", "properties", "context"])}": {nested}}}').encode()


def carriage_returns(call: dict, dice: random.Random) -> bytes:
    return dice.choice([b"\r", b" "]) + json.dumps(call, indent=1).encode().replace(b"\n", b" ") + b"\r"


def nothing_much(call: dict, dice: random.Random) -> bytes:
    return dice.choice(
        [b"{}", b"[]", b"[[]]", b"[{}]", b"null", b"true", b"0", b'""', b'"text"', b"{", b"}", b"\x00", b"[1, {}]",
         b'{"batch": []}', b'{"batch": 5}', b'{"batch": [1]}', b'{"batch": null, "type": null}', b'{"body": "{}"}',
         b'{"body": {"batch": "x"}}', b'{"": ""}', b'{"type": {"type": "page"}}', b"\xc2\xa0", b"\x1f", b"--", b"a,b,c"]
    )  # fmt: skip


MUTATIONS = [
    odd_value, odd_date, odd_number, odd_id, odd_shape, cut, trailing, leading, spoiled_bytes, other_encoding,
    doubled_keys, deep, carriage_returns, nothing_much,
]  # fmt: skip


def large_lines() -> list[bytes]:
    """Lines of ten megabytes and more: a long text, a long list, endless nesting, and one that never ends."""
    text = json.dumps(page() | {"note": "x" * 10_000_000}).encode()
    items = [{"product_id": f"p{number}", "price": 1, "quantity": 1} for number in range(100_000)]
    return [
        text,
        json.dumps(track("Product List Viewed", products=items, padding="y" * 4_000_000)).encode(),
        b'{"type": "page", "properties": ' + b"[" * 10_000_000,
        b'{"type": "page", "note": "' + b"z" * 20_000_000,
    ]


def broken_laws(shop, lines: list[bytes], kept: list[dict]) -> list[str]:
    """Return which laws do not hold: every line is accounted for, and each unspoiled call is kept."""
    [log] = rows(shop.build_log.filter(_.step == "read calls"))
    set_aside = log["duplicates"] + log["rows_excluded"] + log["rows_quarantined"]
    found = {row["message_id"] for row in rows(shop.events.select("message_id"))}
    unusable = rows(shop.quarantine)
    laws = {
        "every line comes in": log["rows_in"] == len(lines),
        "rows in are kept or set aside": log["rows_in"] == log["rows_out"] + set_aside,
        "quarantined rows are in quarantine": log["rows_quarantined"] == len(unusable),
        "kept rows are events": log["rows_out"] == shop.events.count().to_pyarrow().as_py(),
        "unspoiled calls are kept": {call["messageId"] for call in kept} <= found,
        "each has a place": len({(row["source_file"], row["line_number"]) for row in unusable}) == len(unusable),
        "each has a reason and its text": all(row["reason"] and row["raw"] is not None for row in unusable),
    }
    return [law for law, holds in laws.items() if not holds]


def spoiled(seed: int, count: int) -> tuple[list[bytes], list[dict]]:
    """Return lines, every second one spoiled, and the calls that were not."""
    dice = random.Random(seed)
    lines, kept = [], []
    for number in range(count):
        mutate = MUTATIONS[number % len(MUTATIONS)]
        call = good(number)
        line = mutate(call, dice).replace(b"\n", b" ")
        lines.append(line if line.strip(b" \t\r\n") else b"{}")
        unspoiled = good(number + count)
        kept.append(unspoiled)
        lines.append(json.dumps(unspoiled).encode())
    return lines, kept


@pytest.mark.parametrize("gzipped", [False, True], ids=["plain", "gz"])
def test_spoiled_lines_never_crash_a_build_and_never_vanish(make_shop, gzipped):
    lines, kept = spoiled(7, LINES)
    folder = make_shop()
    content = b"\n".join(lines)
    (folder / "calls.ndjson").write_bytes(gzip.compress(content) if gzipped else content)
    assert broken_laws(open_shop(folder), lines, kept) == []


def test_a_file_of_carriage_returns_alone_loses_nothing(make_shop):
    calls = [page(device=f"d{number}") for number in range(5)]
    folder = make_shop()
    (folder / "calls.ndjson").write_bytes(b"\r".join(json.dumps(call).encode() for call in calls))
    shop = open_shop(folder)
    [log] = rows(shop.build_log.filter(_.step == "read calls"))
    assert log["rows_in"] == log["rows_out"] + log["rows_quarantined"]
    assert log["rows_in"] > 0


@pytest.mark.slow
def test_lines_of_ten_megabytes_cost_only_themselves(make_shop):
    lines, kept = spoiled(11, 28)
    folder = make_shop()
    lines += large_lines()
    last = page(device="last")
    lines.append(json.dumps(last).encode())
    (folder / "calls.ndjson").write_bytes(b"\n".join(lines))
    assert broken_laws(open_shop(folder), lines, [*kept, last]) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_lines_spoiled_in_other_ways_too(make_shop, seed):
    lines, kept = spoiled(seed, LINES)
    folder = make_shop()
    (folder / "calls.ndjson").write_bytes(b"\n".join(lines))
    assert broken_laws(open_shop(folder), lines, kept) == []
