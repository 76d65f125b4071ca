"""What a scenario found out, ready to be shown and judged.

Never:     knows how it was measured or how it is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.measure.paired import Ratio


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text; the first cell of a row is the server's name."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one scenario.

    Attributes:
        key: ``a``; of several works under one letter ``d-up``.
        title: a few words.
        work: one sentence: what was done.
        table: the figures.
        measures: figures that bars are judged by, by name (``cpu/bjoern``).
        picture: figures to draw, by server; lower is better, hybridd is 1.
        drawn: what these figures are.
        remarks: what a reader must know: who was left out and why, failed requests.
        foreign: share of the servers' CPU time that others took or the hypervisor stole meanwhile; None: not measured.
    """

    key: str
    title: str
    work: str
    table: Table
    measures: Mapping[str, float] = field(default_factory=dict)
    picture: Mapping[str, float] = field(default_factory=dict)
    remarks: Sequence[str] = ()
    foreign: float | None = None
    drawn: str = "CPU time"


def show_ratio(ratio: Ratio) -> tuple[str, str]:
    """Return the ratio of the best rounds and the paired quartiles."""
    return f"{ratio.best:.2f}", f"{ratio.low:.2f} {ratio.middle:.2f} {ratio.high:.2f}"
