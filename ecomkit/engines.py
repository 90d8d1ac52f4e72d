"""What differs between engines, in one place.

A metric is written once, with the forms below; `for_engine` swaps each of them
for the engine's own before the query is compiled. DuckDB's spelling is the one
the expressions carry.
"""

from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir
from ibis.common.exceptions import IbisError

from ecomkit.column_types import INSTANT
from ecomkit.errors import UsageError, quoted

# The name people use -> the dialect's name in Ibis.
ENGINES = {
    "duckdb": "duckdb",
    "postgres": "postgres",
    "bigquery": "bigquery",
    "spark": "pyspark",
    "snowflake": "snowflake",
}

_LOCAL = dt.Timestamp()


class _SparkOptions(ibis.config.Config):
    treat_nan_as_null: bool = False


@ibis.udf.scalar.builtin(name="timezone")
def _local_time(zone: str, instant: INSTANT) -> _LOCAL: ...


@ibis.udf.scalar.builtin(name="epoch_ms")
def _epoch_ms(instant: INSTANT) -> dt.int64: ...


@ibis.udf.scalar.builtin(name="hash")
def _hash(text: str) -> dt.uint64: ...


@ibis.udf.scalar.builtin(name="DATETIME")
def _bigquery_local_time(instant: INSTANT, zone: str) -> _LOCAL: ...


@ibis.udf.scalar.builtin(name="FROM_UTC_TIMESTAMP")
def _spark_local_time(instant: INSTANT, zone: str) -> _LOCAL: ...


@ibis.udf.scalar.builtin(name="CONVERT_TIMEZONE")
def _snowflake_local_time(stored: str, zone: str, instant: INSTANT) -> _LOCAL: ...


@ibis.udf.scalar.builtin(name="UNIX_MILLIS")
def _unix_millis(instant: INSTANT) -> dt.int64: ...


@ibis.udf.scalar.builtin(name="DATE_PART")
def _date_part(part: str, instant: INSTANT) -> dt.float64: ...


def _epoch_ms_by_part(instant: ir.TimestampValue) -> ir.IntegerValue:
    return (_date_part("epoch", instant) * 1000).round().cast("int64")


_LOCAL_TIME = {
    "bigquery": lambda zone, instant: _bigquery_local_time(instant, zone),
    "pyspark": lambda zone, instant: _spark_local_time(instant, zone),
    "snowflake": lambda zone, instant: _snowflake_local_time("UTC", zone, instant),
}
_EPOCH_MS = {
    "postgres": _epoch_ms_by_part,
    "bigquery": _unix_millis,
    "pyspark": _unix_millis,
    "snowflake": lambda instant: _date_part("epoch_millisecond", instant).cast("int64"),
}

# Truncating a day gives an instant of the session's zone there, not a day.
_TRUNCATES_TO_INSTANT = ("postgres", "pyspark")


def local_day(instant: ir.TimestampValue, zone: str) -> ir.DateValue:
    """Return the local day in `zone` on which an instant falls."""
    return _local_time(zone, instant).date()


def local_week(instant: ir.TimestampValue, zone: str) -> ir.DateValue:
    """Return the Monday of the local week in which an instant falls."""
    return local_day(instant, zone).truncate("W")


def local_month(instant: ir.TimestampValue, zone: str) -> ir.DateValue:
    """Return the first day of the local month in which an instant falls."""
    return local_day(instant, zone).truncate("M")


def epoch_ms(instant: ir.TimestampValue) -> ir.IntegerValue:
    """Return whole milliseconds since 1970: gaps between calls are exact in them."""
    return _epoch_ms(instant)


def is_middle(table: ir.Table, column: str, *, by: Sequence[str] = ()) -> ir.BooleanValue:
    """Say whether a row holds a middle value of `column` among the rows of its group.

    The mean over these rows is the exact median, on any engine. Nulls are left
    out; an even count has two middle rows.
    """
    group = ibis.window(group_by=list(by))
    ordered = ibis.window(group_by=list(by), order_by=[table[column].isnull().ifelse(1, 0), table[column]])
    rank, rows = ibis.row_number().over(ordered) + 1, table[column].count().over(group)
    return table[column].notnull() & (2 * rank >= rows) & (2 * rank <= rows + 2)


def median(table: ir.Table, column: str, *, by: Sequence[str] = ()) -> ir.Table:
    """Return the exact median of `column` per `by`, as column `median`, on any engine.

    Nulls are left out. An even count gives the mean of the two middle values.
    """
    ranked = table.mutate(is_middle=is_middle(table, column, by=by))
    middle = ranked.filter(ranked.is_middle)
    return middle.aggregate(by=list(by), median=middle[column].cast("float64").mean())


def quantiles(table: ir.Table, column: str, shares: Mapping[str, float], *, by: Sequence[str] = ()) -> ir.Table:
    """Return exact quantiles of `column` per `by`, each under its name in `shares`, on any engine.

    Nulls are left out. Between two values the quantile lies on the line that joins them.
    """
    group = {"group_by": list(by)} if by else {}
    known = table.filter(table[column].notnull())
    ranked = known.mutate(
        rank=ibis.row_number().over(ibis.window(order_by=[known[column]], **group)),
        last=known.count().over(ibis.window(**group)) - 1,
    )

    def at(share: float) -> ir.FloatingValue:
        # 1 at the place of the quantile, falling to 0 one place away.
        distance = (ranked.rank.cast("float64") - ranked["last"].cast("float64") * share).abs()
        weight = (distance < 1).ifelse(1.0 - distance, 0.0)
        return (ranked[column].cast("float64") * weight).sum()

    return ranked.aggregate(by=list(by), **{name: at(share) for name, share in shares.items()})


