"""A build killed at any moment leaves the old shop usable and no half shop; of two at once, one waits."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from ecomkit.schemas import CANONICAL
from ecomkit.shop import ROOT, build_shop, open_shop
from ecomkit.whole_files import appearing_whole, remove_leftovers
from tests.calls import order, page, server

# A process that has imported all it needs forks once per order, so that a killed build costs no start of Python.
KITCHEN = """
import json, os, signal, sys, time, traceback
from pathlib import Path
from ecomkit import shop as shops

shops.STORE, folder = Path(sys.argv[1]), sys.argv[2]

def die(*arguments, **named):
    os.kill(os.getpid(), signal.SIGKILL)

def dying(name, when):
    function = getattr(os, name)
    def call(*arguments, **named):
        if when == "before":
            die()
        function(*arguments, **named)
        die()
    setattr(os, name, call)

def build(order):
    seen = []
    def progress(step):
        seen.append(step)
        if len(seen) == order.get("step"):
            die()
    if "call" in order:
        dying(order["call"], order["when"])
    if "removing" in order:
        unlink = Path.unlink
        Path.unlink = lambda path, **named: die() if path.name.endswith(order["removing"]) else unlink(path, **named)
    shops.build_shop(folder, progress=progress, into=Path(order["into"]) if "into" in order else None)

def build_slowly(log):
    def tell(line):
        with open(log, "a") as written:
            written.write(line + chr(10))
    built = shops.build
    def slow(*arguments, **named):
        tell("build")
        until = time.monotonic() + 60
        while "waiting" not in Path(log).read_text() and time.monotonic() < until:
            time.sleep(0.01)
        built(*arguments, **{**named, "progress": lambda step: None})
    shops.build = slow
    shops.build_shop(folder, progress=tell)

def forked(work, argument):
    child = os.fork()
    if child == 0:
        try:
            work(argument)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return child

for line in sys.stdin:
    order = json.loads(line)
    if "log" in order:
        children = [forked(build_slowly, order["log"]) for _ in range(2)]
    else:
        children = [forked(build, order)]
    started = time.monotonic()
    if "after" in order:
        time.sleep(order["after"])
        os.kill(children[0], signal.SIGKILL)
    statuses = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    print(json.dumps([statuses, time.monotonic() - started]), flush=True)
