"""Reading one request: what is left over, what is reused, what is known of a refused one."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

from hybridd.config.settings import Limits
from hybridd.errors import HttpError
from hybridd.http import reader as module
from hybridd.http.reader import RequestReader

LIMITS = Limits()
GET = b"GET /a?b HTTP/1.1\r\nHost: h\r\nX: 1\r\n\r\n"


@pytest.fixture(autouse=True)
def _no_spare_readers(monkeypatch):
    monkeypatch.setattr(module, "_spare", [])


def test_what_lies_behind_is_given_back():
    reader = RequestReader.take(LIMITS)
    assert reader.feed(GET + GET + b"rest") == GET + b"rest"
    assert reader.complete
    request = reader.request
    assert request is not None
    assert (request.method, request.target, request.path, request.query) == ("GET", b"/a?b", "/a", "b")
    assert request.fields == {"HTTP_HOST": "h", "HTTP_X": "1"}
    assert request.body.length == 0


def test_what_lies_behind_a_body_is_given_back():
    for framing, body in (
        (b"Content-Length: 2", b"ab"),
        (b"Transfer-Encoding: chunked", b"2\r\nab\r\n0\r\nT: 1\r\n\r\n"),
    ):
        reader = RequestReader.take(LIMITS)
        data = b"POST / HTTP/1.1\r\nHost: h\r\n" + framing + b"\r\n\r\n" + body
        assert reader.feed(data + GET) == GET
        assert reader.complete
        assert reader.request is not None
        assert reader.request.body.open().read() == b"ab"
    assert reader.request.trailers == {"HTTP_T": "1"}
    assert "HTTP_T" not in reader.request.fields


def test_a_reader_that_saw_nothing_unusual_is_used_again():
    reader = RequestReader.take(LIMITS)
    reader.feed(GET)
    first = reader.request
    reader.give_back()
    again = RequestReader.take(LIMITS)
    assert again is reader
    assert again.request is None
    again.feed(b"GET /c HTTP/1.1\r\nHost: i\r\n\r\n")
    assert again.request is not None
    assert again.request.fields == {"HTTP_HOST": "i"}
    assert first is not None
    assert first.fields == {"HTTP_HOST": "h", "HTTP_X": "1"}


@pytest.mark.parametrize(
    "pieces",
    [
        [GET[:5], GET[5:]],
        [b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx"],
        [b"GET / HTTP/1.0\r\n\r\n"],
        [b"GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"],
        [GET[:20]],
        [b"FO"],
    ],
)
def test_others_are_not_and_leave_no_cycle(pieces):
    reader = RequestReader.take(LIMITS)
    for piece in pieces:
        reader.feed(piece)
    reader.give_back()
    assert reader.parser is None
    assert RequestReader.take(LIMITS) is not reader


def test_spare_readers_are_bounded():
    readers = [RequestReader.take(LIMITS) for _ in range(200)]
    for reader in readers:
        reader.feed(GET)
        reader.give_back()
    assert len(module._spare) == 64


def test_a_spare_reader_takes_new_limits():
    reader = RequestReader.take(LIMITS)
    reader.feed(GET)
    reader.give_back()
    again = RequestReader.take(replace(LIMITS, headers=1))
    assert again is reader
    with pytest.raises(HttpError, match="more than 1 header"):
        again.feed(GET)


@pytest.mark.parametrize(
    ("data", "method", "target"),
    [
        (b"\x16\x03\x01", "-", b"-"),
        (b"GET", "GET", b"-"),
        (b"GET /a/b", "GET", b"/a/b"),
        (b"POST /x HTTP/1.1\r\nHost: a\r\nHo", "POST", b"/x"),
        (b"GET /" + b"a" * 5000, "GET", b"/" + b"a" * 1023),
    ],
)
def test_what_was_read_of_a_request_is_known(data, method, target):
    reader = RequestReader.take(LIMITS)
    with suppress(HttpError):
        reader.feed(data)
    request = reader.describe()
    assert (request.method, request.target) == (method, target)


def test_the_version_of_a_refused_request_is_known():
    reader = RequestReader.take(LIMITS)
    with pytest.raises(HttpError):
        reader.feed(b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert reader.describe().version == (1, 0)
    assert reader.describe().fields == {"HTTP_TRANSFER_ENCODING": "chunked"}


def test_fields_repeated_without_end_cost_no_quadratic_work():
    reader = RequestReader.take(replace(LIMITS, header_bytes=1 << 20, headers=1000))
    with pytest.raises(HttpError):
        reader.feed(b"GET / HTTP/1.1\r\nHost: h\r\n" + b"X:y\r\n" * 20_000 + b"\r\n")
    assert len(reader.fields["HTTP_X"]) < 4000
