"""One WSGI request and its response, run in steps so that a slow client never holds a thread.

Knows:     PEP 3333: who calls what in which order, and what must be closed, once.
Never:     waits, raises, or touches a connection: bytes go to the Outlet.
Runs in:   any one thread at a time, the leader or one of the pool; the worker sees to it that no two steps overlap and
           that all of an exchange's steps run in one ``contextvars.Context``.
Windows:   every call of application code stands between ``outlet.enter()`` and ``outlet.leave()``; so does logging
           its exceptions, for their ``__str__`` is application code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import Enum, auto
from types import TracebackType
from typing import TYPE_CHECKING, Any

from hybridd.app.answer import COMPLETE, HEAD_ONLY, OPEN, UNSENT, Answer
from hybridd.app.environ import request_environ
from hybridd.app.file_wrapper import FileWrapper, Region
from hybridd.app.head import make_head
from hybridd.app.outlet import Outlet
from hybridd.app.report import report_exception, report_misuse
from hybridd.http.body import NO_BODY
from hybridd.http.request import Request
from hybridd.http.response import ResponseHead

if TYPE_CHECKING:  # wsgi.py imports this module
    from hybridd.app.wsgi import WsgiServer

JOINED = 65_536  # bytes; a list of several parts up to this size is sent as one

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


class ClientGoneError(ConnectionError):
    """Raised by ``write()`` when the client has left: the way out of an application's loop; not logged as its error."""


class Phase(Enum):
    """How far the application is."""

    FRESH = auto()  # nothing of it has run
    RUNNING = auto()  # it was called; its iterable may have more
    OVER = auto()  # it is closed: nothing of it will run any more


FRESH, RUNNING, OVER = Phase  # see answer.py


