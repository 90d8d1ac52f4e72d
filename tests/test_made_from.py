"""What a report was made from, in digests, and the ledger that finds older settings and rates by them."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import ibis
import pytest

from ecomkit.errors import EcomkitError
from ecomkit.report import ledger, made_from
from ecomkit.report.made_from import changed_sections, digest, sections_of
from ecomkit.settings import load_settings
from ecomkit.shop import ROOT, Shop, build_shop
from tests.conftest import TOML

NOTEBOOK = {"cells": [{"cell_type": "code", "source": ["1 + 1"], "outputs": []}]}


@pytest.fixture
def notebook(tmp_path):
    path = tmp_path / "one.ipynb"
    path.write_text(json.dumps(NOTEBOOK))
    return path


def test_a_report_says_what_it_stands_on_in_digests_alone(tiny, notebook):
    made = made_from.made_from(tiny, [notebook])
    assert made["known_until"] == "2026-11-02T04:59:59+00:00"
    assert set(made["settings"]) == {
        "shop", "source", "money", "refunds", "exclude", "channels", "margin", "spend", "limits",
    }  # fmt: skip
    digests = [made["data"], made["rates"], made["definition"], *made["settings"].values()]
    assert all(len(told) == 16 and int(told, 16) >= 0 for told in digests)
    assert made == made_from.made_from(tiny, [notebook])


@pytest.mark.parametrize(
    ("restated", "differs"),
    [
        pytest.param("UPDATE ad_spend SET spend = spend + 0.01 WHERE campaign_id = 'g-101'", True, id="spend"),
        pytest.param("UPDATE orders SET status = 'cancelled' WHERE order_id = 'o-2'", True, id="a status"),
        pytest.param("CREATE OR REPLACE TABLE orders AS FROM orders ORDER BY revenue", False, id="the order of rows"),
    ],
)
def test_money_restated_in_place_is_other_data(tiny, tmp_path, restated, differs):
    copy = shutil.copy(build_shop("tiny"), tmp_path / "copy.duckdb")
    con = ibis.duckdb.connect(copy)
    con.raw_sql(restated)
    data = made_from.made_from(Shop(tiny.settings, con), [])["data"]
    con.disconnect()
    assert (data != made_from.made_from(tiny, [])["data"]) == differs


def test_a_comment_an_order_and_blanks_change_no_section():
    reordered = '# The other way round.\n[money]\nrule="detect"\n\n[shop]\ncurrency = "EUR"\nname = "A"\n'
    assert sections_of('[shop]\nname = "A"\ncurrency = "EUR"\n[money]\nrule = "detect"\n') == sections_of(reordered)


def test_sections_that_came_went_or_changed_are_named():
    then, now = sections_of("[a]\nx = 1\n[b]\nx = 1\n[c]\nx = 1\n"), sections_of("[a]\nx = 2\n[b]\nx = 1\n[d]\nx = 1\n")
    assert changed_sections(then, now) == ["a", "c", "d"]


def test_code_is_definition_and_outputs_are_not(notebook):
    before = made_from.definition([notebook])
    output = NOTEBOOK["cells"][0] | {"outputs": [{"text": "2"}]}
    notebook.write_text(json.dumps({"cells": [output, {"cell_type": "markdown", "source": ["# Two"]}]}))
    assert made_from.definition([notebook]) == before
    notebook.write_text(json.dumps({"cells": [output | {"source": ["1 + 2"]}]}))
    assert made_from.definition([notebook]) != before


def test_a_change_of_the_kit_is_a_change_of_definition(monkeypatch):
    before = made_from.definition([])
    monkeypatch.setattr(made_from, "code_of", lambda makers: ["another kit"])
    assert made_from.definition([]) != before


def test_all_that_makes_numbers_is_definition():
    for name in made_from._DEFINING:
        assert (ROOT / "ecomkit" / name).exists(), name


def test_older_settings_and_rates_are_found_again(make_shop):
    folder = make_shop(toml=TOML + '[money]\nrates = "rates.csv"\n', files={"rates.csv": "date,currency,rate\n"})
    sections, rates = ledger.remember(folder)
    make_shop(toml=TOML.replace("Test shop", "Renamed"))
    assert ledger.remember(folder) == (sections_of(TOML.replace("Test shop", "Renamed")), None)
    then = ledger.remembered(folder, sections, rates)
    assert (then.name, then.rates.read_text()) == ("Test shop", "date,currency,rate\n")
    assert rates == digest("date,currency,rate\n")
    # Paths are those of the shop's folder, not of the ledger.
    assert [source.path for source in then.sources] == [folder / "calls.ndjson"]
    assert ledger.remembered(folder, sections, None).rates is None


def test_what_the_ledger_lacks_is_named(make_shop):
    folder = make_shop()
    sections, _none = ledger.remember(folder)
    told = (
        " of then are not on this machine. Run `ecomkit diff` where the reports were made to tell these causes apart."
    )
    for asked, lacks in (((sections, "0" * 16), "rates"), (({"shop": "0"}, "0" * 16), "settings and rates")):
        with pytest.raises(EcomkitError) as refused:
            ledger.remembered(folder, *asked)
        assert str(refused.value) == f"The {lacks}{told}"


def test_two_reports_at_once_keep_one_whole_file(make_shop, own_store):
    folder = make_shop()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ledger.remember, [folder] * 40))
    [kept] = (own_store / "ledger").rglob("settings-*.*")
    assert kept.read_text() == (folder / "shop.toml").read_text()


def test_namesakes_in_two_folders_have_two_ledgers(make_shop, own_store, tmp_path):
    folder = make_shop()
    ledger.remember(folder)
    shutil.copytree(folder, tmp_path / "elsewhere" / folder.name)
    ledger.remember(tmp_path / "elsewhere" / folder.name)
    assert len(list((own_store / "ledger").iterdir())) == 2
    assert load_settings(folder / "shop.toml").name == "Test shop"


def test_the_ledger_knows_where_the_one_shop_of_a_name_lies(make_shop, tmp_path):
    folder = make_shop(name="lamps")
    assert ledger.folder_of("lamps") is None
    ledger.remember(folder)
    assert ledger.folder_of("lamps") == folder
    other = shutil.copytree(folder, tmp_path / "elsewhere" / "lamps")
    ledger.remember(other)
    assert ledger.folder_of("lamps") is None
    shutil.rmtree(other)
    assert ledger.folder_of("lamps") == folder
