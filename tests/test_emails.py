import json

import pytest
from ibis import _

from ecomkit.shop import open_shop
from tests.calls import email, identify, order, page, server, track
from tests.tables import rows

NEW_YORK = """
[shop]
name = "Test shop"
time_zone = "America/New_York"
currency = "EUR"
[[source]]
kind = "segment_files"
path = "calls.ndjson"
"""
READER = "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101"


def short(instant):
    return instant and f"{instant:%dT%H:%M:%S}"


@pytest.fixture
def emails_of(make_shop):
    def build(*calls, **options):
        return rows(open_shop(make_shop(*calls, **options)).emails)

    return build


@pytest.fixture
def clicks_of(make_shop):
    def build(*calls, **options):
        return rows(open_shop(make_shop(*calls, **options)).email_clicks)

    return build


OLDER = {"email_id": "welcome", "email_subject": "Hello", "campaign_id": "12", "campaign_name": "Welcome"}
OTHERS = {"email_id": "other", "delivery_id": "d-other"}
NEWER = {"delivery_id": "d-1", "subject": "Hello", "campaign_id": "12"}


@pytest.mark.parametrize(
    ("properties", "link", "unsubscribed", "key", "name"),
    [
        (
            OLDER,
            {"link_url": "https://shop.example/tea?utm_medium=email"},
            "Unsubscribed",
            "welcome|user:u|2026-10-01",
            "Welcome",
        ),
        (NEWER, {"href": "https://shop.example/tea?utm_medium=email"}, "Email Unsubscribed", "d-1", None),
    ],
    ids=["the spec's names", "Customer.io's names"],
)
def test_a_message_is_read_in_either_generation(make_shop, properties, link, unsubscribed, key, name):
    shop = open_shop(
        make_shop(
            email("Email Delivered", "2026-10-01T10:00:00Z", user="u", **properties),
            email("Email Opened", "2026-10-01T11:00:00Z", user="u", agent=READER, **properties),
            email("Email Link Clicked", "2026-10-01T11:01:00Z", user="u", link_id="7", **link, **properties),
            email("Email Marked as Spam", "2026-10-01T11:02:00Z", user="u", **properties),
            email(unsubscribed, "2026-10-01T11:03:00Z", user="u", list_id="3", **properties),
            # What one person alone is told is not kept as a subject.
            email("Email Delivered", "2026-10-01T10:00:00Z", user="v", **properties | OTHERS),
        )
    )
    [message] = rows(shop.emails.filter(_.person_id == "user:u"))
    assert {column: short(value) if column.endswith("_at") else value for column, value in message.items()} == {
        "email_key": key,
        "person_id": "user:u",
        "campaign_id": "12",
        "campaign_name": name,
        "list_id": "3",
        "subject": "Hello",
        "delivered_at": "01T10:00:00",
        "first_opened_at": "01T11:00:00",
        "first_human_open_at": "01T11:00:00",
        "first_clicked_at": "01T11:01:00",
        "first_human_click_at": "01T11:01:00",
        "bounced_at": None,
        "spam_at": "01T11:02:00",
        "unsubscribed_at": "01T11:03:00",
        "opens": 1,
        "clicks": 1,
    }
    [click] = rows(shop.email_clicks)
    assert short(click.pop("clicked_at")) == "01T11:01:00"
    assert click == {
        "email_key": key,
        "person_id": "user:u",
        "link_id": "7",
        "link_host": "shop.example",
        "link_path": "/tea",
        "machine": False,
    }


def test_a_message_told_in_both_generations_is_one(emails_of):
    [message] = emails_of(
        email("Email Delivered", "2026-10-01T10:00:00Z", user="u", email_id="d-1", campaign_name="Welcome"),
        email("Email Opened", "2026-10-03T10:00:00Z", customer_id="u", delivery_id="d-1"),
        email("Email Clicked", "2026-10-03T10:00:30Z", user="u", email_id="d-1", delivery_id="d-1", link_id="7"),
    )
    assert (message["email_key"], message["opens"], message["clicks"]) == ("d-1", 1, 1)
    assert (short(message["delivered_at"]), message["campaign_name"]) == ("01T10:00:00", "Welcome")


