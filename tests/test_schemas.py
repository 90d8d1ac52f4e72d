import ibis
import pytest

from ecomkit.errors import TableError
from ecomkit.schemas import CANONICAL, ORDERS, require


def test_a_table_without_columns_names_all_that_lack_and_who_makes_it():
    table = ibis.table({"order_id": "string", "ordered_at": "timestamp"}, name="t").select("order_id", "ordered_at")
    lacking = [name for name in ORDERS.names if name not in ("order_id", "ordered_at")]
    with pytest.raises(TableError) as caught:
        require(table, ORDERS)
    assert str(caught.value) == (
        f"The table lacks {', '.join(repr(name) for name in lacking)}. It has 'order_id', 'ordered_at'. "
        "The step 'pipeline.orders' makes this table."
    )


def test_more_columns_than_asked_for_are_welcome():
    table = ibis.table({**dict(ORDERS.items()), "more": "string"}, name="t")
    assert require(table, ORDERS) is None
    with pytest.raises(TableError):
        require(table.drop("order_id"), ORDERS)


def test_instants_are_utc_and_money_is_decimal_in_every_table():
    for name, (schema, _maker) in CANONICAL.items():
        for column, kind in schema.items():
            if column.endswith("_at") or column in ("valid_from", "valid_to"):
                assert str(kind) == "timestamp('UTC')", f"{name}.{column}"
            if kind.is_decimal():
                assert str(kind) == "decimal(18, 4)", f"{name}.{column}"
