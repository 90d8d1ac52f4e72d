"""Parameters of a report, checked against the notebooks before anything runs."""

import pytest

from ecomkit.errors import UsageError
from ecomkit.report.parameters import check, parse_arguments
from tests.notebooks import PARAMETERS, write_notebook


@pytest.fixture(scope="module")
def notebooks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebooks")
    funnel = (
        f"{PARAMETERS}\nwindow_days: int = 7  # days\nfloor: float = 0.5\nsteps: list = []\nnote: str | None = None"
    )
    cohorts = f"{PARAMETERS}\nwindow_days: int = 30\nlabel = 'x'\nstrict = False\nchannels = ['Email']"
    return [
        write_notebook(folder, "02_funnel", parameters=funnel),
        write_notebook(folder, "04_cohorts", parameters=cohorts),
    ]


def test_arguments_are_names_and_texts():
    assert parse_arguments(["a=1", "b=x=y", "c="]) == {"a": "1", "b": "x=y", "c": ""}


def test_an_argument_without_a_name_is_refused():
    with pytest.raises(UsageError) as caught:
        parse_arguments(["a=1", "window_days", "=3"])
    assert str(caught.value) == (
        "A parameter is written NAME=VALUE, as in 'within_days=60'. Found 'window_days', '=3'."
    )


def test_each_notebook_gets_what_its_cell_declares(notebooks):
    given = {"window_days": "14", "floor": "1", "steps": "['a', 'b']", "label": "007", "strict": "True"}
    assert check(given, notebooks) == {
        "02_funnel": {"window_days": 14, "floor": 1, "steps": ["a", "b"]},
        "04_cohorts": {"window_days": 14, "label": "007", "strict": True},
    }


def test_without_parameters_no_notebook_is_read(tmp_path):
    assert check({}, [tmp_path / "missing.ipynb"]) == {"missing": {}}


@pytest.mark.parametrize(
    ("given", "value"),
    [
        pytest.param("None", None, id="none as text"),
        pytest.param(None, None, id="none"),
        pytest.param("12", "12", id="text stays text"),
    ],
)
def test_a_parameter_may_be_one_of_two_types(notebooks, given, value):
    assert check({"note": given}, notebooks)["02_funnel"] == {"note": value}


TAKES = "The notebooks take 'channels', 'floor', 'label', 'note', 'steps', 'strict', 'window_days'."


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param(
            {"window_dys": "7"},
            "'window_dys' is a parameter of no notebook. Did you mean 'window_days'?",
            id="unknown name with a near miss",
        ),
        pytest.param({"zzz": "7"}, "'zzz' is a parameter of no notebook.", id="unknown name"),
        pytest.param(
            {"x; import os": "7"}, "'x; import os' is a parameter of no notebook.", id="code instead of a name"
        ),
        pytest.param({"floor": "high"}, "'floor' is of type float in '02_funnel', not 'high'.", id="text for a number"),
        pytest.param({"floor": "nan"}, "'floor' is of type float in '02_funnel', not 'nan'.", id="nan as text"),
        pytest.param(
            {"floor": float("inf")}, "'floor' is of type float in '02_funnel', not inf.", id="infinity is no number"
        ),
        pytest.param({"floor": True}, "'floor' is of type float in '02_funnel', not True.", id="truth for a number"),
        pytest.param({"strict": "1"}, "'strict' is of type bool in '04_cohorts', not '1'.", id="number for a truth"),
        pytest.param({"steps": "(1, 2)"}, "'steps' is of type list in '02_funnel', not '(1, 2)'.", id="tuple"),
        pytest.param({"note": 3}, "'note' is of type str or None in '02_funnel', not 3.", id="one of two types"),
        pytest.param(
            {"window_days": "7.5"},
            "'window_days' is of type int in '02_funnel', not '7.5'. "
            "'window_days' is of type int in '04_cohorts', not '7.5'.",
            id="each notebook is named",
        ),
        pytest.param(
            {"week": "2026-W01"},
            "'week' is not given as a parameter: name the shop first and the week with --week.",
            id="given already",
        ),
        pytest.param(
            {"zzz": "7", "floor": "high"},
            "'zzz' is a parameter of no notebook. 'floor' is of type float in '02_funnel', not 'high'.",
            id="all offenders at once",
        ),
    ],
)
def test_a_wrong_parameter_is_an_error(notebooks, given, message):
    with pytest.raises(UsageError) as caught:
        check(given, notebooks)
    assert str(caught.value) == f"{message} {TAKES}"


@pytest.mark.parametrize(
    "name", ["password", "db_password", "PASSWD", "access_token", "api_key", "key", "writeKey", "client_secret", "pwd"]
)
def test_a_secret_is_refused_and_not_repeated(notebooks, name):
    with pytest.raises(UsageError) as caught:
        check({name: "s3cret"}, notebooks)
    assert str(caught.value) == (
        f"'{name}' looks like a secret, and a notebook stores its parameters: give secrets by the environment. {TAKES}"
    )


@pytest.mark.parametrize("name", ["monkey", "keyboard", "key_figures_of", "compass"])
def test_harmless_names_are_no_secrets(notebooks, name):
    with pytest.raises(UsageError, match="is a parameter of no notebook"):
        check({name: "x"}, notebooks)


def test_a_password_in_a_url_is_refused_and_not_repeated(notebooks):
    with pytest.raises(UsageError) as caught:
        check({"label": "postgres://ana:s3cret@db.example/shop"}, notebooks)
    assert str(caught.value) == (
        "'label' holds a URL with a password, and a notebook stores its parameters: leave the password out. " + TAKES
    )


def test_notebooks_without_parameters_say_so(tmp_path):
    bare = write_notebook(tmp_path, "bare")
    with pytest.raises(UsageError) as caught:
        check({"zzz": "1"}, [bare])
    assert str(caught.value) == "'zzz' is a parameter of no notebook. The notebooks take no parameters."
