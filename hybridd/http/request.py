"""One request: as it came, what a Call is made of; and as it ended, what a line of the access log is made of.

Knows:     the words of the request, its outcome and its times.
Never:     how it was parsed (head.py) or what becomes of it.
Runs in:   made by the leader thread, which also writes the outcome; read by whichever thread runs the Call.
"""

from __future__ import annotations

import re
from itertools import count
from typing import Any

from hybridd.http.body import NO_BODY, Body
from hybridd.http.outcome import Outcome, Rejection

CLIENT_ID = re.compile(r"[A-Za-z0-9._~+/=:@-]{1,128}", re.ASCII)
"""An X-Request-Id that is taken over: what a log line, a header and a shell can carry unquoted."""


_SERVED = Outcome.SERVED  # looked up for every request

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
        logged: likewise what the access log says of them; empty: it was not asked yet.
    """

    __slots__ = ("derived", "forwarded", "logged", "view")

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__(fields)
        self.forwarded: dict[str, str] | None = getattr(fields, "forwarded", None)
        self.view: Any = None
        self.derived: Any = None
        self.logged = ""


class Request:
    """A request whose head is accepted, and what becomes of it: its record, of which a line of the access log is made.

    When given to a Call, its body is complete too.  Of a refused head no more may be known than ``-``.

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
        peer: the client's address without port; empty for a unix socket.
        peer_port: the client's port; 0 for a unix socket.
        status: of the answer; 0: none was given yet.
        outcome, rejection: how it ended, and why it was refused, if it was.
        body_bytes: bytes of response body handed to the transport, without chunk framing.
        started: when the first byte of the head was seen (transport time, monotonic seconds, as all that follow).
        ready: when the request was complete.
        called: when its Call began to run; if none did, the moment before.
        answered: when the last part of the answer was given, or nobody wanted it any more.
        finished: when the kernel had taken the last byte (or the connection was gone); 0.0: that is to come.
        worker: the worker's slot; filled in by the service.
        known_id: ``id``, once it was asked for; else empty.
    """

    __slots__ = (
        "answered",
        "authority",
        "body",
        "body_bytes",
        "called",
        "expects_continue",
        "fields",
        "finished",
        "keep_alive",
        "known_id",
        "method",
        "outcome",
        "path",
        "peer",
        "peer_port",
        "query",
        "ready",
        "rejection",
        "scheme",
        "started",
        "status",
        "target",
        "trailers",
        "version",
        "worker",
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
        self.keep_alive = keep_alive
        # Not attributes of the class: a store takes 4 ns, to read what only the class has takes 40 (Python 3.11).
        self.scheme = ""
        self.authority = ""
        self.trailers: dict[str, str] = NO_TRAILERS
        self.body: Body = NO_BODY
        self.expects_continue = False
        self.peer = ""
        self.peer_port = 0
        self.status = 0
        self.outcome = _SERVED
        self.rejection: Rejection | None = None
        self.body_bytes = 0
        self.started = 0.0
        self.ready = 0.0
        self.called = 0.0
        self.answered = 0.0
        self.finished = 0.0
        self.worker = -1
        self.known_id = ""

    @property
    def id(self) -> str:
        """The client's X-Request-Id when it is a plain word, else one of our own; made when first asked for."""
        return self.known_id or self.make_id()

    def make_id(self) -> str:
        """Make ``id``, for whoever is the first to ask: as a method it is cheaper than as a property."""
        given = self.fields.get("HTTP_X_REQUEST_ID")
        if given and CLIENT_ID.fullmatch(given):
            self.known_id = given
        else:
            self.known_id = f"{request_ids.prefix}{next(request_ids.numbers)}"  # any thread: this is one step
        return self.known_id

    @property
    def settled(self) -> bool:
        """Whether its outcome is counted and recorded."""
        return self.finished > 0.0

    @property
    def host(self) -> str:
        """The Host header (or the absolute target's authority), empty when absent."""
        return self.fields.get("HTTP_HOST", "")

    def words(self) -> tuple[str, str, bytes, str, str, str, str]:
        """The client's address (empty for a unix socket), method, target, protocol, Referer, User-Agent, the id.

        Method and target are ``-`` when unknown; the target is as received, and may hold any byte.  The headers are
        latin-1 text, empty when absent.
        """
        field = self.fields.get
        return (
            self.peer,
            self.method,
            self.target,
            "HTTP/1.1" if self.version[1] else "HTTP/1.0",
            field("HTTP_REFERER", ""),
            field("HTTP_USER_AGENT", ""),
            self.id,
        )

    def times(self) -> tuple[float, float, float, float, float]:
        """Seconds from first byte to last, and of what: of receiving it, waiting, its Call, giving the last part away.

        It is received from the first byte of the head to the last of the body; it waits for a thread; its Call runs
        until the last part of the answer is given, which the kernel then takes.
        """
        started, ready, called = self.started, self.ready, self.called
        answered, finished = self.answered, self.finished
        return finished - started, ready - started, called - ready, answered - called, finished - answered

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.target.decode('latin-1')} HTTP/{self.version[0]}.{self.version[1]}>"
