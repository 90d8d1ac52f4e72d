"""The tables of an executed notebook as CSV files."""

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_output

from ecomkit.report.csv_tables import tables_of
from ecomkit.report.execute import run_notebooks
from ecomkit.tables import readable
from tests.notebooks import code, text, write_notebook


def shown(frame):
    """The output that a notebook stores for a frame in the last line of a cell."""
    html = frame._repr_html_()
    html, metadata = html if isinstance(html, tuple) else (html, {})
    return new_output(
        "execute_result", {"text/html": html, "text/plain": repr(frame)}, metadata={"text/html": metadata}
    )


@pytest.fixture
def told(tmp_path):
    """Return a function that writes a notebook of cells and reads its tables."""

    def tables(*cells):
        return tables_of(write_notebook(tmp_path, "09_made", *cells, title="# What is in it?"))

    return tables


def test_tables_come_in_the_order_of_the_page_under_their_questions(told):
    rates = readable(pd.DataFrame({"channel": ["Email"], "click_rate": [0.25]}))
    plain = pd.DataFrame({"orders": [1_234]})
    assert told(
        code("plain", shown(plain)),
        text("## Who clicks?\n\nIt matters."),
        text("**Caveat.** None."),
        code("rates", shown(rates)),
        code("plain", shown(plain), shown(rates)),
    ) == [
        ("09_made-01-what-is-in-it.csv", "orders\n1234\n"),
        ("09_made-02-who-clicks.csv", "channel,click_rate\nEmail,0.25\n"),
        ("09_made-03-who-clicks.csv", "orders\n1234\n"),
        ("09_made-04-who-clicks.csv", "channel,click_rate\nEmail,0.25\n"),
    ]


def test_a_table_of_the_kit_that_a_kernel_showed_keeps_its_numbers_in_the_notebook(tmp_path, told):
    """By another way: through IPython's own formatters, and a file on disk."""
    from IPython.core.formatters import DisplayFormatter

    data, metadata = DisplayFormatter().format(readable(pd.DataFrame({"aov": [-0.5]}), currency="EUR"))
    path = write_notebook(tmp_path, "09_made", code("x", new_output("display_data", data, metadata=metadata)))
    assert nbformat.read(path, as_version=4).cells[-1].outputs[0].metadata == {"text/html": {"csv": "aov\n-0.5\n"}}
    assert [csv for _name, csv in tables_of(path)] == ["aov\n-0.5\n"]


def test_a_kernel_keeps_tables_and_words_for_pictures_in_the_notebook(tmp_path, monkeypatch):
    """By the real way: a notebook that papermill runs, as a report does, with the backend that kernels choose."""
    monkeypatch.delenv("MPLBACKEND")
    source = write_notebook(
        tmp_path,
        "09_made",
        text("## Do they come back?"),
        code("import pandas as pd\nfrom ecomkit.plots import plot_repeat_purchase_rate, use_style\nuse_style()"),
        code(
            "from ecomkit.tables import readable\n"
            "rates = pd.DataFrame({'cohort_month': pd.to_datetime(['2026-01-01']), 'customers': [40]}).assign(\n"
            "    repeat_purchase_rate=0.25, repeat_purchase_rate_low=0.1, repeat_purchase_rate_high=0.4)"
        ),
        code("ax = plot_repeat_purchase_rate(rates, within_days=90, floor=30, title='Do they?')"),
        code("readable(rates, ['cohort_month', 'repeat_purchase_rate']).head(12)"),
    )
    (tmp_path / "run").mkdir()
    [run] = run_notebooks([source], {"09_made": {}}, tmp_path / "run")
    assert run.failure is None
    *_others, picture, _table = nbformat.read(run.executed, as_version=4).cells
    [shown_once] = picture.outputs
    assert shown_once.metadata["image/png"]["alt"] == (
        "Points: customers who ordered again within 90 days (%) by month of first order (customers), with 95 % "
        "intervals. 1 point: Jan 2026 (40) 25.0 %. Customers whose 90 days have passed."
    )
    assert tables_of(run.executed) == [
        (
            "09_made-01-do-they-come-back.csv",
            "cohort_month,repeat_purchase_rate,repeat_purchase_rate_low,repeat_purchase_rate_high\n2026-01,0.25,0.1,0.4\n",
        )
    ]


@pytest.mark.parametrize(
    ("frame", "csv"),
    [
        pytest.param(pd.DataFrame({"a": ["=1+1", "x\ny"], "b": [-0.5, 2]}), "a,b\n'=1+1,-0.5\nx\\ny,2.0\n", id="plain"),
        pytest.param(
            pd.DataFrame({"orders": [3]}, index=pd.Index(["Email"], name="channel")),
            "channel,orders\nEmail,3\n",
            id="labels with a name",
        ),
        pytest.param(pd.DataFrame({"orders": [3]}, index=["Email"]), ",orders\nEmail,3\n", id="labels without a name"),
        pytest.param(
            pd.DataFrame({("n", "a"): [1, 2], ("n", "b"): [3, 4]}, index=pd.MultiIndex.from_product([["x"], [1, 2]])),
            ",,n a,n b\nx,1,1,3\nx,2,2,4\n",
            id="cells that span others",
        ),
        pytest.param(pd.DataFrame({"a": []}), "a\n", id="no rows"),
    ],
)
def test_a_frame_without_numbers_of_its_own_is_told_as_it_is_shown(told, frame, csv):
    assert told(code("frame", shown(frame))) == [("09_made-01-what-is-in-it.csv", csv)]


def test_other_outputs_are_no_tables(told):
    assert told(code("x", new_output("display_data", {"text/html": "<b>no table</b>"}))) == []
    assert told(code("x", new_output("stream", name="stdout", text="<table></table>"))) == []


@pytest.mark.parametrize(
    ("question", "name"),
    [
        pytest.param("Where do people stop?", "09_made-01-where-do-people-stop.csv", id="a question"),
        pytest.param("Café: «was» nun?", "09_made-01-cafe-was-nun.csv", id="accents and signs"),
        pytest.param("../../etc/passwd", "09_made-01-etc-passwd.csv", id="a path"),
        pytest.param("\u202e売上は?", "09_made-01.csv", id="no Latin letter"),
        pytest.param("ab " * 5_000, f"09_made-01-{('ab-' * 20)[:-1]}.csv", id="ten thousand letters"),
    ],
)
def test_a_file_is_named_for_page_place_and_question(told, question, name):
    cells = (text(f"## {question}"), code("frame", shown(pd.DataFrame({"a": [1]}))))
    assert told(*cells) == [(name, "a\n1\n")]
