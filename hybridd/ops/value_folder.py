"""The folder in which an application's processes keep the values of their metrics: where it is, and until when.

It is made by the first process that needs it, when the application imports prometheus_client, so that nothing is
written for one that does not: in $RUNTIME_DIRECTORY (systemd), else in /dev/shm, which is memory and is there in every
container, read-only ones too; else in the directory for temporary files.  Its name cannot be guessed and is the same
for a master and its successor, so that an upgrade loses no count.

Whoever uses it holds a shared lock on it (flock(2)), which ends with the process however it ends.  So who can get an
exclusive one knows that nobody uses it any more, and removes it: the master at its end; after a master that was killed
its last worker, or else the next hybridd that this user starts.

Knows:     paths, locks.
Never:     what is in the files (value_files.py).
Runs in:   master, workers, fork servers.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

PREFIX: Final = "hybridd-metrics-"
VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Where prometheus_client is told the folder."""

_MODE: Final = 0o700
_LIVE_MODES: Final = ("liveall", "livemin", "livemax", "livesum", "livemostrecent", "all")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the folder is, or will be: in the first of ``parents`` that lets us; without any there shall be none."""

    name: str
    parents: tuple[str, ...]

    @property
    def paths(self) -> list[str]:
        """Where it may be, in this order."""
        return [f"{parent}/{self.name}" for parent in self.parents]


def choose(environment: Mapping[str, str], name: str = "") -> Place:
    """Return the place of a new folder, or of the one that is called ``name``."""
    if VARIABLE in environment or VARIABLE.lower() in environment:  # the operator's own: not ours to read or to tidy up
        return Place(name, ())
    runtime = environment.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    # Not tempfile.gettempdir(): it raises where nothing can be written, as in a read-only container.
    parents = [*([runtime] if runtime else []), "/dev/shm", environment.get("TMPDIR") or "/tmp"]  # noqa: S108 - names cannot be guessed
    return Place(name or PREFIX + secrets.token_hex(16), tuple(dict.fromkeys(parents)))


def is_name(text: str) -> bool:
    """Whether this may be the name of such a folder, and is nothing that leads elsewhere."""
    return text.startswith(PREFIX) and "/" not in text


def find(place: Place) -> str:
    """Return the path of the folder; empty while there is none."""
    return next((path for path in place.paths if _is_ours(path)), "")


class Hold:
    """A folder that we use, and that nobody removes therefore."""

    def __init__(self, path: str, fd: int) -> None:
        self.path = path
        self._fd = fd

    def renew(self) -> None:
        """In a forked child: hold it ourselves, and no longer together with the parent."""
        with suppress(OSError):
            new = _lock(self.path)
            if new >= 0:
                self.release()
                self._fd = new

    def release(self) -> None:
        """Use it no longer."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def leave(self) -> bool:
        """Use it no longer, and remove it if nobody else does; whether it was removed."""
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        else:
            shutil.rmtree(self.path, ignore_errors=True)
            return True
        finally:
            self.release()


def make(place: Place) -> Hold:
    """Make the folder, unless it is there already, and hold it.

    Raises:
        OSError: it can be made nowhere; the last of the reasons.
    """
    for path in (*([found] if (found := find(place)) else []), *place.paths):
        with suppress(OSError):
            for _ in range(3):  # whoever cleans up may have been a moment quicker
                with suppress(FileExistsError):
                    os.mkdir(path, _MODE)  # noqa: PTH102 - text
                if not _is_ours(path):
                    break
                if (fd := _lock(path)) >= 0:
                    return Hold(path, fd)
    os.mkdir(place.paths[-1], _MODE)  # noqa: PTH102 - raises
    raise OSError(f"{place.paths[-1]} does not stay")


def hold(path: str) -> Hold | None:
    """Hold a folder that is there; None when it is gone."""
    with suppress(OSError):
        fd = _lock(path)
        if fd >= 0:
            return Hold(path, fd)
    return None


def sweep(parents: Iterable[str]) -> list[str]:
    """Remove the folders that nobody uses any more: of a master that was killed with all of its workers."""
    swept = []
    for parent in parents:
        with suppress(OSError):
            for name in os.listdir(parent):  # noqa: PTH208 - names
                path = f"{parent}/{name}"
                if is_name(name) and _is_ours(path) and (held := hold(path)) is not None and held.leave():
                    swept.append(path)
    return swept


def mark_dead(path: str, pid: int) -> None:
    """Remove what counts only while its process lives; right when it is reaped: its number may be another's soon."""
    if not path:
        return
    for mode in _LIVE_MODES:
        with suppress(OSError):
            os.unlink(f"{path}/gauge_{mode}_{pid}.db")  # noqa: PTH108 - text


def _is_ours(path: str) -> bool:
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077


def _lock(path: str) -> int:
    """Return a descriptor with a shared lock; -1 when the folder was removed meanwhile."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(fd), os.lstat(path)):
            return fd
    except OSError:
        pass
    os.close(fd)
    return -1