"""
KILLED = -9


@pytest.fixture
def folder(make_shop):
    return make_shop(page(), server("Order Completed", user="u", **order(revenue=10)))


@pytest.fixture
def kitchen(folder, own_store):
    """Return a function that has a shop built in another process, and tells its exit status and seconds."""
    process = subprocess.Popen(
        [sys.executable, "-c", KITCHEN, str(own_store), str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=os.environ | {"ECOMKIT_SALT": "test"},
    )  # fmt: skip

    def build(**order):
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    yield build
    process.stdin.close()
    process.wait(timeout=60)
    process.stdout.close()


def content(path: Path) -> dict[str, list]:
    """All rows of every canonical table but the log, which holds times."""
    with duckdb.connect(str(path), read_only=True) as con:
        return {
            name: con.execute(f"SELECT COLUMNS(*)::VARCHAR FROM {name} ORDER BY ALL").fetchall()
            for name in CANONICAL
            if name != "build_log"
        }


def change(folder: Path) -> None:
    with (folder / "calls.ndjson").open("a") as calls:
        calls.write("\n" + json.dumps(page(device="another")))


def names(shelf: Path) -> list[str]:
    return sorted(path.name for path in shelf.iterdir() if path.suffix != ".lock")


class Scene:
    """A shelf with an old shop, and an input that has changed since."""

    def __init__(self, folder: Path, backup: Path):
        self.steps: list[str] = []
        self.folder, self.backup = folder, backup
        self.old = build_shop(folder, progress=self.steps.append)
        self.shelf, self.before = self.old.parent, content(self.old)
        shutil.copy(self.old, backup)
        change(folder)

    def check(self) -> None:
        """Assert that no half shop is visible and the old one, or the whole new one, is."""
        visible = sorted(self.shelf.glob("*.duckdb"))
        assert visible
        for path in visible:
            events = len(self.before["events"]) + (path != self.old)
            found = content(path)
            assert len(found["events"]) == events
            assert found["orders"] == self.before["orders"]
            if path == self.old:
                assert found == self.before

    def restore(self) -> None:
        """Bring the old shop back where a build came as far as replacing it."""
        for path in self.shelf.glob("*.duckdb"):
            if path != self.old:
                path.unlink()
        if not self.old.exists():
            shutil.copy(self.backup, self.old)


@pytest.fixture
def scene(folder, tmp_path):
    return Scene(folder, tmp_path / "backup.duckdb")


def finish(scene: Scene, kitchen) -> None:
    """Assert that the next build succeeds, and that nothing else is left."""
    [status], _ = kitchen()
    assert status == 0
    scene.check()
    [left] = names(scene.shelf)
    assert left.endswith(".duckdb")
    assert left != scene.old.name


@pytest.mark.slow
def test_killed_at_every_step_and_around_the_rename_there_is_a_whole_shop(scene, kitchen):
    assert len(scene.steps) >= 4
    before = [{"step": number} for number in range(1, len(scene.steps) + 1)]
    before += [{"call": "fsync", "when": "before"}, {"call": "replace", "when": "before"}]
    for moment in before:
        assert kitchen(**moment)[0] == [KILLED]
        scene.check()
        assert scene.old.exists()
        # The next build removes what the last one left: one unfinished at a time.
        assert [name.endswith(".unfinished") for name in names(scene.shelf)].count(True) == 1
    for moment in ({"call": "replace", "when": "after"}, {"removing": ".duckdb"}):
        assert kitchen(**moment)[0] == [KILLED]
        scene.check()
        assert len(list(scene.shelf.glob("*.duckdb"))) == 2
        scene.restore()
    finish(scene, kitchen)


@pytest.mark.slow
def test_what_a_build_left_after_the_rename_goes_without_another_build(scene, kitchen):
    assert kitchen(call="replace", when="after")[0] == [KILLED]
    assert [name for name in names(scene.shelf) if name.endswith(".unfinished")]
    # Its shop is whole, so nothing is built.
    build_shop(scene.folder, progress=pytest.fail)
    assert not [name for name in names(scene.shelf) if name.endswith(".unfinished")]


def killed_at(scene, kitchen, moments):
    """Kill a build at moments spread over the time that it needs; return how many were killed."""
    _, seconds = kitchen()
    scene.restore()
    killed = 0
    for number in range(moments):
        [status], _ = kitchen(after=seconds * 1.1 * number / moments)
        assert status in (0, KILLED)
        killed += status == KILLED
        scene.check()
        scene.restore()
    return killed


@pytest.mark.slow
def test_killed_at_forty_moments(scene, kitchen):
    assert killed_at(scene, kitchen, 40) >= 20
    finish(scene, kitchen)


@pytest.mark.slow
def test_a_killed_build_into_a_file_keeps_the_older_file_and_the_next_cleans_up(folder, kitchen, tmp_path):
    place = tmp_path / "out"
    place.mkdir()
    target = place / "[mine].duckdb"
    assert kitchen(into=str(target))[0] == [0]
    before = content(target)
    change(folder)
    for moment in ({"step": 1}, {"step": 3}, {"call": "replace", "when": "before"}):
        assert kitchen(into=str(target), **moment)[0] == [KILLED]
        assert content(target) == before
        assert len(names(place)) == 2
    assert kitchen(into=str(target))[0] == [0]
    assert names(place) == [target.name]
    assert len(content(target)["events"]) == len(before["events"]) + 1


@pytest.mark.slow
def test_a_reader_keeps_the_old_shop_while_a_new_one_takes_its_place(folder, kitchen):
    old = open_shop(folder)
    path = build_shop(folder)
    events = old.events.count().to_pyarrow().as_py()
    change(folder)
    assert kitchen()[0] == [0]
    assert not path.exists()
    assert old.events.count().to_pyarrow().as_py() == events
    assert len(old.events.to_pyarrow()) == events
    assert open_shop(folder).events.count().to_pyarrow().as_py() == events + 1


@pytest.mark.slow
def test_of_two_builds_at_once_one_builds_and_the_other_says_that_it_waits(kitchen, own_store, tmp_path):
    log = tmp_path / "log"
    assert kitchen(log=str(log))[0] == [0, 0]
    assert sorted(log.read_text().splitlines()) == ["build", "waiting for another build"]
    assert len(names(own_store / "shops")) == 1


def test_a_living_process_keeps_its_unfinished_file(tmp_path):
    target = tmp_path / "shop.duckdb"
    with appearing_whole(target) as unfinished:
        unfinished.write_text("mine")
        remove_leftovers(tmp_path, target.name)
        with appearing_whole(target) as other:
            other.write_text("theirs")
        assert target.read_text() == "theirs"
        assert unfinished.read_text() == "mine"
    assert target.read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


def test_a_block_that_raises_leaves_the_old_file_alone(tmp_path):
    target = tmp_path / "shop.duckdb"
    target.write_text("old")

    def write():
        with appearing_whole(target) as unfinished:
            unfinished.write_text("half")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        write()
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


def test_two_first_builds_at_once_agree_on_the_salt(tmp_path, monkeypatch):
    from ecomkit import fingerprint

    monkeypatch.delenv("ECOMKIT_SALT", raising=False)
    first = fingerprint.salt_of(tmp_path)
    # The second process had seen no file when the first one wrote it.
    fingerprint._write_once(tmp_path / "salt", "second")
    assert fingerprint.salt_of(tmp_path) == first
    assert (tmp_path / "salt").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["salt"]
