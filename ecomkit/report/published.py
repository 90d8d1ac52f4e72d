"""What was published of a week before: whether it still holds, and what becomes of it."""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

EARLIER = "earlier"
_EVERY_REPORT_HAS = {"shop", "week", "time_zone", "currency", "trust", "headlines", "notebooks"}
_KIT = Path(__file__).parent.parent
_WRITTEN_BY = (".py", ".toml", ".j2", ".css", ".json")


def digest_of_kit(notebooks: Sequence[Path]) -> str:
    """Return what tells this kit and its notebooks from others: who changes a word of either wants the report anew."""
    files = sorted(path for path in _KIT.rglob("*") if path.suffix in _WRITTEN_BY)
    cells = [cell for path in notebooks for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]
    texts = [*(path.read_text(encoding="utf-8") for path in files), *("".join(cell["source"]) for cell in cells)]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def is_published(folder: Path, made_from: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
    """Say whether a folder holds the report of just these data, settings, notebooks and parameters, and all of it."""
    told = published_report(folder)
    if told is None or not told.get("has_history") or any(notebook["failure"] for notebook in told["notebooks"]):
        return False
    # As JSON tells them: a tuple is a list there.
    asked = json.loads(json.dumps({"made_from": made_from, "parameters": parameters}))
    return {name: told.get(name) for name in asked} == asked


def published_report(folder: Path) -> dict[str, Any] | None:
    """Return a published report.json, None where there is none that can be read."""
    try:
        told = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) and told.keys() >= _EVERY_REPORT_HAS else None


def keep_earlier(old: Path, new: Path) -> None:
    """Keep the report.json of a report that is replaced by other numbers, as `earlier/1.json` of the new one.

    The oldest has the lowest number. `ecomkit diff` compares them.
    """
    if (old / EARLIER).is_dir():
        shutil.copytree(old / EARLIER, new / EARLIER)
    told, tells = (published_report(folder) for folder in (old, new))
    # One of other parameters tells of something else.
    if told is None or told.get("parameters") != tells["parameters"] or _figures(told) == _figures(tells):
        return
    (new / EARLIER).mkdir(exist_ok=True)
    number = len(list((new / EARLIER).iterdir())) + 1
    shutil.copy(old / "report.json", new / EARLIER / f"{number}.json")


def _figures(report: Mapping[str, Any]) -> dict[str, float | None]:
    return {entry["name"]: entry["value"] for entry in report["headlines"]}
