"""Root's rights: named or refused, given up for good, and what works without them afterwards."""

from __future__ import annotations

import grp
import os
import random
import re
import shutil
import signal
import socket
from contextlib import suppress

import pytest

from tests.support import processes
from tests.support.command import hybridd
from tests.support.daemon import title
from tests.support.passage import NOBODY, UNPRIVILEGED, is_root, passage
from tests.support.processes import ids
from tests.support.tools import require
from tests.support.verbs import verb

SERVICE = {"application": "service:app"}
HELLO = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "3")])
    return [b"hi\\n"]
"""
ANYWHERE = ("run", "-b", "127.0.0.1:0", "--admin", "off", "-w", "1")
UNTOLD = "hybridd was started as root and is not told as whom to serve: name a user"


@pytest.fixture(autouse=True)
def _as_root():
    if not is_root():
        pytest.skip("only root has rights to give up")


@pytest.mark.parametrize("further", [(), ("--daemon",), ("--group", "daemon")])
def test_root_is_refused_with_what_to_do(further):
    done = hybridd(*ANYWHERE, *further, environment={"HYBRIDD_USER": ""})
    assert done.returncode == 78
    assert done.stderr.splitlines()[-1].startswith(f"hybridd: user: {UNTOLD} (--user NAME, ")


def test_a_file_that_leaves_the_user_open_is_named(serve):
    server = serve({"user": ""}, wait=False)
    assert server.wait_ended() == 78
    assert re.search(rf"^hybridd: {server.config_file}:\d+:\d+: user: {UNTOLD}", server.log(), re.MULTILINE)


@pytest.mark.parametrize("name", ["root", 0])
def test_root_that_is_named_serves_as_root(serve, name):
    server = serve({"user": name, "workers": 1})
    assert server.fetch("/").status == 200
    for pid in (server.pid, *server.wait_workers(1)):
        assert set(ids(pid, "Uid")) == {0}


# -- another user


def test_master_and_workers_become_the_user_for_good(daemon, place):
    server = daemon({"user": "nobody", "listen": [f"unix:{place}/web.sock", "127.0.0.1:0"]}, before=passage(place))
    server.start()
    for pid in (server.pid, *server.wait_workers(2)):
        assert set(ids(pid, "Uid")) == {NOBODY}, "real, effective, saved, file system"
        assert set(ids(pid, "Gid")) == {NOBODY}
        assert ids(pid, "Groups") == [NOBODY]
    assert (place / "web.sock").stat().st_uid == NOBODY
    metrics = server.metrics()
    assert metrics.value("hybridd_worker_open_fds", worker="0") > 0, "the admin endpoint works, and looks"
    with server.client_of(1) as client:
        assert client.get("/").status == 200
    server.signal(signal.SIGTTIN)
    newest = server.wait_workers(3)[-1]
    assert set(ids(newest, "Uid")) == {NOBODY}


def test_there_is_no_way_back(daemon, place):
    server = daemon({"application": "rights:app", "user": "nobody", "workers": 1}, before=passage(place)).start()
    assert server.fetch("/back").text == "refused refused refused refused"
    for pid in (server.pid, *server.wait_workers(1)):
        for name in ("CapPrm", "CapEff", "CapAmb"):
            assert int(processes.status(pid, name), 16) == 0, name
        assert processes.status(pid, "NoNewPrivs") == "1"


@pytest.mark.parametrize(("setting", "who"), [(True, NOBODY), (False, 1)])
def test_a_set_user_id_program_gets_its_rights_only_when_told(daemon, place, setting, who):
    program = place / "id"
    shutil.copy("/usr/bin/id", program)
    os.chown(program, 1, 1)
    program.chmod(0o4755)
    settings = {"application": "rights:app", "user": "nobody", "workers": 1, "no_new_privs": setting}
    server = daemon(settings, before=passage(place)).start()
    assert server.fetch(f"/run{program}").text == f"{who}\n"


def test_rights_that_whoever_starts_it_has_made_eternal_are_refused(daemon, place):
    require("setpriv", "util-linux")
    done = daemon({"user": "nobody"}, before=[*passage(place), "setpriv", "--securebits=+no_setuid_fixup"]).launch()
    assert done.returncode == 71
    assert "became user nobody, but root's rights can be had again" in done.stderr


@pytest.mark.parametrize("missing", ["setgid", "setuid"])
def test_root_who_may_not_change_its_user_is_told_so(daemon, place, missing):
    require("setpriv", "util-linux")
    without = ("setpriv", f"--bounding-set=-{missing}", f"--inh-caps=-{missing}")
    done = daemon({"user": "nobody"}, before=[*passage(place), *without]).launch()
    assert done.returncode == 71
    assert done.stderr.startswith("hybridd: cannot become user nobody: Operation not permitted; root needs CAP_SETUID")
    assert done.stderr.count("\n") == 1


def free_low_port():
    """Return a port that only root may bind, and nobody has."""
    for port in random.SystemRandom().sample(range(600, 1024), 424):  # other tests look for one, too
        with socket.socket() as sock, suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port
    raise AssertionError("every port from 600 to 1023 is in use")


def test_a_port_of_roots_stays_ours_over_reload_and_upgrade(daemon, place):
    settings = {"user": "nobody", "workers": 1, "listen": [f"127.0.0.1:{free_low_port()}"]}
    server = daemon(settings, before=passage(place)).start()
    before = server.wait_workers(1)
    server.configure({**SERVICE, **settings, "workers": 2})
    assert verb(server, "reload").returncode == 0
    server.wait_workers(2, without=before)
    assert server.fetch("/").status == 200
    more = f"127.0.0.1:{free_low_port()}"
    server.configure({**SERVICE, **settings, "listen": [*settings["listen"], more]})
    done = verb(server, "reload")
    assert done.returncode == 1
    assert f"cannot listen on {more}: permission denied; ports below 1024 need CAP_NET_BIND_SERVICE" in done.stderr
    server.configure({**SERVICE, **settings})
    assert verb(server, "upgrade").returncode == 0
    assert server.upgraded() == 0
    assert server.fetch("/").status == 200
    assert set(ids(server.pid, "Uid")) == {NOBODY}


def test_a_capability_that_was_given_is_kept_and_binds_more_ports(daemon, place):
    """AmbientCapabilities=CAP_NET_BIND_SERVICE of systemd, as setpriv gives it."""
    require("setpriv", "util-linux")
    given = ["--inh-caps=+net_bind_service", "--ambient-caps=+net_bind_service"]
    settings = {"user": "", "workers": 1, "listen": [f"127.0.0.1:{free_low_port()}"]}
    server = daemon(settings, before=[*passage(place), *UNPRIVILEGED, *given])
    os.chown(server.folder, NOBODY, NOBODY)
    server.start()
    server.configure({**SERVICE, **settings, "listen": [*settings["listen"], f"127.0.0.1:{free_low_port()}"]})
    assert verb(server, "reload").returncode == 0
    for number in (0, 1):
        with server.client_of(number) as client:
            assert client.get("/").status == 200


def test_an_upgrade_keeps_the_user_and_needs_no_root(daemon, place):
    """In a folder of root's: the PID file is written in its place, the sockets are inherited."""
    server = daemon({"user": "nobody", "workers": 1}, before=passage(place)).start()
    first = server.pid
    server.configure({**SERVICE, "user": "daemon", "workers": 1})
    done = verb(server, "upgrade")
    assert done.returncode == 1
    assert "only root can become user daemon" in done.stderr
    assert server.pid_file.read_text() == f"{first}\n"
    server.configure({**SERVICE, "user": "nobody", "workers": 1})
    assert verb(server, "upgrade").returncode == 0
    assert server.upgraded() == 0
    assert server.pid != first
    assert set(ids(server.pid, "Uid")) == {NOBODY}
    assert server.fetch("/").status == 200
    server.stop()
    assert server.pid_file.read_text() == "", "emptied where it cannot be removed"


