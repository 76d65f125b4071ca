"""Give up root's rights for good, and what must be arranged before.

The master itself becomes the user, not only its workers: whatever happens in it later happens without root's rights.
What it shall open again later (logs, on USR1) is opened with the user's rights from the beginning, so that what works
at the start works in the night of the rotation, and so that nobody can lead root astray with a symbolic link
(CVE-2016-1247 was that).

Knows:     credentials(7), who may do what with a path.
Never:     which paths, who the user is (accounts.py).
Runs in:   the master before its first fork; ``obstacle`` in workers too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from hybridd.errors import OperatingSystemError
from hybridd.ops.accounts import Identity

# prctl(2)
_PR_SET_DUMPABLE: Final = 4
_PR_SET_KEEPCAPS: Final = 8
_PR_SET_NO_NEW_PRIVS: Final = 38
_LOG_MODE: Final = 0o640
_ROOT: Final = 0


def have_root() -> bool:
    """Tell whether we are root, or can be root again by the real or the saved user id (credentials(7)).

    Root of a user namespace (a rootless container) is root here too: it has the rights of whoever made the container,
    over all of the container, and the same image started by another engine would have root's.
    """
    return _ROOT in os.getresuid()


def refuse_impossible(identity: Identity) -> None:
    """Raise when we are neither the user already nor root."""
    if os.geteuid() != _ROOT and not already(identity):
        raise OperatingSystemError(
            f"only root can become user {identity.name} with group {identity.gid}, and hybridd was started by user"
            f" {os.geteuid()}: start it as root, or without user and group"
        )


def already(identity: Identity) -> bool:
    """Tell whether we are this user and group for good; further groups, if any, were given by whoever started us."""
    return set(os.getresuid()) == {identity.uid} and set(os.getresgid()) == {identity.gid}


def become(identity: Identity) -> None:
    """Be this user from now on, without a way back.

    Root's capabilities go with the user id: all but the bounding set, which gives nothing (capabilities(7), "Effect of
    user ID changes on capabilities").

    Raises:
        OperatingSystemError: the system refuses it (a container without CAP_SETUID and CAP_SETGID), or whoever started
            us has arranged that a change of the user takes nothing away (securebits).
    """
    if already(identity):
        return
    try:
        _prctl(_PR_SET_KEEPCAPS, 0)
        os.setgroups(identity.groups)  # the groups first: afterwards we may not any more
        os.setresgid(identity.gid, identity.gid, identity.gid)
        os.setresuid(identity.uid, identity.uid, identity.uid)  # the saved one too, or it could be had again
    except OSError as error:
        raise _refused(identity, error) from None
    if identity.uid != _ROOT and _can_go_back():
        raise OperatingSystemError(
            f"became user {identity.name}, but root's rights can be had again: start hybridd without the securebits"
            " that keep them (SecureBits= of systemd, setpriv --securebits), or as that user"
        )
    _allow_looking()
    if identity.home:
        os.environ.update(HOME=identity.home, USER=identity.name, LOGNAME=identity.name)


def _can_go_back() -> bool:
    """Tell by trying; after a success we are root, and whoever asks must end."""
    try:
        os.setresuid(_ROOT, _ROOT, _ROOT)
    except PermissionError:
        return False
    return True


def take_no_more() -> None:
    """Let no program that we or our children start have more rights than we, without a way back.

    Whatever its file says: set-user-ID, set-group-ID, capabilities.

    Raises:
        OperatingSystemError: the system refuses it; no kernel since Linux 3.5 does.
    """
    if _prctl(_PR_SET_NO_NEW_PRIVS, 1) != 0:
        raise OperatingSystemError("the system refuses no_new_privs (prctl(2)); say no_new_privs: false to do without")


def _allow_looking() -> None:
    """Allow what the kernel forbids after such a change: core dumps, and reading /proc/PID/fd, which the metrics do.

    Other users are kept away by our user id, as from any process.
    """
    _prctl(_PR_SET_DUMPABLE, 1)


def _prctl(option: int, value: int) -> int:
    import ctypes  # noqa: PLC0415 - only for this

    answer: int = ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
    return answer


@contextmanager
def acting_as(identity: Identity | None) -> Iterator[None]:
    """Have the rights of this user for a while, and root's again afterwards; None: go on as we are.

    Raises:
        OperatingSystemError: the system refuses it, and nothing has changed.
    """
    if identity is None or os.geteuid() != _ROOT:
        yield
        return
    uid, gid, groups = os.geteuid(), os.getegid(), os.getgroups()
    with ExitStack() as back:
        try:
            os.setgroups(identity.groups)
            back.callback(os.setgroups, groups)
            os.setegid(identity.gid)
            back.callback(os.setegid, gid)
            os.seteuid(identity.uid)
            back.callback(os.seteuid, uid)
        except OSError as error:
            raise _refused(identity, error) from None
        yield


def _refused(identity: Identity, error: OSError) -> OperatingSystemError:
    way = ""
    if isinstance(error, PermissionError):
        way = "; root needs CAP_SETUID and CAP_SETGID for it, which a container may lack: or start hybridd as that user"
    return OperatingSystemError(f"cannot become user {identity.name}: {error.strerror}{way}")


def give_log(path: str, identity: Identity) -> str:
    """Make sure, as root, that the user may append to a log file.

    A file that the user cannot make is made for it where only root can, never through a place that somebody else
    controls.

    Returns:
        What will go wrong at the next rotation, a sentence; empty when nothing will.

    Raises:
        OperatingSystemError: the user may not write there.
    """
    directory = os.path.dirname(os.path.abspath(path))  # noqa: PTH100, PTH120 - text, links are not followed
    with acting_as(identity):
        in_the_way = obstacle(directory)
        may_make = not in_the_way and _may(directory, os.W_OK | os.X_OK)
        exists = os.path.exists(path)  # noqa: PTH110 - text
        may_append = _may(path, os.W_OK) if exists else may_make
    if not may_append:
        if exists or in_the_way or not belongs_to_root(Path(directory)):
            raise OperatingSystemError(
                f"user {identity.name} may not write the log {path}; give the file or its directory to that user"
            )
        _make_for(path, identity)
    if may_make:
        return ""
    return (
        f"user {identity.name} cannot make files in {directory}: let logrotate make {path} anew (create), for that user"
    )


def _make_for(path: str, identity: Identity) -> None:
    try:
        # O_EXCL: we give away nothing but what we have just made.
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, _LOG_MODE)
    except OSError as error:
        raise OperatingSystemError(f"cannot make the log {path}: {error.strerror}") from None
    try:
        os.fchown(fd, identity.uid, identity.gid)
    finally:
        os.close(fd)


def belongs_to_root(directory: Path) -> bool:
    """Tell whether nobody else can have replaced a part of the path, or of where its links lead."""
    found = {part for start in (directory, directory.resolve()) for part in (start, *start.parents)}
    with suppress(OSError):
        return all(part.lstat().st_uid == 0 for part in found)
    return False


def obstacle(path: str) -> str:
    """Return which directory keeps us from reading the directory ``path``; empty when none does (or it is missing)."""
    place = os.path.abspath(path)  # noqa: PTH100 - text
    for part in reversed((place, *map(str, Path(place).parents))):
        if not os.path.lexists(part):
            return ""
        if not _may(part, os.X_OK if part != place else os.R_OK | os.X_OK):
            return part
    return ""


def _may(path: str, mode: int) -> bool:
    return os.access(path, mode, effective_ids=True)
