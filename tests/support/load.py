"""A bounded load of HTTP requests from a process of its own, which counts failures as an operator would.

What a failure is: a request that was being sent or answered and got no whole answer with the expected status, or a
connection that could not be made.  What it is not: an idle keep-alive connection that the server closes between two
requests; it is opened again and only counted as ``reopened``.

Knows:     Content-Length and chunked answers, keep-alive, Connection: close.
Never:     retries; a failed request stays failed.
Runs in:   ``python -m tests.support.load '{json}'``, one thread; the :class:`Load` handle in the test process
           reads one JSON line of progress every tenth of a second and ends it by closing its standard input.
"""

from __future__ import annotations

import errno
import json
import os
import selectors
import socket
import sys
import time
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from enum import Enum, auto
from typing import Any

from tests.support.client import parse_target, request_bytes

PROGRESS_EVERY = 0.1
READ_SIZE = 65536
SAMPLES = 200_000  # latencies kept at most


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send: ``connections`` at once, each waits ``think`` seconds between an answer and its next request.

    ``seconds`` bounds the whole run, ``patience`` one request.
    """

    address: str
    target: str = "/"
    connections: int = 16
    keep_alive: bool = True
    think: float = 0.0
    seconds: float = 60
    patience: float = 15
    method: str = "GET"
    body_size: int = 0
    status: int = 200


@dataclass(slots=True)
class Tally:
    """What happened so far; ``longest_silence`` is the longest time in which no answer at all arrived."""

    answered: int = 0
    failed: int = 0
    reopened: int = 0
    opened: int = 0
    longest_silence: float = 0.0
    failures: dict[str, int] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        """Return the latency in seconds that ``share`` (0..1) of the answers stayed within."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class State(Enum):
    """Where a connection is."""

    CLOSED = auto()
    CONNECTING = auto()
    SENDING = auto()
    RECEIVING = auto()
    IDLE = auto()


