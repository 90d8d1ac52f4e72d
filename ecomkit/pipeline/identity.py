"""Who made each call: devices stitched to people, bounded by time.

A call that names someone belongs to him: by its user id, else by its address, else
by an external id (`pipeline.identifiers`, `pipeline.clusters` say whose these are).
On a device, a call that names nobody belongs to the person identified there at that
moment; what lies before the first identification belongs to the first person
identified, if he follows within the look-back. A device of many people guesses
nothing, and neither does an address that turns up on device after device.
"""

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.engines import epoch_ms
from ecomkit.pipeline.dated_text import dated, ms_of, text_of
from ecomkit.pipeline.identifiers import named_person, values_of

# More people on one device make it a shared one: a till, a tablet on the counter.
MOST_PEOPLE_ON_A_DEVICE = 5
# More new devices in one week are nobody's own: a test address, a log-in that many know. Source: Segment Unify's
# suggested limit of `anonymous_id`.
MOST_NEW_DEVICES_A_WEEK = 5
# On a shared device, a call belongs to whoever is named there this short a time after it, or before.
CLOSE_BY_MS = 30 * 60 * 1000

_BY_USER_ID = "user id on the call"
_DAY_MS = 86_400_000


def naming_calls(calls: ir.Table, owners: ir.Table, external_ids: ir.Table) -> ir.Table:
    """Return the calls that name someone themselves.

    Parameters
    ----------
    calls
        `row_id, anonymous_id, user_id, email_hash, occurred_at` and more.
    owners
        Whose each address and external id is: `identifier_type, identifier, person_id`.
    external_ids
        `row_id, identifier_type, identifier`.

    Returns
    -------
    Table
        `row_id, anonymous_id, at_ms, known_as`, the person, and `named_by`, how he is named.
    """
    by_address = owners.filter(_.identifier_type == "email").select(email_hash=_.identifier, of_address=_.person_id)
    found = external_ids.left_join(owners, ["identifier_type", "identifier"])
    by_external = (
        found.mutate(person_id=ibis.coalesce(found.person_id, named_person(found.identifier_type, found.identifier)))
        .group_by("row_id")
        .agg(of_external=_.person_id.min())
    )
    sent = calls.select("row_id", "anonymous_id", "user_id", "email_hash", at_ms=epoch_ms(calls.occurred_at))
    joined = sent.left_join(by_address, "email_hash").drop("email_hash_right")
    joined = joined.left_join(by_external, "row_id").drop("row_id_right")
    named = joined.mutate(
        known_as=ibis.cases(
            (_.user_id.notnull(), "user:" + _.user_id),
            (_.of_address.notnull(), _.of_address),
            (_.email_hash.notnull(), "guest:" + _.email_hash),
            else_=_.of_external,
        ),
        named_by=ibis.cases(
            (_.user_id.notnull(), _BY_USER_ID),
            (_.of_address.startswith("user:"), "address of a known user"),
            (_.email_hash.notnull(), "address of a guest"),
            (_.of_external.notnull(), "external id"),
            else_=None,
        ),
    )
    return named.filter(_.known_as.notnull()).select("row_id", "anonymous_id", "at_ms", "known_as", "named_by")


