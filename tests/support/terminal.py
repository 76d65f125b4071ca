"""A command on a real pseudo-terminal: what stands on its screen, what is typed, how it leaves the terminal.

Knows:     pyte, a terminal in memory; termios.
Runs in:   the test process, which is the terminal.
"""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence
from typing import Any, Self

import pyte

from tests.support.command import environment_of_tests
from tests.support.server import APPS
from tests.support.waiting import wait_until

_ALTERNATE = (b"\x1b[?1049h", b"\x1b[?1049l")
_CURSOR = (b"\x1b[?25l", b"\x1b[?25h")


def _environment() -> dict[str, str]:
    """Return the environment of a command whose window says how large it is.

    The C library readline leaves COLUMNS and LINES to what is started where it is loaded (pytest loads it, before it
    starts the processes of pytest-xdist), and both outweigh the window.
    """
    kept = {key: value for key, value in environment_of_tests().items() if key not in {"COLUMNS", "LINES"}}
    return {**kept, "TERM": "xterm-256color"}


class TerminalCommand:
    """One ``hybridd`` command whose input, output and errors are a terminal of ours."""

    def __init__(self, arguments: Sequence[str], *, columns: int = 100, lines: int = 24) -> None:
        self._master, self._slave = os.openpty()
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._written = b""
        self.resize(columns, lines)
        self._before = termios.tcgetattr(self._slave)
        # Its controlling terminal too, so that Ctrl-C and the size of the window reach it.
        self.process = subprocess.Popen(
            ["setsid", "--ctty", sys.executable, "-W", "error", "-m", "hybridd", *arguments],
            cwd=APPS,
            env=_environment(),
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(5)
        os.close(self._master)
        os.close(self._slave)

    def resize(self, columns: int, lines: int) -> None:
        """Give the window another size."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self._screen.resize(lines, columns)

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._master, keys)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    @property
    def text(self) -> str:
        """What stands on the screen now."""
        while select.select([self._master], [], [], 0)[0]:
            data = os.read(self._master, 65536)
            self._written += data
            self._stream.feed(data)
        return "\n".join(line.rstrip() for line in self._screen.display)

    def wait_for(self, pattern: str, *, within: float = 20) -> re.Match[str]:
        """Wait until this stands on the screen."""

        def hopeless() -> str:
            return "" if self.process.poll() is None else f"it ended with status {self.process.returncode}"

        def found() -> list[re.Match[str]]:
            match = re.search(pattern, self.text, re.MULTILINE)
            return [match] if match else []

        return wait_until(
            found,
            within=within,
            what=lambda: f"{pattern!r} on the screen:\n{self.text}",
            hopeless=hopeless,
        )[0]

    def wait_ended(self, within: float = 10) -> int:
        """Wait for its end and return its exit status; the terminal must be as it was."""

        def ended() -> bool:
            _ = self.text  # read on: who writes to a full terminal does not end
            return self.process.poll() is not None

        wait_until(ended, within=within, what=lambda: f"its end; on the screen:\n{self.text}")
        assert self.restored(), "the terminal was not restored"
        status: int = self.process.returncode
        return status

    def restored(self) -> bool:
        """Whether modes, screen and cursor are as they were at the start."""
        _ = self.text
        settings: list[Any] = termios.tcgetattr(self._slave)
        shown = all(self._written.rfind(begin) < self._written.rfind(end) for begin, end in (_ALTERNATE, _CURSOR))
        return settings == self._before and shown
