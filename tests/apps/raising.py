"""Raises at every place where an application may: ``/before`` and ``/after`` start_response, ``/first`` and ``/later``
parts of the iterable, ``/close``; and what is no Exception: ``/exit``, ``/interrupt``, ``/generator-exit``.
"""

from __future__ import annotations

import sys

BASE_EXCEPTIONS = {"/interrupt": KeyboardInterrupt, "/generator-exit": GeneratorExit}


class UnprintableError(Exception):
    def __str__(self):
        raise RuntimeError("an exception whose text raises")


class RaisesInClose:
    def __iter__(self):
        yield b"complete\n"

    def close(self):
        raise OSError("raised in close")


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/before":
        raise ValueError("raised before start_response")
    if path == "/exit":
        sys.exit(3)
    if path == "/unprintable":
        raise UnprintableError
    if path in BASE_EXCEPTIONS:
        raise BASE_EXCEPTIONS[path]
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Secret", "of the failed response")])
    if path == "/after":
        raise ValueError("raised after start_response")
    if path == "/close":
        return RaisesInClose()
    return parts(path)


def parts(path):
    if path == "/first":
        raise ValueError("raised before the first part")
    yield b"begun\n"
    if path == "/later":
        raise ValueError("raised between two parts")
    yield b"ended\n"
