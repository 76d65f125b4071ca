"""The rules for a request's head that llhttp leaves to its caller, and what to call the heads that it refuses.

llhttp (strict, through httptools) refuses by itself: bare LF and CR, obs-fold, whitespace before the colon, control
characters and NUL, Content-Length that is repeated, listed, signed, empty or beside Transfer-Encoding, chunked that is
repeated or not last.  It accepts, and this file refuses: every version it can spell (0.9, 2.0), RTSP and ICE, several
spaces between the words of the request line, `#` and strange forms in the target, transfer codings before chunked,
Transfer-Encoding in HTTP/1.0, a missing or malformed Host, or another one than the target's, a second line of a field
that has one, a Connection field that would take the framing away, any expectation, a TRACE with a body.

Every verdict depends on the bytes up to the offending one only, never on how they were split into reads.

Knows:     RFC 9110 and 9112.
Never:     bytes that are still to come, time, answers.
Runs in:   the leader thread.
"""

from __future__ import annotations

import re

from hybridd.errors import HttpError
from hybridd.http.notes import Notes
from hybridd.http.options import connection_options, keeps_alive
from hybridd.http.outcome import Rejection
from hybridd.http.request import Request
from hybridd.http.target import is_badly_encoded, is_host, is_same_host, is_strange, parse_target

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]"
_WORD = re.compile(_TOKEN + rb"*")
_VERSION = re.compile(_TOKEN + rb"+ [^ \n]+ HTTP/([0-9]\.[0-9])")
_LINE = re.compile(_TOKEN + rb"+ [^ \n]+ HTTP/1\.[01]")
_SIMPLE = re.compile(_TOKEN + rb"+ [^ \n]+")  # HTTP/0.9 had no version
_LOGGED = re.compile(rb"(" + _TOKEN + rb"+)(?: ([!-~]+))?")
_LOGGED_TARGET = 1024  # bytes of a refused target in the access log
_SPACE = 0x20

V10, V11 = (1, 0), (1, 1)
VERSIONS = {b" HTTP/1.1": V11, b" HTTP/1.0": V10}
VERSION_WORD = len(b" HTTP/1.1")
_METHODS = {
    name.encode(): name
    for name in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "PROPFIND", "QUERY")
}
_NO_LINE = "The first line is not METHOD TARGET HTTP/1.1 with single spaces."


def bad(sentence: str) -> HttpError:
    """Make a 400."""
    return HttpError(400, Rejection.BAD_REQUEST, sentence)


def bad_line() -> HttpError:
    """Make a 400 for a request line that is none."""
    return bad(_NO_LINE)


def too_many_fields(most: int) -> HttpError:
    """Make a 431 for a head with more field lines than allowed."""
    return HttpError(431, Rejection.HEADERS_TOO_LARGE, f"There are more than {most} header fields.")


def unknown_method() -> HttpError:
    """Make a 501; the method is a stranger's word, and not sent back."""
    return _not_implemented("This method is not known here.")


def _not_implemented(sentence: str) -> HttpError:
    return HttpError(501, Rejection.NOT_IMPLEMENTED, sentence)


def _not_spoken() -> HttpError:
    return HttpError(505, Rejection.VERSION, "This version of HTTP is not spoken here; use HTTP/1.1.")


def judge_method(line: bytes) -> HttpError | None:
    """Refuse a method that llhttp does not know, of which ``line`` is the beginning; None: its word goes on."""
    word = _WORD.match(line)
    assert word is not None  # it matches the empty string
    end = word.end()
    if end == len(line):
        return None
    return unknown_method() if end and line[end] == _SPACE else bad(_NO_LINE)


def check_line(line: bytes, *, complete: bool) -> None:
    """Refuse the request line of a head that llhttp has refused, if the fault is in it; ``line`` may be its beginning.

    Raises:
        HttpError: 400 or 505.
    """
    _check_version(line)
    if complete:
        version_of(line)
    if not complete or not _LINE.fullmatch(line):
        raise bad(_NO_LINE)


def _check_version(line: bytes) -> None:
    asked = _VERSION.match(line)
    if asked is not None and asked[1] not in {b"1.0", b"1.1"}:
        raise _not_spoken()


def version_of(line: bytes) -> tuple[int, int]:
    """Give the version of a whole request line (without CR LF).

    Raises:
        HttpError: 505, or 400 when there is no version in it.
    """
    version = VERSIONS.get(line[-VERSION_WORD:])
    if version is None:
        _check_version(line)
        raise _not_spoken() if _SIMPLE.fullmatch(line) else bad(_NO_LINE)
    return version


