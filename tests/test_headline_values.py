"""Headlines of any week: the same numbers as the notebook of that week's own report."""

import ast
import json

import pytest

from ecomkit.headline_values import DEFAULTS, headline_history, headline_values
from ecomkit.headlines import MIME
from ecomkit.shop import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def handed_over(notebook):
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    displays = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    return {entry["name"]: entry["value"] for display in displays for entry in display.get(MIME, [])}


def parameters_of(notebook):
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    [source] = ["".join(cell["source"]) for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    return {line.target.id: ast.literal_eval(line.value) for line in ast.parse(source).body}


@pytest.fixture(scope="module")
def last_week(shop):
    return headline_values(shop, shop.week("last"), {})


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_hands_over_what_its_week_is_said_to_be(notebook, last_week):
    stored = handed_over(notebook)
    assert stored
    assert {name: last_week[name] for name in stored} == stored


def test_there_is_no_headline_but_the_notebooks(last_week):
    assert set(last_week) == {name for notebook in NOTEBOOKS for name in handed_over(notebook)}


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_not_told_is_as_the_notebook_has_it(notebook):
    own = parameters_of(notebook)
    assert {name: own[name] for name in DEFAULTS if name in own} == {
        name: DEFAULTS[name] for name in DEFAULTS if name in own
    }


def test_the_history_ends_with_the_week_itself_and_begins_with_the_oldest(shop, last_week):
    history = headline_history(shop, shop.week("last"), {}, weeks=2)
    assert {name: values[-1] for name, values in history.items()} == {
        name: ("2026-W44", value) for name, value in last_week.items()
    }
    assert [week for week, _value in history["orders"]] == ["2026-W43", "2026-W44"]
