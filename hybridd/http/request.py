"""One request as it came: what a Call is made of.

Knows:     the words of the request and its times.
Never:     how it was parsed (head.py) or what becomes of it.
Runs in:   made by the leader thread; then read by whichever thread runs the Call.
"""

from __future__ import annotations

import re
from itertools import count
from typing import Any

from hybridd.http.body import NO_BODY, Body

CLIENT_ID = re.compile(r"[A-Za-z0-9._~+/=:@-]{1,128}", re.ASCII)
"""An X-Request-Id that is taken over: what a log line, a header and a shell can carry unquoted."""


NO_TRAILERS: dict[str, str] = {}
"""Shared by all requests without trailers; not to be changed."""


class RequestIds:
    """What ids are made of: numbers are unique in this process, ``prefix`` among processes (set it after a fork)."""

    __slots__ = ("numbers", "prefix")

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self.numbers = count(1)


request_ids = RequestIds()
"""The source of :attr:`Request.id` in this process."""


class ForwardedFields(dict[str, str]):
    """The header fields of a request that also has some of the kind of X-Forwarded-For, which only proxies may send.

    Attributes:
        forwarded: these, under their CGI names too; whoever has no reason to believe them need not know of them.
    """

    __slots__ = ("forwarded",)

    def __init__(self, fields: dict[str, str], forwarded: dict[str, str]) -> None:
        super().__init__(fields)
        self.forwarded = forwarded


class KnownFields(dict[str, str]):
    """The header fields of a block that was seen before (known_heads.py): one object, shared by all its requests.

    Attributes:
        forwarded: see ForwardedFields; None: nothing.
        view: what was made of ``forwarded`` (proxied.py).
        derived: what the worker makes of these fields and would make again for the next request.
    """

    __slots__ = ("derived", "forwarded", "view")

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__(fields)
        self.forwarded: dict[str, str] | None = getattr(fields, "forwarded", None)
        self.view: Any = None
        self.derived: Any = None


class Request:
    """A request whose head is accepted; when given to a Call, its body is complete too.

    Attributes:
        method: as received (case matters), e.g. ``GET``; ``-`` when it could not be read.
        target: the request-target as received.
        path: percent-encoded path, ``/…`` or ``*`` (OPTIONS only).
        query: what follows the first ``?``, without it.
        scheme: ``http`` or ``https`` when the target was in absolute-form, else empty.
        authority: the target's authority when in absolute-form (then it is also HTTP_HOST), else empty.
        version: (1, 0) or (1, 1).
        fields: header fields under their CGI names, latin-1 text: HTTP_HOST, CONTENT_TYPE, CONTENT_LENGTH…
            Repeated fields are joined by a comma (Cookie: by a semicolon).
        trailers: trailer fields of a chunked body, under CGI names too; never part of ``fields``.
        body: the body, complete; NO_BODY when there is none.
        keep_alive: the client is willing to send another request.
        expects_continue: the client waited for 100 Continue.
        started: when the first byte of the head was seen (transport time, seconds).
        ready: when the request was complete.
        peer: the client's address without port; empty for a unix socket.
        peer_port: the client's port; 0 for a unix socket.
        number: 1 for the first request of its connection.
        settled: its outcome is counted and recorded.
    """

    __slots__ = (
        "_id",
        "authority",
        "body",
        "expects_continue",
        "fields",
        "keep_alive",
        "method",
        "number",
        "path",
        "peer",
        "peer_port",
        "query",
        "ready",
        "scheme",
        "settled",
        "started",
        "target",
        "trailers",
        "version",
    )

    def __init__(  # noqa: PLR0917 - by name the last three would cost more
        self,
        method: str,
        target: bytes,
        version: tuple[int, int],
        fields: dict[str, str],
        path: str = "/",
        query: str = "",
        keep_alive: bool = False,
    ) -> None:
        self.method = method
        self.target = target
        self.version = version
        self.fields = fields
        self.path = path
        self.query = query
        self.scheme = ""
        self.authority = ""
        self.trailers: dict[str, str] = NO_TRAILERS
        self.body: Body = NO_BODY
        self.keep_alive = keep_alive
        self.expects_continue = False
        self.started = 0.0
        self.ready = 0.0
        self.peer = ""
        self.peer_port = 0
        self.number = 1
        self.settled = False
        self._id = ""

    @property
    def id(self) -> str:
        """The client's X-Request-Id when it is a plain word, else one of our own; made when first asked for."""
        if not self._id:
            given = self.fields.get("HTTP_X_REQUEST_ID")
            if given and CLIENT_ID.fullmatch(given):
                self._id = given
            else:
                self._id = f"{request_ids.prefix}{next(request_ids.numbers):x}"  # any thread: this is one step
        return self._id

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.target.decode('latin-1')} HTTP/{self.version[0]}.{self.version[1]}>"
