"""``hybridd scale``: change the number of workers, and wait until they serve.

Runs in:   the command line tool.
"""

from __future__ import annotations

from collections.abc import Sequence

from hybridd.cli.arguments import Parser
from hybridd.cli.verb import new_verb, read_verb, run_verb, whole_number
from hybridd.errors import UsageError

DESCRIPTION = """\
Change the number of workers: hybridd scale N. Waits until N workers serve; exit status 1 when they cannot. A reload
that does not change the setting workers keeps the number."""


def make_parser() -> Parser:
    """Return what it understands."""
    return new_verb("scale N", DESCRIPTION, waits="default: until they serve or cannot")


def main(arguments: Sequence[str]) -> int:
    """Print the verdict; 0 when it came true, else 1."""
    given, words = read_verb(make_parser(), arguments, most=1)
    if not words:
        raise UsageError("expected a number of workers: hybridd scale N")
    return run_verb(given, "POST", "/scale", {"workers": whole_number(words[0], "a number of workers")})
