"""What was sent back of each line, to the cent."""

from datetime import date
from decimal import Decimal

import pytest

from ecomkit.metrics.products import line_refunds, untied_refunds
from ecomkit.periods import Period

AT, BACK = "2026-10-06 10:00:00Z", "2026-10-09 10:00:00Z"
WEEK = Period(date(2026, 10, 5), date(2026, 10, 12), "UTC")


@pytest.fixture
def refunded(order_log, line_log, refund_log, refund_line_log, rows_of):
    """Return a function that says what of each line of order o1 was sent back, and what is tied and untied."""

    def run(lines, refunds, refund_lines=(), revenue=10, status="completed"):
        tables = (
            order_log(("ana", AT, {"revenue": revenue, "status": status})),
            line_log(*lines),
            refund_log(*refunds),
            refund_line_log(*refund_lines),
        )
        rows = rows_of(line_refunds(*tables, as_of=WEEK.end_at))
        parts = {}
        for row in rows:
            parts[row["line_number"]] = parts.get(row["line_number"], 0) + row["refunded"]
        [told] = rows_of(untied_refunds(*tables, period=WEEK, as_of=WEEK.end_at))
        assert told["tied"] == sum(parts.values())
        return parts, told["untied"]

    return run


def test_a_refund_that_names_no_product_is_spread_by_revenue_to_the_cent(refunded):
    thirds = [("o1", f"p{number}", "3.33") for number in range(3)]
    parts, untied = refunded(thirds, [("o1", BACK, 5)], revenue="9.99")
    assert sum(parts.values()) == 5
    assert sorted(parts.values()) == [Decimal("1.66"), Decimal("1.67"), Decimal("1.67")]
    assert untied == 0


def test_a_refund_that_names_products_goes_to_them_by_what_they_were_sold_for(refunded):
    lines = [("o1", "p1", 4), ("o1", "p2", 4), ("o1", "p3", 2)]
    parts, untied = refunded(lines, [("o1", BACK, 6)], [("r0", "p1", 5), ("r0", "p3", "2.5")])
    assert parts == {1: 4, 3: 2}
    assert untied == 0


def test_lines_of_one_product_share_by_their_revenue_and_free_ones_alike(refunded):
    lines = [("o1", "p1", 6), ("o1", "p1", 2), ("o1", "p2", 0), ("o1", "p2", 0)]
    assert refunded(lines, [("o1", BACK, 4)], [("r0", "p1", 8)], revenue=8)[0] == {1: 3, 2: 1}
    assert refunded(lines, [("o1", BACK, 4)], [("r0", "p2", 8)], revenue=8)[0] == {3: 2, 4: 2}
    assert refunded(lines[2:], [("o1", BACK, 3)], revenue=0)[0] == {1: Decimal("1.5"), 2: Decimal("1.5")}


def test_what_is_said_of_a_product_that_was_not_ordered_is_untied(refunded):
    parts, untied = refunded([("o1", "p1", 10)], [("o1", BACK, 6)], [("r0", "p1", 2), ("r0", "other", 4)])
    assert (parts, untied) == ({1: 2}, 4)


def test_of_a_part_of_the_lines_only_their_share_is_told(refunded):
    """Under a filter by category, an order has only that category's lines."""
    assert refunded([("o1", "p1", 4)], [("o1", BACK, 5)]) == ({1: 2}, 3)


@pytest.mark.parametrize(
    ("lines", "refund", "status"),
    [
        pytest.param([("o1", "p1", 10)], ("o1", "2026-10-12 00:00:00Z", 5), "completed", id="at the end of the data"),
        pytest.param([("o1", "p1", 10)], ("o1", BACK, 5), "cancelled", id="of a cancelled order"),
        pytest.param([("o1", "p1", 10)], (None, BACK, 5), "completed", id="of an unknown order"),
        pytest.param([("o1", "p1", 10)], ("o1", BACK, 0), "completed", id="of nothing"),
    ],
)
def test_refunds_that_do_not_count(refunded, lines, refund, status):
    parts, untied = refunded(lines, [refund], status=status)
    assert (sum(parts.values()), untied) == (0, 0)


def test_an_order_without_lines_leaves_its_refund_untied(refunded):
    assert refunded([], [("o1", BACK, 5)]) == ({}, 5)
