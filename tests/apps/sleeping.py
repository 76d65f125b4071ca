"""Answers after ``?seconds=S``; ``?stream=1`` answers a part before and a part after.  ``?raise=1`` raises then."""

from __future__ import annotations

import time
from urllib.parse import parse_qs


def application(environ, start_response):
    query = parse_qs(environ["QUERY_STRING"])
    seconds = float(query.get("seconds", ["1"])[0])
    start_response("200 OK", [("Content-Type", "text/plain")])
    if "stream" in query:
        return in_two_parts(query, seconds)
    sleep(query, seconds)
    return [b"slept\n"]


def in_two_parts(query, seconds):
    yield b"before\n"
    sleep(query, seconds)
    yield b"after\n"


def sleep(query, seconds):
    time.sleep(seconds)
    if "raise" in query:
        raise SystemExit("raised after its sleep")