def test_a_subject_that_one_person_alone_got_is_not_kept(emails_of):
    sent = emails_of(
        email("Email Delivered", user="u", delivery_id="d-1", subject="Ida, your tea"),
        email("Email Opened", user="u", delivery_id="d-2", subject="Ida, your tea"),
        email("Email Delivered", user="u", delivery_id="d-3", subject="New teas"),
        email("Email Delivered", user="v", delivery_id="d-4", subject="New teas"),
    )
    assert [message["subject"] for message in sent] == [None, None, "New teas", "New teas"]


@pytest.mark.slow
def test_a_newsletter_is_its_own_campaign(emails_of):
    sent = emails_of(
        email("Email Delivered", user="u", delivery_id="d-1", campaign_id=None, newsletter_id=31),
        email("Email Delivered", user="u", delivery_id="d-2", campaign_id=8, newsletter_id=31),
        email("Email Delivered", user="u", delivery_id="d-3", campaign_id=""),
    )
    assert [message["campaign_id"] for message in sent] == ["newsletter-31", "8", None]


@pytest.mark.slow
def test_repeated_opens_and_clicks_are_counted_and_dated_by_the_first(make_shop):
    opened = email("Email Opened", "2026-10-02T10:00:00Z", user="u", delivery_id="d-1")
    shop = open_shop(
        make_shop(
            email("Email Delivered", "2026-10-01T10:00:00Z", user="u", delivery_id="d-1"),
            email("Email Opened", "2026-10-03T10:00:00Z", user="u", delivery_id="d-1"),
            opened,
            opened,
            email("Email Link Clicked", "2026-10-03T10:00:00Z", user="u", delivery_id="d-1", link_id="7"),
            email("Email Link Clicked", "2026-10-02T10:01:00Z", user="u", delivery_id="d-1", link_id="7"),
        )
    )
    [message] = rows(shop.emails)
    assert (message["opens"], message["clicks"]) == (2, 2)
    assert (short(message["first_opened_at"]), short(message["first_clicked_at"])) == ("02T10:00:00", "02T10:01:00")
    assert shop.email_clicks.count().to_pyarrow().as_py() == 2


@pytest.mark.slow
def test_a_click_without_an_open_opens_nothing(emails_of):
    [message] = emails_of(email("Email Link Clicked", user="u", delivery_id="d-1", link_id="7"))
    assert (message["first_opened_at"], message["opens"], message["clicks"]) == (None, 0, 1)


def test_what_came_of_a_message_never_delivered_is_kept_and_its_delivery_is_not_known(emails_of):
    bounced, opened, sent = emails_of(
        email("Email Bounced", user="u", delivery_id="d-1"),
        email("Email Opened", user="u", delivery_id="d-2"),
        email("Email Sent", user="u", delivery_id="d-3"),
    )
    assert [message["delivered_at"] for message in (bounced, opened, sent)] == [None, None, None]
    assert short(bounced["bounced_at"]) == "01T10:00:00"
    assert short(opened["first_human_open_at"]) == "01T10:00:00"


def test_an_email_that_goes_out_again_is_a_message_of_its_own(emails_of):
    first, second = emails_of(
        email("Email Delivered", "2026-10-01T10:00:00Z", user="u", email_id="weekly"),
        email("Email Opened", "2026-10-04T10:00:00Z", user="u", email_id="weekly"),
        email("Email Delivered", "2026-10-08T10:00:00Z", user="u", email_id="weekly"),
        email("Email Link Clicked", "2026-10-09T10:00:00Z", user="u", email_id="weekly", link_id="7"),
    )
    assert (first["email_key"], short(first["first_opened_at"])) == ("weekly|user:u|2026-10-01", "04T10:00:00")
    assert (second["email_key"], short(second["first_clicked_at"])) == ("weekly|user:u|2026-10-08", "09T10:00:00")


