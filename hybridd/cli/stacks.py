"""``hybridd stacks``: show where every thread of the workers stands.

Runs in:   the command line tool.
"""

from __future__ import annotations

from collections.abc import Sequence

from hybridd.cli.arguments import Parser
from hybridd.cli.verb import new_verb, read_verb, run_verb, whole_number

DESCRIPTION = """\
Show where every thread of all workers stands, or of the one in SLOT: hybridd stacks [SLOT]. Works for a worker whose
loop hangs and for one that is still loading the application."""


def make_parser() -> Parser:
    """Return what it understands."""
    return new_verb("stacks [SLOT]", DESCRIPTION)


def main(arguments: Sequence[str]) -> int:
    """Print the verdict; 0 when it came true, else 1."""
    given, words = read_verb(make_parser(), arguments, most=1)
    slot = {"slot": whole_number(words[0], "the slot of a worker")} if words else {}
    return run_verb(given, "GET", "/stacks", slot)
