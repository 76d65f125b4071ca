"""Heads that must never be sent: one path each; every body is the same."""

from __future__ import annotations

HEADS = {
    "/cr": ("200 OK", [("X-Value", "a\rSet-Cookie: b=c")]),
    "/lf": ("200 OK", [("X-Value", "a\nSet-Cookie: b=c")]),
    "/crlf": ("200 OK", [("X-Value", "a\r\n\r\n<script>")]),
    "/nul": ("200 OK", [("X-Value", "a\0b")]),
    "/name-lf": ("200 OK", [("X-Value\nSet-Cookie", "b=c")]),
    "/name-colon": ("200 OK", [("X-Value: a\tSet-Cookie", "b=c")]),
    "/name-empty": ("200 OK", [("", "b=c")]),
    "/not-latin-1": ("200 OK", [("X-Value", "\u20ac")]),
    "/value-int": ("200 OK", [("Content-Length", 6)]),
    "/value-bytes": ("200 OK", [("X-Value", b"bytes")]),
    "/value-none": ("200 OK", [("X-Value", None)]),
    "/name-bytes": ("200 OK", [(b"X-Value", "text")]),
    "/pair": ("200 OK", ["X-Value: text"]),
    "/three": ("200 OK", [("X-Value", "a", "b")]),
    "/tuple": ("200 OK", (("X-Value", "a"),)),
    "/dict": ("200 OK", {"X-Value": "a"}),
    "/status-lf": ("200 OK\r\nSet-Cookie: b=c", []),
    "/status-words": ("OK", []),
    "/status-glued": ("200OK", []),
    "/status-short": ("20 OK", []),
    "/status-int": (200, []),
    "/status-bytes": (b"200 OK", []),
    "/status-1xx": ("100 Continue", []),
    "/length-text": ("200 OK", [("Content-Length", "six")]),
    "/length-negative": ("200 OK", [("Content-Length", "-6")]),
    "/length-two": ("200 OK", [("Content-Length", "6"), ("Content-Length", "7")]),
}


def application(environ, start_response):
    status, headers = HEADS[environ["PATH_INFO"]]
    start_response(status, headers)
    return [b"hello\n"]
