"""The one tree of errors: each knows its consequence.

An error that ends the program knows its exit code (sysexits(3) where one fits); an error that ends a
request knows its HTTP status.  Nobody maps exceptions to codes in a ladder of ``isinstance``.

Knows:     nothing; every other package may import it.
Runs in:   every process.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Final


class ExitCode(IntEnum):
    """What the exit status of ``hybridd`` means; documented in docs/operations.md."""

    CLEAN = 0
    UNEXPECTED = 1
    USAGE = 2
    CANNOT_BIND = 69  # EX_UNAVAILABLE
    CANNOT_BOOT = 70  # EX_SOFTWARE
    SYSTEM = 71  # EX_OSERR
    CONFIGURATION = 78  # EX_CONFIG


MEANINGS: Final = {
    ExitCode.CLEAN: ("stopped as asked", ""),
    ExitCode.UNEXPECTED: ("unexpected: a defect", "start it again"),
    ExitCode.USAGE: ("the command line is wrong", "not try again"),
    ExitCode.CANNOT_BIND: ("an address cannot be bound; the log names it", "try again later"),
    ExitCode.CANNOT_BOOT: (
        "the application or the workers cannot boot; the traceback is in the log",
        "try again, after a deploy",
    ),
    ExitCode.SYSTEM: (
        "the operating system refused something, or another hybridd has the PID file",
        "try again later",
    ),
    ExitCode.CONFIGURATION: ("the configuration is wrong; every problem is listed with its place", "not try again"),
}
"""What each means when ``hybridd run`` ends with it, and what a supervisor should do."""


def table() -> str:
    """Return the table of the manual, in Markdown."""
    rows = (f"| {code:d} | {meaning} | {advice} |\n" for code, (meaning, advice) in MEANINGS.items())
    return "| code | meaning | a supervisor should |\n|---|---|---|\n" + "".join(rows)


class HybriddError(Exception):
    """Something that ends the program, with one sentence for the operator."""

    exit_code = ExitCode.UNEXPECTED


class SpoolFullError(OSError):
    """Temporary files have all that ``limits.spool`` allows them."""


class UsageError(HybriddError):
    """The command line is wrong."""

    exit_code = ExitCode.USAGE


class ConfigurationError(HybriddError):
    """The configuration is wrong; carries every problem found, each a whole sentence with its place."""

    exit_code = ExitCode.CONFIGURATION

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class BindError(HybriddError):
    """A listener cannot be bound or adopted; the sentence names its address."""

    exit_code = ExitCode.CANNOT_BIND


class BootError(HybriddError):
    """The application or the workers cannot boot."""

    exit_code = ExitCode.CANNOT_BOOT


class OperatingSystemError(HybriddError):
    """The operating system refused something that hybridd cannot run without."""

    exit_code = ExitCode.SYSTEM


class HttpError(Exception):
    """A request that is refused: answered with ``status``, counted under ``reason``, then closed.

    ``reason`` is one of :class:`hybridd.http.outcome.Rejection`'s values (the label of
    ``hybridd_http_requests_rejected_total``).
    """

    def __init__(self, status: int, reason: str, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.status = status
        self.reason = reason
        self.detail = detail
