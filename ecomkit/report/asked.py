"""What is asked of a shop, checked before anything runs."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from ecomkit import shop as shops
from ecomkit.errors import UsageError, did_you_mean, quoted
from ecomkit.periods import Period
from ecomkit.report import parameters as notebook_parameters


@dataclass(frozen=True)
class Asked:
    """What is asked of a shop, whatever the week: the opened shop, the notebooks and what each is given.

    `seconds` is how long the shop took to build and open.
    """

    shop: shops.Shop
    shop_name: str
    notebooks: tuple[Path, ...]
    given: Mapping[str, Mapping[str, Any]]
    suffix: str
    console: Console
    seconds: float

    def folder(self, period: Period) -> Path:
        """Where the report of a week goes: a part, or one notebook, never takes the place of the whole report."""
        return shops.ROOT / "reports" / self.shop.name / f"{period.label}{self.suffix}"

    @property
    def told(self) -> dict[str, Any]:
        """Every parameter of the notebooks, given or by default."""
        every = {}
        for path in self.notebooks:
            every |= notebook_parameters.defaults(path) | self.given[path.stem]
        return every


def ask(shop_name: str, only: str | None, parameters: Mapping[str, Any], console: Console, notebooks: Path) -> Asked:
    """Check what is asked of a shop before anything is built, then open the shop.

    Parameters
    ----------
    shop_name
        A folder with a shop.toml, or the name of a fixture or example.
    only
        The one notebook to run, None for all.
    parameters
        Values for the parameters that notebooks declare.
    console
        Where progress is shown.
    notebooks
        The folder of the notebooks.

    Raises
    ------
    UsageError
        If there is no such shop, notebook or parameter.
    """
    shops.find_shop(shop_name)
    paths = sorted(notebooks.glob("*.ipynb"))
    if not paths:
        raise UsageError(f"'{notebooks}' holds no notebook. A report runs every '*.ipynb' there.")
    if only is not None:
        names = [path.stem for path in paths]
        if only not in names:
            near = did_you_mean(only, names)
            raise UsageError(f"There is no notebook '{only}' in '{notebooks.name}'.{near} It has {quoted(names)}.")
        paths = [path for path in paths if path.stem == only]
        parameters = notebook_parameters.of_one_notebook(parameters, paths[0])
    given = notebook_parameters.check(parameters, paths)
    part = next((chosen["filters"] for chosen in given.values() if chosen.get("filters")), None)
    suffix = (f"-{only}" if only else "") + ("-part" if part else "")
    started = time.perf_counter()
    with console.status("Building the shop"):
        shop = shops.open_shop(shop_name, filters=part)
    return Asked(shop, shop_name, tuple(paths), given, suffix, console, time.perf_counter() - started)
