"""The PID file: what is read in it, who may take it over, what is left at the end."""

from __future__ import annotations

import os
import stat

import pytest

from hybridd.errors import ExitCode, OperatingSystemError
from hybridd.ops import pidfile
from hybridd.ops.pidfile import PidFile, may_be_master, parse
from hybridd.ops.title import master_title, worker_title

MINE = (os.geteuid(), os.getegid())


@pytest.fixture
def path(tmp_path):
    return tmp_path / "hybridd.pid"


@pytest.fixture
def file(path):
    return PidFile(str(path))


@pytest.fixture
def titles(monkeypatch):
    """Titles by pid; a pid that is not there has no process."""
    titles = {}
    monkeypatch.setattr(pidfile, "title_of", titles.get)
    return titles


@pytest.mark.parametrize(
    ("text", "pid"),
    [
        (b"4711\n", 4711), (b"4711", 4711), (b" 1 \n\n", 1), (b"", None), (b"\n", None), (b"0\n", None),
        (b"-3\n", None), (b"4711 hybridd\n", None), (b"99999999999\n", None), (b"\xb2\n", None), (b"4_7", None),
    ],
)  # fmt: skip
def test_what_is_a_process_id(text, pid):
    assert parse(text) == pid


def test_a_master_is_known_by_its_title():
    assert may_be_master(master_title("shop:app", 3, "running").encode())
    assert not may_be_master(worker_title(2, 3, "ready", connections=0, calls=0).encode())
    assert not may_be_master(b"/usr/sbin/nginx\0-g\0daemon on;\0")
    assert not may_be_master(b"python\0-m\0hybridd\0health\0")
    assert may_be_master(b"/opt/hybridd/bin/python3\0/opt/hybridd/bin/hybridd\0run\0shop:app\0"), "without a title"
    assert may_be_master(b"python\0-m\0hybridd\0run\0")
    assert not may_be_master(b"vi\0run\0hybridd\0")
    assert may_be_master(b""), "who may not be looked at may be one"


def test_nothing_stands_in_the_way_when_there_is_no_file(file):
    file.refuse_another()


@pytest.mark.parametrize("title", [None, b"vi\0letter.txt\0", b"hybridd: worker 0 gen 1, 0 connections, 0 calls"])
def test_the_file_of_one_that_is_gone_is_no_obstacle(file, path, titles, title):
    path.write_text("4711\n")
    if title is not None:
        titles[4711] = title
    file.refuse_another()


@pytest.mark.parametrize("title", [b"hybridd: master [shop:app] gen 1, running", b""])
def test_a_master_that_lives_is_refused_with_its_pid(file, path, titles, title):
    path.write_text("4711\n")
    titles[4711] = title
    with pytest.raises(OperatingSystemError, match=r"runs already with pid 4711 \(pid_file .*hybridd\.pid\)") as caught:
        file.refuse_another()
    assert caught.value.exit_code is ExitCode.SYSTEM


def test_the_master_whose_place_we_take_may_be_named(file, path, titles):
    path.write_text("4711\n")
    titles[4711] = b"hybridd: master [shop:app] gen 1, running"
    file.refuse_another(predecessor=4711)


def test_our_own_number_is_a_coincidence(file, path, titles):
    """In containers the same number comes again and again."""
    path.write_text(f"{os.getpid()}\n")
    titles[os.getpid()] = b"hybridd: master gen 1, running"
    file.refuse_another()


def test_a_file_with_something_else_is_not_touched(file, path):
    path.write_text("root:x:0:0\n")
    with pytest.raises(OperatingSystemError, match="holds no process id"):
        file.refuse_another()


def test_what_is_no_file_is_not_replaced():
    with pytest.raises(OperatingSystemError, match="/dev/null is not a regular file"):
        PidFile("/dev/null").refuse_another()


def test_a_directory_is_no_pid_file(tmp_path):
    with pytest.raises(OperatingSystemError, match="is not a regular file"):
        PidFile(str(tmp_path)).refuse_another()


def test_writing_and_removing(file, path):
    file.prepare(None)
    assert not path.exists(), "only one that is ready writes it"
    file.write(os.getpid())
    assert path.read_text() == f"{os.getpid()}\n"
    file.remove()
    assert list(path.parent.iterdir()) == []


def test_writing_is_a_rename(file, path):
    """Who has the old file open keeps the old one whole."""
    path.write_text("4711\n")
    with path.open() as old:
        file.write(os.getpid())
        assert old.read() == "4711\n"
    assert path.read_text() == f"{os.getpid()}\n"


def test_a_temporary_file_of_a_crash_is_no_obstacle(file, path):
    path.with_name(f".hybridd.pid.{os.getpid()}").write_text("")
    file.write(1)
    assert [one.name for one in path.parent.iterdir()] == ["hybridd.pid"]


def test_a_link_is_replaced_and_not_followed(file, path, tmp_path):
    target = tmp_path / "target"
    target.write_text("")
    path.symlink_to(target)
    file.write(1)
    assert target.read_text() == ""
    assert not path.is_symlink()


@pytest.mark.parametrize("text", ["4711\n", "", "something\n"])
def test_what_is_not_ours_stays(file, path, text):
    file.write(os.getpid())
    path.write_text(text)
    file.remove()
    assert path.read_text() == text


def test_removing_what_is_gone_is_silent(file):
    file.remove()
    PidFile("/nowhere/at/all").remove()


def test_everybody_may_read_it_less_the_umask(file, path):
    before = os.umask(0o027)
    try:
        file.write(1)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_directory_that_does_not_exist_is_found_at_the_start(tmp_path):
    file = PidFile(str(tmp_path / "nowhere" / "pid"))
    for owner in (None, MINE):
        with pytest.raises(OperatingSystemError, match=r"pid_file: cannot write .*nowhere"):
            file.prepare(owner)


def test_relative_paths_begin_where_hybridd_is_started(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = PidFile("a.pid")
    monkeypatch.chdir("/")
    file.write(1)
    assert (tmp_path / "a.pid").read_text() == "1\n"


# -- reserved by root, written without its rights


@pytest.fixture
def reserved(file, monkeypatch):
    """A file that was reserved; its directory cannot be written any more, as after the change of the user."""
    file.prepare(MINE)

    def forbidden(*_):
        raise PermissionError

    monkeypatch.setattr(file, "_replace", forbidden)
    monkeypatch.setattr("os.unlink", forbidden)
    return file


def test_a_reserved_file_is_empty_until_we_are_ready(reserved, path):
    assert path.read_text() == ""
    assert (path.stat().st_uid, path.stat().st_gid) == MINE


def test_a_reserved_file_is_written_in_its_place_and_emptied_at_the_end(reserved, path):
    reserved.write(os.getpid())
    assert path.read_text() == f"{os.getpid()}\n"
    reserved.remove()
    assert path.read_text() == ""


def test_a_reserved_file_is_removed_when_we_never_became_ready(file, path):
    file.prepare(MINE)
    file.remove()
    assert not path.exists()


def test_without_a_reservation_a_forbidden_directory_is_an_error(file, monkeypatch):
    def forbidden(*_):
        raise PermissionError

    monkeypatch.setattr(file, "_replace", forbidden)
    with pytest.raises(PermissionError):
        file.write(1)


# -- processes


def test_the_title_of_a_process():
    assert pidfile.title_of(os.getpid())
    assert pidfile.title_of(2**22 + 1) is None, "beyond the largest pid_max"
