"""Children that another process forks for us: prctl(2), PR_SET_CHILD_SUBREAPER, and a fork that nobody is told of.

A process whose parent has ended becomes the child of the nearest ancestor that is a subreaper.  So a process that forks
twice, with a middle process that ends at once, makes a child for that ancestor, who reaps it by its number like any of
its own, and loses nothing when the one that forked dies.  The kernel could do it in one step (clone(2), CLONE_PARENT),
but the C library knows nothing of such a child: it would think that it has its parent's thread number, so that abort()
and with it every stack of a dying worker fails, and its locks would be as they happen to be.

The first of the two forks is the C library's own, without Python's hooks (``os.register_at_fork``): they are for the
child, and one of them that starts a thread (telemetry libraries do) would start it in the middle process, which then
forks with two threads.  The import lock is held meanwhile, as ``os.fork`` holds it.

Knows:     two system calls.
Never:     what the processes are for.
Runs in:   ``adopt_orphans`` and ``others_adopt`` in the master, ``fork_middle`` in a fork server.
"""

from __future__ import annotations

import _imp
import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

_PR_SET_CHILD_SUBREAPER = 36


@cache
def _python_libc() -> Any:
    """The C library, called with the interpreter lock held: no other thread of Python runs during a call."""
    return ctypes.PyDLL(None, use_errno=True)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends.

    Raises:
        OSError: a sandbox forbids it.
    """
    _set_subreaper(1)


@contextmanager
def others_adopt() -> Iterator[None]:
    """Leave those whose parent ends meanwhile to the next subreaper above us, or to init.

    Raises:
        OSError: a sandbox forbids it.
    """
    _set_subreaper(0)
    try:
        yield
    finally:
        _set_subreaper(1)


def _set_subreaper(whether: int) -> None:
    if _python_libc().prctl(_PR_SET_CHILD_SUBREAPER, whether, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def fork_middle() -> int:
    """Fork a process that has nothing to do but to ``os.fork`` and ``os._exit``.

    Raises:
        OSError: the system refuses.
    """
    fork = _python_libc().fork
    _imp.acquire_lock()
    try:
        pid: int = fork()
        if pid < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        _imp.release_lock()
    return pid