def test_a_message_is_of_the_local_day_on_which_it_arrived(emails_of):
    """Midnight of New York is 04:00 UTC: one person is told one second before, one at it, one a second after."""
    evening = [email("Email Delivered", "2026-10-02T00:30:00Z", user=user, email_id="weekly") for user in "abc"]
    again = [
        email("Email Delivered", at, user=user, email_id="weekly")
        for user, at in (("a", "2026-10-02T03:59:59Z"), ("b", "2026-10-02T04:00:00Z"), ("c", "2026-10-02T04:00:01Z"))
    ]
    assert [message["email_key"] for message in emails_of(*evening, *again, toml=NEW_YORK)] == [
        "weekly|user:a|2026-10-01",
        "weekly|user:b|2026-10-01",
        "weekly|user:b|2026-10-02",
        "weekly|user:c|2026-10-01",
        "weekly|user:c|2026-10-02",
    ]


def test_people_who_get_the_same_email_have_a_message_each(emails_of):
    sent = emails_of(
        email("Email Delivered", user="u", email_id="weekly"),
        email("Email Delivered", user="v", email_id="weekly"),
        email("Email Delivered", device="ida@example.com", email_id="weekly"),
    )
    assert len({message["email_key"] for message in sent}) == len({message["person_id"] for message in sent}) == 3


ACTED = {
    "09:59:30.000": True,
    "10:00:00.000": True,
    "10:00:09.999": True,
    "10:00:10.000": True,
    "10:00:10.001": False,
    "10:00:11.000": False,
}


def test_what_comes_before_the_delivery_or_at_once_is_of_a_machine(make_shop):
    calls = []
    for acted in ACTED:
        about = {"user": "u", "delivery_id": acted}
        calls += [
            email("Email Delivered", "2026-10-01T10:00:00.000Z", **about),
            email("Email Opened", f"2026-10-01T{acted}Z", agent=READER, **about),
            email("Email Link Clicked", f"2026-10-01T{acted}Z", agent=READER, link_id="7", **about),
        ]
    shop = open_shop(make_shop(*calls))
    sent = rows(shop.emails)
    assert {click["email_key"]: click["machine"] for click in rows(shop.email_clicks)} == ACTED
    assert {message["email_key"]: message["first_human_open_at"] is None for message in sent} == ACTED
    assert {message["email_key"]: message["first_human_click_at"] is None for message in sent} == ACTED
    assert all(message["first_opened_at"] is not None for message in sent)
    assert {(message["opens"], message["clicks"]) for message in sent} == {(1, 1)}


AGENTS = {
    "Mozilla/5.0": True,
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)": True,
    "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html": True,
    "BarracudaCentral/1.0": True,
    "Mozilla/5.0 (compatible; proofpoint)": True,
    "Mimecast-URL-Scan": True,
    "SomeBot/2.1": True,
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15": False,
    READER: False,
    None: False,
}


def test_agents_of_proxies_and_scanners_are_machines_and_their_calls_stay(make_shop):
    clicks = [
        email("Email Link Clicked", user="u", delivery_id=f"d-{agent}", agent=agent, link_id="7") for agent in AGENTS
    ]
    shop = open_shop(make_shop(*clicks))
    assert {click["email_key"]: click["machine"] for click in rows(shop.email_clicks)} == {
        f"d-{agent}": machine for agent, machine in AGENTS.items()
    }
    assert shop.events.count().to_pyarrow().as_py() == len(AGENTS)


def test_different_links_clicked_in_a_burst_are_of_a_machine(clicks_of):
    calls = []
    for key, second, link in (("at 2 s", "02.000", "8"), ("over 2 s", "02.001", "8"), ("one link", "01.000", "7")):
        about = {"user": "u", "delivery_id": key, "agent": READER}
        calls += [
            email("Email Link Clicked", "2026-10-01T12:00:00.000Z", link_id="7", **about),
            email("Email Link Clicked", f"2026-10-01T12:00:{second}Z", link_id=link, **about),
        ]
    assert sorted((click["email_key"], click["machine"]) for click in clicks_of(*calls)) == [
        ("at 2 s", True),
        ("at 2 s", True),
        ("one link", False),
        ("one link", False),
        ("over 2 s", False),
        ("over 2 s", False),
    ]


