"""Every metric by name: compiles for every engine, reads only what it says, and says what it means."""

import ast
import inspect
import json
import time
from datetime import date
from pathlib import Path

import ibis
import pytest

from ecomkit import metrics
from ecomkit.engines import ENGINES, to_sql
from ecomkit.metrics import catalogue, catalogue_of_products
from ecomkit.metrics.catalogue import METRICS
from ecomkit.metrics.catalogue_of_funnels import FUNNEL_STEPS, FUNNEL_WINDOW_DAYS
from ecomkit.metrics.clv_summary import clv_summary
from ecomkit.periods import Period, day_start
from ecomkit.schemas import CANONICAL
from ecomkit.settings import Settings

WEEK = Period(date(2026, 10, 26), date(2026, 11, 2), "America/New_York")
SETTINGS = Settings(
    folder=None,
    name="Unbound",
    time_zone="America/New_York",
    currency="EUR",
    sources=(),
    monthly_fees={"Paid_Search": 500},
)


def unbound(metric):
    """Tables without data, and only those that the metric says it reads."""
    return {name: ibis.table(CANONICAL[name][0], name=name) for name in metric.tables}


def build(name):
    metric = METRICS[name]
    return metric.build(unbound(metric), WEEK, WEEK.end_at, SETTINGS)


@pytest.mark.parametrize(
    "engine",
    [
        pytest.param(engine, marks=pytest.mark.slow) if engine in ("spark", "snowflake") else engine
        for engine in ENGINES
    ],
)
@pytest.mark.parametrize("name", METRICS)
def test_every_metric_compiles_for_every_engine_at_once(name, engine):
    started = time.process_time()
    assert to_sql(build(name), engine).upper().count("SELECT") > 0
    # A tenth of a second on an idle machine, one for a table of seven funnels; the bound leaves room for a busy one.
    assert time.process_time() - started < 5


@pytest.mark.parametrize("name", METRICS)
def test_the_definition_is_the_docstrings_first_paragraphs(name):
    metric = METRICS[name]
    doc = inspect.getdoc(metric.function)
    assert doc.startswith(metric.definition)
    assert "Parameters" not in metric.definition
    assert metric.definition.count("\n\n") >= 1, "a sentence of meaning, then the rule at the edge"
    assert metric.returns
    assert set(metric.tables) <= set(CANONICAL)


@pytest.mark.parametrize("name", METRICS)
def test_what_a_metric_returns_names_its_columns(name):
    metric = METRICS[name]
    told = inspect.getdoc(metric.function)
    shared = ("clusters", "numerator", "denominator", "products", "squares", "revenue")
    silent = [column for column in build(name).columns if f"`{column}`" not in told and not column.endswith(shared)]
    assert silent in ([], ["week"], ["channel"])


def test_every_metric_module_is_in_the_catalogue_or_serves_those_that_are():
    functions = {metric.function for metric in METRICS.values()}
    assert {function.__module__.removeprefix(f"{metrics.__name__}.") for function in functions} == {
        "abandonment",
        "acquisition",
        "bridge",
        "bridge_of_lines",
        "clv_summary",
        "coverage",
        "customers",
        "funnel",
        "funnel_money",
        "funnel_outside",
        "funnel_sensitivity",
        "funnel_times",
        "funnel_trend",
        "identity_audit",
        "order_ladder",
        "order_sizes",
        "offers",
        "payback",
        "product_mix",
        "products.amplitude",
        "products.baskets",
        "products.gateway",
        "products.line_refunds",
        "products.list_positions",
        "products.path",
        "products.ranks",
        "products.tracking_gaps",
        "products.visits",
        "quality",
        "reconciliation",
        "retention",
        "sales",
        "sales_by",
        "searches",
        "site_features",
        "visits",
    }


def parameters(notebook):
    """The values that a notebook of this name asks with."""
    path = Path(__file__).parents[2] / "notebooks" / f"{notebook}.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    [cell] = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", ())]
    return {node.target.id: ast.literal_eval(node.value) for node in ast.parse("".join(cell["source"])).body}


def test_the_catalogue_asks_what_the_notebooks_ask():
    funnel, clv = parameters("02_funnel"), parameters("05_clv")
    assert (list(FUNNEL_STEPS), FUNNEL_WINDOW_DAYS) == (funnel["steps"], funnel["window_days"])
    assert parameters("04_cohort_repurchase")["within_days"] == catalogue.REPEAT_WITHIN_DAYS
    assert parameters("06_cac_by_channel")["horizon_days"] == clv["horizon_days"] == catalogue.HORIZON_DAYS
    assert clv["holdout_days"] == catalogue.HOLDOUT_DAYS
    products = parameters("03_products")
    assert products["within_days"] == catalogue_of_products.GATEWAY_WITHIN_DAYS
    assert products["viewed_within_days"] == catalogue_of_products.VIEWED_WITHIN_DAYS
    assert METRICS["product_pairs"].asks(WEEK) == WEEK.extended_back(8 * products["weeks"])
    assert METRICS["funnel"].asks(WEEK) == WEEK.four_weeks_before(days=funnel["window_days"])
    assert METRICS["aov"].asks(WEEK) == WEEK


def test_the_holdout_begins_at_a_local_midnight(order_log, refund_log, rows_of):
    """The clocks of New York go back between 4 May and 2 November, so 182 x 24 hours end at 1 in the morning."""
    orders = order_log(
        ("ana", "2026-04-01 12:00:00Z"), ("ana", "2026-05-04 03:59:59Z"), ("ana", "2026-05-04 04:00:00Z")
    )
    tables = {"orders": orders, "refunds": refund_log()}
    [row] = rows_of(METRICS["clv_holdout"].build(tables, WEEK, WEEK.end_at, SETTINGS))
    assert (row["frequency"], row["T"], row["frequency_holdout"]) == (1, 32, 1)
    known = {"as_of": day_start(date(2026, 5, 4), WEEK.zone), "zone": WEEK.zone}
    assert rows_of(clv_summary(*tables.values(), **known), "T") == [(32,)]
