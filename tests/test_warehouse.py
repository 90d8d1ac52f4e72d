"""Connecting to a warehouse, listing what it holds, and noticing that it changed."""

import os

import ibis
import pytest

from ecomkit.errors import SourceError
from ecomkit.settings import Source
from ecomkit.sources.warehouse import connect, schemas_of, state_of, table_names, text_batches, without_views

SERVER = os.environ.get("ECOMKIT_TEST_POSTGRES")
needs_server = pytest.mark.skipif(not SERVER, reason="ECOMKIT_TEST_POSTGRES names no server")
# Tests of several workers share one server.
SCHEMA = f"ecomkit_test_warehouse_{os.environ.get('PYTEST_XDIST_WORKER', 'gw')}"
WRITE = """
create schema {schema};
create table {schema}.pages (id text, received_at timestamptz);
insert into {schema}.pages values ('m1', '2026-10-01 10:00:00+00'), (null, '2026-10-01 12:00:00+02');
"""


def source(url, *schemas):
    return Source("segment_tables", None, "shop", {}, url, schemas)


@pytest.fixture
def file(tmp_path):
    """A DuckDB file with one table, and how to change it."""
    path = tmp_path / "warehouse.duckdb"

    def change(sql):
        con = ibis.duckdb.connect(str(path))
        con.raw_sql(sql)
        con.disconnect()

    change(WRITE.format(schema="web"))
    return f"duckdb://{path}", change


@pytest.fixture
def server():
    """A PostgreSQL schema with one table, and how to change it."""
    psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed: pip install -e '.[postgres]'")
    with psycopg.connect(SERVER, autocommit=True) as connection:
        connection.execute(f"drop schema if exists {SCHEMA} cascade")
        connection.execute(WRITE.format(schema=SCHEMA))
        yield SERVER, connection.execute
        connection.execute(f"drop schema {SCHEMA} cascade")


def test_a_file_is_opened_read_only_in_utc(file):
    url, _change = file
    con = connect(source(url))
    assert table_names(con, "web") == ["pages"]
    [row] = con.table("pages", database="web").filter(lambda t: t.id.isnull()).to_pyarrow().to_pylist()
    assert row["received_at"].isoformat() == "2026-10-01T10:00:00+00:00"
    with pytest.raises(Exception, match="read-only"):
        con.raw_sql("create table web.other (a int)")
    con.disconnect()


@needs_server
def test_a_server_is_read_and_not_written(server):
    url, _execute = server
    con = connect(source(url))
    assert table_names(con, SCHEMA) == ["pages"]
    with pytest.raises(Exception, match="read-only transaction"):
        con.raw_sql(f"create table {SCHEMA}.other (a int)")
    con.disconnect()


def texts(url, schema, query):
    con = connect(source(url))
    batches = list(text_batches(con, query(con.table("pages", database=schema))))
    con.disconnect()
    return [tuple(row.values()) for batch in batches for row in batch.to_pylist()]


def test_the_rows_of_a_file_come_as_text(file):
    found = texts(file[0], "web", lambda t: t.select(t.id, arrived=t.received_at.cast(str)))
    assert sorted(found, key=str) == [("m1", "2026-10-01 10:00:00+00"), (None, "2026-10-01 10:00:00+00")]


@needs_server
@pytest.mark.parametrize(
    "value",
    ["", "null", "\\N", 'a "quoted", text', "two\nlines", "two\r\nlines", "Käse 🧀", " ", "%s", "x" * 100_000, None],
)
def test_whatever_a_server_holds_comes_as_it_is(server, value):
    url, execute = server
    execute(f"delete from {SCHEMA}.pages")
    execute(f"insert into {SCHEMA}.pages values (%s, null), ('last', now())", (value,))
    assert texts(url, SCHEMA, lambda t: t.select("id", known=t.received_at.notnull().cast(str)).order_by("known")) == [
        (value, "false"),
        ("last", "true"),
    ]
    assert texts(url, SCHEMA, lambda t: t.order_by(t.received_at.asc(nulls_first=True)).select("id")) == [
        (value,),
        ("last",),
    ]


