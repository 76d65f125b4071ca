"""Ends its worker: ``/exit?status=N``, ``/kill``, ``/abort``, ``/segfault``; any other path answers the pid."""

from __future__ import annotations

import ctypes
import os
import signal
from urllib.parse import parse_qs


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/exit":
        os._exit(int(parse_qs(environ["QUERY_STRING"]).get("status", ["1"])[0]))
    if path == "/kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if path == "/abort":
        os.abort()
    if path == "/segfault":
        ctypes.string_at(0)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"%d\n" % os.getpid()]
