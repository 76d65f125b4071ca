"""The application that the tests of the whole daemon lean on: one path per behaviour of a handler.

    /               "hello"                       /pid             the worker's pid
    /sleep/SECONDS  answers after that            /hold?file=PATH  answers as soon as PATH exists
                                                  (&began=PATH: makes that file first)
    /bytes/COUNT    that many bytes               /stream/N/SIZE   N blocks of SIZE bytes from a generator
    /echo           the request body              /environ         the environ as JSON
    /raise          raises                        /raise-late      raises after the first block
    /header?value=V a header with V in it         /exit/STATUS     the worker process ends at once
    /gil/SECONDS    sleeps in C and keeps the interpreter lock
    /spin/SECONDS   computes in Python            /date            answers with a Date of its own
    /status/CODE    nothing but that status       /thread          the name of the thread that runs it

The paths wait and end processes on purpose; nothing here is an example for an application.
"""

from __future__ import annotations

import ctypes
import json
import os
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

Environ = dict[str, Any]
Answer = tuple[str, list[tuple[str, str]], Iterable[bytes]]

PLAIN = ("Content-Type", "text/plain")


def plain(body: bytes) -> Answer:
    return "200 OK", [PLAIN, ("Content-Length", str(len(body)))], [body]


def thread(_environ: Environ) -> Answer:
    return plain(threading.current_thread().name.encode())


def query(environ: Environ) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(environ["QUERY_STRING"]))


def hello(_environ: Environ) -> Answer:
    return plain(b"hello\n")


def pid(_environ: Environ) -> Answer:
    return plain(b"%d\n" % os.getpid())


def sleep(_environ: Environ, seconds: str) -> Answer:
    time.sleep(float(seconds))
    return plain(b"slept\n")


def hold(environ: Environ) -> Answer:
    asked = query(environ)
    if "began" in asked:
        Path(asked["began"]).touch()
    path = Path(asked["file"])
    while not path.exists():
        time.sleep(0.01)
    return plain(b"released\n")


def of_bytes(_environ: Environ, count: str) -> Answer:
    return plain(b"x" * int(count))


def stream(_environ: Environ, count: str, size: str) -> Answer:
    def blocks() -> Iterator[bytes]:
        for number in range(int(count)):
            yield bytes([65 + number % 26]) * int(size)

    return "200 OK", [PLAIN], blocks()


def echo(environ: Environ) -> Answer:
    return plain(environ["wsgi.input"].read())


def of_status(_environ: Environ, status: str) -> Answer:
    return f"{status} As Asked", [("ETag", '"1"')], []


def show_environ(environ: Environ, *_path: str) -> Answer:
    shown = {
        key: value if isinstance(value, str | int | bool | tuple) else str(value) for key, value in environ.items()
    }
    return plain(json.dumps(shown).encode())


def fail(_environ: Environ) -> Answer:
    raise RuntimeError("the application failed on purpose")


def fail_late(_environ: Environ) -> Answer:
    def blocks() -> Iterator[bytes]:
        yield b"begun\n"
        raise RuntimeError("the application failed late on purpose")

    return "200 OK", [PLAIN], blocks()


def header(environ: Environ) -> Answer:
    status, fields, body = plain(b"with a header\n")
    return status, [*fields, ("X-Value", query(environ)["value"])], body


def own_date(_environ: Environ) -> Answer:
    status, fields, body = plain(b"dated\n")
    return status, [*fields, ("Date", "Thu, 01 Jan 1970 00:00:00 GMT")], body


def end(_environ: Environ, status: str) -> Answer:
    os._exit(int(status))


def hold_interpreter(_environ: Environ, seconds: str) -> Answer:
    ctypes.PyDLL(None).usleep(int(float(seconds) * 1e6))  # PyDLL keeps the interpreter lock, CDLL lets it go
    return plain(b"kept\n")


def open_file(_environ: Environ) -> Answer:
    return plain(Path(__file__).read_bytes())


def spin(_environ: Environ, seconds: str) -> Answer:
    until = time.thread_time() + float(seconds)
    while time.thread_time() < until:
        pass
    return plain(b"spun\n")


ROUTES: dict[str, Callable[..., Answer]] = {
    "": hello,
    "pid": pid,
    "sleep": sleep,
    "hold": hold,
    "bytes": of_bytes,
    "stream": stream,
    "echo": echo,
    "environ": show_environ,
    "status": of_status,
    "raise": fail,
    "raise-late": fail_late,
    "header": header,
    "date": own_date,
    "exit": end,
    "open": open_file,
    "gil": hold_interpreter,
    "spin": spin,
    "thread": thread,
}


def app(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
    name, *arguments = environ["PATH_INFO"].lstrip("/").split("/")
    handler = ROUTES.get(name)
    if handler is None:
        status, fields, body = "404 Not Found", [PLAIN, ("Content-Length", "0")], [b""]
    else:
        status, fields, body = handler(environ, *arguments)
    start_response(status, fields)
    return body
