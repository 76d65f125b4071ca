"""The WSGI application of the benchmarks: one path per kind of work.

Knows:     only the standard library; the file to send is named by BENCH_SAMPLE_FILE.
Runs in:   every WSGI server that is measured, with the same bytes in and out.
See also:  asgi_site.py, its twin for ASGI servers.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]
Handler = Callable[[Environ, StartResponse], Iterable[bytes]]

OK = "200 OK"
HELLO = b"Hello, World!\n"
MEBIBYTE = b"0123456789abcdef" * 65536
BLOCK = 65536
FILE = Path(os.environ.get("BENCH_SAMPLE_FILE", __file__))

BLOCKING_SECONDS = 0.05
LONG_SECONDS = 1.0
COMPUTING_STEPS = 400_000
"""About 20 ms of one core: long enough to starve a loop that waits for it."""


def text(body: bytes, start_response: StartResponse) -> list[bytes]:
    """Answer with a whole body of known length."""
    start_response(OK, [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


def hello(_environ: Environ, start_response: StartResponse) -> list[bytes]:
    """As little work as an application can do."""
    start_response(OK, [("Content-Type", "text/plain"), ("Content-Length", "14")])
    return [HELLO]


def block(_environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Wait as for a database: 50 ms."""
    time.sleep(BLOCKING_SECONDS)
    return text(b"slept\n", start_response)


def block_long(_environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Wait for one second, and say who waited."""
    time.sleep(LONG_SECONDS)
    return text(b"%d\n" % os.getpid(), start_response)


def hold(environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Wait for as many seconds as the query says: keeps a worker from ending its drain."""
    time.sleep(float(environ["QUERY_STRING"]))
    return text(b"held\n", start_response)


def compute(_environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Compute in Python, holding the interpreter lock as long as it is not taken away."""
    total = 0
    for number in range(COMPUTING_STEPS):
        total += number & 7
    return text(b"%d\n" % total, start_response)


def mebibyte(_environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Send 1 MiB from memory."""
    return text(MEBIBYTE, start_response)


def upload(environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Read the body in blocks, as file uploads are read, and say how long it was."""
    source, size = environ["wsgi.input"], 0
    remaining = int(environ.get("CONTENT_LENGTH") or 0)
    while remaining and (piece := source.read(min(BLOCK, remaining))):
        size += len(piece)
        remaining -= len(piece)
    return text(b"%d\n" % size, start_response)


def file(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Send a file of 50 MB the way PEP 3333 offers, else in blocks."""
    opened = FILE.open("rb")
    start_response(
        OK, [("Content-Type", "application/octet-stream"), ("Content-Length", str(os.fstat(opened.fileno()).st_size))]
    )
    wrapper = environ.get("wsgi.file_wrapper")
    result: Iterable[bytes] = wrapper(opened, BLOCK) if wrapper else iter(lambda: opened.read(BLOCK), b"")
    return result


def order(environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Read a JSON order, answer with its sum as JSON."""
    document = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    body = json.dumps({"id": document["id"], "total": sum(line["price"] for line in document["lines"])}).encode()
    start_response(OK, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def pid(_environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Say which process answers."""
    return text(b"%d\n" % os.getpid(), start_response)


HANDLERS: dict[str, Handler] = {
    "/hello": hello,
    "/block": block,
    "/block-long": block_long,
    "/hold": hold,
    "/compute": compute,
    "/mebibyte": mebibyte,
    "/upload": upload,
    "/file": file,
    "/order": order,
    "/pid": pid,
}


def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Find the handler by path."""
    return HANDLERS[environ["PATH_INFO"]](environ, start_response)