def test_a_burst_on_one_message_says_nothing_of_another(clicks_of):
    clicks = clicks_of(
        email("Email Link Clicked", "2026-10-01T12:00:00Z", user="u", delivery_id="d-1", link_id="7"),
        email("Email Link Clicked", "2026-10-01T12:00:01Z", user="u", delivery_id="d-2", link_id="8"),
    )
    assert [click["machine"] for click in clicks] == [False, False]


def test_a_person_counts_where_a_machine_came_first(emails_of):
    [message] = emails_of(
        email("Email Delivered", "2026-10-01T10:00:00Z", user="u", delivery_id="d-1"),
        email("Email Opened", "2026-10-01T10:00:02Z", user="u", delivery_id="d-1", agent="Mozilla/5.0"),
        email("Email Link Clicked", "2026-10-01T10:00:03Z", user="u", delivery_id="d-1", link_id="7"),
        email("Email Opened", "2026-10-01T18:00:00Z", user="u", delivery_id="d-1", agent=READER),
        email("Email Link Clicked", "2026-10-01T18:00:40Z", user="u", delivery_id="d-1", link_id="7"),
    )
    assert short(message["first_opened_at"]) == "01T10:00:02"
    assert short(message["first_human_open_at"]) == "01T18:00:00"
    assert short(message["first_clicked_at"]) == "01T10:00:03"
    assert short(message["first_human_click_at"]) == "01T18:00:40"


def test_events_of_no_message_stay_in_events_and_are_counted(make_shop):
    shop = open_shop(
        make_shop(
            email("Email Delivered", user="u", delivery_id="d-1"),
            email("Email Opened", user="u"),
            email("Email Opened", user="u", delivery_id=" "),
            email("Unsubscribed", user="u", list_id="3"),
            email("Email Drafted", user="u", delivery_id="d-2"),
            email("Email Failed", user="u", delivery_id="d-3"),
            page(),
        )
    )
    assert [message["email_key"] for message in rows(shop.emails)] == ["d-1"]
    assert sorted(event["event_name"] for event in rows(shop.events.filter(_.side == "email"))) == [
        "Email Delivered",
        "Email Drafted",
        "Email Failed",
        "Email Opened",
        "Email Opened",
        "Unsubscribed",
    ]
    [step] = rows(shop.build_log.filter(_.step == "emails"))
    assert (step["rows_in"], step["rows_out"], step["rows_excluded"]) == (6, 1, 5)
    reasons = rows(shop.row_reasons.filter(_.step == "emails"))
    assert {row["reason"]: row["rows"] for row in reasons} == {
        "email event without a message id": 3,
        "email event of a message not sent": 2,
    }


def test_a_shop_without_an_email_sender_has_empty_tables(make_shop):
    shop = open_shop(make_shop(page()))
    assert (rows(shop.emails), rows(shop.email_clicks)) == ([], [])


LINKS = {
    "https://Shop.example/a/b?x=1#top": ("shop.example", "/a/b"),
    "https://shop.example": ("shop.example", "/"),
    "http://shop.example:8080/?email=ida%40example.com": ("shop.example", "/"),
    "https://shop.example/u/ida@example.com/stop": ("shop.example", "/u/[address]/stop"),
    "mailto:ida@example.com?subject=stop": (None, None),
    None: (None, None),
}


def test_a_link_is_kept_as_host_and_path(clicks_of):
    clicks = clicks_of(
        *(
            email("Email Link Clicked", user="u", delivery_id=f"d-{number}", href=url)
            for number, url in enumerate(LINKS)
        )
    )
    by_message = sorted(clicks, key=lambda click: click["email_key"])
    assert [(click["link_host"], click["link_path"]) for click in by_message] == list(LINKS.values())


