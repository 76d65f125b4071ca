"""Completion of the command line in bash: ``python -m hybridd.cli.completion FOLDER`` writes it.

Made from the parsers of the commands and the declarations of the settings, so it offers what they take.

Knows:     those; how bash asks: Programmable Completion, bash(1).
Never:     where the file is kept (completion/, held by a test); asks a running hybridd.
Runs in:   development and tests; pure but for ``main``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hybridd.cli.commands import Command, Option, commands
from hybridd.config.declaration import Setting
from hybridd.config.settings import SCHEMA

FILES: Final = "-f"
FOLDERS: Final = "-d"
"""What bash's compgen offers for a value; anything else is words."""

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


def bash() -> str:
    """Return the script."""
    known = commands()
    head = HEAD.replace("@COMMANDS@", " ".join(one.name for one in known))
    words = "\n".join(f'                {one.name}) words="{_offered(one)}" ;;' for one in known)
    return head + "".join(_cases(known)) + TAIL.replace("@WORDS@", words)


def _cases(known: tuple[Command, ...]) -> Iterator[str]:
    """Yield the cases of options that take a value, those with the same offer together."""
    offers: dict[str, list[str]] = {}
    for command in known:
        for option in command.options:
            if option.value:
                patterns = [f'"{command.name} {spelling}"' for spelling in option.spellings]
                offers.setdefault(_offer(option), []).extend(patterns)
    for setting in SCHEMA.settings.values():
        if words := _words(setting):
            offers.setdefault(words, []).append(f'*" --set {setting.key}"')
    for offer, patterns in offers.items():
        yield f"        {' | '.join(patterns)})\n{_action(offer)}            ;;\n"


def _action(offer: str) -> str:
    match offer:
        case "":
            return ""  # nothing is known of the value
        case "keys":
            keys = " ".join(f"{key}=" for key in SCHEMA.settings)
            return f"            compopt -o nospace\n{_reply(_quoted(keys))}"
        case "-f" | "-d":
            return f"            compopt -o filenames\n{_reply(offer)}"
        case _:
            return _reply(_quoted(offer))


def _quoted(words: str) -> str:
    return f'-W "{words}"'


def _reply(what: str) -> str:
    return f'            mapfile -t COMPREPLY < <(compgen {what} -- "$cur")\n'


def _offer(option: Option) -> str:
    """Return what is offered for the value of an option: -f, -d, keys, words; empty for nothing."""
    if option.spellings == ("--set",):
        return "keys"
    values = option.value.split("|")
    if any(value.startswith("FILE") or value == "PATH" for value in values):
        return FILES
    if values == ["DIR"]:
        return FOLDERS
    return " ".join(value for value in values if value.islower())


def _words(setting: Setting) -> str:
    return " ".join(value for value in setting.kind.metavar.split("|") if value.islower())


def _offered(command: Command) -> str:
    """Return a command's words and the preferred spellings of its options."""
    offered = [word for word in command.usage.split()[2:] if word.isalpha() and word.islower()]
    for option in command.options:
        long = [spelling for spelling in option.spellings if spelling.startswith("--")]
        offered += long[:1] or list(option.spellings)
    return " ".join(offered)


def main(folder: Path) -> None:
    """Write the script into a folder."""
    (folder / "hybridd.bash").write_text(bash(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
