import gzip
import json
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ecomkit.errors import UsageError
from ecomkit.settings import load_settings
from ecomkit.simulate import SMALL_BREAKS, BuyTillYouDie, simulate

FIXTURES = Path(__file__).parents[1] / "data" / "fixtures"
SHOP, TINY = FIXTURES / "shop", FIXTURES / "tiny"
TRUTH = json.loads((SHOP / "truth.json").read_text(encoding="utf-8"))

ALWAYS = {
    "type",
    "messageId",
    "anonymousId",
    "userId",
    "context",
    "integrations",
    "timestamp",
    "originalTimestamp",
    "sentAt",
    "receivedAt",
    "version",
}
BY_TYPE = {
    "page": {"name", "properties"},
    "track": {"event", "properties"},
    "identify": {"traits"},
    "group": {"groupId", "traits"},
}
ORDER_NAMES = ("Order Completed", "Completed Order")
SIDE_STEPS = {
    "Promotion Viewed": "promotions_viewed",
    "Promotion Clicked": "promotions_clicked",
    "Products Searched": "searches",
    "Product Clicked": "clicks_in_lists",
    "Product Added to Wishlist": "wishes",
    "Wishlist Product Added to Cart": "wishes_put_into_carts",
    "Cart Viewed": "carts_viewed",
    "Product Removed": "products_removed",
    "Coupon Entered": "coupons_entered",
    "Coupon Applied": "coupons_applied",
    "Coupon Denied": "coupons_denied",
    "Checkout Step Viewed": "checkout_steps_viewed",
    "Checkout Step Completed": "checkout_steps_completed",
    "Payment Info Entered": "payments_entered",
}
OLD_NAMES = {"Viewed Product Category", "Viewed Product", "Added Product", "Started Order", "Completed Order"}


