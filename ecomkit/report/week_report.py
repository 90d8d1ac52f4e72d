"""All that one report tells: what its pages, its brief and report.json are written from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ecomkit.alerts import Alert
from ecomkit.headlines import ten_digits
from ecomkit.metrics.comparisons import benjamini_hochberg
from ecomkit.periods import Period
from ecomkit.trust import Light
from ecomkit.words import span_of_days

LEVEL = 0.05


@dataclass(frozen=True)
class Entry:
    """One notebook of a report: its title as a question, the sentence below it, and the questions on its page.

    `failure` is None where its page is published. `questions` are the page's headings by
    their anchors.
    """

    name: str
    question: str
    lead: str
    failure: str | None
    questions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class WeekReport:
    """What is told of one week of a shop.

    `headlines` are corrected for their number and have each the `history` of its weeks;
    `alerts` are those of `alerts_of`, `restated` rows of figures that earlier reports published
    otherwise. Without history, as it failed, there are no lines through the weeks, no alerts
    that need earlier weeks and no restated figures.
    """

    shop: str
    place: str
    currency: str
    period: Period
    contents: Mapping[str, Any]
    light: Light
    entries: Sequence[Entry]
    headlines: Sequence[Mapping[str, Any]]
    alerts: Sequence[Alert] = ()
    restated: Sequence[Mapping[str, Any]] = ()
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    made_from: Mapping[str, Any] = field(default_factory=dict)
    has_history: bool = True

    @property
    def pages(self) -> list[Entry]:
        """The notebooks whose pages are published."""
        return [entry for entry in self.entries if not entry.failure]

    @property
    def tests(self) -> int:
        """How many headlines were held against what stood before."""
        return sum(is_tested(headline) for headline in self.headlines)


def corrected(headlines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return headlines whose verdicts hold for all of them at once.

    Only numbers with a p-value and a verdict other than `cannot tell` count as
    looked at. `up` and `down` become `within noise` where the corrected
    p-value passes 0.05.
    """
    tested = [entry["p_value"] for entry in headlines if is_tested(entry)]
    adjusted = iter(benjamini_hochberg(tested))
    result = []
    for entry in headlines:
        p_value = ten_digits(next(adjusted)) if is_tested(entry) else None
        noise = p_value is not None and p_value > LEVEL and entry["verdict"] in ("up", "down")
        result.append({**entry, "p_value_corrected": p_value} | ({"verdict": "within noise"} if noise else {}))
    return result


def is_tested(entry: Mapping[str, Any]) -> bool:
    """Say whether a headline was held against what stood before, with enough to tell."""
    return entry["p_value"] is not None and entry["verdict"] not in (None, "cannot tell")


def span(period: Period) -> str:
    """Return the first and last day of a period in words, the year once if it is one."""
    return span_of_days(period.start, period.end - timedelta(days=1))
