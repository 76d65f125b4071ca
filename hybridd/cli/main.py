"""The command ``hybridd``: find the command, run it, say in one line what went wrong.

Each command is a module that is imported only when it is asked for; nothing else is, so that `hybridd health`, which
runs every few seconds in a container, starts quickly.

Knows:     the names of the commands, and errors with their exit codes.
Never:     what a command does.
Runs in:   the process that was started; with ``run`` it becomes the master.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from hybridd.errors import ConfigurationError, ExitCode, HybriddError, UsageError

# 128 + SIGINT, what a shell reports for a command that Ctrl-C ended.
INTERRUPTED = 130

COMMANDS = {
    "run": "serve an application",
    "check": "say everything that is wrong with a configuration",
    "print-config": "print every setting with its value and where it comes from",
    "health": "ask a running hybridd whether it is ready",
    "status": "show how a running hybridd is, or what its workers died of",
    "top": "watch the workers of a running hybridd, with keys for the verbs",
    "reload": "take the newest configuration and code, and wait for the verdict",
    "scale": "change the number of workers",
    "worker": "replace one worker: worker restart SLOT",
    "upgrade": "replace the whole process by what is installed now, and wait for the verdict",
    "drain": "stop gracefully and wait for the end",
    "stop": "stop, and cut what does not end in time",
    "reopen-logs": "open the log files again",
    "stacks": "show where every thread of the workers stands",
    "compare": "measure the patterns side by side",
}

FLAGS = ("--help", "--version")

HELP = f"""\
usage: hybridd COMMAND [ARGUMENT]...

A prefork hybrid server for WSGI applications and raw TCP protocols.

commands:
{"".join(f"  {name:14}{summary}{chr(10)}" for name, summary in COMMANDS.items())}
  hybridd COMMAND --help   says more about one of them
  hybridd --version        versions of hybridd, Python and the libraries

first steps:
  hybridd run                                   the built-in welcome page on port 8080
  hybridd run shop.wsgi:application -w 4        an application, with four workers
  hybridd run -c hybridd.yaml                   everything from a file

exit status: 0 clean, 1 unexpected, 2 wrong command line, 69 cannot bind, 70 the application or the workers
cannot boot, 71 the system refuses something, 78 wrong configuration.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that ``arguments`` (by default those of the process) ask for; return the exit status."""
    try:
        status = _dispatch(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
    except HybriddError as error:
        complain(error)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone (`| head`); Python would complain again when it flushes at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.UNEXPECTED
    return status


def complain(error: HybriddError) -> None:
    """Write what went wrong to standard error, each problem on a line of its own."""
    problems = error.problems if isinstance(error, ConfigurationError) else (str(error),)
    for problem in problems:
        sys.stderr.write(f"hybridd: {problem}\n")


def _dispatch(arguments: list[str]) -> int:
    if not arguments:
        raise UsageError(f"expected a command: {', '.join(COMMANDS)}; hybridd --help says more")
    name, *rest = arguments
    if name in ("-h", "--help"):
        sys.stdout.write(HELP)
        return ExitCode.CLEAN
    if name in ("-V", "--version"):
        from hybridd.cli.version import version_text  # noqa: PLC0415 - only when asked for

        sys.stdout.write(version_text())
        return ExitCode.CLEAN
    if name not in COMMANDS:
        _unknown(name, rest)
    status: int = importlib.import_module(f"hybridd.cli.{name.replace('-', '_')}").main(rest)
    return status


def _unknown(name: str, rest: list[str]) -> NoReturn:
    """Refuse what is no command, with what was probably meant."""
    from hybridd.config.suggestion import suggest_word  # noqa: PLC0415 - only when needed

    meant = {"help": "--help", "version": "--version"}.get(name) or suggest_word(name, (*COMMANDS, *FLAGS))
    if not meant and (name.startswith("-") or ":" in name):
        meant = " ".join(["run", name, *rest])
    if not meant and name.endswith((".yaml", ".yml")):
        meant = f"run -c {name}"
    hint = f"did you mean hybridd {meant}" if meant else "hybridd --help says more"
    raise UsageError(f"expected a command ({', '.join(COMMANDS)}), got {name}; {hint}")
