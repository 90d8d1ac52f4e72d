"""A restated headline's difference, taken apart by what was changed on the way from one report to the other."""

import math
from collections.abc import Sequence
from decimal import Decimal

from ecomkit.report.walk import Step

# Two reports print ten digits of a number; one of the last digit may be rounding. A fit ends where its steps grow
# small, and the history of a headline begins it elsewhere than the week's own report: six digits of it are the data's.
_ROUNDING = 1e-9
_ENDS_OF_FITS = {"clv_per_customer": 1e-6}


def is_restated(name: str, published: float | None, now: float | None) -> bool:
    """Say whether two printed values of a headline differ by more than rounding, or for a fit by more than its end."""
    if published is None or now is None:
        return published is not now
    return not math.isclose(published, now, rel_tol=_ENDS_OF_FITS.get(name, _ROUNDING))


def causes_of(name: str, published: float, now: float, steps: Sequence[Step]) -> list[tuple[str, Decimal]]:
    """Return what each cause added to a headline: the amounts add up to `now - published` exactly.

    What a step changed is its value less the one before. The first step stands for what is left: from the
    published value to its own, and from the last step's to the value published now. Causes between which no value
    is known are told as one, `settings or rates`. A cause that added nothing is left out.

    Parameters
    ----------
    name
        The headline's.
    published, now
        What the older and the newer report say.
    steps
        The walk between them.
    """
    groups: list[list[str]] = [[]]
    values: list[Decimal] = []
    for step in steps:
        groups[-1].append(step.cause)
        value = step.values.get(name) if step.values is not None else None
        if value is not None:
            values.append(_exact(value))
            groups.append([])
    names = [" or ".join(group) for group in groups if group]
    start, end = _exact(published), _exact(now)
    if not values:
        return [(names[0], end - start)]
    amounts = [after - before for before, after in zip([start, *values], values, strict=False)]
    # Without a value at the last step, the causes behind the last known one stand for the rest; else what is left.
    if groups[-1]:
        amounts.append(end - values[-1])
    else:
        amounts[0] += end - values[-1]
    return [(cause, amount) for cause, amount in zip(names, amounts, strict=True) if amount]


def _exact(value: float) -> Decimal:
    """Return the decimal that a report prints."""
    return Decimal(repr(value))