class LoadConnection:
    """One client: asks, reads the answer, thinks, asks again."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.state = State.CLOSED
        self.socket: socket.socket | None = None
        self.asked = 0.0
        self.received = bytearray()
        self.unsent = memoryview(b"")

    def ask(self) -> None:
        """Begin a request, on the kept connection when there is one."""
        self.asked = time.monotonic()
        if self.state is State.IDLE and self.socket is not None:
            if not self._has_ended(self.socket):
                self._begin_sending(self.socket)
                return
            self._drop()
            self.run.tally.reopened += 1
        self._open()

    def ready(self) -> None:
        """Go on: the socket can be read or written."""
        try:
            match self.state:
                case State.CONNECTING:
                    assert self.socket is not None
                    problem = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    if problem:
                        self.fail(f"connect: {errno.errorcode.get(problem, problem)}")
                    else:
                        self._begin_sending(self.socket)
                case State.SENDING:
                    self._send()
                case State.RECEIVING:
                    self._receive()
                case State.IDLE:
                    self._drop()
                    self.run.tally.reopened += 1
                case State.CLOSED:
                    pass
        except OSError as error:
            self.fail(f"{self.state.name.lower()}: {errno.errorcode.get(error.errno or 0, error)}")

    def overdue(self, now: float) -> bool:
        """Tell whether the running request has had all its time."""
        return (
            self.state in (State.CONNECTING, State.SENDING, State.RECEIVING)
            and now - self.asked > self.run.plan.patience
        )

    @staticmethod
    def _has_ended(idle: socket.socket) -> bool:
        """Look whether the server has closed it, as every client does that keeps connections: it may be long ago."""
        try:
            return not idle.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def fail(self, reason: str) -> None:
        """Count the running request as failed."""
        self._drop()
        self.run.failed(self, reason)

    def _open(self) -> None:
        family, target = parse_target(self.run.plan.address)
        self.socket = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self.run.tally.opened += 1
        if family != socket.AF_UNIX:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        problem = self.socket.connect_ex(target)
        if problem not in (0, errno.EINPROGRESS):
            self.fail(f"connect: {errno.errorcode.get(problem, problem)}")
            return
        self.state = State.CONNECTING
        self.run.selector.register(self.socket, selectors.EVENT_WRITE, self)

    def _begin_sending(self, connection: socket.socket) -> None:
        self.state = State.SENDING
        self.unsent = memoryview(self.run.request)
        self.received.clear()
        self.run.selector.modify(connection, selectors.EVENT_WRITE | selectors.EVENT_READ, self)
        try:
            self._send()
        except OSError as error:
            self.fail(f"sending: {errno.errorcode.get(error.errno or 0, error)}")

    def _send(self) -> None:
        assert self.socket is not None
        try:
            self.unsent = self.unsent[self.socket.send(self.unsent) :]
        except BlockingIOError:
            return
        if not self.unsent:
            self.state = State.RECEIVING
            self.run.selector.modify(self.socket, selectors.EVENT_READ, self)

    def _receive(self) -> None:
        assert self.socket is not None
        try:
            data = self.socket.recv(READ_SIZE)
        except BlockingIOError:
            return
        self.received += data
        outcome = examine(self.received, closed=not data)
        if outcome is None:
            return
        status, keep, problem = outcome
        if problem:
            self.fail(problem)
            return
        if keep and self.run.plan.keep_alive:
            self.state = State.IDLE
        else:
            self._drop()
        if status == self.run.plan.status:
            self.run.answered(self)
        else:
            self.run.failed(self, f"status {status}")

    def _drop(self) -> None:
        if self.socket is not None:
            if self.state is not State.CLOSED:
                self.run.selector.unregister(self.socket)
            self.socket.close()
        self.socket = None
        self.state = State.CLOSED

    def close(self) -> None:
        """Leave."""
        self._drop()


def examine(received: bytearray, *, closed: bool) -> tuple[int, bool, str] | None:
    """Judge the bytes of an answer so far: None = more to come, else (status, connection stays, problem or "")."""
    head, found, body = bytes(received).partition(b"\r\n\r\n")
    if not found:
        if not closed:
            return None
        return 0, False, "cut inside the head" if received else "closed without an answer"
    lines = head.decode("latin-1").split("\r\n")
    status = int(lines[0].split(" ")[1])
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    keep = lines[0].startswith("HTTP/1.1 ") and fields.get("connection", "").lower() != "close" and not closed
    if fields.get("transfer-encoding", "") == "chunked":
        complete = body.endswith(b"\r\n0\r\n\r\n") or body == b"0\r\n\r\n"
    elif "content-length" in fields:
        complete = len(body) >= int(fields["content-length"])
    else:
        complete = closed
    if complete:
        return status, keep, ""
    return (status, False, "cut inside the body") if closed else None


class Run:
    """The loop of the generator process."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.tally = Tally()
        self.selector = selectors.DefaultSelector()
        headers = {} if plan.keep_alive else {"Connection": "close"}
        self.request = request_bytes(plan.method, plan.target, headers, b"x" * plan.body_size)
        self.reasons: Counter[str] = Counter()
        self.connections = [LoadConnection(self) for _ in range(plan.connections)]
        self.waiting = deque((0.0, connection) for connection in self.connections)  # when to ask next, in order
        self.last_answer = time.monotonic()
        self.stopping = False

    def answered(self, connection: LoadConnection) -> None:
        """Count a whole answer."""
        now = time.monotonic()
        self.tally.answered += 1
        self.tally.longest_silence = max(self.tally.longest_silence, now - self.last_answer)
        self.last_answer = now
        if len(self.tally.latencies) < SAMPLES:
            self.tally.latencies.append(now - connection.asked)
        self.waiting.append((now + self.plan.think, connection))

    def failed(self, connection: LoadConnection, reason: str) -> None:
        """Count a failure; a short pause keeps a dead server from being asked a million times."""
        self.tally.failed += 1
        self.reasons[reason] += 1
        self.waiting.append((time.monotonic() + max(self.plan.think, 0.05), connection))

    def loop(self) -> None:
        """Ask until standard input ends or the time is over, then let the running requests end."""
        os.set_blocking(0, False)
        self.selector.register(0, selectors.EVENT_READ, None)
        end = time.monotonic() + self.plan.seconds
        report = 0.0
        while True:
            now = time.monotonic()
            self.stopping = self.stopping or now >= end
            if self.stopping and len(self.waiting) == len(self.connections):
                break
            self._ask_the_rested(now)
            for key, _ in self.selector.select(0.005 if self.plan.think else 0.02):
                if key.data is None:
                    self.selector.unregister(0)
                    self.stopping = True
                else:
                    key.data.ready()
            if now >= report:
                report = now + PROGRESS_EVERY
                self._report()
                for connection in self.connections:
                    if connection.overdue(now):
                        connection.fail("no answer in time")
        for connection in self.connections:
            connection.close()

    def _ask_the_rested(self, now: float) -> None:
        for _ in range(0 if self.stopping else len(self.waiting)):
            at, connection = self.waiting.popleft()
            if at <= now:
                connection.ask()
            else:
                self.waiting.append((at, connection))

    def _report(self) -> None:
        line = {"answered": self.tally.answered, "failed": self.tally.failed, "reopened": self.tally.reopened}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()

    def result(self) -> dict[str, Any]:
        """Return the whole tally as the last line says it."""
        self.tally.failures = dict(self.reasons)
        return {"result": asdict(self.tally)}


if __name__ == "__main__":
    run = Run(Plan(**json.loads(sys.argv[1])))
    run.loop()
    sys.stdout.write(json.dumps(run.result()) + "\n")
