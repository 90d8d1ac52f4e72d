"""Single draws from a stream of uniform numbers, cheap enough for one per call."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


def uniforms(rng: np.random.Generator) -> Iterator[float]:
    """Yield numbers from 0 to below 1 for ever, drawn in blocks."""
    while True:
        yield from rng.random(8192).tolist()


def whole(uniform: Iterator[float], low: int, high: int) -> int:
    """Draw a whole number from `low` to below `high`."""
    return low + int((high - low) * next(uniform))


def chance(uniform: Iterator[float], probability: float) -> bool:
    """Say yes with `probability`."""
    return next(uniform) < probability


def pick(uniform: Iterator[float], options: Sequence[T]) -> T:
    """Draw one of `options`, each as likely as the others."""
    return options[int(len(options) * next(uniform))]


def letters(uniform: Iterator[float], length: int) -> str:
    """Draw a random text of letters and digits."""
    return "".join(pick(uniform, _LETTERS) for _ in range(length))
