"""Users and groups: what the settings ``user`` and ``group`` mean on this machine.

Knows:     the user database, getpwnam(3).
Never:     becomes anybody (privileges.py).
Runs in:   the process that was started, before it gives up rights; the command line tool.
"""

from __future__ import annotations

import grp
import os
import pwd
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom to become.

    Attributes:
        groups: supplementary groups; ``gid`` is among them.
        name: of the user, for people; its number when it has none.
        home: its directory, empty when it has none.
    """

    uid: int
    gid: int
    groups: tuple[int, ...]
    name: str
    home: str = ""


class UnknownAccountError(ValueError):
    """A user or group that this machine does not know; ``key`` is the setting, the text a sentence about it."""

    def __init__(self, key: str, text: str) -> None:
        self.key = key
        super().__init__(text)


def identify(user: str, group: str) -> Identity | None:
    """Return whom the settings mean, None when they say nothing.

    With a user these are all groups of that user; ``group`` takes the place of the user's own one.  A group alone
    changes nothing else.

    Raises:
        UnknownAccountError: there is no such user or group.
    """
    if not user and not group:
        return None
    gid = _group(group) if group else None
    if not user:
        assert gid is not None
        return Identity(os.geteuid(), gid, (gid,), str(os.geteuid()))
    account = _user(user)
    if account is None:
        if gid is None:
            raise UnknownAccountError("user", f"{user} has no entry in the user database: say its group too")
        return Identity(int(user), gid, (gid,), user)
    gid = account.pw_gid if gid is None else gid
    groups = tuple(sorted({gid, *os.getgrouplist(account.pw_name, gid)}))
    return Identity(account.pw_uid, gid, groups, account.pw_name, account.pw_dir)


def _user(text: str) -> pwd.struct_passwd | None:
    """Return the entry of a user; None for a number that has none."""
    try:
        return pwd.getpwuid(int(text)) if text.isdecimal() else pwd.getpwnam(text)
    except KeyError:
        if text.isdecimal():
            return None
        raise UnknownAccountError("user", f"there is no user {text} on this machine") from None


def _group(text: str) -> int:
    try:
        return int(text) if text.isdecimal() else grp.getgrnam(text).gr_gid
    except KeyError:
        raise UnknownAccountError("group", f"there is no group {text} on this machine") from None
