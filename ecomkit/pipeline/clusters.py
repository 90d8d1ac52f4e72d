"""Identifiers merged into people, pair by pair in time, within the limits of Segment's own identity rules."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from ecomkit.pipeline.identifiers import MOST_OF_OTHERS, NAMES, PRIORITY

MOST_PER_PERSON = {"user_id": 1}

Identifier = tuple[str, str]  # type, value


class Pair(NamedTuple):
    """Two identifiers that a call sent together, `higher` by priority."""

    higher: Identifier
    lower: Identifier
    first_at: datetime


def merged(rows: Iterable[Mapping]) -> list[dict[str, str]]:
    """Return the rows `identifier_type, identifier, person_id` of all identifiers in rows of pairs."""
    pairs = (
        Pair((row["higher_type"], row["higher"]), (row["lower_type"], row["lower"]), row["first_at"]) for row in rows
    )
    return [
        {"identifier_type": kind, "identifier": value, "person_id": person}
        for (kind, value), person in clusters(pairs).items()
    ]


def clusters(pairs: Iterable[Pair]) -> dict[Identifier, str]:
    """Return the person of every identifier in `pairs`.

    Pairs merge their people in the order in which they were first seen. One that would
    break a limit merges nobody: its lower identifier stays with whom it came first, or
    names a person of its own. The person is named by the first identifier by
    priority, then by time, so that what comes later renames nobody who has a user id.
    """
    ordered = sorted(pairs, key=lambda pair: (pair.first_at, _rank(pair.higher), _rank(pair.lower)))
    above: dict[Identifier, Identifier] = {}
    first_at: dict[Identifier, datetime] = {}
    for pair in ordered:
        for identifier in (pair.higher, pair.lower):
            above.setdefault(identifier, identifier)
            first_at.setdefault(identifier, pair.first_at)
    members: dict[Identifier, list[Identifier]] = {identifier: [identifier] for identifier in above}
    held: dict[Identifier, Counter[str]] = {(kind, value): Counter({kind: 1}) for kind, value in above}
    for pair in ordered:
        one, other = _top(above, pair.higher), _top(above, pair.lower)
        # The smaller one joins the larger, so that one who has very many takes no time for each of the others.
        if len(members[one]) < len(members[other]):
            one, other = other, one
        if one == other or not _within_limits(held[one], held[other]):
            continue
        above[other] = one
        members[one] += members.pop(other)
        held[one].update(held.pop(other))
    people = {}
    for merged in members.values():
        name = person_name(min(merged, key=lambda identifier: (_rank(identifier)[0], first_at[identifier], identifier)))
        people.update(dict.fromkeys(merged, name))
    return people


def person_name(identifier: Identifier) -> str:
    """Return the person id that an identifier gives: `user:`, `guest:`, or its own type."""
    kind, value = identifier
    return f"{NAMES.get(kind, kind)}:{value}"


def _rank(identifier: Identifier) -> tuple[tuple[int, str], str]:
    kind, value = identifier
    place = PRIORITY.index(kind) if kind in PRIORITY else len(PRIORITY)
    return (place, kind), value


def _top(above: dict[Identifier, Identifier], identifier: Identifier) -> Identifier:
    while above[identifier] != identifier:
        above[identifier] = above[above[identifier]]
        identifier = above[identifier]
    return identifier


def _within_limits(held: Counter[str], joining: Counter[str]) -> bool:
    """Say whether one person may have what two hold: numbers of identifiers by type."""
    return all(held[kind] + number <= MOST_PER_PERSON.get(kind, MOST_OF_OTHERS) for kind, number in joining.items())
