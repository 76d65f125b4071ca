"""The results as one SVG picture: for each scenario, each server's cost with hybridd as 1; shorter is better.

Knows:     as much SVG as rectangles and text need.
Never:     reads or writes; returns text.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.outcome import Outcome
from benchmarks.peers.catalogue import SUBJECT

_WIDTH = 760
_NAME, _FIGURE = 170, 70
_ROW, _BAR, _HEAD, _GAP, _TOP = 20, 13, 34, 16, 54
_MOST = 16.0
"""Bars are drawn up to this multiple on a logarithmic scale; the figure beside them says the rest."""

_LEAST = 0.25
_OURS, _THEIRS, _INK, _PALE = "#c2410c", "#64748b", "#1e293b", "#e2e8f0"


@dataclass(frozen=True, slots=True)
class Chart:
    """One group of bars."""

    title: str
    costs: Mapping[str, float]

    @property
    def height(self) -> int:
        """In pixels."""
        return _HEAD + _ROW * len(self.costs) + _GAP


def length(cost: float) -> float:
    """Return a bar's part of the room: a quarter is 0, 1 is a third, 16 and more are the whole."""
    least, most = math.log2(_LEAST), math.log2(_MOST)
    return min(1.0, max(0.02, (math.log2(max(cost, 1e-9)) - least) / (most - least)))


def charts_of(outcomes: Sequence[Outcome]) -> list[Chart]:
    """Return what there is to draw."""
    return [
        Chart(f"({outcome.key}) {outcome.title}: {outcome.drawn}", outcome.picture)
        for outcome in outcomes
        if len(outcome.picture) > 1
    ]


def draw(outcomes: Sequence[Outcome], caption: str) -> str:
    """Return the picture as SVG."""
    charts = charts_of(outcomes)
    height = _TOP + sum(chart.height for chart in charts)
    size = f'width="{_WIDTH}" viewBox="0 0 {_WIDTH} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif">',
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
        _text(12, 20, "What the same work costs, hybridd = 1 (shorter is better, logarithmic)", size=15, bold=True),
        _text(12, 38, caption, colour=_THEIRS, size=11),
    ]
    top = _TOP
    for chart in charts:
        parts += _draw_chart(chart, top)
        top += chart.height
    return "\n".join([*parts, "</svg>", ""])


def _draw_chart(chart: Chart, top: int) -> list[str]:
    room = _WIDTH - _NAME - _FIGURE - 24
    one = _NAME + 12 + room * length(1.0)
    rows = sorted(chart.costs.items(), key=lambda item: item[1])
    bottom = top + _HEAD + len(rows) * _ROW
    parts = [
        _text(12, top + 20, chart.title, bold=True),
        f'<line x1="{one:.1f}" y1="{top + _HEAD - 4}" x2="{one:.1f}" y2="{bottom}" stroke="{_PALE}"/>',
    ]
    for number, (name, cost) in enumerate(rows):
        y = top + _HEAD + number * _ROW
        width = room * length(cost)
        colour = _OURS if name == SUBJECT else _THEIRS
        parts += [
            _text(_NAME + 4, y + 11, name, anchor="end", bold=name == SUBJECT),
            f'<rect x="{_NAME + 12}" y="{y}" width="{width:.1f}" height="{_BAR}" fill="{colour}"/>',
            _text(_NAME + 18 + width, y + 11, f"{cost:.2f}" if cost < 10 else f"{cost:.1f}"),  # noqa: PLR2004
        ]
    return parts


def _text(
    x: float, y: float, words: str, *, anchor: str = "start", colour: str = _INK, size: int = 12, bold: bool = False
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" font-size="{size}"{weight}>'
        f"{html.escape(words)}</text>"
    )
