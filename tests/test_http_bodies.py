"""Calls as Segment's libraries post them: batches, single calls and captured requests, as lines or whole documents."""

import gzip
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from ibis import _

from ecomkit.shop import ROOT, open_shop
from tests.calls import order
from tests.tables import rows

SENT_AT = "2026-10-01T10:00:01.000Z"
CAPTURES = ROOT.parent / "shared" / "data" / "segment-samples"
SERVER = {"library": {"name": "analytics-python", "version": "2.4.0"}}
BROWSER = {
    "library": {"name": "analytics.js", "version": "next-1.84.3"},
    "userAgent": "Mozilla/5.0 (X11; Linux x86_64)",
}


def call(kind, number, **fields):
    """A call as a library makes it: no arrival, no version; both ids there, null where unset."""
    return {
        "type": kind,
        "messageId": f"m{number}",
        "anonymousId": None,
        "userId": None,
        "timestamp": "2026-10-01T12:00:00.000+02:00",
        "context": SERVER,
        "integrations": {},
        **fields,
    }


BATCH = {
    "batch": [
        call("identify", 1, userId="ana", traits={"email": "ana@example.com", "plan": "vip"}),
        call("track", 2, event="Order Completed", userId="ana", properties=order("o1", revenue=10.0)),
        call("track", 3, event="Odd types", userId="ana", properties={"nested": {"a": [1, {"b": True}]}}),
    ],
    "sentAt": SENT_AT,
    "writeKey": "SECRET_KEY",
}
PAGE = call("page", 4, anonymousId="d1", context=BROWSER, properties={"path": "/"}) | {
    "sentAt": SENT_AT,
    "writeKey": "SECRET_KEY",
}


def request(body, path="/v1/batch"):
    return {"method": "POST", "path": path, "headers": {"Authorization": "Basic U0VDUkVU"}, "body": body}


FORMS = {
    "bodies as lines": [json.dumps(BATCH), json.dumps(PAGE)],
    "requests as lines": [json.dumps(request(BATCH)), json.dumps(request(PAGE, "/v1/p"))],
    "bodies as text in requests": [json.dumps(request(json.dumps(BATCH))), json.dumps(request(json.dumps(PAGE)))],
    "calls as lines": [*(json.dumps(one | {"sentAt": SENT_AT}) for one in BATCH["batch"]), json.dumps(PAGE)],
    "a list of calls as one line": [json.dumps([*(one | {"sentAt": SENT_AT} for one in BATCH["batch"]), PAGE])],
    "a mixture": [json.dumps(PAGE), json.dumps(request(BATCH))],
}


@pytest.mark.parametrize("lines", FORMS.values(), ids=FORMS)
def test_every_form_of_the_same_calls_gives_the_same_events(make_shop, lines):
    shop = open_shop(make_shop(*lines))
    told = [(row["message_id"], row["event_name"], row["side"]) for row in rows(shop.events.order_by("message_id"))]
    assert told == [
        ("m1", "identify", "server"),
        ("m2", "Order Completed", "server"),
        ("m3", "Odd types", "server"),
        ("m4", "page", "client"),
    ]
    [bought] = rows(shop.orders)
    assert (bought["customer_id"], bought["ordered_at"].isoformat()) == ("user:ana", "2026-10-01T10:00:00+00:00")
    [log] = rows(shop.build_log.filter(_.step == "read calls"))
    assert (log["rows_in"], log["rows_out"]) == (4, 4)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzipped"])
@pytest.mark.parametrize("document", [request(BATCH), BATCH, BATCH["batch"]], ids=["request", "body", "list"])
def test_a_document_over_many_lines_is_read_whole(make_shop, document, packed):
    folder = make_shop(PAGE)
    (folder / "calls.ndjson").unlink()
    (folder / "calls.ndjson").mkdir()
    text = json.dumps(document, indent=2).encode()
    (folder / "calls.ndjson" / "capture.json").write_bytes(gzip.compress(text) if packed else text)
    shop = open_shop(folder)
    assert [row["message_id"] for row in rows(shop.events.order_by("message_id"))] == ["m1", "m2", "m3"]


