"""A shop's folder on disk: lines into gzipped months, tables, settings, truths."""

import gzip
import json
from datetime import date
from itertools import groupby
from pathlib import Path

from ecomkit.simulate.calls import iso

SALT = "lantern-and-leaf-fixture-salt"

SHOP_TOML = """\
[shop]
name = "Lantern & Leaf"
time_zone = "America/New_York"
currency = "EUR"
own_hosts = ["lantern.example"]

[[source]]
kind = "segment_files"
path = "segment/"

[[source]]
kind = "ad_spend"
platform = "facebook"
channel = "Paid Social"
path = "ads/facebook.csv"

[[source]]
kind = "ad_spend"
platform = "google"
channel = "Paid Search"
path = "ads/google.csv"

[money]
rule = "detect"
rates = "rates.csv"

[refunds]
look_back_days = 30

[exclude]
bots = true
staff = ["@lantern.example"]
test_orders = ["^TEST-"]

[b2b]
order_units = 10

[channels]
rules = [{channel = "Influencers", utm_medium = "creator"}]

[margin]
default = 0.6

[spend]
retargeting = ["*remarketing*"]
monthly_fees = {"Paid Search" = 40, "Paid Social" = 60}

[limits]
max_quarantined_share = 0.05
min_group = 30
"""

PLAIN_SHOP_TOML = """\
[shop]
name = "Plain shop"
time_zone = "America/New_York"
currency = "EUR"
own_hosts = ["lantern.example"]

[[source]]
kind = "segment_files"
path = "segment/"
"""


def write_calls(folder: Path, lines: list[tuple[int, int, str]]) -> None:
    """Write one gzipped file per UTC month of arrival, lines in the order in which they arrived."""
    segment = folder / "segment"
    segment.mkdir(parents=True, exist_ok=True)
    for stale in segment.glob("*.ndjson.gz"):
        stale.unlink()
    for month, of_month in groupby(sorted(lines), key=lambda line: iso(line[0])[:7]):
        text = "".join(f"{line}\n" for _, _, line in of_month)
        (segment / f"{month}.ndjson.gz").write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))


def write_csv(path: Path, header: str, rows: list[str]) -> None:
    """Write a table as CSV with LF line ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, "\n".join([header, *rows]) + "\n")


def write_rates(path: Path, rates: dict[date, float]) -> None:
    """Write euros per dollar, day by day."""
    write_csv(path, "date,currency,rate", [f"{day},USD,{rate:.4f}" for day, rate in rates.items()])


def write_visits(path: Path, visits: list[tuple[int, str, int, bool]]) -> None:
    """Write whose each visit truly was: its first instant, device, person, and if the device ever learned who he is."""
    rows = [f"{iso(at_ms)},{device},{person},{known:d}" for at_ms, device, person, known in sorted(visits)]
    text = "\n".join(["started_at,anonymous_id,person,device_is_known", *rows]) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))


def write_json(path: Path, content: dict) -> None:
    """Write a JSON file that reads well in a diff."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text with LF line ends on every platform."""
    path.write_text(text, encoding="utf-8", newline="\n")
