"""Who may do what; the change of the user itself is tested on real processes."""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path

import pytest

from hybridd.errors import ExitCode, OperatingSystemError
from hybridd.ops import privileges
from hybridd.ops.accounts import Identity

ME = Identity(os.geteuid(), os.getegid(), (os.getegid(),), "me")
OTHER = Identity(4321, 4321, (4321,), "other")
DUMPABLE, KEEP_CAPABILITIES, NO_NEW_PRIVILEGES = 4, 8, 38  # linux/prctl.h


@pytest.fixture
def closed(monkeypatch):
    """Paths that may not be passed, read or written, whoever runs the tests (root may everything)."""
    closed = set()
    monkeypatch.setattr(privileges, "acting_as", lambda _: nullcontext())
    monkeypatch.setattr(privileges, "_may", lambda path, _: path not in closed)
    return closed


def test_the_way_is_free(tmp_path):
    assert privileges.obstacle(str(tmp_path)) == ""


def test_the_outermost_closed_directory_is_named(closed, tmp_path):
    inner = tmp_path / "a" / "b" / "c"
    inner.mkdir(parents=True)
    closed |= {str(tmp_path / "a"), str(inner)}
    assert privileges.obstacle(str(inner)) == str(tmp_path / "a")
    closed.remove(str(tmp_path / "a"))
    assert privileges.obstacle(str(inner)) == str(inner)


def test_what_does_not_exist_is_not_closed(tmp_path):
    assert privileges.obstacle(str(tmp_path / "nowhere" / "at all")) == ""


def test_relative_paths_are_understood(closed, tmp_path, monkeypatch):
    (tmp_path / "app").mkdir()
    monkeypatch.chdir(tmp_path)
    closed.add(str(tmp_path / "app"))
    assert privileges.obstacle("app") == str(tmp_path / "app")


def test_passing_needs_less_than_reading(tmp_path, monkeypatch):
    asked = {}
    monkeypatch.setattr(privileges, "_may", lambda path, mode: asked.setdefault(path, mode) is not None)
    privileges.obstacle(str(tmp_path))
    assert asked.pop(str(tmp_path)) == os.R_OK | os.X_OK
    assert set(asked.values()) == {os.X_OK}


def test_who_is_the_user_already_may_go_on():
    assert privileges.already(ME)
    privileges.refuse_impossible(ME)


def test_only_root_can_become_another(monkeypatch):
    assert not privileges.already(OTHER)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(OperatingSystemError, match="only root can become user other with group 4321") as caught:
        privileges.refuse_impossible(OTHER)
    assert caught.value.exit_code is ExitCode.SYSTEM
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    privileges.refuse_impossible(OTHER)


def test_a_saved_user_of_roots_is_not_already_the_user(monkeypatch):
    monkeypatch.setattr(os, "getresuid", lambda: (4321, 4321, 0))
    monkeypatch.setattr(os, "getresgid", lambda: (4321, 4321, 4321))
    assert not privileges.already(OTHER)


@pytest.mark.parametrize("ids", [(0, 0, 0), (1000, 0, 1000), (0, 1000, 1000), (1000, 1000, 0)])
def test_who_can_be_root_again_has_root(monkeypatch, ids):
    monkeypatch.setattr(os, "getresuid", lambda: ids)
    assert privileges.have_root()


def test_another_user_has_not_got_root(monkeypatch):
    monkeypatch.setattr(os, "getresuid", lambda: (1000, 1000, 1000))
    assert not privileges.have_root()


@pytest.fixture
def calls(monkeypatch):
    """The system calls, in their order; the tests stay who they are."""
    calls = []
    for name in ("setgroups", "setresgid", "setresuid", "setegid", "seteuid"):
        monkeypatch.setattr(os, name, lambda *given, name=name: calls.append((name, *given)))
    monkeypatch.setattr(privileges, "_prctl", lambda *given: calls.append(("prctl", *given)))
    monkeypatch.setattr(privileges, "_can_go_back", lambda: calls.append(("back",)))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "getegid", lambda: 0)
    monkeypatch.setattr(os, "getgroups", lambda: [0, 1])
    return calls


def test_groups_go_before_the_user_and_nothing_is_saved(calls):
    privileges.become(OTHER)
    dropped = [("setgroups", (4321,)), ("setresgid", *(4321,) * 3), ("setresuid", *(4321,) * 3)]
    assert calls == [("prctl", KEEP_CAPABILITIES, 0), *dropped, ("back",), ("prctl", DUMPABLE, 1)]


def test_the_environment_follows_when_the_user_has_a_home(calls, monkeypatch):
    environment = {"HOME": "/root", "PATH": "/bin"}
    monkeypatch.setattr(os, "environ", environment)
    privileges.become(OTHER)
    assert environment["HOME"] == "/root"
    privileges.become(Identity(1, 1, (1,), "shop", "/home/shop"))
    assert environment == {"HOME": "/home/shop", "USER": "shop", "LOGNAME": "shop", "PATH": "/bin"}


