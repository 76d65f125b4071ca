"""The table in the terminal.

Knows:     columns, sentences, how wide the terminal is.
Never:     writes; returns text.
Runs in:   the command line tool; pure.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from hybridd.compare.columns import COLUMNS, LIMITED, Column
from hybridd.compare.figures import CLIENT_LIMIT, Comparison, Row
from hybridd.compare.sentences import sentence

_GAP = 2
_INDENT = "  "
_NARROWEST = 40


def render(comparison: Comparison, width: int) -> str:
    """Return the table with a sentence behind each row, and what must be known to read it."""
    rows = comparison.rows
    if not rows:
        return f"{'' if comparison.complete else 'interrupted: '}nothing was measured\n"
    width = max(width, _NARROWEST)
    parts = [_block(columns, rows) for columns in blocks(COLUMNS, rows, width)]
    parts += [_filled(_about(rows), width), _filled(remarks(comparison), width)]
    return "\n\n".join(parts) + "\n"


def _filled(texts: Sequence[str], width: int) -> str:
    return "\n".join(textwrap.fill(text, width, subsequent_indent=_INDENT) for text in texts)


def blocks(columns: Sequence[Column], rows: Sequence[Row], width: int) -> list[list[Column]]:
    """Divide the columns into as many tables as the width asks for."""
    found: list[list[Column]] = [[]]
    room = width - _first(rows)
    for column in columns:
        needed = _GAP + _width(column, rows)
        if needed > room and found[-1]:
            found.append([])
            room = width - _first(rows)
        found[-1].append(column)
        room -= needed
    return found


def _block(columns: Sequence[Column], rows: Sequence[Row]) -> str:
    widths = [_first(rows), *(_width(column, rows) for column in columns)]
    lines = [
        _line(["pattern" if line else "", *(column.heading[line] for column in columns)], widths) for line in (0, 1)
    ]
    lines.append("─" * (sum(widths) + _GAP * len(columns)))
    lines += [_line([row.pattern.name, *(column.shown(row) for column in columns)], widths) for row in rows]
    return "\n".join(lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = cells
    padded = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]
    return (" " * _GAP).join(padded).rstrip()


def _first(rows: Sequence[Row]) -> int:
    return max(len("pattern"), *(len(row.pattern.name) for row in rows))


def _width(column: Column, rows: Sequence[Row]) -> int:
    return max(*(len(line) for line in column.heading), *(len(column.shown(row)) for row in rows))


def _about(rows: Sequence[Row]) -> list[str]:
    """Return each row's sentence, and what its clients saw when it was full."""
    found = []
    for row in rows:
        workers = f" ({row.workers} workers)" if row.workers > 1 else ""
        found.append(f"{row.pattern.name}{workers}: {sentence(row, rows)}")
    return found


def remarks(comparison: Comparison) -> list[str]:
    """Return what limits the figures."""
    found = []
    limited = [row.pattern.name for row in comparison.rows if row.load is not None and row.load.limited]
    if limited:
        found.append(
            f"{LIMITED} the load client used more than {CLIENT_LIMIT:.0%} of its CPU, so it was the limit and not"
            f" {', '.join(limited)}: do not judge these figures; CPU per request tells more"
        )
    found += [f"{name}: {text}" for name, text in comparison.circumstances.items()]
    if not comparison.complete:
        found.append("interrupted: what is missing was not measured")
    return found
