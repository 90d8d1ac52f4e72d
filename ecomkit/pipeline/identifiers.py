"""Which identifiers calls sent together: the pairs by which the calls of one person find each other.

An identifier is a user id, a hashed address, or one of `context.externalIds`.
Devices are none: who uses one changes with time (`pipeline.identity`).
"""

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.column_types import INSTANT

# Of these the first one known names the person; external ids follow by the alphabet, as in Segment's own rules.
PRIORITY = ("user_id", "email")
# What stands before the identifier in a person's id, where it is not the identifier's type.
NAMES = {"user_id": "user", "email": "guest"}

# How many identifiers of a type one person may have, ever; of user ids he has one. Source: Segment Unify, default
# limits.
MOST_OF_OTHERS = 5

# Two identifiers sent on one call, `higher` the one of higher priority.
PAIRS = ibis.schema(
    {
        "higher_type": "string",
        "higher": "string",
        "lower_type": "string",
        "lower": "string",
        "first_at": INSTANT,
        "calls": "int64",
    }
)

OWNERS = ibis.schema({"identifier_type": "string", "identifier": "string", "person_id": "string"})


def trusted(calls: ir.Table, undo: Sequence[str]) -> ir.Table:
    """Return calls without the user ids and addresses of `undo`, which shall name nobody."""
    for kind, column in (("user_id", "user_id"), ("email", "email_hash")):
        values = values_of(undo, kind)
        if values:
            calls = calls.mutate(**{column: ibis.ifelse(calls[column].isin(values), ibis.null(str), calls[column])})
    return calls


def trusted_ids(external_ids: ir.Table, undo: Sequence[str]) -> ir.Table:
    """Return external ids without those of `undo`."""
    return external_ids.filter(~(_.identifier_type + ":" + _.identifier).isin(list(undo))) if undo else external_ids


def values_of(undo: Sequence[str], kind: str) -> list[str]:
    """Return the identifiers of one type in an undo list of `type:identifier`."""
    return [entry.removeprefix(f"{kind}:") for entry in undo if entry.startswith(f"{kind}:")]


def pairs(calls: ir.Table, external_ids: ir.Table) -> ir.Table:
    """Return a row per two identifiers that a call sent together: the call's first by priority with each other.

    Parameters
    ----------
    calls
        `row_id, occurred_at, user_id, email_hash`.
    external_ids
        A row per external id of a call: `row_id, identifier_type, identifier`.
    """
    called = calls.select("row_id", "occurred_at", "user_id", "email_hash")
    both = called.filter(_.user_id.notnull(), _.email_hash.notnull()).select(
        "occurred_at", higher_type=ibis.literal("user_id"), higher=_.user_id, lower_type=ibis.literal("email"),
        lower=_.email_hash,
    )  # fmt: skip
    on_call = ibis.window(group_by="row_id", order_by=["identifier_type", "identifier"])
    beside = external_ids.join(called, "row_id").mutate(
        first_type=_.identifier_type.first().over(on_call), first=_.identifier.first().over(on_call)
    )
    external = beside.select(
        "occurred_at",
        higher_type=ibis.cases((_.user_id.notnull(), "user_id"), (_.email_hash.notnull(), "email"), else_=_.first_type),
        higher=ibis.coalesce(_.user_id, _.email_hash, _.first),
        lower_type=_.identifier_type,
        lower=_.identifier,
    ).filter((_.higher_type != _.lower_type) | (_.higher != _.lower))
    told = ibis.union(both, external).group_by("higher_type", "higher", "lower_type", "lower")
    return told.agg(first_at=_.occurred_at.min(), calls=_.count()).cast(PAIRS)


def shared_pairs(pairs: ir.Table) -> ir.Table:
    """Return the pairs that need more than a look-up: those of an identifier with more to it than a few of its own.

    An identifier whose lower ones belong to nothing else, few enough of each type, names them all. Where a
    lower one stands in a second pair, above or below, or the identifier is itself a lower one, or a type passes
    its limit, all of its pairs are shared. Two that share an identifier both are, so no chain is torn.
    """
    lower = pairs.group_by("lower_type", "lower").agg(times=_.count())
    twice = pairs.join(lower.filter(_.times > 1), ["lower_type", "lower"])
    below = pairs.semi_join(lower, [("higher_type", "lower_type"), ("higher", "lower")])
    above = pairs.semi_join(
        pairs.select(kind=_.higher_type, identifier=_.higher), [("lower_type", "kind"), ("lower", "identifier")]
    )
    of_a_type = pairs.group_by("higher_type", "higher", "lower_type").agg(number=_.count())
    own = ibis.ifelse(of_a_type.lower_type == of_a_type.higher_type, 1, 0)
    many = of_a_type.filter(of_a_type.number + own > MOST_OF_OTHERS)
    shared = [table.select("higher_type", "higher") for table in (twice, below, above, many)]
    return pairs.semi_join(ibis.union(*shared).distinct(), ["higher_type", "higher"])


def owners(pairs: ir.Table, shared: ir.Table, clusters: ir.Table) -> ir.Table:
    """Return whose each identifier below a user id is: `identifier_type, identifier, person_id`.

    Parameters
    ----------
    pairs, shared
        All pairs, and those of them that need more than a look-up.
    clusters
        `identifier_type, identifier, person_id` of the identifiers in `shared`.
    """
    alone = pairs.anti_join(shared, ["higher_type", "higher", "lower_type", "lower"])
    person = named_person(alone.higher_type, alone.higher)
    simple = ibis.union(
        alone.select(identifier_type=_.lower_type, identifier=_.lower, person_id=person),
        alone.select(identifier_type=_.higher_type, identifier=_.higher, person_id=person),
        distinct=True,
    )
    return ibis.union(simple, clusters).filter(_.identifier_type != "user_id")


def named_person(kind: ir.StringValue, identifier: ir.StringValue) -> ir.StringValue:
    """Return the person id that an identifier gives where it is a person's first by priority."""
    return kind.cases(*NAMES.items(), else_=kind) + ":" + identifier
