"""The code of a notebook, read and not run."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path


def cells_of(notebook: Path) -> Iterator[ast.Module]:
    """Yield a notebook's code, cell by cell, without cells that are no plain Python, as `%time`."""
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] != "code":
            continue
        try:
            yield ast.parse("".join(cell["source"]))
        except SyntaxError:
            continue


def nodes_of(notebook: Path) -> Iterator[ast.AST]:
    """Yield every part of a notebook's code."""
    for cell in cells_of(notebook):
        yield from ast.walk(cell)
