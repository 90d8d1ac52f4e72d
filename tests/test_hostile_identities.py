"""Devices of thousands, people of thousands of devices, hosts that are none: one shop holds them all and is built."""

import json
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from ecomkit import shop as shops
from ecomkit.shop import open_shop
from tests.calls import identify, page, server, track
from tests.conftest import TOML
from tests.tables import rows

MANY = 10_000
START = datetime(2026, 10, 1, tzinfo=UTC)
LONG = "x" * 100_000
# What no shop has as its host: each would match anything, or nothing could be read after it.
OWN_HOSTS = ["shop.example", ".*", "(", "[a-z]+", "^", "$", "\\", "%", "_", "a|b", "?", "", "WWW.Other.Example"]

# Referrer -> its host and the channel of a visit from there.
REFERRERS = {
    "": (None, "Direct"),
    " ": (None, "Direct"),
    "null": (None, "Direct"),
    "about:blank": (None, "Direct"),
    "javascript:alert(1)//x.example": (None, "Direct"),
    "data:text/html,<h1>": (None, "Direct"),
    "//evil.example/x": (None, "Direct"),
    "http:///path": (None, "Direct"),
    "http://..../": (None, "Direct"),
    "http://" + "a" * 300 + ".example/": (None, "Direct"),
    "http://" + "a." * 50_000 + "example/": (None, "Direct"),
    'http://evil.example"><script>alert(1)</script>': (None, "Direct"),
    "http://evil example/": (None, "Direct"),
    "http://evil.example%00.google.com/": (None, "Direct"),
    "http://evil.example\n.google.com/": (None, "Direct"),
    "http://[::1/": (None, "Direct"),
    # A name before the host looks like an address, and none is kept.
    "http://paypal.com@evil.example/": (None, "Direct"),
    "http://google.com:443@evil.example/": (None, "Direct"),
    "http://a@google.com@evil.example:80/": ("evil.example", "Referral"),
    "https://user:password@www.google.de/": (None, "Direct"),
    "http://evil.example\\@google.com/": ("evil.example", "Referral"),
    "http://evil.example\\.google.com/": ("evil.example", "Referral"),
    "http://evil.example?@google.com": ("evil.example", "Referral"),
    "http://evil.example#google.com": ("evil.example", "Referral"),
    "http://google.com.evil.example/": ("google.com.evil.example", "Referral"),
    "http://shop.example.evil.example/": ("shop.example.evil.example", "Referral"),
    "http://notshop.example/": ("notshop.example", "Referral"),
    "http://shopXexample/": ("shopxexample", "Referral"),
    "http://müller.example/": ("müller.example", "Referral"),
    "http://МОСКВА.example/": ("москва.example", "Referral"),
    "http://xn--mller-kva.example/": ("xn--mller-kva.example", "Referral"),
    "http://[2001:DB8::1]:8080/x": ("[2001:db8::1]", "Referral"),
    "http://192.0.2.1:8080/x": ("192.0.2.1", "Referral"),
    "android-app://com.example.reader/": ("com.example.reader", "Referral"),
    "HTTPS://WWW.GOOGLE.COM./search": ("google.com", "Organic Search"),
    "https://www.google.com:443": ("google.com", "Organic Search"),
    "https://shop.example:8443/x": ("shop.example", "Direct"),
    "https://pay.shop.example./x": ("pay.shop.example", "Direct"),
    "https://www.other.example/": ("other.example", "Direct"),
}

# How a page call names its page -> the landing path and the channel of the visit.
PLACES = {
    "empty": ({"url": "", "path": "", "search": "", "referrer": ""}, None, "Direct"),
    "nulls": ({"url": None, "path": None, "search": None, "referrer": None}, None, "Direct"),
    "about:blank": ({"url": "about:blank", "path": "blank"}, "blank", "Direct"),
    "nothing": (None, None, "Direct"),
    "a text": ("https://shop.example/", None, "Direct"),
    "a list": ([], None, "Direct"),
    "numbers": ({"url": 1, "path": 2, "search": 3, "referrer": 4}, "2", "Direct"),
    "100 KB of query": ({"path": "/", "search": f"?q={LONG}&utm_source=google&utm_medium=cpc"}, "/", "Paid Search"),
    "100 KB of address": ({"url": f"https://shop.example/?q={LONG}&gclid=1#{LONG}"}, None, "Paid Search"),
    "100 KB of campaign": ({"path": "/", "search": f"?utm_medium=email&utm_campaign={LONG}"}, "/", "Email"),
    "100 KB of source": ({"path": "/", "search": f"?utm_source={LONG}&utm_medium=email"}, "/", "Email"),
    "100 KB of medium": ({"path": "/", "search": f"?utm_source=a&utm_medium={LONG}"}, "/", "Unassigned"),
    "100 KB of path": ({"path": f"/{LONG}"}, f"/{LONG}"[:2000], "Direct"),
    "10,000 campaigns": ({"path": "/", "search": "?" + "utm_source=a&" * 10_000}, "/", "Unassigned"),
    "no URL encoding": ({"path": "/", "search": "?utm_source=%zz%&utm_medium=%E0%A4%A"}, "/", "Unassigned"),
}  # fmt: skip


