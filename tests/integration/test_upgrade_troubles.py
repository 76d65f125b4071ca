"""An upgrade that cannot be, or must not be any more: this master goes on, or stops with everything it began."""

from __future__ import annotations

import os
import re
import signal
import socket

import pytest

from tests.support import processes
from tests.support.load import Plan
from tests.support.tools import require
from tests.support.traffic import Load
from tests.support.verbs import begin_verb, verb, verb_json
from tests.support.waiting import wait_until


def shop(folder, extra=""):
    folder.mkdir(exist_ok=True)
    text = f"import os\n{extra}\n"
    text += 'def app(environ, start_response):\n    start_response("200 OK", [("Content-Length", "2")])\n'
    (folder / "shop.py").write_text(text + '    return [b"hi"]\n')
    return {"application": "shop:app", "chdir": str(folder)}


FAILURES = {
    "wrong configuration": ({"wokers": 3}, "", r"the new master ended: .*wokers: unknown"),
    "an address that is taken": ({"listen": []}, "", r"cannot listen on 127\.0\.0\.1:\d+"),
    "an application that raises": ({}, "raise OSError('on purpose')", r"(?s)no worker.*\nOSError: on purpose"),
    "an application that hangs": (
        {"timeouts": {"boot": "1s"}}, "import threading; threading.Event().wait()", "did not become ready|not ready",
    ),
    "one that crashes while it is watched": (
        {"reload": {"settle": "30s"}},
        "import os, threading\nthreading.Timer(0.2, lambda: os._exit(3)).start()",
        "no worker ever became ready: .*exited with status 3",
    ),
}  # fmt: skip


def test_a_new_master_that_fails_changes_nothing(serve, tmp_path):
    pid_file = tmp_path / "hybridd.pid"
    base = {"listen": ["127.0.0.1:0"], "pid_file": str(pid_file)}
    server = serve({**shop(tmp_path / "app"), **base})
    workers = server.wait_workers(2)
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        Load(Plan(server.address, connections=4, think=0.002)) as load,
    ):
        for name, (settings, code, reason) in FAILURES.items():
            if "listen" in settings:
                settings["listen"] = ["127.0.0.1:0", f"127.0.0.1:{taken.getsockname()[1]}"]
            server.configure({**shop(tmp_path / "app", code), **base, **settings})
            done = verb(server, "upgrade")
            assert done.returncode == 1, name
            assert re.search(reason, done.stderr), (name, done.stderr)
            assert done.stderr.startswith("hybridd: failed, this master goes on: "), name
            assert (server.status()["pid"], pid_file.read_text()) == (server.pid, f"{server.pid}\n"), name
        # Killed while it watches its canary.
        server.configure({**shop(tmp_path / "app"), **base, "reload": {"settle": "30s"}})
        waiting = begin_verb(server, "upgrade")
        successor = wait_until(lambda: server.status()["upgrade"]["successor"], within=10, what="a successor")
        server.wait_log(rf"\[{successor['pid']}\] worker=0 .* ready")
        assert "an upgrade is on its way" in verb(server, "upgrade").stderr
        assert "an upgrade is on its way" in verb(server, "reload").stderr
        processes.send(successor["pid"], signal.SIGKILL)
        _, err = waiting.communicate(timeout=20)
        assert (waiting.returncode, "the new master ended without a word" in err) == (1, True), err
        assert server.ready_pids() == workers
        assert "last upgrade failed" in server.status()["status"]
        assert load.stop().failed == 0
    server.notify.poll()
    assert not [message for message in server.notify.messages if "MAINPID" in message]
    # Mended, it goes through; and what a reload could not change is changed.
    server.configure({**shop(tmp_path / "app"), **base, "umask": "027"})
    assert verb_json(server, "upgrade")["pid"]
    assert server.upgraded() == 0
    assert not {process.pid for process in server.living()} & set(workers)


def test_a_stop_ends_the_new_master_too_and_an_upgrade_waits_for_a_reload(serve, tmp_path):
    timeouts = {"boot": "60s", "graceful": "60s"}
    server = serve({**shop(tmp_path / "app"), "workers": 1, "reload": {"settle": "2s"}, "timeouts": timeouts})
    reloading = begin_verb(server, "reload")
    server.wait_log(r"gen=2 pid=\d+ ready in")  # on trial, and no longer in need of what is on disk
    seen = tmp_path / "seen"
    shop(tmp_path / "app", f"open({str(seen)!r}, 'w').close(); import threading; threading.Event().wait()")
    server.signal(signal.SIGUSR2)
    server.wait_log("upgrade: waits for the reload that is on its way")
    _, err = reloading.communicate(timeout=20)
    assert (reloading.returncode, err) == (0, "")
    wait_until(seen.exists, within=20, what="the application hangs")
    server.wait_log("upgrade: a new master")
    server.stop(within=8)
    assert "hybridd stops; it was killed" in server.log()


def test_process_1_is_not_replaced(serve):
    if os.geteuid() != 0:
        pytest.skip("only root makes PID namespaces")
    require("unshare", "util-linux")
    server = serve({"application": "hello:app", "workers": 1}, start=False)
    server._command = ["unshare", "--pid", "--fork", "--kill-child=TERM", "--mount-proc", *server._command]
    server.start().wait_ready()
    done = verb(server, "upgrade")
    assert done.returncode == 1
    assert "process 1 cannot be replaced" in done.stderr
    assert verb(server, "stop").returncode == 0
    server.wait_ended()
