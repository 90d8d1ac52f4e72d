"""The steps of a query, from its tables to its rows, in words, and how many rows each leaves.

Read off the expression itself, so that every metric tells its steps without having to write them down.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir

_JOINED = {
    "inner": "joined with",
    "left": "joined, where there is one, with",
    "semi": "only those found in",
    "anti": "only those not found in",
    "cross": "repeated for each row of",
}


@dataclass(frozen=True)
class Step:
    """One step of a query that may change the number of rows: its number, what it does, and its rows."""

    number: int
    text: str
    relation: ir.Table


def query_steps(expression: ir.Table) -> list[Step]:
    """Return the steps of a query that may change how many rows there are, each after those it stands on.

    A step that stands on another one than the step before it names it by its
    number. Columns that are only computed, sorted or dropped make no step; nor
    do lists that hold no data of the shop.
    """
    steps: list[Step] = []
    number_of: dict[ops.Relation, int] = {}
    for node in relations(expression):
        if _changes_rows(node) and _stands_on_data(node):
            text = _text(node, number_of, before=len(steps))
            number_of[node] = len(steps) + 1
            steps.append(Step(len(steps) + 1, text, node.to_expr()))
    return steps


def rows_of(steps: Sequence[Step]) -> list[int]:
    """Count the rows of every step, in one query on the engine that holds the tables."""
    counts = [
        step.relation.aggregate(rows=lambda table: table.count()).mutate(number=ibis.literal(step.number))
        for step in steps
    ]
    together = ibis.union(*counts) if len(counts) > 1 else counts[0]
    found = {row["number"]: row["rows"] for row in together.to_pyarrow().to_pylist()}
    return [found[step.number] for step in steps]


def step_of(relation: ir.Table, steps: Sequence[Step]) -> int:
    """Return the number of the step that left the rows of a relation of the same query."""
    node = _counted(relation.op())
    return next(step.number for step in steps if step.relation.op() == node)


def relations(expression: ir.Table) -> Iterator[ops.Relation]:
    """Yield the tables within a query, each after those it is made from."""
    seen: set[ops.Node] = set()

    def below(node: ops.Node) -> Iterator[ops.Relation]:
        if node in seen:
            return
        seen.add(node)
        for child in node.__children__:
            yield from below(child)
        if isinstance(node, ops.Relation):
            yield node

    yield from below(expression.op())


def columns_read(expression: ir.Table, table: str) -> set[str]:
    """Return the columns of a stored table that a query filters, joins, groups by or computes with.

    What is only handed on from one part of the query to the next is not read.
    """
    found: set[str] = set()
    for node in relations(expression):
        for field in _fields(_worked_with(node)):
            origin = _origin(field)
            if origin is not None and origin.rel.name == table:
                found.add(origin.name)
    return found


def _changes_rows(node: ops.Relation) -> bool:
    return isinstance(
        node, ops.DatabaseTable | ops.Filter | ops.JoinChain | ops.Aggregate | ops.Set | ops.Distinct | ops.Limit
    )


def _stands_on_data(node: ops.Relation) -> bool:
    return any(isinstance(found, ops.DatabaseTable) for found in relations(node.to_expr()))


def _counted(node: ops.Relation) -> ops.Relation:
    while not _changes_rows(node):
        node = node.parent
    return node


def _text(node: ops.Relation, number_of: dict[ops.Relation, int], *, before: int) -> str:
    def name(part: ops.Relation) -> str:
        return f"step {number_of[_counted(part)]}" if _stands_on_data(part) else "a fixed list"

    if isinstance(node, ops.DatabaseTable):
        return f"the table {node.name}"
    if isinstance(node, ops.Set):
        kind = {ops.Union: "put together", ops.Intersection: "in both", ops.Difference: "in the first alone"}
        return f"{name(node.left)} and {name(node.right)}, {kind[type(node)]}"
    if isinstance(node, ops.JoinChain):
        first = node.first
        does = ", then ".join(
            f"{_JOINED.get(link.how, f'joined ({link.how}) with')} {name(link.table)}{_on(link)}" for link in node.rest
        )
    else:
        first = node.parent
        if isinstance(node, ops.Filter):
            does = f"kept by {', '.join(_columns(node.predicates)) or 'a condition'}"
        elif isinstance(node, ops.Aggregate):
            does = f"one row per {', '.join(node.groups)}" if node.groups else "one row over all"
        else:
            does = "each row once" if isinstance(node, ops.Distinct) else f"the first {node.n}"
    of = "" if name(first) == f"step {before}" else f"{name(first)}, "
    return of + does


def _on(link: ops.JoinLink) -> str:
    columns = _columns(link.predicates)
    return f" by {', '.join(columns)}" if columns else ""


def _columns(values: Iterable[ops.Value]) -> list[str]:
    return list(dict.fromkeys(field.name for field in _fields(values)))


def _fields(values: Iterable[ops.Value]) -> Iterator[ops.Field]:
    """Yield the columns that values are computed from, those of the relations right beneath them."""
    for value in values:
        if isinstance(value, ops.Field):
            yield value
        elif not isinstance(value, ops.Relation):
            yield from _fields(value.__children__)


def _worked_with(node: ops.Relation) -> list[ops.Value]:
    if isinstance(node, ops.Filter):
        return list(node.predicates)
    if isinstance(node, ops.Aggregate):
        return [*node.groups.values(), *node.metrics.values()]
    if isinstance(node, ops.JoinChain):
        return [predicate for link in node.rest for predicate in link.predicates]
    if isinstance(node, ops.Project):
        return [value for value in node.values.values() if not isinstance(value, ops.Field)]
    return []


def _origin(field: ops.Field) -> ops.Field | None:
    """Return the column of a stored table that a column is, under whatever name; None where it is computed."""
    while not isinstance(field.rel, ops.DatabaseTable):
        rel = field.rel
        if isinstance(rel, ops.Project | ops.JoinChain):
            value = rel.values[field.name]
        elif isinstance(rel, ops.Filter | ops.Sort | ops.Reference | ops.DropColumns | ops.Distinct | ops.Limit):
            value = ops.Field(rel.parent, field.name)
        else:
            return None
        if not isinstance(value, ops.Field):
            return None
        field = value
    return field
