"""Read the arguments of a command: flags made from the declarations of the settings, files, ``--set``.

Knows:     argparse, the declarations, in which group of the help a flag stands.
Never:     converts a value: that is done where all layers meet, with all problems at once.
Runs in:   the command line tool.
Raises:    UsageError for what is wrong with the spelling of the command line itself.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from hybridd.config.declaration import Setting
from hybridd.config.loading import Flag, Loaded, load
from hybridd.config.settings import SCHEMA
from hybridd.config.suggestion import suggest_setting, suggest_word
from hybridd.errors import UsageError

APPLICATION = "MODULE:CALLABLE"

GROUPS = {
    "what to serve": ("factory", "protocol", "preload", "chdir"),
    "where": ("listen", "backlog", "admin", "control"),
    "with TLS": ("tls.certificates", "tls.keys", "tls.ciphers", "tls.client_ca"),
    "by how many": ("pattern", "workers", "dispatch", "threads", "handlers"),
    "how long": ("timeouts.worker", "timeouts.graceful", "timeouts.keep_alive"),
    "as a daemon": ("daemon", "pid_file", "user", "group", "umask"),
    "logs": ("log.level", "log.file", "access_log.file"),
}
WIDEST = 110

# Flags of other servers, and of hybridd itself, that are commands here.
COMMANDS = {
    "--check-config": "hybridd check",
    "--print-config": "hybridd print-config",
    "--reload": "hybridd reload",
    "--version": "hybridd --version",
    "-V": "hybridd --version",
}


@dataclass
class Given:
    """What the command line says: files, values by key, and the options of the command itself."""

    files: list[Path] = field(default_factory=list)
    flags: dict[str, list[Flag]] = field(default_factory=dict)
    options: argparse.Namespace = field(default_factory=argparse.Namespace)

    def add(self, key: str, spelling: str, text: str) -> None:
        """Note a value; converting it comes later."""
        self.flags.setdefault(key, []).append(Flag(spelling, text))

    def load(self) -> Loaded:
        """Load the configuration with the environment of this process; raises ConfigurationError."""
        return load(self.files, os.environ, self.flags)


class Parser(argparse.ArgumentParser):
    """A parser that raises instead of ending the process."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError, which names the flag first."""
        match = re.fullmatch(r"argument ([^:]+): (.*)", message)
        flag, text = (match[1].replace("/", ", "), match[2]) if match else ("", message)
        text = text.replace("expected one argument", "expected a value behind it")
        raise UsageError(f"{flag}: {text}" if flag else text)


class Formatter(argparse.HelpFormatter):
    """Writes ``-b, --bind ADDRESS`` in every version of Python, no wider than is readable."""

    def __init__(self, prog: str) -> None:
        width = min(_columns(), WIDEST)
        super().__init__(prog, max_help_position=32, width=width)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        short = [flag for flag in action.option_strings if not flag.startswith("--")][:1]
        long = [flag for flag in action.option_strings if flag.startswith("--")][:1]
        value = f" {action.metavar}" if action.nargs != 0 and action.metavar else ""
        return f"{', '.join(short + long)}{value}"


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        return WIDEST


def new_parser(command: str, description: str, *, positional: bool = False) -> Parser:
    """Return a parser that knows -c, --set and -h.

    Positional arguments are not argparse's: an optional one among options is lost in Python before 3.13.
    """
    usage = f"hybridd {command} {f'[{APPLICATION}] ' if positional else ''}[-c FILE]... [OPTION]..."
    parser = Parser(usage=usage, description=description, add_help=False, allow_abbrev=False, formatter_class=Formatter)
    group = parser.add_argument_group("configuration")
    group.add_argument(
        "-c",
        "--config",
        metavar="FILE",
        action=_action(lambda given, _, text: given.files.append(Path(text))),
        help="a YAML file, or a directory whose *.yaml are read in order; repeatable, later ones win (default: none)",
    )
    group.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action=_action(_set),
        help="any setting, such as limits.body=1GiB; docs/settings.md and hybridd print-config know them all",
    )
    group.add_argument("-h", "--help", action="help", help="this help")
    return parser


