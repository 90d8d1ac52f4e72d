"""Notebooks with other parameters, and on shops that lack most of what they ask for."""

import json
import random
from datetime import date, timedelta
from pathlib import Path

import IPython.display
import nbformat
import papermill
import pytest
from nbclient import NotebookClient
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from ecomkit import shop as shops
from ecomkit.plots import style
from tests.calls import identify, order, page, track

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
# Every notebook looks at a part of the shop as well.
PART = {"filters": {"device": ["mobile", "desktop"], "b2b": False}}
SECOND = {
    "00_data_quality": {"week": "2026-W40", "weeks": 6, **PART},
    "01_overview": {"week": "2026-W40", "weeks": 6, **PART},
    "02_funnel": {"week": "2026-W40", "window_days": 3, "weeks": 6, "visits_by": "device_type", **PART},
    "03_products": {
        "week": "2026-W40",
        "weeks": 6,
        "products_by": "category",
        "within_days": 30,
        "viewed_within_days": 7,
        **PART,
    },
    "04_cohort_repurchase": {"week": "2026-W40", "within_days": 30, "months": 6, **PART},
    "05_clv": {"week": "2026-W40", **PART},
    "06_cac_by_channel": {"week": "2026-W40", "weeks": 26, "payback_weeks": 26, "horizon_days": 180, **PART},
}

# What is true of the fixture shop in any week.
ALWAYS_SO = ("No break in tracking touches what is shown here.", "This shop has no order export beside its calls")

ORDERS_ONLY = """
[shop]
name = "Orders only"
time_zone = "Europe/Berlin"
currency = "EUR"
[[source]]
kind = "order_files"
path = "orders.csv"
[source.columns]
order_id = "number"
customer_id = "buyer"
ordered_at = "at"
quantity = "pieces"
unit_price = "price"
"""
NO_SPEND = """
[shop]
name = "No spend"
time_zone = "UTC"
currency = "EUR"
own_hosts = ["shop.example"]
[[source]]
kind = "segment_files"
path = "calls.ndjson"
"""
ONE_ORDER = "number,buyer,at,pieces,price\n1,ana,2026-10-28 10:00:00,2,12.50\n"


def sentences(notebook):
    """Return what the code cells of an executed notebook said, in order."""
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return [output.data["text/plain"] for output in outputs if "text/markdown" in output.get("data", {})]


def run_here(path, said, **parameters):
    """Run the cells of a notebook in this process, where warnings are errors; `said` collects its sentences."""
    notebook = parameterize_notebook(load_notebook_node(str(path)), parameters)
    names = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            exec(compile(cell.source, path.stem, "exec"), names)
    return said


@pytest.fixture
def said(monkeypatch):
    """What `say` displays while a notebook runs in this process."""
    heard = []

    def hear(data, **more):
        if "text/markdown" in data:
            heard.append(data["text/plain"])

    monkeypatch.setattr(IPython.display, "display", hear)
    monkeypatch.setattr(style, "_CAPTION", [])
    return heard


def orders_file(days=300, customers=40):
    dice = random.Random(1)
    rows = ["number,buyer,at,pieces,price"]
    for number in range(200):
        day = date(2026, 1, 5) + timedelta(days=dice.randrange(days))
        rows.append(
            f"{number},c{dice.randrange(customers)},{day} 12:00:00,{dice.randint(1, 3)},{dice.randint(5, 60)}.5"
        )
    return "\n".join(rows) + "\n"


def visits_and_orders():
    """Calls of sixty people over ten weeks; some walk to an order, some come back, nobody advertised to them."""
    dice = random.Random(2)
    for number in range(60):
        device, user = f"d{number}", f"u{number}"
        for visit in range(dice.randint(1, 3)):
            day = date(2026, 8, 24) + timedelta(days=dice.randrange(65))
            at = f"{day}T1{visit}:00:"
            search = dice.choice(["", "?utm_source=news&utm_medium=email", "?utm_source=<b>x</b>&utm_medium=$odd$"])
            yield page(device, f"{at}00Z", search=search)
            yield track("Product Viewed", device, f"{at}05Z", product_id="p1")
            if dice.random() < 0.5:
                yield identify(user, device, f"{at}10Z")
                yield track("Product Added", device, f"{at}15Z", user=user, product_id="p1")
                yield track("Checkout Started", device, f"{at}20Z", user=user, order_id=f"o{number}-{visit}")
                yield track(
                    "Order Completed", device, f"{at}25Z", user=user, **order(f"o{number}-{visit}", revenue=20.0)
                )


