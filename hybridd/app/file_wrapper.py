"""``wsgi.file_wrapper`` (PEP 3333): an iterable of a file's blocks that the server may recognise and send as a file.

A file is sent by the thread that leads, and sendfile waits for the disk: everybody would wait with it.  So a file that
is not in memory is read into it before, within the window of the application: who waits for a disk there is handed off
like any handler that blocks, and its route goes to the pool from then on.

Knows:     which objects are plain files, so that their descriptor holds just what ``read`` would give.
Never:     sends anything, closes what it was not asked to close.
Runs in:   the thread that steps the exchange, within its window.
"""

from __future__ import annotations

import os
import stat
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from io import BufferedRandom, BufferedReader, FileIO
from typing import Any

DEFAULT_BLOCK_SIZE = 65_536

AHEAD = 8 << 20
"""Bytes of a file that are read before any is sent.  Who asks for a few of a long one costs no more reading than that,
and nobody waits longer for the first byte; what lies behind them is read by who sends it."""

_STRIDE = 1 << 20
"""Bytes from one look to the next: 1 µs for what takes 250 to send."""

_AT_HAND = 0.0001
"""Seconds: memory answers in 1 µs, a quick disk in 50 to 100.  Who waits for a CPU reads in vain: 0.1 ms."""


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
        """Return what a ``sendfile`` may send instead, in memory as far as AHEAD, or None when only ``read`` knows.

        May wait for the disk.

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
        region = Region(fd, offset, max(facts.st_size - offset, 0))
        read_in(region, partial(_timed_read, fd))
        return region


def read_in(region: Region, read: Callable[[int, int], float]) -> None:
    """Look here and there whether the file is in memory; from the first place on where it is not, read it.

    The kernel's own word (RWF_NOWAIT, preadv2(2)) is to be had of few file systems: not of NFS and tmpfs.

    Args:
        region: what will be sent.
        read: reads at an offset so many bytes, and returns the seconds that this took.
    """
    size = 1
    for place in range(region.offset, region.offset + min(region.count, AHEAD), _STRIDE):
        if read(place, size) > _AT_HAND and size == 1:
            size = _STRIDE
            read(place, size)


def _timed_read(fd: int, offset: int, size: int) -> float:
    began = time.perf_counter()
    os.pread(fd, size, offset)
    return time.perf_counter() - began


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
