"""The map of files in docs/architecture.md, made from the first line of every module's docstring.

``python -m tests.support.file_map`` writes it (``make docs``); tests/unit/test_architecture.py holds it.

Knows:     the source tree and the two markers in the page.
Runs in:   a developer's shell, and the test that the page is true.
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- map: made by make docs -->\n", "<!-- end of map -->\n"


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


def with_map(page: str) -> str:
    """Return the page with the map of now."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{file_map()}\n{END}{tail}"


if __name__ == "__main__":
    PAGE.write_text(with_map(PAGE.read_text()))
