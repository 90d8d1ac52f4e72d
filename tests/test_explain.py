"""What a metric means, on the terminal and in docs/metrics.md."""

from pathlib import Path

import duckdb
import pytest

from ecomkit.engines import ENGINES
from ecomkit.errors import UsageError
from ecomkit.explain import explain_metric, metrics_page
from ecomkit.metrics.catalogue import METRICS
from ecomkit.shop import build_shop
from tests.calls import order, page, track

PAGE = Path(__file__).parent.parent / "docs" / "metrics.md"


@pytest.fixture
def made(make_shop):
    return make_shop(
        page(at="2026-10-28T10:00:00Z"),
        track("Order Completed", at="2026-10-28T10:05:00Z", user="u1", **order("o1", revenue=10)),
        page("d2", at="2026-11-01T23:59:59Z"),
    )


def test_the_committed_page_is_the_docstrings():
    wanted = """python -c "from ecomkit.explain import metrics_page; print(metrics_page(), end='')" > docs/metrics.md"""
    assert PAGE.read_text(encoding="utf-8") == metrics_page(), f"Write the page again: {wanted}"


def test_every_metric_has_its_card():
    page = metrics_page()
    for name, metric in METRICS.items():
        assert f"`{name}`" in page
        assert metric.definition in page
        assert metric.returns in page


@pytest.mark.parametrize("dialect", ENGINES)
def test_definition_columns_and_query_are_told_for_every_engine(made, dialect):
    text = explain_metric(str(made), "aov", week="2026-W44", dialect=dialect)
    assert text.startswith(f"aov\n\n{METRICS['aov'].definition}\n\nGives: {METRICS['aov'].returns}\n\n")
    assert f"Query for 2026-W44, in {dialect}:\n\n" in text


@pytest.mark.parametrize("name", METRICS)
def test_every_query_runs_on_the_tables_as_they_stand_and_gives_the_metrics_columns(tiny, name):
    period, metric = tiny.week("2026-W44"), METRICS[name]
    tables = {table: getattr(tiny, table) for table in metric.tables}
    wanted = metric.build(tables, period, period.end_at, tiny.settings).columns
    query = explain_metric("tiny", name, week="2026-W44").split("in duckdb:\n\n")[1]
    with duckdb.connect(str(build_shop("tiny")), read_only=True) as con:
        assert tuple(con.execute(query).to_arrow_table().column_names) == tuple(wanted)


@pytest.mark.parametrize("name", ["funnel", "purchases_outside"])
def test_the_span_is_told_where_it_is_not_the_week(made, name):
    span = "2026-09-28 to 2026-10-25, as the report of 2026-W44 asks"
    assert f"Query for {span}, in duckdb:\n\n" in explain_metric(str(made), name, week="2026-W44")


def test_a_named_week_is_explained_without_building_the_shop(made, own_store):
    explain_metric(str(made), "aov", week="2026-W44")
    assert not own_store.exists()


def test_the_last_week_comes_from_the_data(made):
    assert "Query for 2026-W44, in duckdb:" in explain_metric(str(made), "aov")


def test_an_unknown_metric_names_the_near_miss(made):
    with pytest.raises(UsageError) as caught:
        explain_metric(str(made), "net_revenu")
    known = ", ".join(f"'{name}'" for name in METRICS)
    assert str(caught.value) == (
        f"There is no metric 'net_revenu'. Did you mean 'net_revenue'? The metrics are {known}."
    )


def test_an_unknown_dialect_is_refused(made):
    with pytest.raises(UsageError) as caught:
        explain_metric(str(made), "aov", week="2026-W44", dialect="oracle")
    assert str(caught.value) == (
        "'oracle' is not an engine that the kit compiles for. "
        "Choose one of 'duckdb', 'postgres', 'bigquery', 'spark', 'snowflake'."
    )
