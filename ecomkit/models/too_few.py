"""What is too rare to be watched: a break that is imagined in it would not show."""

from collections.abc import Iterator

import numpy as np

from ecomkit.models import break_rules as rules
from ecomkit.models.break_rules import Rule
from ecomkit.models.weekday_norm import FEWEST_DAYS, WEEKS, WeekdayNorm, likelihood_ratio

# The days within which a break is to be found.
_WITHIN_DAYS = 2


def too_few(rule: Rule, norm: WeekdayNorm) -> Iterator[tuple[int, float]]:
    """Return each series in which two days of the rule's break would not stand out, and how many a usual day has.

    The imagined break takes all of a part, doubles an event, or brings as many
    bots as there are sessions.
    """
    days = norm.known_days()
    part, rest = norm.counts.sum(axis=(1, 2)) / np.maximum(days, 1)
    whole, none = part + rest, np.zeros_like(part)
    if rule is rules.OUTAGE:
        stands_out, of_interest = part >= rules.FEWEST_OF_ALL, part > 0
    else:
        broken = {
            rules.DOUBLED_EVENT.kind: (2 * part, rest),
            rules.BOT_WAVE.kind: (part, rest + whole),
        }.get(rule.kind, (none, whole))
        usual = np.stack([part, rest]) * _WITHIN_DAYS
        z = np.sqrt(likelihood_ratio(np.stack(broken) * _WITHIN_DAYS, usual * WEEKS) / norm.dispersion())
        stands_out = (z >= rules.LEAST_Z) & (usual[0] >= rules.FEWEST)
        of_interest = part >= rules.MOSTLY_FILLED * whole if rule is rules.EMPTIED_PROPERTY else whole > 0
        of_interest &= part > 0
    told = whole if rule is rules.BOT_WAVE else part
    for number in np.flatnonzero(of_interest & ~(stands_out & (days >= FEWEST_DAYS))):
        yield int(number), float(told[number])
