"""Users and groups by name and by number; root and nobody exist everywhere."""

from __future__ import annotations

import grp
import os
import pwd
from types import SimpleNamespace

import pytest

from hybridd.ops.accounts import Identity, UnknownAccountError, identify


@pytest.fixture
def database(monkeypatch):
    """A user database with shop (1001, groups 1001, 4 and 44), adm (4) and web (33)."""
    users = {"shop": SimpleNamespace(pw_name="shop", pw_uid=1001, pw_gid=1001, pw_dir="/home/shop")}
    groups = {"adm": 4, "web": 33}

    def by_number(uid):
        return next((user for user in users.values() if user.pw_uid == uid), None) or {}[uid]

    monkeypatch.setattr(pwd, "getpwnam", users.__getitem__)
    monkeypatch.setattr(pwd, "getpwuid", by_number)
    monkeypatch.setattr(grp, "getgrnam", lambda name: SimpleNamespace(gr_gid=groups[name]))
    monkeypatch.setattr(os, "getgrouplist", lambda _, gid: [gid, 44, 4])


def test_nobody_is_asked_for():
    assert identify("", "") is None


def test_a_user_has_all_its_groups(database):
    expected = Identity(1001, 1001, (4, 44, 1001), "shop", "/home/shop")
    assert identify("shop", "") == expected
    assert identify("1001", "") == expected


@pytest.mark.parametrize("group", ["web", "33"])
def test_a_group_takes_the_place_of_the_users_own(database, group):
    assert identify("shop", group) == Identity(1001, 33, (4, 33, 44), "shop", "/home/shop")


def test_a_number_without_an_entry_needs_a_group(database):
    assert identify("2000", "33") == Identity(2000, 33, (33,), "2000")
    with pytest.raises(
        UnknownAccountError, match="2000 has no entry in the user database: say its group too"
    ) as caught:
        identify("2000", "")
    assert caught.value.key == "user"


def test_a_group_alone_keeps_the_user(database):
    identity = identify("", "adm")
    assert (identity.uid, identity.gid, identity.groups, identity.home) == (os.geteuid(), 4, (4,), "")


@pytest.mark.parametrize(
    ("user", "group", "key"), [("shpo", "", "user"), ("shop", "amd", "group"), ("", "amd", "group")]
)
def test_who_does_not_exist_is_named_with_the_setting(database, user, group, key):
    with pytest.raises(UnknownAccountError, match=f"there is no {key} {group or user} on this machine") as caught:
        identify(user, group)
    assert caught.value.key == key


def test_the_real_database():
    assert identify("root", "").uid == 0
    assert identify("0", "").name == "root"
    assert identify("nobody", "").gid == pwd.getpwnam("nobody").pw_gid
