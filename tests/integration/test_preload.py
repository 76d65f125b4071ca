"""The application is loaded once, in a fork server; the workers share its memory and are the master's children."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from hybridd.config.patterns import PATTERNS
from tests.support import processes
from tests.support.tools import full
from tests.support.verbs import verb, verb_json
from tests.support.waiting import wait_until

LARGE = {"application": "large:app", "preload": True}
MIB = 2**20


def fork_server(server, generation=1):
    """Return the pid of the fork server that is ready."""

    def found():
        ready = [one for one in server.status()["fork_servers"] if one["state"] == "ready"]
        return next((one["pid"] for one in ready if one["generation"] == generation), 0)

    pid = wait_until(found, within=10, what=lambda: f"a fork server is ready; {server.log()}")
    assert title(pid) == f"hybridd: fork server (gen {generation})"
    return pid


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def title(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0 ")
    except OSError:
        return ""


def memory(pid, kind):
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(f"{kind}:"):
            return int(line.split()[1]) * 1024 / MIB
    raise AssertionError(pid)


def replaced(server, victim, count):
    processes.send(victim, signal.SIGKILL)
    return server.wait_workers(count, without=[victim])


def test_workers_share_memory_and_outlive_their_fork_server(serve):
    server = serve({**LARGE, "workers": 3})
    workers, first = server.wait_workers(3), fork_server(server)
    for _ in range(100):
        assert server.fetch("/").body.endswith(b" 150000")
    assert set(children(server.pid)) == {first, *workers}  # no worker is the fork server's
    everybody = [first, *workers]
    resident = sum(memory(pid, "Rss") for pid in everybody)
    proportional = sum(memory(pid, "Pss") for pid in everybody)
    assert resident > 4 * 45
    assert proportional < resident / 2, (proportional, resident)
    # The master has not loaded it, and has one thread.
    assert memory(server.pid, "Rss") < memory(first, "Rss") - 25
    assert len(os.listdir(f"/proc/{server.pid}/task")) == 1  # noqa: PTH208 - a number
    # The master weighs them one after the other, and says so.
    name = "hybridd_worker_proportional_memory_bytes"
    wait_until(lambda: name in server.metrics().names(), within=10, what="a worker is weighed")
    assert 0 < server.metrics().total(name) < 3 * 40 * MIB
    # A worker that dies is there again at once, without loading.
    assert set(replaced(server, workers[0], 3)) >= set(workers[1:])
    assert server.log().count("has loaded the application") == 1
    # Without the fork server the workers serve, and the next death brings another one.
    processes.send(first, signal.SIGKILL)
    server.wait_log("fork server gen=1 pid=.* was killed by SIGKILL; its workers serve on")
    assert server.fetch("/").status == 200
    replaced(server, workers[1], 3)
    assert fork_server(server) != first
    assert server.fetch("/").status == 200


def test_a_fork_server_that_does_not_answer_is_replaced(serve):
    server = serve({"application": "hello:app", "preload": True, "workers": 1, "timeouts": {"boot": "4s"}})
    (victim,), first = server.wait_workers(1), fork_server(server)
    processes.send(first, signal.SIGSTOP)
    replaced(server, victim, 1)
    assert fork_server(server) != first


def write(folder, version, extra=""):
    folder.mkdir(exist_ok=True)
    (folder / "shop.py").write_text(f"""{"#" * len(version) * 7}
{extra}
def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "{len(version)}")])
    return [b"{version}"]
""")


def shop(folder):
    return {"application": "shop:app", "chdir": str(folder), "preload": True}


def test_a_reload_brings_a_fork_server_of_its_own_and_a_failed_one_leaves_the_old_one(serve, tmp_path):
    write(tmp_path / "app", "one")
    server = serve({**shop(tmp_path / "app"), "workers": 1, "timeouts": {"boot": "4s"}})
    first = fork_server(server)
    write(tmp_path / "app", "broken", "raise RuntimeError('on purpose')")
    refused = verb(server, "reload")
    assert refused.returncode == 1
    assert "RuntimeError: on purpose" in refused.stderr
    assert 'shop.py", line 2' in refused.stderr
    write(tmp_path / "app", "hanging", "import threading; threading.Event().wait()")
    refused = verb(server, "reload")
    assert refused.returncode == 1
    assert "did not become ready within 4 s (timeouts.boot)" in refused.stderr
    # What is on disk cannot be loaded; the fork server has the old code.
    assert server.status()["degraded"] is None
    assert verb_json(server, "scale", "2")["workers"] == 2
    assert fork_server(server) == first
    assert {server.fetch("/").body for _ in range(10)} == {b"one"}
    write(tmp_path / "app", "mended at last")
    before = server.ready_pids()
    assert verb(server, "reload").returncode == 0
    server.wait_workers(2, without=before)
    assert server.fetch("/").body == b"mended at last"
    wait_until(lambda: first not in children(server.pid), within=5, what="the old fork server leaves")
    assert [one["generation"] for one in server.status()["fork_servers"]] == [server.status()["generation"]]


def test_an_application_that_cannot_be_loaded_ends_the_start(serve, tmp_path):
    write(tmp_path / "app", "broken", "raise RuntimeError('on purpose')")
    server = serve(shop(tmp_path / "app"), wait=False)
    assert server.wait_ended() == 70
    assert 'shop.py", line 2' in server.log()
    assert "giving up, no worker ever became ready" in server.log()


def test_threads_and_sockets_that_would_not_survive_are_named_and_hooks_run_once_in_the_worker(serve, tmp_path):
    said = tmp_path / "said"
    extra = f"""
import atexit, os, socket, threading
def say(word):
    with open({str(said)!r}, "a") as file:
        print(word, os.getpid(), file=file)
def born():
    say("born")
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    atexit.register(say, "left")
os.register_at_fork(after_in_child=born)
atexit.register(say, "never")
threading.Thread(target=threading.Event().wait, name="refresher", daemon=True).start()
LISTENER = socket.create_server(("127.0.0.1", 0))
CLIENT = socket.create_connection(LISTENER.getsockname())
"""
    write(tmp_path / "app", "one", extra)
    server = serve({**shop(tmp_path / "app"), "workers": 1})
    found = server.wait_log(r"^.*preload: loading the application has left .*$").group()
    assert "1 thread (refresher) and 2 open sockets (a listener on 127.0.0.1:" in found
    assert "a connection to 127.0.0.1:" in found
    assert server.fetch("/").body == b"one"
    (worker,) = server.wait_workers(1)
    server.stop()
    assert said.read_text().splitlines() == [f"born {worker}", f"left {worker}"]


@pytest.mark.parametrize("extra", ["", "import threading; threading.Event().wait()"], ids=["serving", "loading"])
def test_nobody_remains_when_the_master_is_killed(serve, tmp_path, extra):
    write(tmp_path / "app", "one", extra)
    server = serve(shop(tmp_path / "app"), wait=not extra)
    wait_until(lambda: len(server.living()) > (1 if extra else 2), within=10, what="they are there")
    server.signal(signal.SIGKILL)
    assert server.wait_ended() == -signal.SIGKILL


def test_every_pattern_serves_from_a_fork_server(serve):
    patterns = PATTERNS if full() else ("process", "thread", "serial")
    servers = {
        name: serve({"application": "hello:app", "preload": True, "pattern": name}, wait=False) for name in patterns
    }
    for name, server in servers.items():
        assert server.wait_ready().fetch("/").status == 200, name
