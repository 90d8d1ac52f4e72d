"""Segment calls as its archive holds them: envelopes, clocks, and what goes wrong on the way."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from ecomkit.simulate.dice import chance, whole
from ecomkit.simulate.people import Device

_HOUR_MS = 3_600_000
_DUPLICATES = 0.003
_LATE = 0.002
_BROWSER = {"name": "analytics.js", "version": "next-1.84.3"}
_SERVER = {"name": "analytics-python", "version": "2.4.0"}
_EMAIL_SENDER = {"name": "customer.io", "version": "2.0.0"}


@dataclass
class Archive:
    """The lines received so far, each with its instant, and a count of each oddity put in.

    With `oddities` off every call arrives once and at once. `mark` keeps the numbers of
    the browser's calls apart from those of another archive.
    """

    uniform: Iterator[float]
    end_ms: int
    oddities: bool = True
    mark: str = ""
    lines: list[tuple[int, int, str]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def take_in(self, other: "Archive") -> None:
        """Keep all that another archive has received."""
        for received_ms, _, line in other.lines:
            self.receive(received_ms, line)
        self.counts.update(other.counts)

    def receive(self, received_ms: int, line: str) -> None:
        """Keep one line as it stands, readable or not."""
        self.lines.append((received_ms, len(self.lines), line))


def from_browser(archive: Archive, device: Device, at_ms: int, kind: str, body: dict, context: dict) -> None:
    """Send a call of the browser library; a few wait for hours in the queue of a device that is offline."""
    queue_ms = whole(archive.uniform, 3, 40) * 10
    if archive.oddities and chance(archive.uniform, _LATE):
        waits_ms = whole(archive.uniform, 2 * _HOUR_MS, 80 * _HOUR_MS)
        if at_ms + waits_ms < archive.end_ms - _HOUR_MS:
            queue_ms = waits_ms
            archive.counts["late_calls"] += 1
    envelope = {"anonymousId": device.anonymous_id, "userId": device.user_id}
    context = {**context, "userAgent": device.user_agent, "ip": device.ip, "library": _BROWSER}
    number = f"ajs-next-{archive.mark}{len(archive.lines):06x}"
    _send(archive, number, at_ms, device.skew_ms, queue_ms, kind, body, envelope, context)


def from_server(
    archive: Archive,
    at_ms: int,
    kind: str,
    body: dict,
    *,
    user_id: str | None,
    anonymous_id: str | None = None,
    traits: dict | None = None,
) -> None:
    """Send a call of the shop's server: no page, no user agent, often no anonymous id."""
    envelope = {"anonymousId": anonymous_id, "userId": user_id}
    context = {"library": _SERVER} | ({"traits": traits} if traits else {})
    _send(archive, f"py-{len(archive.lines):06x}", at_ms, 0, 120, kind, body, envelope, context)


def from_email_sender(
    archive: Archive,
    at_ms: int,
    event: str,
    properties: dict,
    *,
    user_id: str | None,
    anonymous_id: str | None,
    email: str | None,
    agent: str | None,
) -> None:
    """Send a call of the service that sends the shop's emails; `agent` is what opened or clicked."""
    envelope = {"anonymousId": anonymous_id, "userId": user_id}
    context: dict[str, Any] = {"integration": _EMAIL_SENDER}
    if email:
        context["traits"] = {"email": email}
    if agent:
        context["user_agent"] = agent
    body = {"event": event, "properties": properties}
    _send(archive, f"cio-{len(archive.lines):06x}", at_ms, 0, 350, "track", body, envelope, context)


def _send(
    archive: Archive,
    message_id: str,
    at_ms: int,
    skew_ms: int,
    queue_ms: int,
    kind: str,
    body: dict[str, Any],
    envelope: dict[str, str | None],
    context: dict[str, Any],
) -> None:
    # timestamp = receivedAt - (sentAt - originalTimestamp): the device's clock cancels out.
    received_ms = at_ms + queue_ms
    call = {
        "type": kind,
        "messageId": message_id,
        **envelope,
        **body,
        "context": context,
        "integrations": {},
        "timestamp": iso(at_ms),
        "originalTimestamp": iso(at_ms + skew_ms),
        "sentAt": iso(received_ms + skew_ms),
        "receivedAt": iso(received_ms),
        "version": 2,
    }
    archive.receive(received_ms, to_line(call))
    archive.counts["calls"] += 1
    if archive.oddities and chance(archive.uniform, _DUPLICATES):
        again_ms = received_ms + whole(archive.uniform, 1000, 20 * _HOUR_MS)
        if again_ms < archive.end_ms:
            call |= {"sentAt": iso(again_ms + skew_ms), "receivedAt": iso(again_ms)}
            archive.receive(again_ms, to_line(call))
            archive.counts["duplicates"] += 1


def to_line(call: dict[str, Any]) -> str:
    """Write a call as one line of JSON."""
    return json.dumps(call, separators=(",", ":"), ensure_ascii=False)


def iso(at_ms: int) -> str:
    """Write milliseconds since 1970 the way Segment does."""
    day, rest = divmod(at_ms, 86_400_000)
    seconds, millis = divmod(rest, 1000)
    return f"{_day(day)}T{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{millis:03d}Z"


@lru_cache(maxsize=4096)
def _day(number: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=number)).isoformat()
