"""Completion of the command line in fish.

Knows:     what is offered (offers.py); how fish asks: complete(1), commandline(1) of fish.
Never:     where the file is kept (completion.py).
Runs in:   development and tests; pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from hybridd.cli import offers
from hybridd.cli.commands import Option, commands
from hybridd.cli.main import COMMANDS
from hybridd.cli.offers import Sort

HEAD: Final = """\
# Completion of hybridd for fish.  Made by make docs from the source; do not change it here.
# Its place is /usr/share/fish/vendor_completions.d/hybridd.fish, or ~/.config/fish/completions.

function __hybridd_command --description 'Whether the command is one of these; without any: whether there is none yet'
    set -l words (commandline -opc)
    if test (count $argv) -eq 0
        test (count $words) -eq 1
    else
        test (count $words) -gt 1; and contains -- $words[2] $argv
    end
end

function __hybridd_settings --description 'KEY= and, behind that, what the setting takes'
    if string match -q -- '*=*' (string replace -r -- '^--set=' '' (commandline -ct))
        printf '%s\\n' @VALUES@
    else
        printf '%s\\n' @KEYS@
    end
end

complete -c hybridd -f
complete -c hybridd -n __hybridd_command -s h -l help -d 'this help'
complete -c hybridd -n __hybridd_command -s V -l version -d 'versions'
"""


def script() -> str:
    """Return the script."""
    settings = offers.of_settings()
    values = " ".join(f"{key}={word}" for key, words in settings.items() for word in words)
    head = HEAD.replace("@VALUES@", values).replace("@KEYS@", " ".join(f"{key}=" for key in settings))
    return head + "".join(f"{line}\n" for line in (*_commands(), *_arguments(), *_options()))


def _commands() -> Iterator[str]:
    for name, summary in COMMANDS.items():
        yield f"complete -c hybridd -n __hybridd_command -a {name} -d {_quoted(summary)}"


def _arguments() -> Iterator[str]:
    for command in commands():
        for argument in filter(offers.is_word, offers.arguments(command)):
            yield f"complete -c hybridd -n '__hybridd_command {command.name}' -a {argument}"


def _options() -> Iterator[str]:
    """Yield the options, each once, with all commands that have it."""
    owners: dict[Option, list[str]] = {}
    for command in commands():
        for option in command.options:
            owners.setdefault(option, []).append(command.name)
    for option, names in owners.items():
        spellings = " ".join(_spelling(spelling) for spelling in option.spellings)
        value = f"{_value(option)} " if option.value else ""
        owner = _quoted(f"__hybridd_command {' '.join(names)}")
        yield f"complete -c hybridd -n {owner} {spellings} {value}-d {_quoted(option.help)}"


def _spelling(spelling: str) -> str:
    return f"-l {spelling[2:]}" if spelling.startswith("--") else f"-s {spelling[1:]}"


def _value(option: Option) -> str:
    offer = offers.of_option(option)
    match offer.sort:
        case Sort.ANYTHING:
            return "-x"
        case Sort.WORDS:
            return f"-x -a {_quoted(' '.join(offer.words))}"
        case Sort.FILES:
            return "-r -F"
        case Sort.FOLDERS:
            return "-x -a '(__fish_complete_directories)'"
        case Sort.SETTINGS:
            return "-x -a '(__hybridd_settings)'"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
