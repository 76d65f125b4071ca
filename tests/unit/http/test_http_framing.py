"""How streamed bodies are framed."""

from __future__ import annotations

import pytest

from hybridd.http.framing import BodyWriter, Framing
from hybridd.http.request import Request
from hybridd.http.response import ResponseHead, check_head


def writer(method="GET", version=(1, 1), status=200, length=None) -> BodyWriter:
    head = ResponseHead(status, "", [] if length is None else [("Content-Length", str(length))])
    check_head(head)
    return BodyWriter(Request(method, b"/", version, {}), head)


@pytest.mark.parametrize(
    ("arguments", "framing"),
    [
        ({}, Framing.CHUNKED),
        ({"version": (1, 0)}, Framing.CLOSE),
        ({"length": 3}, Framing.LENGTH),
        ({"length": 3, "version": (1, 0)}, Framing.LENGTH),
        ({"method": "HEAD", "length": 3}, Framing.NONE),
        ({"status": 204}, Framing.NONE),
        ({"status": 304, "length": 3}, Framing.NONE),
    ],
)
def test_choice(arguments, framing):
    assert writer(**arguments).framing is framing


def test_length_counts_down():
    body = writer(length=5)
    assert [body.admit(2), body.missing, body.admit(9), body.missing, body.admit(1)] == [2, 3, 3, 0, 0]
    assert (body.enclose(3), body.end()) == ((b"", b""), b"")


def test_chunks():
    body = writer()
    assert body.admit(255) == 255
    assert body.enclose(255) == (b"ff\r\n", b"\r\n")
    assert body.enclose(0) == (b"", b""), "a chunk of no bytes would be the last one"
    assert body.end() == b"0\r\n\r\n"


def test_nothing_is_admitted_without_a_body():
    body = writer(method="HEAD", length=5)
    assert (body.admit(5), body.missing, body.end()) == (0, 0, b"")
