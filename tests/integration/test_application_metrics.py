"""What the application counts with prometheus_client stands on /metrics: over kills, reloads and upgrades."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
from pathlib import Path

import pytest

from tests.support import processes
from tests.support.load import Plan
from tests.support.traffic import Load
from tests.support.verbs import verb
from tests.support.waiting import patient, wait_until

COUNTING = {"application": "counting:app"}
LASTING = {"sum": 14.0, "max": 7.0, "min": 0.0, "mostrecent": 7.0}
LIVE = ("livesum", "livemax", "livemin", "livemostrecent")


def start(serve, tmp_path, config=None, **further):
    """Start one whose folder is in $RUNTIME_DIRECTORY; return it and that directory."""
    runtime = tmp_path / "run"
    runtime.mkdir(exist_ok=True)
    environment = {"RUNTIME_DIRECTORY": str(runtime), **further.pop("environment", {})}
    return serve(COUNTING | (config or {}), environment=environment, **further), runtime


def folder_in(runtime: Path) -> Path:
    [folder] = runtime.glob("hybridd-metrics-*")
    return folder


def kill(server, *, count=2):
    """Kill every worker, and wait for their replacements."""
    before = server.ready_pids()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    server.wait_workers(count, without=before)


def kill_at_once(server):
    """Kill everybody, so that nobody sees another one's death: first those who would."""
    workers = server.wait_workers(2)
    server.signal(signal.SIGSTOP)
    wait_until(lambda: processes.stopped(server.pid), within=5, what="the master replaces nobody")
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    server.kill_all()


def jobs(server):
    return server.metrics().value("shop_jobs_total", kind="mail")


