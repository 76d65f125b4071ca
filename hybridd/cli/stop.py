"""``hybridd stop``: stop gracefully, and cut what is left when time is over.

Runs in:   the command line tool.
"""

from __future__ import annotations

from collections.abc import Sequence

from hybridd.cli.arguments import Parser
from hybridd.cli.verb import new_verb, read_verb, run_verb

DESCRIPTION = """\
Stop: gracefully like drain, but what has not ended within --timeout is cut; --timeout 0 cuts at once. Waits until the
last process has left."""


def make_parser() -> Parser:
    """Return what it understands."""
    return new_verb("stop", DESCRIPTION, waits="default: timeouts.graceful decides; 0: at once")


def main(arguments: Sequence[str]) -> int:
    """Print the verdict; 0 when it came true, else 1."""
    given, _ = read_verb(make_parser(), arguments)
    return run_verb(given, "POST", "/stop", {})
