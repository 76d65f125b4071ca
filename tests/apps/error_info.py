"""``start_response`` with ``exc_info``: ``/early`` replaces a head that is not sent, ``/late`` comes too late.

``/twice`` calls it again without ``exc_info``.
"""

from __future__ import annotations

import sys


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/late":
        return late(start_response)
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-From", "the first call")])
    if path == "/twice":
        start_response("200 OK", [("Content-Type", "text/plain")])
    try:
        [].pop()
    except IndexError:
        start_response("404 Not Found", [("Content-Type", "text/plain")], sys.exc_info())
    return [b"replaced\n"]


def late(start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"begun\n"
    try:
        [].pop()
    except IndexError:
        start_response("500 Internal Server Error", [("Content-Type", "text/plain")], sys.exc_info())
    yield b"never sent\n"
