"""Sums per cluster, by hand and by law."""

import random

import ibis
import pyarrow as pa

from ecomkit.metrics.ratio import SUMS, cluster_sums


def visits(*rows):
    names = ("person_id", "channel", "orders", "sessions")
    return ibis.memtable(pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows]))


def test_sums_are_of_the_totals_of_each_cluster():
    table = visits(("ana", "Email", 1, 1), ("ana", "Email", 1, 1), ("ben", "Email", 0, 1), ("ben", "Direct", 1, 1))
    sums = cluster_sums(table, numerator="orders", denominator="sessions", cluster="person_id")
    [row] = sums.to_pyarrow().to_pylist()
    # ana 2 of 2, ben 1 of 2.
    assert row == dict(zip(SUMS, (2, 3, 4, 5.0, 6.0, 8.0), strict=True))


def test_groups_each_have_their_own_clusters():
    table = visits(("ana", "Email", 1, 1), ("ben", "Email", 0, 1), ("ben", "Direct", 1, 1))
    sums = cluster_sums(table, numerator="orders", denominator="sessions", cluster="person_id", by=["channel"])
    rows = sorted(tuple(row.values()) for row in sums.to_pyarrow().to_pylist())
    assert rows == [("Direct", 1, 1, 1, 1.0, 1.0, 1.0), ("Email", 2, 1, 2, 1.0, 1.0, 2.0)]


def test_without_rows_everything_is_zero():
    table = visits(("ana", "Email", 1, 1))
    sums = cluster_sums(table.filter(table.orders > 9), numerator="orders", denominator="sessions", cluster="person_id")
    assert sums.to_pyarrow().to_pylist() == [dict.fromkeys(SUMS, 0)]


def test_the_order_of_rows_does_not_matter():
    draw = random.Random(3)
    rows = [(f"p{draw.randint(1, 20)}", "Email", draw.randint(0, 2), 1) for _ in range(200)]
    shuffled = draw.sample(rows, len(rows))
    first, second = (
        cluster_sums(visits(*some), numerator="orders", denominator="sessions", cluster="person_id").to_pyarrow()
        for some in (rows, shuffled)
    )
    assert first.equals(second)
