"""What a metric means, on the terminal and in docs/metrics.md."""

import ast
import json
import re

import duckdb
import pytest

from ecomkit.engines import ENGINES
from ecomkit.errors import UsageError, quoted
from ecomkit.explain import card_and_query, explain_metric, metrics_page
from ecomkit.metrics.cards import HEADLINES, card_name, cards
from ecomkit.metrics.catalogue import METRICS
from ecomkit.shop import ROOT, build_shop
from tests.calls import order, page, track

PAGE = ROOT / "docs" / "metrics.md"


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
def test_definition_columns_and_query_are_told_for_every_engine(tiny, dialect):
    text = explain_metric("tiny", "aov", week="2026-W44", dialect=dialect)
    assert text.startswith(f"aov\n\n{METRICS['aov'].definition}\n\nGives: {METRICS['aov'].returns}\n\n")
    assert f"Query for 2026-W44, in {dialect}:\n\n" in text


@pytest.mark.parametrize("name", METRICS)
def test_every_query_runs_on_the_tables_as_they_stand_and_gives_the_metrics_columns(tiny, name):
    period, metric = tiny.week("2026-W44"), METRICS[name]
    tables = {table: getattr(tiny, table) for table in metric.tables}
    wanted = metric.build(tables, period, period.end_at, tiny.settings).columns
    query = card_and_query("tiny", name, period=period).split("in duckdb:\n\n")[1]
    with duckdb.connect(str(build_shop("tiny")), read_only=True) as con:
        assert tuple(con.execute(query).to_arrow_table().column_names) == tuple(wanted)


@pytest.mark.parametrize("name", ["funnel", "purchases_outside"])
def test_the_span_is_told_where_it_is_not_the_week(tiny, name):
    span = "2026-09-28 to 2026-10-25, as the report of 2026-W44 asks"
    text = explain_metric("tiny", name, week="2026-W44")
    assert f"Query for {span}, in duckdb:\n\n" in text
    assert re.search(rf"\n(The first|None of the) events of step \d+ (that fall|falls) into {span}", text)


def test_a_named_week_is_explained_for_another_engine_without_building_the_shop(made, own_store):
    text = explain_metric(str(made), "aov", week="2026-W44", dialect="bigquery")
    assert text.endswith("Rows are counted in the shop itself: ask without --dialect, or for duckdb.")
    assert not own_store.exists()


def test_rows_at_each_step_and_examples_by_hand(tiny):
    text = explain_metric("tiny", "aov", week="2026-W44")
    assert text.split("\n\n")[-2:] == [
        "Rows at each step:\n"
        "  1. the table orders: 6 rows\n"
        "  2. kept by ordered_at: 4 rows\n"
        "  3. kept by status: 3 rows\n"
        "  4. one row per cluster: 3 rows\n"
        "  5. one row over all: 1 row",
        "The first orders of step 3 that fall into 2026-W44:\n"
        "order_id  day         revenue  customer_id                               status\n"
        "o-3       2026-10-27  0.00     user:u-dan                                completed\n"
        "o-5       2026-10-31  36.00    guest:5b61a15d65f7cf47660d95954582f025cc  completed\n"
        "o-6       2026-11-01  18.20    user:u-ana                                completed",
    ]


def test_without_rows_of_the_week_it_says_so(tiny):
    text = explain_metric("tiny", "aov", week="2026-W42")
    assert text.split("\n\n")[-1] == "None of the orders of step 3 falls into 2026-W42."


def test_a_metric_without_orders_shows_sessions_or_says_why_not(tiny):
    assert "\n\nThe first sessions of step 2 that fall into 2026-W44:\nsession_id " in explain_metric(
        "tiny", "visit_to_order_rate", week="2026-W44"
    )
    assert explain_metric("tiny", "daily_volumes", week="2026-W44").endswith(
        "It reads no orders, sessions or events, so there are no rows of these to show."
    )


def test_a_headline_is_explained_by_its_card(made):
    text = explain_metric(str(made), "revenue", week="2026-W44", dialect="postgres")
    assert text.startswith(f"revenue: the card of sales\n\n{METRICS['sales'].definition}\n\n")


def headlines_of(path):
    """The names that a notebook's last section hands over."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    trees = [ast.parse("".join(cell["source"])) for cell in cells if cell["cell_type"] == "code"]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [call.args[0].value for call in calls if getattr(call.func, "id", "") == "headline"]


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_every_headline_of_the_notebooks_has_its_card(path):
    names = headlines_of(path)
    assert names
    names_of_cards = {card.name for card in cards()}
    without = [name for name in names if card_name(name) not in names_of_cards]
    assert without == [], "Name their metric in HEADLINES of ecomkit/metrics/cards.py."


def test_headlines_with_other_names_lead_to_metrics():
    assert [metric for metric in HEADLINES.values() if metric not in METRICS] == []
    assert [name for name in HEADLINES if name in METRICS] == []
    assert card_name("made_up") is None


def test_the_last_week_comes_from_the_data(made):
    assert "Query for 2026-W44, in duckdb:" in explain_metric(str(made), "aov")


def test_an_unknown_metric_names_the_near_miss(made):
    with pytest.raises(UsageError) as caught:
        explain_metric(str(made), "net_revenu")
    known = ", ".join(f"'{name}'" for name in METRICS)
    assert str(caught.value) == (
        f"There is no metric 'net_revenu'. Did you mean 'net_revenue'? The metrics are {known}; "
        f"of headlines with other names {quoted(HEADLINES)}."
    )


def test_an_unknown_dialect_is_refused(made):
    with pytest.raises(UsageError) as caught:
        explain_metric(str(made), "aov", week="2026-W44", dialect="oracle")
    assert str(caught.value) == (
        "'oracle' is not an engine that the kit compiles for. "
        "Choose one of 'duckdb', 'postgres', 'bigquery', 'spark', 'snowflake'."
    )
