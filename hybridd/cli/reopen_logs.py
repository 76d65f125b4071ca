"""``hybridd reopen-logs``: have all processes open their log files again.

Runs in:   the command line tool.
"""

from __future__ import annotations

from collections.abc import Sequence

from hybridd.cli.arguments import Parser
from hybridd.cli.verb import new_verb, read_verb, run_verb

DESCRIPTION = """\
Open the log files again, after they were moved away; like USR1."""


def make_parser() -> Parser:
    """Return what it understands."""
    return new_verb("reopen-logs", DESCRIPTION)


def main(arguments: Sequence[str]) -> int:
    """Print the verdict; 0 when it came true, else 1."""
    given, _ = read_verb(make_parser(), arguments)
    return run_verb(given, "POST", "/reopen-logs", {})
