"""The client process: reads commands, one JSON object a line, and answers each with one line.

It is a process of its own so that its work is not the command's, and so that it can say how much of its CPU it used:
more than 90 % means that it, and not the server, was the limit.

Knows:     the names of the commands and what they take.
Never:     outlives its standard input; what a figure means.
Runs in:   ``python -m hybridd.compare.client [CPU]``, one thread.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hybridd.compare.burst import Burst
from hybridd.compare.crowd import Crowd
from hybridd.compare.exchange import pin, request_bytes
from hybridd.compare.footprint import Process, members
from hybridd.compare.load import Load


class Commands:
    """What can be asked for; every value is JSON."""

    def __init__(self) -> None:
        self._crowd: Crowd | None = None
        self._guarded: set[Process] = set()

    def load(self, *, port: int, path: str, connections: int, seconds: float) -> Any:
        """Ask as fast as answers come."""
        return Load(port, request_bytes(path, port), connections).run(seconds)

    def burst(self, *, port: int, requests: list[tuple[float, str]], patience: float, linger: float) -> Any:
        """Ask once per client."""
        prepared = [(delay, request_bytes(path, port)) for delay, path in requests]
        return Burst(port, patience, linger).run(prepared)

    def gather(self, *, port: int, size: int) -> Any:
        """Let slow clients come."""
        self._crowd = Crowd(port, size)
        return self._crowd.trickle(0.0)

    def trickle(self, *, seconds: float) -> Any:
        """Let those clients be slow for some seconds."""
        assert self._crowd is not None
        return self._crowd.trickle(seconds)

    def fresh(self, *, port: int, path: str, seconds: float, most: int, patience: float) -> Any:
        """Let fresh clients ask, with the crowd around them if there is one."""
        crowd = self._crowd or Crowd(port, 0)
        request = request_bytes(path, port, close=True)
        try:
            return crowd.fresh(request, seconds=seconds, most=most, patience=patience)
        finally:
            if crowd is not self._crowd:
                crowd.leave()

    def disperse(self) -> Any:
        """Let the slow clients go."""
        if self._crowd is not None:
            self._crowd.leave()
            self._crowd = None
        return {}

    def guard(self, *, session: int) -> Any:
        """Know a server, by the first process of its session, to end it when the command goes without doing so."""
        self._guarded.update(process for process in members(session) if process.pid == session)
        return {}

    def end_guarded(self) -> None:
        """End the servers that are still there."""
        for guarded in self._guarded:
            for process in members(guarded.session):
                if (process.pid, process.started) == (guarded.pid, guarded.started):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(process.pid, signal.SIGQUIT)


def answers(lines: Iterator[str], commands: Commands) -> Iterator[Any]:
    """Carry out the commands; a command that fails is answered with its error."""
    for line in lines:
        asked: Mapping[str, Any] = json.loads(line)
        command: Callable[..., Any] = getattr(commands, asked["command"])
        try:
            yield {"result": command(**asked["with"])}
        except OSError as error:  # no descriptors, no ports left
            yield {"error": error.strerror or str(error)}


def main(arguments: list[str]) -> int:
    """Serve until the end of the standard input."""
    pin(int(arguments[0]) if arguments else None)
    commands = Commands()
    try:
        for answer in answers(iter(sys.stdin.readline, ""), commands):
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains when it flushes
    commands.end_guarded()  # none, unless who asked has been killed
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
