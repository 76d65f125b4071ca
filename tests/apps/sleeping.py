"""Answers after ``?seconds=S``; ``?stream=1`` answers a part before and a part after."""

from __future__ import annotations

import time
from urllib.parse import parse_qs


def application(environ, start_response):
    query = parse_qs(environ["QUERY_STRING"])
    seconds = float(query.get("seconds", ["1"])[0])
    start_response("200 OK", [("Content-Type", "text/plain")])
    if "stream" in query:
        return in_two_parts(seconds)
    time.sleep(seconds)
    return [b"slept\n"]


def in_two_parts(seconds):
    yield b"before\n"
    time.sleep(seconds)
    yield b"after\n"
