"""The figures of docs/patterns.md, from a run of ``hybridd compare --json FILE``.

``python -m tests.support.pattern_figures FILE`` writes them between their two markers, with the run's circumstances.

Knows:     the JSON that compare writes.
Never:     measures.
Runs in:   a developer's shell, after a run on a machine that has nothing else to do.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[2] / "docs" / "patterns.md"
BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->\n"
MIB = 1 << 20

HEAD = (
    "| pattern | requests/s | p50 | p99 | CPU per request | sleepers | p99 beside slow clients | memory per 100 open"
    " | lost in a crash |\n|---|---|---|---|---|---|---|---|---|"
)


def milliseconds(seconds: float | None) -> str:
    """Return a time that is short."""
    return "-" if seconds is None else f"{seconds * 1000:.1f} ms"


def row(found: dict[str, Any]) -> str:
    """Return one pattern's line."""
    load, crowd = found["load"] or {}, found["crowd"] or {}
    sleepers, crash = found["demonstration"] or {}, found["crash"] or {}
    cpu = load.get("cpu")
    late = sleepers.get("seconds")
    cells = [
        f"`{found['pattern']}`",
        f"{load['rate']:,.0f}{'*' if load.get('limited_by_client') else ''}" if load else "-",
        milliseconds(load.get("p50")),
        milliseconds(load.get("p99")),
        f"{cpu * 1e6:.0f} µs" if cpu is not None else "-",
        f"{late:.1f} s" if late is not None else "-",
        "never" if crowd.get("unanswered") else milliseconds(crowd.get("p99")),
        f"{crowd['memory'] / crowd['size'] * 100 / MIB:.1f} MiB" if crowd else "-",
        f"{crash['broken']} of {crash['connections']}" if crash else "-",
    ]
    return f"| {' | '.join(cells)} |"


def table(document: dict[str, Any]) -> str:
    """Return the table, what each pattern's sentence is, and the circumstances."""
    rows = "\n".join(row(found) for found in document["patterns"])
    sentences = "\n".join(f"- `{found['pattern']}`: {found['sentence']}" for found in document["patterns"])
    limited = any((found["load"] or {}).get("limited_by_client") for found in document["patterns"])
    mark = "`*`: the load client was the limit, and not the server.\n\n" if limited else ""
    circumstances = "; ".join(f"{name}: {text}" for name, text in document["circumstances"].items())
    return f"{HEAD}\n{rows}\n\n{mark}{sentences}\n\nMeasured: {circumstances}.\n"


def with_figures(page: str, document: dict[str, Any]) -> str:
    """Return the page with these figures."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{PAGE} has not both markers, {BEGIN.strip()} and {END.strip()}")
    return f"{head}{BEGIN}\n{table(document)}\n{END}{tail}"


if __name__ == "__main__":
    PAGE.write_text(with_figures(PAGE.read_text(), json.loads(Path(sys.argv[1]).read_text())))
