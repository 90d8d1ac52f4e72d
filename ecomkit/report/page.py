"""Executed notebooks to HTML that needs no network and runs no script.

Two guards stand between event text and the browser: the body passes through a
list of allowed tags, and a Content-Security-Policy forbids scripts and requests.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import bleach
import jinja2
import nbformat
from bs4 import BeautifulSoup
from markupsafe import Markup
from nbconvert import HTMLExporter

from ecomkit.headlines import MIME
from ecomkit.report.dress import PICTURE, anchor, dress

TEMPLATES = Path(__file__).parent / "template"

_LINK = re.compile(r"https?://.*|#.*|[\w-]+\.(html|json|csv)", re.S)
_TAGS = {
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "div", "section", "blockquote", "hr", "br", "pre", "code"),
    *("span", "a", "strong", "em", "b", "i", "sub", "sup", "ul", "ol", "li", "figure", "img"),
    *("table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"),
}
_ATTRIBUTES = {
    "*": ["class", "id"],
    "a": lambda tag, name, value: name in ("aria-label", "class") or (name == "href" and bool(_LINK.fullmatch(value))),
    "div": ["class", "tabindex", "role", "aria-label"],
    "pre": ["class", "tabindex"],
    "figure": ["class", "tabindex"],
    "img": lambda tag, name, value: name == "alt" or (name == "src" and bool(PICTURE.fullmatch(value))),
    "th": ["class", "colspan", "rowspan", "scope"],
    "td": ["class", "colspan", "rowspan"],
}


class Body(NamedTuple):
    """The text, code and outputs of an executed notebook as safe HTML, and its questions by their anchors."""

    html: Markup
    questions: dict[str, str]


def notebook_body(path: Path, csv_files: Sequence[str] = ()) -> Body:
    """Return an executed notebook as safe HTML: code folded, an anchor on every question.

    Parameters
    ----------
    path
        The executed notebook.
    csv_files
        The file beside the page that each of its tables is in, in the page's order.
    """
    notebook = nbformat.read(path, as_version=4)
    _keep_what_is_shown(notebook)
    exporter = HTMLExporter(
        template_name="notebook", extra_template_basedirs=[str(TEMPLATES)], exclude_anchor_links=True
    )
    body, _ = exporter.from_notebook_node(notebook)
    soup = BeautifulSoup(body, "html.parser")
    questions = anchor(soup)
    dress(soup, csv_files)
    return Body(sanitise(str(soup)), questions)


def sanitise(body: str) -> Markup:
    """Return HTML with nothing but the allowed tags and attributes; pictures only as data."""
    return Markup(bleach.clean(body, _TAGS, _ATTRIBUTES, protocols=["http", "https", "data"], strip=True))


def heading(path: Path) -> tuple[str, str]:
    """Return the question in a notebook's title, and the first sentence below it."""
    first = nbformat.read(path, as_version=4).cells[0]
    title, _, text = first.source.partition("\n")
    words = re.sub(r"[*`]", "", " ".join(text.split()))
    sentence = re.match(r".*?[.?!](?=\s|$)", words)
    return title.lstrip("# ").strip(), sentence[0] if sentence else words


def handed_over(path: Path) -> list[dict[str, Any]]:
    """Return the headlines that an executed notebook displayed, in order."""
    cells = nbformat.read(path, as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", []) if MIME in output.get("data", {})]
    return [dict(entry) for output in outputs for entry in output.data[MIME]]


def render(template: str, **values: Any) -> str:
    """Return a whole page; every value is escaped unless it is `Markup`."""
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return _templates().get_template(template).render(style=Markup(style), style_hash=f"sha256-{digest}", **values)


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
    )


def _keep_what_is_shown(notebook: nbformat.NotebookNode) -> None:
    """Drop what is not for readers, and tell each picture's question to those who cannot see it."""
    question = ""
    # What papermill puts in names folders of this machine.
    notebook.cells = [cell for cell in notebook.cells if "injected-parameters" not in cell.metadata.get("tags", [])]
    for cell in notebook.cells:
        found = re.findall(r"^#+ (.+)$", cell.source, re.M) if cell.cell_type == "markdown" else []
        question = found[-1].strip() if found else question
        cell.outputs = [
            output
            for output in cell.get("outputs", [])
            if output.get("name") != "stderr" and MIME not in output.get("data", {})
        ]
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                told = output.get("metadata", {}).get("image/png", {}).get("alt")
                output.metadata = {"image/png": {"alt": told or f"Picture for the question: {question}"}}
