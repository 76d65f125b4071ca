"""The results in a terminal: tables of aligned columns.

Never:     prints; returns text.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.outcome import Outcome, Table
from benchmarks.report.bars import Verdict, show_limit, show_value

_FOREIGN_WORTH_SAYING = 0.02


def show_table(table: Table) -> str:
    """Return the table with its columns aligned: names to the left, figures to the right."""
    rows = [tuple(table.columns), *map(tuple, table.rows)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.columns))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def show_foreign(share: float | None) -> str:
    """Return a sentence about how much of the CPU others took; empty when that is nothing."""
    if share is None or share < _FOREIGN_WORTH_SAYING:
        return ""
    return f"others took {100 * share:.0f} % of the servers' CPU meanwhile: trust the ratios of the best rounds only"


def show_outcome(outcome: Outcome) -> str:
    """Return one scenario."""
    remarks = [*outcome.remarks, *filter(None, [show_foreign(outcome.foreign)])]
    head = f"({outcome.key}) {outcome.title}\n{outcome.work}\n"
    return "\n".join([head, show_table(outcome.table), *(f"  * {remark}" for remark in remarks)]) + "\n"


def show_verdicts(verdicts: Sequence[Verdict]) -> str:
    """Return the bars with what was measured."""
    rows = [
        (verdict.bar.scenario, verdict.bar.text, show_limit(verdict.bar), show_value(verdict.value), verdict.word)
        for verdict in verdicts
    ]
    return show_table(Table(("", "bar", "limit", "here", ""), rows))
