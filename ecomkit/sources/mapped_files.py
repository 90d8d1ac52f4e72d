"""CSV or Parquet files with columns of anyone's naming, read as text under the names the kit uses."""

import hashlib
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

import duckdb

from ecomkit.errors import SourceError, did_you_mean, quoted
from ecomkit.settings import Source
from ecomkit.sources.csv_files import csv_header, csv_rows, load_csv
from ecomkit.sources.sql_text import sql_name, sql_text


def mapped_rows(
    con: duckdb.DuckDBPyConnection, source: Source, *, known: Sequence[str], required: Sequence[str]
) -> str:
    """Return a query of the source's rows.

    It gives every name of `known` as text, null where the file has no such
    column, with `file_path`, `source_file` and `line_number` (of a CSV, the header
    being line 1), and `is_row`, false for a line of a CSV that is no row of the table.

    Raises
    ------
    SourceError
        If the file is missing, empty or unreadable, the mapping names a column that
        is not there or a name that the kit does not know, or a required column lacks.
    """
    path = source.path
    _check_file(source)
    columns = _columns(con, source)

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

    if path.suffix != ".parquet":
        # Two sources may read one file in different ways.
        read_as = f"{path} {source.kind} {sorted(found.items())}"
        table = f"rows_{hashlib.sha256(read_as.encode()).hexdigest()[:12]}"
        load_csv(con, table, [(path.name, path)], {name: found.get(name, "") for name in known})
        return f'SELECT * FROM "{table}"'
    selected = [f"CAST({sql_name(found[name])} AS VARCHAR) AS {name}" for name in found]
    selected += [f"CAST(NULL AS VARCHAR) AS {name}" for name in known if name not in found]
    return f"""
        SELECT 1 AS file_number, {sql_text(str(path))} AS file_path, {sql_text(path.name)} AS source_file,
            file_row_number + 2 AS line_number, true AS is_row, {", ".join(selected)}
        FROM read_parquet({sql_text(str(path))}, file_row_number = true)"""


def sample_rows(path: Path, rows: int) -> tuple[list[str], list[dict[str, str]]]:
    """Return the columns of a CSV or Parquet file, and its first rows as text, empty where null.

    Raises
    ------
    SourceError
        If the file cannot be read.
    """
    if path.suffix != ".parquet":
        columns = csv_header(path)
        read = (dict(zip(columns, row, strict=False)) for _line, row, _text in csv_rows(path) if row)
        return columns, list(islice(read, rows))
    with duckdb.connect() as con:
        columns = _columns(con, Source("", path, path.stem))
        texts = ", ".join(f"coalesce(CAST({sql_name(column)} AS VARCHAR), '')" for column in columns)
        found = con.execute(f"SELECT {texts} FROM read_parquet({sql_text(str(path))}) LIMIT {rows}").fetchall()
    return columns, [dict(zip(columns, row, strict=True)) for row in found]


def _columns(con: duckdb.DuckDBPyConnection, source: Source) -> list[str]:
    if source.path.suffix != ".parquet":
        return csv_header(source.path)
    try:
        described = con.execute("DESCRIBE SELECT * FROM read_parquet($path)", {"path": str(source.path)}).fetchall()
    except duckdb.Error as error:
        raise SourceError(
            f"'{source.path}' (source '{source.name}') is not a readable table: {str(error).splitlines()[0]}. "
            "Give a CSV with a header line, or a Parquet file."
        ) from error
    return [row[0] for row in described]


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
