"""The results as a page in Markdown: RESULTS.md.

Never:     writes; returns text.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.outcome import Outcome, Table
from benchmarks.report.bars import Verdict, show_limit, show_value
from benchmarks.report.circumstances import Facts
from benchmarks.report.text import show_foreign

_INTRODUCTION = """# Results

Made by `make bench`; do not edit.  The method, and how to read this: [docs/performance.md](../docs/performance.md).
Ratios are hybridd ÷ the other server, from the best rounds of each: of CPU time below 1 hybridd needs less, of rates
above 1 it answers more.  Absolute figures are there to give the ratios a size: they hold for this machine on this day
only.
"""


def render(
    outcomes: Sequence[Outcome], verdicts: Sequence[Verdict], facts: Facts, remarks: Sequence[str], picture: str
) -> str:
    """Return the whole page; ``picture`` is the name of the SVG file beside it."""
    parts = [_INTRODUCTION, _table(Table(("", ""), facts))]
    if remarks:
        parts.append("\n".join(f"- {remark}" for remark in remarks))
    parts += [f"![What the same work costs]({picture})", "## Bars", _bars(verdicts)]
    parts += [_scenario(outcome) for outcome in outcomes]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _bars(verdicts: Sequence[Verdict]) -> str:
    rows = [
        (verdict.bar.scenario, verdict.bar.text, show_limit(verdict.bar), show_value(verdict.value),
         verdict.word if verdict.word != "missed" else "**missed**")
        for verdict in verdicts
    ]  # fmt: skip
    return _table(Table(("", "bar", "limit", "here", ""), rows))


def _scenario(outcome: Outcome) -> str:
    remarks = [*outcome.remarks, *filter(None, [show_foreign(outcome.foreign)])]
    notes = "\n\n" + "\n".join(f"- {_escaped(remark)}" for remark in remarks) if remarks else ""
    return f"## ({outcome.key}) {outcome.title}\n\n{outcome.work}.\n\n{_table(outcome.table)}{notes}"


def _table(table: Table) -> str:
    rule = "|".join(["---", *("--:" for _ in table.columns[1:])])
    lines = [_row(table.columns), f"|{rule}|", *map(_row, table.rows)]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(map(_escaped, cells)) + " |"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