def test_the_groups_of_the_user_and_one_in_place_of_its_own(daemon, place):
    server = daemon({"user": "nobody", "group": "daemon", "workers": 1}, before=passage(place)).start()
    gid = grp.getgrnam("daemon").gr_gid
    assert set(ids(server.pid, "Gid")) == {gid}
    assert gid in ids(server.pid, "Groups")
    assert 0 not in ids(server.pid, "Groups")


def test_the_environment_is_that_of_the_user(daemon, place):
    (place / "home.py").write_text(
        "import os\n"
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [])\n"
        "    return [' '.join(os.environ[name] for name in ('HOME', 'USER', 'LOGNAME')).encode()]\n"
    )
    server = daemon({"application": "home:app", "chdir": str(place), "user": "nobody"}, before=passage(place)).start()
    assert server.fetch("/").text == "/nonexistent nobody nobody"


def test_titles_survive_the_change_of_the_environment(daemon, place):
    """They are written over the first environment, whose first variable is changed here."""
    clean = ["env", "-i", "HOME=/root", "PATH=/usr/bin:/bin"]
    server = daemon({"user": "nobody", "workers": 1}, before=[*passage(place), *clean]).start()
    assert title(server.pid).startswith("hybridd: master")
    (worker,) = server.wait_workers(1)
    assert title(worker).startswith("hybridd: worker 0")


