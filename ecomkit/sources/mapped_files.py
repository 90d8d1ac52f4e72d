"""CSV or Parquet files with columns of anyone's naming, read as text under the names the kit uses."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from ecomkit.errors import SourceError, did_you_mean, quoted
from ecomkit.settings import Source


def mapped_rows(
    con: duckdb.DuckDBPyConnection, source: Source, *, known: Sequence[str], required: Sequence[str]
) -> str:
    """Return a query of the source's rows.

    It gives every name of `known` as text, null where the file has no such
    column, with `source_file` and `line_number` (of a CSV, the header being line 1).

    Raises
    ------
    SourceError
        If the file is missing, empty or unreadable, the mapping names a column that
        is not there or a name that the kit does not know, or a required column lacks.
    """
    path = source.path
    _check_file(source)
    reader = (
        "read_parquet($path)" if path.suffix == ".parquet" else "read_csv($path, header = true, all_varchar = true)"
    )
    try:
        columns = [row[0] for row in con.execute(f"DESCRIBE SELECT * FROM {reader}", {"path": str(path)}).fetchall()]
    except duckdb.Error as error:
        raise SourceError(
            f"'{path}' (source '{source.name}') is not a readable table: {str(error).splitlines()[0]}. "
            "Give a CSV with a header line, or a Parquet file."
        ) from error

    mapping: Mapping[str, str] = source.options.get("columns", {})
    problems = [
        f"'{name}' is not a name the kit knows.{did_you_mean(name, known)}" for name in mapping if name not in known
    ]
    problems += [
        f"the file has no column '{column}' for '{name}'.{did_you_mean(column, columns)}"
        for name, column in mapping.items()
        if column not in columns
    ]
    found = {name: mapping.get(name, name) for name in known if mapping.get(name, name) in columns}
    problems += [
        f"there is no column for '{name}', which is needed."
        for name in required
        if name not in found and name not in mapping
    ]
    if any(name not in known for name in mapping):
        problems.append(f"The kit knows {quoted(known)}.")
    if problems:
        raise SourceError(
            f"The columns of '{path}' (source '{source.name}') do not fit: {' '.join(problems)} "
            f"The file has {quoted(columns)}. Correct the columns of this source in shop.toml."
        )

    selected = [f"CAST({_name(found[name])} AS VARCHAR) AS {name}" for name in found]
    selected += [f"CAST(NULL AS VARCHAR) AS {name}" for name in known if name not in found]
    rows = reader.replace("$path", _text(str(path)))
    return f"""
        SELECT {_text(path.name)} AS source_file, row_number() OVER () + 1 AS line_number, {", ".join(selected)}
        FROM {rows}"""


def _name(column: str) -> str:
    escaped = column.replace('"', '""')
    return f'"{escaped}"'


def _text(value: str) -> str:
    escaped = value.replace("'", "''")
    return f"'{escaped}'"


def _check_file(source: Source) -> None:
    path: Path = source.path
    if not path.is_file():
        raise SourceError(
            f"There is no file '{path}' (source '{source.name}'). "
            "Correct 'path' in shop.toml: it counts from the folder of the shop.toml."
        )
    if path.stat().st_size == 0:
        raise SourceError(
            f"The file '{path}' (source '{source.name}') is empty. Export it again, or remove the source."
        )
