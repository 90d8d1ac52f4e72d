"""The tables of a page as CSV files beside it."""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pandas as pd
from bs4 import BeautifulSoup, Tag

from ecomkit.csv_text import to_csv

_LONGEST_SLUG = 60


def tables_of(path: Path) -> list[tuple[str, str]]:
    """Return a file name and the CSV for every table that an executed notebook shows, in the order of the page.

    Tables of `ecomkit.tables` bring their numbers along; of any other frame the
    CSV holds what is shown, without the row numbers. A table in a text cell has none.
    The name tells page, number and question: `02_funnel-03-where-do-people-stop.csv`.
    """
    found, question = [], ""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            headings = re.findall(r"^#+ (.+)$", cell.source, re.MULTILINE)
            question = headings[-1] if headings else question
        for text in (text for output in cell.get("outputs", []) for text in _tables_of_output(output)):
            found.append((_file_name(path.stem, len(found) + 1, question), text))
    return found


def _file_name(page: str, number: int, question: str) -> str:
    """Name a file with plain Latin letters, so that it is the same on every disk and in every link."""
    plain = unicodedata.normalize("NFKD", question).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain)[:_LONGEST_SLUG].strip("-")
    return f"{'-'.join(part for part in (page, f'{number:02d}', slug) if part)}.csv"


def _tables_of_output(output: nbformat.NotebookNode) -> Iterator[str]:
    html = output.get("data", {}).get("text/html")
    told = output.get("metadata", {}).get("text/html", {}).get("csv")
    if html is not None and told is not None:
        yield told
    elif html is not None:
        for table in BeautifulSoup("".join(html), "html.parser").find_all("table"):
            yield to_csv(_shown(table))


def _shown(table: Tag) -> pd.DataFrame:
    """Return the texts of an HTML table as a frame; heads of several lines become one."""
    heads, rows = _texts(table.select("thead > tr")), _texts(table.select("tbody > tr"))
    names = [" ".join(dict.fromkeys(filter(None, head))) for head in zip(*heads, strict=True)]
    if names and not names[0] and all(row[0].isdecimal() for row in rows):
        names, rows = names[1:], [row[1:] for row in rows]
    return pd.DataFrame(rows, columns=names or None, dtype="str")


def _texts(rows: list[Tag]) -> list[list[str]]:
    """Return the text of each place of a table, also where a cell spans several."""
    grid: list[dict[int, str]] = [{} for _ in rows]
    for number, row in enumerate(rows):
        place = 0
        for cell in row.find_all(["th", "td"], recursive=False):
            while place in grid[number]:
                place += 1
            wide, high = int(cell.get("colspan", 1)), int(cell.get("rowspan", 1))
            for line in grid[number : number + high]:
                line.update(dict.fromkeys(range(place, place + wide), cell.get_text(" ", strip=True)))
    return [[text for _place, text in sorted(line.items())] for line in grid]
