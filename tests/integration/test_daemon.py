"""Life as a classic daemon: the command's verdict, the PID file, another user, rotation; as root and as nobody."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support import processes
from tests.support.command import hybridd
from tests.support.daemon import title, wait_nobody_left
from tests.support.passage import NOBODY, UNPRIVILEGED, is_root, passage
from tests.support.processes import ids
from tests.support.tools import require
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
SERVICE = {"application": "service:app"}
HELLO = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "3")])
    return [b"hi\\n"]
"""


@pytest.fixture(params=["root", "user", "unprivileged"])
def someone(request, daemon, place):
    """Make a daemon that root runs as root, that root runs as nobody (``user``), that nobody runs."""
    if not is_root():
        if request.param != "unprivileged":
            pytest.skip("only root can do it")
        return daemon

    def make(config=None, **further):
        if request.param == "root":
            return daemon(config, **further)
        if request.param == "user":
            one = daemon({"user": "nobody", **(config or {})}, before=passage(place), **further)
        else:
            require("setpriv", "util-linux")
            one = daemon({"user": "", **(config or {})}, before=[*passage(place), *UNPRIVILEGED], **further)
        os.chown(one.folder, NOBODY, NOBODY)
        return one

    make.uid = 0 if request.param == "root" else NOBODY
    return make


def stream(pid, fd):
    """Return what a descriptor of a process is."""
    return str(Path(f"/proc/{pid}/fd/{fd}").readlink())


# -- start, stop, reload, rotate


@pytest.mark.skipif(not is_root(), reason="only another user than root is held to a limit on processes")
@pytest.mark.parametrize("most", [1, 2, 3])  # the command, and the two that python-daemon leaves behind
def test_a_user_who_may_have_no_further_process_is_told_so(daemon, place, most):
    require("setpriv", "util-linux")
    require("prlimit", "util-linux")
    user = 61_000 + most  # who runs nothing else
    changed = ("setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups")
    before = [*passage(place), *changed, "prlimit", f"--nproc={most}:{most}"]
    sockets = place / "sockets"
    sockets.mkdir()
    server = daemon({"user": "", "listen": f"unix:{sockets}/here"}, before=before)
    for folder in (sockets, server.folder):
        os.chown(folder, user, user)
    done = server.launch()
    assert done.returncode == 71
    assert done.stderr.startswith("hybridd: cannot become a daemon: ")
    assert "ulimit -u" in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(sockets.iterdir()) == []


def test_the_command_returns_when_it_serves_and_leaves_a_daemon(someone):
    server = someone({"workers": 2}).start()
    assert server.fetch("/").status == 200, "ready at once"
    assert title(server.pid).startswith("hybridd: master [service:app]")
    stat = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    session, terminal = int(stat[3]), int(stat[4])
    assert session not in (os.getsid(0), server.pid), "a session of its own, whose leader is gone"
    assert terminal == 0
    assert stream(server.pid, 0) == "/dev/null"
    assert len(server.wait_workers(2)) == 2
    server.stop()
    assert not server.living()
    assert "hybridd ends with exit status 0" in server.log()


def test_the_pid_file_is_gone_at_the_end(someone):
    server = someone().start()
    assert server.pid_file.read_text() == f"{server.pid}\n"
    server.stop()
    assert not server.pid_file.exists()


def test_a_reload_as_a_daemon(someone):
    server = someone().start()
    before = server.wait_workers(2)
    user = yaml.safe_load(server.config_file.read_text()).get("user", "")
    server.configure({**SERVICE, "user": user, "workers": 3})
    server.signal(signal.SIGHUP)
    server.wait_workers(3, without=before)
    server.wait_log("reload: a reload changes workers")
    assert server.fetch("/").status == 200
    assert {ids(pid, "Uid")[0] for pid in server.ready_pids()} == {ids(server.pid, "Uid")[0]}


