"""What docs/running_weekly.md tells people to copy runs as it stands."""

import os
import re
import shutil
import subprocess

import pytest
import yaml

from ecomkit.shop import ROOT
from tests.calls import order, page, track

EXAMPLES = ROOT / "examples" / "weekly"
WORKFLOW = yaml.safe_load((EXAMPLES / "weekly.yml").read_text(encoding="utf-8"))


def steps():
    return WORKFLOW["jobs"]["report"]["steps"]


def test_the_workflow_is_one_that_github_reads():
    # YAML reads a bare `on` as true.
    assert WORKFLOW[True]["schedule"] == [{"cron": "15 6 * * 1-3"}]
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert all(("uses" in step) != ("run" in step) for step in steps())
    used = [step["uses"] for step in steps() if "uses" in step]
    assert used
    assert [action for action in used if not re.fullmatch(r"actions/[a-z/-]+@v\d+", action)] == []


def test_the_document_shows_the_files_that_are_there():
    document = (ROOT / "docs" / "running_weekly.md").read_text(encoding="utf-8")
    for place in re.findall(r"\]\(\.\./([^)]+)\)", document):
        assert (ROOT / place).is_file()


@pytest.fixture
def shop(make_shop):
    """A function that makes a shop whose reports, among the kit's own, are removed after the test."""
    made = []

    def make(*calls, **more):
        made.append(make_shop(*calls, **more))
        return made[-1]

    yield make
    for folder in made:
        shutil.rmtree(ROOT / "reports" / folder.name, ignore_errors=True)
        (ROOT / ".ecomkit" / f"sent-{folder.name}.md").unlink(missing_ok=True)


@pytest.fixture
def sent(tmp_path, monkeypatch):
    """Two senders that write to files what they are given; return those files."""
    files = {}
    for who in ("readers", "maintainers"):
        files[who] = tmp_path / f"{who}.txt"
        sender = tmp_path / f"send_{who}"
        sender.write_text(f"#!/bin/sh\ncat > '{files[who]}'\n", encoding="utf-8")
        sender.chmod(0o755)
        monkeypatch.setenv(f"SEND_{who.upper()}", str(sender))
    return files


def weekly(shop):
    command = ["bash", str(EXAMPLES / "weekly.sh"), str(shop)]
    return subprocess.run(command, capture_output=True, text=True, cwd="/").returncode


@pytest.mark.slow
def test_readers_get_the_brief_once_and_nobody_hears_of_a_run_without_news(sent, shop):
    bought = track("Order Completed", at="2026-10-28T10:05:00Z", user="u1", **order("o1", revenue=10))
    folder = shop(page(at="2026-10-20T10:00:00Z"), bought, page("d2", at="2026-11-03T10:00:00Z"), name="weekly-test")
    assert weekly(folder) == 0
    assert sent["readers"].read_text(encoding="utf-8").startswith("# Test shop, week 2026-W44\n")
    sent["readers"].unlink()
    assert weekly(folder) == 0
    assert [path.name for path in sent.values() if path.exists()] == []


@pytest.mark.slow
def test_maintainers_get_the_failure_and_readers_do_not(sent, shop):
    folder = shop(page(), name="weekly-broken", toml="[shop]\nname = 'x'\n")
    assert weekly(folder) == 2
    assert "cannot be used" in sent["maintainers"].read_text(encoding="utf-8")
    assert not sent["readers"].exists()


@pytest.mark.slow
def test_a_brief_that_could_not_be_sent_is_told_to_maintainers_and_sent_the_next_time(sent, shop, monkeypatch):
    sends = os.environ["SEND_READERS"]
    folder = shop(page(at="2026-10-28T10:00:00Z"), page("d2", at="2026-11-03T10:00:00Z"), name="weekly-unsent")
    monkeypatch.setenv("SEND_READERS", "false")
    assert weekly(folder) == 1
    assert "could not be sent to readers" in sent["maintainers"].read_text(encoding="utf-8")
    monkeypatch.setenv("SEND_READERS", sends)
    assert weekly(folder) == 0
    assert sent["readers"].read_text(encoding="utf-8").startswith("# Test shop, week 2026-W44\n")


@pytest.mark.slow
def test_the_steps_of_the_workflow_run_as_they_stand(tmp_path):
    summary = tmp_path / "summary.md"
    given = os.environ | {"SHOP": "tiny", "GITHUB_STEP_SUMMARY": str(summary)}
    for step in steps():
        if "run" in step:
            # As GitHub runs them.
            command = ["bash", "-e", "-o", "pipefail", "-c", step["run"]]
            done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
    (ROOT / "report.log").unlink()
    assert re.match(r"# .+, week \d{4}-W\d{2}\n", summary.read_text(encoding="utf-8"))