def accept(notes: Notes, version: tuple[int, int], line: bytes) -> Request:
    """Make the request of a head that llhttp has accepted; ``line`` is its request line.

    Raises:
        HttpError: 400 or 501.
    """
    target, fields = notes.target, notes.fields
    if len(line) != len(notes.method) + 1 + len(target) + VERSION_WORD:
        raise bad(_NO_LINE)  # llhttp lets several spaces pass
    request = Request(_METHODS.get(notes.method) or notes.method.decode("latin-1"), target, version, fields)
    text = target.decode("latin-1")
    is_path = text[0] == "/" and not is_strange(target)
    if is_path:
        request.path, _, request.query = text.partition("?")
        if "%" in text and is_badly_encoded(request.path):
            raise bad("The path has a percent sign that encodes nothing, or NUL.")
    else:
        _take_other_target(request, text)
    host = fields.get("HTTP_HOST")
    if host is None:
        if version is V11:
            raise bad("An HTTP/1.1 request needs a Host header.")
    elif not is_host(host):
        raise bad("The Host header is not host[:port].")
    if notes.fault:
        raise bad(notes.fault)
    if not is_path:
        _settle_host(request, host)
    options = fields.get("HTTP_CONNECTION")
    if options is None:
        request.keep_alive = version is V11
    else:
        _take_options(request, options)
    return request


def _take_other_target(request: Request, text: str) -> None:
    if request.method == "CONNECT":
        raise _not_implemented("CONNECT is for proxies, and this is none.")
    try:
        request.path, request.query, request.scheme, request.authority = parse_target(request.method, text)
    except ValueError as error:
        raise bad(str(error)) from None


def _settle_host(request: Request, host: str | None) -> None:
    """Refuse a Host that is not the authority of a target in absolute-form.

    RFC 9112 3.2.2 has a server ignore such a Host, and 3.2 has the client make them identical.  A server in front that
    goes by Host would have sent the request somewhere else than we.
    """
    if request.authority:
        if host is not None and not is_same_host(host, request.authority, request.scheme):
            raise bad("The Host header is another one than the request-target's authority.")
        request.fields["HTTP_HOST"] = request.authority


def _take_options(request: Request, field: str) -> None:
    try:
        request.keep_alive = keeps_alive(connection_options(field), request.version)
    except ValueError as error:
        raise bad(str(error)) from None


def check_framing(request: Request, *, upgrade: bool, body_limit: int) -> int | None:
    """Say how long the body of an accepted head is (None: chunked), and note whether the client waits for 100.

    Only heads with Content-Length, Transfer-Encoding, Expect or an upgrade (CONNECT is one for llhttp) need it.

    Raises:
        HttpError: 400, 413, 417 or 501.
    """
    fields = request.fields
    length: int | None = 0
    if "HTTP_TRANSFER_ENCODING" in fields:
        _check_coding(request, fields["HTTP_TRANSFER_ENCODING"])
        length = None
    elif "CONTENT_LENGTH" in fields:
        # Digits of a number below 2**64, says llhttp; but any number of zeros, and int() takes 4,300 digits at most.
        fields["CONTENT_LENGTH"] = digits = fields["CONTENT_LENGTH"].lstrip("0") or "0"
        length = int(digits)
        if length > body_limit:
            raise HttpError(413, Rejection.BODY_TOO_LARGE, f"The body is longer than {body_limit} bytes.")
    if request.method == "CONNECT":
        raise _not_implemented("CONNECT is for proxies, and this is none.")
    if length != 0 and request.method == "TRACE":
        raise bad("A TRACE request has no body.")  # RFC 9110 9.3.8
    if upgrade and length != 0:
        # llhttp ends such a request with its head; its body would be read as the next request (smuggling).
        raise _not_implemented("An upgrade of a request with a body is not understood here.")
    expectation = fields.get("HTTP_EXPECT")
    if expectation is not None and request.version is not V10:  # RFC 9110 10.1.1: ignored in HTTP/1.0
        if expectation.lower() != "100-continue":
            raise HttpError(417, Rejection.EXPECTATION, "The only expectation understood here is 100-continue.")
        request.expects_continue = length != 0
    return length


def _check_coding(request: Request, coding: str) -> None:
    if request.version is V10:
        # RFC 9112 6.1: faulty framing by definition; a proxy of that age may have forwarded it without understanding.
        raise bad("Transfer-Encoding does not exist in HTTP/1.0.")
    if not coding:
        raise bad("Transfer-Encoding is empty.")  # older llhttp lets it pass
    if coding.lower() != "chunked":
        # RFC 9112 has 400 for a list that does not end in chunked (6.3) and 501 for a coding that is not understood
        # (6.1).  Both end the connection; 501 says what to change.
        raise _not_implemented("The only transfer coding understood here is chunked.")


def describe(line: bytes, fields: dict[str, str]) -> Request:
    """Make a request, for the log only, of what could be read of one that is refused."""
    words = _LOGGED.match(line)
    if words is None:
        return Request("-", b"-", V11, fields)
    version = V10 if line.endswith(b" HTTP/1.0") else V11
    return Request(words[1].decode(), (words[2] or b"-")[:_LOGGED_TARGET], version, fields)
