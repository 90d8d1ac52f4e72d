"""The command line: SHOP first, one message for what the user can mend, the exit status as written."""

import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from ecomkit import cli
from ecomkit.report.run import Published
from tests.calls import identify, order, page, track
from tests.notebooks import write_notebook

COMMANDS = ("simulate", "init", "build", "check", "identity", "report", "explain", "diff")


@pytest.fixture
def ecomkit(monkeypatch, capsys):
    """Run the command line in this process; return exit status, output and errors."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["ecomkit", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        told = capsys.readouterr()
        return left.value.code, told.out, told.err

    return run


@pytest.fixture
def made(make_shop):
    return make_shop(
        page(at="2026-10-28T10:00:00Z"),
        track("Order Completed", at="2026-10-28T10:05:00Z", user="u1", **order("o1", revenue=10)),
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_shows_an_example(command):
    shown = CliRunner().invoke(cli.app, [command, "--help"]).output
    assert re.search(rf"Example: ecomkit {command} \S+", shown)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_first_argument_is_the_shop(command):
    usage = CliRunner().invoke(cli.app, [command, "--help"]).output
    first = re.search(rf"Usage: \S+ {command} \[OPTIONS\] \W?(\w+)", usage)[1]
    assert first.lower() == {"simulate": "folder", "init": "source", "diff": "older"}.get(command, "shop")


def test_help_needs_nothing_heavy():
    program = (
        "import sys, ecomkit.cli as cli\n"
        "from typer.testing import CliRunner\n"
        "CliRunner().invoke(cli.app, ['report', '--help'])\n"
        "heavy = {'ibis', 'pandas', 'numpy', 'scipy', 'matplotlib', 'duckdb', 'papermill', 'nbconvert'}\n"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or None)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


def test_the_module_runs_as_the_command():
    run = subprocess.run([sys.executable, "-m", "ecomkit", "--help"], capture_output=True, text=True, check=False)
    assert run.returncode == 0
    assert all(command in run.stdout for command in COMMANDS)


def test_a_wrong_shop_is_one_message_without_a_traceback(ecomkit, monkeypatch, tmp_path):
    (tmp_path / "examples" / "cdnow").mkdir(parents=True)
    (tmp_path / "examples" / "cdnow" / "shop.toml").touch()
    monkeypatch.setattr("ecomkit.shop.ROOT", tmp_path)
    assert ecomkit("build", "cdnov") == (
        2,
        "",
        "There is no shop 'cdnov': no folder of that name holds a shop.toml. Did you mean 'cdnow'? "
        "The shops here are 'cdnow'.\n",
    )


def test_a_wrong_week_is_a_wrong_use(ecomkit, made):
    message = "'W44' is not an ISO week. Weeks are written like '2026-W44' and end with W52 or W53.\n"
    assert ecomkit("report", made, "--week", "W44") == (2, "", message)
    assert ecomkit("explain", made, "aov", "--week", "W44") == (2, "", message)


def test_a_source_that_is_missing_is_a_failure(ecomkit, made):
    (made / "calls.ndjson").unlink()
    status, out, err = ecomkit("build", made)
    assert (status, out) == (1, "")
    assert "calls.ndjson" in err
    assert "Traceback" not in err


def test_an_unknown_option_is_a_wrong_use(ecomkit):
    status, _, err = ecomkit("report", "shop", "--weeks", "2026-W44")
    assert status == 2
    assert "No such option" in err


def test_build_writes_the_tables_where_one_says(ecomkit, made, tmp_path):
    import duckdb

    status, out, _ = ecomkit("build", made, "--into", tmp_path / "shop.duckdb")
    assert (status, out) == (0, f"{tmp_path / 'shop.duckdb'}\n")
    with duckdb.connect(str(tmp_path / "shop.duckdb"), read_only=True) as con:
        assert con.execute("SELECT order_id, revenue FROM orders").fetchall() == [("o1", 10)]


def test_build_prints_the_path_of_the_shop_file(ecomkit, made, own_store):
    status, out, _ = ecomkit("build", made)
    assert status == 0
    assert out.startswith(str(own_store))


@pytest.mark.slow
def test_build_as_of_a_day_is_a_file_of_its_own(ecomkit, made, own_store):
    status, out, _err = ecomkit("build", made, "--as-of", "2026-10-27")
    assert status == 0
    assert "@2026-10-27-" in out
    assert ecomkit("build", made, "--as-of", "yesterday")[0] == 2


@pytest.mark.slow
def test_identity_names_the_first_suspects_in_the_form_that_undoes_them(ecomkit, make_shop):
    people = ("ana", "ben", "cat")
    till = [identify(person, "till", f"2026-10-0{n}T10:00:00Z") for n, person in enumerate(people, start=1)]
    status, out, _err = ecomkit("identity", make_shop(*till, page("own", "2026-10-05T10:00:00Z")))
    assert status == 0
    assert "anonymous_id:till" in out
    assert re.search(r"people\D+5\D+4|people\D+4\D+4", out), out
    assert "belong in the terminal" in out


@pytest.mark.slow
def test_identity_of_a_shop_without_suspects_says_so(ecomkit, made):
    assert "No identifier is shared by several people." in ecomkit("identity", made)[1]


@pytest.mark.parametrize(
    ("failed", "alerts", "status"),
    [
        pytest.param((), (), 0, id="published"),
        pytest.param(("02_funnel",), (), 1, id="a notebook failed"),
        pytest.param((), ("Orders fell.",), 3, id="an alert"),
        pytest.param(("02_funnel",), ("Orders fell.",), 1, id="both"),
    ],
)
def test_report_hands_its_arguments_on(ecomkit, monkeypatch, tmp_path, failed, alerts, status):
    given = {}

    def run_report(shop, **arguments):
        given.update(shop=shop, **arguments)
        return Published(tmp_path, failed, alerts)

    monkeypatch.setattr("ecomkit.report.run.run_report", run_report)
    arguments = ["--week", "2026-W44", "--out", tmp_path, "--only", "02_funnel", "--param", "a=1", "--param", "b=x=y"]
    assert ecomkit("report", "tiny", *arguments)[0] == status
    told = {"week": "2026-W44", "out": tmp_path, "only": "02_funnel", "parameters": {"a": "1", "b": "x=y"}}
    assert given == {"shop": "tiny"} | told


def test_many_weeks_end_with_the_status_of_the_worst(ecomkit, monkeypatch, tmp_path):
    weeks = [Published(tmp_path), Published(tmp_path, (), ("Orders fell.",)), Published(None)]
    given = []
    monkeypatch.setattr("ecomkit.report.run.run_reports", lambda *weeks_of, **told: given.append(weeks_of) or weeks)
    assert ecomkit("report", "tiny", "--from", "2026-W42", "--to", "2026-W44")[0] == 3
    assert given == [("tiny", "2026-W42", "2026-W44")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(
            ["--from", "2026-W42"], "'--from' and '--to' go together: name the first week and the last.", id="no end"
        ),
        pytest.param(
            ["--from", "2026-W42", "--to", "2026-W44", "--week", "2026-W44"],
            "'--week' cannot go with '--from' and '--to', which name many weeks. Leave one out.",
            id="and a week",
        ),
    ],
)
def test_weeks_that_contradict_each_other_are_a_wrong_use(ecomkit, arguments, message):
    assert ecomkit("report", "tiny", *arguments) == (2, "", f"{message}\n")


def test_a_week_without_data_publishes_nothing_and_is_no_failure(ecomkit, made, tmp_path, monkeypatch):
    write_notebook(tmp_path / "notebooks", "01_overview")
    monkeypatch.setattr("ecomkit.report.run.NOTEBOOKS", tmp_path / "notebooks")
    status, out, err = ecomkit("report", made, "--week", "2020-W01", "--out", tmp_path / "out")
    assert (status, err) == (0, "")
    assert "Nothing was published." in out
    assert not (tmp_path / "out").exists()


def test_a_parameter_without_a_value_is_a_wrong_use(ecomkit):
    assert ecomkit("report", "tiny", "--param", "within_days") == (
        2,
        "",
        "A parameter is written NAME=VALUE, as in 'within_days=60'. Found 'within_days'.\n",
    )


@pytest.mark.slow
def test_simulate_writes_a_shop_that_builds(ecomkit, tmp_path, own_store):
    folder = tmp_path / "made-up"
    status, out, _ = ecomkit("simulate", folder, "--seed", 3, "--customers", 30, "--months", 4)
    assert (status, out) == (0, f"{folder}\n")
    assert ecomkit("build", folder)[0] == 0


def test_simulate_does_not_write_over_what_it_did_not_make(ecomkit, tmp_path):
    (tmp_path / "thesis.txt").touch()
    assert ecomkit("simulate", tmp_path) == (
        2,
        "",
        f"'{tmp_path}' exists and is not a made-up shop, so it is not written over. Name another folder.\n",
    )


def test_explain_shows_definition_and_query(ecomkit, made):
    status, out, _ = ecomkit("explain", made, "aov", "--week", "2026-W44", "--dialect", "postgres")
    assert status == 0
    assert out.startswith("aov\n\n")
    assert "Query for 2026-W44, in postgres:" in out
    assert 'FROM "orders"' in out
    assert out.endswith("Rows are counted in the shop itself: ask without --dialect, or for duckdb.\n")


def test_explain_shows_the_rows_at_each_step_and_examples(ecomkit, tiny):
    status, out, _ = ecomkit("explain", "tiny", "aov", "--week", "2026-W44")
    assert status == 0
    assert "Rows at each step:\n  1. the table orders: " in out
    assert "The first orders of step " in out


def test_init_says_what_it_found_wrote_and_could_not_tell(ecomkit, tmp_path):
    (tmp_path / "orders.csv").write_text("order_id,date,price\n1,2026-07-01,5\n")
    (tmp_path / "notes.txt").touch()
    status, out, err = ecomkit("init", tmp_path, "--into", tmp_path)
    assert (status, err) == (0, "")
    assert re.search(r"orders\.csv +\S order lines", out)
    assert "Could not tell:\n  who bought: no column of orders.csv looks like a customer's id\n" in out
    assert f"Not used:\n  notes.txt\nWritten: {tmp_path / 'shop.toml'}\n" in out
    assert ecomkit("init", tmp_path)[0] == 2
