"""Our side of the client process (client.py): a command, its answer, a deadline.

Knows:     the process, its two pipes.
Never:     what a command means.
Runs in:   the command line tool.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from types import TracebackType
from typing import IO, Any, Self

from hybridd.compare.interruption import deferred
from hybridd.compare.server import environment, python_module
from hybridd.errors import OperatingSystemError

_GRACE = 15.0
"""Seconds that an answer may take beyond what the command itself takes."""


_LAST_SECONDS = 2.0


class ClientProcess:
    """The load client; leaving the ``with`` ends it."""

    def __init__(self, cpu: int | None) -> None:
        self._cpu = cpu
        self._process: subprocess.Popen[bytes] | None = None
        self._received = b""

    def __enter__(self) -> Self:
        try:
            with deferred():
                self._process = self._spawn()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()

    def _spawn(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [*python_module("hybridd.compare.client"), *([] if self._cpu is None else [str(self._cpu)])],
            env=environment(os.environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # a terminal's Ctrl-C is for us
        )

    def _end(self) -> None:
        if self._process is None:
            return
        with deferred():
            stdin, stdout = self._pipes()
            stdin.close()  # it ends what it guards, and itself, when it is not in the middle of something
            try:
                self._process.wait(_LAST_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            stdout.close()

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        assert self._process is not None, "not started"
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        return self._process.stdin, self._process.stdout

    def ask(self, command: str, within: float, **values: Any) -> Any:
        """Return the result of a command that takes about ``within`` seconds.

        Raises:
            OperatingSystemError: the client cannot do it, or has gone.
        """
        line = json.dumps({"command": command, "with": values}).encode() + b"\n"
        stdin, _ = self._pipes()
        try:
            stdin.write(line)
            stdin.flush()
        except BrokenPipeError:
            raise OperatingSystemError("the load client has ended") from None
        answer = json.loads(self._line(time.monotonic() + within + _GRACE))
        if "error" in answer:
            raise OperatingSystemError(f"the load client: {answer['error']}")
        return answer["result"]

    def _line(self, end: float) -> bytes:
        descriptor = self._pipes()[1].fileno()
        while b"\n" not in self._received:
            if not select.select([descriptor], [], [], max(0.0, end - time.monotonic()))[0]:
                raise OperatingSystemError("the load client does not answer")
            data = os.read(descriptor, 65536)
            if not data:
                raise OperatingSystemError("the load client has ended")
            self._received += data
        line, _, self._received = self._received.partition(b"\n")
        return line
