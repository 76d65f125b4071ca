"""One hybridd as a child process: started on a loopback port of the system's choice, known only from outside.

It says READY=1 to the NOTIFY_SOCKET that stands here in systemd's place; then /status says which port it has.

Knows:     hybridd's command line, sd_notify(3), /status.
Never:     what goes on inside.
Runs in:   the command line tool.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from hybridd.compare.exchange import HOST
from hybridd.compare.footprint import members
from hybridd.compare.interruption import deferred
from hybridd.errors import BootError

# What would make a child believe that somebody else started it.
_OUTSIDE = re.compile(r"LISTEN_|NOTIFY_SOCKET$|WATCHDOG_|RUNTIME_DIRECTORY$|WEB_CONCURRENCY$")
_BOOT_SECONDS = 30.0
_STOP_SECONDS = 3.0
_LOOK_SECONDS = 0.1
_ADMIN_SECONDS = 5.0
_LONGEST_PATH = 80  # sun_path has 108 bytes (unix(7)), and names of ours follow


class Server:
    """A running server; leaving the ``with`` ends it and everything it has started.

    Attributes:
        port: where it serves.

    ``spawned`` is called with that number as soon as there is one.
    """

    def __init__(self, arguments: Sequence[str], spawned: Callable[[int], object]) -> None:
        self.port = 0
        self._arguments = arguments
        self._spawned = spawned
        self._process: subprocess.Popen[bytes] | None = None
        self._scratch = tempfile.TemporaryDirectory(prefix="hybridd-compare-", dir=_scratch_parent())
        self._folder = Path(self._scratch.name)

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def session(self) -> int:
        """The number of its session, which every process of it is in: that of its first process (setsid(2))."""
        assert self._process is not None, "not started"
        return self._process.pid

    def stop(self) -> None:
        """End it: asked first, then killed; a second Ctrl-C meanwhile changes nothing."""
        with deferred():
            if self._process is not None:
                self._end(self._process)
                self._process = None
            self._scratch.cleanup()

    def said(self) -> str:
        """Return its error log."""
        return (self._folder / "log").read_text(errors="replace")

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """End all of its session; the first process is reaped last, so that the number is nobody else's meanwhile."""
        ended = os.pidfd_open(process.pid)
        try:
            process.send_signal(signal.SIGQUIT)
            select.select([ended], [], [], _STOP_SECONDS)
            end = time.monotonic() + _STOP_SECONDS
            while (left := members(process.pid)) and time.monotonic() < end:
                for one in left:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(one.pid, signal.SIGKILL)
                select.select([ended], [], [], _LOOK_SECONDS)
        finally:
            os.close(ended)
        process.wait()

    def _start(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(str(self._folder / "notify"))
            with deferred(), (self._folder / "log").open("ab") as log:
                self._process = self._spawn(log)
            self._spawned(self.session)
            self._wait_ready(notify, self._process)
        self.port = port_of(self._status())

    def _spawn(self, log: BinaryIO) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [
                *(*python_module("hybridd"), "run", *self._arguments),
                *("--bind", f"{HOST}:0", "--admin", f"unix:{self._folder}/admin"),
                *("--access-log", "off", "--log-file", "-", "--log-level", "warning"),
                *("--set", "daemon=false", "--set", "pid_file="),
            ],
            env={**environment(os.environ), "NOTIFY_SOCKET": str(self._folder / "notify")},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # a terminal's Ctrl-C is for us
        )

    def _wait_ready(self, notify: socket.socket, process: subprocess.Popen[bytes]) -> None:
        notify.settimeout(_LOOK_SECONDS)
        end = time.monotonic() + _BOOT_SECONDS
        while time.monotonic() < end:
            try:
                if b"READY=1" in notify.recv(65536).split(b"\n"):
                    return
            except TimeoutError:
                status = process.poll()
                if status is not None:
                    raise BootError(f"it ended with status {status}: {last_line(self.said())}") from None
        raise BootError(f"it was not ready within {_BOOT_SECONDS:g} s: {last_line(self.said())}")

    def _status(self) -> Mapping[str, Any]:
        with socket.socket(socket.AF_UNIX) as admin:
            admin.settimeout(_ADMIN_SECONDS)
            admin.connect(f"{self._folder}/admin")
            admin.sendall(b"GET /status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            with admin.makefile("rb") as stream:
                _, _, body = stream.read().partition(b"\r\n\r\n")
        try:
            found: Mapping[str, Any] = json.loads(body)
        except ValueError:
            raise BootError(f"/status is not JSON: {body[:80]!r}") from None
        return found


def python_module(name: str) -> list[str]:
    """Return the command that runs one of our modules as this process was run.

    ``-m`` alone would look into the current directory first, where a project may have a folder of the same name.
    """
    from_here = any(entry in ("", str(Path.cwd())) for entry in sys.path)  # as in ``python -m hybridd``
    return [sys.executable, *([] if from_here else ["-P"]), "-m", name]


def environment(ours: Mapping[str, str]) -> dict[str, str]:
    """Return what of our environment a child gets."""
    return {key: value for key, value in ours.items() if not _OUTSIDE.match(key)}


def port_of(status: Mapping[str, Any]) -> int:
    """Return the port of the first listener that /status names."""
    return int(str(status["listeners"][0]["address"]).rpartition(":")[2])


def last_line(log: str) -> str:
    """Return the last line of a log that begins a message; a traceback's lines do not."""
    lines = [line for line in log.splitlines() if line.strip() and not line.startswith((" ", "Traceback"))]
    return lines[-1] if lines else "it said nothing"


def _scratch_parent() -> str | None:
    """Return where a Unix socket can be: a long TMPDIR is no place for it."""
    return "/tmp" if len(tempfile.gettempdir()) > _LONGEST_PATH else None  # noqa: S108 - a private directory in it
