"""``wsgi.file_wrapper`` (PEP 3333): an iterable of a file's blocks that the server may recognise and send as a file.

Knows:     which objects are plain files, so that their descriptor holds just what ``read`` would give.
Never:     sends anything, closes what it was not asked to close.
Runs in:   the thread that steps the exchange.
"""

from __future__ import annotations

import os
import stat
import tempfile
from dataclasses import dataclass
from io import BufferedRandom, BufferedReader, FileIO
from typing import Any

DEFAULT_BLOCK_SIZE = 65_536


@dataclass(frozen=True, slots=True)
class Region:
    """What is left of a regular file from its current position: ``count`` bytes of ``fd`` at ``offset``."""

    fd: int
    offset: int
    count: int


class FileWrapper:
    """Iterates over blocks of ``filelike``; has ``close`` if ``filelike`` has."""

    def __init__(self, filelike: Any, block_size: int = DEFAULT_BLOCK_SIZE) -> None:
        self.filelike = filelike
        self.block_size = block_size
        if hasattr(filelike, "close"):
            self.close = filelike.close

    def __iter__(self) -> FileWrapper:
        return self

    def __next__(self) -> bytes:
        block: bytes = self.filelike.read(self.block_size)
        if not block:
            raise StopIteration
        return block

    def region(self) -> Region | None:
        """Return what a ``sendfile`` may send instead, or None when only ``read`` knows.

        Raises:
            OSError, ValueError: the file is closed or broken.
        """
        plain = _plain_file(self.filelike)
        if plain is None:
            return None
        fd = plain.fileno()
        facts = os.fstat(fd)
        if not stat.S_ISREG(facts.st_mode):  # pipes, sockets, /dev, but also /proc: those say size 0
            return None
        offset = plain.tell()  # counts what a reader has buffered; the descriptor's own position does not
        if facts.st_size == 0:  # files in /proc and /sys have content nevertheless
            return None
        return Region(fd, offset, max(facts.st_size - offset, 0))


def _plain_file(filelike: Any) -> BufferedReader | BufferedRandom | FileIO | None:
    """Return the file itself if it is one of the exact types whose ``fileno`` is the whole truth.

    A ``GzipFile`` has a ``fileno`` too: that of the compressed file.  So no duck typing here.
    """
    if type(filelike) is tempfile._TemporaryFileWrapper:  # noqa: SLF001 - what NamedTemporaryFile returns has no public name
        filelike = filelike.file
    if type(filelike) is BufferedRandom:
        filelike.flush()
    elif type(filelike) is FileIO:
        return filelike
    elif type(filelike) is not BufferedReader:
        return None
    return filelike if type(filelike.raw) is FileIO else None