def joins_as_of(table: ir.Table) -> bool:
    """Say whether the table lies on an engine that joins to the next row in time by itself, as DuckDB does."""
    try:
        return table.get_backend().name == "duckdb"
    except IbisError:  # a table without data has no engine
        return False


def join_key(column: ir.StringValue) -> ir.Value:
    """Return what stands for an id within one query: its 64 bits where the engine joins as of a time, else itself.

    Ids are long to sort. Any two of a million ids share their bits with a chance of one in thirty million.
    """
    return _hash(column) if joins_as_of(column.as_table()) else column


def with_next(here: ir.Table, there: ir.Table, *, by: Sequence[str], at: str, next_at: str) -> ir.Table:
    """Add to each row of `here` the row of `there` that comes first at or after it; nulls where none does.

    Of `there`, no column may fall, or be known again after it was null, where `next_at` rises: so the next row
    is the least of all that follow, which engines without as-of joins need.

    Parameters
    ----------
    here, there
        Two tables with the columns `by`, never null, and otherwise different ones.
    by
        Columns in which both must be equal.
    at, next_at
        When a row of `here`, and of `there`, is: never null.
    """
    told = [name for name in there.columns if name not in by]
    if joins_as_of(here):
        named = there.rename({f"{name}_there": name for name in by})
        equal = [here[name] == named[f"{name}_there"] for name in by]
        joined = here.asof_join(named, here[at] <= named[next_at], predicates=equal)
        # Selected, not dropped: only so is a table that is used twice computed once.
        return joined.select(*here.columns, *told)
    asking = here.mutate(
        **{name: ibis.null(there[name].type()) for name in told}, place_in_time=here[at], asks=ibis.literal(1)
    )
    other = [name for name in here.columns if name not in by]
    answering = there.mutate(
        **{name: ibis.null(here[name].type()) for name in other}, place_in_time=there[next_at], asks=ibis.literal(0)
    )
    both = ibis.union(asking, answering.select(*asking.columns))
    following = ibis.rows_window(
        following=(1, None), group_by=list(by), order_by=[both.place_in_time, both.asks.desc()]
    )
    answered = both.mutate(**{name: both[name].min().over(following) for name in told})
    return answered.filter(answered.asks == 1).drop("place_in_time", "asks")


def whole_numbers(below: int) -> ir.Table:
    """Return the numbers from 0 to before `below` as rows of a column `number`, on any engine."""
    numbers = _digits(below)
    for _power in range(len(str(below - 1)) - 1):
        tens = numbers.select(tens=numbers.number * 10)
        numbers = tens.cross_join(_digits()).select(number=lambda pair: pair.tens + pair.number)
    return numbers.filter(numbers.number < below)


def _digits(below: int = 10) -> ir.Table:
    return ibis.union(*(ibis.literal(digit, "int64").name("number").as_table() for digit in range(min(below, 10))))


def for_engine(expression: ir.Expr, engine: str) -> ir.Expr:
    """Return the same question in the forms that `engine` knows."""
    dialect = _dialect(engine)

    def swap(node: ops.Node, kwargs: dict | None) -> ops.Node:
        arguments = kwargs or dict(zip(node.argnames, node.args, strict=True))
        if isinstance(node, _LOCAL_TIME_NODE) and dialect in _LOCAL_TIME:
            return _LOCAL_TIME[dialect](*(value.to_expr() for value in arguments.values())).op()
        if isinstance(node, _EPOCH_MS_NODE) and dialect in _EPOCH_MS:
            return _EPOCH_MS[dialect](*(value.to_expr() for value in arguments.values())).op()
        if isinstance(node, ops.DateTruncate) and dialect in _TRUNCATES_TO_INSTANT:
            return arguments["arg"].to_expr().cast(_LOCAL).truncate(node.unit.value).date().op()
        return node.__recreate__(kwargs) if kwargs else node

    return expression.op().replace(swap).to_expr()


def to_sql(expression: ir.Expr, engine: str = "duckdb") -> str:
    """Return the query of an expression in the SQL of `engine`.

    Raises
    ------
    UsageError
        If the engine is not one that the kit compiles for.
    """
    dialect = _dialect(engine)
    if dialect == "pyspark" and ibis.options.pyspark is None:
        # Ibis reads this option while compiling; it is set only where pyspark is installed.
        ibis.options.pyspark = _SparkOptions()
    return ibis.to_sql(for_engine(expression, engine), dialect=dialect)


def _dialect(engine: str) -> str:
    if engine not in ENGINES:
        raise UsageError(f"'{engine}' is not an engine that the kit compiles for. Choose one of {quoted(ENGINES)}.")
    return ENGINES[engine]


_PROBE = ibis.literal(None, type=INSTANT)
_LOCAL_TIME_NODE = type(_local_time("UTC", _PROBE).op())
_EPOCH_MS_NODE = type(_epoch_ms(_PROBE).op())
