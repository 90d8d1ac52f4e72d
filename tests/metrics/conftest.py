"""Builders that type a few rows into a canonical table, with the rest filled in."""

from datetime import date, datetime
from decimal import Decimal

import ibis
import pyarrow as pa
import pytest

from ecomkit.schemas import AD_SPEND, EVENTS, ORDERS, PRODUCT_EVENTS, REFUNDS, SESSIONS


def utc(text):
    return datetime.fromisoformat(text) if isinstance(text, str) else text


def typed_table(schema, rows):
    """A table of `schema`; columns that a row does not name are null."""
    for row in rows:
        for name, value in row.items():
            if value is None:
                continue
            if schema[name].is_timestamp():
                row[name] = utc(value)
            elif schema[name].is_decimal():
                row[name] = Decimal(str(value))
            elif schema[name].is_date():
                row[name] = date.fromisoformat(value)
    return ibis.memtable(pa.Table.from_pylist(rows, schema=schema.to_pyarrow()))


@pytest.fixture
def order_log():
    """Orders typed as (customer, instant) or (customer, instant, {column: value}), numbered per customer by time."""

    def build(*entries):
        rows = []
        for number, (customer, instant, *rest) in enumerate(entries, start=1):
            row = {"order_id": f"o{number}", "customer_id": customer, "ordered_at": utc(instant), "revenue": 10}
            row |= {"discount": 0, "status": "completed", "currency": "EUR", **(rest[0] if rest else {})}
            rows.append(row)
        seen = {}
        for row in sorted(rows, key=lambda row: row["ordered_at"]):
            if row["status"] != "cancelled" and row["customer_id"] is not None:
                seen[row["customer_id"]] = seen.get(row["customer_id"], 0) + 1
                row.setdefault("order_number", seen[row["customer_id"]])
        return typed_table(ORDERS, rows)

    return build


@pytest.fixture
def refund_log():
    """Refunds typed as (order_id, instant, amount)."""

    def build(*entries):
        names = ("order_id", "refunded_at", "amount")
        return typed_table(
            REFUNDS,
            [
                {"refund_id": f"r{n}", "currency": "EUR", **dict(zip(names, entry, strict=True))}
                for n, entry in enumerate(entries)
            ],
        )

    return build


@pytest.fixture
def session_log():
    """Sessions typed as (person, instant, orders) or (person, instant, orders, {column: value})."""

    def build(*entries):
        rows = []
        for number, (person, instant, orders, *rest) in enumerate(entries, start=1):
            row = {"session_id": f"s{number}", "person_id": person, "anonymous_id": f"a-{person}"}
            row |= {"started_at": instant, "ended_at": instant, "orders": orders, "converted": orders > 0}
            rows.append(row | (rest[0] if rest else {}))
        return typed_table(SESSIONS, rows)

    return build


@pytest.fixture
def event_log():
    """Events typed as (person, event name, instant) or (person, event name, instant, {column: value})."""

    def build(*entries):
        rows = []
        for number, (person, name, instant, *rest) in enumerate(entries):
            row = {"message_id": f"m{number:06d}", "person_id": person, "event_name": name, "occurred_at": instant}
            rows.append(row | (rest[0] if rest else {}))
        return typed_table(EVENTS, rows)

    return build


@pytest.fixture
def product_event_log():
    """Product events typed as (person, event name, instant, product) or with {column: value} behind."""

    def build(*entries):
        rows = []
        for person, name, instant, product, *rest in entries:
            row = {
                "person_id": person,
                "event_name": name,
                "occurred_at": instant,
                "product_id": product,
                "quantity": 1,
            }
            rows.append(row | (rest[0] if rest else {}))
        return typed_table(PRODUCT_EVENTS, rows)

    return build


@pytest.fixture
def spend_log():
    """Ad spend typed as (day, channel, spend) or (day, channel, spend, {column: value})."""

    def build(*entries):
        rows = []
        for day, channel, spend, *rest in entries:
            row = {"date": day, "channel": channel, "spend": spend, "purpose": "prospecting", "currency": "EUR"}
            rows.append(row | (rest[0] if rest else {}))
        return typed_table(AD_SPEND, rows)

    return build


@pytest.fixture
def rows_of():
    """Run a query and return its rows as dicts, or only the columns named, as tuples."""

    def run(table, *columns):
        rows = table.to_pyarrow().to_pylist()
        return [tuple(row[name] for name in columns) for row in rows] if columns else rows

    return run
