"""Executed notebooks to HTML that needs no network and runs no script.

Two guards stand between event text and the browser: the body passes through a
list of allowed tags, and a Content-Security-Policy forbids scripts and requests.
"""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any

import bleach
import jinja2
import nbformat
from bs4 import BeautifulSoup, Tag
from markupsafe import Markup
from nbconvert import HTMLExporter

from ecomkit.headlines import MIME

TEMPLATES = Path(__file__).parent / "template"

_PICTURE = re.compile(r"data:image/(png|jpeg);base64,[A-Za-z0-9+/=]+")
_LINK = re.compile(r"https?://.*|#.*|[\w-]+\.(html|json)", re.S)
_TAGS = {
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "div", "section", "blockquote", "hr", "br", "pre", "code"),
    *("span", "a", "strong", "em", "b", "i", "sub", "sup", "ul", "ol", "li", "figure", "img"),
    *("table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"),
}
_ATTRIBUTES = {
    "*": ["class", "id"],
    "a": lambda tag, name, value: name == "href" and bool(_LINK.fullmatch(value)),
    "div": ["class", "tabindex", "role", "aria-label"],
    "img": lambda tag, name, value: name == "alt" or (name == "src" and bool(_PICTURE.fullmatch(value))),
    "th": ["class", "colspan", "rowspan", "scope"],
    "td": ["class", "colspan", "rowspan"],
}
_ONE_NUMBER = r"([A-Z]{3} )?[-+]?[\d,]*\.?\d+(e[-+]?\d+)?( ?[%x]| days)?"
_NUMBER = re.compile(rf"{_ONE_NUMBER}( to {_ONE_NUMBER})?|NaN|nan|None|NaT|unknown|<NA>|–")
_SHORT = 24


def notebook_body(path: Path) -> Markup:
    """Return the text and outputs of an executed notebook as safe HTML."""
    notebook = nbformat.read(path, as_version=4)
    _keep_what_is_shown(notebook)
    exporter = HTMLExporter(
        template_name="notebook",
        extra_template_basedirs=[str(TEMPLATES)],
        exclude_input=True,
        exclude_anchor_links=True,
    )
    body, _ = exporter.from_notebook_node(notebook)
    return sanitise(_dress(body))


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
                output.metadata = {"image/png": {"alt": f"Picture for the question: {question}"}}


def _dress(body: str) -> str:
    """Let tables scroll in a box of their own, align numbers, mark caveats, drop pictures from elsewhere."""
    soup = BeautifulSoup(body, "html.parser")
    for style in soup.find_all(["style", "script"]):
        style.decompose()
    for image in soup.find_all("img"):
        if not _PICTURE.fullmatch(image.get("src", "")):
            image.decompose()
    for table in soup.find_all("table"):
        _drop_row_numbers(table)
        _align_numbers(table)
        box = table.find_parent("div", class_="table") or table.wrap(soup.new_tag("div", attrs={"class": "table"}))
        box.attrs |= {"tabindex": "0", "role": "region", "aria-label": "Table"}
    for strong in soup.select("section > p > strong:first-child"):
        if strong.get_text().startswith("Caveat"):
            strong.find_parent("section")["class"] = "caveat"
    return str(soup)


def _cells(row: Tag) -> list[Tag]:
    return row.find_all(["th", "td"], recursive=False)


def _drop_row_numbers(table: Tag) -> None:
    """Remove the row numbers that pandas writes before a frame without an index of its own."""
    head = [_cells(row) for row in table.select("thead > tr")]
    rows = [_cells(row) for row in table.select("tbody > tr")]
    unnamed = len(head) == 1 and head[0] and not head[0][0].get_text(strip=True)
    if unnamed and all(row[0].get_text(strip=True).isdecimal() for row in rows):
        for row in [head[0], *rows]:
            row[0].decompose()


def _align_numbers(table: Tag) -> None:
    """Mark columns of numbers, which stand to the right, and of short texts, which keep on one line."""
    rows = [_cells(row) for row in table.select("tbody > tr")]
    widths = {len(row) for row in rows}
    if len(widths) != 1:
        return  # cells that span rows or columns
    for column in range(widths.pop()):
        texts = [row[column].get_text(strip=True) for row in rows]
        is_number = all(_NUMBER.fullmatch(text) for text in texts)
        if is_number or max(map(len, texts)) <= _SHORT:
            for row in [*(_cells(head) for head in table.select("thead > tr")), *rows]:
                if column < len(row):
                    row[column]["class"] = "number" if is_number else "short"
