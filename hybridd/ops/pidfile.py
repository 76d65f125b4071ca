"""The PID file: which process is the master, for scripts that want to signal it.

Only a process that is ready writes it, so a number that stands there may be signalled.  It is written at once (a
temporary file, renamed), taken over when the process it names is gone or is no master of hybridd, refused when it is,
and removed at the end only if it still names us.

A master that gives up root's rights may not be allowed to write beside /run's other files.  So that it can use
/run/hybridd.pid all the same, root reserves the file before: empty, and the later user's.  Then the number is written
into it, and at the end the file is emptied where it cannot be removed.

Knows:     files and /proc.
Never:     whether anybody is ready.
Runs in:   the master, and in the process that launches it for the first look.
Raises:    OperatingSystemError with the sentence for the operator.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from itertools import pairwise
from typing import Final

from hybridd.errors import OperatingSystemError
from hybridd.ops.title import MASTER

LONGEST: Final = 64  # bytes that are looked at; a PID has at most 7 digits (proc(5), pid_max)
LONGEST_TITLE: Final = 4096
MODE: Final = 0o644  # for everybody to read, less the umask


class PidFile:
    """The file at one path; relative paths begin at the directory in which hybridd is started."""

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(path)  # noqa: PTH100 - text, and links are not followed
        self._reserved = False

    def refuse_another(self, predecessor: int = 0) -> None:
        """Raise when the file names a master that lives, or is not a PID file at all.

        Args:
            predecessor: a master that may be named: we take its place.
        """
        try:
            text = self._read()
        except OSError as error:
            raise self._refused(error) from None
        pid = parse(text)
        if text.strip() and pid is None:
            raise OperatingSystemError(f"pid_file: {self.path} exists and holds no process id; name another file")
        if pid is None or pid in {os.getpid(), predecessor}:
            return
        if (title := title_of(pid)) is not None and may_be_master(title):
            raise OperatingSystemError(f"hybridd runs already with pid {pid} (pid_file {self.path}); stop it first")

    def prepare(self, owner: tuple[int, int] | None) -> None:
        """Make sure that the file can be written later.

        Args:
            owner: the user and group that we shall be by then; None: we stay who we are.
        """
        directory = os.path.dirname(self.path)  # noqa: PTH120 - text
        if owner is not None:
            try:
                self._replace(b"", owner)
            except OSError as error:
                raise self._refused(error) from None
            self._reserved = True
        elif not os.access(directory, os.W_OK | os.X_OK, effective_ids=True):
            if os.path.isfile(self.path) and os.access(self.path, os.W_OK, effective_ids=True):  # noqa: PTH113 - text
                self._reserved = True  # by the root that the master before us was
                return
            what = "may not be written" if os.path.isdir(directory) else "does not exist"  # noqa: PTH112 - text
            raise OperatingSystemError(f"pid_file: cannot write {self.path}: the directory {directory} {what}")

    def write(self, pid: int) -> None:
        """Let the file name ``pid``.

        Raises:
            OSError: it cannot be written any more.
        """
        data = f"{pid}\n".encode()
        try:
            self._replace(data, None)
        except PermissionError:
            if not self._reserved:
                raise
            fd = os.open(self.path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                os.write(fd, data)  # nobody sees half of so few bytes
                os.ftruncate(fd, len(data))  # a predecessor's number may have been longer
            finally:
                os.close(fd)

    def remove(self) -> None:
        """Remove the file if it still names us (or still is as we reserved it); never raises."""
        with suppress(OSError, OperatingSystemError):  # gone already, or not to be written by now: nobody could do more
            text = self._read()
            if parse(text) != os.getpid() and (text or not self._reserved):
                return
            try:
                os.unlink(self.path)  # noqa: PTH108 - text
            except PermissionError:
                os.truncate(self.path, 0)

    def _replace(self, data: bytes, owner: tuple[int, int] | None) -> None:
        directory, name = os.path.split(self.path)
        fresh = os.path.join(directory, f".{name}.{os.getpid()}")  # noqa: PTH118 - text
        with suppress(FileNotFoundError):
            os.unlink(fresh)  # noqa: PTH108 - left by a process of that number that crashed in here
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, MODE)
        try:
            if owner is not None:
                os.fchown(fd, *owner)
            os.write(fd, data)
            os.rename(fresh, self.path)  # noqa: PTH104 - text
        except BaseException:
            os.unlink(fresh)  # noqa: PTH108 - text
            raise
        finally:
            os.close(fd)

    def _read(self) -> bytes:
        """Return the beginning of the file, nothing when there is none; refuse what is no file (/dev/null)."""
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except FileNotFoundError:
            return b""
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise OperatingSystemError(f"pid_file: {self.path} is not a regular file; name another one")
            return os.read(fd, LONGEST)
        finally:
            os.close(fd)

    def _refused(self, error: OSError) -> OperatingSystemError:
        return OperatingSystemError(f"pid_file: cannot write {self.path}: {error.strerror}")


def parse(text: bytes) -> int | None:
    """Return the process id that ``text`` is, None for anything else."""
    digits = text.strip()
    return int(digits) if digits.isdigit() and 0 < int(digits) < 2**31 else None


def title_of(pid: int) -> bytes | None:
    """Return the command line of a process; None when there is none, empty when it may not be seen."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:  # noqa: PTH123 - /proc
            return file.read(LONGEST_TITLE) or None  # a zombie has none
    except OSError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return b""  # it lives, and /proc is mounted with hidepid= (proc(5))


def may_be_master(title: bytes) -> bool:
    """Tell whether a process with this title may be a master; only what is certainly another program is not.

    One whose title could not be set shows the command that it was started with.
    """
    if not title or title.startswith(MASTER.encode()):
        return True
    words = [os.path.basename(word) for word in title.split(b"\0")]  # noqa: PTH119 - bytes
    return (b"hybridd", b"run") in pairwise(words)
