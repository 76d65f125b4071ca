"""An Outlet that records, and refuses what the worker's would get into trouble with; and one call to use it.

It asserts the order of a response (``whole``, or ``start`` … ``finish`` or ``abort``), that heads were checked before
they came, that no part is empty, and that nothing of the server runs while the window for application code is open.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from hybridd.app.wsgi import WsgiExchange, WsgiServer
from hybridd.http.body import NO_BODY, Body
from hybridd.http.request import Request
from hybridd.http.response import ResponseHead


class RecordingOutlet:
    """What an exchange told its outlet.

    Attributes:
        calls: the names of the methods called, in order, without ``enter`` and ``leave``.
        head: of the response; ``body``: what was sent of it, files too; ``parts``: the same as it came.
        windows: how often application code was entered.
        on_part: called after each part that was sent, for instance to let the client fall behind.
    """

    def __init__(self, on_part: Callable[[RecordingOutlet], object] | None = None) -> None:
        self.behind = False
        self.gone = False
        self.calls: list[str] = []
        self.head: ResponseHead | None = None
        self.parts: list[bytes] = []
        self.windows = 0
        self.open = False
        self._on_part = on_part

    @property
    def body(self) -> bytes:
        return b"".join(self.parts)

    @property
    def status(self) -> int:
        assert self.head is not None, f"no response, only {self.calls}"
        return self.head.status

    @property
    def headers(self) -> dict[str, str]:
        assert self.head is not None, f"no response, only {self.calls}"
        return dict(self.head.headers)

    @property
    def ended(self) -> bool:
        return bool(self.calls) and self.calls[-1] in {"whole", "finish", "abort"}

    def enter(self) -> None:
        assert not self.open, "entered twice"
        self.open = True
        self.windows += 1

    def leave(self) -> None:
        assert self.open, "left without entering"
        self.open = False

    def whole(self, head: ResponseHead, body: bytes) -> None:
        self._note("whole", begins=True)
        self._begin(head)
        self._part(body)

    def start(self, head: ResponseHead, first: bytes) -> None:
        self._note("start", begins=True)
        self._begin(head)
        self._part(first)

    def send(self, data: bytes) -> None:
        self._note("send")
        assert data, "an empty part"
        self._part(data)

    def send_file(self, fd: int, offset: int, count: int) -> None:
        self._note("send_file")
        assert count > 0, "an empty part"
        data = os.pread(fd, count, offset)
        os.close(fd)
        assert len(data) == count, "the file is shorter than said"
        self._part(data)

    def finish(self) -> None:
        self._note("finish")

    def abort(self) -> None:
        self._note("abort")

    def _note(self, name: str, *, begins: bool = False) -> None:
        assert not self.open, f"{name} inside the window for application code"
        assert not self.ended, f"{name} after {self.calls}"
        assert begins is not bool(self.calls), f"{name} after {self.calls}"
        self.calls.append(name)

    def _begin(self, head: ResponseHead) -> None:
        assert head.encoded is not None, "a head that was not checked"
        self.head = head

    def _part(self, data: bytes) -> None:
        assert type(data) is bytes
        if data:
            self.parts.append(data)
        if self._on_part is not None:
            self._on_part(self)


def make_request(
    path: str = "/",
    *,
    method: str = "GET",
    query: str = "",
    body: bytes = b"",
    fields: Mapping[str, str] | None = None,
    version: tuple[int, int] = (1, 1),
    peer_port: int = 50_000,
) -> Request:
    """Return a complete request, as the HTTP protocol would hand it over."""
    target = f"{path}?{query}" if query else path
    request = Request(method, target.encode("latin-1"), version, {"HTTP_HOST": "example.test", **(fields or {})})
    request.path = path
    request.query = query
    request.peer, request.peer_port = "192.0.2.7", peer_port
    request.body = Body([body]) if body else NO_BODY
    if body:
        request.fields.setdefault("CONTENT_LENGTH", str(len(body)))
    return request


def make_exchange(application: Any, outlet: RecordingOutlet, path: str = "/", **request: Any) -> WsgiExchange:
    """Return an exchange of ``application`` that has not begun."""
    server = WsgiServer(application, multithread=True, multiprocess=True)
    return server.exchanges("192.0.2.1:8080")(make_request(path, **request), outlet)


def serve(application: Any, path: str = "/", **request: Any) -> RecordingOutlet:
    """Run one exchange to its end, for a client that keeps up; return what it answered."""
    outlet = RecordingOutlet()
    assert make_exchange(application, outlet, path, **request).step() is True
    assert outlet.ended
    assert not outlet.open
    return outlet
