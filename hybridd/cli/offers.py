"""What the completion of shells offers for the value of an option: files, words, the keys of settings, nothing.

Knows:     what the commands and the settings declare.
Never:     how a shell is told (completion_bash.py, completion_zsh.py, completion_fish.py).
Runs in:   development and tests; pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from hybridd.cli.commands import Command, Option
from hybridd.config.settings import SCHEMA


class Sort(Enum):
    """What may stand there."""

    ANYTHING = "anything"  # nothing is known of it
    WORDS = "words"
    FILES = "files"
    FOLDERS = "folders"
    SETTINGS = "settings"  # KEY=VALUE


@dataclass(frozen=True, slots=True)
class Offer:
    """What is offered; ``words`` for WORDS only."""

    sort: Sort
    words: tuple[str, ...] = ()


def of_option(option: Option) -> Offer:
    """Return what is offered for the value of an option that takes one."""
    if option.spellings == ("--set",):
        return Offer(Sort.SETTINGS)
    values = option.value.split("|")
    if any(value.startswith("FILE") or value == "PATH" for value in values):
        return Offer(Sort.FILES)
    if values == ["DIR"]:
        return Offer(Sort.FOLDERS)
    words = _words(option.value)
    return Offer(Sort.WORDS, words) if words else Offer(Sort.ANYTHING)


def of_settings() -> dict[str, tuple[str, ...]]:
    """Return the settings by key, in their order, each with the words that it takes."""
    return {setting.key: _words(setting.kind.metavar) for setting in SCHEMA.settings.values()}


def arguments(command: Command) -> tuple[str, ...]:
    """Return what stands behind the name of a command, before its options; a word in small letters is meant itself."""
    behind = command.usage.partition(" [-c")[0].split()[2:]
    return tuple(argument.strip("[]") for argument in behind)


def is_word(argument: str) -> bool:
    """Tell a word that is typed from what stands for a value."""
    return argument.isalpha() and argument.islower()


def _words(metavar: str) -> tuple[str, ...]:
    return tuple(value for value in metavar.split("|") if value.islower())
