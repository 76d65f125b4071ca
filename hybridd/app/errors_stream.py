"""``wsgi.errors``: text that applications write, as records of the error log, a line each.

Knows:     which thread has begun a line that it has not ended.
Never:     a request (a library may keep the stream), the log's file or format.
Runs in:   any thread of a worker, in application code; ``flush`` in the server's too.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable

LOGGER = logging.getLogger("hybridd.app.stderr")
LONGEST_LINE = 32_768  # characters; a line without end must not grow in memory: it is cut into records of this size


class ErrorsStream:
    """A text stream that logs; one per worker, shared by all requests.

    Lines get level ERROR, the only one that no ``log.level`` hides: this is the place for errors (PEP 3333).
    ``unfinished`` holds the line that each thread has begun; an exchange flushes its own at the end of each step, so
    that no request goes on with the line of another one.
    """

    # Each thread has its own unfinished line, so lines of different requests never mix.  A dict by thread, not a
    # threading.local: whether *anything* is unfinished is then one truth test after each request.  Its single
    # operations are atomic, and each key belongs to one thread.

    __slots__ = ("unfinished",)

    encoding = "utf-8"

    def __init__(self) -> None:
        self.unfinished: dict[int, str] = {}

    def write(self, text: str) -> int:
        """Log the lines that ``text`` completes; keep the rest for the next call of this thread."""
        if not isinstance(text, str):
            raise TypeError(f"wsgi.errors takes str, not {type(text).__name__}")
        thread = threading.get_ident()
        *lines, rest = (self.unfinished.pop(thread, "") + text).split("\n")
        while len(rest) > LONGEST_LINE:
            lines.append(rest[:LONGEST_LINE])
            rest = rest[LONGEST_LINE:]
        if rest:
            self.unfinished[thread] = rest
        for line in lines:
            _log(line)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each of ``lines``; they bring their own line ends."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Log this thread's unfinished line."""
        if self.unfinished:
            _log(self.unfinished.pop(threading.get_ident(), ""))

    def isatty(self) -> bool:
        """Return False: whoever colours text for terminals should not."""
        return False

    def writable(self) -> bool:
        """Return True."""
        return True


def _log(line: str) -> None:
    if line.strip():
        LOGGER.error("%s", line.rstrip())