def believed_calls(naming: ir.Table) -> ir.Table:
    """Return the calls that name someone who can be believed, and whether he `stitches` their device.

    Who turns up on device after device stitches none. A user id names its own calls
    even then; an address or an external id does not.
    """
    first = naming.filter(_.anonymous_id.notnull()).group_by("known_as", "anonymous_id").agg(first_ms=_.at_ms.min())
    weekly = first.group_by(known_as=_.known_as, week=_.first_ms // (7 * _DAY_MS)).agg(devices=_.count())
    everywhere = weekly.filter(_.devices > MOST_NEW_DEVICES_A_WEEK).select(everywhere=_.known_as).distinct()
    told = naming.left_join(everywhere, naming.known_as == everywhere.everywhere)
    believed = told.filter(told.everywhere.isnull() | (told.named_by == _BY_USER_ID))
    return believed.mutate(stitches=believed.everywhere.isnull() & believed.anonymous_id.notnull()).drop("everywhere")


def devices(believed: ir.Table, undo: Sequence[str]) -> ir.Table:
    """Return the devices on which somebody was named.

    Returns
    -------
    Table
        One row per device: `anonymous_id, first_person, first_ms` (who was named there first, and when), `people`,
        and whether it is `shared` by more than a household, or on the undo list.
    """
    seen = believed.filter(_.stitches).group_by("anonymous_id", "known_as").agg(first_ms=_.at_ms.min())
    in_order = ibis.window(group_by="anonymous_id", order_by=["first_ms", "known_as"])
    on_device = ibis.window(group_by="anonymous_id")
    ranked = seen.mutate(place=ibis.row_number().over(in_order), people=_.count().over(on_device))
    return ranked.filter(_.place == 0).select(
        "anonymous_id", "first_ms", "people", first_person=_.known_as,
        shared=(_.people > MOST_PEOPLE_ON_A_DEVICE) | _.anonymous_id.isin(values_of(undo, "anonymous_id")),
    )  # fmt: skip


def named_around(calls: ir.Table, believed: ir.Table, devices: ir.Table) -> ir.Table:
    """Return who was named last before and first after each call that names nobody, on devices of several people.

    Returns
    -------
    Table
        `row_id, last_person, last_ms, next_person, next_ms`; null where nobody was named.
    """
    several = devices.filter((_.people > 1) | _.shared)
    there = calls.semi_join(several, "anonymous_id").select(
        "row_id", "message_id", "anonymous_id", at_ms=epoch_ms(calls.occurred_at)
    )
    known = there.left_join(believed.select("row_id", "known_as", "stitches"), "row_id").drop("row_id_right")
    mark = ibis.ifelse(known.stitches, dated(known.at_ms, known.known_as), ibis.null(str))
    marked = known.mutate(mark=mark)
    in_order = {"group_by": "anonymous_id", "order_by": ["at_ms", "message_id"]}
    found = marked.mutate(
        last=_.mark.max().over(ibis.window(**in_order, preceding=(None, 0))),
        following=_.mark.min().over(ibis.window(**in_order, following=(0, None))),
    )
    return found.filter(_.known_as.isnull()).select(
        "row_id",
        last_person=text_of(_.last),
        last_ms=ms_of(_.last),
        next_person=text_of(_.following),
        next_ms=ms_of(_.following),
    )


def with_people(
    calls: ir.Table, believed: ir.Table, devices: ir.Table, around: ir.Table, *, look_back_days: int
) -> ir.Table:
    """Give every call its `person_id`, and `identity_rule`, why it belongs there.

    Calls that cannot be anybody's are a visitor's: all of one device, or, where the device is
    shared, those between two calls that name someone.
    """
    known = calls.mutate(at_ms=epoch_ms(calls.occurred_at)).left_join(
        believed.select("row_id", "known_as", "named_by"), "row_id"
    )
    on_device = known.drop("row_id_right").left_join(devices, "anonymous_id").drop("anonymous_id_right")
    told = on_device.left_join(around, "row_id").drop("row_id_right")
    shared = told.shared.fill_null(False)
    # A browser library names its user until he logs out, so what names nobody rather belongs to who comes next.
    just_after = shared & (told.next_ms - told.at_ms <= CLOSE_BY_MS)
    just_before = shared & (told.at_ms - told.last_ms <= CLOSE_BY_MS)
    before = (told.people == 1) & (told.at_ms >= told.first_ms)
    soon_after = (told.at_ms < told.first_ms) & (told.first_ms - told.at_ms <= look_back_days * _DAY_MS)
    visitor = "visitor:" + told.anonymous_id
    cases = (
        (told.known_as.notnull(), told.known_as, told.named_by),
        (just_after, told.next_person, "identified on the shared device just after"),
        (just_before, told.last_person, "identified on the shared device just before"),
        (shared, visitor + ":" + told.last_ms.fill_null(0).cast(str), "on a shared device: not guessed"),
        (told.last_person.notnull(), told.last_person, "identified on the device before"),
        (before, told.first_person, "identified on the device before"),
        (soon_after, told.first_person, "identified on the device later"),
    )
    found = told.mutate(
        person_id=ibis.cases(*((case, person) for case, person, _rule in cases), else_=visitor),
        identity_rule=ibis.cases(*((case, rule) for case, _person, rule in cases), else_="visitor not identified"),
    )
    return found.drop(
        "known_as", "named_by", "at_ms", *devices.drop("anonymous_id").columns, *around.drop("row_id").columns
    )
