"""Alerts: headlines beyond the limits that [alerts] in shop.toml sets them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict

from ecomkit.headlines import form_of, ten_digits
from ecomkit.models.own_band import own_band
from ecomkit.words import interval, percent, percent_tick


class Alert(TypedDict):
    """One limit that a headline passed: the headline's name, the rule, what was found, the limits, a sentence."""

    name: str
    rule: str
    value: float
    limits: list[float]
    sentence: str


def alerts_of(
    limits: Mapping[str, Mapping[str, float | bool]], headlines: Sequence[Mapping[str, Any]], currency: str
) -> list[Alert]:
    """Return the alerts of a week, in the order of its headlines.

    A value at its limit raises none, nor does one that is not known. `falls_by` and `rises_by` need the week before
    to be known and above zero, `outside_band` enough weeks for a band.

    Parameters
    ----------
    limits
        [alerts] of the shop: headline -> rule -> limit.
    headlines
        What the notebooks handed over, each with its `history`: `week` and `value` of each week, this one last.
    currency
        The currency of money.
    """
    found = []
    for entry in headlines:
        rules = limits.get(entry["name"], {})
        if entry["value"] is None:
            continue
        for rule, judge in _RULES.items():
            # False is how a shop.toml says that a rule is off.
            if rules.get(rule, False) is not False:
                found += judge(entry, rules[rule], form_of(entry, currency))
    return found


# Writes a number of a headline, with as many digits more than usual as a second argument says.
Form = Callable[..., str]


def _below(entry: Mapping[str, Any], limit: float, form: Form) -> list[Alert]:
    value, asked = _apart(entry, limit, form)
    told = f"{entry['label']}: {value}, less than the {asked} that [alerts] asks for."
    return [_alert(entry, "below", [limit], told)] if entry["value"] < limit else []


def _above(entry: Mapping[str, Any], limit: float, form: Form) -> list[Alert]:
    value, allowed = _apart(entry, limit, form)
    told = f"{entry['label']}: {value}, more than the {allowed} that [alerts] allows."
    return [_alert(entry, "above", [limit], told)] if entry["value"] > limit else []


def _falls_by(entry: Mapping[str, Any], limit: float, form: Form) -> list[Alert]:
    return _against_week_before(entry, limit, form, "falls_by", "fell", -1)


def _rises_by(entry: Mapping[str, Any], limit: float, form: Form) -> list[Alert]:
    return _against_week_before(entry, limit, form, "rises_by", "rose", 1)


def _against_week_before(
    entry: Mapping[str, Any], limit: float, form: Form, rule: str, verb: str, sign: int
) -> list[Alert]:
    past = _past(entry)
    before, value = past[-1] if past else None, entry["value"]
    if before is None or not before > 0:
        return []
    change = sign * (value - before) / before
    # Ten digits, as all numbers of a report: 0.3 of a hundred is 30, not a little less.
    if not ten_digits(change) > limit:
        return []
    more = _more(form, before, value)
    told = (
        f"{_subject(entry)} {verb} by {_by(change, _more(_by, change, limit))} against the week before, "
        f"from {form(before, more)} to {form(value, more)}: more than the {percent_tick(limit)} that [alerts] allows."
    )
    return [_alert(entry, rule, [limit], told)]


def _outside_band(entry: Mapping[str, Any], _limit: bool, form: Form) -> list[Alert]:
    band, value = own_band(_past(entry), entry["unit"]), entry["value"]
    if band is None or band[0] <= value <= band[1]:
        return []
    where, end = ("below", band[0]) if value < band[0] else ("above", band[1])
    more = _more(form, value, end)
    told = (
        f"{entry['label']}: {form(value, more)}, {where} the band of the weeks before, {interval(*band, form, more)}."
    )
    return [_alert(entry, "outside_band", [ten_digits(end) for end in band], told)]


_RULES = {
    "below": _below,
    "above": _above,
    "falls_by": _falls_by,
    "rises_by": _rises_by,
    "outside_band": _outside_band,
}


def _alert(entry: Mapping[str, Any], rule: str, limits: list[float], sentence: str) -> Alert:
    return Alert(name=entry["name"], rule=rule, value=entry["value"], limits=limits, sentence=sentence)


def _apart(entry: Mapping[str, Any], limit: float, form: Form) -> tuple[str, str]:
    """Return the headline and its limit as text: a rate's limit as it stands, both with digits that tell them apart."""
    more = _more(form, entry["value"], limit)
    return form(entry["value"], more), percent_tick(limit) if entry["unit"] == "rate" else form(limit, more)


def _more(form: Form, value: float, other: float) -> int:
    """Return how many digits more than usual it takes for two numbers to read differently; ten are all there are."""
    return next((more for more in range(10) if form(value, more) != form(other, more)), 10)


def _by(change: float, more: int) -> str:
    return percent(change, 1 + more)


def _past(entry: Mapping[str, Any]) -> list[float | None]:
    return [week["value"] for week in entry.get("history", ())[:-1]]


def _subject(entry: Mapping[str, Any]) -> str:
    """Return the label as the subject of a sentence: one with a comma in it gets another behind it."""
    return f"{entry['label']}," if "," in entry["label"] else entry["label"]