@pytest.fixture(scope="module")
def poor_shops(tmp_path_factory):
    """Folders of shops that lack most of what notebooks ask for, by what they have."""
    contents = {
        "orders only": (ORDERS_ONLY, "orders.csv", orders_file()),
        "one order": (ORDERS_ONLY, "orders.csv", ONE_ORDER),
        "no spend": (NO_SPEND, "calls.ndjson", "\n".join(json.dumps(call) for call in visits_and_orders())),
    }
    folders = {}
    for kind, (toml, name, content) in contents.items():
        folders[kind] = tmp_path_factory.mktemp(kind.replace(" ", "_"))
        (folders[kind] / "shop.toml").write_text(toml, encoding="utf-8")
        (folders[kind] / name).write_text(content, encoding="utf-8")
    return folders


@pytest.fixture
def shop_of(poor_shops, monkeypatch):
    """Return a function that names a poor shop; each is built once for all tests."""
    monkeypatch.setattr(shops, "STORE", poor_shops["one order"].parent / "store")
    return lambda kind: str(poor_shops[kind])


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_papermill_runs_it_with_other_values_and_its_answers_change(path, tmp_path):
    out = tmp_path / path.name
    papermill.execute_notebook(path, out, parameters=SECOND[path.stem], progress_bar=False, kernel_name="python3")
    before, after = sentences(nbformat.read(path, as_version=4)), sentences(nbformat.read(out, as_version=4))
    assert len(after) == len(before)
    # The first sentence tells what the shop holds in all, with the orders of the week.
    unchanged = [one for one, other in zip(before, after, strict=True) if one == other]
    assert [one for one in unchanged if not one.startswith(ALWAYS_SO)] == []


@pytest.mark.slow
def test_a_kernel_without_widgets_builds_a_shop(tmp_path):
    """DuckDB's progress bar must be on or off without asking for widgets that are not installed."""
    target = tmp_path / "tiny.duckdb"
    source = f"import pathlib, ecomkit.shop as s; s.build_shop('tiny', into=pathlib.Path({str(target)!r}))"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    NotebookClient(notebook, kernel_name="python3").execute()
    assert target.is_file()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["orders only", "one order", "no spend"])
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_poor_shop_gets_all_its_answers_without_an_error(path, kind, shop_of, said):
    run_here(path, said, shop_name=shop_of(kind), week="2026-W44")
    stored = sentences(nbformat.read(path, as_version=4))
    assert len(said) >= len(stored) - 1
    assert not [sentence for sentence in said if "nan" in sentence.split() or "None" in sentence.split()]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_shop_typed_by_hand_gets_its_answers_too(path, said):
    run_here(path, said, shop_name="tiny")
    assert said


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_an_empty_week_long_after_the_data_is_told_without_an_error(path, shop_of, said):
    run_here(path, said, shop_name=shop_of("orders only"), week="2027-W20")
    assert said


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_week_before_the_data_is_told_without_an_error(path, shop_of, said):
    run_here(path, said, shop_name=shop_of("no spend"), week="2024-W20")
    assert said


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        pytest.param("02_funnel", "no events and no sessions", id="visits"),
        pytest.param("06_cac_by_channel", "no sessions and no ad spend", id="spend"),
    ],
)
def test_a_shop_of_orders_alone_is_told_what_it_lacks(name, missing, shop_of, said):
    [path] = [path for path in NOTEBOOKS if path.stem == name]
    run_here(path, said, shop_name=shop_of("orders only"), week="2026-W43")
    assert said[0].endswith(f"This shop has {missing}, so what needs them stays empty.")
