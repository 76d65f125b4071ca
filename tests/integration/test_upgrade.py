"""USR2 and `hybridd upgrade`: another master takes the place of this one, or everything goes on as it was."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import sys
import threading
from collections import Counter
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

import hybridd
from hybridd.cli.verb import Connection
from tests.support import processes
from tests.support.client import PATIENT, fetch
from tests.support.load import Plan
from tests.support.tools import full
from tests.support.traffic import Load
from tests.support.verbs import verb
from tests.support.waiting import wait_until

UPGRADES = 5 if full() else 1


class Watcher:
    """Asks the admin endpoint and the control socket again and again who they are, from a thread of its own."""

    def __init__(self, server):
        self.admin, self.control, self.problems = [], [], []
        self._server = server
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()

    def _watch(self):
        while not self._end.wait(0.02):
            try:
                self._server.notify.poll()  # its queue is short
                self.admin.append(self._server.status()["pid"])
                with closing(Connection(self._server.control)) as connection:
                    self.control.append(connection.ask("GET", "/status", {}, PATIENT)["pid"])
            except Exception as problem:  # noqa: BLE001  # whatever it is, the test shall say it
                self.problems.append(problem)


def changes(pids):
    return [pid for index, pid in enumerate(pids) if index == 0 or pids[index - 1] != pid]


def descriptors(pid):
    """Return what a process has open, without numbers, and how often.

    The connection on which somebody asked whether it is ready may be among that for a moment.
    """
    return Counter(re.sub(r"\d+", "", link) for link in processes.open_files(pid))


@pytest.mark.watchdog(200)
@pytest.mark.parametrize("pattern", ["hybrid", "prefork"])
def test_no_request_fails_and_only_one_master_speaks(serve, tmp_path, pattern):
    pid_file = tmp_path / "hybridd.pid"
    server = serve({"application": "service:app", "pattern": pattern, "pid_file": str(pid_file)})
    masters, open_before = [server.pid], descriptors(server.pid)
    mark = server.notify.mark()
    with (
        Load(Plan(server.address, connections=6, think=0.002)) as kept,
        Load(Plan(server.address, connections=4, keep_alive=False, think=0.002)) as new,
        Watcher(server) as watcher,
    ):
        for _ in range(UPGRADES):
            done = verb(server, "upgrade")
            assert (done.returncode, done.stderr) == (0, "")
            assert server.upgraded() == 0
            masters.append(server.master)
            assert done.stdout == f"upgraded: the new master has pid {server.master}\n"
            assert pid_file.read_text() == f"{server.master}\n"
            kept.wait_answered(50)
            new.wait_answered(50)
        wait_until(lambda: watcher.control[-1:] == masters[-1:], within=10, what="the control socket is the new one's")
        tallies = [kept.stop(), new.stop()]
    assert [tally.failed for tally in tallies] == [0, 0], [tally.failures for tally in tallies]
    assert (changes(watcher.admin), changes(watcher.control), watcher.problems) == (masters, masters, [])
    wait_until(
        lambda: not descriptors(server.master) - open_before,
        within=5,
        what=lambda: f"nothing leaked into the new master: {descriptors(server.master) - open_before}",
    )
    server.notify.poll()
    said = server.notify.messages[mark:]
    order = [next(iter(message)) for message in said if message.keys() & {"MAINPID", "READY", "STOPPING"}]
    assert order == ["MAINPID", "READY"] * UPGRADES, said
    assert [message["MAINPID"] for message in said if "MAINPID" in message] == [str(pid) for pid in masters[1:]]
    assert len(server.wait_workers(2)) == 2
    server.stop()
    assert not pid_file.exists()
    assert not Path(server.control).exists()


def virtual_environment(folder):
    """Make one as cheaply as can be: a console script, and a Python that finds what this one does."""
    (folder / "bin").mkdir(parents=True)
    (folder / "pyvenv.cfg").write_text(f"home = {Path(sys._base_executable).parent}\n")
    (folder / "bin" / "python").symlink_to(sys._base_executable)
    script = folder / "bin" / "hybridd"
    script.write_text(f"#!{folder}/bin/python\nimport sys\nfrom hybridd.cli.main import main\nsys.exit(main())\n")
    script.chmod(0o755)


def test_a_switched_link_to_another_environment_is_seen(serve, tmp_path):
    for name in ("one", "two"):
        virtual_environment(tmp_path / name)
    (tmp_path / "current").symlink_to("one")
    app = "import sys\ndef app(environ, start_response):\n    start_response('200 OK', [])\n"
    for folder in ("release1", "release2"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "where.py").write_text(f"{app}    return [f'{{sys.prefix}} {folder}'.encode()]\n")
    (tmp_path / "code").symlink_to("release1")
    server = serve({"application": "where:app", "workers": 1}, start=False, cwd=tmp_path / "code")
    server._command = [str(tmp_path / "current/bin/hybridd"), "run", "-c", str(server.config_file)]
    packages = [str(Path(hybridd.__file__).parents[1]), *(path for path in sys.path if path.endswith("-packages"))]
    server._environment |= {"PYTHONPATH": ":".join(packages), "PWD": str(tmp_path / "code")}
    server.start().wait_ready()
    assert server.fetch("/").text == f"{tmp_path}/one release1"
    for link, target in (("current", "two"), ("code", "release2")):
        (tmp_path / link).unlink()
        (tmp_path / link).symlink_to(target)
    shutil.rmtree(tmp_path / "one")
    server.signal(signal.SIGUSR2)
    assert server.upgraded() == 0
    assert server.fetch("/").text == f"{tmp_path}/two release2"


AS_SYSTEMD = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="web")
os.execv(sys.argv[2], sys.argv[2:])
"""


def test_listeners_come_stay_and_go(serve, tmp_path):
    """A unix socket, two that were handed to us, one more, one fewer; all kept ones without a gap."""
    with ExitStack() as stack:
        handed = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        other = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        fds = [f"fd:{other.fileno()}", "systemd:web"]
        listen = [f"unix:{tmp_path}/kept.sock", *fds, f"unix:{tmp_path}/gone.sock"]
        passed = [handed.fileno(), other.fileno()]
        server = serve({"application": "service:app", "listen": listen}, pass_fds=passed, start=False)
        server._command = [sys.executable, "-c", AS_SYSTEMD, str(handed.fileno()), *server._command]
        server.start().wait_ready()
        identity = (tmp_path / "kept.sock").stat().st_ino
        host, port = handed.getsockname()
        loads = [
            stack.enter_context(Load(Plan(address, connections=3, think=0.002, keep_alive=False)))
            for address in (f"unix:{tmp_path}/kept.sock", f"{host}:{port}")
        ]
        server.configure(
            {"application": "service:app", "listen": [f"unix:{tmp_path}/kept.sock", *fds, f"unix:{tmp_path}/new.sock"]}
        )
        assert verb(server, "scale", "3").returncode == 0
        assert verb(server, "upgrade").returncode == 0
        assert server.upgraded() == 0
        for load in loads:
            load.wait_answered(20)
            tally = load.stop()
            assert tally.failed == 0, tally.failures
        assert fetch(f"unix:{tmp_path}/new.sock", "/").status == 200
        assert (tmp_path / "kept.sock").stat().st_ino == identity
        assert not (tmp_path / "gone.sock").exists()
        assert len(server.wait_workers(3)) == 3, "scaled by hand, it stays so"
        server.stop()
        assert not list(tmp_path.glob("*.sock"))
        # What was only handed to us goes on without us.
        with socket.create_connection((host, port), 5):
            pass
