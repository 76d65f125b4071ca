"""Look into the folder of an application's values: read the files of the living, retire those of the dead.

What a dead process has counted goes into one file per kind of metric (``counter_retired.db``), and its own files are
removed: so a scrape costs what it costs with the processes that live, however many there were.  The file of the dead is
replaced in one step and says which files it has taken in: whoever is killed here leaves nothing that counts twice or
not at all.  One process at a time looks (a lock in the folder), for during an upgrade there are two masters.

Only the files of processes that are gone are touched.  Those of the living are read beside their writers: what a
value's eight bytes are is one store, and an entry is complete before it is announced (value_files.py).

Knows:     the folder, who lives.
Never:     follows a symbolic link, waits for a pipe, reads more of a file than ``LARGEST``.
Runs in:   the process that gathers (application_metrics.py).
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from hybridd.ops.procfs import read_stat
from hybridd.ops.value_files import (
    RETIRED,
    Contents,
    Entry,
    Name,
    Source,
    bytes_in_use,
    pack,
    parse,
    parse_name,
    retired_name,
)
from hybridd.ops.value_merging import LASTING, RULES, Refusal, Value, combine, read_key

LARGEST: Final = 16 * 1024 * 1024
"""Bytes in use of one file: some 100,000 series of one process and kind."""

_BLOCK: Final = 65_536
_LOCK: Final = "lock"


@dataclass(slots=True)
class Reading:
    """What the files say: those of the living by owner, then those of the dead."""

    living: list[tuple[Name, list[Entry]]] = field(default_factory=list)
    retired: dict[str, list[Entry]] = field(default_factory=dict)
    refused: Counter[Refusal] = field(default_factory=Counter)
    damaged: list[str] = field(default_factory=list)

    def refuse(self, text: str, why: Refusal) -> None:
        """Leave out a file, or the rest of it."""
        self.refused[why] += 1
        self.damaged.append(text)


def lives(pid: int) -> bool:
    """Whether a process can still write: a dead one that is not reaped cannot."""
    found = read_stat(pid)
    return found is not None and found.state not in {"Z", "X"}


def read(folder: str, most: int, alive: Callable[[int], bool] = lives) -> Reading:
    """Retire the dead and read everything.

    Args:
        folder: its path.
        most: series of one family that are kept of the dead; a larger one is not shown anyway.
        alive: whether a process lives.

    Raises:
        OSError: the folder cannot be read or written.
    """
    with _alone(folder):
        texts = sorted(os.listdir(folder))  # noqa: PTH208 - text
        names = {text: name for text in texts if (name := parse_name(text))}
        # Who is dead is asked before the files are read: after that nobody writes there any more.
        owners = {name.pid for name in names.values() if name.pid}
        dead = {pid for pid in owners if not alive(pid)}
        reading = Reading()
        for prefix in RULES:
            mine = {text: name for text, name in names.items() if name.prefix == prefix}
            graves = [text for text, name in mine.items() if name.pid in dead]
            reading.retired[prefix] = _retire(folder, prefix, graves, most, reading)
            for text, name in mine.items():
                if text not in graves and name.owner != RETIRED:
                    found = _contents(folder, text, reading)
                    if found is not None:
                        reading.living.append((name, list(found[0].entries)))
        return reading


def _retire(folder: str, prefix: str, graves: list[str], most: int, reading: Reading) -> list[Entry]:
    """Take the files of the dead in; return what all the dead have counted."""
    if prefix not in LASTING:
        _remove(folder, graves)
        return []
    before = _contents(folder, retired_name(prefix), reading)
    known = before[0] if before is not None else Contents()
    if not graves:
        return list(known.entries)
    values: dict[bytes, Value] = {}
    combine(RULES[prefix], values, known.entries)
    sources: list[Source] = []
    for text in graves:
        found = _contents(folder, text, reading)
        if found is None:
            continue
        contents, source = found
        if source not in known.taken_in:  # else whoever took it in was killed before it was removed
            combine(RULES[prefix], values, contents.entries)
        sources.append(source)
    entries = _within(most, [(key, *value) for key, value in values.items()])
    _replace(f"{folder}/{retired_name(prefix)}", pack(entries, sources))
    _remove(folder, graves)
    return entries


def _within(most: int, entries: list[Entry]) -> list[Entry]:
    """Leave out the families that have more entries than may be shown: their dead would fill the memory."""
    if len(entries) <= most:
        return entries
    families = [key.family if (key := read_key(raw)) is not None else "" for raw, *_ in entries]
    sizes = Counter(families)
    return [entry for entry, family in zip(entries, families, strict=True) if family and sizes[family] <= most]


def _contents(folder: str, text: str, reading: Reading) -> tuple[Contents, Source] | None:
    """Return what stands in a file, and which one it is; None when it must not be read."""
    try:
        fd = os.open(f"{folder}/{text}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None  # it was removed just now (mark_dead)
    except OSError:
        reading.refuse(text, Refusal.DAMAGED)
        return None
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            reading.refuse(text, Refusal.DAMAGED)
            return None
        data = os.pread(fd, _BLOCK, 0)  # the file is larger than what is in use of it
        used = bytes_in_use(data)
        if used > LARGEST:
            reading.refuse(text, Refusal.TOO_LARGE)
            return None
        if used > len(data) or RETIRED in text:
            data = os.pread(fd, 2 * LARGEST if RETIRED in text else used, 0)
    finally:
        os.close(fd)
    contents = parse(data)
    if not contents.sound:
        reading.refuse(text, Refusal.DAMAGED)
    return contents, (text, found.st_ino, found.st_ctime_ns)


def _remove(folder: str, graves: list[str]) -> None:
    for text in graves:
        with suppress(OSError):  # somebody has made a folder of that name, say
            os.unlink(f"{folder}/{text}")  # noqa: PTH108 - text


def _replace(path: str, data: bytes) -> None:
    new = f"{path}.new"
    with suppress(FileNotFoundError):
        os.unlink(new)  # noqa: PTH108 - of one who was killed at this
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(fd, "wb") as file:  # noqa: PTH123 - a descriptor
        file.write(data)
    os.rename(new, path)  # noqa: PTH104 - text


@contextmanager
def _alone(folder: str) -> Iterator[None]:
    fd = os.open(f"{folder}/{_LOCK}", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
