"""Text for the cells of tables, which does not forget its numbers."""

from typing import Any

from ecomkit.words.numbers import UNKNOWN


class Cell(str):
    """A text for readers with the values that it was written from: one, or the two ends of an interval."""

    __slots__ = ("values",)

    def __new__(cls, text: str, *values: Any) -> "Cell":
        """Return `text`, a dash where it says that nothing is known."""
        cell = super().__new__(cls, "–" if text == UNKNOWN else text)
        cell.values = values
        return cell


def values_of(text: Any) -> tuple[Any, ...]:
    """Return what the text of a cell was written from: itself, where it knows no values, and null for `unknown`."""
    if isinstance(text, Cell):
        return text.values
    return (None,) if isinstance(text, str) and text == UNKNOWN else (text,)
