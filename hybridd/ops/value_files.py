"""The files in which prometheus_client keeps the values of a process in its multiprocess mode, as bytes.

A file belongs to one process and one kind of metric: ``counter_4711.db``, ``gauge_livesum_4711.db``.  It begins with
the number of bytes in use (4 bytes, then 4 of padding); then come entries: the length of a key (4 bytes), the key, 1 to
8 spaces up to a multiple of 8, and two doubles, value and time stamp (head of prometheus_client's mmap_dict.py).  All
of it is in the machine's byte order.  A key is JSON: [family, sample, labels, help].

A process that is killed at any instruction leaves it readable: an entry is complete before the number of bytes in use
says so.  It may be empty (killed between making and sizing it).  What a defect has written is read as far as it goes.

We write such files too: ``counter_retired.db`` holds what all dead processes have counted, for us and for whoever else
reads the folder (an application with a page of its own).  Behind the bytes in use, where no reader looks, it names the
files that it has taken in, so that none is counted twice when we are killed before they are removed.

Knows:     the format.
Never:     the file system; what the values mean (value_merging.py).
Runs in:   the process that gathers (application_metrics.py).
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

RETIRED: Final = "retired"
"""The owner of the files of the dead; a process has its number there."""

_NAME: Final = re.compile(
    r"(counter|histogram|summary|gauge_(?:live)?(?:all|min|max|sum|mostrecent))_([A-Za-z0-9.-]+)\.db"
)
_HEAD: Final = struct.Struct("i4x")
_LENGTH: Final = struct.Struct("i")
_VALUES: Final = struct.Struct("dd")
_ALIGNMENT: Final = 8

Entry = tuple[bytes, float, float]
"""Key, value, time stamp (seconds since 1970, or 0)."""

Source = tuple[str, int, int]
"""A file that was taken in: its name, inode and last change (ns), for a later one may have the same name and inode."""


@dataclass(frozen=True, slots=True)
class Name:
    """What a file's name says: ``prefix`` is the kind of its metrics, for a gauge with its mode."""

    prefix: str
    owner: str

    @property
    def pid(self) -> int:
        """The process that writes it; 0 when the name does not tell."""
        return int(self.owner) if self.owner.isdecimal() else 0


@dataclass(frozen=True, slots=True)
class Contents:
    """What stands in a file; not ``sound``: as far as it could be read."""

    entries: Sequence[Entry] = ()
    sound: bool = True
    taken_in: frozenset[Source] = field(default_factory=frozenset)


def parse_name(text: str) -> Name | None:
    """Return what a file's name says, None for a file that is none of these."""
    found = _NAME.fullmatch(text)
    return None if found is None else Name(found[1], found[2])


def retired_name(prefix: str) -> str:
    """Return the name of the file of the dead."""
    return f"{prefix}_{RETIRED}.db"


def parse(data: bytes) -> Contents:
    """Return the entries of a file."""
    if len(data) < _HEAD.size:
        return Contents(sound=not data)
    (used,) = _HEAD.unpack_from(data)
    end = min(used, len(data))
    entries: list[Entry] = []
    position, sound = _HEAD.size, 0 <= used <= len(data)
    while position + _LENGTH.size <= end:
        (length,) = _LENGTH.unpack_from(data, position)
        start = position + _LENGTH.size
        values = start + length + _padding(length)
        position = values + _VALUES.size
        if length <= 0 or position > end:
            sound = False
            break
        value, timestamp = _VALUES.unpack_from(data, values)
        entries.append((data[start : start + length], value, timestamp))
    return Contents(entries, sound, _trailer(data[end:]) if sound else frozenset())


def bytes_in_use(data: bytes) -> int:
    """Return how much of a file is in use, as its beginning says."""
    return int(_HEAD.unpack_from(data)[0]) if len(data) >= _HEAD.size else 0


def pack(entries: Iterable[Entry], taken_in: Iterable[Source] = ()) -> bytes:
    """Return the bytes of a file."""
    parts = [b""]
    for key, value, timestamp in entries:
        parts += [_LENGTH.pack(len(key)), key, b" " * _padding(len(key)), _VALUES.pack(value, timestamp)]
    body = b"".join(parts)
    return _HEAD.pack(_HEAD.size + len(body)) + body + json.dumps(sorted(taken_in)).encode()


def _padding(length: int) -> int:
    return _ALIGNMENT - (length + _LENGTH.size) % _ALIGNMENT


def _trailer(text: bytes) -> frozenset[Source]:
    """Return what a file names behind the bytes in use; nothing when it is none of ours.

    Behind those of the library are zeros, or an entry that is not announced yet; it begins as our list does when the
    last byte of its key's length is that of a bracket.
    """
    if not text.startswith(b"["):
        return frozenset()
    try:
        return frozenset(_source(*parts) for parts in json.loads(text))
    except (ValueError, TypeError, RecursionError):  # UnicodeDecodeError and too many digits are ValueErrors
        return frozenset()


def _source(name: object, inode: object, changed: object) -> Source:
    if isinstance(name, str) and isinstance(inode, int) and isinstance(changed, int):
        return name, inode, changed
    raise TypeError("not a source")
