"""Bar charts as inline SVG: colours come from the page's style, so that they follow light and dark.

Knows:     as much SVG as rectangles and text need.
Never:     writes; returns text.
Runs in:   the command line tool; pure.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

_WIDTH = 400
_NAME, _FIGURE = 66, 78
_ROW, _BAR, _TOP = 26, 16, 4
_LEAST = 1.5  # pixels: a bar that is there is seen
_DWARFED = 5.0  # how many times the second highest the highest must be for its bar to be cut
_SECOND, _CUT = 0.7, 0.85  # where the second highest then ends, and where the gap is; parts of the room
_BASELINE = 13  # of text, from the top of its row


@dataclass(frozen=True, slots=True)
class Bar:
    """One row; ``value`` None has no bar, ``best`` is drawn in the accent colour."""

    name: str
    value: float | None
    text: str
    best: bool = False


@dataclass(frozen=True, slots=True)
class Stack:
    """One row of a stacked chart: sizes in the order of the legend."""

    name: str
    parts: Sequence[int]
    text: str


def bars(key: str, title: str, description: str, rows: Sequence[Bar]) -> str:
    """Return a chart; ``key`` makes its ids unique in the page."""
    room = _WIDTH - _NAME - _FIGURE
    most = scale([row.value for row in rows if row.value is not None])
    parts = []
    for number, row in enumerate(rows):
        top = _TOP + number * _ROW
        width = 0.0
        if row.value is not None and most > 0:
            width = min(room, max(_LEAST, room * row.value / most))
            kind = "bar best" if row.best else "bar"
            parts.append(f'<rect class="{kind}" x="{_NAME}" y="{top}" width="{width:.1f}" height="{_BAR}" rx="2"/>')
            if row.value > most:
                parts.append(_gap(_NAME + _CUT * room, top))
        parts += [_name(row.name, top), _text(_NAME + width + 6, top, row.text, "figure")]
    return _svg(key, title, description, len(rows), parts)


def scale(values: Sequence[float]) -> float:
    """Return the value that fills the room: the highest, unless it would leave nothing of all others to be seen."""
    highest, second = [*sorted(values, reverse=True), 0.0, 0.0][:2]
    return second / _SECOND if 0 < second * _DWARFED < highest else highest


def _gap(x: float, top: float) -> str:
    """Return a slanted gap in a bar: it is longer than it is drawn."""
    return f'<path class="gap" d="M{x:.1f} {top + _BAR + 1} l6 -{_BAR + 2} h4 l-6 {_BAR + 2} z"/>'


def stacks(key: str, title: str, description: str, rows: Sequence[Stack]) -> str:
    """Return a chart of bars that are divided into parts of a whole."""
    room = _WIDTH - _NAME - 8
    parts = []
    for number, row in enumerate(rows):
        top, left = _TOP + number * _ROW, float(_NAME)
        whole = sum(row.parts)
        for place, size in enumerate(row.parts):
            if size:
                width = room * size / whole
                parts.append(
                    f'<rect class="part{place}" x="{left:.1f}" y="{top}" width="{width:.1f}" height="{_BAR}">'
                    f"<title>{html.escape(row.text)}</title></rect>"
                )
                if width > _ROW:
                    parts.append(_text(left + width / 2, top, str(size), f"inside{place}", anchor="middle"))
                left += width
        parts.append(_name(row.name, top))
    return _svg(key, title, description, len(rows), parts)


def _svg(key: str, title: str, description: str, rows: int, parts: Sequence[str]) -> str:
    height = _TOP * 2 + _ROW * rows
    return "\n".join(
        [
            f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-labelledby="{key}-title {key}-description">',
            f'<title id="{key}-title">{html.escape(title)}</title>',
            f'<desc id="{key}-description">{html.escape(description)}</desc>',
            *parts,
            "</svg>",
        ]
    )


def _name(name: str, top: float) -> str:
    return _text(_NAME - 8, top, name, "name", anchor="end")


def _text(x: float, top: float, words: str, kind: str, *, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{top + _BASELINE}" text-anchor="{anchor}">{html.escape(words)}</text>'