def test_what_the_system_refuses_is_said(calls, monkeypatch):
    def refused(_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "setgroups", refused)
    with pytest.raises(OperatingSystemError, match="cannot become user other: Operation not permitted"):
        privileges.become(OTHER)


def test_rights_that_can_be_had_again_are_refused(calls, monkeypatch):
    monkeypatch.setattr(privileges, "_can_go_back", lambda: True)
    with pytest.raises(OperatingSystemError, match="became user other, but root's rights can be had again"):
        privileges.become(OTHER)


def test_no_new_privileges_or_a_sentence(monkeypatch):
    calls = []
    monkeypatch.setattr(privileges, "_prctl", lambda *given: calls.append(given) or 0)
    privileges.take_no_more()
    assert calls == [(NO_NEW_PRIVILEGES, 1)]
    monkeypatch.setattr(privileges, "_prctl", lambda *_: -1)
    with pytest.raises(OperatingSystemError, match="no_new_privs: false"):
        privileges.take_no_more()


def test_acting_as_somebody_is_taken_back_in_the_opposite_order(calls):
    def act():
        with privileges.acting_as(OTHER):
            assert calls == [("setgroups", (4321,)), ("setegid", 4321), ("seteuid", 4321)]
            calls.clear()
            raise KeyError

    with pytest.raises(KeyError):
        act()
    assert calls == [("seteuid", 0), ("setegid", 0), ("setgroups", [0, 1])]


@pytest.mark.parametrize(
    ("call", "taken_back"),
    [("setgroups", []), ("setegid", [("setgroups", [0, 1])]), ("seteuid", [("setegid", 0), ("setgroups", [0, 1])])],
)
def test_what_was_changed_before_a_refusal_is_taken_back(calls, monkeypatch, call, taken_back):
    def refused(_):
        calls.clear()
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, call, refused)
    with (
        pytest.raises(OperatingSystemError, match="cannot become user other: Operation not permitted"),
        privileges.acting_as(OTHER),
    ):
        pytest.fail("acts as somebody else, or half as somebody else")
    assert calls == taken_back


def test_acting_as_nobody_in_particular_changes_nothing(calls, monkeypatch):
    with privileges.acting_as(None):
        pass
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with privileges.acting_as(OTHER):
        pass
    assert calls == []


# -- logs


@pytest.fixture
def given(monkeypatch):
    """Whom files were given to."""
    given = []
    monkeypatch.setattr(os, "fchown", lambda _, *ids: given.append(ids))
    return given


def test_a_log_that_the_user_can_make_is_left_to_it(tmp_path, given):
    assert privileges.give_log(str(tmp_path / "log"), ME) == ""
    assert not (tmp_path / "log").exists()
    assert given == []


def test_a_log_where_only_root_can_make_it_is_made_and_given(closed, tmp_path, given, monkeypatch):
    monkeypatch.setattr(privileges, "belongs_to_root", lambda _: True)
    closed.add(str(tmp_path))
    path = tmp_path / "log"
    # The directory can be passed and read, not written.
    monkeypatch.setattr(privileges, "obstacle", lambda _: "")
    note = privileges.give_log(str(path), OTHER)
    assert given == [(4321, 4321)]
    assert path.stat().st_mode & 0o777 == 0o640 & ~current_umask()
    assert "user other cannot make files" in note
    assert "logrotate" in note


def current_umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_log_of_the_users_in_a_closed_directory_works_until_the_rotation(closed, tmp_path, given, monkeypatch):
    path = tmp_path / "log"
    path.touch()
    monkeypatch.setattr(privileges, "obstacle", lambda _: "")
    closed.add(str(tmp_path))
    assert "cannot make files" in privileges.give_log(str(path), OTHER)
    assert given == []


@pytest.mark.parametrize("case", ["exists", "in the way", "not root's"])
def test_a_log_is_refused_where_giving_it_would_not_help_or_be_unsafe(closed, tmp_path, given, monkeypatch, case):
    path = tmp_path / "log"
    closed |= {str(tmp_path), str(path)}
    monkeypatch.setattr(privileges, "obstacle", lambda _: "/closed" if case == "in the way" else "")
    monkeypatch.setattr(privileges, "belongs_to_root", lambda _: case != "not root's")
    if case == "exists":
        path.touch()
    with pytest.raises(OperatingSystemError, match=f"user other may not write the log {path}"):
        privileges.give_log(str(path), OTHER)
    assert given == []
    assert path.exists() == (case == "exists")


def test_a_place_is_roots_when_every_part_of_the_way_is(monkeypatch):
    owners = {}
    real = Path.lstat

    class Stat:
        def __init__(self, path):
            self.st_uid = owners.get(str(path), 0)

    monkeypatch.setattr(Path, "lstat", lambda path: Stat(path) if str(path).startswith("/") else real(path))
    assert privileges.belongs_to_root(Path("/var/log/hybridd"))
    owners["/var/log"] = 1000
    assert not privileges.belongs_to_root(Path("/var/log/hybridd"))
