"""Become a daemon, and let the command that was typed end with its verdict.

    launch()──fork──┬─ the command: a Launcher, which waits on a pipe
                    └─ python-daemon: fork, setsid, fork ── the daemon, which has the pipe's other end: a Verdict

The command ends with 0 when the daemon says that it is ready, and otherwise as the daemon did: its exit status and
its sentence; a daemon that dies without a word is end-of-file on the pipe.

Knows:     fork(2), pipe(7), python-daemon.
Never:     what the daemon does.
Runs in:   the process that was started, and in the daemon.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from hybridd.errors import ExitCode, HybriddError, OperatingSystemError
from hybridd.ops.task_limit import refusal

_SOON: Final = 5.0  # seconds in which a daemon that was forked says its number
LONGEST: Final = 32 * 1024  # bytes of a verdict; a pipe takes them without a reader: the command may be suspended


class StillbornError(HybriddError):
    """The daemon ended before it was ready; with its exit code and its words."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.exit_code = ExitCode(code) if code in set(ExitCode) else ExitCode.UNEXPECTED


@dataclass(frozen=True, slots=True)
class Report:
    """What has come through the pipe: who the daemon is, whether it is ready, or how it ended."""

    pid: int = 0
    ready: bool = False
    code: int | None = None
    text: str = ""


class Verdict:
    """The daemon's end of the pipe; says one verdict and no second one.  Without a launcher it says nothing."""

    def __init__(self, fd: int = -1) -> None:
        self._fd = fd
        self._send(f"pid {os.getpid()}\n")

    def ready(self) -> None:
        """We serve."""
        self._send("ready\n")
        self.close()

    def failed(self, code: int, text: str) -> None:
        """We end with this exit code, for this reason."""
        self._send(f"failed {code}\n{text}")
        self.close()

    def close(self) -> None:
        """Let go of the pipe; also in a forked child, which is no daemon."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _send(self, text: str) -> None:
        if self._fd >= 0:
            with suppress(OSError):  # the launcher was interrupted, and nobody listens any more
                os.write(self._fd, text.encode(errors="backslashreplace")[:LONGEST])


@dataclass(frozen=True, slots=True)
class Launcher:
    """The command's end of the pipe; ``child`` is the first process on the way to the daemon."""

    child: int
    fd: int

    def wait(self, log: str) -> int:
        """Return 0 once the daemon is ready.

        Args:
            log: where the daemon says more, for a person.

        Raises:
            StillbornError: it never was.
        """
        said = bytearray()
        try:
            while self._hear(said, None):
                pass
        except KeyboardInterrupt:
            # Its number may be on its way still: without it nobody would end what Ctrl-C was meant for.
            while not understand(bytes(said)).pid and self._hear(said, _SOON):
                pass
            _stop(understand(bytes(said)).pid)
            raise
        finally:
            os.close(self.fd)
        os.waitpid(self.child, 0)
        report = understand(bytes(said))
        if report.ready:
            return ExitCode.CLEAN
        if report.code is None:
            text = f"the daemon ended before it was ready, without a word; its log is {log}"
            raise StillbornError(text, ExitCode.UNEXPECTED)
        # Stopped by a signal it ends with 0, but 0 is promised for one that serves.
        stopped = f"the daemon was stopped before it was ready; its log is {log}"
        raise StillbornError(report.text or stopped, report.code or ExitCode.UNEXPECTED)

    def _hear(self, said: bytearray, seconds: float | None) -> bool:
        """Add what comes within ``seconds`` to ``said``; False at the end, or when nothing came."""
        if not select.select([self.fd], [], [], seconds)[0]:  # Ctrl-C is raised here, or behind the block
            return False
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # else between the read and its result's arrival
        try:
            piece = os.read(self.fd, LONGEST)
            said += piece
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        return bool(piece)


def understand(said: bytes) -> Report:
    """Read what came through the pipe, the beginning of it too."""
    pid, ready, code, text = 0, False, None, ""
    lines = said.decode(errors="replace").split("\n")
    for index, line in enumerate(lines[:-1]):  # the last one has no end yet, or is empty
        word, _, rest = line.partition(" ")
        match word:
            case "pid":
                pid = int(rest)
            case "ready":
                ready = True
            case "failed":
                code, text = int(rest), "\n".join(lines[index + 1 :])
                break
    return Report(pid, ready, code, text)


def _stop(pid: int) -> None:
    """Ctrl-C means the daemon, too, as long as it does not serve."""
    if pid:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGTERM)


def launch(keep: Collection[int], undo: Callable[[], None]) -> Launcher | Verdict:
    """Fork a daemon.  Returns twice, as fork(2) does: a Launcher in this process, a Verdict in the daemon.

    The daemon keeps the working directory, the umask and its user; its standard streams are /dev/null.

    Args:
        keep: descriptors that the daemon needs; all others are closed in it.
        undo: takes back what is there for the daemon already; called when there will be none.

    Raises:
        OperatingSystemError: there may be no further process.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    reader, writer = os.pipe()
    try:
        child = os.fork()
    except OSError as error:
        os.close(reader)
        os.close(writer)
        undo()
        raise OperatingSystemError(_why_not(error)) from None
    if child:
        os.close(writer)
        return Launcher(child, reader)
    os.close(reader)
    try:
        _detach({*keep, writer})
    except OSError as error:
        undo()
        Verdict(writer).failed(ExitCode.SYSTEM, _why_not(error))
        os._exit(ExitCode.SYSTEM)
    return Verdict(writer)


def _why_not(error: OSError) -> str:
    cause = error.__cause__  # what the kernel said, of an error of python-daemon's
    return f"cannot become a daemon: {refusal(cause if isinstance(cause, OSError) else error)}"


def _detach(keep: set[int]) -> None:
    import daemon.daemon  # noqa: PLC0415 - only a daemon needs it

    # python-daemon closes every number up to the hard limit.  That is 10^9 in some containers, and minutes where
    # close_range(2) is missing or forbidden: up to the highest that is open will do.
    daemon.daemon._total_file_descriptor_range = range(highest_open() + 1)  # noqa: SLF001 - there is no other way
    umask = os.umask(0)
    daemon.DaemonContext(
        detach_process=True,  # it would not, below a process of number 1 or with a socket for standard input
        working_directory=os.getcwd(),  # noqa: PTH109 - text
        umask=umask,
        prevent_core=False,
        signal_map={},  # handlers are the master's
        files_preserve=sorted(keep),
    ).open()


def highest_open() -> int:
    """Return the highest descriptor that this process has open."""
    return max(int(name) for name in os.listdir("/proc/self/fd"))  # noqa: PTH208 - numbers


def fill_standard_streams() -> None:
    """Open /dev/null for each standard stream that whoever started us has closed; else a socket gets its number."""
    while True:
        fd = os.open(os.devnull, os.O_RDWR)
        if fd > 2:  # noqa: PLR2004 - standard error
            os.close(fd)
            break
        os.set_inheritable(fd, True)
    for name, fd in (("stdin", 0), ("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, open(fd, "w" if fd else "r", closefd=False))  # noqa: SIM115 - it is to stay
