"""A real reactor that a thread of its own leads, and protocols that say what happened to them.

Knows:     the reactor, its transports; sockets of this machine only.
Never:     waits without a deadline, sleeps.
Runs in:   the test process: the leader thread, and the test's own, which asks.
"""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from hybridd.net.reactor import Reactor
from hybridd.net.terms import Terms
from hybridd.net.transport import SocketTransport

T = TypeVar("T")

PATIENCE = 10.0  # seconds until an answer that does not come is a failure


class LedReactor:
    """The reactor, the terms of its connections, and the thread that turns it.

    Attributes:
        turns: how often it has turned.
    """

    def __init__(self, write_timeout: float = 30.0) -> None:
        self.reactor = Reactor()
        self.terms = Terms(self.reactor, write_timeout)
        self.turns = 0
        self._failures: list[BaseException] = []
        self._kept: list[socket.socket] = []
        self.reactor.after_turn.append(self._count)
        self._thread = threading.Thread(target=self._lead, name="leader")
        self._thread.start()

    def ask(self, fn: Callable[[], T]) -> T:
        """Return what ``fn()`` returns in the thread that leads; what it raises is raised here."""
        answers: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

        def run() -> None:
            try:
                answers.put((fn(), None))
            except BaseException as error:  # noqa: BLE001 - it is the asker's
                answers.put((None, error))

        self.reactor.post(run)
        try:
            answer, error = answers.get(timeout=PATIENCE)
        except queue.Empty:
            raise AssertionError(f"the loop does not answer; it ended with {self._failures}") from None
        if error is not None:
            raise error
        return answer  # type: ignore[return-value]  # None only when T is

    def pass_time(self, seconds: float) -> None:
        """Return when the loop's own clock says that ``seconds`` have passed: what was due until then has happened."""
        over = threading.Event()
        self.ask(lambda: self.reactor.call_later(seconds, over.set))
        assert over.wait(seconds + PATIENCE), "the loop does not answer"

    def settle(self) -> None:
        """Return after two whole turns: what the last event decided has been done."""
        for _ in range(2):
            self.ask(lambda: self.reactor.call_soon(int))

    def serve(self, sock: socket.socket, protocol: Any, peername: Any = "peer") -> SocketTransport:
        """Open a transport for a connected socket, which belongs to it from now on."""
        sock.setblocking(False)
        transport = SocketTransport(self.terms, sock, protocol, peername)
        self.ask(transport.open)
        return transport

    def tcp(self, protocol: Any, *, buffer: int = 0) -> tuple[SocketTransport, socket.socket]:
        """Return a served TCP connection and its client; ``buffer``: size of the socket buffers in between."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            client = socket.socket()
            for sock in (listener, client):
                if buffer:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
            client.settimeout(PATIENCE)
            client.connect(listener.getsockname())
            sock, peer = listener.accept()
        self._kept.append(client)
        return self.serve(sock, protocol, peer), client

    def unix(self, protocol: Any) -> tuple[SocketTransport, socket.socket]:
        """Return a served unix connection and its client."""
        sock, client = socket.socketpair()
        client.settimeout(PATIENCE)
        self._kept.append(client)
        return self.serve(sock, protocol), client

    def close(self) -> None:
        """End the thread and every connection; raises what the loop ended with, if it did not end here."""
        if self._thread.is_alive():
            self.reactor.post(self._end)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the loop does not end"
        for transport in list(self.terms.open):
            transport.abort()
        for client in self._kept:
            client.close()
        self.reactor.close()
        if self._failures:
            raise self._failures[0]

    def _end(self) -> None:
        for transport in list(self.terms.open):
            transport.abort()
        self.reactor.call_soon(self.reactor.stop)

    def _lead(self) -> None:
        try:
            self.reactor.run()
        except BaseException as error:  # noqa: BLE001 - told by ask and close
            self._failures.append(error)

    def _count(self) -> None:
        self.turns += 1


class Telling:
    """A protocol that tells another thread what happened to it, in order.

    ``then`` maps the name of an event to what is done behind it, in the thread that leads, with this protocol.
    """

    def __init__(self, **then: Callable[[Telling], object]) -> None:
        self.transport: Any = None
        self.received = bytearray()
        self._then = then
        self._told: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()

    def expect(self, name: str) -> Any:
        """Return the argument of the next event, which must be ``name``; AssertionError when it does not come."""
        told, argument = self._next(name)
        assert told == name, f"{told}({argument!r}) came instead of {name}"
        return argument

    def wait_for(self, name: str) -> Any:
        """Return the argument of the next ``name``, whatever comes before it; AssertionError when it does not come."""
        told = ""
        while told != name:
            told, argument = self._next(name)
        return argument

    def expect_data(self, size: int) -> bytes:
        """Return the next ``size`` bytes."""
        data = bytearray()
        while len(data) < size:
            data += self.expect("data_received")
        assert len(data) == size
        return bytes(data)

    @property
    def told(self) -> list[str]:
        """The names of all events that were not expected yet; they count as expected now."""
        names = []
        while True:
            try:
                names.append(self._told.get_nowait()[0])
            except queue.Empty:
                return names

    def skip(self) -> None:
        """Let all events until now count as expected."""
        while not self._told.empty():
            self._told.get_nowait()

    def _next(self, wanted: str) -> tuple[str, Any]:
        try:
            return self._told.get(timeout=PATIENCE)
        except queue.Empty:
            raise AssertionError(f"{wanted} did not come") from None

    def _tell(self, name: str, argument: object = None) -> Any:
        self._told.put((name, argument))
        then = self._then.get(name)
        return then(self) if then else None

    def connection_made(self, transport: Any) -> None:
        """Begin."""
        self.transport = transport
        self._tell("connection_made", transport)

    def data_received(self, data: bytes) -> None:
        """Take bytes."""
        self.received += data
        self._tell("data_received", data)

    def eof_received(self) -> Any:
        """Take the peer's FIN."""
        return self._tell("eof_received")

    def pause_writing(self) -> None:
        """More waits than should."""
        self._tell("pause_writing")

    def resume_writing(self) -> None:
        """Less waits again."""
        self._tell("resume_writing")

    def deadline_expired(self) -> None:
        """The time that was set is over."""
        self._tell("deadline_expired")

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._tell("connection_lost", exc)


def read_to_end(client: socket.socket) -> bytes:
    """Return everything until the peer's FIN."""
    data = bytearray()
    while chunk := client.recv(1 << 16):
        data += chunk
    return bytes(data)


def read_exactly(client: socket.socket, size: int) -> bytes:
    """Return ``size`` bytes; AssertionError when the peer ends before."""
    data = bytearray()
    while len(data) < size:
        chunk = client.recv(size - len(data))
        assert chunk, f"the connection ended after {len(data)} of {size} bytes"
        data += chunk
    return bytes(data)
