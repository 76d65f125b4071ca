"""What every command understands, as values: for the manual pages and the completion of shells.

Knows:     the commands' parsers.
Never:     what a command does.
Runs in:   development and tests; pure.
"""

from __future__ import annotations

import argparse
import importlib
from dataclasses import dataclass

from hybridd.cli.main import COMMANDS

SHARED = ("-c", "--set", "-h")
"""By their first spelling, the options that every command has."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option: its spellings, what stands for its value (empty: it has none), its help, its group in the help."""

    spellings: tuple[str, ...]
    value: str
    help: str
    group: str

    @property
    def shared(self) -> bool:
        """Whether every command has it."""
        return self.spellings[0] in SHARED

    @property
    def preferred(self) -> str:
        """The spelling to offer where one will do: the first long one."""
        return next((spelling for spelling in self.spellings if spelling.startswith("--")), self.spellings[0])


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its usage line, its description, its options in their order."""

    name: str
    usage: str
    description: str
    options: tuple[Option, ...]


def commands() -> tuple[Command, ...]:
    """Return all commands in the order of the help."""
    return tuple(_command(name) for name in COMMANDS)


def _command(name: str) -> Command:
    parser = importlib.import_module(f"hybridd.cli.{name.replace('-', '_')}").make_parser()
    options = [
        _option(parser, action, group.title or "")
        for group in parser._action_groups  # noqa: SLF001 - argparse tells them nobody else
        for action in group._group_actions  # noqa: SLF001
        if action.option_strings
    ]
    return Command(name, str(parser.usage), str(parser.description), tuple(options))


def _option(parser: argparse.ArgumentParser, action: argparse.Action, group: str) -> Option:
    value = "" if action.nargs == 0 else str(action.metavar or action.dest.upper())
    formatter = parser._get_formatter()  # noqa: SLF001 - argparse has no public way to the text that it shows
    text = formatter._expand_help(action) if action.help else ""  # noqa: SLF001
    return Option(tuple(action.option_strings), value, text, "" if group == "options" else group)