def test_a_body_lends_its_context_and_its_time_of_sending_to_calls_without(make_shop):
    bare = call("track", 1, event="Product Viewed", anonymousId="d1", properties={"product_id": "p"})
    del bare["context"], bare["timestamp"]
    named = call("page", 2, anonymousId="d1", context={"userAgent": "Own"}, timestamp="2026-10-01T09:00:00Z")
    shop = open_shop(make_shop({"batch": [bare, named], "context": BROWSER, "sentAt": SENT_AT}))
    first, second = rows(shop.events.order_by("message_id"))
    assert (first["occurred_at"].isoformat(), first["side"]) == ("2026-10-01T10:00:01+00:00", "client")
    assert (second["occurred_at"].isoformat(), second["side"]) == ("2026-10-01T09:00:00+00:00", "client")


def test_what_is_no_call_within_a_body_is_quarantined_with_its_line_and_the_rest_is_kept(make_shop):
    batch = [call("page", 1, anonymousId="d1"), "no call", None, {"type": "page", "messageId": "m2"}]
    shop = open_shop(make_shop(PAGE, {"batch": batch, "sentAt": SENT_AT, "writeKey": "SECRET_KEY"}, {"batch": []}))
    unusable = rows(shop.quarantine)
    assert sorted((row["line_number"], row["reason"]) for row in unusable) == [
        (2, "no user id, visitor id or email"),
        (2, "not a JSON object"),
        (2, "not a JSON object"),
        (3, "no call type"),
    ]
    assert all(row["raw"] for row in unusable)
    [log] = rows(shop.build_log.filter(_.step == "read calls"))
    assert (log["rows_in"], log["rows_out"], log["rows_quarantined"]) == (6, 2, 4)


def test_a_write_key_is_not_kept(make_shop):
    broken = json.dumps(request(BATCH))[:-30]
    shop = open_shop(make_shop(PAGE, broken, {"writeKey": "SECRET_KEY", "type": "page"}))
    assert len(rows(shop.quarantine)) == 2
    assert "SECRET_KEY" not in str(rows(shop.quarantine))
    assert "U0VDUkVU" not in str(rows(shop.quarantine))


def test_a_call_about_a_batch_or_a_body_is_a_call(make_shop):
    shop = open_shop(
        make_shop(call("track", 1, event="Cream Viewed", userId="u", properties={"body": 1, "batch": [2]}))
    )
    assert [row["event_name"] for row in rows(shop.events)] == ["Cream Viewed"]


@pytest.mark.slow
@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captures of Segment's own libraries are not beside the project")
def test_captures_of_three_libraries_are_the_calls_of_the_flat_export(make_shop):
    flat = (CAPTURES / "events-flat.ndjson").read_text(encoding="utf-8").splitlines()
    captured = [path.read_text(encoding="utf-8") for path in sorted(CAPTURES.glob("*-*.json"))]
    bodies = make_shop(name="bodies")
    (bodies / "calls.ndjson").unlink()
    (bodies / "calls.ndjson").mkdir()
    for number, text in enumerate(captured):
        (bodies / "calls.ndjson" / f"{number}.json").write_text(text, encoding="utf-8")
    one, other = open_shop(make_shop(*flat, name="flat")), open_shop(bodies)
    columns = ("message_id", "event_name", "occurred_at", "anonymous_id", "user_id", "side", "order_id", "product_id")
    told = [rows(shop.events.select(*columns).order_by("message_id")) for shop in (one, other)]
    assert len(told[0]) == 16
    assert told[0] == told[1]
    assert rows(one.order_lines) == rows(other.order_lines)


