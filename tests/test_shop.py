import multiprocessing
import os
import subprocess
import sys

import pytest

from ecomkit import shop as shops
from ecomkit.errors import UsageError
from ecomkit.shop import ROOT, build_shop, find_shop, open_shop
from tests.calls import order, page, server


def test_a_shop_is_built_once_and_again_when_input_or_settings_change(make_shop):
    folder = make_shop(page())
    steps = []
    first = build_shop(folder, progress=steps.append)
    assert steps
    assert build_shop(folder, progress=pytest.fail) == first

    make_shop(page(), page(device="d2"))
    second = build_shop(folder)
    assert second != first
    assert not first.exists()

    text = (folder / "shop.toml").read_text()
    (folder / "shop.toml").write_text(text.replace('"UTC"', '"Europe/Berlin"'))
    assert build_shop(folder) != second


def test_many_may_hold_a_shop_open_and_none_may_write(make_shop):
    folder = make_shop(page())
    build_shop(folder)
    command = f"from ecomkit.shop import open_shop; print(open_shop({str(folder)!r}).events.count().to_pyarrow())"
    environment = os.environ | {"ECOMKIT_SALT": "test"}
    first = open_shop(folder)
    # Another process has its own store, so it opens the very file that this one holds.
    store = f"import ecomkit.shop as s; from pathlib import Path; s.STORE = Path({str(shops.STORE)!r}); "
    done = subprocess.run(
        [sys.executable, "-c", store + command], capture_output=True, text=True, env=environment, cwd=ROOT, check=True
    )
    assert done.stdout.strip() == "1"
    with pytest.raises(Exception, match="read-only"):
        first.con.raw_sql("DROP TABLE events")


def _build_at_once(folder, store, results):
    shops.STORE = store
    steps = []
    build_shop(folder, progress=steps.append)
    results.put(steps)


def test_of_two_builds_at_once_one_waits_and_finds_the_other_s_shop(make_shop, own_store):
    folder = make_shop(page(), server("Order Completed", user="u", **order()))
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    builders = [context.Process(target=_build_at_once, args=(folder, own_store, results)) for _ in range(2)]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join(timeout=120)
    waited, built = sorted([results.get(timeout=10), results.get(timeout=10)], key=len)
    assert (waited, len(built) > 1) in [([], True), (["waiting for another build"], True)]
    assert len(list((own_store / "shops").glob("*.duckdb"))) == 1


def test_a_failed_build_leaves_no_file_and_keeps_the_old_shop(make_shop, monkeypatch):
    folder = make_shop(page())
    good = build_shop(folder)
    make_shop(page(), page(device="d2"))

    def broken(*arguments, **named):
        raise RuntimeError("power cut")

    monkeypatch.setattr("ecomkit.pipeline.build.make_orders", broken)
    with pytest.raises(RuntimeError, match="power cut"):
        build_shop(folder)
    assert [path.name for path in good.parent.glob("*") if path.suffix != ".lock"] == [good.name]


def test_tables_go_into_a_file_under_their_own_names(make_shop, tmp_path):
    import duckdb

    target = tmp_path / "mine.duckdb"
    assert build_shop(make_shop(page()), into=target) == target
    with duckdb.connect(str(target), read_only=True) as con:
        names = {row[0] for row in con.execute("SELECT table_name FROM information_schema.tables").fetchall()}
    assert {"events", "people", "sessions", "orders", "order_lines", "refunds", "ad_spend", "build_log"} <= names


def test_every_canonical_table_has_the_columns_and_types_of_its_schema(tiny):
    for name, (schema, _maker) in shops.CANONICAL.items():
        found = getattr(tiny, name).schema()
        assert list(found.names) == list(schema.names), name
        assert [str(kind).replace(", 6)", ")") for kind in found.types] == [str(kind) for kind in schema.types], name


def test_a_shop_of_one_order_and_nothing_else_opens(make_shop):
    shop = open_shop(make_shop(server("Order Completed", user="u", **order())))
    assert shop.contents(shop.week("2026-W40"))["orders_in_period"] == 1
    assert shop.contents(shop.week("2026-W39"))["orders_in_period"] == 0


def test_the_last_week_is_the_last_complete_one(make_shop):
    saturday = open_shop(make_shop(page(at="2026-10-31T23:00:00Z"), name="saturday"))
    sunday = open_shop(make_shop(page(at="2026-11-01T23:00:00Z"), name="sunday"))
    assert (saturday.week("last").label, sunday.week("last").label) == ("2026-W43", "2026-W44")


def test_an_unknown_shop_names_the_near_miss_and_those_that_are_there():
    with pytest.raises(UsageError) as caught:
        find_shop("tinny")
    assert str(caught.value) == (
        "There is no shop 'tinny': no folder of that name holds a shop.toml. Did you mean 'tiny'? "
        "The shops here are 'cdnow', 'online_retail', 'shop', 'tiny'."
    )


def test_an_unknown_table_of_a_shop_names_those_that_are_there(tiny):
    with pytest.raises(AttributeError, match=r"^A shop has no 'visits'\. Its tables are 'events', 'people'"):
        tiny.visits  # noqa: B018 - asking is the test


def test_the_salt_is_made_once_and_readable_by_its_owner_alone(make_shop, monkeypatch):
    monkeypatch.delenv("ECOMKIT_SALT")
    folder = make_shop(page())
    build_shop(folder)
    salt = (folder / "salt").read_text()
    assert len(salt) == 64
    assert (folder / "salt").stat().st_mode & 0o777 == 0o600
    build_shop(folder)
    assert (folder / "salt").read_text() == salt


def test_a_clock_that_runs_ahead_does_not_complete_a_week(make_shop):
    ahead = page(at="2026-11-01T22:00:00Z") | {"receivedAt": "2026-11-01T03:00:00Z"}
    shop = open_shop(make_shop(page(at="2026-10-31T12:00:00Z"), ahead | {"receivedAt": "2026-10-31T23:59:00Z"}))
    assert shop.week("last").label == "2026-W43"


def test_a_call_without_an_arrival_is_not_believed_beyond_the_newest_arrival(make_shop):
    late = page(at="2099-01-01T00:00:00Z")
    del late["receivedAt"], late["sentAt"]
    shop = open_shop(make_shop(page(at="2026-10-31T12:00:00Z"), late))
    assert [row["reason"] for row in shop.quarantine.to_pyarrow().to_pylist()] == [
        "dated more than a day after its arrival"
    ]


def test_a_folder_that_is_not_there_is_named(make_shop, tmp_path):
    with pytest.raises(UsageError) as caught:
        build_shop(make_shop(page()), into=tmp_path / "nowhere" / "mine.duckdb")
    assert str(caught.value) == (
        f"There is no folder '{tmp_path / 'nowhere'}' to write 'mine.duckdb' into. Make it, or name another."
    )


def test_a_period_from_before_the_data_gives_no_verdict(shop):
    week = shop.week("last")
    assert shop.floor_against(week) == shop.min_group
    assert shop.floor_against(week.before(200)) == float("inf")
