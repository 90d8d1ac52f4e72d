"""A metric of the catalogue: its function, the tables it reads, and how to ask it of a shop."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import ibis.expr.types as ir

from ecomkit.periods import Period
from ecomkit.settings import Settings

Tables = Mapping[str, ir.Table]


@dataclass(frozen=True)
class Metric:
    """A metric: its function, the canonical tables it reads, and how to ask it of a shop.

    `build(tables, period, as_of, settings)` returns the expression; `tables`
    maps names to tables, of a shop or without data. `asks(period)` is the
    span whose rows the report of `period` asks for, if that is another one.
    """

    function: Callable[..., ir.Table]
    tables: tuple[str, ...]
    build: Callable[[Tables, Period, datetime, Settings], ir.Table]
    asks: Callable[[Period], Period] = lambda period: period

    @property
    def definition(self) -> str:
        """What the number means and the rule at its edge: the docstring up to its first section."""
        text = inspect.getdoc(self.function) or ""
        return text.split("\n\nParameters\n", maxsplit=1)[0]

    @property
    def returns(self) -> str:
        """The row and the columns, as the docstring says them."""
        text = inspect.getdoc(self.function) or ""
        return inspect.cleandoc(text.split("\nReturns\n-------\nTable\n", maxsplit=1)[-1].split("\n\n", maxsplit=1)[0])
