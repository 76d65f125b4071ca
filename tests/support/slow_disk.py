"""A file on a disk that answers when the test says so: fanotify(7) lets the kernel ask us before anybody reads it."""

from __future__ import annotations

import ctypes
import os
import select
import struct
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

_CLASS_CONTENT, _CLOEXEC = 0x04, 0x01  # linux/fanotify.h
_MARK_ADD = 0x01
_ACCESS_PERM = 0x0002_0000
_ALLOW = 0x01
_AT_FDCWD = -100
_EVENT = struct.Struct("=IBBHQii")  # its length, three fields that say how to read it, what, its descriptor, whose
_ANSWER = struct.Struct("=iI")


class SlowDisk:
    """Who reads ``path`` waits from ``stop`` until ``go_on``."""

    def __init__(self, path: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._fd = libc.fanotify_init(_CLASS_CONTENT | _CLOEXEC, os.O_RDONLY)
        if self._fd < 0:
            pytest.skip(f"fanotify: {os.strerror(ctypes.get_errno())}; it is root's")
        mask = ctypes.c_uint64(_ACCESS_PERM)
        if libc.fanotify_mark(self._fd, _MARK_ADD, mask, _AT_FDCWD, os.fsencode(path)):
            os.close(self._fd)
            pytest.skip(f"fanotify: {os.strerror(ctypes.get_errno())}; the kernel has no permission events")
        self.asked = threading.Event()
        """Somebody waits, or has waited, since ``stop``."""
        self._may_answer = threading.Event()
        self._may_answer.set()
        self._end, self._end_it = os.pipe()
        self._thread = threading.Thread(target=self._answer_all, daemon=True)

    def stop(self) -> None:
        """Answer nobody."""
        self.asked.clear()
        self._may_answer.clear()

    def go_on(self) -> None:
        """Answer who waits, and everybody from now on."""
        self._may_answer.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.go_on()
        os.close(self._end_it)
        self._thread.join()
        os.close(self._fd)  # the kernel answers who still waits
        os.close(self._end)

    def _answer_all(self) -> None:
        while self._end not in (readable := select.select([self._fd, self._end], [], [])[0]):
            assert readable == [self._fd]
            events = os.read(self._fd, 4096)
            self.asked.set()
            self._may_answer.wait()
            for size, _, _, _, _, file, _ in _EVENT.iter_unpack(events):
                assert size == _EVENT.size
                os.write(self._fd, _ANSWER.pack(file, _ALLOW))
                os.close(file)
