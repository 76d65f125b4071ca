"""``hybridd reload``: ask for the newest configuration and code, and wait for the verdict.

Runs in:   the command line tool.
"""

from __future__ import annotations

from collections.abc import Sequence

from hybridd.cli.arguments import Parser
from hybridd.cli.verb import new_verb, read_verb, run_verb

DESCRIPTION = """\
Reload: read the configuration again and replace all workers by new ones, behind a canary, with the old ones kept until
the new ones have settled. Waits for the verdict; exit status 0 when the new generation serves, 1 when it was refused
and the old one goes on, with the reason."""


def make_parser() -> Parser:
    """Return what it understands."""
    return new_verb("reload", DESCRIPTION, waits="default: until there is a verdict")


def main(arguments: Sequence[str]) -> int:
    """Print the verdict; 0 when it came true, else 1."""
    given, _ = read_verb(make_parser(), arguments)
    return run_verb(given, "POST", "/reload", {})
