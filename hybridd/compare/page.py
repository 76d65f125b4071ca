"""The report: one HTML page that needs nothing else, with a table, a sentence for each pattern, and charts.

Knows:     columns, charts, sentences; light and dark, narrow and wide screens, paper.
Never:     writes; needs a script, a font or a picture from elsewhere.
Runs in:   the command line tool; pure.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

from hybridd.compare.chart import Bar, Stack, bars, stacks
from hybridd.compare.columns import (
    BACKLOG_MEANING,
    BACKLOG_TITLE,
    COLUMNS,
    Column,
    backlog_parts,
    leaders,
)
from hybridd.compare.figures import Comparison, Row
from hybridd.compare.page_style import STYLE
from hybridd.compare.sentences import full, sentence
from hybridd.compare.table import remarks

BEST = ' class="best"'


def render(comparison: Comparison, command: str) -> str:
    """Return the page; ``command`` is what was typed."""
    rows = comparison.rows
    parts = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        "<title>hybridd compare</title>",
        f"<style>{STYLE}</style>",
        "</head>",
        "<body>",
        "<header>",
        f"<h1>{len(rows)} server architectures, one application</h1>"
        if len(rows) != 1
        else "<h1>One server architecture</h1>",
        f"<p>Measured by <code>{html.escape(command)}</code></p>",
        "</header>",
        "<main>",
        *_table(rows),
        "<h2>Side by side</h2>",
        '<div class="charts">',
        *(_chart(column, rows) for column in COLUMNS if any(column.value(row) is not None for row in rows)),
        *_backlog(rows),
        "</div>",
        *_notes(comparison),
        "</main>",
        "</body>",
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def _table(rows: Sequence[Row]) -> list[str]:
    heads = "".join(f'<th scope="col">{html.escape(" ".join(column.heading).strip())}</th>' for column in COLUMNS)
    lines = [
        '<div class="scroll" role="region" aria-label="All figures" tabindex="0">',
        "<table>",
        "<caption>Best figures of several rounds. The columns are explained at the charts.</caption>",
        f'<thead><tr><th scope="col">pattern</th>{heads}</tr></thead>',
    ]
    best = {column.key: leaders(column, rows) for column in COLUMNS}
    for row in rows:
        cells = "".join(
            f"<td{BEST if row.pattern.name in best[column.key] else ''}>{html.escape(column.shown(row))}</td>"
            for column in COLUMNS
        )
        workers = f"<small>{row.workers} workers</small>" if row.workers > 1 else ""
        lines += [
            f'<tbody><tr><th scope="row">{html.escape(row.pattern.name)}{workers}</th>{cells}</tr>',
            f'<tr class="words"><td colspan="{len(COLUMNS) + 1}"><p>{html.escape(sentence(row, rows))}</p></td></tr>',
            "</tbody>",
        ]
    return [*lines, "</table>", "</div>"]


def _chart(column: Column, rows: Sequence[Row]) -> str:
    best = leaders(column, rows)
    drawn = [Bar(row.pattern.name, column.value(row), column.shown(row), row.pattern.name in best) for row in rows]
    described = ", ".join(f"{bar.name} {bar.text}" for bar in drawn)
    return _figure(
        column.title,
        f"{column.meaning}; {column.better.value}",
        bars(column.key, column.title, f"{described}; {column.better.value}.", drawn),
    )


def _backlog(rows: Sequence[Row]) -> list[str]:
    measured = [row for row in rows if row.backlog is not None]
    if not measured:
        return []
    drawn = [
        Stack(row.pattern.name, [count for _, count in backlog_parts(row)], full(row.backlog))
        for row in measured
        if row.backlog is not None
    ]
    described = "; ".join(f"{stack.name}: {stack.text}" for stack in drawn)
    legend = "".join(
        f'<li><span class="key part{place}"></span>{html.escape(name)}</li>'
        for place, (name, _) in enumerate(backlog_parts(measured[0]))
    )
    clients = measured[0].backlog.clients if measured[0].backlog else 0
    return [
        _figure(
            BACKLOG_TITLE,
            f"{clients} {BACKLOG_MEANING}",
            f'<ul class="legend">{legend}</ul>{stacks("backlog", BACKLOG_TITLE, described, drawn)}',
        )
    ]


def _figure(title: str, meaning: str, picture: str) -> str:
    return (
        f"<figure><figcaption><h3>{html.escape(title)}</h3><p>{html.escape(meaning)}</p></figcaption>{picture}</figure>"
    )


def _notes(comparison: Comparison) -> list[str]:
    items = "".join(f"<li>{html.escape(text)}</li>" for text in remarks(comparison) if text)
    return ["<h2>Circumstances</h2>", f"<ul>{items}</ul>"] if items else []
