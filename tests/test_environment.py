"""Three lists of packages, one truth: pyproject.toml, environment.yml, requirements.lock."""

import re
import subprocess
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from ecomkit.shop import ROOT

# The same package under conda-forge's name.
CONDA_NAMES = {
    "duckdb": "duckdb-python",
    "ibis-framework": "ibis-duckdb",
    "jupyter-core": "jupyter_core",
    "matplotlib": "matplotlib-base",
    "seaborn": "seaborn-base",
}


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def required():
    return {item.name: item.specifier for item in map(Requirement, project()["dependencies"])}


def environment():
    return yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


def locked():
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    return re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", text, flags=re.M)


def test_conda_and_pip_ask_for_the_same_packages():
    conda, pip = {}, []
    for item in environment()["dependencies"]:
        if isinstance(item, dict):
            pip = item["pip"]
        else:
            name, _, pins = item.partition(" ")
            conda[name] = SpecifierSet(re.sub(r"^(?=\d)", "==", pins))
    assert pip[-1] == "-e ."
    assert conda.pop("python") == SpecifierSet(project()["requires-python"])
    conda.pop("pip")
    asked = {Requirement(item).name: Requirement(item).specifier for item in pip[:-1]} | conda
    assert asked == {name if name in asked else CONDA_NAMES.get(name, name): pins for name, pins in required().items()}


def test_every_line_of_environment_yml_is_one_that_conda_reads():
    rattler = pytest.importorskip("rattler", reason="py-rattler reads conda's match specs; it is in the dev extra")
    for item in environment()["dependencies"]:
        if isinstance(item, str):
            assert rattler.MatchSpec(item, strict=True).name is not None


def test_the_lock_holds_every_package_at_an_allowed_version():
    versions = {}
    for name, version in locked():
        versions.setdefault(name.lower(), []).append(version)
    for name, pins in required().items():
        assert versions.get(name), f"requirements.lock lacks '{name}': run `make lock`"
        for version in versions[name]:
            assert version in pins, f"requirements.lock has {name} {version}, pyproject.toml asks {pins}"


def test_every_locked_package_has_hashes_and_no_committed_file_names_an_index():
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert text.count("==") <= text.count("--hash=sha256:")
    names = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=True).stdout.split()
    assert "uv.lock" not in names
    pattern = re.compile(r"--(extra-)?index-url|/simple/|pypi\.org|files\.pythonhosted|registry\.npmjs")
    found = [
        name
        for name in names
        if name.endswith((".toml", ".lock", ".yml", ".txt", ".cfg", "Makefile", "run", ".md", ".ipynb"))
        and pattern.search((ROOT / name).read_text(encoding="utf-8"))
    ]
    assert found == []


def test_ibis_duckdb_and_sqlglot_work_together():
    """The everyday calls that break when one of the three is newer than the others allow."""
    import ibis
    import pandas as pd

    con = ibis.duckdb.connect()
    frame = pd.DataFrame({"a": [1, 2]})
    con.create_table("t", frame)
    con.create_table("t", frame, overwrite=True)
    assert con.list_tables() == ["t"]
    assert con.sql("SELECT a FROM t WHERE a > 1").to_pyarrow().to_pylist() == [{"a": 2}]
    assert con.table("t").cache().count().execute() == 2
    con.drop_table("t")
    assert con.list_tables() == []
