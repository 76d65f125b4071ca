"""The parts of handwritten pages that are made from the source: maps and tables.

``python -m tests.support.pages`` writes them (``make docs``); tests/unit/test_architecture.py holds them.

Knows:     the source tree and the two markers around each part; the first one names it.
Runs in:   a developer's shell, and the test that the pages are true.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

from hybridd import errors
from hybridd.config.patterns import DISPATCHES, ONE, PATTERNS
from hybridd.master import signals
from hybridd.top import keys
from hybridd.top.page import compose
from hybridd.top.watch import begin, looked
from tests.support.looks import busy_look

ROOT = Path(__file__).resolve().parents[2]
BEGIN, END = "<!-- made by make docs: {} -->\n", "<!-- end -->\n"


def first_line(path: Path) -> str:
    """Return the first sentence of a module about itself."""
    docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
    line = docstring.split("\n")[0].rstrip(".").replace("``", "`").replace("|", "\\|")
    title, _, rest = line.partition(": ")
    return f"{rest[0].upper()}{rest[1:]}" if title == "hybridd" else line


def file_map() -> str:
    """Return the map: a table for each package, in the order of the alphabet."""
    source = ROOT / "hybridd"
    parts = []
    packages = sorted(path.parent for path in source.rglob("__init__.py"))
    for package in packages:
        heading = f"### `{package.relative_to(ROOT).as_posix()}/`"
        about = first_line(package / "__init__.py")
        rows = [
            f"| [`{path.name}`](../{path.relative_to(ROOT).as_posix()}) | {first_line(path)} |"
            for path in sorted(package.glob("*.py"))
            if path.stem != "__init__"
        ]
        parts.append("\n".join([heading, "", f"{about}.", "", "| file | what it is |", "|---|---|", *rows, ""]))
    return "\n".join(parts)


def pattern_table() -> str:
    """Return the table of patterns, as the configuration knows it."""
    rows = (
        f"| [`{name}`](#{name}) | {'1' if pattern.workers == ONE else 'one per CPU'} | `{pattern.dispatch}` |"
        f" {DISPATCHES[pattern.dispatch].meaning} |"
        for name, pattern in PATTERNS.items()
    )
    return "\n".join(["| `pattern` | `workers` | `dispatch` | a connection… |", "|---|---|---|---|", *rows, ""])


def top_screen() -> str:
    """Return what `hybridd top` shows of a busy example."""
    watch = looked(begin("/run/hybridd/hybridd.ctl", busy_look(0.0), may_order=True), busy_look(1.0))
    lines = [line.text.rstrip() for line in compose(watch, 104, 17)]
    return "\n".join(["```text", *lines, "```", ""])


PARTS: dict[Path, dict[str, Callable[[], str]]] = {
    ROOT / "docs" / "architecture.md": {"files": file_map},
    ROOT / "docs" / "operations.md": {
        "screen of top": top_screen,
        "keys of top": keys.table,
        "signals": signals.table,
        "exit codes": errors.table,
    },
    ROOT / "docs" / "patterns.md": {"patterns": pattern_table},
}
"""What is made for each page: its parts by name."""


def with_parts(page: Path) -> str:
    """Return the text of a page with its parts as they should be now."""
    text = page.read_text()
    for name, make in PARTS[page].items():
        begin = BEGIN.format(name)
        head, found, rest = text.partition(begin)
        _, ended, tail = rest.partition(END)
        if not (found and ended):
            raise ValueError(f"{page.name} has no place for the part {name}: {begin.strip()} … {END.strip()}")
        text = f"{head}{begin}\n{make()}\n{END}{tail}"
    return text


if __name__ == "__main__":
    for one in PARTS:
        one.write_text(with_parts(one))