def add_settings(parser: Parser, *keys: str) -> None:
    """Add the flags of the settings, in their groups; ``keys`` restricts them."""
    for title, members in GROUPS.items():
        wanted = [key for key in members if not keys or key in keys]
        group = parser.add_argument_group(title) if wanted else parser
        for key in wanted:
            _add_setting(group, SCHEMA.settings[key])


def _add_setting(group: Any, setting: Setting) -> None:
    is_switch = setting.default is False
    help_text = setting.declaration.help.partition(". ")[0].rstrip(".")
    default = "" if is_switch or not setting.kind.text(setting.default) else f" (default {_default(setting)})"
    group.add_argument(
        *setting.declaration.flags,
        metavar=setting.kind.metavar,
        nargs=0 if is_switch else None,
        action=_action(
            lambda given, spelling, text: given.add(setting.key, spelling, "true" if is_switch else text),
        ),
        help=f"{help_text}{'; repeatable' if setting.kind.item else ''}{default}".replace("%", "%%"),
    )


def _default(setting: Setting) -> str:
    return setting.kind.text(setting.default)


def _set(given: Given, _: str, text: str) -> None:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise UsageError(f"--set: expected KEY=VALUE such as timeouts.head=5s, got {text}")
    if key not in SCHEMA.settings:
        meant = suggest_setting(SCHEMA, key)
        hint = f"did you mean {meant.key}" if meant else "hybridd print-config shows all settings"
        raise UsageError(f"--set {key}: unknown setting; {hint}")
    given.add(key, f"--set {key}", value)


def _action(note: Callable[[Given, str, str], None]) -> type[argparse.Action]:
    """Return an action that notes the value in the Given of the namespace."""

    class Note(argparse.Action):
        def __call__(self, _: object, namespace: argparse.Namespace, values: Any, option_string: Any = None) -> None:
            note(namespace.given, option_string, values or "")

    return Note


def read(parser: Parser, arguments: Sequence[str], *, positional: bool = False) -> Given:
    """Read ``arguments``; with ``positional`` one may be the application."""
    given, rest = read_options(parser, arguments)
    names = read_names(parser, rest)
    if names and positional:
        _application(given, names.pop(0))
    refuse_further(parser, names)
    return given


def read_options(parser: Parser, arguments: Sequence[str]) -> tuple[Given, list[str]]:
    """Read the flags that the parser knows, with their values; return what is none of them, too."""
    given = Given()
    given.options, rest = parser.parse_known_args(list(arguments), argparse.Namespace(given=given))
    return given, rest


def read_names(parser: Parser, rest: Sequence[str]) -> list[str]:
    """Return what stands beside the flags; raises for a flag that the parser does not know."""
    flags = [argument for argument in rest if argument.startswith("-") and argument not in ("-", "--")]
    if flags:
        _unknown_flag(parser, flags[0])
    return [argument for argument in rest if argument != "--"]


def refuse_further(parser: Parser, names: Sequence[str]) -> None:
    """Raise for what nobody asked for."""
    if names:
        raise UsageError(f"unexpected argument {names[0]}; {parser.format_usage().strip()}")


def _unknown_flag(parser: Parser, argument: str) -> NoReturn:
    flag = argument.partition("=")[0]
    known = [spelling for action in parser._actions for spelling in action.option_strings]  # noqa: SLF001 - no accessor
    meant = COMMANDS.get(flag, "") or suggest_word(flag, [spelling for spelling in known if spelling.startswith("--")])
    if not meant and (setting := suggest_setting(SCHEMA, flag.lstrip("-"))):
        meant = f"--set {setting.key}=…"
    hint = f"did you mean {meant}" if meant else "--help lists all"
    raise UsageError(f"unknown flag {flag}; {hint}")


def _application(given: Given, name: str) -> None:
    if name.endswith((".yaml", ".yml")):
        raise UsageError(f"expected {APPLICATION}, got {name}; did you mean -c {name}")
    given.add("application", APPLICATION, name)
