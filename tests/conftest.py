"""Fixtures for all tests: an engine, the fixture shops, and shops made of a few typed calls."""

import gc
import json
import os
from pathlib import Path

import pytest

os.environ.setdefault("MPLBACKEND", "Agg")

from ecomkit import shop as shops  # noqa: E402 - the backend of pictures is chosen first
from ecomkit.words import HOUSE, use_locale  # noqa: E402

# Building expressions makes many objects that live as long as a test: looking through all of them as often as
# Python does by default costs a sixth of the time of a build.
gc.set_threshold(50_000, 20, 50)

TOML = """
[shop]
name = "Test shop"
time_zone = "UTC"
currency = "EUR"
own_hosts = ["shop.example"]
[[source]]
kind = "segment_files"
path = "calls.ndjson"
"""


@pytest.fixture(scope="session")
def shop():
    """The generated fixture shop, built once for all tests."""
    return shops.open_shop("shop")


@pytest.fixture(scope="session")
def tiny():
    """The shop typed by hand."""
    return shops.open_shop("tiny")


@pytest.fixture
def own_store(tmp_path, monkeypatch):
    """Build shops of this test under its own folder."""
    monkeypatch.setattr(shops, "STORE", tmp_path / "store")
    monkeypatch.setenv("ECOMKIT_SALT", "test")
    return tmp_path / "store"


@pytest.fixture
def make_shop(tmp_path, own_store):
    """Return a function that writes a shop folder from calls (dicts, or lines of text) and a shop.toml."""

    def make(*calls: dict | str, toml: str = TOML, name: str = "made", files: dict[str, str] | None = None) -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        lines = [call if isinstance(call, str) else json.dumps(call) for call in calls]
        (folder / "calls.ndjson").write_text("\n".join(lines), encoding="utf-8")
        (folder / "shop.toml").write_text(toml, encoding="utf-8")
        for file, content in (files or {}).items():
            (folder / file).write_text(content, encoding="utf-8")
        return folder

    return make


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


@pytest.fixture(autouse=True)
def _house_locale():
    yield
    use_locale(HOUSE)
