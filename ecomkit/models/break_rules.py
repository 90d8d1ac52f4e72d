"""What counts as a break: one rule per kind, each a size that matters and a z that chance does not reach."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ecomkit.models.weekday_norm import NOTABLE_Z, Comparison, divided

# Chance alone goes beyond 5 standard errors in one of 1.7 million comparisons; a shop of 400 series makes 146,000 a
# year, with tails that are heavier than the bell's.
LEAST_Z = 5.0
# A tag that fires twice doubles an event; on the day on which it begins to, in the afternoon, it falls short of that.
DOUBLED = 1.6
# An event that rises with another one is in demand. Half of the effect, on the log scale, must be its own.
_ALONE = DOUBLED**0.5
# Half of what was there is gone, more than a campaign or one template of several explains.
HALVED = 0.5
# What leaves this much or less of an event, or of all calls, is an outage. A bank holiday leaves more.
LOST = 0.25
# Visits that bots add are not worth a word below half of what is usual.
FLOODED = 1.5
# A visitor who comes for a press mention or a sale looks around at least a quarter as often as others do.
_AS_ENGAGED = 0.25
# The engaged share among so many visits, as a part of what is usual.
_DILUTED = (1 + _AS_ENGAGED * (FLOODED - 1)) / FLOODED
# What fewer calls fill depends on what they are about, such as a coupon, and may fall by itself.
MOSTLY_FILLED = 0.8
# Of campaigns that end, the visits end too; of tags that are not read, half of them or more come without.
_COME_WITHOUT = 0.5
# Counts below which the z of a share is no z.
FEWEST = 20
# Calls come in visits of about five. A quarter of thirty visits is as unlikely as five standard errors.
FEWEST_OF_ALL = 150


class Rule(NamedTuple):
    """When a break of this `kind` begins, and how strong it is: 1 at the size that matters.

    It holds on as long as a day is nearer to the break than to what is usual,
    which is half of that strength. `measure` says what was expected and what came.
    """

    kind: str
    strength: Callable[[Comparison], np.ndarray]
    begins: Callable[[Comparison], np.ndarray]
    measure: Callable[[Comparison], tuple[np.ndarray, np.ndarray]]


def _in_logs(ratio: np.ndarray, threshold: float) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log(ratio) / np.log(threshold)


def _of_calls(days: Comparison) -> np.ndarray:
    return divided(days.part, days.usual_part, without=1.0)


def _per_session(days: Comparison) -> np.ndarray:
    # Where nobody came there is nothing to say.
    ratio = divided(days.per_rest, days.usual_per_rest, without=1.0)
    return np.where(days.rest > 0, ratio, 1.0)


def _of_share(days: Comparison) -> np.ndarray:
    return np.where(days.whole > 0, divided(days.share, days.usual_share, without=1.0), 1.0)


def _of_sessions(days: Comparison) -> np.ndarray:
    return divided(days.whole, days.usual_whole, without=1.0)


def _all_lost(days: Comparison) -> np.ndarray:
    return (days.usual_part >= FEWEST_OF_ALL) & (days.part <= LOST * days.usual_part)


def _flooded(days: Comparison) -> np.ndarray:
    extra = days.whole - days.usual_whole
    looks_around = days.usual_share * (days.usual_whole + _AS_ENGAGED * extra)
    many = (days.whole >= FLOODED * days.usual_whole) & (days.usual_part >= FEWEST)
    return _beyond_chance(many & (days.part <= looks_around), days)


def _doubled(days: Comparison) -> np.ndarray:
    ratio = _per_session(days)
    is_watched = days.usual_part >= FEWEST
    doubled = is_watched & (ratio >= DOUBLED)
    if not doubled.any():
        return doubled
    # A library that is loaded twice doubles all there is, page views too: demand does not.
    everything = is_watched.sum() > 1 and bool((ratio[is_watched] >= DOUBLED).all())
    alone = ratio >= _ALONE * _highest_other(np.where(days.z >= NOTABLE_Z, ratio, 1.0))
    return doubled & (days.z >= LEAST_Z) & (alone | everything)


def _highest_other(rises: np.ndarray) -> np.ndarray:
    """Return for each series the highest value among the others."""
    if len(rises) < 2:
        return np.ones_like(rises)
    second, first = np.sort(rises)[-2:]
    return np.where(np.arange(len(rises)) == rises.argmax(), second, first)


def _event_lost(days: Comparison) -> np.ndarray:
    # In a crowd that only looks, an event is rare among visits and as frequent as ever.
    fewer = days.part <= HALVED * days.usual_part
    return _beyond_chance((days.usual_part >= FEWEST) & (_per_session(days) <= LOST) & fewer, days)


def _emptied(days: Comparison) -> np.ndarray:
    is_watched = (days.usual_part >= FEWEST) & (days.usual_share >= MOSTLY_FILLED)
    return _beyond_chance(is_watched & (_of_share(days) <= HALVED), days)


def _unparsed(days: Comparison) -> np.ndarray:
    missing, without = days.usual_part - days.part, days.rest - days.usual_rest
    came_without = (missing > 0) & (without >= _COME_WITHOUT * missing)
    return _beyond_chance((days.usual_part >= FEWEST) & (_of_share(days) <= HALVED) & came_without, days)


def _beyond_chance(lower: np.ndarray, days: Comparison) -> np.ndarray:
    """Keep those of the `lower` parts that chance does not explain; on most days there is none to ask about."""
    return lower & (days.z <= -LEAST_Z) if lower.any() else lower


def _halved(days: Comparison) -> np.ndarray:
    return _in_logs(_of_share(days), HALVED)


def _calls_per_session(days: Comparison) -> tuple[np.ndarray, np.ndarray]:
    return days.usual_per_rest, days.per_rest


def _shares(days: Comparison) -> tuple[np.ndarray, np.ndarray]:
    return days.usual_share, days.share


OUTAGE = Rule(
    "tracking outage",
    lambda days: _in_logs(_of_calls(days), LOST),
    _all_lost,
    lambda days: (days.usual_part, days.part),
)
BOT_WAVE = Rule(
    "bot wave",
    lambda days: np.minimum(_in_logs(_of_sessions(days), FLOODED), _in_logs(_of_share(days), _DILUTED)),
    _flooded,
    lambda days: (days.usual_whole, days.whole),
)
DOUBLED_EVENT = Rule("doubled event", lambda days: _in_logs(_per_session(days), DOUBLED), _doubled, _calls_per_session)
EVENT_OUTAGE = Rule(OUTAGE.kind, lambda days: _in_logs(_per_session(days), LOST), _event_lost, _calls_per_session)
EMPTIED_PROPERTY = Rule("property turned null", _halved, _emptied, _shares)
UNPARSED_UTM = Rule("UTM stopped parsing", _halved, _unparsed, _shares)
NEW_VERSION = "new library version"
KINDS = (
    OUTAGE.kind, DOUBLED_EVENT.kind, EMPTIED_PROPERTY.kind, NEW_VERSION, UNPARSED_UTM.kind, BOT_WAVE.kind,
)  # fmt: skip