def at(seconds):
    return (START + timedelta(seconds=seconds)).isoformat()


def hostile_calls():
    calls = []
    for number in range(MANY):
        # A till on which ten thousand log in, each half a minute after the one before, and an import with one instant.
        calls.append(page(device="till", at=at(30 * number), user=f"till-{number}"))
        # A test user who turns up on ten thousand devices, on each of which somebody has been before him.
        calls.append(track("Product Viewed", device=f"d{number}", at=at(3600 + number), user="tester", product_id="p"))
        # An address and a loyalty card that thousands give, each of them a user.
        if number < 3000:
            calls.append(identify(f"member-{number}", device=f"m{number}", at=at(number), email="shop@example.com"))
            calls[-1]["context"]["externalIds"] = [{"id": "card", "type": "loyalty_card", "collection": "users"}]
            calls.append(page(device="import", at=at(0), user=f"import-{number}"))
            # One user with an external id of three thousand types.
            calls.append(server("Stock Checked", at=at(number), user="typed"))
            calls[-1]["context"]["externalIds"] = [{"id": "1", "type": f"type_{number}", "collection": "users"}]
        if number < 100:
            calls.append(page(device=f"d{number}", at=at(number)))
    # Guests who all give one card: an address each, one of them a test address on thousands of devices.
    for number in range(1000):
        calls.append(server("Stock Checked", at=at(number), email=f"guest{number}@example.com"))
        calls[-1]["context"]["externalIds"] = [{"id": "staff", "type": "staff_card", "collection": "users"}]
        calls.append(identify(None, device=f"g{number}", at=at(number), email="test@example.com"))
    loop = ["a", "b", "c", "a", "a"]
    for number, (previous, user) in enumerate(zip(loop, loop[1:], strict=False)):
        calls.append(identify(user, device=None, at=at(number)) | {"type": "alias", "previousId": previous})
    for number, referrer in enumerate(REFERRERS):
        calls.append(page(device=f"r{number}", referrer=referrer))
    for number, (place, _path, _channel) in enumerate(PLACES.values()):
        calls.append(page(device=f"p{number}"))
        calls[-1]["context"]["page"] = place
        calls[-1]["properties"] = {}
    for number, context in enumerate((None, [], "text", {})):
        calls.append(page(device=f"c{number}") | {"context": context, "properties": None})
    return calls


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """The shop of all of them, and how long its build took."""
    folder = tmp_path_factory.mktemp("hostile")
    toml = TOML.replace('own_hosts = ["shop.example"]', f"own_hosts = {json.dumps(OWN_HOSTS)}")
    (folder / "shop.toml").write_text(toml, encoding="utf-8")
    lines = [json.dumps(call) for call in hostile_calls()]
    (folder / "calls.ndjson").write_text("\n".join(lines), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shops, "STORE", folder / "store")
        patch.setenv("ECOMKIT_SALT", "test")
        started = time.perf_counter()
        shop = open_shop(folder)
        return shop, len(lines), time.perf_counter() - started


@pytest.fixture(scope="module")
def shop(hostile):
    return hostile[0]


@pytest.fixture(scope="module")
def events(shop):
    return rows(shop.events.select("anonymous_id", "user_id", "person_id", "session_id", "email_hash"))


@pytest.fixture(scope="module")
def landed(shop):
    return {row["anonymous_id"]: row for row in rows(shop.sessions) if row["anonymous_id"] != "till"}


def test_all_calls_are_kept_in_a_time_that_does_not_grow_with_their_square(hostile):
    shop, sent, seconds = hostile
    [step] = [row for row in rows(shop.build_log) if row["step"] == "read calls"]
    assert sent > 30_000
    assert (step["rows_in"], step["rows_quarantined"]) == (sent, 0)
    assert step["rows_excluded"] == 4, "aliases"
    # Seconds; each device against each user would take hours.
    assert seconds < 120