def test_an_upgrade_as_a_daemon(someone):
    server = someone({"workers": 1}).start()
    first, streams, owner = server.pid, [stream(server.pid, fd) for fd in (0, 1, 2)], ids(server.pid, "Uid")
    server.signal(signal.SIGUSR2)
    assert server.upgraded() == 0
    assert server.pid != first
    assert server.pid_file.read_text() == f"{server.pid}\n"
    assert [stream(server.pid, fd) for fd in (0, 1, 2)] == streams
    assert ids(server.pid, "Uid") == owner
    server.wait_workers(1)
    server.stop()
    assert not server.pid_file.exists()


def test_a_reload_cannot_change_the_user(daemon, place):
    server = daemon().start()
    was = "root" if is_root() else '""'
    server.configure({**SERVICE, "user": "nobody"})
    server.signal(signal.SIGHUP)
    server.wait_log(
        rf"reload refused.*user \({was} to nobody\) needs an upgrade or a restart, because rights are given up once"
    )


def test_rotation_as_a_daemon(someone):
    server = someone({"workers": 1}).start()
    server.fetch("/?before")
    server.wait_access("before")
    moved = [path.rename(path.with_suffix(".1")) for path in (server.log_file, server.access_file)]
    server.signal(signal.SIGUSR1)
    wait_until(
        lambda: server.log_file.exists() and server.access_file.exists(), within=5, what="the logs are made again"
    )
    server.wait_log("logs: opened again")

    def arrives():
        server.fetch("/?after")
        return any("after" in line for line in server.access_log())

    wait_until(arrives, within=5, what="new lines go to the new file")
    assert "before" in moved[1].read_text()
    assert "opened again" not in moved[0].read_text()
    assert {path.stat().st_uid for path in (server.log_file, server.access_file)} == {ids(server.pid, "Uid")[0]}


