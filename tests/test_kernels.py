"""Kernels that are forked: they are what kernels are, end when they should, and leave nothing behind."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from ecomkit.report import kernels
from ecomkit.report.execute import run_notebooks
from ecomkit.report.kernels import imports_of

pytestmark = pytest.mark.skipif(not kernels.CAN_FORK, reason="kernels are forked on Linux alone")


@pytest.fixture(autouse=True)
def _pictures_as_in_a_report(monkeypatch):
    # Tests draw on Agg, which shows nothing.
    monkeypatch.delenv("MPLBACKEND")


def write(folder, name, *sources):
    notebook = new_notebook(
        cells=[new_code_cell(textwrap.dedent(source)) for source in sources],
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python"},
        },
    )
    path = folder / f"{name}.ipynb"
    nbformat.write(notebook, path)
    return path


def run_all(paths, folder):
    folder.mkdir()
    return {run.name: run for run in run_notebooks(paths, {path.stem: {} for path in paths}, folder)}


def printed(run):
    assert run.failure is None
    cells = json.loads(run.executed.read_text())["cells"]
    return [
        "".join(output["text"]).strip()
        for cell in cells
        for output in cell.get("outputs", [])
        if output.get("name") == "stdout"
    ]


def has_ended(pid, *, within=10.0):
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        status = Path(f"/proc/{pid}/stat")
        # A zombie waits for whoever adopted it.
        if not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


# What libraries decide when they are imported, and what a process is born with.
OF_THE_KERNEL = """
import json, os, signal, sys
import matplotlib, pandas as pd
options = pd._config.config
told = {
    # One of them is `utf-8` in a kernel that pandas does not know, and `UTF-8` in another.
    "options": {name: str(pd.get_option(name)).lower() for name in sorted(set(options._registered_options) - set(options._deprecated_options))},
    "look": {name: str(matplotlib.rcParams._get(name)) for name in matplotlib.rcParams},
    "signals": [str(signal.getsignal(number)) for number in (signal.SIGCHLD, signal.SIGTERM)],
    "folder": os.getcwd(),
    "places": sys.path,
    "variables": {name: value for name, value in os.environ.items() if not name.startswith("JPY_")},
    "leads": os.getsid(0) == os.getpid() == os.getpgid(0),
    "main": __name__,
}
print(json.dumps(told, sort_keys=True))
"""  # noqa: E501


def test_a_forked_kernel_is_what_an_ordinary_one_is(tmp_path, monkeypatch):
    path = write(tmp_path, "kernel", OF_THE_KERNEL)
    [forked] = printed(run_all([path], tmp_path / "forked")["kernel"])
    monkeypatch.setattr(kernels, "CAN_FORK", False)
    [ordinary] = printed(run_all([path], tmp_path / "ordinary")["kernel"])
    forked, ordinary = json.loads(forked), json.loads(ordinary)
    for what in ordinary:
        assert forked[what] == ordinary[what]


def test_kernels_have_imported_what_notebooks_import_and_share_nothing_else(tmp_path):
    imported = "import sys; print('colorsys' in sys.modules)"
    paths = [
        write(tmp_path, "first", imported, "import colorsys\ncolorsys.mark = 'first'", "print(colorsys.mark)"),
        write(tmp_path, "second", imported, "import colorsys\nprint(hasattr(colorsys, 'mark'))"),
    ]
    runs = run_all(paths, tmp_path / "runs")
    assert printed(runs["first"]) == ["True", "first"]
    assert printed(runs["second"]) == ["True", "False"]


@pytest.mark.slow
def test_a_picture_is_shown_once_and_not_drawn_before(tmp_path):
    count = """
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from ecomkit import plots
        drawn_before = []
        FigureCanvasAgg.draw_idle = drawn_before.append
    """
    plot = "ax = plots.style.new_axes('Title', 'Span')"
    path = write(tmp_path, "picture", count, plot, plot, "print(len(drawn_before))")
    run = run_all([path], tmp_path / "runs")["picture"]
    shown = [cell["outputs"] for cell in json.loads(run.executed.read_text())["cells"][1:3]]
    assert [[list(output["data"])[0] for output in outputs] for outputs in shown] == [["image/png"]] * 2
    assert printed(run) == ["0"]


def test_threads_of_libraries_work_after_the_fork(tmp_path):
    path = write(
        tmp_path,
        "threads",
        "import duckdb, numpy as np, pyarrow as pa, pyarrow.compute",
        "print(int((np.ones((700, 700)) @ np.ones((700, 700))).sum()))",
        "print(duckdb.connect().sql('SELECT sum(range) FROM range(3_000_000)').fetchone()[0])",
        "print(pa.compute.sum(pa.chunked_array([list(range(100_000))] * 4)).as_py())",
    )
    sums = [700**3, 3_000_000 * 2_999_999 // 2, 4 * (100_000 * 99_999 // 2)]
    assert printed(run_all([path], tmp_path / "runs")["threads"]) == [str(number) for number in sums]


def test_a_kernel_that_dies_fails_its_notebook_and_no_other(tmp_path):
    paths = [
        write(tmp_path, "dies", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"),
        write(tmp_path, "lives", "print('here')"),
    ]
    runs = run_all(paths, tmp_path / "runs")
    assert runs["dies"].failure == "DeadKernelError: Kernel died"
    assert printed(runs["lives"]) == ["here"]


@pytest.mark.slow
def test_a_nursery_that_dies_leaves_the_next_kernels_to_start_as_they_always_do(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    kill = "import os, signal, time\nos.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(60)  # it does not live to see"
    paths = [
        write(tmp_path, "first", kill, "# The longer one runs first." * 50),
        write(tmp_path, "next", "import sys", "print('ipykernel_launcher' in sys.orig_argv)"),
    ]
    runs = run_all(paths, tmp_path / "runs")
    assert runs["first"].failure == "DeadKernelError: Kernel died"
    assert printed(runs["next"]) == ["True"]


def test_who_stops_listening_ends_the_kernels(tmp_path):
    mark = tmp_path / "pid"
    slow = write(
        tmp_path, "slow", f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid()))", "time.sleep(600)"
    )
    quick = write(tmp_path, "a", f"import os, time\nwhile not os.path.exists({str(mark)!r}): time.sleep(0.05)")
    (tmp_path / "runs").mkdir()
    started = time.monotonic()
    runs = run_notebooks([quick, slow], {"a": {}, "slow": {}}, tmp_path / "runs")
    assert next(runs).name == "a"
    runs.close()
    assert time.monotonic() - started < 60
    assert has_ended(int(mark.read_text()))


@pytest.mark.slow
@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGINT, id="interrupted"), pytest.param(signal.SIGKILL, id="killed")]
)
def test_a_report_that_is_stopped_leaves_no_kernel_and_no_nursery(tmp_path, number):
    mark = tmp_path / "pids"
    write(
        tmp_path,
        "slow",
        f"import os, time\nopen({str(mark)!r}, 'w').write(f'{{os.getpid()}} {{os.getppid()}}')\ntime.sleep(600)",
    )
    (tmp_path / "runs").mkdir()
    report = f"""
        from pathlib import Path
        from ecomkit.report.execute import run_notebooks
        folder = Path({str(tmp_path)!r})
        list(run_notebooks([folder / "slow.ipynb"], {{"slow": {{}}}}, folder / "runs"))
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(report)], stderr=subprocess.DEVNULL, env=os.environ
    )
    while not (mark.exists() and mark.read_text().count(" ")):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    assert process.wait(timeout=60) == -number
    assert all(has_ended(int(pid)) for pid in mark.read_text().split())


def test_imports_are_those_of_all_cells_that_are_python_each_once(tmp_path):
    paths = [
        write(tmp_path, "one", "import os\nx = 1\nfrom ecomkit import plots", "%matplotlib inline\nimport sys"),
        write(tmp_path, "two", "import os", "def f():\n    import json", "import numpy as np"),
    ]
    assert imports_of(paths) == ["import os", "from ecomkit import plots", "import numpy as np"]


def test_a_report_does_without_a_grammar_of_addresses():
    task = "import sys, ecomkit.report.execute, papermill; print('lark' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", task], capture_output=True, text=True).stdout == "False\n"
