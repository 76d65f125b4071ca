"""``hybridd worker restart``: replace one worker, another one first.

Runs in:   the command line tool.
"""

from __future__ import annotations

from collections.abc import Sequence

from hybridd.cli.arguments import Parser
from hybridd.cli.verb import new_verb, read_verb, run_verb, whole_number
from hybridd.errors import UsageError

DESCRIPTION = """\
Replace the worker in SLOT: hybridd worker restart SLOT. Another one serves before it finishes its requests and leaves;
waits until it leaves. Exit status 1 when there is no such worker."""


def make_parser() -> Parser:
    """Return what it understands."""
    return new_verb("worker restart SLOT", DESCRIPTION, waits="default: until another one serves")


def main(arguments: Sequence[str]) -> int:
    """Print the verdict; 0 when it came true, else 1."""
    rest = list(arguments)
    if rest[:1] == ["restart"]:
        rest.pop(0)
    elif not {"-h", "--help"} & set(rest):
        raise UsageError("expected: hybridd worker restart SLOT")
    given, words = read_verb(make_parser(), rest, most=1)
    if not words:
        raise UsageError("expected the slot of a worker: hybridd worker restart SLOT; hybridd status shows them")
    return run_verb(given, "POST", "/restart", {"slot": whole_number(words[0], "the slot of a worker")})