def test_ten_thousand_users_of_a_till_are_ten_thousand_people_with_a_visit_each(shop, events):
    till = [row for row in events if row["anonymous_id"] == "till"]
    assert all(row["person_id"] == f"user:{row['user_id']}" for row in till)
    assert len({row["person_id"] for row in till}) == len({row["session_id"] for row in till}) == MANY
    of_till = shop.sessions.filter(shop.sessions.anonymous_id == "till")
    assert (of_till.count().to_pyarrow().as_py(), of_till.session_id.nunique().to_pyarrow().as_py()) == (MANY, MANY)
    links = shop.identity_links.filter(shop.identity_links.identifier == "till")
    assert links.count().to_pyarrow().as_py() == MANY


def test_thousands_imported_with_one_instant_have_a_visit_each(shop, events):
    imported = [row for row in events if row["anonymous_id"] == "import"]
    assert len({row["session_id"] for row in imported}) == 3000
    assert shop.sessions.session_id.nunique().to_pyarrow().as_py() == shop.sessions.count().to_pyarrow().as_py()


def test_a_user_of_ten_thousand_devices_takes_no_visitor_of_them(events, shop):
    tester = [row for row in events if row["user_id"] == "tester"]
    assert len({row["anonymous_id"] for row in tester}) == MANY
    assert {row["person_id"] for row in tester} == {"user:tester"}
    before = [row for row in events if row["user_id"] is None and (row["anonymous_id"] or "").startswith("d")]
    assert len(before) == 100
    assert all(row["person_id"] == f"visitor:{row['anonymous_id']}" for row in before)
    [person] = [row for row in rows(shop.people) if row["person_id"] == "user:tester"]
    assert person["anonymous_ids"] == MANY


def test_an_address_and_a_card_of_thousands_are_the_first_ones(shop, events):
    members = [row for row in events if (row["user_id"] or "").startswith("member-")]
    assert all(row["person_id"] == f"user:{row['user_id']}" for row in members)
    assert len(members) == 3000
    links = {row["identifier"]: row for row in rows(shop.identity_links) if row["identifier_type"] == "loyalty_card"}
    assert links["card"]["person_id"] == "user:member-0"


def test_one_user_may_have_an_id_of_thousands_of_types(shop):
    links = [row for row in rows(shop.identity_links) if row["identifier_type"].startswith("type_")]
    assert len(links) == 3000
    assert {row["person_id"] for row in links} == {"user:typed"}


def test_a_card_that_guests_share_joins_five_and_an_address_of_thousands_of_devices_names_none(events):
    guests = Counter(row["person_id"] for row in events if row["email_hash"] and row["anonymous_id"] is None)
    assert sorted(guests.values()) == [1] * 995 + [5]
    tested = [row for row in events if (row["anonymous_id"] or "").startswith("g")]
    assert len(tested) == 1000
    assert all(row["person_id"] == f"visitor:{row['anonymous_id']}" for row in tested)


def test_a_loop_of_aliases_is_recorded(shop):
    links = [row for row in rows(shop.identity_links) if row["identifier_type"] == "previous_id"]
    assert sorted((row["identifier"], row["person_id"]) for row in links) == [
        ("a", "user:a"), ("a", "user:b"), ("b", "user:c"), ("c", "user:a"),
    ]  # fmt: skip
    assert not {"user:a", "user:b", "user:c"} & {row["person_id"] for row in rows(shop.people)}


@pytest.mark.parametrize("number", range(len(REFERRERS)), ids=[referrer[:40] for referrer in REFERRERS])
def test_a_referrer_has_a_host_and_a_channel(landed, number):
    row = landed[f"r{number}"]
    assert (row["referrer_host"], row["channel"]) == list(REFERRERS.values())[number]


@pytest.mark.parametrize("number", range(len(PLACES)), ids=list(PLACES))
def test_a_page_is_landed_on_however_it_is_named(landed, number):
    _place, path, channel = list(PLACES.values())[number]
    row = landed[f"p{number}"]
    assert (row["landing_path"], row["channel"], row["pageviews"]) == (path, channel, 1)


@pytest.mark.parametrize("device", ["c0", "c1", "c2", "c3"])
def test_a_call_without_context_is_a_visit_from_nowhere(landed, device):
    row = landed[device]
    assert (row["person_id"], row["channel"], row["referrer_host"]) == (f"visitor:{device}", "Direct", None)