def test_logrotate_with_the_delivered_configuration(daemon, place):
    logrotate = shutil.which("logrotate", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if logrotate is None:
        pytest.skip("logrotate is not installed")
    server = daemon({"workers": 1}).start()
    server.fetch("/?before")
    server.wait_access("before")
    text = (ROOT / "deploy" / "logrotate" / "hybridd").read_text()
    for delivered, here in {
        "/var/log/hybridd": str(server.folder),
        "/run/hybridd/hybridd.pid": str(server.pid_file),
        "su hybridd hybridd": "",  # we are who hybridd runs as
    }.items():
        assert delivered in text
        text = text.replace(delivered, here)
    (place / "rotate").write_text(text)
    (place / "rotate").chmod(0o644)
    for number in (1, 2):
        done = subprocess.run(
            [logrotate, "--force", "--state", str(place / "state"), str(place / "rotate")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        wait_until(
            lambda number=number: (
                server.fetch(f"/?after{number}") and f"after{number}" in server.access_file.read_text()
            ),
            within=5,
            what="lines go to the new file",
        )
    assert b"before" in gzip.decompress(Path(f"{server.access_file}.2.gz").read_bytes())
    assert "after1" in Path(f"{server.access_file}.1").read_text()


def test_what_an_application_prints_follows_the_error_log(daemon, place):
    (place / "chatty.py").write_text(
        "import os, sys\n"
        "def app(environ, start_response):\n"
        "    print('printed', environ['QUERY_STRING'], flush=True)\n"
        "    os.system('echo from a program >&2')\n"
        "    start_response('200 OK', [('Content-Length', '0')])\n"
        "    return [b'']\n"
    )
    server = daemon({"application": "chatty:app", "chdir": str(place), "workers": 1}).start()
    server.fetch("/?one")
    server.wait_log("^printed one$")
    server.wait_log("^from a program$")
    server.log_file.rename(server.log_file.with_suffix(".1"))
    server.signal(signal.SIGUSR1)
    wait_until(server.log_file.exists, within=5, what="the log is made again")
    wait_until(
        lambda: server.fetch("/?two") and "printed two" in server.log(), within=5, what="prints are in the new log"
    )


def test_relative_logs_are_opened_again_where_they_were(daemon, place):
    work = place / "work"
    (work / "logs").mkdir(parents=True)
    app = place / "app"
    app.mkdir()
    (app / "hello.py").write_text(HELLO)
    arguments = ["--log-file", "logs/error.log", "--access-log", "logs/access.log", "--chdir", str(app), "hello:app"]
    server = daemon({"application": "", "workers": 1}, arguments=arguments, cwd=work).start()
    access = work / "logs" / "access.log"
    access.rename(access.with_suffix(".1"))
    server.signal(signal.SIGUSR1)
    wait_until(access.exists, within=5, what="the log is made again")
    wait_until(lambda: server.fetch("/") and access.read_text(), within=5, what="lines go there")
    assert not list(app.glob("logs*"))


# -- the verdict


def test_a_port_in_use_ends_the_command_with_69(daemon):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        server = daemon({"listen": [address]})
        done = server.launch()
    assert done.returncode == 69
    assert done.stderr.startswith(f"hybridd: cannot listen on {address}: ")
    assert len(done.stderr.splitlines()) == 1
    assert not server.pid_file.exists()
    assert address in server.log()


def test_an_application_that_cannot_boot_ends_the_command_with_70_and_the_reason(daemon, place):
    (place / "broken.py").write_text("import a_module_that_does_not_exist\n")
    server = daemon({"application": "broken:app", "chdir": str(place)})
    done = server.launch()
    assert done.returncode == 70
    assert "No module named 'a_module_that_does_not_exist'" in done.stderr
    assert str(server.log_file) in done.stderr, "where the traceback is"
    assert "Traceback" in server.log()
    assert not server.pid_file.exists()


def test_a_wrong_configuration_ends_the_command_with_78(daemon):
    done = daemon({"workers": "many"}).launch()
    assert done.returncode == 78
    assert "workers: expected a whole number" in done.stderr


def test_a_log_that_cannot_be_opened_ends_the_command_with_71(daemon, place):
    done = daemon(arguments=["--log-file", str(place / "nowhere" / "error.log")]).launch()
    assert done.returncode == 71
    assert "nowhere/error.log" in done.stderr


def test_a_daemon_that_dies_without_a_word(daemon, place):
    (place / "murder.py").write_text("import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\n")
    server = daemon({"application": "murder:app", "chdir": str(place), "workers": 1})
    done = server.launch()
    assert done.returncode == 1
    assert "ended before it was ready, without a word" in done.stderr
    wait_nobody_left()


BOOTING = """
import pathlib, threading
pathlib.Path({gate!r}).touch()
threading.Event().wait()
"""


def booting(daemon, place):
    """Start the command for an application that never gets ready; return (server, the command's process)."""
    gate = place / "booting"
    (place / "endless.py").write_text(BOOTING.format(gate=str(gate)))
    server = daemon({"application": "endless:app", "chdir": str(place), "workers": 1})
    command = subprocess.Popen(server._command, cwd=place, env=server._environment, stderr=subprocess.PIPE, text=True)
    wait_until(gate.exists, within=10, what="the application is being loaded")
    return server, command


def master_of(command):
    """Return the pid of the daemon that a command waits for."""
    found = (process.pid for process in processes.children() if process.pid != command.pid and process.state != "Z")
    return next(found)


def test_a_daemon_that_is_stopped_before_it_is_ready_is_no_success(daemon, place):
    server, command = booting(daemon, place)
    os.kill(master_of(command), signal.SIGTERM)
    _, said = command.communicate(timeout=20)
    assert command.returncode == 1
    assert f"the daemon was stopped before it was ready; its log is {server.log_file}" in said
    wait_nobody_left()


def test_control_c_before_it_is_ready_means_the_daemon_too(daemon, place):
    _, command = booting(daemon, place)
    assert command.poll() is None, "the command waits"
    command.send_signal(signal.SIGINT)
    command.communicate(timeout=20)
    assert command.returncode == 130
    wait_nobody_left()


def test_a_daemon_without_a_log_file_warns(place):
    arguments = ["run", "--daemon", "-b", "127.0.0.1:0", "--admin", "off", "-w", "1", "-p", str(place / "pid")]
    done = hybridd(*arguments)
    assert done.returncode == 0
    assert "log.file: - is standard error, which a daemon does not have" in done.stderr
    pid = int((place / "pid").read_text())
    os.kill(pid, signal.SIGTERM)
    wait_nobody_left()


def test_closed_standard_streams_are_filled(daemon, place):
    server = daemon({"workers": 1}, before=["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"]).start()
    assert [stream(server.pid, fd) for fd in (0, 1)] == ["/dev/null", str(server.log_file)]
    assert server.fetch("/").status == 200


def test_process_1_does_not_become_a_daemon(daemon):
    if not is_root():
        pytest.skip("only root makes PID namespaces")
    require("unshare", "util-linux")
    done = daemon(before=["unshare", "--pid", "--fork", "--mount-proc"]).launch()
    assert done.returncode == 78
    assert "--daemon: process 1 cannot leave" in done.stderr


# -- the PID file


def test_another_one_that_lives_is_refused_with_its_pid(daemon):
    first = daemon().start()
    second = daemon(arguments=["--pid-file", str(first.pid_file)])
    done = second.launch()
    assert done.returncode == 71
    assert f"hybridd runs already with pid {first.pid}" in done.stderr
    assert first.pid_file.read_text() == f"{first.pid}\n"
    assert first.fetch("/").status == 200


@pytest.mark.parametrize("kind", ["dead", "foreign", "empty"])
def test_a_stale_pid_file_is_taken_over(daemon, kind):
    server = daemon()
    gone = subprocess.Popen(["true"])
    gone.wait()
    text = {"dead": f"{gone.pid}\n", "foreign": f"{os.getpid()}\n", "empty": ""}[kind]
    server.pid_file.write_text(text)
    server.start()
    assert server.pid_file.read_text() == f"{server.pid}\n"


def test_a_file_that_is_no_pid_file_is_left_alone(daemon):
    server = daemon()
    server.pid_file.write_text("precious\n")
    done = server.launch()
    assert done.returncode == 71
    assert "holds no process id" in done.stderr
    assert server.pid_file.read_text() == "precious\n"


def test_a_pid_file_of_somebody_else_stays(daemon):
    server = daemon().start()
    server.pid_file.write_text("12345678\n")
    server.stop()
    assert server.pid_file.read_text() == "12345678\n"


def test_the_pid_file_is_written_by_a_ready_process_only(serve, tmp_path):
    gate, pid_file = tmp_path / "gate", tmp_path / "pid"
    app = tmp_path / "app"
    app.mkdir()
    (app / "slow.py").write_text(
        f"import pathlib, time\npathlib.Path({str(gate)!r} + '.seen').touch()\n"
        f"while not pathlib.Path({str(gate)!r}).exists():\n    time.sleep(0.01)\n{HELLO}"
    )
    server = serve({"application": "slow:app", "chdir": str(app), "pid_file": str(pid_file)}, wait=False)
    wait_until((tmp_path / "gate.seen").exists, within=10, what="the application is being loaded")
    assert not pid_file.exists()
    gate.touch()
    server.wait_ready()
    assert pid_file.read_text() == f"{server.pid}\n"
    server.stop()
    assert not pid_file.exists()


def test_the_umask_is_ours(daemon, place):
    server = daemon({"umask": "0077", "listen": [f"unix:{place}/web.sock"]}).start()
    assert (place / "web.sock").stat().st_mode & 0o777 == 0o700
    assert server.log_file.stat().st_mode & 0o777 == 0o600
    assert (
        int(re.search(r"^Umask:\s*(\d+)", Path(f"/proc/{server.pid}/status").read_text(), re.MULTILINE)[1], 8) == 0o77
    )


def test_json_logs_of_a_daemon_are_whole(someone):
    server = someone({"log": {"format": "json"}, "access_log": {"format": "json"}}).start()
    server.fetch("/")
    server.wait_access('"target":"/"')
    server.stop()
    for line in (*server.log().splitlines(), *server.access_log()):
        json.loads(line)
