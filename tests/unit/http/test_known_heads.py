"""A known header block must give the very request that the parser gives, or none."""

import pytest
from httptools import HttpParserError, HttpRequestParser

from hybridd.config.settings import Limits
from hybridd.http import known_heads
from hybridd.http.known_heads import _LINE, recall
from tests.support.recording import Wire

BLOCK = b"Host: example.org\r\nAccept: */*\r\nCookie: a=b\r\n\r\n"


@pytest.fixture(autouse=True)
def _forgetful(monkeypatch):
    monkeypatch.setattr(known_heads, "_known", known_heads.Memory(16))


def requests_of(*pieces: bytes):
    """Return what a service is given when these bytes come, each piece in one read on a connection of its own."""
    found = []
    for piece in pieces:
        wire = Wire()
        wire.send(piece)
        found += wire.service.requests
    return found


def facts(request):
    return (
        request.method,
        request.target,
        request.version,
        request.path,
        request.query,
        request.fields,
        request.keep_alive,
        request.scheme,
        request.authority,
        request.body.length,
        request.expects_continue,
        request.trailers,
    )


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"POST", b"OPTIONS", b"DELETE", b"PUT", b"PATCH"])
@pytest.mark.parametrize("target", [b"/", b"/a/b?c=d&e", b"//x", b"/?", b"/%41?%20", b"/a?b?c"])
def test_the_second_time_is_like_the_first(method, target):
    line = b"%s %s HTTP/1.1\r\n" % (method, target)
    (parsed,) = requests_of(line + BLOCK)
    known_heads._known = known_heads.Memory(16)
    requests_of(b"GET /other HTTP/1.1\r\n" + BLOCK)
    assert recall(line + BLOCK, known_heads._known.young.get(BLOCK)[2]) is not None
    recalled = recall(line + BLOCK, known_heads._known.young.get(BLOCK)[2])
    assert facts(recalled) == facts(parsed)


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.0\r\n" + BLOCK,
        b"GET http://example.org/ HTTP/1.1\r\n" + BLOCK,
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nAccept: */*\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 5000 + b"\r\n\r\n",
    ],
)
def test_only_plain_heads_are_remembered(head):
    requests_of(head)
    assert not known_heads._known.young


def test_two_heads_in_one_read_are_not_remembered_and_not_recalled():
    both = (b"GET / HTTP/1.1\r\n" + BLOCK) * 2
    requests_of(both)
    requests_of(b"GET / HTTP/1.1\r\n" + BLOCK)
    limits = known_heads._known.young.get(BLOCK)[2]
    assert recall(both, limits) is None


def test_other_limits_ask_the_parser():
    requests_of(b"GET / HTTP/1.1\r\n" + BLOCK)
    assert recall(b"GET / HTTP/1.1\r\n" + BLOCK, Limits(headers=1)) is None


def test_a_long_request_line_asks_the_parser():
    requests_of(b"GET / HTTP/1.1\r\n" + BLOCK)
    limits = known_heads._known.young.get(BLOCK)[2]
    assert recall(b"GET /" + b"a" * limits.request_line + b" HTTP/1.1\r\n" + BLOCK, limits) is None


def test_a_target_has_no_character_that_llhttp_refuses():
    """Each byte in path and query: what the pattern admits, the parser has admitted too."""
    admitted = [
        target
        for code in range(256)
        for target in (b"/a" + bytes([code]) + b"b", b"/a?" + bytes([code]) + b"b")
        if _LINE.fullmatch(b"GET " + target + b" HTTP/1.1\r")
    ]
    assert b"/azb" in admitted
    assert not [target for target in admitted if b"#" in target]
    assert not [target for target in admitted if is_refused(b"GET " + target + b" HTTP/1.1\r\n" + BLOCK)]


def is_refused(head: bytes) -> bool:
    try:
        HttpRequestParser(object()).feed_data(head)
    except HttpParserError:
        return True
    return False
