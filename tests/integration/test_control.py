"""The control socket and its verbs, asked as an operator asks: by the command line."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
from pathlib import Path

import pytest

from tests.support import processes
from tests.support.command import hybridd
from tests.support.load import Plan
from tests.support.traffic import Load
from tests.support.verbs import begin_verb, verb, verb_json
from tests.support.waiting import wait_until

SERVICE = {"application": "service:app"}


@pytest.fixture
def server(serve):
    return serve(SERVICE)


@pytest.fixture
def borrowed(share):
    """One whose workers stay as they are."""
    return share(SERVICE)


def test_the_socket_is_private_and_goes_with_the_master(server):
    mode = Path(server.control).stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600
    assert server.status()["control"] == f"unix:{server.control}"
    server.stop()
    assert not Path(server.control).exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_stranger_is_hung_up_on_even_if_the_file_is_open(server):
    Path(server.control).chmod(0o666)
    for folder in (Path(server.control).parent, *Path(server.control).parent.parents[:-1]):
        if folder != Path("/tmp"):
            folder.chmod(folder.stat().st_mode | 0o111)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setresuid(65534, 65534, 65534)
        with socket.socket(socket.AF_UNIX) as stranger:
            stranger.settimeout(5)
            stranger.connect(server.control)
            try:
                stranger.sendall(b"GET /status HTTP/1.1\r\nHost: x\r\n\r\n")
                answer = stranger.recv(10)
            except OSError:
                answer = b""
            os.write(writing, answer or b"nothing")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 100) == b"nothing"
    os.close(reading)
    os.close(writing)
    assert verb(server, "status").returncode == 0  # we are root


def test_a_place_that_cannot_be_written_is_a_warning(serve, tmp_path):
    server = serve({"application": "service:app", "control": str(tmp_path / "nowhere" / "x.ctl")})
    assert server.log().count("there is no control socket") == 1
    assert server.fetch("/").status == 200
    assert server.status()["control"] is None


def test_the_runtime_directory_is_the_usual_place(serve, tmp_path):
    place = tmp_path / "run"
    place.mkdir()
    environment = {"RUNTIME_DIRECTORY": str(place)}
    server = serve({"application": "service:app", "control": "auto"}, environment=environment)
    done = hybridd("status", "--json", environment=environment)
    assert json.loads(done.stdout)["pid"] == server.pid
    assert json.loads(hybridd("status", "--json", "-c", str(server.config_file), environment=environment).stdout)["ok"]


def test_it_is_found_by_the_configuration(borrowed):
    done = hybridd("status", "-c", str(borrowed.config_file))
    assert done.returncode == 0
    assert "running: 2 of 2 workers ready, generation 1" in done.stdout


def test_without_a_socket_it_says_where_it_looked(tmp_path):
    done = hybridd("status", "--control", str(tmp_path / "none"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"hybridd: nobody listens on {tmp_path}/none; is hybridd running, with this control socket?\n"
    assert "control socket is off" in hybridd("reload", "--control", "off").stderr


def test_status_names_every_worker(borrowed):
    pids = borrowed.ready_pids()
    text = verb(borrowed, "status").stdout
    assert all(str(pid) in text for pid in pids)
    assert verb_json(borrowed, "status")["state"] == "running"


def test_a_reload_is_answered_when_the_new_workers_serve(server):
    before = server.ready_pids()
    done = verb(server, "reload")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(server.ready_pids()) == 2
    assert not set(server.ready_pids()) & set(before)
    assert done.stdout.startswith("reloaded: generation 2 serves")
    assert server.status()["generation"] == 2


def test_a_refused_configuration_is_told_to_who_asked(server):
    server.configure({"application": "service:app", "wokers": 3})
    done = verb(server, "reload")
    assert (done.returncode, done.stdout) == (1, "")
    assert "refused, generation 1 goes on" in done.stderr
    assert "wokers" in done.stderr


def test_reloads_at_the_same_time_have_a_verdict_each(server):
    asked = [begin_verb(server, "reload") for _ in range(3)]
    for one in asked:
        out, err = one.communicate(timeout=40)
        assert (one.returncode, err) == (0, ""), out
    assert server.status()["generation"] in (3, 4)  # who asks during a reload shares the next one


def test_scaling_waits_for_the_workers(server):
    done = verb(server, "scale", "4")
    assert (done.returncode, done.stdout) == (0, "4 workers ready\n")
    assert len(server.ready_pids()) == 4
    assert verb_json(server, "scale", "1")["workers"] == 1
    assert len(server.ready_pids()) == 1
    assert "expected 1 to 512 workers, got 513" in verb(server, "scale", "513").stderr
    assert verb(server, "scale").returncode == 2


def test_one_worker_is_replaced_another_one_first(server):
    before = server.ready_pids()
    with Load(Plan(server.address, connections=4, think=0.002)) as load:
        done = verb(server, "worker", "restart", "0")
        assert (done.returncode, done.stdout) == (0, "replaced: 2 workers ready\n")
        assert load.stop().failed == 0
    after = server.ready_pids()
    assert before[0] not in after
    assert before[1] in after
    assert "no ready worker in slot 9" in verb(server, "worker", "restart", "9").stderr


def test_a_drain_ends_when_the_last_request_has(server, tmp_path):
    client = server.client()
    client.send(f"GET /hold?file={tmp_path}/go HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    wait_until(lambda: sum(w["calls_running"] for w in server.workers()) == 1, within=5, what="the request runs")
    drain = begin_verb(server, "drain")
    server.wait_log("stopping: ")
    late = verb(server, "drain", "--timeout", "300ms")
    assert late.returncode == 1
    assert "still at work; the drain goes on" in late.stderr
    (tmp_path / "go").touch()
    out, err = drain.communicate(timeout=20)
    assert (drain.returncode, out, err) == (0, "stopped: every worker has left\n", "")
    assert processes.has_let_go(server.pid), "the verb returned before the master had gone"
    assert server.wait_ended() == 0
    assert client.read_answer().body == b"released\n"
    client.close()


def test_a_stop_cuts_what_does_not_end_in_time(server, tmp_path):
    client = server.client()
    client.send(f"GET /hold?file={tmp_path}/never HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    wait_until(lambda: sum(w["calls_running"] for w in server.workers()) == 1, within=5, what="the request runs")
    done = verb(server, "stop", "--timeout", "300ms")
    assert (done.returncode, done.stderr) == (0, "")
    assert processes.has_let_go(server.pid)
    assert server.wait_ended() == 0
    client.close()


def test_logs_are_opened_again(borrowed):
    done = verb(borrowed, "reopen-logs")
    assert (done.returncode, done.stdout) == (0, "the logs are opened again\n")


def test_stacks_of_a_worker_that_runs_a_handler(borrowed, tmp_path):
    client = borrowed.client()
    client.send(f"GET /hold?file={tmp_path}/go HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    wait_until(lambda: sum(w["calls_running"] for w in borrowed.workers()) == 1, within=5, what="the request runs")
    answer = verb_json(borrowed, "stacks")
    assert [one["slot"] for one in answer["workers"]] == [0, 1]
    assert any('service.py", line' in one["stacks"] and "in hold" in one["stacks"] for one in answer["workers"])
    assert "worker=1" in verb(borrowed, "stacks", "1").stdout
    assert verb(borrowed, "stacks", "7").stderr == "hybridd: there is no worker in slot 7\n"
    (tmp_path / "go").touch()
    client.close()


def test_a_stopped_worker_has_no_stacks_to_show(borrowed):
    pid = borrowed.ready_pids()[0]
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: processes.stopped(pid), within=5, what="it is stopped")
    try:
        done = verb(borrowed, "stacks", "0")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert done.returncode == 1
    assert "did not answer" in done.stderr


def test_deaths_are_kept(server):
    pid = server.ready_pids()[0]
    os.kill(pid, signal.SIGKILL)
    server.wait_workers(2, without=[pid])
    assert "was killed by SIGKILL" in verb(server, "status", "--deaths").stdout
    [death] = verb_json(server, "status")["deaths"]["kept"]
    assert death["cause"] == "signal"


def test_the_admin_address_changes_nothing(borrowed):
    assert borrowed.ask_admin("/reload", "POST").status == 404
