"""Computes in Python for ``?seconds=S`` of processor time."""

from __future__ import annotations

import time
from urllib.parse import parse_qs


def application(environ, start_response):
    seconds = float(parse_qs(environ["QUERY_STRING"]).get("seconds", ["0.5"])[0])
    turns = 0
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        turns += sum(range(1000)) > 0
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"%d turns\n" % turns]