PYTHON_SENDER = """
import sys
from datetime import datetime, timezone
from decimal import Decimal
import segment.analytics as analytics
analytics.write_key, analytics.host = "KEY", sys.argv[1]
at = datetime(2026, 10, 1, 10, tzinfo=timezone.utc)
analytics.identify("ana", {"email": "ana@example.com"}, timestamp=at)
analytics.page(anonymous_id="d1", properties={"path": "/"}, timestamp=at)
analytics.track("ana", "Product Viewed", {"product_id": "p1", "price": float("nan")}, timestamp=at)
products = [{"product_id": "p1", "price": Decimal("12.50"), "quantity": 2}]
analytics.track("ana", "Order Completed", {"order_id": "o1", "revenue": 25, "currency": "EUR", "products": products},
                timestamp=at, message_id="same")
analytics.track("ana", "Order Completed", {"order_id": "o1", "revenue": 25, "currency": "EUR", "products": products},
                timestamp=at, message_id="same")
analytics.group("ana", "cafe", {"name": "Cafe"})
analytics.flush()
analytics.shutdown()
"""
NODE_SENDER = """
const { Analytics } = require('@segment/analytics-node');
const analytics = new Analytics({ writeKey: 'KEY', host: process.argv[2] });
const timestamp = '2026-10-01T10:00:00.000Z';
analytics.identify({ userId: 'ana', traits: { email: 'ana@example.com' }, timestamp });
analytics.page({ anonymousId: 'd1', properties: { path: '/' }, timestamp });
analytics.track({ userId: 'ana', event: 'Product Viewed', properties: { product_id: 'p1', price: NaN }, timestamp });
const products = [{ product_id: 'p1', price: 12.5, quantity: 2 }];
const sold = { order_id: 'o1', revenue: 25, currency: 'EUR', products };
for (let copy = 0; copy < 2; copy++)
  analytics.track({ userId: 'ana', event: 'Order Completed', properties: sold, timestamp, messageId: 'same' });
analytics.group({ userId: 'ana', groupId: 'cafe', traits: { name: 'Cafe' } });
analytics.closeAndFlush();
"""


@pytest.fixture
def loopback():
    """A server on this machine that accepts what libraries post; yields its address and the bodies it got."""
    bodies = []

    class Accept(BaseHTTPRequestHandler):
        def do_POST(self):
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"success": true}')

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Accept)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", bodies
    server.shutdown()
    thread.join()
    server.server_close()


def python_command(script: Path) -> list[str]:
    python = os.environ.get("ECOMKIT_TEST_SEGMENT_PYTHON", sys.executable)
    if subprocess.run([python, "-c", "import segment.analytics"], capture_output=True).returncode:
        pytest.skip(
            "segment-analytics-python is not installed (ECOMKIT_TEST_SEGMENT_PYTHON names a Python that has it)"
        )
    script.write_text(PYTHON_SENDER, encoding="utf-8")
    return [python, str(script)]


def node_command(script: Path) -> list[str]:
    try:
        found = (
            subprocess.run(["node", "-e", "require('@segment/analytics-node')"], capture_output=True).returncode == 0
        )
    except FileNotFoundError:
        found = False
    if not found:
        pytest.skip("@segment/analytics-node is not installed (NODE_PATH names the folder that has it)")
    script.write_text(NODE_SENDER, encoding="utf-8")
    return ["node", str(script)]


@pytest.mark.slow
@pytest.mark.parametrize("command", [python_command, node_command], ids=["python", "node"])
def test_what_the_server_libraries_post_today_is_read(make_shop, loopback, tmp_path, command):
    address, bodies = loopback
    subprocess.run([*command(tmp_path / "send.cjs"), address], check=True, timeout=60)
    assert bodies
    shop = open_shop(make_shop(*bodies))
    assert sorted(row["event_name"] for row in rows(shop.events)) == [
        "Order Completed",
        "Product Viewed",
        "identify",
        "page",
    ]
    [bought] = rows(shop.orders)
    assert (bought["customer_id"], float(bought["revenue"])) == ("user:ana", 25.0)
    assert [float(line["line_revenue"]) for line in rows(shop.order_lines)] == [25.0]
    [log] = rows(shop.build_log.filter(_.step == "read calls"))
    assert (log["rows_in"], log["rows_out"], log["duplicates"], log["rows_excluded"]) == (6, 4, 1, 1)
