"""Completion of the command line in zsh.

Knows:     what is offered (offers.py); how zsh asks: _arguments and compadd, zshcompsys(1), zshcompwid(1).
Never:     where the file is kept (completion.py).
Runs in:   development and tests; pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from hybridd.cli import offers
from hybridd.cli.commands import Command, Option, commands
from hybridd.cli.main import COMMANDS
from hybridd.cli.offers import Sort

SCRIPT: Final = """\
#compdef hybridd
# Completion of hybridd for zsh.  Made by make docs from the source; do not change it here.
# Its place is /usr/share/zsh/site-functions/_hybridd, or any folder of $fpath.

_hybridd_setting() {
    local -A known=(
@SETTINGS@
    )
    if compset -P '*='; then
        compadd -- ${=known[${${IPREFIX%=}##*=}]}
    else
        compadd -S '=' -- ${(k)known}
    fi
}

_hybridd() {
    local curcontext=$curcontext state
    local -a line known=(
@COMMANDS@
    )
    local -A opt_args
    _arguments -C '(- *)'{-h,--help}'[this help]' '(- *)'{-V,--version}'[versions]' \\
        '1:command:->command' '*::argument:->argument' && return
    case $state in
        command) _describe -t commands command known && return ;;
        argument) curcontext=${curcontext%:*:*}:hybridd-$words[1]: ;;
    esac
    case $words[1] in
@ARGUMENTS@
    esac
}

_hybridd "$@"
"""


def script() -> str:
    """Return the script."""
    parts = {
        "@SETTINGS@": (f"        {key} {_quoted(' '.join(words))}" for key, words in offers.of_settings().items()),
        "@COMMANDS@": (f"        {_quoted(f'{name}:{_escaped(summary)}')}" for name, summary in COMMANDS.items()),
        "@ARGUMENTS@": (_case(command) for command in commands()),
    }
    text = SCRIPT
    for mark, lines in parts.items():
        text = text.replace(mark, "\n".join(lines))
    return text


def _case(command: Command) -> str:
    specifications = [*_arguments(command), *(_option(option) for option in command.options)]
    lines = " \\\n                ".join(specifications)
    return f"        {command.name})\n            _arguments -s -S \\\n                {lines}\n            ;;"


def _arguments(command: Command) -> Iterator[str]:
    for number, argument in enumerate(offers.arguments(command), 1):
        action = f"({argument})" if offers.is_word(argument) else " "
        yield _quoted(f"{number}:{_escaped(argument)}:{action}")


def _option(option: Option) -> str:
    """Return its specification; any may be given again, and the last one counts or all do."""
    behind = {True: "=", False: "+"} if option.value else {True: "", False: ""}
    spellings = [f"{spelling}{behind[spelling.startswith('--')]}" for spelling in option.spellings]
    one_of = spellings[0] if len(spellings) == 1 else f"{{{','.join(spellings)}}}"
    value = f":{_escaped(option.value)}:{_action(option)}" if option.value else ""
    return f"'*'{one_of}{_quoted(f'[{_escaped(option.help)}]{value}')}"


def _action(option: Option) -> str:
    offer = offers.of_option(option)
    match offer.sort:
        case Sort.ANYTHING:
            return " "
        case Sort.WORDS:
            return f"({' '.join(offer.words)})"
        case Sort.FILES:
            return "_files"
        case Sort.FOLDERS:
            return "_files -/"
        case Sort.SETTINGS:
            return "_hybridd_setting"


def _escaped(text: str) -> str:
    """Return text in which _arguments and _describe see no sign of theirs."""
    return "".join(f"\\{character}" if character in "\\[]:" else character for character in text)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", r"'\''") + "'"
