"""Generators: ``?count=N&size=S`` blocks; ``/lazy`` calls start_response at the first ``next``.

``/hollow`` yields ``b""`` before, between and after its blocks.
``/endless`` never ends by itself; ``closed`` counts how often an iterable was closed, and the application says so.
"""

from __future__ import annotations

from urllib.parse import parse_qs

closed = 0


class Parts:
    """An iterable with a close method that is not a generator."""

    def __init__(self, parts):
        self._parts = iter(parts)

    def __iter__(self):
        return self

    def __next__(self):
        return next(self._parts)

    def close(self):
        global closed  # noqa: PLW0603 - what a test looks at
        closed += 1


def application(environ, start_response):
    path = environ["PATH_INFO"]
    query = parse_qs(environ["QUERY_STRING"])
    count = int(query.get("count", ["3"])[0])
    size = int(query.get("size", ["10"])[0])
    if path == "/closed":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"%d\n" % closed]
    if path == "/lazy":
        return Parts(lazily(start_response, count, size))
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    if path == "/hollow":
        return Parts([b"", b"", b"x" * size, b"", b"y" * size])
    if path == "/endless":
        return Parts(endless(size))
    return Parts(bytes([65 + number % 26]) * size for number in range(count))


def lazily(start_response, count, size):
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    for _ in range(count):
        yield b"z" * size


def endless(size):
    while True:
        yield b"e" * size
