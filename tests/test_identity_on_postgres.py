"""People, sessions and channels of the fixture shop are found on PostgreSQL as on DuckDB; other engines compile them.

The server is named by `ECOMKIT_TEST_POSTGRES`, a URL; `.ci/run` starts one.
"""

import os

import ibis
import pytest

from ecomkit.engines import ENGINES, for_engine, to_sql
from ecomkit.pipeline import channels, identifiers, identity, identity_links, sessions
from ecomkit.pipeline.call_steps import read_calls
from ecomkit.pipeline.stitching import stitched
from ecomkit.pipeline.workbench import open_workbench
from ecomkit.settings import load_settings
from ecomkit.shop import ROOT
from tests.stitching import EXTERNAL_IDS

SERVER = os.environ.get("ECOMKIT_TEST_POSTGRES")
SCHEMA = f"ecomkit_test_identity_{os.environ.get('PYTEST_XDIST_WORKER', 'gw')}"
FOLDER = ROOT / "data" / "fixtures" / "shop"
OF_A_CALL = (
    "row_id", "message_id", "call_type", "event_name", "side", "device_type", "occurred_at", "anonymous_id", "user_id",
    "email_hash", "page_path", "referrer", "utm_source", "utm_medium", "utm_campaign", "utm_term",
    "utm_content", "campaign_id", "click_id",
)  # fmt: skip
# Nobody's: they put the undo list into the queries.
UNDO = ["user_id:nobody", "email:nobody", "anonymous_id:nobody", "loyalty_card:nobody"]


def found_out(calls, external_ids, aliases, lay_out, settings):
    """Run the steps of a build that tell whose and which visit's each call is; return their tables."""
    placed, owners, trusted = stitched(
        calls, external_ids, lay_out, undo=UNDO, look_back_days=settings.identity_look_back_days
    )
    links = identity_links.identity_links(placed, owners, trusted, aliases)
    landed = channels.with_channel(
        sessions.landings(placed, calls), own_hosts=settings.own_hosts, rules=settings.channel_rules
    )
    return {
        "calls": placed.select("row_id", "person_id", "identity_rule", "session_id"),
        "owners": owners,
        "links": lay_out("links", links),
        "sessions": lay_out("landed_sessions", landed),
    }


def comparable(table):
    """All rows as Python values, in one order."""
    return sorted(
        (
            tuple((name, value.timestamp() if hasattr(value, "timestamp") else value) for name, value in row.items())
            for row in table.to_pyarrow().to_pylist()
        ),
        key=str,
    )


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """What DuckDB finds in the fixture shop, and the tables it started from."""
    settings = load_settings(FOLDER / "shop.toml")
    with open_workbench(settings, tmp_path_factory.mktemp("here") / "shop.duckdb", lambda step: None) as bench:
        read_calls(bench, "fixture")
        kept = bench.lay_out("narrow_calls", bench.table("kept_calls").select(*OF_A_CALL))
        external_ids = bench.table("external_ids").semi_join(kept, "row_id")
        judged = bench.table("judged_calls")
        aliases = judged.filter(judged.call_type == "alias").select("previous_id", "user_id", "occurred_at")
        started = {"calls": kept, "external_ids": external_ids, "aliases": aliases}
        found = found_out(*started.values(), bench.lay_out, settings)
        yield (
            {name: table.to_pyarrow() for name, table in started.items()},
            {name: comparable(table) for name, table in found.items()},
            settings,
        )


@pytest.fixture(scope="module")
def there(here):
    """What PostgreSQL finds in the same tables, in a session whose zone is not UTC."""
    if not SERVER:
        pytest.skip(
            "ECOMKIT_TEST_POSTGRES names no server (a URL such as postgresql://postgres@127.0.0.1:5432/postgres)"
        )
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install -e '.[postgres]'")
    started, _found, settings = here
    con = ibis.connect(SERVER)
    try:
        con.raw_sql(f"drop schema if exists {SCHEMA} cascade").close()
        con.raw_sql(f"create schema {SCHEMA}").close()
        con.raw_sql("set timezone to 'Asia/Kolkata'; set statement_timeout to '60s'").close()

        def lay_out(name, table):
            made = con.create_table(name, for_engine(table, "postgres"), database=SCHEMA, overwrite=True)
            con.raw_sql(f'analyze "{SCHEMA}"."{name}"').close()
            return made

        tables = [lay_out(f"given_{name}", ibis.memtable(rows)) for name, rows in started.items()]
        found = found_out(*tables, lay_out, settings)
        yield {name: comparable(table) for name, table in found.items()}
    finally:
        con.raw_sql(f"drop schema if exists {SCHEMA} cascade").close()
        con.disconnect()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["calls", "owners", "links", "sessions"])
def test_postgres_finds_the_same(here, there, name):
    _started, found, _settings = here
    assert len(found[name]) > 50
    assert there[name] == found[name]


# Each step by itself, over tables of which only the columns are known

CALLS = ibis.schema(dict.fromkeys(OF_A_CALL, "string") | {"row_id": "int64", "occurred_at": "timestamp('UTC')"})


def steps():
    """Each query of the steps, as they are laid out; what Python merges is a table of owners."""
    queries = {}

    def lay_out(name, table):
        queries[name] = table
        return ibis.table(table.schema(), name=name)

    calls = lay_out("trusted", identifiers.trusted(ibis.table(CALLS, name="calls"), ["user_id:x", "email:y"]))
    ids = lay_out("ids", identifiers.trusted_ids(ibis.table(EXTERNAL_IDS, name="external_ids"), ["crm:1"]))
    pairs = lay_out("pairs", identifiers.pairs(calls, ids))
    shared = lay_out("shared_pairs", identifiers.shared_pairs(pairs))
    owners = lay_out("owners", identifiers.owners(pairs, shared, ibis.table(identifiers.OWNERS, name="clusters")))
    naming = lay_out("naming_calls", identity.naming_calls(calls, owners, ids))
    believed = lay_out("believed_calls", identity.believed_calls(naming))
    devices = lay_out("devices", identity.devices(believed, ["anonymous_id:d1"]))
    around = lay_out("named_around", identity.named_around(calls, believed, devices))
    known = lay_out("people", identity.with_people(calls, believed, devices, around, look_back_days=365))
    placed = lay_out("placed_calls", sessions.with_sessions(known))
    aliases = ibis.table(
        {"previous_id": "string", "user_id": "string", "occurred_at": "timestamp('UTC')"}, name="aliases"
    )
    lay_out("identity_links", identity_links.identity_links(placed, owners, ids, aliases))
    landed = lay_out("landings", sessions.landings(placed, calls))
    rules = ({"channel": "Influencers", "utm_medium": "creator*"},)
    lay_out("channels", channels.with_channel(landed, own_hosts=("shop.example",), rules=rules))
    return queries


STEPS = steps()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("step", STEPS)
def test_each_step_compiles_for_each_engine(engine, step):
    assert to_sql(STEPS[step], engine).lstrip().upper().startswith(("SELECT", "WITH"))
