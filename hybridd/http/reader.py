"""Reads one request: bytes in, a Request with its body out, and what is left over.

llhttp parses everything that it is given: 3,640 requests in one read, were they there.  So it is never given bytes
behind the message it is at: a head and a chunked body end in CR LF CR LF, hence a piece that is fed ends there at the
latest.  What a client sends ahead stays unparsed bytes, and a fault in it cannot touch the request before it.

A reader that saw nothing unusual (the whole head in one read, no body) is kept for the next request of any connection:
an idle connection has none.

Knows:     one message, its limits.
Never:     time (``started`` is the protocol's note), the transport, what is answered.
Runs in:   the leader thread.
"""

from __future__ import annotations

from httptools import (
    HttpParserError,
    HttpParserInvalidMethodError,
    HttpParserInvalidURLError,
    HttpParserUpgrade,
    HttpRequestParser,
)

from hybridd.config.settings import Limits
from hybridd.errors import HttpError
from hybridd.http import head, known_heads
from hybridd.http.body_reader import BodyReader, ChunkedBodyReader
from hybridd.http.chunk_steps import END, find_end, new_tail
from hybridd.http.notes import Notes
from hybridd.http.outcome import Rejection
from hybridd.http.request import Request

_MOST_SPARE = 64  # readers kept; one turn of the loop seldom has more requests between head and answer
_spare: list[RequestReader] = []


def _is_line(line: bytes) -> bool:
    """Tell whether llhttp takes a request line by itself."""
    try:
        HttpRequestParser(object()).feed_data(line + b"\r\n")
    except HttpParserError:
        return False
    return True


