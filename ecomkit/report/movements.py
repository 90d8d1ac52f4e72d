"""The week in three lines: what moved most, how sure that is, and where to look next."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ecomkit.headlines import form_of
from ecomkit.report.week_report import Entry, WeekReport, is_tested
from ecomkit.words import counted, percent

LINES = 3
NOISE = "not sure: chance alone could explain it"
# Share of the number before from which a movement is large, and from which it is medium.
_LARGE, _MEDIUM = 0.25, 0.10
# Corrected p-values below which a movement is called sure.
_VERY_SURE, _SURE = 0.001, 0.01

# Where an analyst looks next: the page and the question on it.
NEXT: Mapping[str, tuple[str, str]] = {
    "net_revenue": ("01_overview", "Why did it move?"),
    "revenue": ("01_overview", "Where does the revenue come from?"),
    "orders": ("01_overview", "Who bought: new customers or returning ones?"),
    "aov": ("01_overview", "How far do order values lie apart?"),
    "visit_to_order_rate": ("02_funnel", "Which visits end in an order?"),
    "funnel_overall_rate": ("02_funnel", "At which step do people stop?"),
    "view_to_order_rate": ("03_products", "Which products do visits order once they have seen them?"),
    "units": ("03_products", "Which products rose or fell?"),
    "repeat_purchase_rate": ("04_cohort_repurchase", "How many customers come back within the window?"),
    "clv_per_customer": ("05_clv", "What is still to come?"),
    "new_customers": ("06_cac_by_channel", "How many new customers did each channel bring?"),
    "cac_blended": ("06_cac_by_channel", "On which channel?"),
    "identified_orders_share": ("00_data_quality", "Whose calls are these?"),
    "identified_sessions_share": ("00_data_quality", "Whose calls are these?"),
}
_BROKE = ("00_data_quality", "Did tracking break?")


class Movement(NamedTuple):
    """One of the three lines: what moved and how far, in words; `link` leads to the question to ask next.

    `moved` is whether it moved by more than chance.
    """

    name: str
    moved: bool
    sentence: str
    severity: str
    confidence: str
    check: str
    link: str


def movements(report: WeekReport) -> list[Movement]:
    """Return the headlines that moved most, at most three: first what moved by more than chance, then the rest.

    Within each the larger change, as a share of the number before, comes first. A
    headline that nothing can be told of, or that nothing is compared with, is none.
    """
    compared = [entry for entry in report.headlines if is_tested(entry)]
    ranked = sorted(compared, key=lambda entry: (entry["verdict"] not in ("up", "down"), -_size(entry)))
    return [_told(entry, report) for entry in ranked[:LINES]]


def _size(entry: Mapping[str, Any]) -> float:
    """Return the change as a share of the number before; infinite from nothing."""
    if not entry["before"]:
        return float("inf") if entry["value"] else 0.0
    return abs(entry["value"] - entry["before"]) / abs(entry["before"])


def _told(entry: Mapping[str, Any], report: WeekReport) -> Movement:
    form = form_of(entry, report.currency)
    moved = entry["verdict"] in ("up", "down")
    page, question = _BROKE if entry["across"] else NEXT.get(entry["name"], ("", ""))
    return Movement(
        name=entry["name"],
        moved=moved,
        sentence=_sentence(entry, form, moved),
        severity=_severity(entry),
        confidence=_confidence(entry, moved),
        check=question,
        link=_link(page, question, report.pages),
    )


def _sentence(entry: Mapping[str, Any], form: Callable[[float | None], str], moved: bool) -> str:
    change = "" if not entry["before"] else f" ({percent_change(entry['value'], entry['before'])})"
    way = f"{entry['verdict']} from" if moved else "within noise of"
    before = f"{form(entry['before'])} {entry['against']}"
    return f"{entry['label']}: {form(entry['value'])}, {way} {before}{change}."


def percent_change(now: float, before: float) -> str:
    """Return the change from `before` to `now` with its sign, as `+12.3 %`."""
    text = percent(now / before - 1)
    return text if text.startswith("-") else f"+{text}"


def _severity(entry: Mapping[str, Any]) -> str:
    size = _size(entry)
    return "large" if size >= _LARGE else "medium" if size >= _MEDIUM else "small"


def _confidence(entry: Mapping[str, Any], moved: bool) -> str:
    if entry["across"]:
        return f"doubtful: {counted(len(entry['across']), 'break')} in tracking between"
    if not moved:
        return NOISE
    p_value = entry["p_value_corrected"]
    return "very sure" if p_value < _VERY_SURE else "sure" if p_value < _SURE else "fairly sure"


def _link(page: str, question: str, entries: Sequence[Entry]) -> str:
    """Return the address of a question, empty where its page is not published."""
    for entry in entries:
        if entry.name == page:
            anchors = [anchor for anchor, heading in entry.questions.items() if heading == question]
            return f"{page}.html{f'#{anchors[0]}' if anchors else ''}"
    return ""
