"""Completion of the command line in bash.

Knows:     what is offered (offers.py); how bash asks: Programmable Completion, bash(1).
Never:     where the file is kept (completion.py).
Runs in:   development and tests; pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from hybridd.cli import offers
from hybridd.cli.commands import Command, commands
from hybridd.cli.offers import Offer, Sort

HEAD: Final = """\
# Completion of hybridd for bash.  Made by make docs from the source; do not change it here.
# Its place is /usr/share/bash-completion/completions/hybridd; a file that is sourced works as well.

_hybridd() {
    local at=$COMP_CWORD cur=${COMP_WORDS[COMP_CWORD]} words=
    local prev=${COMP_WORDS[at-1]} command=${COMP_WORDS[1]}
    COMPREPLY=()
    if ((at == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "@COMMANDS@ --help --version" -- "$cur")
        return
    fi
    # bash takes FLAG=VALUE and KEY=VALUE apart at the sign.
    if [[ $cur == "=" ]]; then
        cur=
    elif [[ $prev == "=" ]]; then
        ((at--))
        prev=${COMP_WORDS[at-1]}
    fi
    [[ ${COMP_WORDS[at]} != "=" || ${COMP_WORDS[at-2]} != --set ]] || prev="--set $prev"
    case "$command $prev" in
"""

TAIL: Final = """\
        *)
            case $command in
@WORDS@
            esac
            mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
            ;;
    esac
}
complete -F _hybridd hybridd
"""


def script() -> str:
    """Return the script."""
    known = commands()
    head = HEAD.replace("@COMMANDS@", " ".join(one.name for one in known))
    words = "\n".join(f'                {one.name}) words="{_offered(one)}" ;;' for one in known)
    return head + "".join(_cases(known)) + TAIL.replace("@WORDS@", words)


def _cases(known: tuple[Command, ...]) -> Iterator[str]:
    """Yield the cases of options that take a value, those with the same offer together."""
    cases: dict[Offer, list[str]] = {}
    for command in known:
        for option in command.options:
            if option.value:
                patterns = [f'"{command.name} {spelling}"' for spelling in option.spellings]
                cases.setdefault(offers.of_option(option), []).extend(patterns)
    for key, words in offers.of_settings().items():
        if words:
            cases.setdefault(Offer(Sort.WORDS, words), []).append(f'*" --set {key}"')
    for offer, patterns in cases.items():
        yield f"        {' | '.join(patterns)})\n{_action(offer)}            ;;\n"


def _action(offer: Offer) -> str:
    match offer.sort:
        case Sort.ANYTHING:
            return ""
        case Sort.SETTINGS:
            return "            compopt -o nospace\n" + _reply_words(f"{key}=" for key in offers.of_settings())
        case Sort.FILES:
            return "            compopt -o filenames\n" + _reply("-f")
        case Sort.FOLDERS:
            return "            compopt -o filenames\n" + _reply("-d")
        case Sort.WORDS:
            return _reply_words(iter(offer.words))


def _reply_words(words: Iterator[str]) -> str:
    return _reply(f'-W "{" ".join(words)}"')


def _reply(what: str) -> str:
    return f'            mapfile -t COMPREPLY < <(compgen {what} -- "$cur")\n'


def _offered(command: Command) -> str:
    """Return a command's words and the preferred spellings of its options."""
    words = [argument for argument in offers.arguments(command) if offers.is_word(argument)]
    return " ".join([*words, *(option.preferred for option in command.options)])
