"""Reloads at the wrong moment, of the wrong thing, or with something else going on."""

from __future__ import annotations

import shutil
import signal

from tests.support import processes
from tests.support.shop import HANGS, RAISES, open_shop, reload_result, shop, write_version
from tests.support.verbs import begin_verb, verb
from tests.support.waiting import pass_time, wait_until


def states(server):
    return {worker["state"] for worker in server.workers()}


def test_a_canary_takes_no_connection_until_it_has_lived_for_the_settling_time(serve, tmp_path):
    server = open_shop(serve, tmp_path / "app", {"reload": {"settle": "1s"}})
    old = server.ready_pids()
    write_version(tmp_path / "app", "two and longer")
    with begin_verb(server, "reload") as reloading:
        wait_until(lambda: "probation" in states(server), within=10, what="the canary is on probation")
        for pid in old:  # nobody else can answer now
            processes.send(pid, signal.SIGSTOP)
        wait_until(lambda: all(processes.stopped(pid) for pid in old), within=5, what="they are stopped")
        assert server.fetch("/").body == b"two and longer"
        (canary,) = [worker for worker in server.workers() if worker["slot"] == 2]
        for pid in old:
            processes.send(pid, signal.SIGCONT)
        assert canary["uptime"] >= 1.0
        out, err = reloading.communicate(timeout=20)
    assert (reloading.returncode, err) == (0, ""), out


def test_fewer_workers_do_not_wait_for_a_canary_that_hangs_and_a_stop_does_not_either(serve, tmp_path):
    server = open_shop(serve, tmp_path / "app", {"timeouts": {"boot": "60s"}})
    write_version(tmp_path / "app", "hanging", extra=HANGS)
    reloading = begin_verb(server, "reload")
    wait_until(lambda: "booting" in states(server), within=10, what="the canary boots")
    done = verb(server, "scale", "1")
    assert (done.returncode, done.stdout) == (0, "1 worker ready\n")
    assert server.status()["trial"] == 2
    server.stop(within=8)
    _, err = reloading.communicate(timeout=10)
    assert reloading.returncode == 1
    assert "the reload is given up" in err


def test_a_stop_has_begun_and_a_reload_is_refused(serve, tmp_path):
    server = open_shop(serve, tmp_path / "app", {"shutdown": {"drain_delay": "30s"}})
    server.signal(signal.SIGTERM)
    server.wait_log("stopping: 2 workers to drain")
    done = verb(server, "reload")
    assert (done.returncode, done.stdout) == (1, "")
    assert "ignored: hybridd is stopping" in done.stderr
    server.stop(signal.SIGQUIT)


def test_a_crash_loop_ends_with_a_reload_and_not_before_its_code_is_mended(serve, tmp_path):
    crash = {"restarts": 3, "backoff_max": "60s"}
    server = open_shop(serve, tmp_path / "app", {"crash": crash})
    victim, survivor = server.ready_pids()
    write_version(tmp_path / "app", "broken", extra=RAISES)  # a deploy without a reload
    processes.send(victim, signal.SIGKILL)
    server.wait_log("is started again in")
    wait_until(lambda: server.status()["state"] == "degraded", within=10, what="the crash loop is told")
    assert "crashed within" in server.status()["degraded"]
    done = verb(server, "reload")
    assert done.returncode == 1
    assert "RuntimeError: broken on purpose" in done.stderr
    assert server.ready_pids() == [survivor]
    assert server.fetch("/").body == b"one"
    write_version(tmp_path / "app", "mended at last")
    assert verb(server, "reload").returncode == 0
    server.wait_workers(2, without=[survivor])
    assert server.fetch("/").body == b"mended at last"


def test_code_that_is_gone_pauses_recycling_and_growth_and_says_so_everywhere(serve, tmp_path):
    server = open_shop(serve, tmp_path / "app", {"recycle": {"max_requests": 30}, "shutdown": {"idle_grace": "50ms"}})
    before = server.ready_pids()
    shutil.rmtree(tmp_path / "app")
    mark = server.notify.mark()
    done = verb(server, "reload")
    words = "generation 1 cannot be re-created, because what is on disk now was refused: recycling and scaling up pause"
    assert done.returncode == 1
    assert words in done.stderr
    assert words in server.status()["degraded"]
    assert words in server.ask_admin("/readyz").text
    assert words in server.notify.latest("STATUS")
    assert server.notify.find(lambda message: "READY" in message, mark), "systemd is told that the reload is over"
    assert server.metrics().value("hybridd_degraded", reason="refused_code") == 1
    assert words in verb(server, "scale", "3").stderr
    server.signal(signal.SIGTTIN)
    server.wait_log(f"scale: stays at 2 workers: {words}")
    with server.client() as client:
        for _ in range(80):
            assert client.get("/").body == b"one"
    server.wait_log(r"is to be replaced \(recycle\)")
    assert pass_time(0.5, unless=lambda: server.ready_pids() != before), "recycling did not pause"
    write_version(tmp_path / "app", "back again")
    assert verb(server, "reload").returncode == 0
    assert server.metrics().value("hybridd_degraded", reason="refused_code") == 0
    assert verb(server, "scale", "3").returncode == 0


def test_a_number_of_workers_survives_a_reload_that_does_not_change_it(serve, tmp_path):
    server = open_shop(serve, tmp_path / "app")
    before = server.ready_pids()
    server.signal(signal.SIGTTIN)
    before += server.wait_workers(3)
    assert verb(server, "reload").returncode == 0
    server.wait_workers(3, without=before)
    assert verb(server, "scale", "1").returncode == 0
    server.configure({**shop(tmp_path / "app"), "threads": 5})
    assert verb(server, "reload").returncode == 0
    server.wait_workers(1)
    server.configure({**shop(tmp_path / "app"), "workers": 4})
    assert verb(server, "reload").returncode == 0
    server.wait_workers(4)
    assert reload_result(server) == 1
