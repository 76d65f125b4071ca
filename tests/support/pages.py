"""The parts of handwritten pages that are made from the source: the map of files, the tables of signals and patterns.

``python -m tests.support.pages`` writes them (``make docs``); tests/unit/test_architecture.py holds them.

Knows:     the source tree and the two markers around each part.
Runs in:   a developer's shell, and the test that the pages are true.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

from hybridd.config.patterns import DISPATCHES, ONE, PATTERNS
from hybridd.master import signals

ROOT = Path(__file__).resolve().parents[2]
BEGIN, END = "<!-- made by make docs -->\n", "<!-- end -->\n"


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


PARTS: dict[Path, Callable[[], str]] = {
    ROOT / "docs" / "architecture.md": file_map,
    ROOT / "docs" / "operations.md": signals.table,
    ROOT / "docs" / "patterns.md": pattern_table,
}
"""What is made for each page; one part per page."""


def with_part(page: Path) -> str:
    """Return the text of a page with its part as it should be now."""
    head, _, rest = page.read_text().partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{PARTS[page]()}\n{END}{tail}"


if __name__ == "__main__":
    for one in PARTS:
        one.write_text(with_part(one))