def test_the_person_of_a_message_is_known_by_id_or_address(emails_of):
    known = [identify("u", email="ida@example.com"), identify("v", "d2", email="olaf@example.com")]
    two = "ida@example.com, olaf@example.com"
    sent = emails_of(
        *known,
        email("Email Delivered", address="Ida@example.com ", delivery_id="by traits"),
        email("Email Delivered", device="ida@example.com", delivery_id="by visitor id"),
        email("Email Delivered", recipient="ida@example.com", delivery_id="by recipient"),
        email("Email Delivered", device="olaf@example.com", recipient=two, delivery_id="not by two recipients"),
        email("Email Delivered", customer_id="u", delivery_id="by customer id"),
    )
    assert {message["email_key"]: message["person_id"] for message in sent} == {
        "by traits": "user:u",
        "by visitor id": "user:u",
        "by recipient": "user:u",
        "not by two recipients": "user:v",
        "by customer id": "user:u",
    }


def test_someone_without_an_id_is_the_guest_of_the_address(make_shop):
    shop = open_shop(
        make_shop(
            server("Order Completed", device="d1", email="ida@example.com", **order()),
            email("Email Delivered", device="ida@example.com", delivery_id="d-1"),
        )
    )
    [ordered], [message] = rows(shop.orders), rows(shop.emails)
    assert message["person_id"] == ordered["customer_id"]
    assert message["person_id"].startswith("guest:")


def test_a_customer_id_outside_of_emails_names_nobody(make_shop):
    shop = open_shop(make_shop(track("Product Viewed", product_id="p", customer_id="other-system-9")))
    assert [person["person_id"] for person in rows(shop.people)] == ["visitor:d1"]


def test_no_address_reaches_a_built_table(make_shop):
    shop = open_shop(
        make_shop(
            email(
                "Email Delivered",
                device="ida@example.com",
                recipient="ida@example.com, olaf@example.com",
                email_id="e1",
                email_subject="For ida@example.com",
                campaign_name="Test olaf@example.com",
                campaign_id="ida@example.com",
            ),
            email(
                "Email Link Clicked",
                recipient="ida@example.com",
                customer_id="ida@example.com",
                delivery_id="to:ida@example.com",
                link_id="stop-ida%40example.com",
                href="https://shop.example/stop/ida@example.com?email=ida@example.com",
            ),
            email("Email Opened", user="olaf@example.com", delivery_id="d-3", subject="ida%40example.com"),
            email("Email Delivered", user="v", delivery_id="d-4", subject="For olaf@example.com"),
        )
    )
    assert "For [address]" in [message["subject"] for message in rows(shop.emails)]
    for name in shop.con.list_tables():
        text = json.dumps(rows(shop.con.table(name)), default=str)
        assert "@" not in text
        assert "%40" not in text
        assert "example.com" not in text


def test_every_open_and_click_of_a_message_counts_once_and_people_never_come_before_the_first(shop):
    [counted] = rows(shop.emails.agg(opens=_.opens.sum(), clicks=_.clicks.sum(), messages=_.email_key.nunique()))
    [sent] = rows(
        shop.events.agg(
            opens=(_.event_name == "Email Opened").sum(), clicks=(_.event_name == "Email Link Clicked").sum()
        )
    )
    assert (counted["opens"], counted["clicks"]) == (sent["opens"], sent["clicks"])
    assert shop.email_clicks.count().to_pyarrow().as_py() == sent["clicks"]
    assert counted["messages"] == shop.emails.count().to_pyarrow().as_py()
    early = (_.first_human_open_at < _.first_opened_at) | (_.first_human_click_at < _.first_clicked_at)
    assert rows(shop.emails.filter(early)) == []
    assert rows(shop.email_clicks.anti_join(shop.emails, ["email_key", "person_id"])) == []
