"""What a process has that a fork would break: threads, which do not exist in the child, and sockets, which it shares.

Knows:     /proc/self, the threads that Python knows of.
Never:     why they are there.
Runs in:   a fork server, before and after it has loaded the application.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

MOST_NAMED: Final = 10
"""Threads and sockets that are named, of each kind; the rest is counted."""

_TASKS: Final = Path("/proc/self/task")


def warning(threads: Sequence[str], sockets: Sequence[str]) -> str:
    """Return what to tell a person of them and what to do about it; nothing when there are none."""
    found = [_listed(names, word) for names, word in ((threads, "thread"), (sockets, "open socket")) if names]
    if not found:
        return ""
    harm = []
    if threads:
        harm.append("threads do not run in the workers, and a lock that one of them holds during a fork stays locked")
    if sockets:
        harm.append("all workers would write to and read from the same sockets")
    return (
        f"preload: loading the application has left {' and '.join(found)} in the fork server: {'; '.join(harm)}."
        " Start and open them lazily, at the first use in a worker, or in a function for"
        " os.register_at_fork(after_in_child=...)"
    )


def find_threads() -> list[str]:
    """Return the names of all threads but the main one; those that no Python code started have the kernel's name."""
    known = {thread.native_id: thread.name for thread in threading.enumerate()}
    main = os.getpid()  # gettid(2); Python's own number for it is from before the fork
    tasks = sorted(int(name) for name in os.listdir(_TASKS))  # noqa: PTH208 - numbers, not paths
    return [known.get(task) or _native_name(task) for task in tasks if task != main]


def open_sockets() -> dict[int, str]:
    """Return the descriptors that are sockets, each with what names it for good."""
    found = {}
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - numbers, not paths
        with suppress(OSError):  # that of the listing itself is gone
            target = os.readlink(f"/proc/self/fd/{name}")  # noqa: PTH115 - text
            if target.startswith("socket:"):
                found[int(name)] = target
    return found


def name_sockets(before: Collection[str]) -> list[str]:
    """Return the words for the sockets that are none of ``before`` (values of ``open_sockets``)."""
    return [describe(fd) for fd, target in sorted(open_sockets().items()) if target not in before]


def describe(fd: int) -> str:
    """Return for example ``a connection to 10.0.0.5:5432``."""
    try:
        with socket.socket(fileno=os.dup(fd)) as sock:
            if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                return f"a listener on {_address(sock.getsockname())}"
            try:
                peer = sock.getpeername()
            except OSError:
                return f"an unconnected socket ({sock.family.name})"
            return f"a connection to {_address(peer) or 'a socket pair'}"
    except OSError:
        return f"descriptor {fd}"


def _address(address: object) -> str:
    if isinstance(address, tuple):
        host = f"[{address[0]}]" if ":" in str(address[0]) else address[0]
        return f"{host}:{address[1]}"
    return f"unix:{os.fsdecode(address)}" if isinstance(address, str | bytes) and address else ""


def _native_name(task: int) -> str:
    try:
        return (_TASKS / str(task) / "comm").read_text(errors="replace").strip()
    except OSError:
        return f"task {task}"


def _listed(names: Sequence[str], word: str) -> str:
    plural = word if len(names) == 1 else f"{word}s"
    more = len(names) - MOST_NAMED
    named = ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"{len(names)} {plural} ({named})"
