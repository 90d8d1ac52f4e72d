"""A report killed at any moment leaves the older one or the newer one, whole; so do two reports at once."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from ecomkit.shop import ROOT
from tests.calls import order, page, track
from tests.notebooks import code, write_notebook
from tests.test_report_weeks import orders_of

# A process that has imported all it needs forks once per order: a report that is killed costs no start of Python.
PRESS = """
import json, os, shutil, signal, sys, traceback
from io import StringIO
from pathlib import Path
from rich.console import Console
from ecomkit import shop as shops
from ecomkit.report import progress, run, write
from ecomkit.report.execute import Run

kit, folder = Path(sys.argv[1]), sys.argv[2]
shops.ROOT, shops.STORE = kit, kit / "store"

def take(paths, values, scratch):
    for path in paths:
        yield Run(path, Path(shutil.copy(path, scratch)), 0.1, None)

progress.run_notebooks = take

def report(order):
    left = [order.get("die_at", 10**9)]
    def counting(function):
        def call(*arguments, **named):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **named)
        return call
    Path.write_text = counting(Path.write_text)
    Path.mkdir = counting(Path.mkdir)
    for name in ("rename", "replace"):
        setattr(os, name, counting(getattr(os, name)))
    from ecomkit.report import publish
    publish._swapped = counting(publish._swapped)
    shutil.rmtree = counting(shutil.rmtree)
    notebooks = kit / order["notebooks"]
    run.run_report(folder, week="2026-W44", console=Console(file=StringIO()), notebooks=notebooks)
    Path(kit / "count").open("w").write(str(10**9 - left[0]))

def forked(order):
    child = os.fork()
    if child == 0:
        try:
            report(order)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return child

for line in sys.stdin:
    children = [forked(order) for order in json.loads(line)]
    print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]), flush=True)
"""


@pytest.fixture
def kit(tmp_path, make_shop):
    """A kit whose notebooks say 1 in `one` and 2 in `two`, beside a shop; return its folder and what runs reports."""
    folder = tmp_path / "kit"
    for name, value in (("one", 1), ("two", 2)):
        write_notebook(folder / name, "01_overview", orders_of(value=value))
        write_notebook(folder / name, "02_funnel", code(f"{value}"))
    bought = track("Order Completed", at="2026-10-28T10:05:00Z", user="u1", **order("o1", revenue=10))
    shop = make_shop(page(at="2026-10-20T10:00:00Z"), page(at="2026-10-28T10:00:00Z"), bought)
    process = subprocess.Popen(
        [sys.executable, "-c", PRESS, str(folder), str(shop)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=os.environ | {"ECOMKIT_SALT": "test"},
    )  # fmt: skip

    def press(*orders):
        process.stdin.write(json.dumps(orders) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    yield folder, press
    process.stdin.close()
    process.wait()
    process.stdout.close()


def published(folder):
    """Every file of the week's report but what the older one became."""
    week = folder / "reports" / "made" / "2026-W44"
    files = [path for path in week.rglob("*") if path.is_file() and path.parent.name != "earlier"]
    return {path.name: path.read_bytes() for path in files}


def without_history(files):
    """A report that replaces another names what it restates; all else is the same."""
    told = json.loads(files["report.json"])
    return told["headlines"][0]["value"], sorted(files)


@pytest.mark.slow
def test_a_report_killed_at_any_moment_is_the_older_one_or_the_newer_one_whole(kit):
    folder, press = kit
    assert press({"notebooks": "one"}) == [0]
    older = published(folder)
    moments = int((folder / "count").read_text())
    assert moments > 15
    for moment in range(1, moments + 8):
        [status] = press({"notebooks": "two", "die_at": moment})
        now = published(folder)
        if status == 0:
            break
        assert status == -signal.SIGKILL
        if now != older:
            assert without_history(now) == (2, sorted(older)), moment
            # Back to the older one, so that every moment meets it.
            assert press({"notebooks": "one"}) == [0]
            older = published(folder)
    assert status == 0
    assert without_history(published(folder)) == (2, sorted(older))
    listed = (folder / "reports" / "made" / "index.html").read_text(encoding="utf-8")
    assert "2026-W44/index.html" in listed
    assert [path.name for path in (folder / "reports" / "made").iterdir() if "unfinished" in path.name] == []


@pytest.mark.slow
def test_of_two_reports_of_one_week_at_once_one_stays_whole(kit):
    folder, press = kit
    assert press({"notebooks": "one"}) == [0]
    names = sorted(published(folder))
    for _ in range(3):
        assert press({"notebooks": "one"}, {"notebooks": "two"}) == [0, 0]
        value, found = without_history(published(folder))
        assert value in (1, 2)
        assert found == names


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda how: how.name)
def test_an_interrupted_report_leaves_no_kernel_behind(tmp_path, how):
    write_notebook(
        tmp_path / "notebooks", "01_waits", code("import time\nopen('started', 'w').close()\ntime.sleep(120)")
    )
    program = (
        "import sys; from pathlib import Path; from ecomkit.report.run import run_report\n"
        "run_report('tiny', out=Path(sys.argv[1]), notebooks=Path(sys.argv[2]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "out"), str(tmp_path / "notebooks")],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait_until(lambda: (tmp_path / "started").exists() or process.poll() is not None, seconds=90)
    kernels = family(process.pid)
    assert kernels
    process.send_signal(how)
    process.wait(60)
    wait_until(lambda: not [pid for pid in kernels if is_alive(pid)], seconds=30)
    assert [pid for pid in kernels if is_alive(pid)] == []
    assert not (tmp_path / "out").exists()


def wait_until(is_so, *, seconds):
    until = time.monotonic() + seconds
    while not is_so() and time.monotonic() < until:
        time.sleep(0.1)


def family(pid):
    """The processes that descend from one, by Linux's own list."""
    children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()
    return [one for child in children for one in (int(child), *family(int(child)))]


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as status:
            return status.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
