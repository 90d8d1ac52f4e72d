"""What a report finds out while its notebooks run: the light, and what the headlines were in earlier weeks."""

import ast
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ecomkit.alert_settings import HEADLINES
from ecomkit.headline_values import headline_history
from ecomkit.periods import Period
from ecomkit.report.asked import Asked
from ecomkit.report.execute import described
from ecomkit.report.notebook_code import nodes_of
from ecomkit.trust import Light, light_and_reasons

# Weeks behind the line of a tile, and behind the band of an alert.
SHOWN_WEEKS = 13


class Aside(NamedTuple):
    """The light, the weeks of each headline, why these are missing if they are, and the seconds that it took."""

    light: Light
    history: Mapping[str, Sequence[tuple[str, float | None]]]
    failure: str | None
    seconds: float


def found_aside(asked: Asked, period: Period) -> Aside:
    """Return the light over the week, and what each headline that the notebooks name was in its 13 weeks.

    A history that fails takes no report with it.
    """
    started = time.perf_counter()
    light = light_and_reasons(asked.shop, period)
    history, failure = {}, None
    try:
        names = headlines_named(asked.notebooks)
        if names:
            history = headline_history(asked.shop, period, asked.told, weeks=SHOWN_WEEKS, names=names)
    except Exception as error:
        failure = described(error)
    return Aside(light, history, failure, time.perf_counter() - started)


def headlines_named(notebooks: Sequence[Path]) -> set[str]:
    """Return the headlines of the kit whose names stand in the code of the notebooks."""
    nodes = (node for path in notebooks for node in nodes_of(path))
    return {node.value for node in nodes if isinstance(node, ast.Constant)} & set(HEADLINES)
