"""What high-value customers spend on."""

from datetime import UTC, datetime
from decimal import Decimal

import ibis
import pytest

from ecomkit.errors import UsageError
from ecomkit.metrics.product_mix import product_mix
from ecomkit.metrics.ratio import SUMS
from ecomkit.schemas import ORDER_LINES, ORDERS, REFUNDS
from tests.metrics.conftest import typed_table

AS_OF = datetime(2024, 3, 1, tzinfo=UTC)
AT = "2024-01-02 10:00:00Z"


def lines(*entries):
    names = ("order_id", "category", "line_revenue")
    return typed_table(ORDER_LINES, [dict(zip(names, entry, strict=True)) for entry in entries])


def test_the_best_tenth_is_set_beside_the_others(order_log, refund_log, rows_of):
    """Ten customers: the best has the most after refunds; a guest is in neither group."""
    orders = order_log(
        ("rich", AT, {"revenue": 100}),
        ("refunded", AT, {"revenue": 500}),
        (None, AT, {"revenue": 900}),
        *[(f"c{n}", AT) for n in range(8)],
    )
    held = lines(("o1", "Teas", 60), ("o1", "Pots", 40), ("o2", "Pots", 500), ("o3", "Gifts", 900), ("o4", "Teas", 10))
    rows = product_mix(orders, refund_log(("o2", "2024-01-09 10:00:00Z", 450)), held, as_of=AS_OF)
    columns = ("category", "is_high_value", "customers", "revenue", "revenue_share", "clusters")
    assert rows_of(rows, *columns) == [
        ("Pots", False, 1, Decimal(500), 500 / 510, 2),
        ("Pots", True, 1, Decimal(40), 0.4, 1),
        ("Teas", False, 1, Decimal(10), 10 / 510, 2),
        ("Teas", True, 1, Decimal(60), 0.6, 1),
    ]


def test_one_customer_is_high_value_and_unknown_kinds_stand_apart(order_log, refund_log, rows_of):
    rows = product_mix(order_log(("ana", AT)), refund_log(), lines(("o1", None, 10)), as_of=AS_OF)
    assert rows_of(rows, "category", "is_high_value", "revenue_share") == [(None, True, 1.0)]


def test_shares_of_a_group_add_up_to_one_and_its_sums_are_those_of_its_customers(shop, rows_of):
    rows = rows_of(product_mix(shop.orders, shop.refunds, shop.order_lines, as_of=shop.week("last").end_at))
    for best in (True, False):
        group = [row for row in rows if row["is_high_value"] == best]
        assert sum(row["revenue_share"] for row in group) == pytest.approx(1)
        assert len({row["denominator_squares"] for row in group}) == 1
    assert {row["clusters"] for row in rows if row["is_high_value"]} == {78}


def test_the_second_way_by_sql(shop, rows_of):
    by_hand = """
      with kept as (select * from orders where status <> 'cancelled' and customer_id is not null),
      worth as (
        select customer_id, sum(revenue) - coalesce(sum(back), 0) as net
        from kept left join (select order_id, sum(amount) as back from refunds group by 1) using (order_id) group by 1
      ),
      ranked as (select customer_id, row_number() over (order by net desc, customer_id) <= floor(count(*) over () / 10)
                 as best from worth)
      select category, best, sum(line_revenue) as revenue, count(distinct customer_id) filter (line_revenue > 0) as n
      from kept join order_lines using (order_id) join ranked using (customer_id)
      group by 1, 2 order by 1, 2
    """
    theirs = [tuple(row.values()) for row in shop.con.sql(by_hand).to_pyarrow().to_pylist()]
    ours = product_mix(shop.orders, shop.refunds, shop.order_lines, as_of=shop.week("last").end_at)
    assert rows_of(ours, "category", "is_high_value", "revenue", "customers") == theirs


@pytest.mark.parametrize("best_share", [0, 1, 10])
def test_a_share_lies_between_none_and_all(order_log, refund_log, best_share):
    with pytest.raises(UsageError) as caught:
        product_mix(order_log(), refund_log(), lines(), as_of=AS_OF, best_share=best_share)
    assert str(caught.value) == (f"High-value customers cannot be {best_share} of all. Give a share between 0 and 1.")


def test_columns_are_the_documented_ones():
    unbound = [ibis.table(schema, name=f"t{n}") for n, schema in enumerate((ORDERS, REFUNDS, ORDER_LINES))]
    assert product_mix(*unbound, as_of=AS_OF).columns == (
        *("category", "is_high_value", "customers", "revenue", "revenue_share"),
        *SUMS,
    )
