"""``hybridd compare`` with real servers and real load, as short as it goes."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys

import pytest

from hybridd.compare.client_process import ClientProcess
from hybridd.compare.interruption import Interruption, interruptible
from hybridd.compare.server import Server
from hybridd.compare.wishes import BUILT_IN
from tests.support import processes
from tests.support.command import environment_of_tests, hybridd
from tests.support.server import APPS, AS_ROOT
from tests.support.waiting import patient, wait_until

SHORT = ("--duration", "200ms", "--concurrency", "4", "--sleep", "300ms")


@pytest.mark.alone
@pytest.mark.watchdog(180)
def test_two_patterns_side_by_side(tmp_path):
    report, figures = tmp_path / "report.html", tmp_path / "figures.json"
    done = hybridd(
        "compare", "--patterns", "serial,hybrid", *SHORT, "--report", str(report), "--json", str(figures), timeout=170
    )
    assert done.returncode == 0, done.stderr
    assert "serial: 3 clients that each wait 0.3 s are served one after the other" in done.stdout
    assert "hybrid (3 workers): 3 clients" in done.stdout
    serial, hybrid = json.loads(figures.read_text())["patterns"]
    for one in (serial, hybrid):
        assert one["problem"] == ""
        assert one["load"]["rate"] > 0
        assert one["load"]["cpu"] > 0
        assert one["load"]["failures"] == 0
        assert sum(one["backlog"][key] for key in ("answered", "turned_away", "waiting", "silent", "refused")) == 64
        assert one["backlog"]["silent"] + one["backlog"]["refused"] > 0
    assert serial["demonstration"]["seconds"] >= 0.9
    assert hybrid["demonstration"]["seconds"] < serial["demonstration"]["seconds"]
    assert (serial["crowd"]["answered"], serial["crowd"]["unanswered"]) == (0, 1)
    assert hybrid["crowd"]["answered"] > 0
    assert hybrid["crowd"]["unanswered"] == 0
    assert serial["crash"] == {"connections": 21, "broken": 1}
    assert 1 <= hybrid["crash"]["broken"] < 21
    page = report.read_text()
    assert page.startswith("<!doctype html>")
    assert "hybridd compare --patterns serial,hybrid" in page


@pytest.mark.watchdog(120)
def test_of_ones_own_application_only_what_its_routes_allow_is_measured(tmp_path):
    figures = tmp_path / "figures.json"
    done = hybridd("compare", "hello:app", "--patterns", "pool", *SHORT, "--json", str(figures), timeout=110)
    assert done.returncode == 0, done.stderr
    assert "the demonstration and the full backlog need --sleep-path" in done.stderr
    (pool,) = json.loads(figures.read_text())["patterns"]
    assert pool["load"]["rate"] > 0
    assert pool["crowd"] is not None
    assert [pool[key] for key in ("demonstration", "crash", "backlog")] == [None] * 3


@pytest.mark.watchdog(120)
def test_ones_own_routes_are_used():
    done = hybridd(
        "compare", "sleeping", "--patterns", "reactor", *SHORT, "--path", "/?seconds=0",
        "--sleep-path", "/?seconds={}", timeout=110,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "reactor: 3 clients that each wait 0.3 s are served one after the other" in done.stdout


@pytest.mark.watchdog(60)
def test_a_route_that_does_not_exist_ends_it():
    done = hybridd("compare", "hybridd.compare.demonstration:application", "--patterns", "hybrid", *SHORT,
                   "--path", "/nothing", timeout=50)  # fmt: skip
    assert done.returncode == 2
    assert "hybridd: --path /nothing: the application answers 404" in done.stderr


# -- its end


@contextlib.contextmanager
def running(*arguments):
    """Start a comparison as a terminal does; at the end nothing of it may be left."""
    command = [sys.executable, "-W", "error", "-m", "hybridd", "compare", *arguments]
    with subprocess.Popen(
        command, cwd=APPS, env=environment_of_tests(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def descendants(parent):
    found = processes.children(parent)
    return [*found, *(below for one in found for below in descendants(one.pid))]


@pytest.mark.watchdog(60)
@pytest.mark.parametrize(
    ("number", "status", "duration", "busy"),
    [
        (signal.SIGINT, 130, "200ms", 4),  # load client, master, workers: several come behind the load
        (signal.SIGTERM, 143, "10s", 1),  # the load client at least
        (signal.SIGHUP, 129, "10s", 2),
    ],
)
def test_a_signal_ends_it_at_any_moment_and_nothing_is_left(number, status, duration, busy):
    with running("--patterns", "hybrid", "--duration", duration) as process:
        below = wait_until(
            lambda: found if len(found := descendants(process.pid)) >= busy else [],
            within=30,
            what="servers and clients run",
        )
        process.send_signal(number)
        output, errors = process.communicate(timeout=patient(20))
    assert process.returncode == status, errors
    assert "interrupted: " in output
    assert "Traceback" not in errors
    assert [one.pid for one in below if processes.alive(one.pid)] == []


def test_an_interruption_right_behind_the_fork_ends_that_server_and_nobody_else(monkeypatch):
    spawned = []

    def spawn_and_be_interrupted(self, log):
        spawned.append(spawn(self, log))
        signal.raise_signal(signal.SIGINT)
        return spawned[0]

    spawn = Server._spawn
    monkeypatch.setattr(Server, "_spawn", spawn_and_be_interrupted)
    with subprocess.Popen(["sleep", "60"]) as bystander:
        server = Server([BUILT_IN, *AS_ROOT], spawned=lambda session: None)
        with interruptible(), pytest.raises(Interruption), server:
            pytest.fail("it was interrupted before it was ready")
        assert bystander.poll() is None
        bystander.kill()
    assert processes.in_session(spawned[0].pid) == []
    assert spawned[0].returncode is not None


def test_an_interruption_right_behind_its_fork_ends_the_load_client(monkeypatch):
    spawned = []

    def spawn_and_be_interrupted(self):
        spawned.append(spawn(self))
        signal.raise_signal(signal.SIGTERM)
        return spawned[0]

    spawn = ClientProcess._spawn
    monkeypatch.setattr(ClientProcess, "_spawn", spawn_and_be_interrupted)
    with interruptible(), pytest.raises(Interruption), ClientProcess(None):
        pytest.fail("it was interrupted before anything was asked")
    assert spawned[0].returncode is not None


@pytest.mark.watchdog(60)
def test_what_was_measured_before_an_interruption_is_shown():
    with running("--patterns", "pool", "--duration", "200ms") as process:
        for line in process.stderr:
            if line.endswith("  pool\n"):  # its load has been measured
                break
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=patient(20))
    assert process.returncode == 130, errors
    assert "request costs" in " ".join(output.split())
    assert "are served" not in " ".join(output.split()), "the demonstration comes later"
    assert "interrupted: what is missing was not measured" in output


@pytest.mark.watchdog(60)
def test_servers_and_clients_do_not_survive_a_comparison_that_is_killed():
    with running("--patterns", "hybrid", "--duration", "10s") as process:
        below = wait_until(
            lambda: found if len(found := descendants(process.pid)) >= 3 else [],
            within=30,
            what="a server and a client run",
        )
        process.kill()
        process.wait(5)
        wait_until(lambda: not any(processes.alive(one.pid) for one in below), within=20, what="they leave too")
    for one in below:
        processes.reap(one.session)


# -- bad input


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("--patterns", "hybird"), 2, "--patterns: there is no pattern hybird; did you mean hybrid"),
        (("--duration", "x"), 2, "--duration: expected a duration such as 4s"),
        (("--concurrency", "0"), 2, "--concurrency: expected"),
        (("--load", "ab"), 2, "--load: expected own or wrk, got ab"),
        (("--sleep-path", "/slow"), 2, "name it"),
        (("--set", "workers=3"), 2, "--set workers: hybridd compare sets it itself"),
        (("--report", "/nowhere/report.html"), 2, "cannot write /nowhere/report.html"),
        (("--json", "/"), 2, "cannot write /"),
        (("--set", "protocol=echo_tcp:Echo"), 2, "hybridd compare speaks HTTP only"),
        (("nosuch:app",), 70, "cannot load 'nosuch:app'"),
        (("hello:nosuch",), 70, "cannot load 'hello:nosuch'"),
        (("raising:broken",), 70, "cannot load"),
        (("--set", "threads=many"), 78, "threads"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence_before_anything_starts(arguments, status, said):
    done = hybridd("compare", *arguments)
    assert done.returncode == status, done.stderr
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


def test_a_missing_wrk_is_told_in_one_sentence(tmp_path):
    done = hybridd("compare", "--load", "wrk", environment={"PATH": str(tmp_path)})
    assert done.returncode == 2
    assert done.stderr.startswith("hybridd: --load wrk: wrk is not installed")
    assert len(done.stderr.strip().splitlines()) == 1