@needs_server
def test_many_rows_and_none_at_all_come_from_a_server(server):
    url, execute = server
    execute(f"delete from {SCHEMA}.pages")
    assert texts(url, SCHEMA, lambda t: t.select("id")) == []
    execute(f"insert into {SCHEMA}.pages select 'm' || i || repeat('-', 500) from generate_series(1, 40000) i")
    found = texts(url, SCHEMA, lambda t: t.select("id"))
    assert sorted(int(name.strip("m-")) for (name,) in found) == list(range(1, 40001))


def test_a_schema_that_is_not_there_names_those_that_are(file):
    con = connect(source(file[0]))
    with pytest.raises(SourceError) as caught:
        table_names(con, "wep")
    assert str(caught.value) == (
        "There is no schema 'wep' in the warehouse. Did you mean 'web'? It has 'main', 'web'. "
        "Correct 'schema' in shop.toml."
    )
    assert schemas_of(con, source(file[0])) == ("main",)
    assert schemas_of(con, source(file[0], "web", "app")) == ("web", "app")
    con.disconnect()


def test_what_cannot_be_connected_to_says_what_to_do(tmp_path):
    missing = tmp_path / "warehouse.duckdb"
    with pytest.raises(SourceError) as caught:
        connect(source(f"duckdb://{missing}"))
    assert str(caught.value) == (
        f"There is no DuckDB file '{missing}' (source 'shop'). "
        "Correct 'url' in shop.toml: it counts from the folder of the shop.toml."
    )
    missing.write_text("no database, and long enough to be told from one", encoding="utf-8")
    with pytest.raises(
        SourceError, match=rf"^The DuckDB file '{missing}' \(source 'shop'\) cannot be opened: .*\. Close"
    ):
        connect(source(f"duckdb://{missing}"))
    with pytest.raises(SourceError) as caught:
        connect(source("oracel://host/db"))
    assert str(caught.value) == (
        "'oracel' in 'oracel://host/db' (source 'shop') is no database that the kit knows. "
        "A url is such as 'postgres://host/database', 'bigquery://project/dataset', 'spark://' or 'shop.duckdb'."
    )


def test_an_engine_that_is_not_installed_names_the_extra(monkeypatch):
    def absent(*_arguments, **_more):
        raise ModuleNotFoundError("No module named 'pyspark'", name="pyspark")

    monkeypatch.setattr(ibis, "connect", absent)
    with pytest.raises(SourceError) as caught:
        connect(source("spark://"))
    assert str(caught.value) == (
        "Reading 'spark://' (source 'shop') needs the package 'pyspark', which is not installed. "
        "Install it: pip install -e '.[spark]'."
    )


def test_a_server_that_does_not_answer_is_named():
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install -e '.[postgres]'")
    with pytest.raises(SourceError) as caught:
        connect(source("postgres://127.0.0.1:1/shop"))
    text = str(caught.value)
    assert text.startswith("'postgres://127.0.0.1:1/shop' (source 'shop') cannot be connected to: ")
    assert text.endswith(
        ". Check that the server runs and that you may read it; a password comes from PGPASSWORD, .pgpass or the "
        "application default credentials."
    )


def test_a_view_of_sixty_days_stands_back_behind_its_table():
    assert without_views(["pages", "pages_view", "tracks_view", "page_view"]) == ["pages", "tracks_view", "page_view"]


def test_a_file_that_changed_has_another_state(file):
    url, change = file
    before = state_of(source(url))
    assert state_of(source(url)) == before
    change("insert into web.pages values ('m3', '2026-10-02 10:00:00+00')")
    assert state_of(source(url)) != before


@needs_server
@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("insert into {schema}.pages values ('m3', null)", id="a row more"),
        pytest.param("update {schema}.pages set received_at = '2026-10-03' where id = 'm1'", id="a newer arrival"),
        pytest.param("create table {schema}.empty (a int)", id="a table more"),
        pytest.param(
            "alter table {schema}.pages add column loaded_at timestamp default '2026-10-04'", id="loaded later"
        ),
    ],
)
def test_a_schema_that_changed_has_another_state(server, sql):
    url, execute = server
    before = state_of(source(url, SCHEMA))
    assert before == f"{SCHEMA}.pages 2 2026-10-01 10:00:00+00"
    execute(sql.format(schema=SCHEMA))
    assert state_of(source(url, SCHEMA)) != before


@needs_server
def test_an_empty_schema_has_a_state(server):
    url, execute = server
    execute(f"drop table {SCHEMA}.pages")
    assert state_of(source(url, SCHEMA)) == ""
