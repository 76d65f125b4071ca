"""Breaks PEP 3333 by what it returns: one path each."""

from __future__ import annotations

RESULTS = {
    "/none": None,
    "/str": "hello",
    "/bytes": b"hello",
    "/list-of-str": ["hello"],
    "/list-of-int": [1, 2],
    "/mixed": [b"hello", "hello"],
    "/bytearray": [bytearray(b"hello")],
    "/number": 5,
}


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/no-start-response":
        return [b"hello"]
    if path == "/no-start-response-empty":
        return []
    start_response("200 OK", [("Content-Type", "text/plain")])
    if path == "/generator-of-str":
        return (text for text in ("hello",))
    if path == "/late-str":
        return iter([b"hello", "hello"])
    return RESULTS[path]