class WsgiExchange(Answer):
    """One request and its response; made by :meth:`hybridd.app.wsgi.WsgiServer.exchanges`."""

    __slots__ = ("_base", "_iterator", "_phase", "_result", "_server")

    def __init__(self, server: WsgiServer, base: dict[str, Any], request: Request, outlet: Outlet) -> None:
        self._request = request
        self._outlet = outlet
        self._stage = UNSENT
        self._head = None
        self._left = None
        self._server = server
        self._base = base
        self._phase = FRESH
        self._result: Any = None  # what the application returned, while it has to be closed
        self._iterator: Iterator[Any] | None = None

    # The worker's side.

    def step(self) -> bool:
        """Run the application: True when the exchange is over, False when it rests because the client is behind.

        Never raises.  Every step of an exchange must run in the same ``contextvars.Context``.
        """
        if self._phase is not FRESH:
            return self._iterate() if self._phase is RUNNING else True
        self._phase = RUNNING
        outlet = self._outlet
        outlet.enter()
        try:
            application = self._server.application
            result: Any = application(request_environ(self._base, self._request), self.start_response)
        except BaseException as error:  # noqa: BLE001 - sys.exit() in a handler fails this request, not the worker
            outlet.leave()
            return self._failed(error)
        outlet.leave()
        # The hot path: a list of one part is one call of the outlet, and there is nothing to close.  (Not an empty one:
        # a HEAD must not announce the length of a body that was left out.)
        kind = type(result)
        if (kind is list or kind is tuple) and len(result) == 1 and self._stage is UNSENT:
            body = result[0]
            head = self._head
            if (
                head is not None
                and body
                and type(body) is bytes
                and (head.content_length is None or head.content_length == len(body))
            ):
                outlet.whole(head, body)
                self._stage = COMPLETE
                return self._end_exchange()
        self._result = result
        return self._take(result)

    def abandon(self) -> None:
        """Close the application's iterable, as a last step: the client is gone.  Never raises; may come twice."""
        if self._phase is not OVER:
            self._close()

    def _take(self, result: Any) -> bool:
        """Begin to send what the application returned."""
        if result is None or isinstance(result, (bytes, str)):
            return self._misused(f"returned {_type(result)}, not an iterable of bytes like [body]")
        region = None
        self._outlet.enter()
        try:
            if type(result) is FileWrapper:  # middleware that wraps it in turn gets its blocks
                region = result.region()
            self._iterator = iter(result)
        except BaseException as error:  # noqa: BLE001 - see step
            self._outlet.leave()
            return self._failed(error)
        self._outlet.leave()
        head = self._head
        if head is not None and region is not None:
            return self._take_region(head, region)
        if head is not None and (type(result) is list or type(result) is tuple):
            problem = self._take_parts(head, result)
            if problem:
                return self._misused(problem)
        return self._iterate()

    def _take_region(self, head: ResponseHead, region: Region) -> bool:
        """Send a file as a file."""
        try:
            problem = self._send_region(head, region)
        except OSError as error:
            return self._failed(error)
        return self._misused(problem) if problem else self._close()

    def _take_parts(self, head: ResponseHead, parts: Sequence[Any]) -> str:
        """Measure a body that is all there; a small one becomes one part.  Return what is wrong with it."""
        if not all(isinstance(part, bytes) for part in parts):
            return ""  # said with the type when it is the wrong part's turn
        length = sum(map(len, parts))
        if length <= JOINED:
            self._iterator = iter([b"".join(parts)])
        return self._check_length(head, length)

    def _iterate(self) -> bool:
        """Ask the iterable for parts and send them, until it ends, or the client is behind or gone."""
        outlet = self._outlet
        iterator = self._iterator
        assert iterator is not None
        problem = ""
        # HEAD: the first part says that start_response was called, and that is all it wants.
        while not problem and not outlet.gone and self._stage is not HEAD_ONLY:
            if self._stage is OPEN and outlet.behind:
                self._server.errors.flush()
                return False
            outlet.enter()
            try:
                part = next(iterator)
            except StopIteration:
                outlet.leave()
                problem = self._end()
                break
            except BaseException as error:  # noqa: BLE001 - see step
                outlet.leave()
                return self._failed(error)
            outlet.leave()
            problem = self._take_part(part)
        return self._misused(problem) if problem else self._close()

    def _take_part(self, part: Any) -> str:
        """Send one part of the iterable; return what is wrong with it."""
        if not isinstance(part, bytes):
            return f"yielded {_type(part)}; a body is made of bytes"
        if not part:  # PEP 3333: the head waits for the first part that is not empty
            return ""
        if self._head is None:
            return "gave a part of its body before it called start_response"
        excess = self._send(self._head, part)
        return f"gave {excess} bytes beyond its Content-Length; they are not sent" if excess else ""

    def _close(self) -> bool:
        """Close what the application returned, once; the exchange is over."""
        self._phase = OVER  # before the application can ask for more
        result, self._result, self._iterator = self._result, None, None
        if result is not None:
            self._outlet.enter()
            try:
                close = getattr(result, "close", None)
                if close is not None:
                    close()
            except BaseException as error:  # noqa: BLE001 - see step; the response is not touched by it
                report_exception(self._request, error)
            finally:
                self._outlet.leave()
        return self._end_exchange()

    def _end_exchange(self) -> bool:
        """Give back what is left when nothing of the application will run any more."""
        self._phase = OVER
        body = self._request.body
        if body is not NO_BODY:
            body.close()
        errors = self._server.errors
        if errors.unfinished:
            errors.flush()
        del self._outlet  # which holds us: without the circle all of a request is freed here, not by the collector
        return True

    def _failed(self, error: BaseException) -> bool:
        """The application raised: log it, answer as far as still possible, close."""
        if not isinstance(error, ClientGoneError):
            self._outlet.enter()
            try:
                report_exception(self._request, error)
            finally:
                self._outlet.leave()
        self._break_off()
        return self._close()

    def _misused(self, problem: str) -> bool:
        """The application broke a rule: log it, answer as far as still possible, close."""
        report_misuse(self._request, problem)
        self._break_off()
        return self._close()

    # The application's side: it calls these, within a window.

    def start_response(
        self, status: str, response_headers: list[tuple[str, str]], exc_info: ExcInfo | None = None
    ) -> Callable[[bytes], None]:
        """Note the head, which is sent with the first bytes of the body; return ``write``.

        Raises:
            TypeError, ValueError: what make_head finds wrong.
            AssertionError: it was called before, and this is not an error handler's call.
            BaseException: the one in ``exc_info``, when the head has already been sent.
        """
        if exc_info:
            try:
                if self._stage is not UNSENT:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # or frame and traceback hold each other (PEP 3333)
        elif self._head is not None:
            raise AssertionError("start_response was called a second time without exc_info")
        self._head = None  # when the new head is refused, the old one must not be sent either
        self._head = make_head(status, response_headers)
        return self.write

    def write(self, data: bytes) -> None:
        """Send ``data`` at once, PEP 3333's legacy interface; never waits, however slow the client is.

        Raises:
            TypeError: it is not bytes.
            ValueError: it goes beyond the Content-Length; what was promised is sent.
            ClientGoneError: nobody is there to read it.
            RuntimeError: the request is over.
        """
        if not isinstance(data, bytes):
            raise TypeError(f"write() takes bytes, not {_type(data)}")
        if self._phase is not RUNNING or self._head is None:
            raise RuntimeError("write() was called outside of its request")
        outlet = self._outlet
        outlet.leave()  # back in the server
        try:
            if outlet.gone:
                raise ClientGoneError("the client has left")
            excess = self._send(self._head, data) if data else 0
        finally:
            outlet.enter()
        if excess:
            raise ValueError(f"write() went {excess} bytes beyond the Content-Length")


def _type(value: object) -> str:
    return "None" if value is None else type(value).__name__
