"""What a heat map shows, in words."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.patches import Rectangle

from ecomkit.plots.telling import Detail, explained, lowered, namer_of, some_of, writer_of
from ecomkit.words import count, counted


def heat_map(ax: Axes, mesh: QuadMesh, detail: Detail) -> list[str]:
    """Return sentences of a heat map's rows, columns, lowest and highest cells, and of what is framed.

    Values are told where a bar of colours gives them a unit, else only where
    the extremes lie.
    """
    row, column = namer_of(ax.yaxis, detail.letters), namer_of(ax.xaxis, detail.letters)
    cells = np.ma.masked_invalid(mesh.get_array())
    corners = mesh.get_coordinates()
    lefts, tops = corners[0, :-1, 0], corners[:-1, 0, 1]
    # Names stand in the middle of their cells, days at the left edge.
    middle = 0 if ax.fmt_xdata else 0.5
    rows = [row(top + 0.5) for top in tops]
    columns = [column(left + middle) for left in lefts]
    scale, meanings = mesh.colorbar.ax.yaxis if mesh.colorbar else None, explained(ax)
    of = f" of {lowered(scale.get_label_text())}" if scale else ""
    sentences = [
        f"Heat map{of} by {lowered(ax.get_ylabel())} and {lowered(ax.get_xlabel())}.",
        f"{counted(len(rows), 'row')}, {rows[0]} to {rows[-1]}, {counted(len(columns), 'column')}, "
        f"{columns[0]} to {columns[-1]}.{_known(cells, meanings)}",
    ]
    for role, value in (("Lowest", cells.min()), ("highest", cells.max())) if cells.count() else ():
        places = np.argwhere((cells == value).filled(False))
        told = f" {writer_of(scale)(value)}" if scale else ""
        first = f"{rows[places[0][0]]}, {columns[places[0][1]]}"
        more = f" and {count(len(places) - 1)} more" if len(places) > 1 else ""
        sentences[-1] += f" {role}{told} at {first}{more}" + (";" if role == "Lowest" else ".")
    frames = [_framed(box, rows, columns, lefts) for box in ax.patches if isinstance(box, Rectangle)]
    if scale is None and "red" in meanings:
        sentences.append(f"Red: {meanings['red']}.")
    if frames:
        meaning = f" ({meanings['framed']})" if "framed" in meanings else ""
        sentences.append(f"Framed{meaning}: {some_of(frames, detail.marks)}.")
    return sentences


def _known(cells: np.ma.MaskedArray, meanings: Mapping[str, str]) -> str:
    """Return how many cells have a value, where not all do."""
    if cells.count() == cells.size:
        return ""
    meaning = f" ({meanings['empty']})" if "empty" in meanings else ""
    return f" {counted(cells.count(), 'cell')} with a value, the others empty{meaning}."


def _framed(box: Rectangle, rows: list[str], columns: list[str], lefts: np.ndarray) -> str:
    """Return the rows and columns that a frame is around."""
    first, last = round(box.get_y()), round(box.get_y() + box.get_height()) - 1
    inside = np.flatnonzero((lefts >= box.get_x() - 0.5) & (lefts < box.get_x() + box.get_width() - 0.5))
    whose = "all rows" if last - first + 1 == len(rows) > 1 else " to ".join(dict.fromkeys((rows[first], rows[last])))
    when = " to ".join(dict.fromkeys((columns[inside[0]], columns[inside[-1]])))
    return f"{whose}, {when}"