def test_in_a_folder_of_roots_it_still_starts_and_says_what_a_rotation_needs(daemon, place):
    """/run/hybridd.pid and /var/log/hybridd.log, of old."""
    server = daemon({"user": "nobody", "workers": 1}, before=passage(place)).start()
    assert server.folder.stat().st_uid == 0
    assert server.pid_file.read_text() == f"{server.pid}\n"
    assert re.search(rf"user nobody cannot make files in {server.folder}.*logrotate", server.log())
    server.log_file.rename(server.log_file.with_suffix(".1"))
    server.log_file.touch(0o640)  # logrotate's create
    os.chown(server.log_file, NOBODY, NOBODY)
    server.signal(signal.SIGUSR1)
    server.wait_log("logs: opened again")
    server.stop()
    assert server.pid_file.read_text() == "", "it cannot be removed, so it is emptied"


def test_a_log_that_only_root_may_write_is_refused(daemon, place):
    server = daemon({"user": "nobody"}, before=passage(place))
    server.log_file.touch(0o600)
    done = server.launch()
    assert done.returncode == 71
    assert f"user nobody may not write the log {server.log_file}" in done.stderr


def test_root_is_not_led_astray_by_a_link_of_the_user(daemon, place):
    """The folder is the user's, the log in it a link to a file of root's (CVE-2016-1247)."""
    victim = place / "victim"
    victim.write_text("of root\n")
    victim.chmod(0o600)
    server = daemon({"user": "nobody"}, before=passage(place))
    os.chown(server.folder, NOBODY, NOBODY)
    server.log_file.symlink_to(victim)
    assert server.launch().returncode == 71
    assert (victim.stat().st_uid, victim.read_text()) == (0, "of root\n")


def test_root_makes_no_pid_file_where_a_link_of_the_user_leads(daemon, place):
    of_root = place / "of_root"
    of_root.mkdir(0o755)
    link = place / "daemon0" / "run"
    server = daemon({"user": "nobody"}, before=passage(place), arguments=["--pid-file", str(link / "it.pid")])
    os.chown(server.folder, NOBODY, NOBODY)
    link.symlink_to(of_root)
    server.pid_file = link / "it.pid"
    done = server.launch()
    assert done.returncode == 71
    assert f"the directory {link} may not be written" in done.stderr
    assert list(of_root.iterdir()) == []


def test_a_folder_that_the_user_may_not_read_is_named(daemon, place):
    secret = place / "secret"
    (secret / "app").mkdir(parents=True)
    (secret / "app" / "hello.py").write_text(HELLO)
    secret.chmod(0o700)
    settings = {"application": "hello:app", "user": "nobody"}
    done = daemon({**settings, "chdir": str(secret / "app")}, before=passage(place)).launch()
    assert done.returncode == 70
    assert f"{secret} is closed to it" in done.stderr
    done = daemon(settings, before=passage(place / "again"), cwd=secret / "app").launch()
    assert done.returncode == 70
    assert f"{secret} is closed to it" in done.stderr


def test_who_is_not_root_is_told_so(daemon, place):
    require("setpriv", "util-linux")
    server = daemon({"user": "daemon"}, before=[*passage(place), *UNPRIVILEGED])
    os.chown(server.folder, NOBODY, NOBODY)
    done = server.launch()
    assert done.returncode == 71
    assert "only root can become user daemon" in done.stderr


def test_who_is_the_user_already_need_not_be_root(daemon, place):
    server = daemon({"user": "nobody"}, before=[*passage(place), *UNPRIVILEGED])
    os.chown(server.folder, NOBODY, NOBODY)
    server.start()
    assert server.fetch("/").status == 200


def test_a_user_that_does_not_exist_is_a_configuration_error(daemon):
    server = daemon({"user": "nobdy"})
    done = server.launch()
    assert done.returncode == 78
    assert re.search(r"hybridd\.yaml:\d+:\d+: user: there is no user nobdy on this machine", done.stderr)
