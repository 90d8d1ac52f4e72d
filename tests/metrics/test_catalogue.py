"""Every metric by name: compiles for every engine, reads only what it says, and says what it means."""

import inspect
import time
from datetime import date

import ibis
import pytest

from ecomkit import metrics
from ecomkit.engines import ENGINES, to_sql
from ecomkit.metrics.catalogue import METRICS
from ecomkit.periods import Period
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


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", METRICS)
def test_every_metric_compiles_for_every_engine(name, engine):
    assert to_sql(build(name), engine).upper().count("SELECT") > 0


def test_a_metric_compiles_in_milliseconds():
    # Some 40 on an idle machine; the bound leaves room for a busy one.
    expressions = [build(name) for name in METRICS]
    started = time.process_time()
    for expression in expressions:
        to_sql(expression, "bigquery")
    assert (time.process_time() - started) / len(expressions) < 0.2


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
        "acquisition",
        "clv_summary",
        "funnel",
        "payback",
        "retention",
        "sales",
    }
