"""``hybridd drain``: stop gracefully, and wait until it is over.

Runs in:   the command line tool.
"""

from __future__ import annotations

from collections.abc import Sequence

from hybridd.cli.arguments import Parser
from hybridd.cli.verb import new_verb, read_verb, run_verb

DESCRIPTION = """\
Stop gracefully, like TERM: every request that has begun is answered. Waits until the last process has left; exit status
1 when --timeout passes before, and the drain goes on."""


def make_parser() -> Parser:
    """Return what it understands."""
    return new_verb("drain", DESCRIPTION, waits="default: until it is over")


def main(arguments: Sequence[str]) -> int:
    """Print the verdict; 0 when it came true, else 1."""
    given, _ = read_verb(make_parser(), arguments)
    return run_verb(given, "POST", "/drain", {})
