"""A made-up shop built from warehouse tables is the shop built from its files, but for what a warehouse cannot hold."""

import gzip
import json
import os
import shutil

import ibis
import pytest

from ecomkit import shop as shops
from ecomkit.shop import open_shop
from ecomkit.simulate import simulate
from ecomkit.simulate.warehouse import write_warehouse

TOML = """
[shop]
name = "Test shop"
time_zone = "UTC"
currency = "EUR"
[[source]]
kind = "segment_tables"
url = "{url}"
"""
SERVER = os.environ.get("ECOMKIT_TEST_POSTGRES")
SCHEMA = f"ecomkit_test_shop_{os.environ.get('PYTEST_XDIST_WORKER', 'gw')}"
# Beside `source`, which names the schema, each table is the same in all columns.
TABLES = (
    "events", "sessions", "people", "identity_links", "orders", "order_lines", "refunds", "refund_lines",
    "product_events", "emails", "email_clicks", "ad_spend",
)  # fmt: skip
FILES = 'kind = "segment_files"\npath = "segment/"\n'
ENGINES = [
    "duckdb",
    pytest.param("postgres", marks=pytest.mark.skipif(not SERVER, reason="ECOMKIT_TEST_POSTGRES names no server")),
]


@pytest.fixture(scope="module", autouse=True)
def _store(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shops, "STORE", tmp_path_factory.mktemp("store"))
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of a small made-up shop in files."""
    folder = tmp_path_factory.mktemp("made") / "files"
    simulate(folder, seed=3, customers=60, months=4)
    return folder


@pytest.fixture(scope="module")
def files(made):
    """The shop built from all that was sent."""
    return open_shop(made)


@pytest.fixture(scope="module")
def kept(made, tmp_path_factory):
    """The shop built from files that hold what a warehouse can.

    A warehouse has no column for a product's `id` of V1, drops money sent as text
    into a column of numbers, and never saw what is no call.
    """
    folder = tmp_path_factory.mktemp("kept") / "files"
    shutil.copytree(made, folder)
    for path in (folder / "segment").glob("*.ndjson.gz"):
        lines = gzip.decompress(path.read_bytes()).decode().splitlines()
        calls = [json.dumps(call) for call in map(as_kept, lines) if call]
        path.write_bytes(gzip.compress("\n".join(calls).encode()))
    return open_shop(folder)


@pytest.fixture(params=ENGINES)
def url(request, tmp_path):
    """The url of an empty warehouse."""
    if request.param == "duckdb":
        yield f"duckdb://{tmp_path}/warehouse.duckdb"
    else:
        pytest.importorskip("psycopg", reason="psycopg is not installed: pip install -e '.[postgres]'")
        yield SERVER
        con = ibis.connect(SERVER)
        con.raw_sql(f"drop schema {SCHEMA} cascade").close()
        con.disconnect()


def shop_of_tables(made, folder, url, *, duplicates=False):
    """The same shop with its calls behind `url`."""
    con = ibis.connect(url)
    names = write_warehouse(made, con, SCHEMA, duplicates=duplicates)
    con.disconnect()
    shutil.copytree(made, folder, ignore=shutil.ignore_patterns("segment"))
    toml = (folder / "shop.toml").read_text(encoding="utf-8")
    assert FILES in toml
    behind = f'kind = "segment_tables"\nname = "segment"\nurl = "{url}"\nschema = "{SCHEMA}"\n'
    (folder / "shop.toml").write_text(toml.replace(FILES, behind), encoding="utf-8")
    return names


def as_kept(line):
    if "broken-" in line or not line.startswith("{"):
        return None
    call = json.loads(line)
    sent = call.get("properties", {})
    dropped = {"id"} | {key for key in ("price", "value") if isinstance(sent.get(key), str)}
    return call | {"properties": {key: value for key, value in sent.items() if key not in dropped}}


def rows(shop, name):
    table = getattr(shop, name)
    return sorted(
        map(str, table.drop("source").to_pyarrow().to_pylist() if name == "events" else table.to_pyarrow().to_pylist())
    )


def accounts(shop):
    [row] = shop.build_log.filter(shop.build_log.step == "read calls").to_pyarrow().to_pylist()
    return {name: row[name] for name in ("rows_in", "rows_out", "rows_excluded", "duplicates", "rows_quarantined")}


@pytest.mark.slow
def test_tables_and_files_make_the_same_shop(made, kept, files, tmp_path, url):
    names = shop_of_tables(made, tmp_path / "tables", url)
    assert {"pages", "tracks", "identifies", "users", "groups", "order_completed", "completed_order"} <= set(names)
    tables = open_shop(tmp_path / "tables")
    for name in TABLES:
        assert rows(tables, name) == rows(kept, name), name
    for name in ("orders", "order_lines", "refunds", "sessions", "people"):
        assert rows(tables, name) == rows(files, name), name
    assert tables.orders.count().to_pyarrow().as_py() > 60
    ours, theirs = accounts(tables), accounts(kept)
    assert (ours["duplicates"], ours["rows_quarantined"], theirs["rows_quarantined"]) == (0, 0, 0)
    assert theirs["duplicates"] > 0
    assert ours == theirs | {"duplicates": 0, "rows_in": theirs["rows_in"] - theirs["duplicates"]}


@pytest.mark.slow
def test_what_a_raw_table_repeats_changes_nothing_but_the_count(made, kept, tmp_path):
    shop_of_tables(made, tmp_path / "tables", f"duckdb://{tmp_path}/warehouse.duckdb", duplicates=True)
    tables = open_shop(tmp_path / "tables")
    for name in TABLES:
        assert rows(tables, name) == rows(kept, name), name
    ours, theirs = accounts(tables), accounts(kept)
    assert ours["duplicates"] > theirs["duplicates"] + 100
    assert ours["rows_out"] == theirs["rows_out"]


@pytest.mark.slow
def test_a_shop_of_tables_is_built_again_when_they_change(make_shop, tmp_path):
    path = tmp_path / "made" / "warehouse.duckdb"
    toml = TOML.format(url=path.name)
    folder = make_shop(toml=toml)

    def order(number):
        con = ibis.duckdb.connect(str(path))
        con.raw_sql("create table if not exists order_completed (id text, user_id text, timestamp timestamptz,"
                    " order_id text, revenue int)")  # fmt: skip
        con.raw_sql(f"insert into order_completed values ('m{number}', 'u1', '2026-10-01 10:00:00Z', 'o{number}', 30)")
        con.disconnect()

    def revenues():
        return open_shop(folder).orders.order_by("order_id").select("order_id", "revenue").to_pyarrow().to_pylist()

    order(1)
    assert revenues() == [{"order_id": "o1", "revenue": 30}]
    first = shops.build_shop(folder)
    assert shops.build_shop(folder) == first
    order(2)
    assert revenues() == [{"order_id": "o1", "revenue": 30}, {"order_id": "o2", "revenue": 30}]


def test_a_call_of_a_table_that_cannot_be_used_is_set_aside_by_its_table(make_shop):
    toml = TOML.format(url="it.duckdb")
    folder = make_shop(toml=toml)
    con = ibis.duckdb.connect(str(folder / "it.duckdb"))
    con.raw_sql(
        "create table order_completed as "
        "select 'm1' as id, 'u1' as user_id, timestamptz '2026-10-01 10:00:00Z' as timestamp"
    )
    con.disconnect()
    [row] = open_shop(folder).quarantine.select("source_file", "line_number", "reason").to_pyarrow().to_pylist()
    assert row == {
        "source_file": "main.order_completed",
        "line_number": None,
        "reason": "order call without an order id",
    }
