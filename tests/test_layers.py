"""Arrows point one way: each room may import only the rooms named for it here."""

import ast
from pathlib import Path

from ecomkit.shop import ROOT

PACKAGE = ROOT / "ecomkit"
GROUND = {"errors", "column_types", "row_accounts", "schemas", "periods"}

# Room -> the rooms, or single modules of rooms, that it may import. Rooms of the same package may import each other.
ALLOWED = {
    "errors": set(),
    "column_types": set(),
    "row_accounts": {"column_types"},
    "schemas": {"errors", "column_types", "row_accounts"},
    "periods": {"errors"},
    "source_settings": {"errors"},
    "alert_settings": {"errors"},
    "settings": {"alert_settings", "errors", "source_settings", "words"},
    "engines": {"errors", "column_types"},
    "segment_names": set(),
    "sources": {"errors", "settings", "segment_names"},
    "pipeline": GROUND | {"engines", "settings", "segment_names", "sources"},
    "whole_files": set(),
    "filters": {"errors", "settings", "words"},
    "narrowing": {"filters", "metrics.acquisition", "periods", "settings"},
    "fingerprint": {"settings", "sources.warehouse"},
    "shop": GROUND | {"filters", "fingerprint", "narrowing", "settings", "pipeline", "whole_files", "words"},
    "check": {"errors", "settings", "shop", "pipeline.build", "words"},
    "check_table": {"check", "shop", "words"},
    "init": {
        "errors",
        "column_types",
        "settings",
        "source_settings",
        "segment_names",
        "sources",
        "pipeline.order_money",
        "pipeline.senders",
        "pipeline.tracking_plan",
    },
    "metrics": GROUND | {"engines", "settings", "pipeline.money_rules", "pipeline.tracking_plan"},
    "frames": {"errors", "periods"},
    "words": {"errors"},
    "models": {
        "errors",
        "metrics.bridge_of_lines",
        "metrics.comparisons",
        "metrics.intervals",
        "metrics.limits",
        "metrics.standouts",
        "words.numbers",
    },
    "csv_text": {"words"},
    "tables": {"csv_text", "metrics", "words"},
    "plots": {"errors", "words", "tables"},
    "headlines": {"errors", "words", "metrics"},
    "tracking_breaks": {"frames", "metrics", "models.breaks", "periods", "shop", "words"},
    "trust": {"frames", "metrics", "periods", "shop", "tracking_breaks", "words"},
    "revenue_moves": {"frames", "metrics", "models.bridge_parts", "models.revenue_bridge", "periods", "shop"},
    "scoreboard": {"frames", "metrics", "periods", "shop", "tables", "words"},
    "alerts": {"headlines", "models.own_band", "words"},
    "headline_queries": {"engines", "errors", "frames", "metrics", "models.clv", "periods", "shop"},
    "headline_values": {
        "errors",
        "frames",
        "headline_queries",
        "headlines",
        "metrics",
        "models.clv",
        "periods",
        "shop",
    },
    "identity_table": {"frames", "metrics", "pipeline.identifiers", "shop", "words"},
    "query_steps": set(),
    "example_rows": {"engines", "periods", "query_steps", "words"},
    "explain": GROUND | {"engines", "example_rows", "metrics", "query_steps", "settings", "shop", "words"},
    "report": GROUND
    | {
        "alert_settings",
        "alerts",
        "check",
        "csv_text",
        "filters",
        "fingerprint",
        "headline_values",
        "headlines",
        "metrics",
        "models.revenue_bridge",
        "pipeline.build",
        "pipeline.known",
        "settings",
        "shop",
        "trust",
        "whole_files",
        "words",
    },
    "simulate": {"errors", "periods", "segment_names"},
    "cli": GROUND
    | {
        "settings",
        "shop",
        "init",
        "check",
        "check_table",
        "identity_table",
        "report",
        "simulate",
        "explain",
        "engines",
    },
    "__main__": {"cli"},
    "__init__": set(),
}

# Third-party packages that only one room may import.
KEPT_TO = {
    "babel": {"words"},
    "lifetimes": {"models"},
    "papermill": {"report"},
    "nbconvert": {"report"},
    "typer": {"cli"},
    "matplotlib": {"plots"},
    "seaborn": {"plots"},
    "duckdb": {"sources", "pipeline", "shop"},
}
NO_PANDAS = {"metrics", "pipeline", "sources", "engines", "schemas"}


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        yield path, parts[0]


def imports(path: Path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, node.module
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def breaches():
    for path, room in modules():
        for line, name in imports(path):
            parts = name.split(".")
            place = f"{path.relative_to(ROOT)}:{line}"
            if parts[0] == "ecomkit" and len(parts) > 1:
                target = parts[1]
                known = (PACKAGE / target).is_dir() or (PACKAGE / f"{target}.py").is_file()
                wanted = {target, ".".join(parts[1:3])}
                if known and target != room and not wanted & ALLOWED[room]:
                    yield f"{place} '{room}' may not import '{target}'"
            elif parts[0] in KEPT_TO and room not in KEPT_TO[parts[0]]:
                yield f"{place} only {sorted(KEPT_TO[parts[0]])} may import '{parts[0]}'"
            elif parts[0] == "pandas" and room in NO_PANDAS:
                yield f"{place} '{room}' stays on the engine and may not import pandas"


def test_every_room_is_named():
    assert {room for _path, room in modules()} <= set(ALLOWED)


def test_arrows_point_one_way():
    assert sorted(set(breaches())) == []


def test_no_module_is_named_for_nothing():
    bad = {"utils", "util", "helpers", "common", "base", "core", "misc"}
    assert [str(path) for path, _room in modules() if path.stem in bad] == []
