"""Read configuration files: bounded, regular files only, UTF-8.

Knows:     paths, and the directory that relative ones begin at.
Never:     what a file says.
Runs in:   wherever a configuration is loaded.  The master reads again for each reload in its only thread: a FIFO or
           terminal would block it, so only regular files are read.
Raises:    UnreadableError with the reason for the operator.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from hybridd.config.problem import Mark

# The longest sensible configuration, with every setting and comment, has about 20 KiB.
LONGEST = 256 * 1024
SUFFIX = ".yaml"


class UnreadableError(Exception):
    """A file that cannot be read; ``mark`` is set when the place of the fault is known."""

    def __init__(self, reason: str, mark: Mark | None = None) -> None:
        super().__init__(reason)
        self.mark = mark


def read_text(path: Path) -> str:
    """Return the text of the file."""
    data = read_bytes(path)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        mark = Mark(before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
        raise UnreadableError(f"expected UTF-8 text, got the byte 0x{data[error.start]:02x}", mark) from None


def read_bytes(path: Path) -> bytes:
    """Return what is in the file."""
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UnreadableError("cannot read it: not a regular file")
            data = file.read(LONGEST + 1)
    except OSError as error:
        raise UnreadableError(f"cannot read it: {error.strerror}") from None
    except ValueError as error:  # a NUL in the path
        raise UnreadableError(f"cannot read it: {error}") from None
    if len(data) > LONGEST:
        raise UnreadableError(f"expected at most {LONGEST // 1024}KiB, got more")
    return data


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # opening a FIFO must not wait for somebody to write


def files_of(directory: Path) -> tuple[list[str], list[str]]:
    """Return the names in a ``conf.d`` that are read, in the order of their names, and those that look forgotten."""
    try:
        names = sorted(entry.name for entry in directory.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise UnreadableError(f"cannot read it: {error.strerror}") from None
    return [name for name in names if name.endswith(SUFFIX)], [name for name in names if name.endswith(".yml")]
