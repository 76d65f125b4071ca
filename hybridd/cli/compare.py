"""``hybridd compare``: the patterns under the same work, side by side.

Knows:     the flags of the command; where table, page and figures go.
Never:     how anything is measured.
Runs in:   the command line tool, which starts servers and a load client as child processes.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hybridd.cli.arguments import Given, Parser, add_settings, new_parser, read
from hybridd.cli.check import try_loading
from hybridd.compare import page, record, table, wrk
from hybridd.compare.figures import Comparison
from hybridd.compare.interruption import Interruption, interruptible
from hybridd.compare.patterns import PATTERNS, choose
from hybridd.compare.progress import progress_on
from hybridd.compare.session import Session
from hybridd.compare.wishes import BUILT_IN, Routes, Wishes, missing
from hybridd.config.kind import Kind, Raw, Refused
from hybridd.config.quantities import duration, integer
from hybridd.config.settings import MOST_WORKERS, Config
from hybridd.config.words import choice
from hybridd.errors import BootError, ExitCode, OperatingSystemError, UsageError

DESCRIPTION = """\
Serve one application in each pattern in turn, on a private port, put the same work on it, and show the difference:
load, handlers that sleep, slow clients, what open connections and a crash cost, a full backlog. Without an application
a built-in demonstration is served. Ctrl-C ends it and shows what was measured."""

_KINDS: dict[str, tuple[str, Kind, str]] = {
    "duration": ("4s", duration(0.2, 60, "4s"), "how long to put load on each pattern"),
    "concurrency": ("16", integer(1, 500), "connections of that load"),
    "sleep": ("1s", duration(0.1, 10, "1s"), "how long handlers of the demonstration sleep"),
    "clients": ("3", integer(1, 50), "clients of the demonstration"),
    "workers": ("3", integer(1, min(64, MOST_WORKERS)), "workers of the patterns that have several"),
    "load": ("own", choice("own", "wrk"), "who makes the load: hybridd's own client, or wrk"),
}
_OURS = ("listen", "admin", "pattern", "workers", "daemon", "pid_file", "log.file", "log.level", "access_log.file")
"""Settings that every server gets from us."""

_WIDEST = 132


def main(arguments: Sequence[str]) -> int:
    """Compare, print the table, write what was asked for; return the exit status."""
    wishes, options = read_wishes(arguments)
    files = {Path(path): kind for path, kind in ((options.report, "report"), (options.json, "json")) if path}
    for path in files:
        _require_writable(path)
    session = Session(wishes, progress_on(sys.stderr))
    status: int = ExitCode.CLEAN
    try:
        with interruptible():
            session.run()
    except Interruption as interruption:
        status = 128 + interruption.number  # what a shell reports for a command that a signal ended
    found = session.comparison()
    sys.stdout.write(table.render(found, min(_WIDEST, shutil.get_terminal_size((_WIDEST, 24)).columns)))
    for path, kind in files.items():
        _write(path, found, kind, arguments)
    if status == ExitCode.CLEAN and any(row.problem for row in found.rows):
        return ExitCode.UNEXPECTED
    return status


def read_wishes(arguments: Sequence[str]) -> tuple[Wishes, Any]:
    """Return what is to be compared, and the options that are left.

    Raises:
        UsageError, ConfigurationError, BootError: before anything is started.
    """
    given = read(make_parser(), arguments, positional=True)
    options = given.options
    numbers = {name: _convert(name, getattr(options, name)) for name in _KINDS}
    patterns = choose(options.patterns)
    if numbers["load"] == "wrk":
        wrk.require()
    taken = next((key for key in given.flags if key in _OURS), None)
    if taken:
        raise UsageError(f"{given.flags[taken][0].spelling}: hybridd compare sets it itself")
    config = given.load().config
    if config.protocol:
        raise UsageError("protocol: hybridd compare speaks HTTP only; give it a WSGI application")
    own = bool(config.application)
    if not own and (options.sleep_path or options.crash_path or options.path != "/"):
        raise UsageError("--path, --sleep-path and --crash-path are routes of an application: name it")
    if own:
        try:
            try_loading(config)
        except BootError as error:
            first, _, more = str(error).partition("\n")
            raise BootError(f"{first}; hybridd check --load shows where" if more else first) from None
    routes = Routes(options.path, options.sleep_path, options.crash_path, own=True) if own else Routes()
    wishes = Wishes(arguments=_servers(given, config), patterns=patterns, routes=routes, **numbers)
    if absent := missing(routes):
        sys.stderr.write(f"hybridd: {absent}\n")
    return wishes, options


def make_parser() -> Parser:
    """Return what it understands."""
    parser = new_parser("compare", DESCRIPTION, positional=True)
    group = parser.add_argument_group("what to compare")
    names = ",".join(pattern.name for pattern in PATTERNS)
    group.add_argument("--patterns", metavar="NAME,...", default=names, help=f"default: {names}")
    for name, (default, kind, text) in _KINDS.items():
        metavar = kind.metavar.partition("|")[0] if name != "load" else kind.metavar
        group.add_argument(f"--{name}", metavar=metavar, default=default, help=f"{text} (default {default})")
    group = parser.add_argument_group("the application")
    add = group.add_argument
    add("--path", metavar="PATH", default="/", help="what the load asks for (default /)")
    add("--sleep-path", metavar="PATH", default="", help="a route that sleeps as long as --sleep says, or {} in it")
    add(
        "--crash-path",
        metavar="PATH",
        default="",
        help="a route that kills its process, after {} seconds if {} is in it",
    )
    add_settings(parser, "factory", "chdir")
    group = parser.add_argument_group("results")
    group.add_argument("--report", metavar="FILE.html", default="", help="write a page with charts")
    group.add_argument("--json", metavar="FILE", default="", help="write all figures as JSON")
    return parser


def _convert(name: str, text: str) -> Any:
    try:
        return _KINDS[name][1].convert(Raw(text))
    except Refused as refused:
        raise UsageError(f"--{name}: {refused}") from None


def _servers(given: Given, config: Config) -> tuple[str, ...]:
    """Return what every server gets on its command line.

    They serve for seconds, for us alone, as whoever has typed this (as whom we have loaded the application already):
    root, if no other user is named.
    """
    files = [part for path in given.files for part in ("--config", str(path))]
    settings = [
        part
        for key, flags in given.flags.items()
        if key != "application"
        for flag in flags
        for part in ("--set", f"{key}={flag.text}")
    ]
    told = () if config.user or os.geteuid() != 0 else ("--user", "root")
    return (config.application or BUILT_IN, *files, *settings, *told)


def _require_writable(path: Path) -> None:
    """Raise UsageError now rather than lose the figures at the end."""
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UsageError(f"cannot write {path}")


def _write(path: Path, found: Comparison, kind: str, arguments: Sequence[str]) -> None:
    text = (
        record.render(found) if kind == "json" else page.render(found, shlex.join(["hybridd", "compare", *arguments]))
    )
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OperatingSystemError(f"cannot write {path}: {error.strerror}") from None
