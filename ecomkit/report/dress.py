"""What readers of a page need beside its text: anchors, tables in boxes of their own, numbers in line."""

import re
from collections.abc import Sequence

from bs4 import BeautifulSoup, Tag

from ecomkit.words import is_number

PICTURE = re.compile(r"data:image/(png|jpeg);base64,[A-Za-z0-9+/=]+")

_SHORT = 24
# What the template's own places are called.
_TAKEN = ("main", "definitions", "show-code")


def slug(text: str) -> str:
    """Return what a heading is found by in an address: `why-did-it-move`."""
    return "-".join(re.findall(r"[a-z0-9]+", text.lower())) or "section"


def anchor(soup: BeautifulSoup) -> dict[str, str]:
    """Give every question a name of its own and a link to itself; return the headings by these names."""
    questions: dict[str, str] = {}
    for heading in soup.find_all("h2"):
        text = heading.get_text().strip()
        name = slug(text)
        while name in questions or name in _TAKEN:
            name += "-again"
        questions[name] = text
        link = soup.new_tag("a", attrs={"class": "anchor", "href": f"#{name}", "aria-label": f"Link to: {text}"})
        link.string = "#"
        heading["id"] = name
        heading.append(link)
    return questions


def dress(soup: BeautifulSoup, csv_files: Sequence[str]) -> None:
    """Let tables scroll in a box of their own, align numbers, mark caveats, drop pictures from elsewhere."""
    for style in soup.find_all(["style", "script"]):
        style.decompose()
    for image in soup.find_all("img"):
        if not PICTURE.fullmatch(image.get("src", "")):
            image.decompose()
    files = iter(csv_files)
    for number, table in enumerate(soup.find_all("table"), start=1):
        _drop_row_numbers(table)
        _align_numbers(table)
        box = table.find_parent("div", class_="table")
        is_output = box is not None
        box = box or table.wrap(soup.new_tag("div", attrs={"class": "table"}))
        heading = box.find_previous("h2")
        told = f": {heading.get_text().removesuffix('#')}" if heading else ""
        box.attrs |= {"tabindex": "0", "role": "region", "aria-label": f"Table {number}{told}"}
        # A table that an author typed into the text has no file.
        if is_output and (file := next(files, None)):
            box.insert_after(_csv_link(soup, file, number))
    # What scrolls must be reached by the keyboard.
    for box in [
        *soup.find_all("figure"),
        *(text for text in soup.find_all("pre") if not text.find_parent(class_="code")),
    ]:
        box["tabindex"] = "0"
    for strong in soup.select("section > p > strong:first-child"):
        if strong.get_text().startswith("Caveat"):
            strong.find_parent("section")["class"] = "caveat"


def _csv_link(soup: BeautifulSoup, file: str, number: int) -> Tag:
    line = soup.new_tag("p", attrs={"class": "csv"})
    link = soup.new_tag("a", attrs={"href": file})
    link.string = f"Table {number} as CSV"
    line.append(link)
    return line


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
        are_numbers = all(is_number(text) for text in texts)
        if are_numbers or max(map(len, texts)) <= _SHORT:
            for row in [*(_cells(head) for head in table.select("thead > tr")), *rows]:
                if column < len(row):
                    row[column]["class"] = "number" if are_numbers else "short"
