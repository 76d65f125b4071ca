"""``hybridd upgrade``: replace the running hybridd, master and all, by what is installed now.

Runs in:   the command line tool.
"""

from __future__ import annotations

from collections.abc import Sequence

from hybridd.cli.arguments import Parser
from hybridd.cli.verb import new_verb, read_verb, run_verb

DESCRIPTION = """\
Upgrade: the command that hybridd was started with is given again, so that another Python, another hybridd and settings
that a reload cannot change are taken. The new master inherits the listening sockets; when its workers are ready it
takes over, and the old one finishes its requests and leaves. Waits until it has left; exit status 1 when the new one
failed and the old one goes on, with the reason."""


def make_parser() -> Parser:
    """Return what it understands."""
    return new_verb("upgrade", DESCRIPTION, waits="default: until the old master has left")


def main(arguments: Sequence[str]) -> int:
    """Print the verdict; 0 when it came true, else 1."""
    given, _ = read_verb(make_parser(), arguments)
    return run_verb(given, "POST", "/upgrade", {})