class RequestReader(Notes):
    """The reading of one request.

    Attributes:
        request: the request, once its head is accepted.
        body: the reading of its body; None when it has none.
        complete: head and body are here.
        started: when reading began.
    """

    __slots__ = (
        "_fed",
        "_line",
        "_line_complete",
        "_tail",
        "_usual",
        "body",
        "complete",
        "request",
        "started",
    )

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self._usual = True
        # Of a head that does not arrive in one read:
        self._fed = 0
        self._tail = b""
        self._line = b""  # the request line, or what is known of it
        self._line_complete = False
        self.request: Request | None = None
        self.body: BodyReader | None = None
        self.complete = False
        self.started = 0.0

    @classmethod
    def take(cls, limits: Limits) -> RequestReader:
        """Give a reader that has read nothing."""
        try:
            reader = _spare.pop()  # no look before it: loops of other threads take from here too
        except IndexError:
            return cls(limits)
        reader.limits = limits
        return reader

    def give_back(self) -> None:
        """End the reading, wherever it is; keep this reader for another request if it is as good as new."""
        if self._usual and self.complete and self.keep_alive and len(_spare) < _MOST_SPARE:
            self.forget_head()
            self._line = b""
            self._line_complete = self.complete = False
            self.request = None
            _spare.append(self)
        else:
            self.parser = None  # it holds our methods: a cycle

    def feed(self, data: bytes) -> bytes:
        """Take what belongs to this request, and give back the rest.

        Raises:
            HttpError: the request is refused; this reader is good for :meth:`describe` only.
        """
        if self.body is not None:
            return self._feed_body(data)
        end = data.find(END) + len(END)
        line_end = data.find(b"\r\n")
        limits = self.limits
        if self._fed or end < len(END) or line_end > limits.request_line or end - line_end - 2 > limits.header_bytes:
            return self._feed_slowly(data)
        # The whole head is here: the way of nearly every request.
        self._line = data[:line_end]
        self._line_complete = True
        try:
            self.parser.feed_data(data if end == len(data) else data[:end])  # type: ignore[union-attr]  # it is new
        except (HttpParserError, HttpParserUpgrade) as error:
            self._judge(error)
        if self._accept() and self._usual and end == len(data):
            assert self.request is not None
            known_heads.learn(data[line_end + 2 :], self.request, limits)
        return data[end:] if self.body is None else self._feed_body(data[end:])

    def describe(self) -> Request:
        """Give the request as far as it was read, for the log."""
        if self.request is not None:
            return self.request
        request = head.describe(self._line, self.fields)
        request.started = self.started
        return request

    def _feed_body(self, data: bytes) -> bytes:
        assert self.body is not None
        rest = self.body.feed(data)
        self.complete = self.body.complete
        return rest

    def _feed_slowly(self, data: bytes) -> bytes:
        """Take a part of a head: up to its end, and no more of it than the limits allow."""
        self._usual = False
        end = find_end(self._tail, data)
        piece = data if end < 0 else data[:end]
        allowed, error = self._measure(piece)
        self._feed_parser(piece[:allowed])
        self._check_line_and_count()
        if error is not None:
            raise error
        self._fed += len(piece)
        self._tail = new_tail(self._tail, piece)
        if end < 0:
            return b""
        self._accept()
        rest = data[end:]
        return rest if self.body is None else self._feed_body(rest)

    def _measure(self, piece: bytes) -> tuple[int, HttpError | None]:
        """Note the request line; say how many bytes of the piece the limits allow, and what to raise behind them."""
        limits = self.limits
        start = 0  # of the header fields, in the piece
        if not self._line_complete:
            known = len(self._line)
            line = self._line + piece
            line_end = line.find(b"\r\n", max(known - 1, 0))
            most = limits.request_line
            line_feed = line.find(b"\n", known)
            if 0 <= line_feed <= most and line_feed != line_end + 1:  # llhttp takes it for the end of a 0.9 request
                self._line = line[:line_feed]
                return line_feed + 1 - known, head.bad_line()
            if line_end > most or (line_end < 0 and len(line) > most + 1):
                self._line = line[:most]
                error = HttpError(414, Rejection.URI_TOO_LONG, f"The request line is longer than {most} bytes.")
                return max(most + 1 - known, 0), error
            self._line = line
            if line_end < 0:
                return len(piece), None
            self._line = line[:line_end]
            self._line_complete = True
            start = line_end + 2 - known
        before = max(self._fed - len(self._line) - 2, 0)
        allowed = start + limits.header_bytes - before
        if len(piece) <= allowed:
            return len(piece), None
        return allowed, HttpError(
            431, Rejection.HEADERS_TOO_LARGE, f"The header fields are larger than {limits.header_bytes} bytes."
        )

    def _feed_parser(self, piece: bytes) -> None:
        if self.parser is None:  # it has refused the method, whose word is not complete
            self._judge_method()
            return
        try:
            self.parser.feed_data(piece)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._judge(error)

    def _judge(self, error: Exception) -> None:
        """Find out what it means that llhttp does not go on."""
        if isinstance(error, HttpParserUpgrade):
            self._drop_parser()  # the upgrade is ignored, but this parser believes in it
        elif isinstance(error, HttpParserInvalidMethodError):
            self._drop_parser()
            self._judge_method()
        elif isinstance(error, HttpParserInvalidURLError):
            if self._line_complete and _is_line(self._line):
                head.version_of(self._line)  # it is what lies behind a request of HTTP/0.9 that llhttp complains about
            raise head.bad(f"The request-target cannot be understood: {error}.") from None
        else:
            self._refuse(str(error))

    def _drop_parser(self) -> None:
        self.parser = None
        self._usual = False

    def _judge_method(self) -> None:
        error = head.judge_method(self._line + b"\r\n" if self._line_complete else self._line)
        if error is not None:
            raise error

    def _refuse(self, reason: str) -> None:
        """Find the right word for what llhttp has refused; what stands first in the bytes counts, not in the reads."""
        if self.head_complete:
            self._accept()
        elif reason.startswith("Invalid method"):  # one of RTSP's
            raise head.unknown_method()
        else:
            head.check_line(self._line, complete=self._line_complete)
            self._check_line_and_count()
        raise head.bad(f"The request cannot be understood: {reason}.")

    def _check_line_and_count(self) -> None:
        if self._line_complete:
            head.version_of(self._line)
        if len(self.fields) + self.unlisted > self.limits.headers:
            raise head.too_many_fields(self.limits.headers)

    def _accept(self) -> bool:
        """Make the request of a whole head, and find out about its body; True: a plain one, see known_heads.learn."""
        limits = self.limits
        line = self._line
        version = head.VERSIONS.get(line[-head.VERSION_WORD :]) or head.version_of(line)
        fields = self.fields
        if len(fields) + self.unlisted > limits.headers:
            raise head.too_many_fields(limits.headers)
        if not self.head_complete:
            raise head.bad("The request cannot be understood.")  # PRI, with something else than HTTP/2 behind it
        request = head.accept(self, version, line)
        request.started = self.started
        if (
            "CONTENT_LENGTH" in fields
            or "HTTP_TRANSFER_ENCODING" in fields
            or "HTTP_EXPECT" in fields
            or self.upgrade  # CONNECT too
        ):
            length = head.check_framing(request, upgrade=self.upgrade, body_limit=limits.body)
            if length != 0:
                self._expect_body(request, length)
            else:
                self.request = request
                self.complete = True
            return False
        self.request = request
        self.complete = True
        return version is head.V11 and not request.authority

    def _expect_body(self, request: Request, length: int | None) -> None:
        self._usual = False
        if length is None:
            self.fields = request.trailers = {}
            self.unlisted = 0
            self.body = ChunkedBodyReader(self.limits, self)
        else:
            self.body = BodyReader(self.limits, length)
        request.body = self.body.body
        self.request = request
