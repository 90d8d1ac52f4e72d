"""Builders that type order lines, refund lines and product events, with the rest filled in."""

import pytest

from ecomkit.schemas import ORDER_LINES, PRODUCT_EVENTS, REFUND_LINES
from tests.metrics.conftest import typed_table


@pytest.fixture
def line_log():
    """Order lines typed as (order_id, product, revenue) or (order_id, product, revenue, {column: value})."""

    def build(*entries):
        rows, seen = [], {}
        for order_id, product, revenue, *rest in entries:
            seen[order_id] = seen.get(order_id, 0) + 1
            row = {"order_id": order_id, "line_number": seen[order_id], "product_id": product, "quantity": 1}
            row |= {"unit_price": revenue, "line_gross": revenue, "line_revenue": revenue}
            rows.append(row | (rest[0] if rest else {}))
        return typed_table(ORDER_LINES, rows)

    return build


@pytest.fixture
def refund_line_log():
    """Refund lines typed as (refund_id, product, amount)."""

    def build(*entries):
        names = ("refund_id", "product_id", "amount")
        return typed_table(
            REFUND_LINES,
            [
                {"line_number": number, "quantity": 1, **dict(zip(names, entry, strict=True))}
                for number, entry in enumerate(entries, start=1)
            ],
        )

    return build


@pytest.fixture
def product_log():
    """Product events typed as (person, event name, product, instant) or with {column: value} behind.

    A person's events lie in the session `s-<person>`.
    """

    def build(*entries):
        rows = []
        for person, name, product, instant, *rest in entries:
            row = {"person_id": person, "event_name": name, "product_id": product, "occurred_at": instant}
            rows.append(row | {"session_id": f"s-{person}"} | (rest[0] if rest else {}))
        return typed_table(PRODUCT_EVENTS, rows)

    return build
