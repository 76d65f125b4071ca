"""Completion of the command line in bash, zsh and fish: ``python -m hybridd.cli.completion FOLDER`` writes it.

Made from the parsers of the commands and the declarations of the settings, so it offers what they take.

Knows:     the names of the files, by which the shells find them.
Never:     asks a running hybridd.
Runs in:   development and tests; pure but for ``main``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from hybridd.cli import completion_bash, completion_fish, completion_zsh


def scripts() -> dict[str, str]:
    """Return the scripts by the names of their files; they are kept in completion/, held by a test."""
    return {
        "hybridd.bash": completion_bash.script(),
        "_hybridd": completion_zsh.script(),
        "hybridd.fish": completion_fish.script(),
    }


def main(folder: Path) -> None:
    """Write the scripts into a folder."""
    for name, text in scripts().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
