"""The application that is compared when none is given: a fast route, a sleeping one, and one that kills its process.

    /                   answers at once
    /sleep?seconds=S    sleeps S seconds (at most 60), then answers
    /crash?seconds=S    sleeps S seconds, then kills the process that runs the handler, as the kernel does when memory
                        runs out

Knows:     WSGI.
Never:     what it is served by.
Runs in:   the workers of the servers that are compared.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

LONGEST_SLEEP = 60.0

StartResponse = Callable[..., Any]


def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """Answer a request."""
    match environ["PATH_INFO"]:
        case "/":
            return _answer(start_response, "200 OK", b"hello\n")
        case "/sleep" | "/crash" as path:
            seconds = sleep_of(environ.get("QUERY_STRING", ""))
            if seconds is None:
                return _answer(start_response, "400 Bad Request", b"expected ?seconds=NUMBER\n")
            time.sleep(seconds)
            if path == "/crash":
                os.kill(os.getpid(), signal.SIGKILL)
            return _answer(start_response, "200 OK", b"slept\n")
    return _answer(start_response, "404 Not Found", b"routes: / /sleep?seconds=S /crash?seconds=S\n")


def sleep_of(query: str) -> float | None:
    """Return the seconds that a query string asks for; None when it asks for nothing sensible."""
    try:
        seconds = float(parse_qs(query).get("seconds", [""])[0])
    except ValueError:
        return None
    return seconds if 0 <= seconds <= LONGEST_SLEEP else None


def _answer(start_response: StartResponse, status: str, body: bytes) -> list[bytes]:
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
