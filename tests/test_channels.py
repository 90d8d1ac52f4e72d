import ibis
import pytest

from ecomkit.pipeline.channels import referrer_host, with_channel

COLUMNS = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "click_id", "referrer_host")


def channel_of(*, own_hosts=("shop.example",), rules=(), **landing):
    row = dict.fromkeys(COLUMNS) | landing
    table = ibis.memtable([row], schema=dict.fromkeys(COLUMNS, "string"))
    [found] = with_channel(table, own_hosts=own_hosts, rules=rules).to_pyarrow().to_pylist()
    return found["channel"]


@pytest.mark.parametrize(
    ("landing", "channel"),
    [
        ({}, "Direct"),
        ({"utm_source": "google", "utm_medium": "cpc"}, "Paid Search"),
        ({"utm_source": "Google", "utm_medium": "CPC", "utm_campaign": "Shoes"}, "Paid Search"),
        ({"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "e-shop"}, "Paid Shopping"),
        ({"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "workshop"}, "Paid Search"),
        ({"utm_source": "x", "utm_medium": "y", "utm_campaign": "Cross-Network 1"}, "Cross-network"),
        ({"utm_source": "facebook", "utm_medium": "paid-social"}, "Paid Social"),
        ({"utm_source": "l.facebook.com", "utm_medium": "paid"}, "Paid Social"),
        ({"utm_source": "youtube", "utm_medium": "cpv"}, "Paid Video"),
        ({"utm_source": "youtube", "utm_medium": "cpm"}, "Paid Video"),
        ({"utm_source": "partner", "utm_medium": "cpm"}, "Display"),
        ({"utm_source": "adroll", "utm_medium": "paid-display"}, "Paid Other"),
        ({"utm_source": "customer.io", "utm_medium": "email"}, "Email"),
        ({"utm_source": "customer.io", "utm_medium": "newsletter"}, "Unassigned"),
        ({"utm_source": "partner", "utm_medium": "affiliate"}, "Affiliates"),
        ({"utm_source": "partner", "utm_medium": "affiliates"}, "Unassigned"),
        ({"utm_source": "app", "utm_medium": "web-push"}, "Mobile Push Notifications"),
        ({"click_id": "gclid:abc"}, "Paid Search"),
        ({"utm_campaign": "fall", "click_id": "gclid:abc"}, "Paid Search"),
        ({"utm_source": "google", "click_id": "gclid:abc"}, "Paid Search"),
        ({"utm_source": "crm", "utm_medium": "email", "click_id": "gclid:abc"}, "Email"),
        ({"utm_source": "partner", "click_id": "fbclid:abc"}, "Unassigned"),
        ({"click_id": "fbclid:abc", "referrer_host": "l.facebook.com"}, "Organic Social"),
        ({"referrer_host": "google.de"}, "Organic Search"),
        ({"referrer_host": "de.search.yahoo.com"}, "Organic Search"),
        ({"referrer_host": "l.facebook.com"}, "Organic Social"),
        ({"referrer_host": "m.youtube.com"}, "Organic Video"),
        ({"referrer_host": "blog.example"}, "Referral"),
        ({"referrer_host": "notgoogle.com"}, "Referral"),
        ({"referrer_host": "shop.example"}, "Direct"),
        ({"referrer_host": "checkout.shop.example"}, "Direct"),
        ({"referrer_host": "checkout.stripe.com"}, "Direct"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(f"{k}={v}" for k, v in value.items()) or "nothing",
)
def test_default_channel_groups(landing, channel):
    assert channel_of(**landing) == channel


def test_a_shops_own_rule_comes_first_and_may_use_a_star():
    rules = ({"channel": "Influencers", "utm_medium": "creator*"},)
    assert channel_of(rules=rules, utm_source="facebook", utm_medium="creator-paid") == "Influencers"
    assert channel_of(rules=rules, utm_source="facebook", utm_medium="paid") == "Paid Social"


def test_only_the_star_of_a_rule_stands_for_anything():
    rules = ({"channel": "Mine", "utm_medium": "paid_social"},)
    assert channel_of(rules=rules, utm_source="shop", utm_medium="paid_social") == "Mine"
    assert channel_of(rules=rules, utm_source="shop", utm_medium="paidXsocial") != "Mine"


@pytest.mark.parametrize(
    ("rule", "landing"),
    [
        ({"source": "google"}, {"click_id": "gclid:1"}),
        ({"medium": "refer*"}, {"referrer_host": "blog.example"}),
        ({"campaign": "fall"}, {"utm_campaign": "Fall"}),
        ({"utm_term": "shoes", "utm_source": "x"}, {"utm_source": "X", "utm_term": "shoes"}),
        ({"referrer_host": "*.blog.example"}, {"referrer_host": "my.blog.example"}),
    ],
    ids=str,
)
def test_a_shops_own_rule_may_ask_for_each_part_of_a_landing(rule, landing):
    rules = (rule | {"channel": "Mine"},)
    assert channel_of(rules=rules, **landing) == "Mine"
    assert channel_of(rules=rules, utm_source="a", utm_medium="b", utm_campaign="c", utm_term="d") == "Unassigned"


def test_landings_that_are_alike_have_one_channel_and_each_keeps_its_own_row():
    rows = [
        {"session_id": f"s{number}", "utm_source": source, "utm_medium": medium, "click_id": f"gclid:{number}"}
        for number, (source, medium) in enumerate([("a", "email"), ("a", "email"), (None, None), (None, None)])
    ]
    table = ibis.memtable(rows, schema=dict.fromkeys(["session_id", *COLUMNS], "string"))
    found = with_channel(table, own_hosts=()).order_by("session_id").to_pyarrow().to_pylist()
    assert [row["channel"] for row in found] == ["Email", "Email", "Paid Search", "Paid Search"]
    assert [{name: row[name] for name in rows[0]} for row in found] == rows
    assert set(found[0]) == {"session_id", "channel", *COLUMNS}


@pytest.mark.parametrize(
    ("referrer", "host"),
    [
        ("https://user:password@www.google.de:443/x", "google.de"),
        ("https://a@b@evil.example/", "evil.example"),
        ("https://evil.example\\@google.com/", "evil.example"),
        ("https://[2001:DB8::1]:8080/", "[2001:db8::1]"),
        ("https://google.com:443@evil.example", "evil.example"),
        ("https://google.com:port/", None),
        ("https://[google.com]/", None),
        ("https://www./", "www"),
        ("https://" + "a" * 253, "a" * 253),
        ("https://" + "a" * 254, None),
        ("google.com", None),
        ("", None),
        (None, None),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_referrers_host_stands_between_its_user_and_its_port(referrer, host):
    table = ibis.memtable([{"referrer": referrer}], schema={"referrer": "string"})
    assert table.select(host=referrer_host(table.referrer)).to_pyarrow().to_pylist() == [{"host": host}]