def test_every_kind_and_mode_over_kills_and_reloads(serve, tmp_path):
    server, _ = start(serve, tmp_path, {"workers": 1})
    [first] = server.ready_pids()
    for _ in range(2):
        server.fetch("/inc?n=2")
        server.fetch("/set?n=7")
        server.fetch("/observe?n=0.5")
        metrics = server.metrics()
        for mode in ("all", "liveall"):
            assert metrics.value(f"shop_{mode}_level", pid=str(server.ready_pids()[0])) == 7
        for mode in LIVE:
            assert metrics.value(f"shop_{mode}_level") == 7
        if server.ready_pids() == [first]:
            kill(server, count=1)
            after = server.metrics()
            assert after.fallen_since(metrics) == []
            for mode in LIVE:  # of the one that has just come
                assert after.value(f"shop_{mode}_level") == 0
            assert str(first) not in after.text
    assert verb(server, "reload").returncode == 0
    metrics = server.metrics()
    assert metrics.value("shop_jobs_total", kind="mail") == 4
    assert {mode: metrics.value(f"shop_{mode}_level") for mode in LASTING} == LASTING
    assert metrics.value("shop_time_seconds_bucket", le="0.1") == 0
    assert metrics.value("shop_time_seconds_bucket", le="1.0") == 2
    assert metrics.value("shop_time_seconds_bucket", le="+Inf") == 2
    assert metrics.value("shop_time_seconds_count") == metrics.value("shop_size_bytes_count") == 2
    assert metrics.value("shop_time_seconds_sum") == metrics.value("shop_size_bytes_sum") == 1
    modern = server.ask_admin("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}).text
    assert 'shop_jobs_total{kind="mail"} 4.0\n' in modern
    assert modern.count("# EOF") == 1


def test_totals_are_exact_under_load_while_workers_are_killed_and_recycled(serve, tmp_path):
    server, runtime = start(serve, tmp_path, {"workers": 2, "recycle": {"max_requests": 200}})
    with Load(Plan(server.address, "/inc?n=1", connections=4)) as load:
        last = server.metrics()
        for _ in range(4):
            pid = server.ready_pids()[0]
            os.kill(pid, signal.SIGKILL)
            server.wait_workers(2, without=[pid])
            now = server.metrics()
            assert now.fallen_since(last) == []
            last = now
        result = load.stop()
    answered = result.answered
    counted = jobs(server)
    # A request that was counted and whose worker was killed before it could answer has no answer.
    assert answered <= counted <= answered + 4 * 4
    server.metrics()
    assert len(list(folder_in(runtime).iterdir())) <= 7 + 2 * 13 + 1 + 2 * 13  # retired, living, the lock, leaving


@pytest.mark.parametrize("config", [{"preload": True}, {"pattern": "process"}], ids=str)
def test_processes_that_are_forked_with_the_library_loaded(serve, tmp_path, config):
    server, runtime = start(serve, tmp_path, config if "pattern" in config else config | {"workers": 2})
    pids = []

    def counted():
        pids.append(server.fetch("/inc?n=2").text.split()[0])
        return len(pids) >= 40 and len(set(pids)) >= 2  # which worker takes a connection is nobody's promise

    wait_until(counted, within=10, what="both have answered")
    assert "preload" in config or len(set(pids)) == len(pids)
    assert jobs(server) == 2 * len(pids)
    if "preload" in config:
        kill(server)
    server.fetch("/inc")
    assert jobs(server) == 2 * len(pids) + 1
    # Of 41 processes with 13 files each: those of the fork server or worker, of who lives, and of the dead.
    assert len(list(folder_in(runtime).iterdir())) < 80


def test_the_dead_are_retired_without_a_scrape(serve, tmp_path):
    server, runtime = start(serve, tmp_path, {"pattern": "process"})
    for _ in range(30):  # 13 files each
        server.fetch("/inc")
    # Of 390 there are left 13 for each of 2 workers, the 64 that may come before a look is taken, and those of
    # processes that were still on their way out when the last look was: a machine that is slow has several of these.
    wait_until(
        lambda: len(list(folder_in(runtime).iterdir())) < 260, within=10, what="the files of the dead become fewer"
    )
    assert jobs(server) == 30


def test_an_upgrade_loses_no_count(serve, tmp_path):
    server, runtime = start(serve, tmp_path, {"workers": 1})
    server.fetch("/inc?n=5")
    folder = folder_in(runtime)
    assert verb(server, "upgrade").returncode == 0
    assert server.upgraded() == 0
    assert folder_in(runtime) == folder
    server.fetch("/inc?n=2")
    assert jobs(server) == 7
    server.stop()
    server.ended = True
    assert list(runtime.iterdir()) == []


def test_who_does_not_use_it_leaves_no_trace(serve, tmp_path):
    server, runtime = start(serve, tmp_path, {"application": "hello:app"})
    assert server.metrics().value("hybridd_application_metrics_series") == 0
    assert list(runtime.iterdir()) == []
    off, _ = start(serve, tmp_path, {"application_metrics": False})
    assert off.fetch("/inc").text.split()[1:] == []
    assert "shop_jobs" not in off.metrics().text
    assert list(runtime.iterdir()) == []


def test_the_folder_of_a_killed_master_goes_with_its_last_worker_or_at_the_next_start(serve, tmp_path):
    server, runtime = start(serve, tmp_path)
    folder = folder_in(runtime)
    os.kill(server.pid, signal.SIGKILL)
    wait_until(lambda: not folder.exists(), within=15, what="the last worker removes the folder")
    second, _ = start(serve, tmp_path)
    folder = folder_in(runtime)
    kill_at_once(second)
    assert folder.exists()
    third, _ = start(serve, tmp_path, {"application": "hello:app"})
    assert list(runtime.iterdir()) == []
    third.wait_log("removed .*hybridd-metrics-.*, which a hybridd that was killed has left")
    server.ended = second.ended = True
    for dead in (server, second):
        dead.kill_all()
        dead.notify.close()


def test_a_folder_of_the_operator_is_left_to_him(serve, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    server, runtime = start(serve, tmp_path, environment={"PROMETHEUS_MULTIPROC_DIR": str(own)})
    assert server.fetch("/inc").text.split()[1] == str(own)
    pids = set(server.ready_pids())
    assert {int(path.stem.rpartition("_")[2]) for path in own.iterdir()} <= pids  # and none of the master
    assert list(runtime.iterdir()) == []
    assert "shop_jobs" not in server.metrics().text
    server.wait_log("PROMETHEUS_MULTIPROC_DIR is set: the application's own metrics are left to whoever has set it")


def test_what_an_application_does_wrong_is_told_and_the_rest_is_there(serve, tmp_path):
    server, runtime = start(serve, tmp_path, {"workers": 1, "limits": {"application_series": 200}})
    server.fetch("/clash")
    server.fetch("/set?n=3")
    folder = folder_in(runtime)
    os.mkfifo(folder / "counter_1.db")
    (folder / "summary_1.db").write_bytes(b"\xff" * 100)
    dropped = "hybridd_application_metrics_dropped"
    for _ in range(2):
        metrics = server.metrics()
        assert metrics.value(dropped, reason="reserved_name") == 1
        assert metrics.value(dropped, reason="damaged_file") == 2
        assert metrics.value("shop_max_level") == 3
    server.fetch("/explode?n=1000")
    metrics = server.metrics()
    assert metrics.value(dropped, reason="too_many_series") == 1
    assert metrics.value("hybridd_application_metrics_series") < 200
    assert server.log().count("hybridd_workers is left out") == 1  # once, in three scrapes
    server.wait_log("shop_jobs is left out of /metrics, or in part: too_many_series")


def test_a_look_that_does_not_end_costs_its_part_of_the_answer(serve, tmp_path):
    server, runtime = start(serve, tmp_path, {"workers": 1})
    server.fetch("/inc")
    answers = []
    scrape = threading.Thread(target=lambda: answers.append(server.metrics()), daemon=True)
    lock = os.open(folder_in(runtime) / "lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as somebody does who never comes to an end
        scrape.start()
        assert server.ask_admin("/healthz").status == 200
        assert server.status()["pid"] == server.pid
        assert not answers
        scrape.join(patient(15))
    finally:
        os.close(lock)
    [metrics] = answers
    assert metrics.value("hybridd_application_metrics_dropped", reason="failed") == 1
    assert metrics.value("hybridd_workers", state="ready") == 1
    server.wait_log("the application's own metrics cannot be gathered: it takes longer than 5 s")
    assert jobs(server) == 1
