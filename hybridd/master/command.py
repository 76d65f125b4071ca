"""The command that hybridd was started with, so that it can be given again: as text, to be looked up anew.

A virtual environment that was renewed, a symbolic link that was switched, another interpreter in the PATH: all of that
is seen because nothing is resolved.  Only whether a script was run by its name must be known from the start, for later
another script may stand there: then the kernel shall read its first line.

Knows:     sys.orig_argv, the first lines of scripts, $PWD.
Never:     runs anything.
Runs in:   the process that was started, once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

LONGEST_LINE = 512
_SHELL_WRAPPER = b"'''exec' "  # what pip writes when an interpreter's path is too long for a first line


@dataclass(frozen=True, slots=True)
class Command:
    """Words, and the directory in which they were said."""

    words: tuple[str, ...]
    directory: str


def this_command(environment: Mapping[str, str]) -> Command:
    """Return the command of this process."""
    words = list(sys.orig_argv)
    return Command(tuple(as_typed(words, beginnings(words))), directory_of(environment))


def beginnings(words: Sequence[str]) -> dict[str, bytes]:
    """Return the first bytes of those of the first words that are executable files behind an interpreter."""
    found = {}
    for word in words[1:3]:
        if os.path.isfile(word) and os.access(word, os.X_OK):  # noqa: PTH113 - text
            with suppress(OSError), open(word, "rb") as file:  # noqa: PTH123 - text
                found[word] = file.read(LONGEST_LINE)
    return found


def as_typed(words: Sequence[str], scripts: Mapping[str, bytes]) -> Sequence[str]:
    """Return the words that the kernel was given before it put a script's interpreter in front of them."""
    for index in (1, 2):
        script = words[index] if len(words) > index else ""
        if script not in scripts:
            continue
        first, _, second = scripts[script].partition(b"\n")
        interpreter = os.fsdecode(first.removeprefix(b"#!")).split() if first.startswith(b"#!") else []
        if interpreter[:1] and os.path.basename(interpreter[0]) == "env":  # noqa: PTH119 - text
            interpreter = interpreter[1:]
        if list(words[:index]) == interpreter or second.startswith(_SHELL_WRAPPER):
            return words[index:]
    return words


def directory_of(environment: Mapping[str, str]) -> str:
    """Return the working directory as somebody named it, so that a link in it is followed again."""
    here, named = os.getcwd(), environment.get("PWD", "")  # noqa: PTH109 - text
    with suppress(OSError):
        if os.path.isabs(named) and os.path.samefile(named, here):  # noqa: PTH117, PTH121 - text
            return named
    return here
