"""The code of a notebook, read and not run."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path


def nodes_of(notebook: Path) -> Iterator[ast.AST]:
    """Yield every part of a notebook's code, cell by cell; a cell that is no plain Python, as `%time`, has none."""
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] != "code":
            continue
        try:
            tree = ast.parse("".join(cell["source"]))
        except SyntaxError:
            continue
        yield from ast.walk(tree)