def contents(folder: Path) -> dict[str, bytes]:
    """Every file's bytes, unzipped, without the README."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "README.md")
    return {
        path.relative_to(folder).as_posix(): gzip.decompress(path.read_bytes())
        if path.suffix == ".gz"
        else path.read_bytes()
        for path in files
    }


def read_calls(folder: Path) -> tuple[list[dict], int]:
    """All calls that are JSON and whole, and the number of other lines."""
    calls, others = [], 0
    for path in sorted((folder / "segment").glob("*.gz")):
        for line in gzip.decompress(path.read_bytes()).decode().splitlines():
            try:
                call = json.loads(line)
            except json.JSONDecodeError:
                others += 1
                continue
            if call["messageId"].startswith("broken"):
                others += 1
            else:
                calls.append(call)
    return calls, others


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def order_id(call: dict) -> str:
    return call["properties"].get("order_id") or call["properties"]["orderId"]


@pytest.fixture(scope="module")
def shop_calls():
    return read_calls(SHOP)


@pytest.fixture(scope="module")
def once(shop_calls):
    """Each call once, as a reader should count it."""
    return list({call["messageId"]: call for call in shop_calls[0]}.values())


@pytest.fixture(scope="module")
def orders(once):
    """Calls per order id, test orders left out."""
    by_id = defaultdict(list)
    for call in once:
        if call.get("event") in ORDER_NAMES and not order_id(call).startswith("TEST-"):
            by_id[order_id(call)].append(call)
    return by_id


@pytest.mark.slow
def test_the_committed_shop_is_what_its_seed_makes(tmp_path):
    simulate(tmp_path, seed=TRUTH["seed"], breaks=SMALL_BREAKS)
    made, committed = contents(tmp_path), contents(SHOP)
    assert sorted(made) == sorted(committed)
    assert [name for name in made if made[name] != committed[name]] == []


def test_the_committed_shop_is_small():
    assert sum(path.stat().st_size for path in SHOP.rglob("*") if path.is_file()) < 9_000_000


def test_the_same_arguments_give_the_same_bytes_and_another_seed_another_shop(tmp_path):
    for name, seed in (("one", 3), ("again", 3), ("other", 4)):
        simulate(tmp_path / name, seed=seed, customers=40, months=4)
    one, again, other = (contents(tmp_path / name) for name in ("one", "again", "other"))
    assert one == again
    assert all(one[name] != other[name] for name in one if name not in ("shop.toml", "salt"))


def test_a_shorter_shop_leaves_no_calls_of_a_longer_one(tmp_path):
    simulate(tmp_path, seed=1, customers=30, months=6)
    simulate(tmp_path, seed=1, customers=30, months=3)
    assert [path.name[:7] for path in sorted((tmp_path / "segment").iterdir())] == [
        "2026-08",
        "2026-09",
        "2026-10",
        "2026-11",
    ]


def test_every_call_has_the_keys_of_segments_archive(shop_calls):
    calls, _ = shop_calls
    assert [call for call in calls if set(call) != ALWAYS | BY_TYPE[call["type"]]] == []
    assert [call for call in calls if call["anonymousId"] is None and call["userId"] is None] == []


def test_browser_calls_carry_a_page_and_server_calls_only_their_library(shop_calls):
    for call in shop_calls[0]:
        context = call["context"]
        if "integration" in context:
            assert set(context) - {"traits", "user_agent"} == {"integration"}
        elif context["library"]["name"] == "analytics.js":
            assert {"userAgent", "locale", "ip", "library"} <= set(context)
            assert "page" in context or call["type"] == "identify"
        else:
            assert set(context) - {"traits"} == {"library"}


def test_a_campaign_stands_only_on_calls_whose_address_carries_it(once):
    pages = [call["context"] for call in once if "page" in call["context"]]
    assert [page for page in pages if ("campaign" in page) != ("utm_source=" in page["page"]["search"])] == []
    assert sum("campaign" in page for page in pages) < len(pages) / 4


def test_timestamps_obey_segments_formula_and_files_hold_the_month_of_arrival(shop_calls):
    for call in shop_calls[0]:
        waited = instant(call["sentAt"]) - instant(call["originalTimestamp"])
        assert instant(call["timestamp"]) == instant(call["receivedAt"]) - waited
    for path in (SHOP / "segment").glob("*.gz"):
        text = gzip.decompress(path.read_bytes()).decode()
        received = [json.loads(line)["receivedAt"] for line in text.splitlines() if line.endswith('"version":2}')]
        assert {at[:7] for at in received if at[0] == "2"} == {path.name[:7]}
        assert "\r" not in text


def test_the_last_calls_come_in_the_last_second_of_the_last_local_day(shop_calls):
    last = max(instant(call["timestamp"]) for call in shop_calls[0])
    end = instant("2026-11-02T05:00:00Z")
    assert end - timedelta(seconds=1) <= last < end


def test_money_of_every_order_adds_up(orders):
    for calls in orders.values():
        for call in calls:
            p = call["properties"]
            revenue, total, shipping, tax = (float(p[key]) for key in ("revenue", "total", "shipping", "tax"))
            items = sum(round(line["price"] * line["quantity"] * 100) for line in p["products"])
            assert round(revenue * 100) == items - round(float(p.get("discount", 0)) * 100)
            assert round(total * 100) == round(revenue * 100) + round(shipping * 100) + round(tax * 100)


def test_truths_count_what_the_calls_hold(shop_calls, once, orders):
    calls, others = shop_calls
    put_in = TRUTH["put_in"]
    seen: Counter[str] = Counter()
    for call in once:
        event, p = call.get("event", ""), call.get("properties", {})
        seen["late_calls"] += instant(call["receivedAt"]) - instant(call["timestamp"]) >= timedelta(hours=2)
        seen["calls_with_old_names"] += event in OLD_NAMES
        seen["calls_with_money_as_text"] += any(isinstance(p.get(key), str) for key in ("price", "revenue"))
        seen["cancelled_orders"] += event == "Order Cancelled"
        seen["log_outs"] += event == "Signed Out"
        seen["group_calls"] += call["type"] == "group"
        seen["test_orders"] += event == "Order Completed" and order_id(call).startswith("TEST-")
        seen["staff_calls"] += str(call["userId"]).startswith("u-staff")
        seen["email_calls"] += "integration" in call["context"]
        seen["email_calls_about_no_message"] += "integration" in call["context"] and not p
        agent = call["context"].get("userAgent", "")
        seen["bot_calls"] += any(name in agent for name in ("Googlebot", "AhrefsBot", "HeadlessChrome"))
        seen[SIDE_STEPS.get(event, "")] += 1
        if event == "Product Clicked":
            seen[f"clicks_at_position_{p['position']}"] += 1
        if event == "Order Refunded":
            whole = len(p.get("products", ())) == len(orders[p["order_id"]][0]["properties"]["products"])
            seen["refunds_without_amount"] += "total" not in p
            seen["refunds_of_the_whole_order"] += whole
            seen["refunds_of_one_line"] += "total" in p and not whole
    for made in orders.values():
        first = made[0]["properties"]
        by_server = [call["context"]["library"]["name"] == "analytics-python" for call in made]
        seen["orders_tracked_twice"] += sorted(by_server) == [False, True]
        seen["orders_by_server_alone"] += by_server == [True]
        seen["orders_by_browser_alone"] += by_server == [False]
        seen["zero_value_orders"] += float(first["revenue"]) == 0
        seen["orders_with_coupon"] += "coupon" in first
        seen["orders_in_dollars"] += first["currency"] == "USD"
        placed = {instant(call["timestamp"]) for call in made}
        seen["orders_at_midnight_utc_of_the_last_day"] += placed == {instant("2026-11-01T00:00:00Z")}
        seen["orders_in_the_last_second"] += placed == {instant("2026-11-02T04:59:59Z")}
    del seen[""]
    seen["lines"] = len(calls) + others
    seen["calls"] = len(once)
    unusable = put_in["torn_lines"] + put_in["unusable_lines"]

    assert len(orders) == TRUTH["orders"]
    assert others == unusable
    # A late call that came twice may be remembered by its second arrival, hours later.
    late = seen.pop("late_calls")
    assert put_in["late_calls"] <= late <= put_in["late_calls"] + put_in["duplicates"]
    added = sum(planted["lines_added"] for planted in TRUTH["breaks"])
    put_in = put_in | {name: put_in[name] + added for name in ("lines", "calls")}
    assert {name: put_in[name] for name in seen} == dict(seen)
    assert put_in["duplicates"] == len(calls) - len(once)


def test_revenue_per_currency_is_that_of_the_orders(orders):
    cents: Counter[str] = Counter()
    for made in orders.values():
        cents[made[0]["properties"]["currency"]] += round(float(made[0]["properties"]["revenue"]) * 100)
    assert {currency: amount / 100 for currency, amount in cents.items()} == TRUTH["revenue"]


def test_some_pauses_last_exactly_thirty_minutes(once):
    by_device = defaultdict(list)
    for call in once:
        if call["type"] == "page":
            by_device[call["anonymousId"]].append(instant(call["timestamp"]))
    gaps = [b - a for at in map(sorted, by_device.values()) for a, b in zip(at, at[1:], strict=False)]
    assert gaps.count(timedelta(minutes=30)) == TRUTH["put_in"]["gaps_of_exactly_30_minutes"] == 3


def test_some_devices_have_two_users(once):
    users = defaultdict(set)
    for call in once:
        if call["type"] == "identify" and call["userId"]:
            users[call["anonymousId"]].add(call["userId"])
    shared = sum(len(names) > 1 for names in users.values())
    # And the tablet on the counter.
    assert shared == TRUTH["put_in"]["devices_with_two_users"] + 1


def test_channels_order_at_their_planted_rates():
    for channel, rate in TRUTH["visit_to_order_rate"].items():
        sessions = TRUTH["sessions_by_channel"][channel]
        expected, deviation = sessions * rate, (sessions * rate * (1 - rate)) ** 0.5
        assert abs(TRUTH["sessions_with_order_by_channel"][channel] - expected) < 4 * deviation
    assert sum(TRUTH["sessions_by_channel"].values()) == TRUTH["sessions"]
    assert 0.05 < TRUTH["orders"] / TRUTH["sessions"] < 0.10


def test_emails_of_two_generations_follow_each_other_and_the_older_knows_nobody_without_an_id(once):
    older = [call for call in once if call.get("properties", {}).get("email_id")]
    newer = [call for call in once if call.get("properties", {}).get("delivery_id")]
    assert max(call["timestamp"] for call in older) < "2025-06-27" < min(call["timestamp"] for call in newer)
    assert {"Unsubscribed"} == {call["event"] for call in older} - {call["event"] for call in newer}
    assert all(call["userId"] and call["context"]["traits"]["email"] for call in older)
    addressed = [call for call in newer if call["anonymousId"] is not None]
    assert len(addressed) > 1000
    assert {call["anonymousId"] == call["properties"]["recipient"] for call in addressed} == {True}


def test_what_became_of_messages_is_what_was_planted():
    kinds = defaultdict(Counter)
    for campaign in TRUTH["emails"].values():
        kinds[campaign["name"]] += Counter({name: n for name, n in campaign.items() if name != "name"})
    for name, rates in TRUTH["email_rates"].items():
        tally = kinds[name]
        assert tally["sent"] == tally["delivered"] + tally["bounced"]
        for hits, tries, rate in (
            ("delivered", "sent", rates["delivered"]),
            ("opened_by_people", "delivered", rates["opened_by_people_of_delivered"]),
            ("clicked_by_people", "opened_by_people", rates["clicked_by_people_of_opened_by_people"]),
        ):
            n = tally[tries]
            assert abs(tally[hits] - n * rate) < 3 * (n * rate * (1 - rate)) ** 0.5


def within(hits: int, tries: int, rate: float) -> bool:
    return abs(hits - tries * rate) < 3.5 * (tries * rate * (1 - rate)) ** 0.5


def test_side_steps_lie_between_the_first_and_the_last_other_call_of_their_device(once):
    spans = defaultdict(list)
    for call in once:
        if call["type"] in ("page", "track") and call.get("event") not in SIDE_STEPS:
            spans[call["anonymousId"]].append(instant(call["timestamp"]))
    beside = [call for call in once if call.get("event") in SIDE_STEPS]
    outside = [
        call
        for call in beside
        if not min(spans[call["anonymousId"]]) <= instant(call["timestamp"]) <= max(spans[call["anonymousId"]])
    ]
    assert len(beside) > 15_000
    assert outside == []


def test_orders_are_sent_where_their_currency_is_paid(orders):
    sent: dict[str, Counter[str]] = defaultdict(Counter)
    for made in orders.values():
        assert len({call["properties"]["shipping_country"] for call in made}) == 1
        sent[made[0]["properties"]["currency"]][made[0]["properties"]["shipping_country"]] += 1
    assert sum(sent.values(), Counter()) == TRUTH["orders_by_country"]["orders"]
    for currency, shares in TRUTH["orders_by_country"]["shares"].items():
        assert set(sent[currency]) == set(shares)
        # Orders of one customer go to one country: they are fewer draws than they look.
        for country, share in shares.items():
            assert abs(sent[currency][country] / sent[currency].total() - share) < 0.08


def test_queries_without_results_are_a_share_of_the_searches():
    put_in = TRUTH["put_in"]
    assert 0.1 < put_in["searches_without_results"] / put_in["searches"] < 0.25


def test_promotions_are_clicked_as_planted_and_lists_less_and_less_further_down(once):
    of_device = defaultdict(list)
    for call in sorted(once, key=lambda call: (call["timestamp"], call["type"])):
        if call["type"] == "page" or call.get("event", "").startswith("Promotion"):
            of_device[call["anonymousId"]].append(call)
    seen: Counter[str] = Counter()
    clicked: Counter[str] = Counter()
    for calls in of_device.values():
        for call, after in zip(calls, [*calls[1:], None], strict=True):
            name, promotion = call.get("event"), call["properties"].get("promotion_id")
            clicked[promotion] += name == "Promotion Clicked"
            # Whoever opens another page within half an hour went on.
            seen[promotion] += (
                name == "Promotion Viewed"
                and after is not None
                and instant(after["timestamp"]) - instant(call["timestamp"]) < timedelta(minutes=30)
            )
    for promotion, rate in TRUTH["promotion_clicks_of_visits_that_go_on"].items():
        assert within(clicked[promotion], seen[promotion], rate)
    at = [TRUTH["put_in"][f"clicks_at_position_{position}"] for position in (1, 2, 3)]
    assert at[0] > at[1] > at[2] > 300


def test_coupons_are_denied_more_often_to_those_who_leave(once, orders):
    started = Counter(call["anonymousId"] for call in once if call.get("event") == "Checkout Started")
    denied = TRUTH["coupon_denied_at_checkout"]
    left = started.total() - len(orders)
    expected = left * denied["without_order"] + len(orders) * denied["with_order"]
    assert abs(TRUTH["put_in"]["coupons_denied"] - expected) < 4 * expected**0.5


def test_one_channel_pays_back_and_another_does_not():
    costs = {name: spend / TRUTH["new_customers_by_channel"][name] for name, spend in TRUTH["spend"].items()}
    margin = load_settings(SHOP / "shop.toml").margin
    worth_so_far = margin * TRUTH["revenue"]["EUR"] / TRUTH["customers"]
    assert costs[TRUTH["channel_that_pays_back"]] < worth_so_far / 3
    assert costs[TRUTH["channel_that_does_not_pay_back"]] > worth_so_far * 1.5


def test_customers_of_the_giveaway_month_do_not_come_back(orders):
    """Among accounts, whom the calls name: who orders on a later day within 90 days."""
    placed = defaultdict(list)
    for made in orders.values():
        if made[0]["userId"]:
            placed[made[0]["userId"]].append(instant(made[0]["timestamp"]))
    window, end = timedelta(days=TRUTH["repeat"]["within_days"]), instant("2026-11-02T05:00:00Z")
    customers, came_back = Counter(), Counter()
    for at in map(sorted, placed.values()):
        if at[0] + window < end:
            cohort = f"{at[0]:%Y-%m}" == TRUTH["repeat"]["bad_cohort"]
            customers[cohort] += 1
            came_back[cohort] += any(timedelta(hours=12) < later - at[0] <= window for later in at)
    for cohort, probability in ((False, "probability"), (True, "probability_of_bad_cohort")):
        p, n = TRUTH["repeat"][probability], customers[cohort]
        assert abs(came_back[cohort] - n * p) < 3 * (n * p * (1 - p)) ** 0.5
    assert customers[True] >= 40


def test_a_plain_shop_holds_one_visit_per_order_and_no_oddity(tmp_path):
    model = BuyTillYouDie()
    truth = simulate(tmp_path, seed=2, customers=400, months=24, plain=model)
    calls, others = read_calls(tmp_path)
    made = [call for call in calls if call.get("event") == "Order Completed"]
    mean = sum(call["properties"]["revenue"] for call in made) / len(made)

    assert others == 0
    assert len({call["messageId"] for call in calls}) == len(calls)
    assert len({order_id(call) for call in made}) == len(made) == truth["orders"]
    assert len({call["userId"] for call in made}) == truth["customers"] == 400
    assert mean == pytest.approx(model.p * model.v / (model.q - 1), rel=0.15)
    assert load_settings(tmp_path / "shop.toml").name == "Plain shop"


def test_arguments_out_of_range_are_all_named(tmp_path):
    with pytest.raises(UsageError) as error:
        simulate(tmp_path, seed=-1, customers=3, months=1, end="soon")
    assert str(error.value) == (
        "This shop cannot be simulated: the seed is -1, not 0 or more; there are 3 customers, not 20 or more; "
        "there are 1 months, not 3 or more; the end is 'soon', not a day such as '2026-11-01'. Change these."
    )
    assert list(tmp_path.iterdir()) == []


def test_tiny_has_at_most_thirty_rows_and_settings_that_load():
    lines = (TINY / "segment" / "calls.ndjson").read_text(encoding="utf-8").splitlines()
    tables = [path for path in TINY.rglob("*.csv")]
    rows = sum(len(path.read_text(encoding="utf-8").splitlines()) - 1 for path in tables)
    assert len(lines) + rows <= 30
    assert len(load_settings(TINY / "shop.toml").sources) == 3


def test_tiny_calls_have_the_keys_and_clocks_of_segments_archive():
    for line in (TINY / "segment" / "calls.ndjson").read_text(encoding="utf-8").splitlines()[:-1]:
        call = json.loads(line)
        assert set(call) == ALWAYS | BY_TYPE[call["type"]]
        waited = instant(call["sentAt"]) - instant(call["originalTimestamp"])
        assert abs(instant(call["receivedAt"]) - waited - instant(call["timestamp"])) < timedelta(seconds=1)
