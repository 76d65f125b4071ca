"""The bars: what hybridd must reach against its peers, judged from the measures of the scenarios.

Never:     measures anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from benchmarks.outcome import Outcome
from benchmarks.peers.catalogue import PLAIN, SUBJECT


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: the measure must be at most, or at least, the limit."""

    scenario: str
    measure: str
    text: str
    limit: float
    at_least: bool = False
    stretch: bool = False

    def is_met_by(self, value: float) -> bool:
        """Judge."""
        return value >= self.limit if self.at_least else value <= self.limit


@dataclass(frozen=True, slots=True)
class Verdict:
    """A bar and what was measured; None: it was not."""

    bar: Bar
    value: float | None

    @property
    def word(self) -> str:
        """``met``, ``missed`` or ``not measured``."""
        if self.value is None:
            return "not measured"
        return "met" if self.bar.is_met_by(self.value) else "missed"


BARS: Final = (
    Bar("a", "cpu/bjoern", "CPU per request ÷ bjoern", 1.35),
    Bar("a", "cpu/bjoern", "CPU per request ÷ bjoern (stretch)", 1.15, stretch=True),
    Bar("a", "cpu/granian", "CPU per request ÷ granian", 0.90),
    Bar("a", "cpu/gunicorn gthread", "CPU per request ÷ gunicorn gthread", 0.13),
    Bar("b", "cpu/gunicorn gthread", "CPU per connection ÷ gunicorn gthread", 0.5),
    Bar("c", f"kept/{SUBJECT}", "hello beside blocking clients ÷ hello alone", 0.60, at_least=True),
    Bar("c", f"p99/{SUBJECT}", "hello's p99 beside blocking clients, ms", 10.0),
    Bar("c", f"share/{SUBJECT}", "what the blocking clients reach of what they could", 0.95, at_least=True),
    Bar("k", f"p50/{SUBJECT}", "hello's p50 beside 4 computing handlers, ms", 3.0),
    Bar("g", f"bytes/{SUBJECT}", "process memory per idle connection, bytes", 1024),
    Bar("h-balance", f"spread/{SUBJECT}", "connections of the fullest of 4 workers ÷ mean", 1.05),
    Bar("h-storm", f"rate/{SUBJECT}, {PLAIN}", "connections/s ÷ plain shared listener", 0.9, at_least=True),
    Bar("h-drain", f"rate/{SUBJECT}, {PLAIN}", "the same while a worker drains", 0.9, at_least=True),
    Bar("i", f"good/{SUBJECT}", "rounds of 12 in which nobody waits for a thread", 12, at_least=True),
    Bar("l", "cost", "CPU per request with the access log ÷ without", 1.25),
    Bar("m", "scrape-typical", "one scrape of /metrics with 8 workers, ms", 10.0),
    Bar("m", "p99", "hello's p99 with a scrape ÷ without", 1.10),
)


def judge(outcomes: Iterable[Outcome]) -> list[Verdict]:
    """Return a verdict on every bar whose scenario was run."""
    measures: dict[str, Mapping[str, float]] = {outcome.key: outcome.measures for outcome in outcomes}
    return [Verdict(bar, measures[bar.scenario].get(bar.measure)) for bar in BARS if bar.scenario in measures]


def show_limit(bar: Bar) -> str:
    """Return the limit with its direction."""
    return f"{'≥' if bar.at_least else '≤'} {bar.limit:g}"


def show_value(value: float | None) -> str:
    """Return a figure with as many digits as it is worth."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits
