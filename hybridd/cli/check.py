"""``hybridd check``: say everything that is wrong with a configuration, and start nothing.

Knows:     the flags of the command, and the facts about this machine that advice needs.
Never:     what is unwise (config.advice), what a worker does; with ``--load`` a child process loads the application.
Runs in:   the command line tool.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from hybridd.cli.arguments import Parser, add_settings, new_parser, read
from hybridd.config.advice import Facts, advise, directory_of, places
from hybridd.config.conversion import format_duration
from hybridd.config.loading import Loaded
from hybridd.config.problem import Problem
from hybridd.config.settings import Config
from hybridd.errors import BootError, ConfigurationError, ExitCode
from hybridd.master import certificates
from hybridd.ops.accept_queue import somaxconn
from hybridd.ops.accounts import UnknownAccountError, identify
from hybridd.ops.cpus import available_cpus
from hybridd.ops.signal_names import signal_name

DESCRIPTION = """\
Check the configuration that hybridd run would have with the same arguments. Every problem is told at once, as
FILE:LINE:COLUMN: KEY: expected …, got …. Exit status: 0 right, 78 wrong, 70 the application cannot be loaded."""


def make_parser() -> Parser:
    """Return what it understands."""
    parser = new_parser("check", DESCRIPTION, positional=True)
    parser.add_argument("--strict", action="store_true", help="refuse also what is legal but unwise on this machine")
    parser.add_argument("--load", action="store_true", help="load the application too, in a process of its own")
    add_settings(parser)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Print the verdict, return the exit status."""
    given = read(make_parser(), arguments, positional=True)
    try:
        loaded = given.load()
    except ConfigurationError as error:
        return _refuse(error.problems)
    try:
        found = certificates.read(loaded.config, loaded.sources.directory)
    except certificates.CertificatesError as error:
        return _refuse(error.problems)
    warnings = [*loaded.warnings, *found.remarks(time.time()), *later(loaded), *unknown_accounts(loaded)]
    if given.options.strict:
        warnings += advice(loaded)
    if given.options.strict and warnings:
        return _refuse(warnings)
    for warning in warnings:
        sys.stderr.write(f"{warning}\n")
    if given.options.load:
        try_loading(loaded.config)
    for file in given.files or [Path("configuration")]:
        sys.stdout.write(f"{file}: ok\n")
    return ExitCode.CLEAN


def _refuse(problems: Sequence[str]) -> int:
    """Write problems like a compiler does, without our name before them: editors jump to the place."""
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    return ExitCode.CONFIGURATION


def advice(loaded: Loaded) -> list[str]:
    """Return what is unwise here, each with the place of its value."""
    found = advise(loaded.config, facts(loaded.config))
    return [str(Problem(loaded.origins[one.key], one.text, one.key)) for one in found]


def later(loaded: Loaded) -> list[str]:
    """Return what will not work once root's rights are given up; only root sees it."""
    with suppress(UnknownAccountError):
        identity = identify(loaded.config.user, loaded.config.group)
        if identity is not None and os.geteuid() == 0:
            return list(certificates.unreadable_later(loaded.config, loaded.sources.directory, identity))
    return []


def unknown_accounts(loaded: Loaded) -> list[str]:
    """Return who is named but does not exist here; a warning only, for hybridd may run on another machine."""
    try:
        identify(loaded.config.user, loaded.config.group)
    except UnknownAccountError as error:
        return [str(Problem(loaded.origins[error.key], str(error), error.key))]
    return []


def facts(config: Config) -> Facts:
    """Look at this machine."""
    directories = {directory_of(key, path) for key, path in places(config)}
    return Facts(
        cpus=available_cpus(),
        somaxconn=somaxconn() or 0,
        descriptors=max(0, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),  # -1 is no limit
        missing=frozenset(one for one in directories if not os.path.isdir(one)),  # noqa: PTH112 - text, not a Path
    )


def try_loading(config: Config) -> None:
    """Load the application in a child, as a worker would; raises BootError."""
    named = config.protocol or config.application
    if not named:
        return  # the welcome page
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "hybridd.cli.trial", *trial_arguments(config)],
            cwd=config.chdir or None,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            stderr=subprocess.PIPE,
            timeout=config.timeouts.boot,
            check=False,
        )
    except subprocess.TimeoutExpired:
        seconds = format_duration(config.timeouts.boot)
        raise BootError(f"{named} did not load within {seconds} (timeouts.boot)") from None
    except OSError as error:
        raise BootError(f"chdir: cannot enter {config.chdir}: {error.strerror}") from None
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode:
        raise BootError(failure(named, done.returncode, said))
    if said:
        sys.stderr.write(f"{said}\n")


def trial_arguments(config: Config) -> list[str]:
    """Return what hybridd.cli.trial must be told."""
    kind, named = ("protocol", config.protocol) if config.protocol else ("application", config.application)
    return [kind, named, *(["--factory"] if config.factory else [])]


def failure(named: str, status: int, said: str) -> str:
    """Return what to say about a child that did not load the application; it explains itself when it can."""
    if status == ExitCode.CANNOT_BOOT and said:
        return said
    ending = f"was killed by {signal_name(-status)}" if status < 0 else f"ended its process with status {status}"
    return f"{named} {ending} while it was loaded{f':{chr(10)}{said}' if said else ''}"
