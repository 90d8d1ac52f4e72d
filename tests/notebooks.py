"""Small notebooks, written by tests that run or read them."""

from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

PARAMETERS = 'shop_name: str = "shop"  # SHOP\nweek: str = "last"  # ISO week'
_METADATA = {
    "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
    "language_info": {"name": "python"},
}


def text(source: str):
    """A text cell."""
    return new_markdown_cell(source)


def code(source: str, *outputs):
    """A code cell, with the outputs of a run that it never had."""
    return new_code_cell(source, outputs=list(outputs), execution_count=1 if outputs else None)


def write_notebook(folder: Path, name: str, *cells, title: str | None = None, parameters: str = PARAMETERS) -> Path:
    """Write a notebook with a title, a parameters cell and `cells`; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    head = [
        text(title or f"# What does {name} say?\n\nThe owner asks it. It decides little."),
        new_code_cell(parameters, metadata={"tags": ["parameters"]}),
    ]
    path = folder / f"{name}.ipynb"
    nbformat.write(new_notebook(cells=[*head, *cells], metadata=_METADATA), path)
    return path
